/* Callback sockets: which events come, in which order, with what. */
#include "testing.h"

#include <stdio.h>

static void the_second_example_works(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/echo");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_OK(SocketWrite("c", "hello", -1));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "hello");
    CHECK_OK(SocketCloseWith("c", 1000, "bye"));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1000");
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
}

static void the_order_is_opening_messages_closing_and_nothing_after(void)
{
    Recorder events = {0};
    char text[32];
    connect_recorder(&events, "c", "/flood?count=100&size=8&close=4000");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "%d ", i);
        CHECK_INT(strncmp(EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, NULL)->message, text, strlen(text)), 0);
    }
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "4000");
    EXPECT_NO_EVENT(&events, 50);
    forget_events(&events);
}

static void a_connection_that_fails_gives_error_and_closing(void)
{
    Recorder events = {0};
    CHECK_OK(WebSocketClientConnectAsync("c", record, "127.0.0.1", 1, NULL, NULL, &events));
    const Event *error = EXPECT_EVENT(&events, WDSOCKET_EVENT_ERROR, "");
    CHECK_INT(error->error, WDSOCKET_E_REFUSED);
    CHECK_CONTAINS(error->error_message, "c");
    CHECK_CONTAINS(error->error_message, "127.0.0.1:1");
    CHECK_INT(EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1006")->state, WDSOCKET_STATE_CLOSED);
    EXPECT_NO_EVENT(&events, 50);
    /* The name is there until SocketClose. */
    CHECK_OK(SocketExists("c"));
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_CLOSED);
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
}

static void connecting_returns_before_the_outcome(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/slow?ms=300");
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_CONNECTING);
    CHECK_OK(SocketExists("c"));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_OPEN);
    forget_events(&events);
}

static void closing_is_delivered_in_state_closed(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/close?code=1001&reason=gone");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_INT(EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1001")->state, WDSOCKET_STATE_CLOSED);
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_CODE), "1001");
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_REASON), "gone");
    forget_events(&events);
}

static void every_callback_runs_on_the_thread_that_dispatches(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/flood?count=20&size=8&close=1000");
    while (next_event(&events)->event != WDSOCKET_EVENT_CLOSING) continue;
    for (size_t i = 0; i < events.count; i++) CHECK_INT(events.events[i].thread, this_thread());
    forget_events(&events);
}

static void nothing_runs_until_somebody_dispatches(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/flood?count=20&size=8&close=1000");
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
    CHECK_INT(events.count, 0);
    while (next_event(&events)->event != WDSOCKET_EVENT_CLOSING) continue;
    CHECK_INT(events.count, 22);
    forget_events(&events);
}

static void messages_may_contain_nuls_and_be_empty(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/echo");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_OK(SocketWriteBinary("c", "a\0b\0", 4));
    CHECK_OK(SocketWrite("c", "", 0));
    CHECK_OK(SocketWrite("c", "x\0y", 3));
    const Event *message = EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, NULL);
    CHECK_INT(message->length, 4);
    CHECK_INT(memcmp(message->message, "a\0b\0", 4), 0);
    CHECK_INT(message->message_type, 2);
    message = EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "");
    CHECK_INT(message->length, 0);
    CHECK_INT(message->message_type, 1);
    message = EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, NULL);
    CHECK_INT(message->length, 3);
    CHECK_INT(memcmp(message->message, "x\0y", 3), 0);
    forget_events(&events);
}

static void each_event_has_its_sockets_name_and_user_data(void)
{
    Recorder first = {0};
    Recorder second = {0};
    connect_recorder(&first, "one", "/flood?count=5&size=4&close=1000");
    connect_recorder(&second, "two", "/flood?count=5&size=4&close=1000");
    while (next_event(&first)->event != WDSOCKET_EVENT_CLOSING) continue;
    while (next_event(&second)->event != WDSOCKET_EVENT_CLOSING) continue;
    CHECK_INT(first.count, 7);
    CHECK_INT(second.count, 7);
    for (size_t i = 0; i < 7; i++) {
        CHECK_TEXT(first.events[i].name, "one");
        CHECK_TEXT(second.events[i].name, "two");
    }
    forget_events(&first);
    forget_events(&second);
}

