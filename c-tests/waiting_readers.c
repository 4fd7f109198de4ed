/* What wakes a thread that waits in SocketRead, alone or beside others, and how long it waits otherwise. */
#include "testing.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* Moments after a read has begun, in ms: it may wait in another way then. */
static const int moments[] = {1, 3, 8, 30, 150};
#define MOMENTS ((int)(sizeof moments / sizeof moments[0]))

typedef struct {
    const char *name;
    int32_t wait;
    int32_t timeout_ms;
    atomic_bool begins;
    intptr_t got;
    char message[64];
} Read;

static void read_one(void *argument)
{
    Read *read = argument;
    atomic_store(&read->begins, true);
    read->got = SocketRead(read->name, read->wait, read->timeout_ms, read->message, sizeof read->message);
}

/* Ends a connection on which a thread waits; what that thread's call must return then. */
static void expect_to_be_woken(void (*end)(void), intptr_t error)
{
    for (int i = 0; i < 2 * MOMENTS; i++) {
        Read read = {.name = "c", .wait = i < MOMENTS, .timeout_ms = 2 * PATIENCE_MS};
        connect_to("c", "/echo?id=waits");
        Thread *thread = start_thread(read_one, &read);
        WAIT_UNTIL(atomic_load(&read.begins));
        /* Nothing tells that a thread waits. */
        sleep_ms(moments[i % MOMENTS]);
        int64_t start = now_ms();
        end();
        join_thread(thread);
        CHECK_BETWEEN(now_ms() - start, 0, PATIENCE_MS);
        /* It may not have come to it on a machine with other things to do. */
        if (read.got == -WDSOCKET_E_UNKNOWN_NAME && moments[i % MOMENTS] < 100) i--;
        else CHECK_INT(read.got, -error);
        SocketClose("c");
    }
}

static void close_it(void) { CHECK_OK(SocketClose("c")); }
static void closing_wakes_it(void) { expect_to_be_woken(close_it, WDSOCKET_E_CANCELLED); }

static void close_with_a_code(void) { CHECK_OK(SocketCloseWith("c", 4000, "enough")); }
static void closing_with_a_code_wakes_it(void) { expect_to_be_woken(close_with_a_code, WDSOCKET_E_CLOSED); }

static void shut_down(void) { CHECK_OK(SocketShutdown(PATIENCE_MS)); }
static void shutting_down_wakes_it(void) { expect_to_be_woken(shut_down, WDSOCKET_E_CANCELLED); }

static void let_the_server_close(void) { control("waits", "close"); }
static void let_the_server_drop(void) { control("waits", "drop"); }
static void let_the_server_reset(void) { control("waits", "reset"); }
static void the_servers_end_wakes_it(void)
{
    expect_to_be_woken(let_the_server_close, WDSOCKET_E_CLOSED);
    expect_to_be_woken(let_the_server_drop, WDSOCKET_E_CLOSED);
    expect_to_be_woken(let_the_server_reset, WDSOCKET_E_CLOSED);
}

static void quick_pings(void)
{
    set_option("c", WDSOCKET_OPTION_PING_INTERVAL_MS, "50");
    set_option("c", WDSOCKET_OPTION_PONG_TIMEOUT_MS, "150");
}

static void a_mute_server_is_given_up_while_a_thread_waits(void)
{
    for (int i = 0; i < 3; i++) {
        quick_pings();
        connect_to("c", "/nopong");
        int64_t start = now_ms();
        CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
        CHECK_BETWEEN(now_ms() - start, 140, PATIENCE_MS);
        CHECK_CONTAINS(info("c", WDSOCKET_INFO_LAST_ERROR), "ping");
        CHECK_OK(SocketClose("c"));
    }
}

static atomic_bool done;

/* Others come and go, with limits of all lengths. */
static void come_and_go(void *unused)
{
    (void)unused;
    for (int i = 0; !atomic_load(&done); i++) {
        intptr_t got = SocketRead("c", 0, i * 7 % 80, NULL, 0);
        CHECK(got == -WDSOCKET_E_TIMEOUT || got == -WDSOCKET_E_CLOSED);
        if (got == -WDSOCKET_E_CLOSED) break;
    }
}

