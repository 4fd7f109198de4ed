/* Pings from both sides. */
#include "testing.h"

#include <stdio.h>

static void quick_pings(const char *name, const char *pong_timeout)
{
    set_option(name, WDSOCKET_OPTION_PING_INTERVAL_MS, "50");
    set_option(name, WDSOCKET_OPTION_PONG_TIMEOUT_MS, pong_timeout);
}

static void pings_go_out_at_the_interval(void)
{
    quick_pings("c", "20000");
    connect_to("c", "/echo?id=interval");
    int64_t start = now_ms();
    CHECK(lines_with(diary_with("interval", "ping", 5), "ping") >= 5);
    CHECK_BETWEEN(now_ms() - start, 4 * 50 - 20, PATIENCE_MS);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_OPEN);
}

static void an_interval_of_0_sends_none(void)
{
    set_option("c", WDSOCKET_OPTION_PING_INTERVAL_MS, "0");
    set_option("d", WDSOCKET_OPTION_PING_INTERVAL_MS, "50");
    connect_to("c", "/echo?id=none");
    connect_to("d", "/echo?id=some");
    diary_with("some", "ping", 4);
    CHECK_INT(lines_with(diary("none", ""), "ping"), 0);
}

static void a_missing_pong_ends_the_connection_with_an_error_that_says_so(void)
{
    Recorder events = {0};
    quick_pings("c", "150");
    connect_recorder(&events, "c", "/nopong");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    const Event *error = EXPECT_EVENT(&events, WDSOCKET_EVENT_ERROR, "");
    CHECK(error->error != WDSOCKET_E_OK);
    CHECK_CONTAINS(error->error_message, "ping");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1006");
    forget_events(&events);
}

static void also_for_a_synchronous_socket(void)
{
    quick_pings("c", "150");
    connect_to("c", "/nopong");
    int64_t start = now_ms();
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    CHECK_BETWEEN(now_ms() - start, 150, PATIENCE_MS);
    CHECK_CONTAINS(info("c", WDSOCKET_INFO_LAST_ERROR), "ping");
    CHECK_OK(SocketClose("c"));
}

static void also_when_nobody_reads_it(void)
{
    quick_pings("c", "150");
    connect_to("c", "/nopong");
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
    CHECK_CONTAINS(info("c", WDSOCKET_INFO_LAST_ERROR), "ping");
}

static void pongs_keep_it_alive(void)
{
    quick_pings("c", "5000");
    connect_to("c", "/echo?id=alive");
    diary_with("alive", "ping", 10);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_OPEN);
    CHECK_OK(SocketWrite("c", "alive", -1));
    EXPECT_TEXT("c", "alive");
}

static void the_servers_pings_are_answered_with_their_payload(void)
{
    connect_to("c", "/ping?count=3&interval_ms=20&payload=are%20you%20there&id=answered");
    CHECK_CONTAINS(diary_with("answered", "pong", 3), "pong are you there\n");
    CHECK_OK(SocketWrite("c", "hello", -1));
    EXPECT_TEXT("c", "hello");
}

static void pings_of_a_callback_socket_are_answered_without_dispatching(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/ping?count=3&interval_ms=20&payload=p&id=callback");
    CHECK_INT(lines_with(diary_with("callback", "pong p", 3), "pong p"), 3);
    forget_events(&events);
}

static void a_pong_that_nobody_asked_for_does_no_harm(void)
{
    connect_to("c", "/raw?hex=8a00" "8a03616263" "8102" "6869");
    EXPECT_TEXT("c", "hi");
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_OPEN);
}

static void the_pong_timeout_does_not_run_while_the_receive_queue_is_full(void)
{
    char text[1001];
    quick_pings("c", "200");
    set_option("c", WDSOCKET_OPTION_RECEIVE_QUEUE_BYTES, "10000");
    connect_to("c", "/flood?count=40000&size=1000&id=full");
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_QUEUED_IN) >= 9000);
    /* Several times the limit: nothing is to happen, so there is nothing to wait for. */
    sleep_ms(1000);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_OPEN);
    for (int i = 0; i < 40000; i++) CHECK_COUNT(SocketRead("c", 0, PATIENCE_MS, text, sizeof text), 1000);
    CHECK_OK(SocketWrite("c", "alive", -1));
    EXPECT_TEXT("c", "alive");
}

int main(void)
{
    RUN(pings_go_out_at_the_interval);
    RUN(an_interval_of_0_sends_none);
    RUN(a_missing_pong_ends_the_connection_with_an_error_that_says_so);
    RUN(also_for_a_synchronous_socket);
    RUN(also_when_nobody_reads_it);
    RUN(pongs_keep_it_alive);
    RUN(the_servers_pings_are_answered_with_their_payload);
    RUN(pings_of_a_callback_socket_are_answered_without_dispatching);
    RUN(a_pong_that_nobody_asked_for_does_no_harm);
    RUN(the_pong_timeout_does_not_run_while_the_receive_queue_is_full);
    return 0;
}
