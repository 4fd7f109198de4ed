/* What happens when the peer does not read: waiting, SEND_QUEUE_FULL, WRITABLE. */
#include "testing.h"

#include <stdatomic.h>
#include <stdio.h>

#define BLOCK (64 << 10)
static char block[BLOCK];

static int64_t last_took_ms;

/* Writes until the queue is full; how many were taken. Which write fails is left to the system, whose buffers may grow
   at any time. */
static int write_until_full(const char *name)
{
    int written = 0;
    for (;;) {
        int64_t start = now_ms();
        if (SocketWriteBinary(name, block, BLOCK) != 1) {
            last_took_ms = now_ms() - start;
            break;
        }
        CHECK(++written < 10000);
    }
    CHECK_INT(SocketErrorCode(), WDSOCKET_E_SEND_QUEUE_FULL);
    CHECK(SocketErrorMessage()[0] != '\0');
    return written;
}

static void use_small_queue(const char *name, const char *write_timeout)
{
    set_option(name, WDSOCKET_OPTION_SEND_QUEUE_BYTES, "200000");
    set_option(name, WDSOCKET_OPTION_WRITE_TIMEOUT_MS, write_timeout);
}

/* The server counted exactly this many blocks. */
static void expect_blocks(const char *name, int count)
{
    char want[64];
    CHECK_OK(SocketWrite(name, "report", -1));
    snprintf(want, sizeof want, "%d %lld ", count, (long long)count * BLOCK);
    CHECK_CONTAINS(read_text(name), want);
}

static void a_write_without_room_waits_and_then_fails(void)
{
    use_small_queue("c", "150");
    connect_to("c", "/stall?id=full&quiet=1");
    int written = write_until_full("c");
    CHECK_BETWEEN(last_took_ms, 140, 4000);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_OPEN);
    /* What failed was not sent, what succeeded was. */
    control("full", "resume");
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_QUEUED_OUT) == 0);
    expect_blocks("c", written);
}

static void the_queue_is_bounded(void)
{
    use_small_queue("c", "50");
    connect_to("c", "/stall?id=bounded&quiet=1");
    write_until_full("c");
    /* Below the limit it admitted one more message, each counted with 64 bytes. */
    CHECK_BETWEEN(info_number("c", WDSOCKET_INFO_QUEUED_OUT), 200000 - BLOCK, 200000 + BLOCK + 1000);
    control("bounded", "resume");
}

static void below_its_limit_it_admits_a_message_of_any_size(void)
{
    static char large[4 << 20];
    set_option("c", WDSOCKET_OPTION_SEND_QUEUE_BYTES, "1000");
    set_option("c", WDSOCKET_OPTION_WRITE_TIMEOUT_MS, "50");
    connect_to("c", "/stall?id=large&quiet=1");
    int written = 0;
    while (SocketWriteBinary("c", large, sizeof large) == 1) CHECK(++written < 100);
    CHECK_INT(SocketErrorCode(), WDSOCKET_E_SEND_QUEUE_FULL);
    CHECK(written >= 1);
    control("large", "resume");
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_QUEUED_OUT) == 0);
    char want[64];
    CHECK_OK(SocketWrite("c", "report", -1));
    snprintf(want, sizeof want, "%d %lld ", written, (long long)written * (long long)sizeof large);
    CHECK_CONTAINS(read_text("c"), want);
}

static void resume_soon(void *id)
{
    sleep_ms(200);
    control(id, "resume");
}

static void a_waiting_write_goes_on_when_there_is_room(void)
{
    char id[] = "goes-on";
    use_small_queue("c", "60000");
    connect_to("c", "/stall?id=goes-on&quiet=1");
    Thread *thread = start_thread(resume_soon, id);
    for (int i = 0; i < 300; i++) CHECK_OK(SocketWriteBinary("c", block, BLOCK));
    join_thread(thread);
    expect_blocks("c", 300);
}

