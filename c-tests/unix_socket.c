/* ws+unix:///path/of/the.sock:/resource: a server on a Unix socket. A relay hands everything on to the test server. */
#define _POSIX_C_SOURCE 200809L
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "relay.h"

static char folder[64], socket_path[128];
static Relay *relay;

/* The URL of a resource; one of a few static buffers. */
static const char *at(const char *resource)
{
    static char buffers[4][512];
    static unsigned turn;
    char *url = buffers[turn++ % 4];
    snprintf(url, sizeof buffers[0], "ws+unix://%s%s%s", socket_path, *resource ? ":" : "", resource);
    return url;
}

static void connect_local(const char *name, const char *resource)
{
    CHECK_OK(WebSocketClientConnect(name, at(resource), 0, NULL, NULL, PATIENCE_MS));
}

static void refused(const char *url, int32_t port, const char *path, intptr_t code, const char *part)
{
    CHECK_FAILS(WebSocketClientConnect("c", url, port, path, NULL, 2000), code);
    CHECK_CONTAINS(SocketErrorMessage(), part);
    CHECK_FAILS(SocketExists("c"), WDSOCKET_E_UNKNOWN_NAME);
}

static void a_synchronous_socket_works(void)
{
    connect_local("c", "/echo");
    CHECK_OK(SocketWrite("c", "works", -1));
    EXPECT_TEXT("c", "works");
    CHECK_CONTAINS(info("c", WDSOCKET_INFO_REMOTE_ADDRESS), socket_path);
    CHECK_CONTAINS(info("c", WDSOCKET_INFO_URL), socket_path);
    CHECK_TEXT(info("c", WDSOCKET_INFO_TLS), "");
    CHECK_TEXT(info("c", WDSOCKET_INFO_PROXY), "");
    CHECK_OK(SocketClose("c"));
}

static void a_callback_socket_works(void)
{
    Recorder events = {0};
    CHECK_OK(SocketConnect("c", at("/echo"), record, NULL, &events));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_OK(SocketWrite("c", "works", -1));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "works");
    CHECK_OK(SocketCloseWith("c", 1000, NULL));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1000");
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
}

static void the_resource_may_have_a_query(void)
{
    connect_local("c", "/headers?a=b:c&d=/e");
    const char *request = read_text("c");
    CHECK_CONTAINS(request, "GET /headers?a=b:c&d=/e HTTP/1.1\r\n");
    CHECK_HAS_HEADER(request, "Host: localhost");
    CHECK_OK(SocketClose("c"));
}

static void without_a_resource_it_is_the_root(void)
{
    connect_local("c", "");
    CHECK_CONTAINS(read_text("c"), "GET / HTTP/1.1\r\n");
    CHECK_OK(SocketClose("c"));
    connect_local("c", "/");
    CHECK_CONTAINS(read_text("c"), "GET / HTTP/1.1\r\n");
    CHECK_OK(SocketClose("c"));
}

static void the_path_parameter_counts_as_with_other_urls(void)
{
    CHECK_OK(WebSocketClientConnect("c", at(""), 0, "/headers?x", NULL, PATIENCE_MS));
    CHECK_CONTAINS(read_text("c"), "GET /headers?x HTTP/1.1\r\n");
    CHECK_OK(SocketClose("c"));
    /* A URL's path / counts as none. */
    CHECK_OK(WebSocketClientConnect("c", at("/"), 0, "headers?x", NULL, PATIENCE_MS));
    CHECK_CONTAINS(read_text("c"), "GET /headers?x HTTP/1.1\r\n");
    CHECK_OK(SocketClose("c"));
    CHECK_OK(WebSocketClientConnect("c", at("/headers"), 0, "/headers", NULL, PATIENCE_MS));
    CHECK_OK(SocketClose("c"));
    refused(at("/headers"), 0, "/echo", WDSOCKET_E_INVALID_ARGUMENT, "path");
}

static void a_port_contradicts(void) { refused(at("/echo"), 80, NULL, WDSOCKET_E_INVALID_ARGUMENT, "port"); }

static void bad_urls_are_refused(void)
{
    char longer[400] = "ws+unix:///";
    memset(longer + strlen(longer), 'x', 300);
    refused("ws+unix://", 0, NULL, WDSOCKET_E_INVALID_ARGUMENT, "ws+unix");
    refused("ws+unix://relative.sock:/echo", 0, NULL, WDSOCKET_E_INVALID_ARGUMENT, "ws+unix");
    refused("ws+unix:/tmp/x.sock", 0, NULL, WDSOCKET_E_INVALID_ARGUMENT, "");
    refused(longer, 0, NULL, WDSOCKET_E_INVALID_ARGUMENT, "");
    refused(at("/echo#fragment"), 0, NULL, WDSOCKET_E_INVALID_ARGUMENT, "fragment");
    CHECK_FAILS(WebSocketClientConnectSSL("c", at("/echo"), 0, NULL, NULL, 0, 2000), WDSOCKET_E_INVALID_ARGUMENT);
}

