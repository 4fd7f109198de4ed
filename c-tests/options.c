/* SocketSetOption: values, defaults and names, live effect. */
#include "testing.h"

#include <stdio.h>

#define BAD WDSOCKET_E_INVALID_ARGUMENT

static void bad_values_are_errors_at_once(void)
{
    static const int32_t numbers[] = {
        WDSOCKET_OPTION_CONNECT_TIMEOUT_MS, WDSOCKET_OPTION_CLOSE_TIMEOUT_MS,   WDSOCKET_OPTION_WRITE_TIMEOUT_MS,
        WDSOCKET_OPTION_PING_INTERVAL_MS,   WDSOCKET_OPTION_PONG_TIMEOUT_MS,    WDSOCKET_OPTION_MAX_MESSAGE_BYTES,
        WDSOCKET_OPTION_RECEIVE_QUEUE_BYTES, WDSOCKET_OPTION_SEND_QUEUE_BYTES,
        WDSOCKET_OPTION_SPIN_US,
    };
    static const char *const bad[] = {"abc", "-1", "1.5", "10ms", "on", "99999999999999999999999", "0x10", " 10"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        for (size_t j = 0; j < sizeof bad / sizeof *bad; j++) {
            if (SocketSetOption("c", numbers[i], bad[j]) != 0) check_int(__FILE__, __LINE__, bad[j], numbers[i], -1);
            CHECK_INT(SocketErrorCode(), BAD);
        }
    CHECK_FAILS(SocketSetOption("c", WDSOCKET_OPTION_SUBPROTOCOL_REQUIRED, "maybe"), BAD);
    CHECK_FAILS(SocketSetOption("c", WDSOCKET_OPTION_SUBPROTOCOL_REQUIRED, "2"), BAD);
    CHECK_FAILS(SocketSetOption(NULL, WDSOCKET_OPTION_CONNECT_TIMEOUT_MS, "abc"), BAD);
}

static void unknown_options_are_errors(void)
{
    static const int32_t bad[] = {0, -1, 99, 1000, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_FAILS(SocketSetOption("c", bad[i], "1"), BAD);
        CHECK_FAILS(SocketSetOption(NULL, bad[i], NULL), BAD);
    }
}

static void good_values_are_taken(void)
{
    set_option("c", WDSOCKET_OPTION_SUBPROTOCOL_REQUIRED, "on");
    set_option("c", WDSOCKET_OPTION_SUBPROTOCOL_REQUIRED, "off");
    set_option("c", WDSOCKET_OPTION_PING_INTERVAL_MS, "0");
    set_option("c", WDSOCKET_OPTION_PING_INTERVAL_MS, "30000");
    set_option("c", WDSOCKET_OPTION_MAX_MESSAGE_BYTES, "67108864");
    set_option("c", WDSOCKET_OPTION_PING_INTERVAL_MS, NULL);
    set_option("c", WDSOCKET_OPTION_SUBPROTOCOL_REQUIRED, NULL);
    set_option("c", WDSOCKET_OPTION_MAX_MESSAGE_BYTES, NULL);
}

/* The user agent shows which value counts. */
static void expect_user_agent(const char *name, const char *agent)
{
    char line[64];
    connect_to(name, "/headers");
    snprintf(line, sizeof line, "User-Agent: %s", agent);
    CHECK_HAS_HEADER(read_text(name), line);
}

static void a_default_counts_for_all_later_connections_and_a_name_overrides_it(void)
{
    set_option(NULL, WDSOCKET_OPTION_USER_AGENT, "all/1");
    set_option("one", WDSOCKET_OPTION_USER_AGENT, "one/1");
    expect_user_agent("one", "one/1");
    expect_user_agent("two", "all/1");
    CHECK_OK(SocketClose("two"));
    set_option(NULL, WDSOCKET_OPTION_USER_AGENT, "all/2");
    expect_user_agent("two", "all/2");
    set_option(NULL, WDSOCKET_OPTION_USER_AGENT, NULL);
}

static void a_names_option_lasts_until_close(void)
{
    set_option("c", WDSOCKET_OPTION_USER_AGENT, "mine/1");
    /* Through a failed attempt … */
    CHECK_FAILS(WebSocketClientConnect("c", "127.0.0.1", 1, NULL, NULL, PATIENCE_MS), WDSOCKET_E_REFUSED);
    expect_user_agent("c", "mine/1");
    CHECK_OK(SocketCloseWith("c", 1000, NULL));
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
    /* … and a reconnection without SocketClose. */
    expect_user_agent("c", "mine/1");
    CHECK_OK(SocketClose("c"));
    connect_to("c", "/headers");
    CHECK_LACKS(read_text("c"), "mine/1");
}

static void null_goes_back_to_the_default(void)
{
    set_option(NULL, WDSOCKET_OPTION_USER_AGENT, "all/3");
    set_option("c", WDSOCKET_OPTION_USER_AGENT, "mine/2");
    set_option("c", WDSOCKET_OPTION_USER_AGENT, NULL);
    expect_user_agent("c", "all/3");
    CHECK_OK(SocketClose("c"));
    set_option(NULL, WDSOCKET_OPTION_USER_AGENT, NULL);
    connect_to("c", "/headers");
    CHECK_LACKS(read_text("c"), "all/3");
}

static void a_live_socket_goes_on_with_new_options(void)
{
    connect_to("c", "/echo");
    CHECK_OK(SocketWrite("c", "before", -1));
    EXPECT_TEXT("c", "before");
    set_option("c", WDSOCKET_OPTION_PING_INTERVAL_MS, "20");
    set_option("c", WDSOCKET_OPTION_CLOSE_TIMEOUT_MS, "100");
    set_option("c", WDSOCKET_OPTION_RECEIVE_QUEUE_BYTES, "1000");
    set_option("c", WDSOCKET_OPTION_SEND_QUEUE_BYTES, "1000");
    CHECK_OK(SocketWrite("c", "after", -1));
    EXPECT_TEXT("c", "after");
}

static void live_pings_begin_when_they_are_switched_on(void)
{
    set_option("c", WDSOCKET_OPTION_PING_INTERVAL_MS, "0");
    connect_to("c", "/echo?id=switched");
    set_option("c", WDSOCKET_OPTION_PING_INTERVAL_MS, "20");
    CHECK(lines_with(diary_with("switched", "ping", 2), "ping") >= 2);
}

static void options_stay_after_a_shutdown(void)
{
    set_option(NULL, WDSOCKET_OPTION_USER_AGENT, "stays/1");
    CHECK_OK(SocketShutdown(PATIENCE_MS));
    expect_user_agent("c", "stays/1");
    set_option(NULL, WDSOCKET_OPTION_USER_AGENT, NULL);
}

int main(void)
{
    RUN(bad_values_are_errors_at_once);
    RUN(unknown_options_are_errors);
    RUN(good_values_are_taken);
    RUN(a_default_counts_for_all_later_connections_and_a_name_overrides_it);
    RUN(a_names_option_lasts_until_close);
    RUN(null_goes_back_to_the_default);
    RUN(a_live_socket_goes_on_with_new_options);
    RUN(live_pings_begin_when_they_are_switched_on);
    RUN(options_stay_after_a_shutdown);
    return 0;
}
