/* Compressed messages, both ways: which are, that they arrive as they were, and what is counted. */
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>

#define LARGE (4 << 20)

static char out[LARGE];
static char in[LARGE + 1];

/* Sends the first bytes of `out`, which must come back. */
static void exchange(const char *name, size_t size, bool text)
{
    CHECK_OK(text ? SocketWrite(name, out, (intptr_t)size) : SocketWriteBinary(name, out, (intptr_t)size));
    CHECK_COUNT(SocketRead(name, 0, PATIENCE_MS, in, sizeof in), size);
    CHECK(memcmp(in, out, size) == 0);
    CHECK_COUNT(SocketMessageType(name), text ? 1 : 2);
}

/* How many messages of the connection came compressed, once as many came as given. */
static int compressed(const char *id, int texts) { return lines_with(diary_with(id, "text", texts), "compressed"); }

static void both_sides_compress_what_was_agreed(void)
{
    connect_to("c", "/echo?deflate&id=both");
    CHECK_TEXT(info("c", WDSOCKET_INFO_EXTENSIONS), "permessage-deflate");
    fill_text(out, 100000, 1);
    exchange("c", 100000, true);
    CHECK_TEXT(info("c", WDSOCKET_INFO_BYTES_OUT), "100000");
    CHECK_TEXT(info("c", WDSOCKET_INFO_BYTES_IN), "100000");
    CHECK_TEXT(info("c", WDSOCKET_INFO_MESSAGES_IN), "1");
    CHECK_BETWEEN(compressed_length("both", 1), 1000, 50000);
    CHECK_BETWEEN(info_number("c", WDSOCKET_INFO_WIRE_BYTES_OUT), compressed_length("both", 1), compressed_length("both", 1) + 14);
    CHECK_BETWEEN(info_number("c", WDSOCKET_INFO_WIRE_BYTES_IN), 1000, 60000);
}

static void without_agreement_nothing_is_compressed(void)
{
    fill_text(out, 10000, 1);
    connect_to("c", "/echo?id=plain");
    exchange("c", 10000, true);
    CHECK_INT(compressed("plain", 1), 0);
    CHECK_BETWEEN(info_number("c", WDSOCKET_INFO_WIRE_BYTES_OUT), 10000, 10014);
    CHECK_OK(SocketClose("c"));
    set_option("c", WDSOCKET_OPTION_COMPRESSION, "off");
    connect_to("c", "/echo?id=off");
    exchange("c", 10000, true);
    CHECK_INT(compressed("off", 1), 0);
    CHECK_OK(SocketClose("c"));
}

static void messages_of_every_size_and_kind_come_back(void)
{
    static const size_t sizes[] = {0, 1, 2, 3, 124, 125, 126, 127, 1023, 1024, 1025, 32767, 32768, 32769, 65535, 65536, 65537, 1 << 20, LARGE};
    set_option("c", WDSOCKET_OPTION_COMPRESSION_MIN_BYTES, "0");
    connect_to("c", "/echo?deflate&id=sizes");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        fill_text(out, sizes[i], (uint32_t)i);
        exchange("c", sizes[i], true);
        fill_noise(out, sizes[i], (uint32_t)i);
        exchange("c", sizes[i], false);
        memset(out, 0, sizes[i]);
        exchange("c", sizes[i], false);
    }
    CHECK_LACKS(diary("sizes", ""), "protocol");
    CHECK_OK(SocketClose("c"));
}

static void noise_costs_little_more_than_itself(void)
{
    fill_noise(out, LARGE, 7);
    connect_to("c", "/count?deflate");
    CHECK_OK(SocketWriteBinary("c", out, LARGE));
    CHECK_OK(SocketWrite("c", "report", -1));
    CHECK_CONTAINS(read_text("c"), "1 4194304 ");
    CHECK_BETWEEN(info_number("c", WDSOCKET_INFO_WIRE_BYTES_OUT), 1, LARGE + LARGE / 100);
}

