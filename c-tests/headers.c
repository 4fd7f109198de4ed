/* Options HEADER, ORIGIN, USER_AGENT: what the server gets. */
#include "testing.h"

#include <stdio.h>

#define HEADER WDSOCKET_OPTION_HEADER

/* The request of a new connection with this name, each line ended. */
static const char *request_of(const char *name)
{
    static char text[8192];
    connect_to(name, "/headers");
    snprintf(text, sizeof text, "%s\r\n", read_text(name));
    return text;
}

static void each_header_is_added(void)
{
    set_option("c", HEADER, "X-One: 1");
    set_option("c", HEADER, "X-Two:two words");
    set_option("c", HEADER, "Authorization: Bearer abc");
    const char *request = request_of("c");
    CHECK_HAS_HEADER(request, "X-One: 1");
    CHECK_HAS_HEADER(request, "X-Two: two words");
    CHECK_HAS_HEADER(request, "Authorization: Bearer abc");
    CHECK_OK(SocketClose("c"));
}

static void null_clears_them(void)
{
    set_option("c", HEADER, "X-One: 1");
    set_option("c", HEADER, NULL);
    set_option("c", HEADER, "X-Two: 2");
    const char *request = request_of("c");
    CHECK_LACKS_HEADER(request, "X-One");
    CHECK_HAS_HEADER(request, "X-Two: 2");
    CHECK_OK(SocketClose("c"));
}

static void a_names_headers_are_added_to_the_default_ones(void)
{
    set_option(NULL, HEADER, "X-All: yes");
    set_option("c", HEADER, "X-Mine: yes");
    const char *request = request_of("c");
    CHECK_HAS_HEADER(request, "X-Mine: yes");
    CHECK_HAS_HEADER(request, "X-All: yes");
    request = request_of("d");
    CHECK_LACKS_HEADER(request, "X-Mine");
    CHECK_HAS_HEADER(request, "X-All: yes");
    set_option(NULL, HEADER, NULL);
    CHECK_OK(SocketClose("c"));
    CHECK_OK(SocketClose("d"));
    CHECK_LACKS_HEADER(request_of("d"), "X-All");
}

static void the_handshakes_own_headers_are_refused(void)
{
    static const char *const bad[] = {
        "Host: example.com",          "host: example.com",           "Connection: close",     "Upgrade: h2c",
        "UPGRADE: h2c",               "Sec-WebSocket-Key: abc",      "Sec-WebSocket-Accept: abc",
        "Sec-WebSocket-Version: 8",   "Sec-WebSocket-Protocol: x",   "sec-websocket-extensions: x",
        "Sec-WebSocket-Anything: x",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_FAILS(SocketSetOption("c", HEADER, bad[i]), WDSOCKET_E_INVALID_ARGUMENT);
        CHECK_FAILS(SocketSetOption(NULL, HEADER, bad[i]), WDSOCKET_E_INVALID_ARGUMENT);
    }
}

static void line_breaks_and_what_is_no_header_are_refused(void)
{
    static const char *const bad[] = {
        "X-A: 1\r\nX-B: 2", "X-A: 1\n", "X-A: 1\r", "X-A\r\n: 1", "no colon", ": no name", "two words: 1", "X-A: \xff",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (SocketSetOption("c", HEADER, bad[i]) != 0) check_failed(__FILE__, __LINE__, "this header is refused", bad[i]);
    static const char *const broken[] = {"a\r\nX-B: 2", "a\n", "a\r"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        CHECK_FAILS(SocketSetOption("c", WDSOCKET_OPTION_ORIGIN, broken[i]), WDSOCKET_E_INVALID_ARGUMENT);
        CHECK_FAILS(SocketSetOption("c", WDSOCKET_OPTION_USER_AGENT, broken[i]), WDSOCKET_E_INVALID_ARGUMENT);
    }
    const char *request = request_of("c");
    CHECK_LACKS_HEADER(request, "X-A");
    CHECK_LACKS_HEADER(request, "X-B");
}

static void an_origin_is_ascii_and_a_user_agent_need_not_be(void)
{
    set_option("c", WDSOCKET_OPTION_ORIGIN, "https://example.com");
    CHECK_FAILS(SocketSetOption("c", WDSOCKET_OPTION_ORIGIN, "https://b\xc3\xbc" "cher.example"), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_CONTAINS(SocketErrorMessage(), "ORIGIN");
    set_option("c", WDSOCKET_OPTION_USER_AGENT, "B\xc3\xbc" "cher/1.0");
    const char *request = request_of("c");
    CHECK_HAS_HEADER(request, "Origin: https://example.com");
    CHECK_HAS_HEADER(request, "User-Agent: B\xc3\xbc" "cher/1.0");
}

static void origin_and_user_agent(void)
{
    set_option("c", WDSOCKET_OPTION_ORIGIN, "https://example.com");
    set_option("c", WDSOCKET_OPTION_USER_AGENT, "tests/1.0 (all of them)");
    const char *request = request_of("c");
    CHECK_HAS_HEADER(request, "Origin: https://example.com");
    CHECK_HAS_HEADER(request, "User-Agent: tests/1.0 (all of them)");
    /* The server refuses a request that has one of them twice. */
}

int main(void)
{
    RUN(each_header_is_added);
    RUN(null_clears_them);
    RUN(a_names_headers_are_added_to_the_default_ones);
    RUN(the_handshakes_own_headers_are_refused);
    RUN(line_breaks_and_what_is_no_header_are_refused);
    RUN(an_origin_is_ascii_and_a_user_agent_need_not_be);
    RUN(origin_and_user_agent);
    return 0;
}
