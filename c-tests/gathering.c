/* What is written inside callbacks goes out together, and arrives whatever comes next. */
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>

/* Each test's callback writes once, in the event that it is for. */
static bool is_first(Recorder *recorder, const Event *event, int32_t kind)
{
    if (event->event != kind || recorder->context == recorder) return false;
    recorder->context = recorder;
    return true;
}

static void write_numbers(const char *name, int from, int count)
{
    char text[32];
    for (int i = from; i < from + count; i++) {
        snprintf(text, sizeof text, "message %d", i);
        CHECK_OK(SocketWrite(name, text, -1));
    }
}

static void expect_numbers(Recorder *events, int count)
{
    char text[32];
    for (int i = 0; i < count; i++) {
        snprintf(text, sizeof text, "message %d", i);
        EXPECT_EVENT(events, WDSOCKET_EVENT_MESSAGE, text);
    }
}

static void write_one_and_go_on(Recorder *recorder, const Event *event)
{
    if (!is_first(recorder, event, WDSOCKET_EVENT_OPENING)) return;
    CHECK_OK(SocketWrite(event->name, "one", -1));
    /* Nobody has to return or wait first. */
    CHECK_INT(info_number(event->name, WDSOCKET_INFO_QUEUED_OUT), 0);
    EXPECT_DIARY("alone", "text 3");
}

static void the_one_write_of_a_lone_callback_goes_at_once(void)
{
    Recorder events = {.inside = write_one_and_go_on};
    connect_recorder(&events, "c", "/echo?id=alone");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "one");
    forget_events(&events);
}

static void write_several_and_go_on(Recorder *recorder, const Event *event)
{
    if (!is_first(recorder, event, WDSOCKET_EVENT_OPENING)) return;
    write_numbers(event->name, 0, 5);
    CHECK_INT(lines_with(diary_with("going on", "text 9", 5), "text 9"), 5);
    write_numbers(event->name, 5, 5);
    CHECK_INT(lines_with(diary_with("going on", "text 9", 10), "text 9"), 10);
}

static void several_arrive_while_the_callback_goes_on(void)
{
    Recorder events = {.inside = write_several_and_go_on};
    connect_recorder(&events, "c", "/echo?id=going%20on");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    expect_numbers(&events, 10);
    forget_events(&events);
}

#define FLOOD 3000

static void answer_the_flood(Recorder *recorder, const Event *event)
{
    int *answered = recorder->context;
    if (event->event == WDSOCKET_EVENT_MESSAGE && *answered < FLOOD) write_numbers(event->name, (*answered)++, 1);
}

/* With so many callbacks for each dispatch; 0: those that wait. */
static void answer_many(int most)
{
    int answered = 0;
    Recorder events = {.inside = answer_the_flood, .context = &answered};
    connect_recorder(&events, "c", "/flood?count=3000&size=10");
    while (answered < FLOOD) CHECK(SocketDispatch(PATIENCE_MS, most) > 0);
    CHECK_INT(EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "")->state, WDSOCKET_STATE_OPEN);
    for (int i = 0; i < FLOOD; i++) EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, NULL);
    expect_numbers(&events, FLOOD);
    CHECK_INT(info_number("c", WDSOCKET_INFO_MESSAGES_OUT), FLOOD);
    CHECK_INT(info_number("c", WDSOCKET_INFO_QUEUED_OUT), 0);
    forget_events(&events);
}

static void the_answers_of_many_callbacks_arrive_in_order(void) { answer_many(0); }
static void also_one_callback_at_a_time(void) { answer_many(1); }
static void also_seven_at_a_time(void) { answer_many(7); }

static void write_and_read_elsewhere(Recorder *recorder, const Event *event)
{
    if (!is_first(recorder, event, WDSOCKET_EVENT_OPENING)) return;
    connect_to("other", "/echo");
    write_numbers(event->name, 0, 3);
    for (int i = 0; i < 3; i++) {
        CHECK_OK(SocketWrite("other", "question", -1));
        CHECK_OK(SocketWrite("other", "another", -1));
        EXPECT_TEXT("other", "question");
        EXPECT_TEXT("other", "another");
    }
    write_numbers(event->name, 3, 3);
    CHECK_OK(SocketClose("other"));
}