static void text_with_characters_of_every_length(void)
{
    static const char *const characters[] = {"a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    size_t at = 0;
    for (int i = 0; i < 20000; i++) {
        const char *character = characters[i % 7 % 4];
        memcpy(out + at, character, strlen(character));
        at += strlen(character);
    }
    connect_to("c", "/echo?deflate&fragment=100");
    exchange("c", at, true);
    exchange("c", at, true);
}

static void messages_below_1024_bytes_go_plain_by_default(void)
{
    fill_text(out, 1024, 1);
    connect_to("c", "/echo?deflate&id=default");
    exchange("c", 1023, true);
    CHECK_INT(compressed("default", 1), 0);
    exchange("c", 1024, true);
    CHECK_INT(compressed("default", 2), 1);
}

static void the_limit_can_be_set(void)
{
    fill_text(out, 1000, 1);
    set_option("c", WDSOCKET_OPTION_COMPRESSION_MIN_BYTES, "200");
    connect_to("c", "/echo?deflate&id=limit");
    exchange("c", 199, true);
    CHECK_INT(compressed("limit", 1), 0);
    exchange("c", 200, true);
    CHECK_INT(compressed("limit", 2), 1);
    CHECK_OK(SocketClose("c"));
}

static void also_on_a_live_connection_for_each_message(void)
{
    fill_text(out, 3000, 1);
    connect_to("c", "/echo?deflate&id=live");
    for (int i = 0; i < 6; i++) {
        set_option("c", WDSOCKET_OPTION_COMPRESSION_MIN_BYTES, i % 2 ? "2147483647" : "0");
        exchange("c", 3000, true);
        CHECK_INT(compressed("live", i + 1), i / 2 + 1);
    }
    /* Back to the default. */
    set_option("c", WDSOCKET_OPTION_COMPRESSION_MIN_BYTES, NULL);
    exchange("c", 1000, true);
    CHECK_INT(compressed("live", 7), 3);
    exchange("c", 1024, true);
    CHECK_INT(compressed("live", 8), 4);
    CHECK_OK(SocketClose("c"));
}

static void empty_messages_always_go_plain(void)
{
    set_option("c", WDSOCKET_OPTION_COMPRESSION_MIN_BYTES, "0");
    connect_to("c", "/echo?deflate&id=empty");
    exchange("c", 0, true);
    exchange("c", 0, false);
    fill_text(out, 500, 1);
    exchange("c", 500, true);
    exchange("c", 0, true);
    CHECK_INT(compressed("empty", 3), 1);
    CHECK_OK(SocketClose("c"));
}

static void compressed_and_plain_messages_mix(void)
{
    set_option("c", WDSOCKET_OPTION_COMPRESSION_MIN_BYTES, "300");
    connect_to("c", "/echo?deflate&mixed=1&id=mixed");
    for (int i = 0; i < 200; i++) {
        size_t size = (size_t)(i * 7919 % 600);
        fill_text(out, size, (uint32_t)(i / 5));
        exchange("c", size, i % 3 > 0);
    }
    const char *seen = diary("mixed", "");
    CHECK_BETWEEN(lines_with(seen, "compressed"), 80, 120);
    CHECK_LACKS(seen, "protocol");
    CHECK_OK(SocketClose("c"));
}

static void fragments_of_compressed_messages(void)
{
    fill_text(out, 20000, 1);
    connect_to("c", "/echo?deflate&fragment=1");
    for (int i = 0; i < 3; i++) exchange("c", 20000, true);
    CHECK_OK(SocketClose("c"));
    connect_to("c", "/fragment?deflate&text=hello%20hello%20world&pieces=5&ping=1&pause_ms=5&id=pings");
    EXPECT_TEXT("c", "hello hello world");
    CHECK_INT(lines_with(diary_with("pings", "pong between", 4), "pong between"), 4);
}

static void lengths_and_queues_count_the_messages_own_bytes(void)
{
    connect_to("c", "/flood?deflate&count=3&size=100000");
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == 3);
    CHECK_BETWEEN(info_number("c", WDSOCKET_INFO_QUEUED_IN), 300000, 300000 + 3 * 64);
    CHECK_BETWEEN(info_number("c", WDSOCKET_INFO_WIRE_BYTES_IN), 3, 20000);
    CHECK_COUNT(SocketAvailable("c"), 100000);
    CHECK_COUNT(SocketRead("c", 1, 0, NULL, 0), 100000);
    char small[100];
    CHECK_NEGATIVE(SocketRead("c", 1, 0, small, sizeof small), WDSOCKET_E_BUFFER_TOO_SMALL);
    for (int i = 0; i < 3; i++) {
        CHECK_COUNT(SocketRead("c", 1, 0, in, sizeof in), 100000);
        CHECK_INT(atoi(in), i);
    }
    CHECK_TEXT(info("c", WDSOCKET_INFO_QUEUED_IN), "0");
}

