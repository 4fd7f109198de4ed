/* SocketInfo: every item, and how the buffer counts. */
#include "testing.h"

#include <stdio.h>

static void what_the_handshake_said(void)
{
    char url[128];
    connect_to("c", "/upgrade?header=X-Server:%20test");
    CHECK_TEXT(info("c", WDSOCKET_INFO_PROTOCOL), "");
    CHECK_TEXT(info("c", WDSOCKET_INFO_EXTENSIONS), "");
    CHECK_TEXT(info("c", WDSOCKET_INFO_HTTP_STATUS), "101");
    CHECK_HAS_HEADER(info("c", WDSOCKET_INFO_RESPONSE_HEADERS), "X-Server: test");
    CHECK_HAS_HEADER(info("c", WDSOCKET_INFO_RESPONSE_HEADERS), "Upgrade: websocket");
    snprintf(url, sizeof url, "127.0.0.1:%d", test_port());
    CHECK_TEXT(info("c", WDSOCKET_INFO_REMOTE_ADDRESS), url);
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/upgrade?header=X-Server:%%20test", test_port());
    CHECK_TEXT(info("c", WDSOCKET_INFO_URL), url);
}

static void what_went_over_the_wire(void)
{
    connect_to("c", "/echo");
    CHECK_OK(SocketWrite("c", "0123456789", -1));
    CHECK_OK(SocketWriteBinary("c", "01234", 5));
    EXPECT_TEXT("c", "0123456789");
    EXPECT_TEXT("c", "01234");
    CHECK_TEXT(info("c", WDSOCKET_INFO_BYTES_OUT), "15");
    CHECK_TEXT(info("c", WDSOCKET_INFO_BYTES_IN), "15");
    CHECK_TEXT(info("c", WDSOCKET_INFO_MESSAGES_OUT), "2");
    CHECK_TEXT(info("c", WDSOCKET_INFO_MESSAGES_IN), "2");
    CHECK_TEXT(info("c", WDSOCKET_INFO_QUEUED_IN), "0");
    CHECK_TEXT(info("c", WDSOCKET_INFO_QUEUED_OUT), "0");
    /* Headers of 2 bytes from a server, of 6 from a client. */
    CHECK(info_number("c", WDSOCKET_INFO_WIRE_BYTES_IN) >= 15 + 2 * 2);
    CHECK(info_number("c", WDSOCKET_INFO_WIRE_BYTES_OUT) >= 15 + 2 * 6);
}

static void unread_messages_are_queued(void)
{
    connect_to("c", "/flood?count=3&size=1000");
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == 3);
    /* Each may count its bytes plus 64. */
    CHECK_BETWEEN(info_number("c", WDSOCKET_INFO_QUEUED_IN), 3000, 3000 + 3 * 64);
    for (int i = 0; i < 3; i++) read_text("c");
    CHECK_TEXT(info("c", WDSOCKET_INFO_QUEUED_IN), "0");
}

static void how_it_ended(void)
{
    connect_to("c", "/close?code=4001&reason=so%20long");
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_CODE), "4001");
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_REASON), "so long");
    CHECK_OK(SocketClose("c"));
    connect_to("c", "/reset");
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_CODE), "1006");
    CHECK(info("c", WDSOCKET_INFO_LAST_ERROR)[0] != '\0');
}

static void without_an_error_there_is_no_last_error(void)
{
    connect_to("c", "/echo");
    CHECK_TEXT(info("c", WDSOCKET_INFO_LAST_ERROR), "");
}

static void the_last_round_trip_of_a_ping(void)
{
    set_option("c", WDSOCKET_OPTION_PING_INTERVAL_MS, "30");
    connect_to("c", "/echo?id=round-trip");
    diary_with("round-trip", "ping", 3);
    CHECK_BETWEEN(info_number("c", WDSOCKET_INFO_PING_MS), 0, PATIENCE_MS);
}

static void every_item_can_be_asked_for_at_any_time(void)
{
    connect_to("c", "/echo");
    for (int32_t item = WDSOCKET_INFO_PROTOCOL; item <= WDSOCKET_INFO_HTTP_STATUS + 1; item++) info("c", item);
    for (int32_t item = WDSOCKET_INFO_BYTES_IN; item <= WDSOCKET_INFO_LAST_ERROR; item++) info("c", item);
    CHECK_OK(SocketCloseWith("c", 1000, NULL));
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
    for (int32_t item = WDSOCKET_INFO_BYTES_IN; item <= WDSOCKET_INFO_LAST_ERROR; item++) info("c", item);
}