static void also_while_others_come_and_go(void)
{
    for (int i = 0; i < 3; i++) {
        atomic_store(&done, false);
        quick_pings();
        connect_to("c", "/nopong");
        Read read = {.name = "c", .wait = 1};
        Thread *lone = start_thread(read_one, &read);
        Thread *others[2] = {start_thread(come_and_go, NULL), start_thread(come_and_go, NULL)};
        join_thread(lone);
        CHECK_INT(read.got, -WDSOCKET_E_CLOSED);
        CHECK_CONTAINS(info("c", WDSOCKET_INFO_LAST_ERROR), "ping");
        atomic_store(&done, true);
        for (int j = 0; j < 2; j++) join_thread(others[j]);
        CHECK_OK(SocketClose("c"));
    }
}

static void also_while_messages_come(void)
{
    /* Each answer ends the wait; the pong that is missing must be noticed all the same. */
    quick_pings();
    connect_to("c", "/nopong");
    intptr_t got;
    char buffer[16];
    int64_t start = now_ms();
    do {
        SocketWrite("c", "hello", -1);
        got = SocketRead("c", 1, 0, buffer, sizeof buffer);
    } while (got == 5 && now_ms() - start < PATIENCE_MS);
    CHECK_INT(got, -WDSOCKET_E_CLOSED);
    CHECK_CONTAINS(info("c", WDSOCKET_INFO_LAST_ERROR), "ping");
}

static void pings_are_answered_while_a_thread_waits(void)
{
    Read read = {.name = "c", .wait = 1};
    connect_to("c", "/ping?count=5&interval_ms=30&payload=p&id=answered");
    Thread *thread = start_thread(read_one, &read);
    CHECK_INT(lines_with(diary_with("answered", "pong p", 5), "pong p"), 5);
    CHECK_OK(SocketWrite("c", "hello", -1));
    join_thread(thread);
    CHECK_INT(read.got, 5);
    CHECK_TEXT(read.message, "hello");
}

static void limits_are_kept(void)
{
    static const int limits[] = {0, 1, 2, 10, 49, 50, 51, 60, 100, 250};
    connect_to("c", "/echo");
    for (int i = 0; i < (int)(sizeof limits / sizeof limits[0]); i++) {
        int64_t start = now_ms();
        CHECK_NEGATIVE(SocketRead("c", 0, limits[i], NULL, 0), WDSOCKET_E_TIMEOUT);
        CHECK_BETWEEN(now_ms() - start, limits[i] - 1, limits[i] + PATIENCE_MS);
    }
    CHECK_OK(SocketWrite("c", "hello", -1));
    EXPECT_TEXT("c", "hello");
}

static void also_while_a_message_trickles_in(void)
{
    /* All of it takes 20 s. */
    connect_to("c", "/fragment?text=0123456789012345678901234567890123456789&pieces=40&pause_ms=500");
    for (int i = 0; i < 5; i++) {
        int64_t start = now_ms();
        CHECK_NEGATIVE(SocketRead("c", 0, 60 * i, NULL, 0), WDSOCKET_E_TIMEOUT);
        CHECK_BETWEEN(now_ms() - start, 60 * i - 1, 10000);
    }
}

static void also_while_another_thread_waits(void)
{
    Read read = {.name = "c", .wait = 1};
    connect_to("c", "/echo");
    Thread *thread = start_thread(read_one, &read);
    static const int limits[] = {0, 1, 49, 60, 120};
    for (int i = 0; i < 5; i++) {
        int64_t start = now_ms();
        CHECK_NEGATIVE(SocketRead("c", 0, limits[i], NULL, 0), WDSOCKET_E_TIMEOUT);
        CHECK_BETWEEN(now_ms() - start, limits[i] - 1, limits[i] + PATIENCE_MS);
        CHECK_NEGATIVE(SocketAvailable("c"), WDSOCKET_E_NO_MESSAGE);
    }
    CHECK_OK(SocketWrite("c", "hello", -1));
    join_thread(thread);
    CHECK_INT(read.got, 5);
}

