/* A host that does not read: nothing is dropped, memory stays bounded, the peer feels it. */
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>

static void expect_number(const char *message, int number)
{
    CHECK_INT(atoi(message), number);
}

/* Waits until the queue has stopped growing. */
static void wait_until_full(const char *name, long long limit)
{
    WAIT_UNTIL(info_number(name, WDSOCKET_INFO_QUEUED_IN) >= limit * 9 / 10);
    sleep_ms(100);
}

static void a_full_receive_queue_stops_reading_and_drops_nothing(void)
{
    static char text[10001];
    set_option("c", WDSOCKET_OPTION_RECEIVE_QUEUE_BYTES, "100000");
    connect_to("c", "/flood?count=3000&size=10000");
    wait_until_full("c", 100000);
    CHECK_BETWEEN(info_number("c", WDSOCKET_INFO_QUEUED_IN), 90000, 100000 + 10000 + 20 * 64);
    CHECK_BETWEEN(info_number("c", WDSOCKET_INFO_MESSAGES_IN), 9, 12);
    for (int i = 0; i < 3000; i++) {
        CHECK_COUNT(SocketRead("c", 0, PATIENCE_MS, text, sizeof text), 10000);
        expect_number(text, i);
    }
}

static void events_that_wait_count_as_received(void)
{
    Recorder events = {0};
    set_option("c", WDSOCKET_OPTION_RECEIVE_QUEUE_BYTES, "100000");
    connect_recorder(&events, "c", "/flood?count=3000&size=10000");
    wait_until_full("c", 100000);
    CHECK_BETWEEN(info_number("c", WDSOCKET_INFO_QUEUED_IN), 90000, 100000 + 10000 + 20 * 64);
    CHECK_BETWEEN(info_number("c", WDSOCKET_INFO_MESSAGES_IN), 9, 12);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    for (int i = 0; i < 3000; i++) {
        expect_number(EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, NULL)->message, i);
        if (events.taken == events.count) forget_events(&events);
    }
    forget_events(&events);
}

static void what_waits_behind_a_full_event_queue_comes(void)
{
    for (int round = 0; round < 10; round++) {
        Recorder events = {0};
        set_option("c", WDSOCKET_OPTION_RECEIVE_QUEUE_BYTES, "2000");
        connect_recorder(&events, "c", "/flood?count=300&size=10");
        /* All of it has arrived by now and lies somewhere in the library. */
        WAIT_UNTIL(info_number("c", WDSOCKET_INFO_QUEUED_IN) >= 200);
        sleep_ms(20);
        EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
        for (int i = 0; i < 300; i++) expect_number(EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, NULL)->message, i);
        CHECK_OK(SocketClose("c"));
        forget_events(&events);
    }
}

static void many_small_messages_count_64_bytes_each(void)
{
    char text[32];
    set_option("c", WDSOCKET_OPTION_RECEIVE_QUEUE_BYTES, "64000");
    connect_to("c", "/flood?count=100000&size=6");
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) >= 800);
    sleep_ms(100);
    /* 64000 / (64 + 6) and one. */
    CHECK_BETWEEN(info_number("c", WDSOCKET_INFO_MESSAGES_IN), 800, 916);
    for (int i = 0; i < 100000; i++) {
        CHECK_COUNT(SocketRead("c", 0, PATIENCE_MS, text, sizeof text), 6);
        expect_number(text, i);
    }
}

static void below_its_limit_the_queue_admits_a_message_of_any_size(void)
{
    set_option("c", WDSOCKET_OPTION_RECEIVE_QUEUE_BYTES, "1000");
    connect_to("c", "/flood?count=20&size=500000");
    for (int i = 0; i < 20; i++) {
        const char *text = read_text("c");
        CHECK_INT(strlen(text), 500000);
        expect_number(text, i);
    }
}

static void memory_stays_bounded_whatever_the_peer_sends(void)
{
    static char text[(1 << 20) + 1];
    set_option("c", WDSOCKET_OPTION_RECEIVE_QUEUE_BYTES, "1000000");
    connect_to("c", "/flood?count=150&size=1048576");
    long before = resident_kib();
    wait_until_full("c", 1000000);
    sleep_ms(300);
    CHECK_BETWEEN(resident_kib() - before, -1000000, 112 << 10);
    for (int i = 0; i < 150; i++) {
        CHECK_COUNT(SocketRead("c", 0, PATIENCE_MS, text, sizeof text), 1 << 20);
        expect_number(text, i);
    }
    CHECK_BETWEEN(resident_kib() - before, -1000000, 48 << 10);
}