static void a_socket_that_is_not_there_is_named(void)
{
    CHECK_FAILS(WebSocketClientConnect("c", "ws+unix:///nowhere/at/all.sock:/", 0, NULL, NULL, 2000), WDSOCKET_E_IO);
    CHECK_CONTAINS(SocketErrorMessage(), "/nowhere/at/all.sock");
}

static void a_socket_that_nobody_serves_refuses(void)
{
    char path[160], url[200], left[160];
    snprintf(path, sizeof path, "%s/dead.sock", folder);
    snprintf(left, sizeof left, "%s/left.sock", folder);
    Relay *dead = relay_start_unix(path);
    CHECK(rename(path, left) == 0); /* so that it stays */
    relay_free(dead);
    snprintf(url, sizeof url, "ws+unix://%s:/echo", left);
    CHECK_FAILS(WebSocketClientConnect("c", url, 0, NULL, NULL, 2000), WDSOCKET_E_REFUSED);
    CHECK_CONTAINS(SocketErrorMessage(), "left.sock");
    CHECK(unlink(left) == 0);
}

static void large_messages_go_both_ways(void)
{
    static char large[3 << 20], back[3 << 20];
    for (size_t i = 0; i < sizeof large; i++) large[i] = (char)(i * 7 + (i >> 9));
    connect_local("c", "/echo");
    for (int i = 0; i < 3; i++) {
        CHECK_OK(SocketWriteBinary("c", large, sizeof large));
        CHECK_COUNT(SocketRead("c", 0, PATIENCE_MS, back, sizeof back), sizeof large);
        CHECK(memcmp(large, back, sizeof large) == 0);
    }
    CHECK_OK(SocketClose("c"));
}

static void a_proxy_is_not_asked(void)
{
    set_option("c", WDSOCKET_OPTION_PROXY, "http://127.0.0.1:1");
    connect_local("c", "/echo");
    CHECK_OK(SocketClose("c"));
}

static void a_redirection_stays_on_the_socket_or_leaves_it(void)
{
    char path[200];
    connect_local("c", "/http?status=302&header=Location:/headers");
    CHECK_CONTAINS(read_text("c"), "GET /headers HTTP/1.1\r\n");
    CHECK_CONTAINS(info("c", WDSOCKET_INFO_REMOTE_ADDRESS), socket_path);
    CHECK_OK(SocketClose("c"));
    snprintf(path, sizeof path, "/http?status=302&header=Location:ws://127.0.0.1:%d/headers", test_port());
    connect_local("c", path);
    CHECK_CONTAINS(info("c", WDSOCKET_INFO_REMOTE_ADDRESS), "127.0.0.1:");
    CHECK_OK(SocketClose("c"));
}

static void it_comes_back(void)
{
    Recorder events = {0};
    set_option("c", WDSOCKET_OPTION_RECONNECT_MIN_MS, "10");
    set_option("c", WDSOCKET_OPTION_RECONNECT_MAX_MS, "20");
    CHECK_OK(SocketConnect("c", at("/echo"), record, NULL, &events));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    relay_cut(relay);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_ERROR, "");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1006");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_OK(SocketWrite("c", "again", -1));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "again");
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
}

int main(void)
{
    snprintf(folder, sizeof folder, "/tmp/wdsocket-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(socket_path, sizeof socket_path, "%s/server.sock", folder);
    relay = relay_start_unix(socket_path);
    RUN(a_synchronous_socket_works);
    RUN(a_callback_socket_works);
    RUN(the_resource_may_have_a_query);
    RUN(without_a_resource_it_is_the_root);
    RUN(the_path_parameter_counts_as_with_other_urls);
    RUN(a_port_contradicts);
    RUN(bad_urls_are_refused);
    RUN(a_socket_that_is_not_there_is_named);
    RUN(a_socket_that_nobody_serves_refuses);
    RUN(large_messages_go_both_ways);
    RUN(a_proxy_is_not_asked);
    RUN(a_redirection_stays_on_the_socket_or_leaves_it);
    RUN(it_comes_back);
    relay_free(relay);
    CHECK(rmdir(folder) == 0);
    return 0;
}