static void a_synchronous_socket_is_written_and_read_in_the_same_callback(void)
{
    Recorder events = {.inside = write_and_read_elsewhere};
    connect_recorder(&events, "c", "/echo");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    expect_numbers(&events, 6);
    forget_events(&events);
}

static void write_and_close(Recorder *recorder, const Event *event)
{
    if (!is_first(recorder, event, WDSOCKET_EVENT_OPENING)) return;
    for (int i = 0; i < 100; i++) CHECK_OK(SocketWrite(event->name, "0123456789", -1));
    CHECK_OK(SocketClose(event->name));
    CHECK_FAILS(SocketWrite(event->name, "late", -1), WDSOCKET_E_UNKNOWN_NAME);
}

static void closing_behind_them_loses_nothing(void)
{
    Recorder events = {.inside = write_and_close};
    connect_recorder(&events, "c", "/count?id=closed");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_CONTAINS(diary("closed", "total"), "total 100 1000 ");
    EXPECT_DIARY("closed", "close 1000");
    EXPECT_NO_EVENT(&events, 30);
    forget_events(&events);
}

static void write_and_close_with(Recorder *recorder, const Event *event)
{
    if (!is_first(recorder, event, WDSOCKET_EVENT_OPENING)) return;
    for (int i = 0; i < 100; i++) CHECK_OK(SocketWrite(event->name, "0123456789", -1));
    CHECK_OK(SocketCloseWith(event->name, 4001, "enough"));
    CHECK_FAILS(SocketWrite(event->name, "late", -1), WDSOCKET_E_CLOSED);
}

static void nor_does_closing_with_a_code(void)
{
    Recorder events = {.inside = write_and_close_with};
    connect_recorder(&events, "c", "/count?id=closed%20with");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "4001");
    CHECK_CONTAINS(diary("closed with", "total"), "total 100 1000 ");
    forget_events(&events);
}

static void write_and_shut_down(Recorder *recorder, const Event *event)
{
    if (!is_first(recorder, event, WDSOCKET_EVENT_OPENING)) return;
    for (int i = 0; i < 100; i++) CHECK_OK(SocketWrite(event->name, "0123456789", -1));
}

static void nor_does_shutting_down_after_the_dispatch(void)
{
    Recorder events = {.inside = write_and_shut_down};
    connect_recorder(&events, "c", "/count?id=shut");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_OK(SocketShutdown(PATIENCE_MS));
    CHECK_CONTAINS(diary("shut", "total"), "total 100 1000 ");
    forget_events(&events);
}

static void write_to_others(Recorder *recorder, const Event *event)
{
    if (strcmp(event->name, "a") != 0 || !is_first(recorder, event, WDSOCKET_EVENT_MESSAGE)) return;
    char text[32];
    for (int i = 0; i < 50; i++) {
        snprintf(text, sizeof text, "message %d", i);
        CHECK_OK(SocketWrite("b", text, -1));
        CHECK_OK(SocketWrite("sync", text, -1));
        if (i < 2) CHECK_OK(SocketWrite("a", text, -1));
    }
}

static void other_sockets_get_theirs_too(void)
{
    Recorder a = {.inside = write_to_others};
    Recorder b = {0};
    char text[32];
    connect_to("sync", "/echo");
    connect_recorder(&b, "b", "/echo");
    EXPECT_EVENT(&b, WDSOCKET_EVENT_OPENING, "");
    connect_recorder(&a, "a", "/flood?count=1&size=4");
    EXPECT_EVENT(&a, WDSOCKET_EVENT_OPENING, "");
    EXPECT_EVENT(&a, WDSOCKET_EVENT_MESSAGE, NULL);
    expect_numbers(&b, 50);
    expect_numbers(&a, 2);
    for (int i = 0; i < 50; i++) {
        snprintf(text, sizeof text, "message %d", i);
        EXPECT_TEXT("sync", text);
    }
    forget_events(&a);
    forget_events(&b);
}

