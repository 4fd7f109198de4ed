/* The time limit counts for the whole connection attempt. */
#include "testing.h"

static intptr_t attempt(const char *path, int timeout_ms, int *took)
{
    int64_t start = now_ms();
    intptr_t result = WebSocketClientConnect("c", "127.0.0.1", test_port(), path, NULL, timeout_ms);
    *took = (int)(now_ms() - start);
    return result;
}

static void a_server_that_never_answers_is_given_up_in_time(void)
{
    int took;
    CHECK_FAILS(attempt("/silent?id=silent", 200, &took), WDSOCKET_E_TIMEOUT);
    CHECK_CONTAINS(SocketErrorMessage(), "127.0.0.1");
    CHECK_BETWEEN(took, 190, 4000);
    CHECK_FAILS(SocketExists("c"), WDSOCKET_E_UNKNOWN_NAME);
    /* The attempt is really over, not only forgotten. */
    CHECK(lines_with(diary("silent", "eof"), "eof") == 1);
}

static void zero_means_the_option(void)
{
    int took;
    set_option("c", WDSOCKET_OPTION_CONNECT_TIMEOUT_MS, "200");
    CHECK_FAILS(attempt("/silent", 0, &took), WDSOCKET_E_TIMEOUT);
    CHECK_BETWEEN(took, 190, 4000);
}

static void a_positive_limit_overrides_the_option(void)
{
    int took;
    set_option("c", WDSOCKET_OPTION_CONNECT_TIMEOUT_MS, "1");
    CHECK_OK(attempt("/slow?ms=300", PATIENCE_MS, &took));
    CHECK_BETWEEN(took, 290, PATIENCE_MS);
}

static void a_negative_limit_waits_without_limit(void)
{
    int took;
    set_option("c", WDSOCKET_OPTION_CONNECT_TIMEOUT_MS, "1");
    CHECK_OK(attempt("/slow?ms=300", -1, &took));
    CHECK_OK(SocketClose("c"));
    CHECK_OK(attempt("/slow?ms=100", INT32_MIN, &took));
}

static void the_option_bounds_the_asynchronous_form(void)
{
    Recorder events = {0};
    int64_t start = now_ms();
    set_option("c", WDSOCKET_OPTION_CONNECT_TIMEOUT_MS, "200");
    connect_recorder(&events, "c", "/silent");
    CHECK_BETWEEN(now_ms() - start, 0, 150 + 2000);
    CHECK_INT(EXPECT_EVENT(&events, WDSOCKET_EVENT_ERROR, "")->error, WDSOCKET_E_TIMEOUT);
    CHECK_BETWEEN(now_ms() - start, 190, 4000);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1006");
    forget_events(&events);
}

static void the_largest_limit_is_accepted(void)
{
    int took;
    CHECK_OK(attempt("/echo", INT32_MAX, &took));
}

int main(void)
{
    RUN(a_server_that_never_answers_is_given_up_in_time);
    RUN(zero_means_the_option);
    RUN(a_positive_limit_overrides_the_option);
    RUN(a_negative_limit_waits_without_limit);
    RUN(the_option_bounds_the_asynchronous_form);
    set_option("c", WDSOCKET_OPTION_CONNECT_TIMEOUT_MS, NULL);
    RUN(the_largest_limit_is_accepted);
    return 0;
}
