/* Many threads write small messages to one socket: each arrives once, whole, and in its thread's order. */
#include "testing.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define WRITERS 8
#define MOST 4000

typedef struct {
    int number;
    int count;
    /* How many writes said 1; what the next one said. */
    int written;
    intptr_t error;
} Writer;

/* "WRITER INDEX " and a padding that both determine. */
static size_t compose(char *text, int writer, int index)
{
    int length = snprintf(text, 64, "%d %d ", writer, index);
    size_t size = (size_t)length + (size_t)(index * 31 + writer * 17) % 50;
    memset(text + length, 'a' + writer, size - (size_t)length);
    text[size] = '\0';
    return size;
}

static void write_many(void *argument)
{
    Writer *writer = argument;
    char text[256];
    for (int i = 0; i < writer->count; i++) {
        size_t size = compose(text, writer->number, i);
        if (!SocketWrite("c", text, (intptr_t)size)) {
            writer->error = SocketErrorCode();
            return;
        }
        writer->written++;
    }
}

static void start_writers(Writer *writers, Thread **threads, int count)
{
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (Writer){.number = i, .count = count};
        threads[i] = start_thread(write_many, &writers[i]);
    }
}

static void join_writers(Thread **threads)
{
    for (int i = 0; i < WRITERS; i++) join_thread(threads[i]);
}

static void check_message(const char *message, size_t length, int *next)
{
    char expected[256];
    int writer = atoi(message);
    CHECK_BETWEEN(writer, 0, WRITERS - 1);
    size_t size = compose(expected, writer, next[writer]++);
    CHECK_TEXT(message, expected);
    CHECK_INT(length, size);
}

static void read_them_back(int count)
{
    int next[WRITERS] = {0};
    char message[256];
    for (int i = 0; i < WRITERS * count; i++) {
        intptr_t length = SocketRead("c", 0, PATIENCE_MS, message, sizeof message);
        CHECK(length > 0);
        check_message(message, (size_t)length, next);
    }
    CHECK_NEGATIVE(SocketAvailable("c"), WDSOCKET_E_NO_MESSAGE);
}

static void write_and_read(const char *path, int count)
{
    Writer writers[WRITERS];
    Thread *threads[WRITERS];
    connect_to("c", path);
    start_writers(writers, threads, count);
    read_them_back(count);
    join_writers(threads);
    for (int i = 0; i < WRITERS; i++) CHECK_INT(writers[i].written, count);
    CHECK_INT(info_number("c", WDSOCKET_INFO_MESSAGES_OUT), WRITERS * count);
    CHECK_INT(info_number("c", WDSOCKET_INFO_QUEUED_OUT), 0);
}

static void none_is_lost_or_comes_twice(void) { write_and_read("/echo", MOST); }

static void also_with_a_small_queue(void)
{
    set_option("c", WDSOCKET_OPTION_SEND_QUEUE_BYTES, "1000");
    write_and_read("/echo", 1000);
}

static void also_with_a_slow_reader(void) { write_and_read("/echo?pace_bytes=20000&pace_ms=1", 2000); }

static void also_with_a_small_queue_and_a_slow_reader(void)
{
    set_option("c", WDSOCKET_OPTION_SEND_QUEUE_BYTES, "1000");
    write_and_read("/echo?pace_bytes=20000&pace_ms=1", 1000);
}

static void also_compressed(void)
{
    set_option("c", WDSOCKET_OPTION_COMPRESSION_MIN_BYTES, "20");
    write_and_read("/echo?deflate", 1000);
}

static void also_with_reconnecting(void)
{
    set_option("c", WDSOCKET_OPTION_RECONNECT_MIN_MS, "1");
    write_and_read("/echo", 1000);
}

static void also_with_a_callback_socket(void)
{
    Writer writers[WRITERS];
    Thread *threads[WRITERS];
    int next[WRITERS] = {0};
    Recorder events = {0};
    connect_recorder(&events, "c", "/echo");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    start_writers(writers, threads, 1000);
    for (int i = 0; i < WRITERS * 1000; i++) {
        const Event *event = EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, NULL);
        check_message(event->message, event->length, next);
    }
    join_writers(threads);
    forget_events(&events);
}

static atomic_bool done;

/* Large ones between them, by a thread that may stay with its message. */
static void write_large(void *unused)
{
    (void)unused;
    static char large[2 << 20];
    while (!atomic_load(&done)) CHECK_OK(SocketWriteBinary("c", large, sizeof large));
}

