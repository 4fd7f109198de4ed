/* Several threads read one socket: each message goes to exactly one. */
#include "testing.h"

#include <stdatomic.h>
#include <stdlib.h>

#define READERS 4
#define MESSAGES 8000

static atomic_int seen[MESSAGES];
static atomic_int total;
static atomic_int ended;

static void take(const char *message)
{
    int number = atoi(message);
    CHECK_BETWEEN(number, 0, MESSAGES - 1);
    CHECK_INT(atomic_fetch_add(&seen[number], 1), 0);
    atomic_fetch_add(&total, 1);
}

static void read_all(void *unused)
{
    char buffer[64];
    intptr_t length;
    (void)unused;
    while ((length = SocketRead("c", 1, 0, buffer, sizeof buffer)) >= 0) take(buffer);
    CHECK_INT(length, -WDSOCKET_E_CLOSED);
    atomic_fetch_add(&ended, 1);
}

/* Asks for the length first; another may have taken the message, so it loops. */
static void ask_and_read_all(void *unused)
{
    intptr_t length;
    (void)unused;
    while ((length = SocketRead("c", 1, 0, NULL, 0)) >= 0) {
        char *buffer = malloc((size_t)length + 1);
        CHECK(buffer != NULL);
        intptr_t got = SocketRead("c", 0, 0, buffer, (size_t)length + 1);
        if (got >= 0)
            take(buffer);
        else
            CHECK(got == -WDSOCKET_E_BUFFER_TOO_SMALL || got == -WDSOCKET_E_TIMEOUT || got == -WDSOCKET_E_CLOSED);
        free(buffer);
    }
    CHECK_INT(length, -WDSOCKET_E_CLOSED);
    atomic_fetch_add(&ended, 1);
}

static void read_with_limits(void *unused)
{
    char buffer[64];
    intptr_t length;
    int limit = 0;
    (void)unused;
    do {
        length = SocketRead("c", 0, limit = (limit + 1) % 4, buffer, sizeof buffer);
        if (length >= 0) take(buffer);
    } while (length != -WDSOCKET_E_CLOSED);
    atomic_fetch_add(&ended, 1);
}

static void read_with(void (*body)(void *))
{
    Thread *threads[READERS];
    for (int i = 0; i < MESSAGES; i++) atomic_store(&seen[i], 0);
    atomic_store(&total, 0);
    atomic_store(&ended, 0);
    connect_to("c", "/flood?count=8000&size=20&close=1000");
    for (int i = 0; i < READERS; i++) threads[i] = start_thread(body, NULL);
    for (int i = 0; i < READERS; i++) join_thread(threads[i]);
    CHECK_INT(atomic_load(&total), MESSAGES);
    CHECK_INT(atomic_load(&ended), READERS);
}

static void each_message_goes_to_exactly_one(void) { read_with(read_all); }
static void also_when_they_ask_for_the_length_first(void) { read_with(ask_and_read_all); }
static void also_with_short_limits(void) { read_with(read_with_limits); }

static atomic_int got;

static void read_one(void *unused)
{
    char buffer[64];
    (void)unused;
    CHECK_COUNT(SocketRead("c", 1, 0, buffer, sizeof buffer), 3);
    atomic_fetch_add(&got, 1);
}

static void waiting_readers_each_get_one(void)
{
    Thread *threads[READERS];
    set_option("c", WDSOCKET_OPTION_PING_INTERVAL_MS, "0"); /* a pong would wake whoever was forgotten */
    connect_to("c", "/echo");
    for (int round = 0; round < 50; round++) {
        atomic_store(&got, 0);
        for (int i = 0; i < READERS; i++) threads[i] = start_thread(read_one, NULL);
        /* Several at once, so that one drive of the socket finds more than one message. */
        for (int i = 0; i < READERS; i++) CHECK_OK(SocketWrite("c", "one", -1));
        for (int i = 0; i < READERS; i++) join_thread(threads[i]);
        CHECK_INT(atomic_load(&got), READERS);
    }
}

static void read_cancelled(void *unused)
{
    (void)unused;
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CANCELLED);
    atomic_fetch_add(&got, 1);
}

static void closing_cancels_them_all(void)
{
    Thread *threads[READERS];
    atomic_store(&got, 0);
    connect_to("c", "/echo");
    for (int i = 0; i < READERS; i++) threads[i] = start_thread(read_cancelled, NULL);
    /* Nothing tells that a thread waits; one that came later would find no such name. */
    sleep_ms(300);
    CHECK_OK(SocketClose("c"));
    for (int i = 0; i < READERS; i++) join_thread(threads[i]);
    CHECK_INT(atomic_load(&got), READERS);
}

int main(void)
{
    RUN(each_message_goes_to_exactly_one);
    RUN(also_when_they_ask_for_the_length_first);
    RUN(also_with_short_limits);
    RUN(waiting_readers_each_get_one);
    RUN(closing_cancels_them_all);
    return 0;
}
