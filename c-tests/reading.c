/* SocketRead and SocketAvailable on a synchronous socket. */
#include "testing.h"

static char buffer[1000];

static intptr_t read_within(int timeout_ms) { return SocketRead("c", 0, timeout_ms, buffer, sizeof buffer); }

static void zero_does_not_wait(void)
{
    connect_to("c", "/echo");
    int64_t start = now_ms();
    CHECK_NEGATIVE(read_within(0), WDSOCKET_E_TIMEOUT);
    CHECK_BETWEEN(now_ms() - start, 0, 2000);
    CHECK_OK(SocketWrite("c", "hello", -1));
    WAIT_UNTIL(SocketAvailable("c") == 5);
    CHECK_COUNT(read_within(0), 5);
    CHECK_TEXT(buffer, "hello");
}

static void zero_takes_what_has_arrived_without_asking_first(void)
{
    connect_to("c", "/echo?id=arrived");
    CHECK_OK(SocketWrite("c", "hello", -1));
    WAIT_UNTIL(read_within(0) == 5);
    CHECK_TEXT(buffer, "hello");
}

static void a_limit_is_kept(void)
{
    connect_to("c", "/echo");
    int64_t start = now_ms();
    CHECK_NEGATIVE(read_within(150), WDSOCKET_E_TIMEOUT);
    CHECK_BETWEEN(now_ms() - start, 145, 4000);
    /* It tells how long, and changes nothing. */
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_OPEN);
    CHECK_OK(SocketWrite("c", "later", -1));
    EXPECT_TEXT("c", "later");
}

static void a_negative_limit_waits_without_limit(void)
{
    connect_to("c", "/echo?delay_ms=200");
    CHECK_OK(SocketWrite("c", "slow", -1));
    CHECK_COUNT(read_within(-1), 4);
    CHECK_OK(SocketWrite("c", "slow", -1));
    CHECK_COUNT(read_within(INT32_MIN), 4);
}

static void wait_overrides_the_limit(void)
{
    connect_to("c", "/echo?delay_ms=200");
    CHECK_OK(SocketWrite("c", "slow", -1));
    CHECK_COUNT(SocketRead("c", 1, 1, buffer, sizeof buffer), 4);
    CHECK_OK(SocketWrite("c", "slow", -1));
    CHECK_COUNT(SocketRead("c", -1, 0, buffer, sizeof buffer), 4);
}

static void a_nul_follows_where_there_is_room(void)
{
    connect_to("c", "/echo");
    for (int i = 0; i < 2; i++) CHECK_OK(SocketWrite("c", "hello", -1));
    memset(buffer, '#', sizeof buffer);
    CHECK_COUNT(SocketRead("c", 1, 0, buffer, 6), 5);
    CHECK_INT(memcmp(buffer, "hello\0#", 7), 0);
    memset(buffer, '#', sizeof buffer);
    CHECK_COUNT(SocketRead("c", 1, 0, buffer, 5), 5);
    CHECK_INT(memcmp(buffer, "hello##", 7), 0);
}

static void a_message_is_kept_when_the_buffer_is_too_small(void)
{
    connect_to("c", "/echo");
    CHECK_OK(SocketWrite("c", "hello", -1));
    CHECK_OK(SocketWrite("c", "second", -1));
    memset(buffer, '#', sizeof buffer);
    CHECK_NEGATIVE(SocketRead("c", 1, 0, buffer, 4), WDSOCKET_E_BUFFER_TOO_SMALL);
    CHECK_NEGATIVE(SocketRead("c", 1, 0, buffer, 0), WDSOCKET_E_BUFFER_TOO_SMALL);
    /* Outputs are written only on success. */
    CHECK_INT(memcmp(buffer, "####", 4), 0);
    EXPECT_TEXT("c", "hello");
    EXPECT_TEXT("c", "second");
}

static void null_and_0_ask_for_the_length_and_leave_the_message(void)
{
    connect_to("c", "/echo?delay_ms=100");
    CHECK_OK(SocketWrite("c", "hello", -1));
    /* Waits likewise. */
    CHECK_NEGATIVE(SocketRead("c", 0, 0, NULL, 0), WDSOCKET_E_TIMEOUT);
    CHECK_COUNT(SocketRead("c", 1, 0, NULL, 0), 5);
    CHECK_COUNT(SocketRead("c", 0, 0, NULL, 0), 5);
    CHECK_COUNT(SocketAvailable("c"), 5);
    EXPECT_TEXT("c", "hello");
    CHECK_NEGATIVE(SocketRead("c", 0, 0, NULL, 0), WDSOCKET_E_TIMEOUT);
}