#define LARGE (3 << 20)
static char large[LARGE];

static void write_a_mixture(Recorder *recorder, const Event *event)
{
    if (!is_first(recorder, event, WDSOCKET_EVENT_OPENING)) return;
    for (int i = 0; i < 2; i++) {
        CHECK_OK(SocketWrite(event->name, "text", -1));
        CHECK_OK(SocketWriteBinary(event->name, "\0\1\2", 3));
        CHECK_OK(SocketWrite(event->name, "", 0));
        CHECK_OK(SocketWriteBinary(event->name, large, 70000));
        CHECK_OK(SocketWriteBinary(event->name, large, LARGE));
        CHECK_OK(SocketWrite(event->name, "last", -1));
    }
}

static void expect_bytes(Recorder *events, const void *bytes, size_t length, intptr_t type)
{
    const Event *event = EXPECT_EVENT(events, WDSOCKET_EVENT_MESSAGE, NULL);
    CHECK_INT(event->length, length);
    CHECK(memcmp(event->message, bytes, length) == 0);
    CHECK_INT(event->message_type, type);
}

static void all_kinds_and_sizes(const char *path)
{
    Recorder events = {.inside = write_a_mixture};
    fill_noise(large, LARGE, 7);
    connect_recorder(&events, "c", path);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    for (int i = 0; i < 2; i++) {
        expect_bytes(&events, "text", 4, WDSOCKET_MESSAGE_TEXT);
        expect_bytes(&events, "\0\1\2", 3, WDSOCKET_MESSAGE_BINARY);
        expect_bytes(&events, "", 0, WDSOCKET_MESSAGE_TEXT);
        expect_bytes(&events, large, 70000, WDSOCKET_MESSAGE_BINARY);
        expect_bytes(&events, large, LARGE, WDSOCKET_MESSAGE_BINARY);
        expect_bytes(&events, "last", 4, WDSOCKET_MESSAGE_TEXT);
    }
    forget_events(&events);
}

static void text_binary_empty_and_large_stay_in_order(void) { all_kinds_and_sizes("/echo"); }
static void also_compressed(void)
{
    set_option("c", WDSOCKET_OPTION_COMPRESSION_MIN_BYTES, "0");
    all_kinds_and_sizes("/echo?deflate");
}

static void also_to_a_slow_reader(void)
{
    /* Less than a large message: what is behind it finds the queue full. */
    all_kinds_and_sizes("/echo?pace_bytes=100000&pace_ms=1");
}

static void fill_the_queue(Recorder *recorder, const Event *event)
{
    int *written = recorder->context;
    if (event->event != WDSOCKET_EVENT_OPENING) return;
    char text[1000];
    memset(text, 'x', sizeof text);
    while (SocketWrite(event->name, text, sizeof text)) ++*written;
    CHECK_INT(SocketErrorCode(), WDSOCKET_E_SEND_QUEUE_FULL);
}

static void a_full_queue_says_so_and_when_there_is_room(void)
{
    int written = 0;
    char expected[64];
    Recorder events = {.inside = fill_the_queue, .context = &written};
    set_option("c", WDSOCKET_OPTION_SEND_QUEUE_BYTES, "20000");
    connect_recorder(&events, "c", "/stall?ms=0&id=stalled");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_BETWEEN(info_number("c", WDSOCKET_INFO_QUEUED_OUT), 0, 20000);
    control("stalled", "resume");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_WRITABLE, "");
    CHECK_OK(SocketCloseWith("c", 1000, NULL));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1000");
    snprintf(expected, sizeof expected, "total %d %d ", written, written * 1000);
    CHECK_CONTAINS(diary("stalled", "total"), expected);
    forget_events(&events);
}

static void write_while_it_comes_back(Recorder *recorder, const Event *event)
{
    if (is_first(recorder, event, WDSOCKET_EVENT_CLOSING)) write_numbers(event->name, 0, 4);
}

