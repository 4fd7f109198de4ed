/* Messages that are small on the wire and large when inflated: the limits are those of the message itself, and no more
   memory is spent than they allow. */
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>

#define MIB (1 << 20)

/* Where the system does not tell what was in memory, only the end is looked at. */
static void expect_peak_below(long before, bool known, long kib)
{
    if (known) CHECK_BETWEEN(peak_kib() - before, -1000000, kib);
}

/* 1 GiB in 1 MiB, after some messages: ends the connection with 1009, whatever its kind, within this much memory. */
static void expect_defused(const char *query, const char *id, int before, long kib)
{
    char path[200];
    char with_id[256];
    Recorder events = {0};
    snprintf(path, sizeof path, "/bomb?deflate&before=%d&%s", before, query);
    EXPECT_VIOLATION(path, "1009", WDSOCKET_E_TOO_BIG, "more than");

    bool known = forget_peak();
    long resident = resident_kib();
    int64_t start = now_ms();
    snprintf(with_id, sizeof with_id, "%s&id=%s", path, id);
    connect_to("c", with_id);
    for (int i = 0; i < before; i++) EXPECT_TEXT("c", "before");
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_CODE), "1009");
    CHECK_CONTAINS(diary(id, "close"), "close 1009");
    CHECK_OK(SocketClose("c"));
    expect_peak_below(resident, known, kib);

    connect_recorder(&events, "c", path);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    for (int i = 0; i < before; i++) EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "before");
    CHECK_INT(EXPECT_EVENT(&events, WDSOCKET_EVENT_ERROR, "")->error, WDSOCKET_E_TOO_BIG);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1009");
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
    expect_peak_below(resident, known, kib);
    /* Inflating all of it would take longer. */
    CHECK_BETWEEN(now_ms() - start, 0, 15000);
}

static void a_gigabyte_in_one_frame(void) { expect_defused("size=1073741824", "one", 0, 96 << 10); }

static void a_gigabyte_in_many_frames(void) { expect_defused("size=1073741824&frames=5000", "many", 0, 96 << 10); }

static void a_gigabyte_behind_messages(void)
{
    expect_defused("size=1073741824&type=text", "behind", 100, 96 << 10);
    expect_defused("size=1073741824&type=text&frames=1000", "behind-many", 100, 96 << 10);
}

static void a_smaller_limit_costs_less(void)
{
    set_option(NULL, WDSOCKET_OPTION_MAX_MESSAGE_BYTES, "1048576");
    expect_defused("size=1073741824", "small", 0, 12 << 10);
    expect_defused("size=1073741824&frames=1000", "small-many", 10, 12 << 10);
    expect_defused("size=1073741824&frames=10&type=text", "small-text", 1, 12 << 10);
    set_option(NULL, WDSOCKET_OPTION_MAX_MESSAGE_BYTES, "1000");
    expect_defused("size=1073741824", "tiny", 3, 8 << 10);
    set_option(NULL, WDSOCKET_OPTION_MAX_MESSAGE_BYTES, NULL);
}

static void the_limit_is_exact(void)
{
    static char zeros[100000];
    static const int sizes[] = {1, 2, 257, 258, 259, 1000, 65536, 99999};
    char value[16];
    char path[128];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        snprintf(value, sizeof value, "%d", sizes[i]);
        set_option("c", WDSOCKET_OPTION_MAX_MESSAGE_BYTES, value);
        snprintf(path, sizeof path, "/bomb?deflate&size=%d&frames=%d", sizes[i], (int)i + 1);
        connect_to("c", path);
        CHECK_COUNT(SocketRead("c", 0, PATIENCE_MS, zeros, sizeof zeros), sizes[i]);
        CHECK_OK(SocketClose("c"));
        set_option("c", WDSOCKET_OPTION_MAX_MESSAGE_BYTES, value);
        snprintf(path, sizeof path, "/bomb?deflate&size=%d&frames=%d", sizes[i] + 1, (int)i + 1);
        connect_to("c", path);
        CHECK_NEGATIVE(SocketRead("c", 0, PATIENCE_MS, zeros, sizeof zeros), WDSOCKET_E_CLOSED);
        CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_CODE), "1009");
        CHECK_OK(SocketClose("c"));
    }
}

