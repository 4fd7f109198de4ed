/* SPIN_US: looking again and again instead of sleeping changes no result and no limit. */
#include "testing.h"

#include <stdatomic.h>
#include <stdio.h>

static void values(void)
{
    const char *good[] = {"0", "1", "50", "1000000"};
    const char *bad[] = {"-1", "1000001", "on", "1.5", " 5", "99999999999999999999"};
    connect_to("c", "/echo");
    for (int i = 0; i < 4; i++) {
        CHECK_OK(SocketSetOption("c", WDSOCKET_OPTION_SPIN_US, good[i]));
        CHECK_OK(SocketSetOption(NULL, WDSOCKET_OPTION_SPIN_US, good[i]));
    }
    for (int i = 0; i < 6; i++) {
        CHECK_FAILS(SocketSetOption("c", WDSOCKET_OPTION_SPIN_US, bad[i]), WDSOCKET_E_INVALID_ARGUMENT);
        CHECK_FAILS(SocketSetOption(NULL, WDSOCKET_OPTION_SPIN_US, bad[i]), WDSOCKET_E_INVALID_ARGUMENT);
    }
    set_option(NULL, WDSOCKET_OPTION_SPIN_US, NULL);
}

/* The longest: each limit below ends before it. */
static void spin_for_a_second(const char *name) { set_option(name, WDSOCKET_OPTION_SPIN_US, "1000000"); }

static void round_trips(const char *path)
{
    const char *values[] = {"0", "20", "1000000"};
    char text[32];
    connect_to("c", path);
    for (int i = 0; i < 3; i++) {
        set_option("c", WDSOCKET_OPTION_SPIN_US, values[i]);
        for (int j = 0; j < 500; j++) {
            snprintf(text, sizeof text, "%d %d", i, j);
            CHECK_OK(SocketWrite("c", text, -1));
            EXPECT_TEXT("c", text);
        }
    }
}

static void a_reader_gets_its_messages(void) { round_trips("/echo"); }
static void also_compressed(void)
{
    set_option("c", WDSOCKET_OPTION_COMPRESSION_MIN_BYTES, "0");
    round_trips("/echo?deflate");
}

static void messages_in_pieces_are_read(void)
{
    spin_for_a_second("c");
    connect_to("c", "/fragment?text=in%20several%20pieces&pieces=6&pause_ms=30");
    EXPECT_TEXT("c", "in several pieces");
}

static void limits_are_kept(void)
{
    static const int limits[] = {0, 1, 49, 60, 200};
    spin_for_a_second("c");
    connect_to("c", "/echo");
    /* The least of some: a machine with other things to do may be late, but not each time by a second. */
    for (int i = 0; i < 5; i++) {
        int64_t least = PATIENCE_MS;
        for (int j = 0; j < 4; j++) {
            int64_t start = now_ms();
            CHECK_NEGATIVE(SocketRead("c", 0, limits[i], NULL, 0), WDSOCKET_E_TIMEOUT);
            int64_t took = now_ms() - start;
            CHECK_BETWEEN(took, limits[i] - 1, PATIENCE_MS);
            if (took < least) least = took;
        }
        CHECK_BETWEEN(least, limits[i] - 1, 900);
    }
}

static void after_the_time_it_sleeps_and_wakes(void)
{
    set_option("c", WDSOCKET_OPTION_SPIN_US, "1000");
    connect_to("c", "/echo?delay_ms=200");
    for (int i = 0; i < 3; i++) {
        CHECK_OK(SocketWrite("c", "late", -1));
        EXPECT_TEXT("c", "late");
    }
}

static intptr_t got;

static void read_one(void *unused)
{
    (void)unused;
    got = SocketRead("c", 1, 0, NULL, 0);
}

static void close_it(void) { CHECK_OK(SocketClose("c")); }
static void close_with_a_code(void) { CHECK_OK(SocketCloseWith("c", 1000, NULL)); }
static void shut_down(void) { CHECK_OK(SocketShutdown(PATIENCE_MS)); }