static void with_reconnecting(const char *path)
{
    Recorder events = {.inside = write_while_it_comes_back};
    set_option("c", WDSOCKET_OPTION_RECONNECT_MIN_MS, "1");
    set_option("c", WDSOCKET_OPTION_RECONNECT_MAX_MS, "20");
    set_option("c", WDSOCKET_OPTION_COMPRESSION_MIN_BYTES, "0");
    connect_recorder(&events, "c", path);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    control("again", "drop");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_ERROR, "");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1006");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    expect_numbers(&events, 4);
    forget_events(&events);
}

static void what_is_written_between_two_connections_arrives_in_order(void) { with_reconnecting("/echo?id=again"); }
static void also_compressed_between_two_connections(void) { with_reconnecting("/echo?deflate&id=again"); }

static void write_a_few(Recorder *recorder, const Event *event)
{
    if (is_first(recorder, event, WDSOCKET_EVENT_OPENING)) write_numbers(event->name, 0, 20);
}

static void reconnecting_changes_nothing_while_it_is_open(void)
{
    const char *paths[] = {"/echo", "/echo?deflate"};
    for (int i = 0; i < 2; i++) {
        Recorder events = {.inside = write_a_few};
        set_option("c", WDSOCKET_OPTION_RECONNECT_MIN_MS, "1");
        set_option("c", WDSOCKET_OPTION_COMPRESSION_MIN_BYTES, "0");
        connect_recorder(&events, "c", paths[i]);
        EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
        expect_numbers(&events, 20);
        CHECK_OK(SocketClose("c"));
        forget_events(&events);
    }
}

static void write_beside(void *unused)
{
    (void)unused;
    write_numbers("c", 0, 2000);
}

static void write_beside_a_thread(Recorder *recorder, const Event *event)
{
    if (!is_first(recorder, event, WDSOCKET_EVENT_OPENING)) return;
    Thread *thread = start_thread(write_beside, NULL);
    for (int i = 0; i < 2000; i++) CHECK_OK(SocketWrite(event->name, i % 2 ? "odd" : "even", -1));
    join_thread(thread);
}

static void a_thread_beside_the_callback_keeps_its_order_and_so_does_the_callback(void)
{
    Recorder events = {.inside = write_beside_a_thread};
    char text[32];
    int ours = 0;
    int theirs = 0;
    connect_recorder(&events, "c", "/echo");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    while (ours + theirs < 4000) {
        const Event *event = EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, NULL);
        if (event->message[0] == 'm') {
            snprintf(text, sizeof text, "message %d", theirs++);
            CHECK_TEXT(event->message, text);
        } else {
            CHECK_TEXT(event->message, ours++ % 2 ? "odd" : "even");
        }
    }
    CHECK_INT(ours, 2000);
    forget_events(&events);
}

int main(void)
{
    RUN(the_one_write_of_a_lone_callback_goes_at_once);
    RUN(several_arrive_while_the_callback_goes_on);
    RUN(the_answers_of_many_callbacks_arrive_in_order);
    RUN(also_one_callback_at_a_time);
    RUN(also_seven_at_a_time);
    RUN(a_synchronous_socket_is_written_and_read_in_the_same_callback);
    RUN(closing_behind_them_loses_nothing);
    RUN(nor_does_closing_with_a_code);
    RUN(nor_does_shutting_down_after_the_dispatch);
    RUN(other_sockets_get_theirs_too);
    RUN(text_binary_empty_and_large_stay_in_order);
    RUN(also_compressed);
    RUN(also_to_a_slow_reader);
    RUN(a_full_queue_says_so_and_when_there_is_room);
    RUN(what_is_written_between_two_connections_arrives_in_order);
    RUN(also_compressed_between_two_connections);
    RUN(reconnecting_changes_nothing_while_it_is_open);
    RUN(a_thread_beside_the_callback_keeps_its_order_and_so_does_the_callback);
    return 0;
}
