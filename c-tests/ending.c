/* How a connection's end is told where something else is going on: a full queue, a peer that does not
   read, a violation that waits behind messages. */
#include "testing.h"

#include <stdlib.h>
#include <time.h>

static void set_close_timeout(const char *ms) { set_option(NULL, WDSOCKET_OPTION_CLOSE_TIMEOUT_MS, ms); }

static void expect_messages(Recorder *events, int count)
{
    for (int i = 0; i < count; i++) CHECK_INT(atoi(EXPECT_EVENT(events, WDSOCKET_EVENT_MESSAGE, NULL)->message), i);
}

static void the_peers_close_code_is_told_although_ours_cannot_be_sent(void)
{
    static char much[12 << 20];
    Recorder events = {0};
    set_close_timeout("500");
    connect_recorder(&events, "c", "/stall?ms=0&id=stuck");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_OK(SocketWriteBinary("c", much, sizeof much));
    CHECK(info_number("c", WDSOCKET_INFO_QUEUED_OUT) > 0);
    control("stuck", "close&code=4001");
    CHECK_INT(EXPECT_EVENT(&events, WDSOCKET_EVENT_ERROR, "")->error, WDSOCKET_E_TIMEOUT);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "4001");
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_CODE), "4001");
    set_close_timeout(NULL);
    forget_events(&events);
}

static void a_host_that_is_busy_after_close_with_gets_every_message(void)
{
    Recorder events = {0};
    set_close_timeout("200");
    set_option("c", WDSOCKET_OPTION_RECEIVE_QUEUE_BYTES, "10000");
    connect_recorder(&events, "c", "/flood?count=200&size=1000&id=busy");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_QUEUED_IN) >= 9000);
    CHECK_OK(SocketCloseWith("c", 3000, "enough"));
    EXPECT_DIARY("busy", "close 3000 enough");
    /* Several times the limit, which is not to count: nothing tells that it has passed. */
    sleep_ms(1000);
    expect_messages(&events, 200);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "3000");
    set_close_timeout(NULL);
    forget_events(&events);
}

static void also_with_a_synchronous_socket(void)
{
    char text[1001];
    set_close_timeout("200");
    set_option("c", WDSOCKET_OPTION_RECEIVE_QUEUE_BYTES, "10000");
    connect_to("c", "/flood?count=200&size=1000&id=busy-too");
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_QUEUED_IN) >= 9000);
    CHECK_OK(SocketCloseWith("c", 3000, NULL));
    EXPECT_DIARY("busy-too", "close 3000");
    sleep_ms(1000);
    for (int i = 0; i < 200; i++) CHECK_COUNT(SocketRead("c", 0, PATIENCE_MS, text, sizeof text), 1000);
    CHECK_NEGATIVE(SocketRead("c", 1, 0, text, sizeof text), WDSOCKET_E_CLOSED);
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_CODE), "3000");
    set_close_timeout(NULL);
}

#ifndef _WIN32 /* where clock() is not the processor's time */
static void a_full_queue_behind_a_lost_connection_costs_no_processor_time(void)
{
    char text[101];
    int count = 0;
    set_close_timeout("100");
    set_option("c", WDSOCKET_OPTION_RECEIVE_QUEUE_BYTES, "1");
    connect_to("c", "/flood?count=2000&size=100&id=spin");
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) >= 1);
    control("spin", "reset");
    /* Its close frame cannot be sent. */
    SocketCloseWith("c", 1000, NULL);
    sleep_ms(300);
    clock_t before = clock();
    sleep_ms(1000);
    CHECK_BETWEEN((intptr_t)((clock() - before) / (CLOCKS_PER_SEC / 1000)), 0, 150);
    while (SocketRead("c", 0, PATIENCE_MS, text, sizeof text) == 100) CHECK_INT(atoi(text), count++);
    CHECK_INT(SocketErrorCode(), WDSOCKET_E_CLOSED);
    CHECK(count >= 1);
    set_close_timeout(NULL);
}
#endif

/* "hi", then a frame with an opcode that does not exist. */
#define VIOLATION "8102" "6869" "8f00"

static void a_violation_behind_messages_is_not_taken_for_a_missing_pong(void)
{
    Recorder events = {0};
    set_option("c", WDSOCKET_OPTION_PING_INTERVAL_MS, "100");
    set_option("c", WDSOCKET_OPTION_PONG_TIMEOUT_MS, "100");
    connect_recorder(&events, "c", "/raw?hex=" VIOLATION "&id=put-off");
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == 1);
    /* Time for several pings and their pongs, which come behind the violation. */
    sleep_ms(600);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "hi");
    CHECK_INT(EXPECT_EVENT(&events, WDSOCKET_EVENT_ERROR, "")->error, WDSOCKET_E_PROTOCOL);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1002");
    EXPECT_DIARY("put-off", "close 1002");
    forget_events(&events);
}

static void nor_for_a_lost_connection(void)
{
    Recorder events = {0};
    set_option("c", WDSOCKET_OPTION_PING_INTERVAL_MS, "0");
    connect_recorder(&events, "c", "/raw?hex=" VIOLATION "&id=lost");
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == 1);
    control("lost", "reset");
    /* Until one fails or is dropped: then the loss is known. */
    for (int i = 0; i < 20; i++) {
        SocketWrite("c", "x", 1);
        sleep_ms(5);
    }
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "hi");
    CHECK_INT(EXPECT_EVENT(&events, WDSOCKET_EVENT_ERROR, "")->error, WDSOCKET_E_PROTOCOL);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1002");
    forget_events(&events);
}

static void pings_are_answered_until_the_peers_close_frame(void)
{
    connect_to("c", "/lateping?id=late");
    CHECK_OK(SocketCloseWith("c", 1000, NULL));
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_CODE), "1000");
    EXPECT_DIARY("late", "pong late");
    CHECK_OK(SocketClose("c"));
    connect_to("c", "/lateping?id=released");
    CHECK_OK(SocketClose("c"));
    EXPECT_DIARY("released", "pong late");
}

static void close_is_over_after_the_close_timeout(void)
{
    set_close_timeout("200");
    connect_to("c", "/noclose?id=mute");
    int64_t start = now_ms();
    CHECK_OK(SocketClose("c"));
    EXPECT_DIARY("mute", "close 1000");
    WAIT_UNTIL(lines_with(diary("mute", ""), "eof") + lines_with(diary("mute", ""), "lost") > 0);
    CHECK_BETWEEN(now_ms() - start, 190, 2000);
    set_close_timeout(NULL);
}

int main(void)
{
    RUN(the_peers_close_code_is_told_although_ours_cannot_be_sent);
    RUN(a_host_that_is_busy_after_close_with_gets_every_message);
    RUN(also_with_a_synchronous_socket);
#ifndef _WIN32
    RUN(a_full_queue_behind_a_lost_connection_costs_no_processor_time);
#endif
    RUN(a_violation_behind_messages_is_not_taken_for_a_missing_pong);
    RUN(nor_for_a_lost_connection);
    RUN(pings_are_answered_until_the_peers_close_frame);
    RUN(close_is_over_after_the_close_timeout);
    return 0;
}