static void a_reader_is_woken_before_its_time(void)
{
    static const struct {
        void (*end)(void);
        intptr_t error;
    } ends[] = {{close_it, WDSOCKET_E_CANCELLED}, {close_with_a_code, WDSOCKET_E_CLOSED}, {shut_down, WDSOCKET_E_CANCELLED}};
    for (int i = 0; i < 3; i++) {
        int64_t least = PATIENCE_MS;
        for (int j = 0; j < 3; j++) {
            spin_for_a_second("c");
            connect_to("c", "/echo");
            Thread *thread = start_thread(read_one, NULL);
            sleep_ms(50); /* Nothing tells that it has begun. */
            int64_t start = now_ms();
            ends[i].end();
            join_thread(thread);
            CHECK_INT(got, -ends[i].error);
            if (now_ms() - start < least) least = now_ms() - start;
            SocketClose("c");
        }
        CHECK_BETWEEN(least, 0, 800);
    }
}

static void a_mute_server_is_given_up(void)
{
    spin_for_a_second("c");
    set_option("c", WDSOCKET_OPTION_PING_INTERVAL_MS, "50");
    set_option("c", WDSOCKET_OPTION_PONG_TIMEOUT_MS, "100");
    connect_to("c", "/nopong");
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    CHECK_CONTAINS(info("c", WDSOCKET_INFO_LAST_ERROR), "ping");
}

static atomic_int total;

static void read_all(void *unused)
{
    char buffer[64];
    (void)unused;
    while (SocketRead("c", 1, 0, buffer, sizeof buffer) >= 0) atomic_fetch_add(&total, 1);
}

static void two_readers_share(void)
{
    atomic_store(&total, 0);
    spin_for_a_second("c");
    connect_to("c", "/flood?count=3000&size=20&close=1000");
    Thread *threads[2] = {start_thread(read_all, NULL), start_thread(read_all, NULL)};
    for (int i = 0; i < 2; i++) join_thread(threads[i]);
    CHECK_INT(atomic_load(&total), 3000);
}

static void answer(Recorder *recorder, const Event *event)
{
    int *left = recorder->context;
    if (event->event <= WDSOCKET_EVENT_MESSAGE && *left > 0) {
        char text[32];
        snprintf(text, sizeof text, "%d", --*left);
        CHECK_OK(SocketWrite(event->name, text, -1));
    }
}

static void a_host_that_dispatches_gets_its_events(void)
{
    const char *values[] = {"0", "20", "1000000"};
    for (int i = 0; i < 3; i++) {
        char text[32];
        int left = 500;
        Recorder events = {.inside = answer, .context = &left};
        set_option(NULL, WDSOCKET_OPTION_SPIN_US, values[i]);
        connect_recorder(&events, "c", "/echo");
        EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
        for (int j = 499; j >= 0; j--) {
            snprintf(text, sizeof text, "%d", j);
            EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, text);
        }
        CHECK_OK(SocketClose("c"));
        forget_events(&events);
    }
    set_option(NULL, WDSOCKET_OPTION_SPIN_US, NULL);
}

static void wake_up(void *unused)
{
    (void)unused;
    sleep_ms(50);
    CHECK_OK(SocketWake());
}

static void a_dispatch_keeps_its_limit_and_is_woken(void)
{
    Recorder events = {0};
    spin_for_a_second(NULL);
    connect_recorder(&events, "c", "/echo");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    int64_t least = PATIENCE_MS;
    int64_t least_woken = PATIENCE_MS;
    for (int i = 0; i < 4; i++) {
        int64_t start = now_ms();
        CHECK_COUNT(SocketDispatch(60, 0), 0);
        int64_t took = now_ms() - start;
        CHECK_BETWEEN(took, 59, PATIENCE_MS);
        if (took < least) least = took;
        Thread *thread = start_thread(wake_up, NULL);
        start = now_ms();
        CHECK_COUNT(SocketDispatch(-1, 0), 0);
        took = now_ms() - start;
        if (took < least_woken) least_woken = took;
        join_thread(thread);
    }
    CHECK_BETWEEN(least, 59, 900);
    CHECK_BETWEEN(least_woken, 0, 900);
    set_option(NULL, WDSOCKET_OPTION_SPIN_US, NULL);
    forget_events(&events);
}

int main(void)
{
    RUN(values);
    RUN(a_reader_gets_its_messages);
    RUN(also_compressed);
    RUN(messages_in_pieces_are_read);
    RUN(limits_are_kept);
    RUN(after_the_time_it_sleeps_and_wakes);
    RUN(a_reader_is_woken_before_its_time);
    RUN(a_mute_server_is_given_up);
    RUN(two_readers_share);
    RUN(a_host_that_dispatches_gets_its_events);
    RUN(a_dispatch_keeps_its_limit_and_is_woken);
    return 0;
}