static void memory_stays_bounded_whatever_the_host_writes(void)
{
    static char block[1 << 20];
    int written = 0;
    set_option("c", WDSOCKET_OPTION_SEND_QUEUE_BYTES, "2000000");
    set_option("c", WDSOCKET_OPTION_WRITE_TIMEOUT_MS, "1");
    connect_to("c", "/stall?id=writes&quiet=1");
    long before = resident_kib();
    for (int i = 0; i < 500; i++) written += SocketWriteBinary("c", block, sizeof block) == 1;
    CHECK_BETWEEN(written, 2, 30);
    CHECK_BETWEEN(resident_kib() - before, -1000000, 24 << 10);
    control("writes", "resume");
    CHECK_OK(SocketClose("c"));
    char total[64];
    snprintf(total, sizeof total, "total %d %lld", written, (long long)written << 20);
    CHECK_CONTAINS(diary("writes", "total"), total);
}

static void memory_of_a_full_send_queue_is_given_back(void)
{
    static char block[1 << 20];
    int written = 0;
    set_option("c", WDSOCKET_OPTION_SEND_QUEUE_BYTES, "64000000");
    set_option("c", WDSOCKET_OPTION_WRITE_TIMEOUT_MS, "0");
    set_option("c", WDSOCKET_OPTION_PING_INTERVAL_MS, "0"); /* nobody answers, and filling the queue may take long */
    connect_to("c", "/stall?ms=0&id=gives-back&quiet=1");
    long before = resident_kib();
    /* The system's buffers first, with few calls. Then many small messages: what each costs beyond its bytes counts. */
    while (info_number("c", WDSOCKET_INFO_QUEUED_OUT) == 0) CHECK_OK(SocketWriteBinary("c", block, sizeof block));
    while (SocketWrite("c", "x", 1) == 1) written++;
    CHECK_INT(SocketErrorCode(), WDSOCKET_E_SEND_QUEUE_FULL);
    CHECK(written > 500000);
    control("gives-back", "resume");
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_QUEUED_OUT) == 0);
    CHECK_BETWEEN(resident_kib() - before, -1000000, 12 << 10);
}

static void pings_are_answered_again_when_reading_goes_on(void)
{
    char text[1001];
    set_option("c", WDSOCKET_OPTION_RECEIVE_QUEUE_BYTES, "10000");
    connect_to("c", "/flood?count=20000&size=1000&id=again");
    wait_until_full("c", 10000);
    control("again", "ping");
    CHECK_INT(lines_with(diary("again", ""), "pong"), 0);
    for (int i = 0; i < 20000; i++) CHECK_COUNT(SocketRead("c", 0, PATIENCE_MS, text, sizeof text), 1000);
    EXPECT_DIARY("again", "pong control");
}

static void a_socket_that_is_not_read_does_not_hinder_others(void)
{
    Recorder events = {0};
    set_option("full", WDSOCKET_OPTION_RECEIVE_QUEUE_BYTES, "10000");
    connect_to("full", "/flood?count=1000000&size=1000");
    wait_until_full("full", 10000);
    connect_recorder(&events, "c", "/echo");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    for (int i = 0; i < 100; i++) {
        CHECK_OK(SocketWrite("c", "unhindered", -1));
        EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "unhindered");
    }
    forget_events(&events);
}

int main(void)
{
    RUN(a_full_receive_queue_stops_reading_and_drops_nothing);
    RUN(events_that_wait_count_as_received);
    RUN(what_waits_behind_a_full_event_queue_comes);
    RUN(many_small_messages_count_64_bytes_each);
    RUN(below_its_limit_the_queue_admits_a_message_of_any_size);
    RUN(memory_stays_bounded_whatever_the_peer_sends);
    RUN(memory_stays_bounded_whatever_the_host_writes);
    RUN(memory_of_a_full_send_queue_is_given_back);
    RUN(pings_are_answered_again_when_reading_goes_on);
    RUN(a_socket_that_is_not_read_does_not_hinder_others);
    return 0;
}