static void null_and_0_only_ask(void)
{
    char buffer[8] = "#######";
    connect_to("c", "/echo");
    CHECK_COUNT(SocketInfo("c", WDSOCKET_INFO_HTTP_STATUS, NULL, 0), 3);
    CHECK_COUNT(SocketInfo("c", WDSOCKET_INFO_HTTP_STATUS, buffer, 4), 3);
    CHECK_INT(memcmp(buffer, "101\0###", 8), 0);
}

static void a_buffer_without_room_for_the_nul_is_too_small(void)
{
    char buffer[8] = "#######";
    connect_to("c", "/echo");
    CHECK_NEGATIVE(SocketInfo("c", WDSOCKET_INFO_HTTP_STATUS, buffer, 3), WDSOCKET_E_BUFFER_TOO_SMALL);
    CHECK_NEGATIVE(SocketInfo("c", WDSOCKET_INFO_HTTP_STATUS, buffer, 0), WDSOCKET_E_BUFFER_TOO_SMALL);
    CHECK_NEGATIVE(SocketInfo("c", WDSOCKET_INFO_PROTOCOL, buffer, 0), WDSOCKET_E_BUFFER_TOO_SMALL);
    CHECK_TEXT(buffer, "#######");
    CHECK_COUNT(SocketInfo("c", WDSOCKET_INFO_PROTOCOL, buffer, 1), 0);
    CHECK_TEXT(buffer, "");
}

static void unknown_items_and_names_are_errors(void)
{
    char buffer[8];
    connect_to("c", "/echo");
    static const int32_t bad[] = {0, -1, 1000, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_NEGATIVE(SocketInfo("c", bad[i], buffer, sizeof buffer), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_NEGATIVE(SocketInfo("nobody", WDSOCKET_INFO_URL, buffer, sizeof buffer), WDSOCKET_E_UNKNOWN_NAME);
    CHECK_NEGATIVE(SocketInfo("c", WDSOCKET_INFO_URL, NULL, 10), WDSOCKET_E_INVALID_ARGUMENT);
}

static void attempt_elsewhere(void *unused)
{
    (void)unused;
    /* This thread has no failed attempt of its own. */
    CHECK(SocketInfo(NULL, WDSOCKET_INFO_URL, NULL, 0) < 0);
    CHECK(SocketErrorCode() != WDSOCKET_E_OK);
    CHECK_FAILS(WebSocketClientConnect("c", "127.0.0.1", test_port(), "/http?status=404", NULL, PATIENCE_MS), WDSOCKET_E_HANDSHAKE);
    CHECK_TEXT(info(NULL, WDSOCKET_INFO_HTTP_STATUS), "404");
}

static void null_means_this_threads_last_failed_attempt(void)
{
    CHECK_FAILS(WebSocketClientConnect("c", "127.0.0.1", test_port(), "/http?status=503", NULL, PATIENCE_MS), WDSOCKET_E_HANDSHAKE);
    CHECK_TEXT(info(NULL, WDSOCKET_INFO_HTTP_STATUS), "503");
    CHECK_CONTAINS(info(NULL, WDSOCKET_INFO_URL), "/http?status=503");
    CHECK_CONTAINS(info(NULL, WDSOCKET_INFO_LAST_ERROR), "503");
    join_thread(start_thread(attempt_elsewhere, NULL));
    CHECK_TEXT(info(NULL, WDSOCKET_INFO_HTTP_STATUS), "503");
    /* A success does not make it forget. */
    connect_to("c", "/echo");
    CHECK_TEXT(info(NULL, WDSOCKET_INFO_HTTP_STATUS), "503");
    CHECK_TEXT(info("c", WDSOCKET_INFO_HTTP_STATUS), "101");
}

int main(void)
{
    RUN(what_the_handshake_said);
    RUN(what_went_over_the_wire);
    RUN(unread_messages_are_queued);
    RUN(how_it_ended);
    RUN(without_an_error_there_is_no_last_error);
    RUN(the_last_round_trip_of_a_ping);
    RUN(every_item_can_be_asked_for_at_any_time);
    RUN(null_and_0_only_ask);
    RUN(a_buffer_without_room_for_the_nul_is_too_small);
    RUN(unknown_items_and_names_are_errors);
    RUN(null_means_this_threads_last_failed_attempt);
    return 0;
}
