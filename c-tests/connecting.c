/* WebSocketClientConnect: what it takes, what is there when it returns. */
#include "testing.h"

#include <stdio.h>

static void the_connection_is_open_when_connect_returns(void)
{
    CHECK_OK(WebSocketClientConnect("c", "127.0.0.1", test_port(), "/echo?id=open", NULL, 0));
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_OPEN);
    CHECK_OK(SocketExists("c"));
    EXPECT_DIARY("open", "open /echo?id=open");
}

static void the_first_example_works(void)
{
    connect_to("c", "/echo");
    CHECK_OK(SocketWrite("c", "hello", -1));
    EXPECT_TEXT("c", "hello");
    CHECK_OK(SocketClose("c"));
}

static void addresses_are_names_or_literals_of_both_families(void)
{
    static const char *addresses[] = {"localhost", "127.0.0.1", "::1", "[::1]", "LocalHost"};
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        if (strchr(addresses[i], ':') && !has_ipv6()) continue;
        CHECK_OK(WebSocketClientConnect("c", addresses[i], test_port(), "/echo", NULL, PATIENCE_MS));
        CHECK_OK(SocketWrite("c", addresses[i], -1));
        EXPECT_TEXT("c", addresses[i]);
        CHECK_OK(SocketClose("c"));
    }
}

static void the_path_needs_no_slash_and_may_carry_a_query(void)
{
    static const char *const cases[][2] = {
        {"/headers", "GET /headers HTTP/1.1\r\n"},
        {"headers", "GET /headers HTTP/1.1\r\n"},
        {"headers?a=b&c=%20", "GET /headers?a=b&c=%20 HTTP/1.1\r\n"},
        {"/", "GET / HTTP/1.1\r\n"},
        {"", "GET / HTTP/1.1\r\n"},
        {NULL, "GET / HTTP/1.1\r\n"},
        {"/?q=1", "GET /?q=1 HTTP/1.1\r\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        connect_to("c", cases[i][0]);
        CHECK_CONTAINS(read_text("c"), cases[i][1]);
        CHECK_OK(SocketClose("c"));
    }
}

static void the_request_has_what_the_protocol_demands(void)
{
    char host[64];
    connect_to("c", "/headers?id=demands");
    const char *request = read_text("c");
    snprintf(host, sizeof host, "Host: 127.0.0.1:%d", test_port());
    CHECK_HAS_HEADER(request, host);
    CHECK_LACKS_HEADER(request, "Sec-WebSocket-Protocol");
    CHECK_LACKS_HEADER(request, "Origin");
    CHECK_OK(SocketClose("c"));
    CHECK_LACKS(diary("demands", "eof"), "protocol");
}

static void an_ipv6_host_stands_in_brackets(void)
{
    char host[64];
    if (!has_ipv6()) return;
    CHECK_OK(WebSocketClientConnect("c", "::1", test_port(), "/headers", NULL, PATIENCE_MS));
    snprintf(host, sizeof host, "Host: [::1]:%d", test_port());
    CHECK_HAS_HEADER(read_text("c"), host);
}

static void a_failure_leaves_no_name_behind(void)
{
    /* The server's own port plus nothing: a port that was free a moment ago would be a guess. Port 1 is
       privileged, and nothing listens there on a test machine. */
    CHECK_FAILS(WebSocketClientConnect("c", "127.0.0.1", 1, NULL, NULL, PATIENCE_MS), WDSOCKET_E_REFUSED);
    CHECK_CONTAINS(SocketErrorMessage(), "c");
    CHECK_CONTAINS(SocketErrorMessage(), "127.0.0.1:1");
    CHECK_CONTAINS(SocketErrorMessage(), "refused");
    CHECK_FAILS(SocketExists("c"), WDSOCKET_E_UNKNOWN_NAME);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_NONE);
    connect_to("c", "/echo");
}

static void port_0_means_443(void)
{
    CHECK_FAILS(WebSocketClientConnect("c", "127.0.0.1", 0, NULL, NULL, PATIENCE_MS), WDSOCKET_E_REFUSED);
    CHECK_CONTAINS(SocketErrorMessage(), "127.0.0.1:443");
}

static void a_live_name_is_refused_and_not_disturbed(void)
{
    connect_to("c", "/echo?id=live");
    CHECK_FAILS(WebSocketClientConnect("c", "127.0.0.1", test_port(), "/echo", NULL, 0), WDSOCKET_E_NAME_IN_USE);
    CHECK_CONTAINS(SocketErrorMessage(), "c");
    CHECK_OK(SocketWrite("c", "still here", -1));
    EXPECT_TEXT("c", "still here");
    CHECK_OK(SocketCloseWith("c", 1000, NULL));
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
}

