/* SocketCork: small messages wait for each other, but not for ever. */
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>

static void write_numbers(const char *name, int from, int count)
{
    char text[32];
    for (int i = from; i < from + count; i++) {
        snprintf(text, sizeof text, "message %d", i);
        CHECK_OK(SocketWrite(name, text, -1));
    }
}

static void expect_numbers(const char *name, int count)
{
    char expected[32];
    for (int i = 0; i < count; i++) {
        snprintf(expected, sizeof expected, "message %d", i);
        check_text(__FILE__, __LINE__, name, read_text(name), expected);
    }
}

static void uncorking_sends_what_waits(void)
{
    connect_to("c", "/echo?id=uncorked");
    CHECK_OK(SocketCork("c", 1));
    write_numbers("c", 0, 1000);
    CHECK_OK(SocketCork("c", 0));
    CHECK_INT(info_number("c", WDSOCKET_INFO_QUEUED_OUT), 0);
    CHECK_INT(info_number("c", WDSOCKET_INFO_MESSAGES_OUT), 1000);
    expect_numbers("c", 1000);
}

static void what_is_corked_waits_together(void)
{
    connect_to("c", "/echo");
    /* Others may be in the way for more than 100 ms. */
    int64_t start;
    long long queued;
    do {
        CHECK_OK(SocketCork("c", 1));
        start = now_ms();
        write_numbers("c", 0, 2);
        queued = info_number("c", WDSOCKET_INFO_QUEUED_OUT);
        if (queued) CHECK_INT(queued, 18);
        CHECK_OK(SocketCork("c", 0));
        expect_numbers("c", 2);
    } while (queued == 0 && now_ms() - start >= 50);
    CHECK_INT(queued, 18);
}

static void nothing_is_needed_after_100_ms(void)
{
    connect_to("c", "/echo?id=waits");
    CHECK_OK(SocketCork("c", 1));
    for (int round = 0; round < 3; round++) {
        write_numbers("c", 3 * round, 3);
        /* Nobody calls anything on the socket meanwhile. */
        CHECK(lines_with(diary_with("waits", "text 9", 3 * round + 3), "text 9") == 3 * round + 3);
    }
    expect_numbers("c", 9);
}

static void nor_after_64_kib(void)
{
    static char block[1000];
    connect_to("c", "/count?id=much");
    CHECK_OK(SocketCork("c", 1));
    for (int i = 0; i < 1000; i++) {
        CHECK_OK(SocketWriteBinary("c", block, sizeof block));
        CHECK_BETWEEN(info_number("c", WDSOCKET_INFO_QUEUED_OUT), 0, 64 << 10);
    }
    CHECK_OK(SocketClose("c"));
    CHECK_CONTAINS(diary("much", "total"), "total 1000 1000000 ");
}

static void a_large_message_waits_for_nothing(void)
{
    static char block[100000];
    connect_to("c", "/count?id=large");
    CHECK_OK(SocketCork("c", 1));
    CHECK_OK(SocketWrite("c", "small", -1));
    CHECK_OK(SocketWriteBinary("c", block, sizeof block));
    CHECK_INT(info_number("c", WDSOCKET_INFO_QUEUED_OUT), 0);
    CHECK_OK(SocketWrite("c", "report", -1));
    CHECK_CONTAINS(read_text("c"), "2 100005 ");
}

static void a_read_that_waits_sends_them(void)
{
    connect_to("c", "/echo");
    CHECK_OK(SocketCork("c", 1));
    for (int i = 0; i < 200; i++) {
        write_numbers("c", 0, 2);
        expect_numbers("c", 2);
    }
}

static void also_a_question_for_the_length(void)
{
    connect_to("c", "/echo");
    CHECK_OK(SocketCork("c", 1));
    write_numbers("c", 0, 1);
    CHECK_COUNT(SocketRead("c", 1, 0, NULL, 0), 9);
    expect_numbers("c", 1);
}