static void what_is_within_the_limit_arrives_however_small_it_was(void)
{
    static char zeros[64 * MIB + 1];
    connect_to("c", "/bomb?deflate&size=67108864&id=whole");
    memset(zeros, 1, sizeof zeros);
    CHECK_COUNT(SocketRead("c", 0, PATIENCE_MS, zeros, sizeof zeros), 64 * MIB);
    for (size_t i = 0; i < 64 * MIB; i++)
        if (zeros[i] != 0) check_failed(__FILE__, __LINE__, "zeros only", "another byte");
    CHECK_BETWEEN(info_number("c", WDSOCKET_INFO_WIRE_BYTES_IN), 1, 70000);
    CHECK_TEXT(info("c", WDSOCKET_INFO_BYTES_IN), "67108864");
    /* It goes on. */
    CHECK_OK(SocketWrite("c", "hello", -1));
    CHECK_COUNT(SocketRead("c", 0, PATIENCE_MS, zeros, sizeof zeros), 5);
}

static void many_that_are_within_it_fill_the_queue_and_no_more(void)
{
    static char zeros[MIB];
    set_option("c", WDSOCKET_OPTION_RECEIVE_QUEUE_BYTES, "4000000");
    bool known = forget_peak();
    long resident = resident_kib();
    connect_to("c", "/bomb?deflate&size=1048576&count=1000");
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_QUEUED_IN) >= 3900000);
    /* Nothing tells that nothing more comes. */
    sleep_ms(200);
    CHECK_BETWEEN(info_number("c", WDSOCKET_INFO_QUEUED_IN), 3900000, 4000000 + MIB + 10 * 64);
    for (int i = 0; i < 1000; i++) CHECK_COUNT(SocketRead("c", 0, PATIENCE_MS, zeros, sizeof zeros), MIB);
    expect_peak_below(resident, known, 24 << 10);
    CHECK_OK(SocketClose("c"));
}

static void also_for_a_callback_socket(void)
{
    Recorder events = {0};
    set_option("c", WDSOCKET_OPTION_RECEIVE_QUEUE_BYTES, "4000000");
    bool known = forget_peak();
    long resident = resident_kib();
    connect_recorder(&events, "c", "/bomb?deflate&size=1048576&count=1000");
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_OPEN && info_number("c", WDSOCKET_INFO_QUEUED_IN) >= 3900000);
    sleep_ms(200);
    CHECK_BETWEEN(info_number("c", WDSOCKET_INFO_QUEUED_IN), 3900000, 4000000 + MIB + 10 * 64);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    for (int i = 0; i < 1000; i++) {
        CHECK_INT(EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, NULL)->length, MIB);
        if (events.taken == events.count) forget_events(&events);
    }
    /* The recorder's copies count, too: some are taken at a time. */
    expect_peak_below(resident, known, 32 << 10);
    forget_events(&events);
    CHECK_OK(SocketClose("c"));
}

static void a_bomb_holds_up_nobody_else(void)
{
    set_option("c", WDSOCKET_OPTION_RECEIVE_QUEUE_BYTES, "1000000000");
    connect_to("other", "/echo");
    /* 1 GB in messages of 64 MiB: the library is at it for a while. */
    connect_to("c", "/bomb?deflate&size=67108864&count=15");
    int64_t end = now_ms() + 500;
    while (now_ms() < end) {
        int64_t start = now_ms();
        CHECK_OK(SocketWrite("other", "hello", -1));
        EXPECT_TEXT("other", "hello");
        CHECK_INT(SocketState("c"), WDSOCKET_STATE_OPEN);
        CHECK_BETWEEN(now_ms() - start, 0, 2000);
    }
    int64_t start = now_ms();
    CHECK_OK(SocketClose("c"));
    CHECK_BETWEEN(now_ms() - start, 0, 2000);
}

int main(void)
{
    RUN(a_smaller_limit_costs_less);
    RUN(a_gigabyte_in_one_frame);
    RUN(a_gigabyte_in_many_frames);
    RUN(a_gigabyte_behind_messages);
    RUN(the_limit_is_exact);
    RUN(many_that_are_within_it_fill_the_queue_and_no_more);
    RUN(also_for_a_callback_socket);
    RUN(what_is_within_the_limit_arrives_however_small_it_was);
    RUN(a_bomb_holds_up_nobody_else);
    return 0;
}
