/* Several threads and callbacks with compression: what was written arrives whole and in each thread's order, also when
   the connection ends in the middle. */
#include "testing.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define WRITERS 6
#define EACH 50
#define ROOM 80000

/* Small ones go plain, the others compressed. */
static size_t size_of(int writer, int index)
{
    int number = index * 7919 + writer * 104729;
    return (size_t)(index % 3 == 0 ? 16 + number % 900 : 1024 + number % 60000);
}

/* "writer index ", then text that is this message's own. */
static void make_message(char *message, int writer, int index)
{
    size_t size = size_of(writer, index);
    fill_text(message, size, (uint32_t)(writer * 1000 + index));
    memcpy(message + snprintf(message, size, "%d %d ", writer, index), ".", 1);
}

static void write_many(void *argument)
{
    int writer = *(int *)argument;
    char *message = malloc(ROOM);
    CHECK(message != NULL);
    for (int i = 0; i < EACH; i++) {
        make_message(message, writer, i);
        CHECK_OK(SocketWrite("c", message, (intptr_t)size_of(writer, i)));
    }
    free(message);
}

/* Which message it is; it must be that one byte for byte. */
static void expect_whole(const char *message, intptr_t length, int *writer, int *index)
{
    static char expected[ROOM];
    CHECK_INT(sscanf(message, "%d %d", writer, index), 2);
    CHECK_BETWEEN(*writer, 0, WRITERS - 1);
    CHECK_INT(length, size_of(*writer, *index));
    make_message(expected, *writer, *index);
    CHECK(memcmp(message, expected, (size_t)length) == 0);
}

static void expect_next(const char *message, intptr_t length, int *next)
{
    int writer, index;
    expect_whole(message, length, &writer, &index);
    CHECK_INT(index, next[writer]);
    next[writer]++;
}

static void write_from_several_threads(const char *path)
{
    Thread *threads[WRITERS];
    int numbers[WRITERS];
    int next[WRITERS] = {0};
    char *message = malloc(ROOM);
    CHECK(message != NULL);
    connect_to("c", path);
    for (int i = 0; i < WRITERS; i++) {
        numbers[i] = i;
        threads[i] = start_thread(write_many, &numbers[i]);
    }
    for (int i = 0; i < WRITERS * EACH; i++) {
        intptr_t length = SocketRead("c", 0, PATIENCE_MS, message, ROOM);
        CHECK(length > 0);
        expect_next(message, length, next);
    }
    for (int i = 0; i < WRITERS; i++) join_thread(threads[i]);
    CHECK_OK(SocketClose("c"));
    free(message);
}

static void messages_of_several_threads_arrive_whole_and_in_each_threads_order(void)
{
    write_from_several_threads("/echo?deflate&id=threads");
    const char *seen = diary("threads", "close");
    CHECK_LACKS(seen, "protocol");
    CHECK_INT(lines_with(seen, "text"), WRITERS * EACH);
    CHECK_INT(lines_with(seen, "compressed"), WRITERS * (EACH - (EACH + 2) / 3));
}

static void also_without_context_takeover_and_with_small_windows(void)
{
    write_from_several_threads("/echo?deflate=server_no_context_takeover;client_no_context_takeover&id=fresh");
    CHECK_LACKS(diary("fresh", "close"), "protocol");
    write_from_several_threads("/echo?deflate=server_max_window_bits=9;client_max_window_bits=9&mixed=1&id=narrow");
    CHECK_LACKS(diary("narrow", "close"), "protocol");
}

static void also_when_the_queue_is_full_all_the_time(void)
{
    set_option("c", WDSOCKET_OPTION_SEND_QUEUE_BYTES, "20000");
    set_option("c", WDSOCKET_OPTION_WRITE_TIMEOUT_MS, "60000");
    write_from_several_threads("/echo?deflate&pace_bytes=20000&pace_ms=1&id=paced");
    CHECK_LACKS(diary("paced", "close"), "protocol");
}

static void also_with_a_callback_socket(void)
{
    Thread *threads[WRITERS];
    int numbers[WRITERS];
    int next[WRITERS] = {0};
    Recorder events = {0};
    connect_recorder(&events, "c", "/echo?deflate&fragment=3000");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    for (int i = 0; i < WRITERS; i++) {
        numbers[i] = i;
        threads[i] = start_thread(write_many, &numbers[i]);
    }
    for (int i = 0; i < WRITERS * EACH; i++) {
        const Event *event = EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, NULL);
        expect_next(event->message, (intptr_t)event->length, next);
    }
    for (int i = 0; i < WRITERS; i++) join_thread(threads[i]);
    forget_events(&events);
}

typedef struct {
    uint32_t written, refused;
} Written;

static atomic_int stop;

/* Writes large texts until that is refused, whatever the reason. */
static void write_until_the_end(void *argument)
{
    Written *mine = argument;
    size_t size = 60000;
    char *text = malloc(size);
    CHECK(text != NULL);
    while (!atomic_load(&stop)) {
        fill_text(text, size, mine->refused);
        if (SocketWrite("c", text, (intptr_t)size)) {
            mine->written++;
            continue;
        }
        intptr_t error = SocketErrorCode();
        CHECK(error == WDSOCKET_E_CLOSED || error == WDSOCKET_E_UNKNOWN_NAME || error == WDSOCKET_E_CANCELLED ||
              error == WDSOCKET_E_NOT_OPEN);
        mine->refused++;
        sleep_ms(1);
    }
    free(text);
}

