/* SocketClose: at once for the host, in order for the peer. */
#include "testing.h"

#include <stdatomic.h>
#include <stdio.h>

static void it_frees_the_name_at_once(void)
{
    connect_to("c", "/echo");
    CHECK_OK(SocketClose("c"));
    CHECK_FAILS(SocketExists("c"), WDSOCKET_E_UNKNOWN_NAME);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_NONE);
    CHECK_FAILS(SocketClose("c"), WDSOCKET_E_UNKNOWN_NAME);
    connect_to("c", "/echo");
}

static void the_peer_sees_1000_and_an_orderly_end(void)
{
    connect_to("c", "/echo?id=orderly");
    CHECK_OK(SocketClose("c"));
    EXPECT_DIARY("orderly", "close 1000");
    const char *seen = diary("orderly", "eof");
    CHECK_CONTAINS(seen, "\neof\n");
    CHECK_LACKS(seen, "protocol");
}

static void it_does_not_wait_for_the_peer(void)
{
    connect_to("c", "/noclose?id=mute");
    int64_t start = now_ms();
    CHECK_OK(SocketClose("c"));
    CHECK_BETWEEN(now_ms() - start, 0, 2000);
    EXPECT_DIARY("mute", "close 1000");
    control("mute", "reset");
}

static void close_timeout_bounds_the_handshake_in_the_background(void)
{
    set_option("c", WDSOCKET_OPTION_CLOSE_TIMEOUT_MS, "200");
    connect_to("c", "/noclose?id=bounded");
    int64_t start = now_ms();
    CHECK_OK(SocketClose("c"));
    /* The server never closes TCP: only the limit ends it. A diary waits up to 10 s; 4 suffice. */
    const char *seen = diary("bounded", "eof");
    CHECK(lines_with(seen, "eof") + lines_with(seen, "lost") == 1);
    CHECK_BETWEEN(now_ms() - start, 190, 4500);
}

static void everything_written_is_still_sent(void)
{
    connect_to("c", "/count?id=sent&quiet=1");
    for (int i = 0; i < 1000; i++) CHECK_OK(SocketWrite("c", "0123456789", 10));
    CHECK_OK(SocketClose("c"));
    CHECK_CONTAINS(diary("sent", "total"), "total 1000 10000 ");
    EXPECT_DIARY("sent", "close 1000");
}

static void also_what_still_waits_in_the_queue(void)
{
    static char block[64 << 10];
    connect_to("c", "/stall?id=queued&quiet=1");
    for (int i = 0; i < 200; i++) CHECK_OK(SocketWriteBinary("c", block, sizeof block));
    CHECK(info_number("c", WDSOCKET_INFO_QUEUED_OUT) > 0);
    int64_t start = now_ms();
    CHECK_OK(SocketClose("c"));
    CHECK_BETWEEN(now_ms() - start, 0, 2000);
    control("queued", "resume");
    CHECK_CONTAINS(diary("queued", "total"), "total 200 13107200 ");
    EXPECT_DIARY("queued", "close 1000");
}

static void a_flooding_peer_does_not_hinder_it(void)
{
    connect_to("c", "/flood?count=1000000000&size=1000&id=flooding");
    CHECK_COUNT(SocketRead("c", 1, 0, NULL, 0), 1000);
    CHECK_OK(SocketClose("c"));
    EXPECT_DIARY("flooding", "close 1000");
}

static void it_cancels_a_connection_attempt(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/silent?id=attempt");
    EXPECT_DIARY("attempt", "open /silent?id=attempt");
    CHECK_OK(SocketClose("c"));
    const char *seen = diary("attempt", "eof");
    CHECK(lines_with(seen, "eof") + lines_with(seen, "lost") == 1);
    /* No event of it ever comes. */
    EXPECT_NO_EVENT(&events, 50);
    forget_events(&events);
}

static void connect_and_be_cancelled(void *unused)
{
    (void)unused;
    CHECK_FAILS(WebSocketClientConnect("c", "127.0.0.1", test_port(), "/silent?id=waiting", NULL, -1), WDSOCKET_E_CANCELLED);
}

static void a_waiting_connect_returns_cancelled(void)
{
    Thread *thread = start_thread(connect_and_be_cancelled, NULL);
    EXPECT_DIARY("waiting", "open /silent?id=waiting");
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_CONNECTING);
    CHECK_OK(SocketClose("c"));
    join_thread(thread);
    CHECK_FAILS(SocketExists("c"), WDSOCKET_E_UNKNOWN_NAME);
}

static atomic_int reading;

static void read_and_be_cancelled(void *unused)
{
    (void)unused;
    atomic_store(&reading, 1);
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CANCELLED);
}

static void a_waiting_read_returns_cancelled(void)
{
    connect_to("c", "/echo");
    atomic_store(&reading, 0);
    Thread *thread = start_thread(read_and_be_cancelled, NULL);
    WAIT_UNTIL(atomic_load(&reading));
    /* Nothing tells that it waits; one that came later would find no such name. */
    sleep_ms(300);
    CHECK_OK(SocketClose("c"));
    join_thread(thread);
}

static void unread_messages_and_events_are_discarded(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/flood?count=10&size=4&close=1000");
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
    CHECK_OK(SocketClose("c"));
    EXPECT_NO_EVENT(&events, 30);
    connect_recorder(&events, "d", "/echo");
    CHECK_TEXT(EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "")->name, "d");
    forget_events(&events);
}

static void a_connection_in_order_gives_no_closing_event(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/echo?id=discarded");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_OK(SocketClose("c"));
    EXPECT_DIARY("discarded", "eof");
    EXPECT_NO_EVENT(&events, 30);
    forget_events(&events);
}

static void a_closed_connections_name_can_be_closed(void)
{
    connect_to("c", "/close?code=1000");
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
    CHECK_OK(SocketClose("c"));
    CHECK_FAILS(SocketExists("c"), WDSOCKET_E_UNKNOWN_NAME);
}

static void the_name_can_be_used_again_immediately_and_often(void)
{
    for (int i = 0; i < 200; i++) {
        connect_to("c", "/echo");
        CHECK_OK(SocketWrite("c", "x", 1));
        CHECK_OK(SocketClose("c"));
    }
}

int main(void)
{
    RUN(it_frees_the_name_at_once);
    RUN(the_peer_sees_1000_and_an_orderly_end);
    RUN(it_does_not_wait_for_the_peer);
    RUN(close_timeout_bounds_the_handshake_in_the_background);
    RUN(everything_written_is_still_sent);
    RUN(also_what_still_waits_in_the_queue);
    RUN(a_flooding_peer_does_not_hinder_it);
    RUN(it_cancels_a_connection_attempt);
    RUN(a_waiting_connect_returns_cancelled);
    RUN(a_waiting_read_returns_cancelled);
    RUN(unread_messages_and_events_are_discarded);
    RUN(a_connection_in_order_gives_no_closing_event);
    RUN(a_closed_connections_name_can_be_closed);
    RUN(the_name_can_be_used_again_immediately_and_often);
    return 0;
}
