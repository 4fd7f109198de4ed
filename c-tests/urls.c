/* `address` as a URL, and what is refused as one. */
#include "testing.h"

#include <stdio.h>

#define BAD WDSOCKET_E_INVALID_ARGUMENT

static intptr_t try_address(const char *address, int port, const char *path)
{
    return WebSocketClientConnect("c", address, port, path, NULL, PATIENCE_MS);
}

/* Connects with a URL of the test server; the request's first line must have this target. */
static void expect_target(const char *url, int port, const char *path, const char *target)
{
    char line[256];
    CHECK_OK(try_address(url, port, path));
    snprintf(line, sizeof line, "GET %s HTTP/1.1\r\n", target);
    CHECK_CONTAINS(read_text("c"), line);
    CHECK_OK(SocketClose("c"));
}

static void port_and_path_come_from_the_url(void)
{
    expect_target(test_url("/headers?x=1"), 0, NULL, "/headers?x=1");
    expect_target(test_url("/headers"), 0, "", "/headers");
    expect_target(test_url(""), 0, NULL, "/");
    expect_target(test_url("/"), 0, NULL, "/");
}

static void the_parameters_fill_what_the_url_leaves_open(void)
{
    expect_target("ws://127.0.0.1/headers", test_port(), NULL, "/headers");
    expect_target("ws://127.0.0.1", test_port(), "headers", "/headers");
    expect_target(test_url("/"), 0, "/headers?y=2", "/headers?y=2");
    expect_target(test_url(""), 0, "headers", "/headers");
}

static void saying_the_same_twice_is_no_contradiction(void)
{
    expect_target(test_url("/headers"), test_port(), "/headers", "/headers");
}

static void a_contradiction_is_an_error(void)
{
    CHECK_FAILS(try_address(test_url("/headers"), test_port() - 1, NULL), BAD);
    CHECK_FAILS(try_address(test_url("/headers"), 0, "/echo"), BAD);
    CHECK_FAILS(try_address(test_url("/headers?a=1"), 0, "/headers?a=2"), BAD);
    CHECK_FAILS(SocketExists("c"), WDSOCKET_E_UNKNOWN_NAME);
}

static void an_ipv6_url_works(void)
{
    char url[64];
    if (!has_ipv6()) return;
    snprintf(url, sizeof url, "ws://[::1]:%d/headers", test_port());
    expect_target(url, 0, NULL, "/headers");
}

static void a_ws_url_without_port_means_80(void)
{
    CHECK_FAILS(try_address("ws://127.0.0.1/", 0, NULL), WDSOCKET_E_REFUSED);
    CHECK_CONTAINS(SocketErrorMessage(), "127.0.0.1:80");
    CHECK_LACKS(SocketErrorMessage(), "127.0.0.1:80" "8");
}

static void socketconnect_takes_a_url_and_is_asynchronous(void)
{
    Recorder events = {0};
    CHECK_OK(SocketConnect("c", test_url("/headers?z=3"), record, NULL, &events));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_CONTAINS(EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, NULL)->message, "GET /headers?z=3 HTTP/1.1");
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
}

static void socketconnect_takes_nothing_but_urls(void)
{
    Recorder events = {0};
    static const char *const bad[] = {"127.0.0.1", "", "127.0.0.1:80", "http://127.0.0.1/", "ws:/127.0.0.1", "ws://", "//127.0.0.1/"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_FAILS(SocketConnect("c", bad[i], record, NULL, &events), BAD);
    CHECK_FAILS(SocketConnect("c", NULL, record, NULL, &events), BAD);
    CHECK_FAILS(SocketConnect("c", test_url("/echo"), NULL, NULL, &events), BAD);
    EXPECT_NO_EVENT(&events, 20);
}

static void what_is_no_address_is_refused(void)
{
    static const char *const bad[] = {
        "",
        "wss://127.0.0.1/",
        "http://127.0.0.1/",
        "ftp://127.0.0.1/",
        "127.0.0.1:80",
        "localhost:80",
        "[::1]:80",
        "ws://user@127.0.0.1/",
        "ws://user:password@127.0.0.1/",
        "ws://127.0.0.1/echo#fragment",
        "ws://127.0.0.1#fragment",
        "ws://",
        "ws:///echo",
        "ws://127.0.0.1:65536/",
        "ws://127.0.0.1:-1/",
        "ws://127.0.0.1:port/",
        "ws://[::1/",
        "ws://::1/",
        "[::1",
        "a b",
        "127.0.0.1/echo",
        "host\r\nX-Injected: 1",
        "ws://127.0.0.1/\r\nX-Injected: 1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        intptr_t result = try_address(bad[i], 0, NULL);
        intptr_t code = SocketErrorCode();
        bool fits = code == BAD || code == WDSOCKET_E_UNSUPPORTED;
        if (result != 0 || !fits) check_failed(__FILE__, __LINE__, "this address is refused as an argument", bad[i]);
        CHECK(SocketErrorMessage()[0] != '\0');
    }
    CHECK_FAILS(try_address(NULL, 0, NULL), BAD);
    CHECK_FAILS(SocketExists("c"), WDSOCKET_E_UNKNOWN_NAME);
}

static void ports_outside_0_to_65535_are_refused(void)
{
    static const int32_t bad[] = {-1, 65536, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_FAILS(try_address("127.0.0.1", bad[i], NULL), BAD);
        CHECK_FAILS(try_address("ws://127.0.0.1/", bad[i], NULL), BAD);
    }
}

static void a_line_break_in_the_path_never_reaches_the_request(void)
{
    CHECK_FAILS(try_address("127.0.0.1", test_port(), "/headers HTTP/1.1\r\nX-Injected: 1"), BAD);
    CHECK_FAILS(try_address("127.0.0.1", test_port(), "/head\ners"), BAD);
}

int main(void)
{
    RUN(port_and_path_come_from_the_url);
    RUN(the_parameters_fill_what_the_url_leaves_open);
    RUN(saying_the_same_twice_is_no_contradiction);
    RUN(a_contradiction_is_an_error);
    RUN(an_ipv6_url_works);
    RUN(a_ws_url_without_port_means_80);
    RUN(socketconnect_takes_a_url_and_is_asynchronous);
    RUN(socketconnect_takes_nothing_but_urls);
    RUN(what_is_no_address_is_refused);
    RUN(ports_outside_0_to_65535_are_refused);
    RUN(a_line_break_in_the_path_never_reaches_the_request);
    return 0;
}