/* Closes in the middle of it, some other way each time. */
static void a_close_in_the_middle_loses_nothing_that_was_taken(void)
{
    Thread *threads[4];
    Written written[4] = {{0, 0}};
    char path[64];
    char id[16];
    long long taken = 0, arrived = 0;
    atomic_store(&stop, 0);
    set_option(NULL, WDSOCKET_OPTION_CLOSE_TIMEOUT_MS, "20000");
    for (int i = 0; i < 4; i++) threads[i] = start_thread(write_until_the_end, &written[i]);
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof path, "/count?deflate&quiet=1&id=closed%d", i);
        connect_to("c", path);
        WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_OUT) >= 3 + i);
        if (i % 2) {
            CHECK_OK(SocketCloseWith("c", 3000, "enough"));
            WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
        } else {
            CHECK_OK(SocketClose("c"));
        }
    }
    atomic_store(&stop, 1);
    for (int i = 0; i < 4; i++) {
        join_thread(threads[i]);
        taken += written[i].written;
    }
    for (int i = 0; i < 20; i++) {
        snprintf(id, sizeof id, "closed%d", i);
        const char *seen = diary(id, "eof");
        CHECK_LACKS(seen, "protocol");
        CHECK_CONTAINS(seen, i % 2 ? "close 3000 enough\n" : "close 1000\n");
        const char *total = strstr(seen, "total ");
        CHECK(total != NULL);
        arrived += atoll(total + 6);
    }
    CHECK_INT(arrived, taken);
    set_option(NULL, WDSOCKET_OPTION_CLOSE_TIMEOUT_MS, NULL);
}

static void a_reset_in_the_middle_does_no_harm(void)
{
    Thread *threads[4];
    Written written[4] = {{0, 0}};
    char path[64];
    atomic_store(&stop, 0);
    for (int i = 0; i < 4; i++) threads[i] = start_thread(write_until_the_end, &written[i]);
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof path, "/reset?deflate&after=%d", i % 5);
        connect_to("c", path);
        WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
        CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_CODE), "1006");
        if (i % 2) CHECK_OK(SocketClose("c"));
    }
    atomic_store(&stop, 1);
    for (int i = 0; i < 4; i++) join_thread(threads[i]);
}

#define FLOOD 2000

static atomic_int seen_messages[FLOOD];

static void read_all(void *unused)
{
    static const size_t room = 3001;
    char *message = malloc(room);
    CHECK(message != NULL);
    intptr_t length;
    while ((length = SocketRead("c", 1, 0, message, room)) >= 0) {
        CHECK_INT(length, 3000);
        int number = atoi(message);
        CHECK_BETWEEN(number, 0, FLOOD - 1);
        CHECK_INT(strspn(message, "0123456789 x"), 3000);
        atomic_fetch_add(&seen_messages[number], 1);
    }
    CHECK_INT(length, -WDSOCKET_E_CLOSED);
    free(message);
    (void)unused;
}

static void several_readers_get_each_message_once(void)
{
    Thread *threads[4];
    set_option("c", WDSOCKET_OPTION_RECEIVE_QUEUE_BYTES, "50000");
    connect_to("c", "/flood?deflate&count=2000&size=3000&close=1000");
    for (int i = 0; i < 4; i++) threads[i] = start_thread(read_all, NULL);
    for (int i = 0; i < 4; i++) join_thread(threads[i]);
    for (int i = 0; i < FLOOD; i++) CHECK_INT(atomic_load(&seen_messages[i]), 1);
    CHECK_OK(SocketClose("c"));
}

#define CHAIN 50

static char chain_message[ROOM];

static void write_next(Recorder *recorder, const Event *event)
{
    int *number = recorder->context;
    if (event->event == WDSOCKET_EVENT_MESSAGE) {
        int writer, index;
        expect_whole(event->message, (intptr_t)event->length, &writer, &index);
        CHECK_INT(index, *number);
        ++*number;
    }
    if ((event->event == WDSOCKET_EVENT_OPENING || event->event == WDSOCKET_EVENT_MESSAGE) && *number < CHAIN) {
        make_message(chain_message, 1, *number);
        CHECK_OK(SocketWrite(event->name, chain_message, (intptr_t)size_of(1, *number)));
    }
}

static void callbacks_may_write(void)
{
    int number = 0;
    Recorder events = {.inside = write_next, .context = &number};
    connect_recorder(&events, "c", "/echo?deflate&id=chain");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    for (int i = 0; i < CHAIN; i++) EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, NULL);
    CHECK_INT(number, CHAIN);
    CHECK_LACKS(diary("chain", ""), "protocol");
    forget_events(&events);
}

int main(void)
{
    RUN(messages_of_several_threads_arrive_whole_and_in_each_threads_order);
    RUN(also_without_context_takeover_and_with_small_windows);
    RUN(also_when_the_queue_is_full_all_the_time);
    RUN(also_with_a_callback_socket);
    RUN(a_close_in_the_middle_loses_nothing_that_was_taken);
    RUN(a_reset_in_the_middle_does_no_harm);
    RUN(several_readers_get_each_message_once);
    RUN(callbacks_may_write);
    return 0;
}
