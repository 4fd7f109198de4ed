/* SocketSetLog. */
#include "testing.h"

#include <stdatomic.h>
#include <stdio.h>

static atomic_int lines;
static atomic_int worst;
static atomic_int secrets;
static atomic_int running;
static char given;

static void WDSOCKET_CALL take_line(int32_t level, const char *line, void *user_data)
{
    CHECK(user_data == &given);
    CHECK_BETWEEN(level, 1, 5);
    CHECK(line != NULL && line[0] != '\0');
    if (level > atomic_load(&worst)) atomic_store(&worst, level);
    if (strstr(line, "s3cret")) atomic_fetch_add(&secrets, 1);
    atomic_fetch_add(&lines, 1);
}

static void WDSOCKET_CALL slow_line(int32_t level, const char *line, void *user_data)
{
    (void)level, (void)line, (void)user_data;
    atomic_store(&running, 1);
    sleep_ms(50);
    atomic_store(&running, 0);
}

static void reset(void)
{
    atomic_store(&lines, 0);
    atomic_store(&worst, 0);
    atomic_store(&secrets, 0);
}

static void some_session(void)
{
    connect_to("c", "/echo");
    CHECK_OK(SocketWrite("c", "hello", -1));
    EXPECT_TEXT("c", "hello");
    CHECK_OK(SocketClose("c"));
    CHECK_FAILS(WebSocketClientConnect("c", "127.0.0.1", 1, NULL, NULL, PATIENCE_MS), WDSOCKET_E_REFUSED);
}

static void lines_come_up_to_the_level_asked_for(void)
{
    reset();
    CHECK_OK(SocketSetLog(take_line, 5, &given));
    some_session();
    CHECK(atomic_load(&lines) > 0);
    reset();
    CHECK_OK(SocketSetLog(take_line, 1, &given));
    some_session();
    CHECK_BETWEEN(atomic_load(&worst), 0, 1);
    CHECK_OK(SocketSetLog(NULL, 0, NULL));
}

static void null_removes_it(void)
{
    CHECK_OK(SocketSetLog(take_line, 5, &given));
    some_session();
    CHECK_OK(SocketSetLog(NULL, 5, NULL));
    reset();
    some_session();
    CHECK_INT(atomic_load(&lines), 0);
}

static void after_removal_it_is_not_running(void)
{
    Recorder events = {0};
    for (int i = 0; i < 3; i++) {
        CHECK_OK(SocketSetLog(slow_line, 5, NULL));
        connect_recorder(&events, "c", "/close?code=1000");
        sleep_ms(10);
        CHECK_OK(SocketSetLog(NULL, 0, NULL));
        CHECK_INT(atomic_load(&running), 0);
        CHECK_OK(SocketClose("c"));
    }
    forget_events(&events);
}

static void secrets_never_appear(void)
{
    reset();
    CHECK_OK(SocketSetLog(take_line, 5, &given));
    set_option("c", WDSOCKET_OPTION_HEADER, "Authorization: Bearer s3cret");
    set_option("c", WDSOCKET_OPTION_HEADER, "Proxy-Authorization: Basic s3cret");
    set_option("c", WDSOCKET_OPTION_HEADER, "Cookie: session=s3cret");
    some_session();
    CHECK_OK(SocketSetLog(NULL, 0, NULL));
    CHECK(atomic_load(&lines) > 0);
    CHECK_INT(atomic_load(&secrets), 0);
}

static void levels_are_1_to_5(void)
{
    static const int32_t bad[] = {0, 6, -1, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_FAILS(SocketSetLog(take_line, bad[i], &given), WDSOCKET_E_INVALID_ARGUMENT);
    for (int32_t level = 1; level <= 5; level++) CHECK_OK(SocketSetLog(take_line, level, &given));
    CHECK_OK(SocketSetLog(NULL, 0, NULL));
}

int main(void)
{
    RUN(lines_come_up_to_the_level_asked_for);
    RUN(null_removes_it);
    RUN(after_removal_it_is_not_running);
    RUN(secrets_never_appear);
    RUN(levels_are_1_to_5);
    return 0;
}
