/* SocketShutdown. */
#include "testing.h"

#include <stdatomic.h>
#include <stdio.h>

static void without_sockets_it_is_done_at_once(void)
{
    CHECK_OK(SocketShutdown(0));
    CHECK_OK(SocketShutdown(-1));
    CHECK_OK(SocketShutdown(PATIENCE_MS));
}

static void every_peer_sees_1001(void)
{
    Recorder events = {0};
    connect_to("c", "/echo?id=one");
    connect_recorder(&events, "d", "/echo?id=two");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_OK(SocketShutdown(PATIENCE_MS));
    EXPECT_DIARY("one", "close 1001");
    EXPECT_DIARY("two", "close 1001");
    CHECK_LACKS(diary("one", "eof"), "lost");
    forget_events(&events);
}

static void names_are_free_and_events_discarded(void)
{
    Recorder events = {0};
    connect_to("c", "/echo");
    connect_recorder(&events, "d", "/flood?count=10&size=10");
    WAIT_UNTIL(info_number("d", WDSOCKET_INFO_MESSAGES_IN) == 10);
    CHECK_OK(SocketShutdown(PATIENCE_MS));
    CHECK_FAILS(SocketExists("c"), WDSOCKET_E_UNKNOWN_NAME);
    CHECK_FAILS(SocketExists("d"), WDSOCKET_E_UNKNOWN_NAME);
    CHECK_COUNT(SocketDispatch(0, 0), 0);
    CHECK_INT(events.count, 0);
    forget_events(&events);
}

static void it_waits_for_the_closing_handshakes(void)
{
    /* The server looks at its close frame only after the answer to this message. */
    connect_to("c", "/echo?delay_ms=300&id=waits");
    CHECK_OK(SocketWrite("c", "first", -1));
    int64_t start = now_ms();
    CHECK_OK(SocketShutdown(PATIENCE_MS));
    CHECK_BETWEEN(now_ms() - start, 250, PATIENCE_MS);
    EXPECT_DIARY("waits", "close 1001");
}

static void also_for_those_that_close_left_running(void)
{
    connect_to("c", "/echo?delay_ms=300&id=left");
    CHECK_OK(SocketWrite("c", "first", -1));
    CHECK_OK(SocketClose("c"));
    int64_t start = now_ms();
    CHECK_OK(SocketShutdown(PATIENCE_MS));
    CHECK_BETWEEN(now_ms() - start, 200, PATIENCE_MS);
    EXPECT_DIARY("left", "close 1000");
}

static void it_gives_up_in_time(void)
{
    connect_to("c", "/noclose?id=mute");
    int64_t start = now_ms();
    CHECK_FAILS(SocketShutdown(200), WDSOCKET_E_TIMEOUT);
    CHECK_BETWEEN(now_ms() - start, 190, 4000);
    CHECK_FAILS(SocketExists("c"), WDSOCKET_E_UNKNOWN_NAME);
    /* The runtime is stopped, and with it the connection. */
    EXPECT_DIARY("mute", "close 1001");
    const char *seen = diary("mute", "eof");
    CHECK(lines_with(seen, "eof") + lines_with(seen, "lost") == 1);
}

static void the_library_can_be_used_again(void)
{
    for (int i = 0; i < 20; i++) {
        Recorder events = {0};
        connect_to("c", "/echo");
        CHECK_OK(SocketWrite("c", "again", -1));
        EXPECT_TEXT("c", "again");
        connect_recorder(&events, "d", "/echo");
        EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
        CHECK_OK(SocketShutdown(PATIENCE_MS));
        forget_events(&events);
    }
}

static atomic_int started;

static void read_waiting(void *unused)
{
    (void)unused;
    atomic_fetch_add(&started, 1);
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CANCELLED);
}

static void connect_waiting(void *unused)
{
    (void)unused;
    atomic_fetch_add(&started, 1);
    CHECK_FAILS(WebSocketClientConnect("d", "127.0.0.1", test_port(), "/silent?id=cancel", NULL, -1), WDSOCKET_E_CANCELLED);
}

static void dispatch_waiting(void *unused)
{
    (void)unused;
    atomic_fetch_add(&started, 1);
    CHECK_COUNT(SocketDispatch(-1, 0), 0);
}

static void calls_that_wait_return(void)
{
    connect_to("c", "/echo");
    atomic_store(&started, 0);
    Thread *threads[] = {start_thread(read_waiting, NULL), start_thread(connect_waiting, NULL), start_thread(dispatch_waiting, NULL)};
    EXPECT_DIARY("cancel", "open /silent?id=cancel");
    WAIT_UNTIL(atomic_load(&started) == 3);
    WAIT_UNTIL(SocketDispatch(0, 0) == -WDSOCKET_E_BUSY);
    /* Nothing tells that the read waits. */
    sleep_ms(300);
    CHECK_OK(SocketShutdown(PATIENCE_MS));
    for (int i = 0; i < 3; i++) join_thread(threads[i]);
}

static void a_connection_attempt_is_cancelled(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/silent?id=attempt");
    EXPECT_DIARY("attempt", "open /silent?id=attempt");
    CHECK_OK(SocketShutdown(PATIENCE_MS));
    EXPECT_NO_EVENT(&events, 30);
    const char *seen = diary("attempt", "eof");
    CHECK(lines_with(seen, "eof") + lines_with(seen, "lost") == 1);
    forget_events(&events);
}

static void what_was_written_is_still_sent(void)
{
    connect_to("c", "/count?id=sent&quiet=1");
    for (int i = 0; i < 1000; i++) CHECK_OK(SocketWrite("c", "0123456789", 10));
    CHECK_OK(SocketShutdown(PATIENCE_MS));
    CHECK_CONTAINS(diary("sent", "total"), "total 1000 10000 ");
}

static void shut_down(void *unused)
{
    (void)unused;
    SocketShutdown(PATIENCE_MS);
}

static void several_threads_may_do_it_at_once(void)
{
    for (int i = 0; i < 10; i++) {
        connect_to("c", "/echo");
        Thread *threads[] = {start_thread(shut_down, NULL), start_thread(shut_down, NULL)};
        for (int j = 0; j < 2; j++) join_thread(threads[j]);
    }
    connect_to("c", "/echo");
}

int main(void)
{
    RUN(without_sockets_it_is_done_at_once);
    RUN(every_peer_sees_1001);
    RUN(names_are_free_and_events_discarded);
    RUN(it_waits_for_the_closing_handshakes);
    RUN(also_for_those_that_close_left_running);
    RUN(it_gives_up_in_time);
    RUN(the_library_can_be_used_again);
    RUN(calls_that_wait_return);
    RUN(a_connection_attempt_is_cancelled);
    RUN(what_was_written_is_still_sent);
    RUN(several_threads_may_do_it_at_once);
    return 0;
}
