/* Full send queues with compression: what was refused never arrives, all else does, and messages count what they have,
   not what they take on the wire. */
#include "testing.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* Half of it compresses. */
static void make_block(char *block, size_t size, uint32_t number)
{
    fill_noise(block, size / 2, number);
    fill_text(block + size / 2, size - size / 2, number);
}

static void what_was_refused_never_arrives_and_all_else_does(void)
{
    static char block[30000];
    char want[80];
    uint64_t hash = FNV1A_START;
    uint64_t bytes = 0;
    uint32_t written = 0, refused = 0, small_refused = 0;
    set_option("c", WDSOCKET_OPTION_SEND_QUEUE_BYTES, "300000");
    set_option("c", WDSOCKET_OPTION_WRITE_TIMEOUT_MS, "0");
    connect_to("c", "/stall?deflate&id=refused&quiet=1");
    /* In three rounds: full, refused often, then with room again. */
    for (uint32_t i = 0; refused < 200 && i < 20000; i++) {
        /* Among the first refusals small ones that go plain: they are refused like any. */
        bool is_small = refused > 0 && refused < 10 && i % 2 == 0;
        size_t size = is_small ? 5 : sizeof block;
        make_block(block, size, i);
        if (SocketWriteBinary("c", block, (intptr_t)size)) {
            hash = fnv1a(hash, block, size);
            bytes += size;
            written++;
        } else {
            CHECK_INT(SocketErrorCode(), WDSOCKET_E_SEND_QUEUE_FULL);
            refused++;
            small_refused += is_small;
        }
    }
    CHECK(small_refused > 0);
    CHECK_INT(refused, 200);
    control("refused", "resume");
    for (uint32_t i = 0; i < 300; i++) {
        make_block(block, sizeof block, 100000 + i);
        if (SocketWriteBinary("c", block, sizeof block)) {
            hash = fnv1a(hash, block, sizeof block);
            bytes += sizeof block;
            written++;
        } else {
            CHECK_INT(SocketErrorCode(), WDSOCKET_E_SEND_QUEUE_FULL);
        }
    }
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_QUEUED_OUT) == 0);
    CHECK_OK(SocketWrite("c", "report", -1));
    snprintf(want, sizeof want, "%u %llu %016llx", written, (unsigned long long)bytes, (unsigned long long)hash);
    EXPECT_TEXT("c", want);
    CHECK_INT(info_number("c", WDSOCKET_INFO_MESSAGES_OUT), written + 1);
    CHECK_LACKS(diary("refused", ""), "protocol");
    CHECK_OK(SocketClose("c"));
}

static void the_queue_counts_what_the_messages_have_not_what_they_take(void)
{
    static char noise[100000];
    static char text[100000];
    fill_noise(noise, sizeof noise, 1);
    memset(text, 'x', sizeof text);
    set_option("c", WDSOCKET_OPTION_SEND_QUEUE_BYTES, "2000000");
    set_option("c", WDSOCKET_OPTION_WRITE_TIMEOUT_MS, "0");
    connect_to("c", "/stall?deflate&id=counts&quiet=1");
    /* Until the system takes no more. */
    int count = 0;
    while (info_number("c", WDSOCKET_INFO_QUEUED_OUT) < 200000) {
        fill_noise(noise, sizeof noise, (uint32_t)count);
        CHECK_OK(SocketWriteBinary("c", noise, sizeof noise));
        CHECK(++count < 10000);
    }
    long long grown;
    count = 0;
    do { /* again where the system's buffers grew and took some of what was before it */
        long long before = info_number("c", WDSOCKET_INFO_QUEUED_OUT);
        CHECK_OK(SocketWrite("c", text, sizeof text));
        grown = info_number("c", WDSOCKET_INFO_QUEUED_OUT) - before;
        CHECK(++count < 10);
    } while (grown < 100000);
    /* Each may count its bytes plus 64. */
    CHECK_BETWEEN(grown, 100000, 100064);
    for (; SocketWrite("c", text, sizeof text); count++) CHECK(count < 1000);
    CHECK_INT(SocketErrorCode(), WDSOCKET_E_SEND_QUEUE_FULL);
    CHECK_BETWEEN(count, 14, 30);
    control("counts", "resume");
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_QUEUED_OUT) == 0);
    CHECK_LACKS(diary("counts", ""), "protocol");
    CHECK_OK(SocketClose("c"));
}

typedef struct {
    uint64_t hash;
    uint32_t written;
} Written;

