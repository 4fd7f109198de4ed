/* A server that sends without end what makes no message: the library stays answerable. */
#include "testing.h"

/* Far above what a call takes, far below the time for which the server goes on. */
#define SOON_MS 2000

static void expect_soon(int64_t start) { CHECK_BETWEEN(now_ms() - start, 0, SOON_MS); }

/* Another connection is not held up. */
static void expect_echo(const char *name)
{
    int64_t start = now_ms();
    connect_to(name, "/echo");
    CHECK_OK(SocketWrite(name, "hello", -1));
    CHECK_TEXT(read_text(name), "hello");
    CHECK_OK(SocketClose(name));
    expect_soon(start);
}

static void expect_time_limits_to_hold(const char *path)
{
    connect_to("c", path);
    for (int i = 0; i < 8; i++) {
        int64_t start = now_ms();
        CHECK_NEGATIVE(SocketRead("c", 0, 100, NULL, 0), WDSOCKET_E_TIMEOUT);
        CHECK_BETWEEN(now_ms() - start, 100, SOON_MS);
        start = now_ms();
        CHECK_NEGATIVE(SocketRead("c", 0, 0, NULL, 0), WDSOCKET_E_TIMEOUT);
        CHECK_NEGATIVE(SocketAvailable("c"), WDSOCKET_E_NO_MESSAGE);
        expect_soon(start);
    }
    int64_t start = now_ms();
    CHECK_OK(SocketClose("c"));
    expect_soon(start);
}

static void a_read_keeps_its_time_limit_under_endless_pongs(void) { expect_time_limits_to_hold("/stream?what=pong"); }

static void a_read_keeps_its_time_limit_under_endless_pings(void) { expect_time_limits_to_hold("/stream?what=ping"); }

static void a_read_keeps_its_time_limit_under_a_message_without_end(void)
{
    expect_time_limits_to_hold("/stream?what=continuation");
}

static void also_under_a_compressed_one_without_contents(void) { expect_time_limits_to_hold("/stream?deflate&what=blocks"); }

static void connect_flooded(const char *path)
{
    set_option("c", WDSOCKET_OPTION_PING_INTERVAL_MS, "100");
    set_option("c", WDSOCKET_OPTION_PONG_TIMEOUT_MS, "100");
    connect_to("c", path);
}

static void other_pongs_do_not_replace_the_missing_one(void)
{
    connect_flooded("/stream?what=pong&ms=15000");
    int64_t start = now_ms();
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    CHECK_CONTAINS(info("c", WDSOCKET_INFO_LAST_ERROR), "ping");
    CHECK_BETWEEN(now_ms() - start, 100, 10000);
}

static void a_missing_pong_in_a_flood_holds_up_nothing(void)
{
    connect_flooded("/stream?what=pong");
    /* Past the pong's time: whatever the library does then, it is at it. */
    sleep_ms(400);
    for (int i = 0; i < 10; i++) expect_echo("other");
    int64_t start = now_ms();
    CHECK_OK(SocketClose("c"));
    expect_soon(start);
    expect_echo("other");
}

static void calls_on_a_flooded_name_return_soon(void)
{
    int count = 0;
    Recorder events = {0};
    set_option("c", WDSOCKET_OPTION_PING_INTERVAL_MS, "0");
    connect_recorder(&events, "c", "/stream?what=ping");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    for (int64_t end = now_ms() + 2000; now_ms() < end; sleep_ms(1)) {
        int64_t start = now_ms();
        CHECK_INT(SocketState("c"), WDSOCKET_STATE_OPEN);
        CHECK_OK(SocketWrite("c", "x", 1));
        expect_soon(start);
        count++;
    }
    /* A loaded machine may hold up one of them; some milliseconds are usual. */
    CHECK_BETWEEN(count, 25, INT32_MAX);
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
}

static void an_ended_connection_reads_no_flood(void)
{
    static const char *const names[] = {"c0", "c1", "c2", "c3"};
    static const char *const paths[] = {
        "/stream?what=pong&after=close&ms=15000&id=f0",
        "/stream?what=pong&after=close&ms=15000&id=f1",
        "/stream?what=pong&after=close&ms=15000&id=f2",
        "/stream?what=pong&after=close&ms=15000&id=f3",
    };
    for (int i = 0; i < 4; i++) {
        set_option(names[i], WDSOCKET_OPTION_CLOSE_TIMEOUT_MS, "15000");
        connect_to(names[i], paths[i]);
    }
    for (int i = 0; i < 4; i++) CHECK_OK(SocketClose(names[i]));
    int64_t start = now_ms();
    for (int i = 0; i < 5; i++) expect_echo("other");
    /* TCP ends long before the server has sent all, and before the limit, too. */
    for (int i = 0; i < 4; i++) {
        const char *id = strstr(paths[i], "id=") + 3;
        WAIT_UNTIL(strstr(diary(id, ""), "eof") || strstr(diary(id, ""), "lost"));
    }
    CHECK_BETWEEN(now_ms() - start, 0, 10000);
}

int main(void)
{
    /* The server answers no close frame: the shutdown after each test waits for that long. */
    set_option(NULL, WDSOCKET_OPTION_CLOSE_TIMEOUT_MS, "500");
    RUN(a_read_keeps_its_time_limit_under_endless_pongs);
    RUN(a_read_keeps_its_time_limit_under_endless_pings);
    RUN(a_read_keeps_its_time_limit_under_a_message_without_end);
    RUN(also_under_a_compressed_one_without_contents);
    RUN(other_pongs_do_not_replace_the_missing_one);
    RUN(a_missing_pong_in_a_flood_holds_up_nothing);
    RUN(calls_on_a_flooded_name_return_soon);
    RUN(an_ended_connection_reads_no_flood);
    return 0;
}