static void closing_sends_them(void)
{
    connect_to("c", "/count?id=closed");
    CHECK_OK(SocketCork("c", 1));
    for (int i = 0; i < 100; i++) CHECK_OK(SocketWrite("c", "0123456789", -1));
    CHECK_OK(SocketClose("c"));
    CHECK_CONTAINS(diary("closed", "total"), "total 100 1000 ");
    EXPECT_DIARY("closed", "close 1000");

    connect_to("c", "/count?id=closed%20with");
    CHECK_OK(SocketCork("c", 1));
    for (int i = 0; i < 100; i++) CHECK_OK(SocketWrite("c", "0123456789", -1));
    CHECK_OK(SocketCloseWith("c", 3000, "enough"));
    CHECK_CONTAINS(diary("closed with", "total"), "total 100 1000 ");
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_CODE), "3000");

    connect_to("d", "/count?id=shut");
    CHECK_OK(SocketCork("d", 1));
    for (int i = 0; i < 100; i++) CHECK_OK(SocketWrite("d", "0123456789", -1));
    CHECK_OK(SocketShutdown(PATIENCE_MS));
    CHECK_CONTAINS(diary("shut", "total"), "total 100 1000 ");
}

static void so_does_the_servers_close_frame(void)
{
    connect_to("c", "/echo?id=server");
    CHECK_OK(SocketCork("c", 1));
    CHECK_OK(SocketWrite("c", "0123456789", -1));
    control("server", "close");
    EXPECT_DIARY("server", "text 10");
    EXPECT_DIARY("server", "close 1000");
}

static void a_name_that_nobody_has_is_an_error(void)
{
    CHECK_FAILS(SocketCork("nobody", 1), WDSOCKET_E_UNKNOWN_NAME);
    CHECK_FAILS(SocketCork("nobody", 0), WDSOCKET_E_UNKNOWN_NAME);
    CHECK_FAILS(SocketCork(NULL, 1), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_FAILS(SocketCork("", 1), WDSOCKET_E_INVALID_ARGUMENT);
    connect_to("c", "/echo");
    CHECK_OK(SocketClose("c"));
    CHECK_FAILS(SocketCork("c", 0), WDSOCKET_E_UNKNOWN_NAME);
}

static void it_may_be_said_twice_and_of_one_that_has_ended(void)
{
    connect_to("c", "/echo");
    CHECK_OK(SocketCork("c", 0));
    CHECK_OK(SocketCork("c", 1));
    CHECK_OK(SocketCork("c", -1));
    write_numbers("c", 0, 2);
    CHECK_OK(SocketCork("c", 0));
    CHECK_OK(SocketCork("c", 0));
    expect_numbers("c", 2);
    write_numbers("c", 0, 1);
    CHECK_INT(info_number("c", WDSOCKET_INFO_QUEUED_OUT), 0);
    expect_numbers("c", 1);
    connect_to("d", "/close?code=1000");
    CHECK_NEGATIVE(SocketRead("d", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    CHECK_OK(SocketCork("d", 1));
    CHECK_FAILS(SocketWrite("d", "late", -1), WDSOCKET_E_CLOSED);
    CHECK_OK(SocketCork("d", 0));
}

static void a_name_that_is_connected_again_starts_without(void)
{
    connect_to("c", "/close?code=1000");
    CHECK_OK(SocketCork("c", 1));
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    connect_to("c", "/echo");
    write_numbers("c", 0, 1);
    CHECK_INT(info_number("c", WDSOCKET_INFO_QUEUED_OUT), 0);
    expect_numbers("c", 1);
}

static void cork_inside(Recorder *recorder, const Event *event)
{
    (void)recorder;
    if (event->event != WDSOCKET_EVENT_OPENING) return;
    CHECK_OK(SocketCork(event->name, 1));
    write_numbers(event->name, 0, 3);
}

static void a_callback_socket_can_be_corked(void)
{
    Recorder events = {.inside = cork_inside};
    connect_recorder(&events, "c", "/echo");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    for (int round = 0; round < 2; round++) {
        EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "message 0");
        EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "message 1");
        EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "message 2");
        /* Outside, and without a word to send them. */
        if (round == 0) write_numbers("c", 0, 3);
    }
    write_numbers("c", 7, 1);
    CHECK_OK(SocketCork("c", 0));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "message 7");
    forget_events(&events);
}

static void write_from_a_thread(void *name)
{
    for (int i = 0; i < 500; i++) {
        char text[32];
        snprintf(text, sizeof text, "thread %d", i);
        CHECK_OK(SocketWrite(name, text, -1));
    }
}

