/* Several threads write to one socket: frames never mix, each thread's order holds. */
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>

#define WRITERS 6
#define EACH 200

/* Sizes from a few bytes to several segments, so that writes often go out in pieces. */
static size_t size_of(int writer, int index) { return (size_t)(16 + (index * 7919 + writer * 104729) % 40000); }

static void write_many(void *argument)
{
    int writer = *(int *)argument;
    char *message = malloc(50000);
    CHECK(message != NULL);
    for (int i = 0; i < EACH; i++) {
        size_t size = size_of(writer, i);
        memset(message, 'a' + writer, size);
        int length = snprintf(message, size, "%d %d ", writer, i);
        message[length] = (char)('a' + writer);
        CHECK_OK(SocketWrite("c", message, (intptr_t)size));
    }
    free(message);
}

static void expect_message(const char *message, intptr_t length, int *next)
{
    int writer = atoi(message);
    CHECK_BETWEEN(writer, 0, WRITERS - 1);
    CHECK_INT(atoi(message + 2), next[writer]);
    CHECK_INT(length, size_of(writer, next[writer]));
    for (intptr_t i = 10; i < length; i++) CHECK(message[i] == 'a' + writer);
    next[writer]++;
}

static void start_writers(Thread **threads, int *numbers)
{
    for (int i = 0; i < WRITERS; i++) {
        numbers[i] = i;
        threads[i] = start_thread(write_many, &numbers[i]);
    }
}

static void messages_of_several_threads_arrive_whole_and_in_each_threads_order(void)
{
    Thread *threads[WRITERS];
    int numbers[WRITERS];
    int next[WRITERS] = {0};
    char *message = malloc(50001);
    CHECK(message != NULL);
    connect_to("c", "/echo");
    start_writers(threads, numbers);
    for (int i = 0; i < WRITERS * EACH; i++) {
        intptr_t length = SocketRead("c", 0, PATIENCE_MS, message, 50001);
        CHECK(length > 0);
        expect_message(message, length, next);
    }
    for (int i = 0; i < WRITERS; i++) join_thread(threads[i]);
    free(message);
}

static void the_same_with_a_callback_socket(void)
{
    Thread *threads[WRITERS];
    int numbers[WRITERS];
    int next[WRITERS] = {0};
    Recorder events = {0};
    connect_recorder(&events, "c", "/echo");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    start_writers(threads, numbers);
    for (int i = 0; i < WRITERS * EACH; i++) {
        const Event *event = EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, NULL);
        expect_message(event->message, (intptr_t)event->length, next);
    }
    for (int i = 0; i < WRITERS; i++) join_thread(threads[i]);
    forget_events(&events);
}

int main(void)
{
    RUN(messages_of_several_threads_arrive_whole_and_in_each_threads_order);
    RUN(the_same_with_a_callback_socket);
    return 0;
}