static void also_beside_large_ones(void)
{
    Writer writers[WRITERS];
    Thread *threads[WRITERS];
    int next[WRITERS] = {0};
    static char message[(2 << 20) + 1];
    connect_to("c", "/echo");
    atomic_store(&done, false);
    Thread *large = start_thread(write_large, NULL);
    start_writers(writers, threads, 1000);
    for (int i = 0; i < WRITERS * 1000;) {
        intptr_t length = SocketRead("c", 0, PATIENCE_MS, message, sizeof message);
        if (SocketMessageType("c") == WDSOCKET_MESSAGE_BINARY) {
            CHECK_INT(length, 2 << 20);
            for (intptr_t at = 0; at < length; at += 4096) CHECK_INT(message[at], 0);
            continue;
        }
        CHECK(length > 0);
        check_message(message, (size_t)length, next);
        i++;
    }
    atomic_store(&done, true);
    join_writers(threads);
    /* What it has written may fill every buffer, so that it waits for room. */
    while (SocketRead("c", 0, 300, message, sizeof message) >= 0) continue;
    join_thread(large);
}

/* While another thread closes: what was written before arrives, in order, and the rest is refused. */
static void what_was_written_before_a_close_arrives(bool with_code)
{
    for (int round = 0; round < 10; round++) {
        Writer writers[WRITERS];
        Thread *threads[WRITERS];
        char id[32];
        char path[64];
        char expected[64];
        int total = 0;
        snprintf(id, sizeof id, "closed%d%d", with_code, round);
        snprintf(path, sizeof path, "/count?quiet=1&id=%s", id);
        connect_to("c", path);
        start_writers(writers, threads, 1000000);
        WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_OUT) >= 200 * round);
        if (with_code)
            CHECK_OK(SocketCloseWith("c", 1000, NULL));
        else
            CHECK_OK(SocketClose("c"));
        join_writers(threads);
        for (int i = 0; i < WRITERS; i++) {
            total += writers[i].written;
            CHECK(writers[i].error == WDSOCKET_E_CLOSED || writers[i].error == WDSOCKET_E_UNKNOWN_NAME ||
                  writers[i].error == WDSOCKET_E_CANCELLED);
        }
        snprintf(expected, sizeof expected, "total %d ", total);
        CHECK_CONTAINS(diary(id, "total"), expected);
        EXPECT_DIARY(id, "close 1000");
        SocketClose("c");
    }
}

static void closing_loses_nothing_that_was_accepted(void) { what_was_written_before_a_close_arrives(false); }
static void nor_does_closing_with_a_code(void) { what_was_written_before_a_close_arrives(true); }

static void a_lost_connection_refuses_them_all_and_harms_no_other(void)
{
    for (int round = 0; round < 5; round++) {
        Writer writers[WRITERS];
        Thread *threads[WRITERS];
        connect_to("c", round % 2 ? "/reset?after=20" : "/drop?after=20");
        start_writers(writers, threads, 1000000);
        join_writers(threads);
        for (int i = 0; i < WRITERS; i++) CHECK_INT(writers[i].error, WDSOCKET_E_CLOSED);
        CHECK_OK(SocketClose("c"));
        write_and_read("/echo", 100);
        CHECK_OK(SocketClose("c"));
    }
}

/* A thread whose write has failed writes to others as before. */
static void a_failed_write_harms_no_later_one(void)
{
    for (int round = 0; round < 5; round++) {
        connect_to("d", "/reset?after=1");
        while (SocketWrite("d", "hello", -1)) continue;
        CHECK_INT(SocketErrorCode(), WDSOCKET_E_CLOSED);
        CHECK_OK(SocketClose("d"));
        connect_to("d", "/echo");
        CHECK_OK(SocketWrite("d", "hello", -1));
        EXPECT_TEXT("d", "hello");
        CHECK_OK(SocketClose("d"));
    }
}

int main(void)
{
    RUN(none_is_lost_or_comes_twice);
    RUN(also_with_a_small_queue);
    RUN(also_with_a_slow_reader);
    RUN(also_with_a_small_queue_and_a_slow_reader);
    RUN(also_compressed);
    RUN(also_with_reconnecting);
    RUN(also_with_a_callback_socket);
    RUN(also_beside_large_ones);
    RUN(closing_loses_nothing_that_was_accepted);
    RUN(nor_does_closing_with_a_code);
    RUN(a_lost_connection_refuses_them_all_and_harms_no_other);
    RUN(a_failed_write_harms_no_later_one);
    return 0;
}