static atomic_int stop;
static atomic_int refusals;

/* Writes as it can, and notes what was taken. Each thread's own texts are alike, so that they refer to each other. */
static void write_what_is_taken(void *argument)
{
    Written *mine = argument;
    char *block = malloc(20000);
    CHECK(block != NULL);
    for (uint32_t i = 0; !atomic_load(&stop); i++) {
        size_t size = i % 4 ? 20000 : 500;
        make_block(block, size, i % 5);
        if (SocketWriteBinary("c", block, (intptr_t)size)) {
            mine->written++;
            mine->hash += fnv1a(FNV1A_START, block, size);
        } else {
            CHECK_INT(SocketErrorCode(), WDSOCKET_E_SEND_QUEUE_FULL);
            atomic_fetch_add(&refusals, 1);
        }
    }
    free(block);
}

static void also_when_several_threads_are_refused(void)
{
    Thread *threads[4];
    Written written[4] = {{0, 0}};
    uint32_t count = 0, read = 0;
    uint64_t hash = 0, arrived = 0;
    char *message = malloc(20001);
    CHECK(message != NULL);
    atomic_store(&stop, 0);
    atomic_store(&refusals, 0);
    set_option("c", WDSOCKET_OPTION_SEND_QUEUE_BYTES, "50000");
    set_option("c", WDSOCKET_OPTION_WRITE_TIMEOUT_MS, "0");
    connect_to("c", "/echo?deflate&pace_bytes=10000&pace_ms=1&id=several&quiet=1");
    for (int i = 0; i < 4; i++) threads[i] = start_thread(write_what_is_taken, &written[i]);
    for (; read < 300 || atomic_load(&refusals) < 100; read++) {
        intptr_t length = SocketRead("c", 0, PATIENCE_MS, message, 20001);
        CHECK(length > 0);
        arrived += fnv1a(FNV1A_START, message, (size_t)length);
    }
    atomic_store(&stop, 1);
    for (int i = 0; i < 4; i++) {
        join_thread(threads[i]);
        count += written[i].written;
        hash += written[i].hash;
    }
    for (; read < count; read++) {
        intptr_t length = SocketRead("c", 0, PATIENCE_MS, message, 20001);
        CHECK(length > 0);
        arrived += fnv1a(FNV1A_START, message, (size_t)length);
    }
    CHECK(arrived == hash);
    CHECK_NEGATIVE(SocketRead("c", 0, 50, message, 20001), WDSOCKET_E_TIMEOUT);
    CHECK_LACKS(diary("several", ""), "protocol");
    free(message);
    CHECK_OK(SocketClose("c"));
}

/* In OPENING until it is refused; in WRITABLE one more. */
static void fill_up(Recorder *recorder, const Event *event)
{
    Written *written = recorder->context;
    static char block[30000];
    if (event->event != WDSOCKET_EVENT_OPENING && event->event != WDSOCKET_EVENT_WRITABLE) return;
    int more = event->event == WDSOCKET_EVENT_OPENING ? 10000 : 1;
    for (; more > 0; more--) {
        make_block(block, sizeof block, written->written);
        if (!SocketWriteBinary(event->name, block, sizeof block)) break;
        written->hash = fnv1a(written->hash, block, sizeof block);
        written->written++;
    }
    if (event->event == WDSOCKET_EVENT_OPENING) CHECK_INT(SocketErrorCode(), WDSOCKET_E_SEND_QUEUE_FULL);
}

static void and_are_told_when_there_is_room_again(void)
{
    char total[80];
    Written written = {FNV1A_START, 0};
    Recorder events = {.inside = fill_up, .context = &written};
    set_option("c", WDSOCKET_OPTION_SEND_QUEUE_BYTES, "300000");
    connect_recorder(&events, "c", "/stall?deflate&id=room&quiet=1");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    control("room", "resume");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_WRITABLE, "");
    CHECK_OK(SocketClose("c"));
    snprintf(total, sizeof total, "total %u %llu %016llx", written.written, 30000ull * written.written,
             (unsigned long long)written.hash);
    EXPECT_DIARY("room", total);
    forget_events(&events);
}

int main(void)
{
    RUN(what_was_refused_never_arrives_and_all_else_does);
    RUN(the_queue_counts_what_the_messages_have_not_what_they_take);
    RUN(also_when_several_threads_are_refused);
    RUN(and_are_told_when_there_is_room_again);
    return 0;
}