static void a_lost_connection_gives_at_most_one_error_and_then_closing(void)
{
    static const char *const paths[] = {"/drop", "/reset", "/reset?mid=1", "/raw?hex=0103&then=close"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        Recorder events = {0};
        connect_recorder(&events, "c", paths[i]);
        EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
        const Event *event = next_event(&events);
        if (event->event == WDSOCKET_EVENT_ERROR) {
            CHECK(event->error != WDSOCKET_E_OK);
            CHECK_INT(event->length, 0);
            event = next_event(&events);
        }
        CHECK_INT(event->event, WDSOCKET_EVENT_CLOSING);
        CHECK_TEXT(event->message, "1006");
        CHECK_INT(event->state, WDSOCKET_STATE_CLOSED);
        EXPECT_NO_EVENT(&events, 30);
        CHECK_OK(SocketClose("c"));
        forget_events(&events);
    }
}

static void messages_before_the_loss_are_delivered(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/raw?hex=8103616263" "8103646566&then=close");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "abc");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "def");
    forget_events(&events);
}

static void a_callback_starts_without_error(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/echo");
    CHECK_FAILS(SocketExists("unknown"), WDSOCKET_E_UNKNOWN_NAME);
    const Event *opening = EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_INT(opening->error, WDSOCKET_E_OK);
    CHECK_TEXT(opening->error_message, "");
    forget_events(&events);
}

static void reading_a_callback_socket_is_an_error(void)
{
    Recorder events = {0};
    char buffer[8];
    connect_recorder(&events, "c", "/echo");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_NEGATIVE(SocketRead("c", 1, 0, buffer, sizeof buffer), WDSOCKET_E_CALLBACK_SOCKET);
    CHECK_NEGATIVE(SocketRead("c", 0, 0, NULL, 0), WDSOCKET_E_CALLBACK_SOCKET);
    CHECK_NEGATIVE(SocketAvailable("c"), WDSOCKET_E_CALLBACK_SOCKET);
    forget_events(&events);
}

static void a_name_that_failed_may_be_tried_again_without_close(void)
{
    Recorder events = {0};
    CHECK_OK(WebSocketClientConnectAsync("c", record, "127.0.0.1", 1, NULL, NULL, &events));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_ERROR, "");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1006");
    connect_recorder(&events, "c", "/echo");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    forget_events(&events);
}

/* Notes whose event came, in one list for both. */
static char who[64];

static void WDSOCKET_CALL note_who(int32_t event, const char *message, size_t length, const char *name, void *user_data)
{
    (void)message, (void)length;
    CHECK_TEXT(name, "c");
    snprintf(who + strlen(who), sizeof who - strlen(who), "%s%d ", (const char *)user_data, (int)event);
}

static void undelivered_events_of_the_predecessor_come_first(void)
{
    who[0] = '\0';
    char first[] = "first";
    char second[] = "second";
    CHECK_OK(SocketConnect("c", test_url("/flood?count=1&size=3&close=1000"), note_who, NULL, first));
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
    CHECK_OK(SocketConnect("c", test_url("/flood?count=1&size=3"), note_who, NULL, second));
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == 1);
    int64_t deadline = now_ms() + PATIENCE_MS;
    while (!strstr(who, "second2") && now_ms() < deadline) SocketDispatch(100, 1);
    CHECK_TEXT(who, "first1 first2 first3 second1 second2 ");
}

static void also_when_the_successor_is_synchronous(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/flood?count=1&size=3&close=1000");
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
    connect_to("c", "/echo");
    CHECK_OK(SocketWrite("c", "new", -1));
    EXPECT_TEXT("c", "new");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "0 x");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1000");
    EXPECT_NO_EVENT(&events, 20);
    forget_events(&events);
}

int main(void)
{
    RUN(the_second_example_works);
    RUN(the_order_is_opening_messages_closing_and_nothing_after);
    RUN(a_connection_that_fails_gives_error_and_closing);
    RUN(connecting_returns_before_the_outcome);
    RUN(closing_is_delivered_in_state_closed);
    RUN(every_callback_runs_on_the_thread_that_dispatches);
    RUN(nothing_runs_until_somebody_dispatches);
    RUN(messages_may_contain_nuls_and_be_empty);
    RUN(each_event_has_its_sockets_name_and_user_data);
    RUN(a_lost_connection_gives_at_most_one_error_and_then_closing);
    RUN(messages_before_the_loss_are_delivered);
    RUN(a_callback_starts_without_error);
    RUN(reading_a_callback_socket_is_an_error);
    RUN(a_name_that_failed_may_be_tried_again_without_close);
    RUN(undelivered_events_of_the_predecessor_come_first);
    RUN(also_when_the_successor_is_synchronous);
    return 0;
}