static void null_with_a_capacity_is_an_error(void)
{
    connect_to("c", "/echo");
    CHECK_NEGATIVE(SocketRead("c", 0, 0, NULL, 10), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_NEGATIVE(SocketRead("c", 0, 0, NULL, SIZE_MAX), WDSOCKET_E_INVALID_ARGUMENT);
}

static void an_empty_message_is_length_0(void)
{
    connect_to("c", "/echo");
    CHECK_OK(SocketWrite("c", "", 0));
    CHECK_OK(SocketWrite("c", "", 0));
    CHECK_COUNT(SocketRead("c", 1, 0, NULL, 0), 0);
    CHECK_COUNT(SocketAvailable("c"), 0);
    buffer[0] = '#';
    CHECK_COUNT(SocketRead("c", 1, 0, buffer, sizeof buffer), 0);
    CHECK_INT(buffer[0], 0);
    CHECK_COUNT(SocketRead("c", 1, 0, buffer, sizeof buffer), 0);
    CHECK_NEGATIVE(SocketAvailable("c"), WDSOCKET_E_NO_MESSAGE);
}

static void available_does_not_wait(void)
{
    connect_to("c", "/echo");
    CHECK_NEGATIVE(SocketAvailable("c"), WDSOCKET_E_NO_MESSAGE);
    CHECK_OK(SocketWrite("c", "first", -1));
    CHECK_OK(SocketWrite("c", "next one", -1));
    WAIT_UNTIL(SocketAvailable("c") == 5);
    EXPECT_TEXT("c", "first");
    WAIT_UNTIL(SocketAvailable("c") == 8);
    EXPECT_TEXT("c", "next one");
}

static void closed_comes_after_everything_received_was_read(void)
{
    connect_to("c", "/flood?count=3&size=4&close=4000");
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
    EXPECT_TEXT("c", "0 xx");
    CHECK_COUNT(SocketAvailable("c"), 4);
    EXPECT_TEXT("c", "1 xx");
    EXPECT_TEXT("c", "2 xx");
    for (int i = 0; i < 3; i++) {
        CHECK_NEGATIVE(SocketRead("c", 1, 0, buffer, sizeof buffer), WDSOCKET_E_CLOSED);
        CHECK_NEGATIVE(read_within(0), WDSOCKET_E_CLOSED);
        CHECK_NEGATIVE(SocketRead("c", 0, 0, NULL, 0), WDSOCKET_E_CLOSED);
        CHECK_NEGATIVE(SocketAvailable("c"), WDSOCKET_E_CLOSED);
    }
    CHECK_OK(SocketExists("c"));
}

static void whatever_ended_it_the_message_says_what_did(void)
{
    connect_to("c", "/reset?after=1");
    CHECK_OK(SocketWrite("c", "now", -1));
    CHECK_NEGATIVE(SocketRead("c", 1, 0, buffer, sizeof buffer), WDSOCKET_E_CLOSED);
    CHECK_CONTAINS(SocketErrorMessage(), "c");
    CHECK(info("c", WDSOCKET_INFO_LAST_ERROR)[0] != '\0');
    CHECK_OK(SocketClose("c"));
    connect_to("c", "/close?code=4000&reason=maintenance");
    CHECK_NEGATIVE(SocketRead("c", 1, 0, buffer, sizeof buffer), WDSOCKET_E_CLOSED);
    CHECK_CONTAINS(SocketErrorMessage(), "4000");
    CHECK_CONTAINS(SocketErrorMessage(), "maintenance");
}

static void messages_before_a_loss_can_be_read(void)
{
    static const char *const paths[] = {"/raw?hex=8103616263&then=close", "/raw?hex=810361626381&then=close"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        connect_to("c", paths[i]);
        WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
        EXPECT_TEXT("c", "abc");
        CHECK_NEGATIVE(SocketAvailable("c"), WDSOCKET_E_CLOSED);
        CHECK_OK(SocketClose("c"));
    }
}

static void a_waiting_read_ends_with_the_connection(void)
{
    connect_to("c", "/drop?after=1");
    CHECK_OK(SocketWrite("c", "now", -1));
    CHECK_NEGATIVE(SocketRead("c", 1, 0, buffer, sizeof buffer), WDSOCKET_E_CLOSED);
}

static void a_huge_capacity_is_only_a_promise(void)
{
    connect_to("c", "/echo");
    CHECK_OK(SocketWrite("c", "hello", -1));
    CHECK_COUNT(SocketRead("c", 1, 0, buffer, SIZE_MAX), 5);
    CHECK_TEXT(buffer, "hello");
}

int main(void)
{
    RUN(zero_does_not_wait);
    RUN(zero_takes_what_has_arrived_without_asking_first);
    RUN(a_limit_is_kept);
    RUN(a_negative_limit_waits_without_limit);
    RUN(wait_overrides_the_limit);
    RUN(a_nul_follows_where_there_is_room);
    RUN(a_message_is_kept_when_the_buffer_is_too_small);
    RUN(null_and_0_ask_for_the_length_and_leave_the_message);
    RUN(null_with_a_capacity_is_an_error);
    RUN(an_empty_message_is_length_0);
    RUN(available_does_not_wait);
    RUN(closed_comes_after_everything_received_was_read);
    RUN(whatever_ended_it_the_message_says_what_did);
    RUN(messages_before_a_loss_can_be_read);
    RUN(a_waiting_read_ends_with_the_connection);
    RUN(a_huge_capacity_is_only_a_promise);
    return 0;
}
