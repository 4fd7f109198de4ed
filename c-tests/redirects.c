/* Redirections of the upgrade request: 301, 302, 307 and 308 are followed, up to five in a row. */
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>

#define LONG 16000

/* What leads to the target with this status; one of a few static buffers. */
static const char *redirect(int status, const char *target)
{
    static char buffers[8][LONG];
    static unsigned turn;
    char *path = buffers[turn++ % 8];
    size_t out = (size_t)snprintf(path, LONG, "/http?status=%d&header=Location:", status);
    for (const char *in = target; *in; in++) {
        CHECK(out + 4 < LONG);
        bool plain = strchr("%&?=#+ ", *in) == NULL;
        out += (size_t)snprintf(path + out, LONG - out, plain ? "%c" : "%%%02X", (unsigned char)*in);
    }
    return path;
}

/* The path, led to through so many redirections. */
static const char *led_to(const char *path, int redirections)
{
    for (int i = 0; i < redirections; i++) path = redirect(302, path);
    return path;
}

static void refused(const char *path, const char *part)
{
    CHECK_FAILS(WebSocketClientConnect("c", "127.0.0.1", test_port(), path, NULL, PATIENCE_MS), WDSOCKET_E_HANDSHAKE);
    CHECK_CONTAINS(SocketErrorMessage(), part);
    CHECK_FAILS(SocketExists("c"), WDSOCKET_E_UNKNOWN_NAME);
}

static void expect_request(const char *line)
{
    char want[256];
    snprintf(want, sizeof want, "GET %s HTTP/1.1\r\n", line);
    const char *request = read_text("c");
    CHECK_CONTAINS(request, want);
}

static void each_kind_is_followed(void)
{
    static const int kinds[] = {301, 302, 307, 308};
    for (int i = 0; i < 4; i++) {
        connect_to("c", redirect(kinds[i], "/headers"));
        expect_request("/headers");
        CHECK_OK(SocketWrite("c", "works", -1));
        EXPECT_TEXT("c", "works");
        CHECK_TEXT(info("c", WDSOCKET_INFO_HTTP_STATUS), "101");
        CHECK_OK(SocketClose("c"));
    }
}

static void others_are_not(void)
{
    static const int kinds[] = {300, 303, 304, 305, 306};
    char status[8];
    for (int i = 0; i < 5; i++) {
        snprintf(status, sizeof status, "%d", kinds[i]);
        refused(redirect(kinds[i], "/headers"), status);
        CHECK_TEXT(info(NULL, WDSOCKET_INFO_HTTP_STATUS), status);
    }
}

static void callback_sockets_follow_too(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", redirect(302, "/echo"));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_OK(SocketWrite("c", "works", -1));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "works");
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
}

static void a_location_may_be_relative(void)
{
    connect_to("c", redirect(302, "/headers?a=b&c=%20d"));
    expect_request("/headers?a=b&c=%20d");
    CHECK_OK(SocketClose("c"));
    connect_to("c", redirect(302, "headers"));
    expect_request("/headers");
    CHECK_OK(SocketClose("c"));
    connect_to("c", redirect(302, "./x/../headers"));
    expect_request("/headers");
    CHECK_OK(SocketClose("c"));
    char target[64];
    snprintf(target, sizeof target, "//127.0.0.1:%d/headers", test_port());
    connect_to("c", redirect(302, target));
    expect_request("/headers");
    CHECK_OK(SocketClose("c"));
}

static void a_location_may_be_absolute(void)
{
    connect_to("c", redirect(301, test_url("/headers?q")));
    expect_request("/headers?q");
    CHECK_OK(SocketClose("c"));
}

/* Servers that do not think of WebSockets write their own scheme. */
static void a_location_may_say_http(void)
{
    char target[64];
    snprintf(target, sizeof target, "http://127.0.0.1:%d/headers", test_port());
    connect_to("c", redirect(301, target));
    expect_request("/headers");
    CHECK_OK(SocketClose("c"));
}

static void a_fragment_is_not_sent(void)
{
    connect_to("c", redirect(302, "/headers?a#there"));
    expect_request("/headers?a");
    CHECK_OK(SocketClose("c"));
}

static void the_host_is_the_new_one(void)
{
    char target[64], host[64];
    snprintf(target, sizeof target, "ws://localhost:%d/headers", test_port());
    snprintf(host, sizeof host, "Host: localhost:%d", test_port());
    connect_to("c", redirect(302, target));
    CHECK_HAS_HEADER(read_text("c"), host);
    CHECK_OK(SocketClose("c"));
}

static void five_are_followed_the_sixth_is_not(void)
{
    connect_to("c", led_to("/echo", 5));
    CHECK_OK(SocketClose("c"));
    refused(led_to("/echo", 6), "redirect");
}

static void a_redirection_without_a_place_fails(void)
{
    refused("/http?status=302", "302");
    refused("/http?status=302&header=Location:", "302");
}

static void places_that_are_none_fail(void)
{
    static const char *bad[] = {"ftp://127.0.0.1/", "javascript:x", "ws://", "http://[::1", "ws://127.0.0.1:99999/",
                                "file:///etc/passwd", "ws+unix:///tmp/x.sock:/"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) refused(redirect(302, bad[i]), "redirect");
}