static void expect_two_sequences(void)
{
    char expected[32];
    int thread = 0;
    int message = 0;
    while (thread + message < 1000) {
        const char *text = read_text("c");
        bool is_thread = text[0] == 't';
        snprintf(expected, sizeof expected, "%s %d", is_thread ? "thread" : "message", is_thread ? thread++ : message++);
        CHECK_TEXT(text, expected);
    }
    CHECK_INT(thread, 500);
}

static void two_threads_may_write_and_cork(void)
{
    connect_to("c", "/echo");
    Thread *thread = start_thread(write_from_a_thread, "c");
    for (int i = 0; i < 50; i++) {
        CHECK_OK(SocketCork("c", 1));
        write_numbers("c", 10 * i, 10);
        CHECK_OK(SocketCork("c", 0));
    }
    join_thread(thread);
    expect_two_sequences();
}

static void a_reader_that_waits_already_gets_the_answers(void)
{
    connect_to("c", "/echo");
    Thread *thread = start_thread(write_from_a_thread, "c");
    CHECK_OK(SocketCork("c", 1));
    for (int i = 0; i < 500; i++) {
        char expected[32];
        snprintf(expected, sizeof expected, "thread %d", i);
        EXPECT_TEXT("c", expected);
    }
    join_thread(thread);
}

static void a_full_queue_is_not_made_larger(void)
{
    char text[1000];
    int written = 0;
    char expected[64];
    memset(text, 'x', sizeof text);
    set_option("c", WDSOCKET_OPTION_SEND_QUEUE_BYTES, "20000");
    set_option("c", WDSOCKET_OPTION_WRITE_TIMEOUT_MS, "50");
    connect_to("c", "/stall?ms=0&id=full");
    CHECK_OK(SocketCork("c", 1));
    while (SocketWrite("c", text, sizeof text)) written++;
    CHECK_INT(SocketErrorCode(), WDSOCKET_E_SEND_QUEUE_FULL);
    CHECK_BETWEEN(info_number("c", WDSOCKET_INFO_QUEUED_OUT), 10000, 20000);
    control("full", "resume");
    CHECK_OK(SocketClose("c"));
    snprintf(expected, sizeof expected, "total %d %d ", written, written * 1000);
    CHECK_CONTAINS(diary("full", "total"), expected);
}

static void compressed_messages_can_be_corked(void)
{
    set_option("c", WDSOCKET_OPTION_COMPRESSION_MIN_BYTES, "0");
    connect_to("c", "/echo?deflate&id=compressed");
    CHECK_OK(SocketCork("c", 1));
    write_numbers("c", 0, 500);
    CHECK_OK(SocketCork("c", 0));
    expect_numbers("c", 500);
    CHECK(lines_with(diary("compressed", "compressed"), "compressed") > 0);
}

static void and_with_reconnecting(void)
{
    set_option("c", WDSOCKET_OPTION_RECONNECT_MIN_MS, "1");
    for (int i = 0; i < 2; i++) {
        connect_to("c", i ? "/echo?deflate" : "/echo");
        set_option("c", WDSOCKET_OPTION_COMPRESSION_MIN_BYTES, "0");
        CHECK_OK(SocketCork("c", 1));
        write_numbers("c", 0, 100);
        expect_numbers("c", 100);
        CHECK_OK(SocketClose("c"));
        set_option("c", WDSOCKET_OPTION_RECONNECT_MIN_MS, "1");
    }
}

int main(void)
{
    RUN(uncorking_sends_what_waits);
    RUN(what_is_corked_waits_together);
    RUN(nothing_is_needed_after_100_ms);
    RUN(nor_after_64_kib);
    RUN(a_large_message_waits_for_nothing);
    RUN(a_read_that_waits_sends_them);
    RUN(also_a_question_for_the_length);
    RUN(closing_sends_them);
    RUN(so_does_the_servers_close_frame);
    RUN(a_name_that_nobody_has_is_an_error);
    RUN(it_may_be_said_twice_and_of_one_that_has_ended);
    RUN(a_name_that_is_connected_again_starts_without);
    RUN(a_callback_socket_can_be_corked);
    RUN(two_threads_may_write_and_cork);
    RUN(a_reader_that_waits_already_gets_the_answers);
    RUN(a_full_queue_is_not_made_larger);
    RUN(compressed_messages_can_be_corked);
    RUN(and_with_reconnecting);
    return 0;
}