static void callback_sockets_do_all_this_too(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/echo?deflate&mixed=1&fragment=50&id=callback");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    for (int i = 0; i < 50; i++) {
        size_t size = (size_t)(i * 997 % 5000);
        fill_text(out, size, (uint32_t)i);
        CHECK_OK(SocketWrite("c", out, (intptr_t)size));
        const Event *event = EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, NULL);
        CHECK_INT(event->length, size);
        CHECK(memcmp(event->message, out, size) == 0);
    }
    CHECK(lines_with(diary("callback", ""), "compressed") > 10);
    forget_events(&events);
}

static void pings_and_close_frames_stay_plain(void)
{
    fill_text(out, 5000, 1);
    set_option("c", WDSOCKET_OPTION_PING_INTERVAL_MS, "10");
    set_option("c", WDSOCKET_OPTION_COMPRESSION_MIN_BYTES, "0");
    connect_to("c", "/echo?deflate&id=control");
    for (int i = 0; i < 20; i++) exchange("c", 5000, true);
    diary_with("control", "ping", 3);
    CHECK_OK(SocketCloseWith("c", 3000, "a reason, a reason, a reason, a reason, a reason, a reason"));
    EXPECT_DIARY("control", "close 3000 a reason, a reason, a reason, a reason, a reason, a reason");
    CHECK_NEGATIVE(SocketRead("c", 1, 0, in, sizeof in), WDSOCKET_E_CLOSED);
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_REASON), "a reason, a reason, a reason, a reason, a reason, a reason");
    CHECK_LACKS(diary("control", "eof"), "protocol");
    CHECK_OK(SocketClose("c"));
}

static void everything_written_before_close_is_sent(void)
{
    char total[80];
    uint64_t hash = FNV1A_START;
    connect_to("c", "/count?deflate&id=sent&quiet=1");
    for (uint32_t i = 0; i < 100; i++) {
        fill_text(out, 20000, i);
        hash = fnv1a(hash, out, 20000);
        CHECK_OK(SocketWrite("c", out, 20000));
    }
    CHECK_OK(SocketClose("c"));
    snprintf(total, sizeof total, "total 100 2000000 %016llx", (unsigned long long)hash);
    EXPECT_DIARY("sent", total);
    EXPECT_DIARY("sent", "close 1000");
}

static void a_name_that_is_connected_again_begins_afresh(void)
{
    fill_noise(out, 3000, 1);
    for (int i = 0; i < 3; i++) {
        connect_to("c", "/echo?deflate&id=again");
        exchange("c", 3000, false);
        exchange("c", 3000, false);
        CHECK_OK(SocketCloseWith("c", 1000, NULL));
        WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
    }
    CHECK_LACKS(diary_with("again", "eof", 3), "protocol");
}

static void the_largest_message_counts_its_own_bytes(void)
{
    set_option("c", WDSOCKET_OPTION_MAX_MESSAGE_BYTES, "10000");
    fill_text(out, 10001, 1);
    connect_to("c", "/echo?deflate&id=largest");
    exchange("c", 10000, true);
    CHECK_FAILS(SocketWrite("c", out, 10001), WDSOCKET_E_TOO_BIG);
    exchange("c", 10000, true);
    CHECK_INT(compressed("largest", 2), 2);
    CHECK_OK(SocketClose("c"));
}

int main(void)
{
    RUN(both_sides_compress_what_was_agreed);
    RUN(without_agreement_nothing_is_compressed);
    RUN(messages_of_every_size_and_kind_come_back);
    RUN(noise_costs_little_more_than_itself);
    RUN(text_with_characters_of_every_length);
    RUN(messages_below_1024_bytes_go_plain_by_default);
    RUN(the_limit_can_be_set);
    RUN(also_on_a_live_connection_for_each_message);
    RUN(empty_messages_always_go_plain);
    RUN(compressed_and_plain_messages_mix);
    RUN(fragments_of_compressed_messages);
    RUN(lengths_and_queues_count_the_messages_own_bytes);
    RUN(callback_sockets_do_all_this_too);
    RUN(pings_and_close_frames_stay_plain);
    RUN(everything_written_before_close_is_sent);
    RUN(a_name_that_is_connected_again_begins_afresh);
    RUN(the_largest_message_counts_its_own_bytes);
    return 0;
}