static void a_live_socket_takes_a_new_write_timeout(void)
{
    use_small_queue("c", "60000");
    connect_to("c", "/stall?id=live&quiet=1");
    set_option("c", WDSOCKET_OPTION_WRITE_TIMEOUT_MS, "50");
    int64_t start = now_ms();
    write_until_full("c");
    CHECK_BETWEEN(now_ms() - start, 0, 30000);
    control("live", "resume");
}

static void writable_tells_that_half_the_queue_is_free_again(void)
{
    Recorder events = {0};
    use_small_queue("c", "50");
    connect_recorder(&events, "c", "/stall?id=writable&quiet=1");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    write_until_full("c");
    write_until_full("c");
    EXPECT_NO_EVENT(&events, 50);
    control("writable", "resume");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_WRITABLE, "");
    CHECK_BETWEEN(info_number("c", WDSOCKET_INFO_QUEUED_OUT), 0, 100000);
    CHECK_OK(SocketWriteBinary("c", block, BLOCK));
    /* Two failures, one event. */
    EXPECT_NO_EVENT(&events, 50);
    forget_events(&events);
}

static void without_a_failure_there_is_no_writable(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/echo");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    for (int i = 0; i < 50; i++) CHECK_OK(SocketWriteBinary("c", block, BLOCK));
    for (int i = 0; i < 50; i++) EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, NULL);
    EXPECT_NO_EVENT(&events, 20);
    forget_events(&events);
}

static void what_was_queued_leaves_without_further_calls(void)
{
    use_small_queue("c", "50");
    connect_to("c", "/stall?id=leaves&quiet=1");
    int written = write_until_full("c");
    control("leaves", "resume");
    char want[64];
    CHECK_OK(SocketClose("c"));
    snprintf(want, sizeof want, "total %d %lld ", written, (long long)written * BLOCK);
    CHECK_CONTAINS(diary("leaves", "total"), want);
}

static atomic_intptr_t waiting_result;
static atomic_intptr_t waiting_error;

static void write_for_long(void *unused)
{
    (void)unused;
    intptr_t result;
    while ((result = SocketWriteBinary("c", block, BLOCK)) == 1) continue;
    atomic_store(&waiting_error, SocketErrorCode());
    atomic_store(&waiting_result, result);
}

static void the_end_of_the_connection_ends_a_waiting_write(void)
{
    use_small_queue("c", "60000");
    connect_to("c", "/stall?id=ends&quiet=1");
    Thread *thread = start_thread(write_for_long, NULL);
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_QUEUED_OUT) >= 199000);
    control("ends", "reset");
    join_thread(thread);
    CHECK_INT(atomic_load(&waiting_result), 0);
    CHECK(atomic_load(&waiting_error) == WDSOCKET_E_CLOSED || atomic_load(&waiting_error) == WDSOCKET_E_IO);
}

static void closing_cancels_a_waiting_write(void)
{
    use_small_queue("c", "60000");
    connect_to("c", "/stall?id=cancelled&quiet=1");
    Thread *thread = start_thread(write_for_long, NULL);
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_QUEUED_OUT) >= 199000);
    /* The writer waits by now, or will be refused: in both cases it ends. */
    sleep_ms(20);
    CHECK_OK(SocketClose("c"));
    join_thread(thread);
    CHECK_INT(atomic_load(&waiting_result), 0);
    CHECK(atomic_load(&waiting_error) == WDSOCKET_E_CANCELLED || atomic_load(&waiting_error) == WDSOCKET_E_UNKNOWN_NAME);
    control("cancelled", "resume");
}

int main(void)
{
    RUN(a_write_without_room_waits_and_then_fails);
    RUN(the_queue_is_bounded);
    RUN(below_its_limit_it_admits_a_message_of_any_size);
    RUN(a_waiting_write_goes_on_when_there_is_room);
    RUN(a_live_socket_takes_a_new_write_timeout);
    RUN(writable_tells_that_half_the_queue_is_free_again);
    RUN(without_a_failure_there_is_no_writable);
    RUN(what_was_queued_leaves_without_further_calls);
    RUN(the_end_of_the_connection_ends_a_waiting_write);
    RUN(closing_cancels_a_waiting_write);
    return 0;
}