static void a_place_where_nobody_listens_is_refused(void)
{
    CHECK_FAILS(WebSocketClientConnect("c", "127.0.0.1", test_port(), redirect(302, "ws://127.0.0.1:1/"), NULL, PATIENCE_MS),
                WDSOCKET_E_REFUSED);
    CHECK_CONTAINS(SocketErrorMessage(), "127.0.0.1:1");
}

static void what_the_last_server_answers_counts(void)
{
    refused(redirect(302, "/http?status=403&body=go%20away"), "403");
    CHECK_TEXT(info(NULL, WDSOCKET_INFO_HTTP_STATUS), "403");
}

static void a_body_does_no_harm(void)
{
    char path[LONG];
    snprintf(path, sizeof path, "%s&body=%s", redirect(302, "/echo"), "moved%20<a%20href=x>there</a>");
    connect_to("c", path);
    CHECK_OK(SocketWrite("c", "works", -1));
    EXPECT_TEXT("c", "works");
    CHECK_OK(SocketClose("c"));
}

static void the_time_is_for_all_together(void)
{
    const char *path = "/slow?ms=4000";
    int64_t start = now_ms();
    CHECK_FAILS(WebSocketClientConnect("c", "127.0.0.1", test_port(), led_to(path, 3), NULL, 400), WDSOCKET_E_TIMEOUT);
    CHECK_BETWEEN(now_ms() - start, 390, 3500);
}

static void header_lines_and_subprotocols_go_along(void)
{
    set_option("c", WDSOCKET_OPTION_HEADER, "X-Token: 17");
    set_option("c", WDSOCKET_OPTION_USER_AGENT, "tests");
    CHECK_OK(WebSocketClientConnect("c", "127.0.0.1", test_port(), redirect(302, "/subprotocol?choose=soap"), "mqtt,soap", 0));
    CHECK_TEXT(info("c", WDSOCKET_INFO_PROTOCOL), "soap");
    CHECK_OK(SocketClose("c"));
    set_option("c", WDSOCKET_OPTION_HEADER, "X-Token: 17");
    connect_to("c", redirect(302, "/headers"));
    CHECK_HAS_HEADER(read_text("c"), "X-Token: 17");
    CHECK_OK(SocketClose("c"));
}

static void authorization_stays_with_its_host(void)
{
    char target[64];
    static const char *secrets[] = {"Authorization: Basic c2VjcmV0", "authorization: Bearer secret"};
    for (int i = 0; i < 2; i++) {
        set_option("c", WDSOCKET_OPTION_HEADER, secrets[i]);
        connect_to("c", redirect(302, "/headers"));
        CHECK_HAS_HEADER(read_text("c"), secrets[i]);
        CHECK_OK(SocketClose("c"));

        set_option("c", WDSOCKET_OPTION_HEADER, secrets[i]);
        snprintf(target, sizeof target, "ws://localhost:%d/headers", test_port());
        connect_to("c", redirect(302, target));
        CHECK_LACKS_HEADER(read_text("c"), "Authorization");
        CHECK_OK(SocketClose("c"));

        /* Nor by a detour, and not again when the way leads back. */
        set_option("c", WDSOCKET_OPTION_HEADER, secrets[i]);
        char detour[LONG];
        snprintf(detour, sizeof detour, "ws://localhost:%d%s", test_port(), redirect(302, "/headers"));
        connect_to("c", redirect(302, detour));
        CHECK_LACKS_HEADER(read_text("c"), "Authorization");
        CHECK_OK(SocketClose("c"));
    }
}

static void credentials_of_the_host_program_are_for_that_host_only(void)
{
    char target[64];
    set_option("c", WDSOCKET_OPTION_HEADER, "Cookie: session=secret");
    snprintf(target, sizeof target, "ws://localhost:%d/headers", test_port());
    connect_to("c", redirect(302, target));
    CHECK_LACKS_HEADER(read_text("c"), "Cookie");
    CHECK_OK(SocketClose("c"));
}

static void close_ends_it_on_the_way(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", redirect(302, "/silent?id=on%20the%20way"));
    diary("on the way", "open");
    CHECK_OK(SocketClose("c"));
    CHECK_OK(SocketShutdown(3000));
    EXPECT_NO_EVENT(&events, 50);
    forget_events(&events);
}

int main(void)
{
    RUN(each_kind_is_followed);
    RUN(others_are_not);
    RUN(callback_sockets_follow_too);
    RUN(a_location_may_be_relative);
    RUN(a_location_may_be_absolute);
    RUN(a_location_may_say_http);
    RUN(a_fragment_is_not_sent);
    RUN(the_host_is_the_new_one);
    RUN(five_are_followed_the_sixth_is_not);
    RUN(a_redirection_without_a_place_fails);
    RUN(places_that_are_none_fail);
    RUN(a_place_where_nobody_listens_is_refused);
    RUN(what_the_last_server_answers_counts);
    RUN(a_body_does_no_harm);
    RUN(the_time_is_for_all_together);
    RUN(header_lines_and_subprotocols_go_along);
    RUN(authorization_stays_with_its_host);
    RUN(credentials_of_the_host_program_are_for_that_host_only);
    RUN(close_ends_it_on_the_way);
    return 0;
}