/* One waits, a second comes and waits behind it: both get what comes, whoever of them it is. */
static void a_second_reader_gets_its_message(void)
{
    /* A pong would wake whoever was forgotten. */
    set_option("c", WDSOCKET_OPTION_PING_INTERVAL_MS, "0");
    connect_to("c", "/echo");
    for (int i = 0; i < 40; i++) {
        Read first = {.name = "c", .wait = 1};
        Read second = {.name = "c", .wait = 1};
        Thread *one = start_thread(read_one, &first);
        if (i % 2) sleep_ms(i % 8);
        Thread *two = start_thread(read_one, &second);
        if (i % 3) sleep_ms(i % 16);
        CHECK_OK(SocketWrite("c", "a", -1));
        if (i % 5) sleep_ms(i % 4);
        CHECK_OK(SocketWrite("c", "b", -1));
        join_thread(one);
        join_thread(two);
        CHECK_INT(first.got + second.got, 2);
        CHECK(first.message[0] + second.message[0] == 'a' + 'b');
    }
}

static void three_readers_of_which_one_gives_up(void)
{
    set_option("c", WDSOCKET_OPTION_PING_INTERVAL_MS, "0");
    connect_to("c", "/echo");
    for (int i = 0; i < 20; i++) {
        Read reads[3] = {{.name = "c", .wait = 1}, {.name = "c", .timeout_ms = i % 4 * 20 + 1}, {.name = "c", .wait = 1}};
        Thread *threads[3];
        for (int j = 0; j < 3; j++) threads[j] = start_thread(read_one, &reads[(i + j) % 3]);
        for (int j = 0; j < 3; j++)
            if (&reads[(i + j) % 3] == &reads[1]) join_thread(threads[j]);
        CHECK_INT(reads[1].got, -WDSOCKET_E_TIMEOUT);
        CHECK_OK(SocketWrite("c", "a", -1));
        CHECK_OK(SocketWrite("c", "b", -1));
        for (int j = 0; j < 3; j++)
            if (&reads[(i + j) % 3] != &reads[1]) join_thread(threads[j]);
        CHECK_INT(reads[0].got + reads[2].got, 2);
    }
}

/* Far more small frames than are looked at in one go come in one segment, and the message behind them. */
static void what_comes_behind_many_pings_is_read(void)
{
    static char path[20000] = "/raw?after=1&hex=";
    for (int i = 0; i < 2000; i++) memcpy(path + strlen(path), "8900", 5);
    memcpy(path + strlen(path), "81026869", 9);
    for (int i = 0; i < 5; i++) {
        connect_to("c", path);
        CHECK_OK(SocketWrite("c", "go", -1));
        CHECK_COUNT(SocketRead("c", 1, 0, NULL, 0), 2);
        EXPECT_TEXT("c", "hi");
        CHECK_OK(SocketClose("c"));
    }
}

static void many_round_trips_by_a_lone_reader(void)
{
    char text[32];
    connect_to("c", "/echo");
    for (int i = 0; i < 5000; i++) {
        snprintf(text, sizeof text, "%d", i);
        CHECK_OK(SocketWrite("c", text, -1));
        EXPECT_TEXT("c", text);
    }
}

int main(void)
{
    RUN(closing_wakes_it);
    RUN(closing_with_a_code_wakes_it);
    RUN(shutting_down_wakes_it);
    RUN(the_servers_end_wakes_it);
    RUN(a_mute_server_is_given_up_while_a_thread_waits);
    RUN(also_while_others_come_and_go);
    RUN(also_while_messages_come);
    RUN(pings_are_answered_while_a_thread_waits);
    RUN(limits_are_kept);
    RUN(also_while_a_message_trickles_in);
    RUN(also_while_another_thread_waits);
    RUN(a_second_reader_gets_its_message);
    RUN(three_readers_of_which_one_gives_up);
    RUN(what_comes_behind_many_pings_is_read);
    RUN(many_round_trips_by_a_lone_reader);
    return 0;
}
