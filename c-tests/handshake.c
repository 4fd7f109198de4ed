/* What servers answer to the upgrade request, good and bad. */
#include "testing.h"

#include <stdio.h>

static intptr_t attempt(const char *path)
{
    return WebSocketClientConnect("c", "127.0.0.1", test_port(), path, NULL, PATIENCE_MS);
}

static void another_status_is_an_error_with_status_and_first_line_of_the_body(void)
{
    CHECK_FAILS(attempt("/http?status=503&reason=Busy&body=try%20later%0Aor%20never&header=X-Why:%20because"), WDSOCKET_E_HANDSHAKE);
    CHECK_CONTAINS(SocketErrorMessage(), "503");
    CHECK_CONTAINS(SocketErrorMessage(), "try later");
    CHECK_LACKS(SocketErrorMessage(), "or never");
    CHECK_FAILS(SocketExists("c"), WDSOCKET_E_UNKNOWN_NAME);
}

static void status_and_headers_can_be_asked_for_afterwards(void)
{
    CHECK_FAILS(attempt("/http?status=401&header=WWW-Authenticate:Basic"), WDSOCKET_E_HANDSHAKE);
    CHECK_TEXT(info(NULL, WDSOCKET_INFO_HTTP_STATUS), "401");
    CHECK_HAS_HEADER(info(NULL, WDSOCKET_INFO_RESPONSE_HEADERS), "WWW-Authenticate: Basic");
}

static void every_other_status_is_refused(void)
{
    static const char *const paths[] = {
        "/http?status=200&body=hello", "/http?status=204", "/http?status=400", "/http?status=403",
        "/http?status=404",            "/http?status=500", "/http?status=100", "/no-such-path",
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) CHECK_FAILS(attempt(paths[i]), WDSOCKET_E_HANDSHAKE);
    CHECK_CONTAINS(SocketErrorMessage(), "no such behaviour");
}

static void what_is_not_http_is_refused(void)
{
    CHECK_FAILS(attempt("/garbage"), WDSOCKET_E_HANDSHAKE);
    CHECK_FAILS(attempt("/cut"), WDSOCKET_E_HANDSHAKE);
}

static void an_answer_without_end_is_refused(void) { CHECK_FAILS(attempt("/fill"), WDSOCKET_E_HANDSHAKE); }

static void a_wrong_or_missing_accept_is_refused(void)
{
    CHECK_FAILS(attempt("/upgrade?accept=bad"), WDSOCKET_E_HANDSHAKE);
    CHECK_FAILS(attempt("/upgrade?accept=none"), WDSOCKET_E_HANDSHAKE);
}

static void wrong_upgrade_headers_are_refused(void)
{
    CHECK_FAILS(attempt("/upgrade?connection=keep-alive"), WDSOCKET_E_HANDSHAKE);
    CHECK_FAILS(attempt("/upgrade?upgrade=h2c"), WDSOCKET_E_HANDSHAKE);
}

static void an_extension_that_was_not_offered_is_refused(void)
{
    CHECK_FAILS(attempt("/upgrade?extensions=x-unknown"), WDSOCKET_E_HANDSHAKE);
}

static void keep_alive_upgrade_is_accepted(void)
{
    static const char *const paths[] = {
        "/upgrade?connection=keep-alive,%20Upgrade",
        "/upgrade?connection=upgrade",
        "/upgrade?upgrade=WebSocket",
        "/upgrade?header=X-Extra:%20yes",
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        CHECK_OK(attempt(paths[i]));
        CHECK_TEXT(info("c", WDSOCKET_INFO_HTTP_STATUS), "101");
        CHECK_OK(SocketWrite("c", "hello", -1));
        EXPECT_TEXT("c", "hello");
        CHECK_OK(SocketClose("c"));
    }
}

static void an_answer_may_come_byte_by_byte(void)
{
    CHECK_OK(attempt("/upgrade?split=1"));
    CHECK_OK(SocketWrite("c", "hello", -1));
    EXPECT_TEXT("c", "hello");
}

static void bytes_that_come_with_the_answer_reach_the_host(void)
{
    /* A whole text message, an empty one, and the first half of a third. */
    CHECK_OK(attempt("/early?hex=81056561726c79" "8100" "0102"));
    EXPECT_TEXT("c", "early");
    EXPECT_TEXT("c", "");
    CHECK_OK(SocketClose("c"));

    Recorder events = {0};
    connect_recorder(&events, "c", "/early?hex=81056561726c79" "8805" "0fa0627965");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "early");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "4000");
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_REASON), "bye");
    forget_events(&events);
}

static void also_when_nothing_follows_them(void)
{
    for (int i = 0; i < 20; i++) {
        Recorder events = {0};
        char path[64];
        connect_recorder(&events, "c", "/early?hex=810161");
        EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
        EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "a");
        CHECK_OK(SocketClose("c"));
        /* A ping is answered though nobody reads the socket. */
        snprintf(path, sizeof path, "/early?hex=890170&id=unread%d", i);
        connect_to("c", path);
        EXPECT_DIARY(path + sizeof "/early?hex=890170&id=" - 1, "pong p");
        CHECK_OK(SocketClose("c"));
        forget_events(&events);
    }
}

static void the_asynchronous_form_says_it_in_an_event(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/http?status=418&body=teapot");
    const Event *error = EXPECT_EVENT(&events, WDSOCKET_EVENT_ERROR, "");
    CHECK_INT(error->error, WDSOCKET_E_HANDSHAKE);
    CHECK_CONTAINS(error->error_message, "418");
    CHECK_CONTAINS(error->error_message, "teapot");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1006");
    CHECK_TEXT(info("c", WDSOCKET_INFO_HTTP_STATUS), "418");
    forget_events(&events);
}

int main(void)
{
    RUN(another_status_is_an_error_with_status_and_first_line_of_the_body);
    RUN(status_and_headers_can_be_asked_for_afterwards);
    RUN(every_other_status_is_refused);
    RUN(what_is_not_http_is_refused);
    RUN(an_answer_without_end_is_refused);
    RUN(a_wrong_or_missing_accept_is_refused);
    RUN(wrong_upgrade_headers_are_refused);
    RUN(an_extension_that_was_not_offered_is_refused);
    RUN(keep_alive_upgrade_is_accepted);
    RUN(an_answer_may_come_byte_by_byte);
    RUN(bytes_that_come_with_the_answer_reach_the_host);
    RUN(also_when_nothing_follows_them);
    RUN(the_asynchronous_form_says_it_in_an_event);
    return 0;
}
