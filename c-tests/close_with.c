/* SocketCloseWith: the closing handshake with code and reason; the name stays. */
#include "testing.h"

#include <stdio.h>

static void the_peer_gets_code_and_reason(void)
{
    connect_to("c", "/echo?id=reason");
    CHECK_OK(SocketCloseWith("c", 4321, "au revoir, \xc3\xa9t\xc3\xa9"));
    EXPECT_DIARY("reason", "close 4321 au revoir, \xc3\xa9t\xc3\xa9");
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_CODE), "4321");
    CHECK_OK(SocketExists("c"));
    CHECK_OK(SocketClose("c"));
    CHECK_LACKS(diary("reason", "eof"), "protocol");
}

static void no_reason_is_null_or_empty(void)
{
    connect_to("c", "/echo?id=null-reason");
    CHECK_OK(SocketCloseWith("c", 1000, NULL));
    EXPECT_DIARY("null-reason", "close 1000");
    connect_to("d", "/echo?id=empty-reason");
    CHECK_OK(SocketCloseWith("d", 1000, ""));
    EXPECT_DIARY("empty-reason", "close 1000");
}

static void the_codes_are_1000_and_3000_to_4999(void)
{
    static const int32_t good[] = {1000, 3000, 4999};
    static const int32_t bad[] = {0, -1, 999, 1001, 1002, 1005, 1006, 1015, 2999, 5000, 65536 + 1000, INT32_MIN, INT32_MAX};
    connect_to("c", "/echo");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_FAILS(SocketCloseWith("c", bad[i], NULL), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_OPEN);
    CHECK_OK(SocketWrite("c", "still open", -1));
    EXPECT_TEXT("c", "still open");
    CHECK_OK(SocketClose("c"));
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        connect_to("c", "/echo");
        CHECK_OK(SocketCloseWith("c", good[i], NULL));
        CHECK_OK(SocketClose("c"));
    }
}

static void the_reason_has_up_to_123_bytes(void)
{
    char reason[125];
    char line[160];
    memset(reason, 'r', sizeof reason);
    reason[124] = '\0';
    connect_to("c", "/echo?id=longest");
    CHECK_FAILS(SocketCloseWith("c", 1000, reason), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_OPEN);
    reason[123] = '\0';
    CHECK_OK(SocketCloseWith("c", 1000, reason));
    snprintf(line, sizeof line, "close 1000 %s", reason);
    EXPECT_DIARY("longest", line);
}

static void a_reason_that_is_not_utf8_is_refused(void)
{
    connect_to("c", "/echo");
    CHECK_INT(SocketCloseWith("c", 1000, "\xff\xfe"), 0);
    CHECK(SocketErrorCode() == WDSOCKET_E_ENCODING || SocketErrorCode() == WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_OPEN);
}

static void messages_still_arrive_and_then_closed(void)
{
    char buffer[32];
    connect_to("c", "/echo?delay_ms=50");
    for (int i = 0; i < 3; i++) CHECK_OK(SocketWrite("c", "before the end", -1));
    CHECK_OK(SocketCloseWith("c", 1000, NULL));
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_CLOSING);
    for (int i = 0; i < 3; i++) EXPECT_TEXT("c", "before the end");
    CHECK_NEGATIVE(SocketRead("c", 1, 0, buffer, sizeof buffer), WDSOCKET_E_CLOSED);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_CLOSED);
}

static void a_callback_socket_gets_messages_and_then_closing(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/echo?delay_ms=50");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_OK(SocketWrite("c", "before the end", -1));
    CHECK_OK(SocketCloseWith("c", 3001, "done"));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "before the end");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "3001");
    EXPECT_NO_EVENT(&events, 20);
    forget_events(&events);
}

static void nothing_can_be_written_after_it(void)
{
    connect_to("c", "/noclose?id=after");
    CHECK_OK(SocketCloseWith("c", 1000, NULL));
    CHECK_FAILS(SocketWrite("c", "late", -1), WDSOCKET_E_CLOSED);
    control("after", "reset");
}

static void what_was_written_before_is_sent_before(void)
{
    connect_to("c", "/count?id=before&quiet=1");
    for (int i = 0; i < 500; i++) CHECK_OK(SocketWrite("c", "0123456789", 10));
    CHECK_OK(SocketCloseWith("c", 1000, NULL));
    CHECK_CONTAINS(diary("before", "total"), "total 500 5000 ");
}

static void a_mute_peer_is_given_up_after_the_close_timeout(void)
{
    Recorder events = {0};
    set_option("c", WDSOCKET_OPTION_CLOSE_TIMEOUT_MS, "200");
    connect_recorder(&events, "c", "/noclose");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    int64_t start = now_ms();
    CHECK_OK(SocketCloseWith("c", 1000, NULL));
    const Event *event = next_event(&events);
    if (event->event == WDSOCKET_EVENT_ERROR) event = next_event(&events);
    CHECK_INT(event->event, WDSOCKET_EVENT_CLOSING);
    CHECK_TEXT(event->message, "1006");
    CHECK_BETWEEN(now_ms() - start, 190, 4500);
    forget_events(&events);
}

static void the_name_can_be_connected_again_afterwards(void)
{
    connect_to("c", "/echo");
    CHECK_OK(SocketCloseWith("c", 1000, NULL));
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
    connect_to("c", "/echo");
    CHECK_OK(SocketWrite("c", "again", -1));
    EXPECT_TEXT("c", "again");
}

static void both_sides_may_close_at_once(void)
{
    for (int i = 0; i < 20; i++) {
        connect_to("c", "/close?code=4000&after=1");
        CHECK_OK(SocketWrite("c", "now", -1));
        intptr_t result = SocketCloseWith("c", 3000, NULL);
        CHECK(result == 1 || SocketErrorCode() == WDSOCKET_E_CLOSED);
        CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
        CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_CODE), "4000");
        CHECK_OK(SocketClose("c"));
    }
}

static void after_the_end_it_is_closed(void)
{
    connect_to("c", "/close?code=1000");
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
    CHECK_FAILS(SocketCloseWith("c", 1000, NULL), WDSOCKET_E_CLOSED);
    CHECK_FAILS(SocketCloseWith("nobody", 1000, NULL), WDSOCKET_E_UNKNOWN_NAME);
}

int main(void)
{
    RUN(the_peer_gets_code_and_reason);
    RUN(no_reason_is_null_or_empty);
    RUN(the_codes_are_1000_and_3000_to_4999);
    RUN(the_reason_has_up_to_123_bytes);
    RUN(a_reason_that_is_not_utf8_is_refused);
    RUN(messages_still_arrive_and_then_closed);
    RUN(a_callback_socket_gets_messages_and_then_closing);
    RUN(nothing_can_be_written_after_it);
    RUN(what_was_written_before_is_sent_before);
    RUN(a_mute_peer_is_given_up_after_the_close_timeout);
    RUN(the_name_can_be_connected_again_afterwards);
    RUN(both_sides_may_close_at_once);
    RUN(after_the_end_it_is_closed);
    return 0;
}