static void a_connecting_name_is_refused(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/silent?id=connecting");
    CHECK_FAILS(WebSocketClientConnect("c", "127.0.0.1", test_port(), "/echo", NULL, 0), WDSOCKET_E_NAME_IN_USE);
    CHECK_FAILS(WebSocketClientConnectAsync("c", record, "127.0.0.1", test_port(), "/echo", NULL, NULL),
                WDSOCKET_E_NAME_IN_USE);
    CHECK_FAILS(SocketConnect("c", test_url("/echo"), record, NULL, NULL), WDSOCKET_E_NAME_IN_USE);
    CHECK_OK(SocketClose("c"));
}

static void a_closing_name_is_refused(void)
{
    connect_to("c", "/noclose?id=closing");
    CHECK_OK(SocketCloseWith("c", 1000, NULL));
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_CLOSING);
    CHECK_FAILS(WebSocketClientConnect("c", "127.0.0.1", test_port(), "/echo", NULL, 0), WDSOCKET_E_NAME_IN_USE);
    control("closing", "reset");
}

static void names_are_case_sensitive(void)
{
    connect_to("name", "/echo");
    connect_to("Name", "/echo");
    CHECK_OK(SocketClose("name"));
    CHECK_FAILS(SocketExists("name"), WDSOCKET_E_UNKNOWN_NAME);
    CHECK_OK(SocketExists("Name"));
}

static void names_have_1_to_255_bytes(void)
{
    char name[257];
    memset(name, 'n', sizeof name);
    name[256] = '\0';
    CHECK_FAILS(WebSocketClientConnect(name, "127.0.0.1", test_port(), "/echo", NULL, 0), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_FAILS(WebSocketClientConnect("", "127.0.0.1", test_port(), "/echo", NULL, 0), WDSOCKET_E_INVALID_ARGUMENT);
    name[255] = '\0';
    connect_to(name, "/echo");
    CHECK_OK(SocketExists(name));
    connect_to("Gr\xc3\xbc\xc3\x9f" "e", "/echo");
    CHECK_OK(SocketClose("Gr\xc3\xbc\xc3\x9f" "e"));
}

static void a_closed_name_may_be_connected_again_and_its_unread_messages_are_gone(void)
{
    connect_to("c", "/flood?count=3&size=5&close=1000");
    EXPECT_TEXT("c", "0 xxx");
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
    CHECK_COUNT(SocketAvailable("c"), 5);
    connect_to("c", "/echo");
    CHECK_NEGATIVE(SocketAvailable("c"), WDSOCKET_E_NO_MESSAGE);
    CHECK_OK(SocketWrite("c", "new", -1));
    EXPECT_TEXT("c", "new");
}

static void invalid_arguments_leave_the_old_connection_as_it_is(void)
{
    connect_to("c", "/flood?count=1&size=5&close=1000");
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
    CHECK_FAILS(WebSocketClientConnect("c", "127.0.0.1", 65536, NULL, NULL, 0), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_FAILS(WebSocketClientConnect("c", "user@host", 1, NULL, NULL, 0), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_FAILS(WebSocketClientConnectAsync("c", NULL, "127.0.0.1", 1, NULL, NULL, NULL), WDSOCKET_E_INVALID_ARGUMENT);
    EXPECT_TEXT("c", "0 xxx");
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_CLOSED);
}

static void a_failed_attempt_on_a_closed_name_leaves_no_name(void)
{
    connect_to("c", "/close?code=1000");
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
    CHECK_FAILS(WebSocketClientConnect("c", "127.0.0.1", 1, NULL, NULL, PATIENCE_MS), WDSOCKET_E_REFUSED);
    CHECK_FAILS(SocketExists("c"), WDSOCKET_E_UNKNOWN_NAME);
}

static void many_sockets_live_side_by_side(void)
{
    char name[32];
    char text[32];
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "socket %d", i);
        connect_to(name, "/echo");
        CHECK_OK(SocketWrite(name, name, -1));
    }
    for (int i = 99; i >= 0; i--) {
        snprintf(name, sizeof name, "socket %d", i);
        CHECK_COUNT(SocketRead(name, 0, PATIENCE_MS, text, sizeof text), strlen(name));
        CHECK_TEXT(text, name);
        CHECK_OK(SocketClose(name));
    }
}

int main(void)
{
    RUN(the_connection_is_open_when_connect_returns);
    RUN(the_first_example_works);
    RUN(addresses_are_names_or_literals_of_both_families);
    RUN(the_path_needs_no_slash_and_may_carry_a_query);
    RUN(the_request_has_what_the_protocol_demands);
    RUN(an_ipv6_host_stands_in_brackets);
    RUN(a_failure_leaves_no_name_behind);
    RUN(port_0_means_443);
    RUN(a_live_name_is_refused_and_not_disturbed);
    RUN(a_connecting_name_is_refused);
    RUN(a_closing_name_is_refused);
    RUN(names_are_case_sensitive);
    RUN(names_have_1_to_255_bytes);
    RUN(a_closed_name_may_be_connected_again_and_its_unread_messages_are_gone);
    RUN(invalid_arguments_leave_the_old_connection_as_it_is);
    RUN(a_failed_attempt_on_a_closed_name_leaves_no_name);
    RUN(many_sockets_live_side_by_side);
    return 0;
}
