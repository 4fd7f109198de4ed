/* What a compressed message may refer to: context takeover and window sizes, as agreed, each way. The server inflates
   with exactly the agreed window and history, and tells what looks farther back. */
#include "testing.h"

#include <stdio.h>

#define SMALL 200 /* what a message costs at most that repeats the one before */

#define ROOM (300 << 10)

static char out[ROOM];
static char in[ROOM + 1];

static void exchange(const char *name, size_t size)
{
    CHECK_OK(SocketWriteBinary(name, out, (intptr_t)size));
    CHECK_COUNT(SocketRead(name, 0, PATIENCE_MS, in, sizeof in), size);
    CHECK(memcmp(in, out, size) == 0);
}

/* What came over the wire for one exchange of these bytes. */
static long long received_for(const char *name, size_t size)
{
    long long before = info_number(name, WDSOCKET_INFO_WIRE_BYTES_IN);
    exchange(name, size);
    return info_number(name, WDSOCKET_INFO_WIRE_BYTES_IN) - before;
}

static void a_message_refers_to_those_before_each_way(void)
{
    fill_noise(out, 3000, 1);
    connect_to("c", "/echo?deflate&id=takeover");
    CHECK_BETWEEN(received_for("c", 3000), 3000, 4000);
    CHECK_BETWEEN(received_for("c", 3000), 1, SMALL);
    CHECK_BETWEEN(compressed_length("takeover", 1), 3000, 3100);
    CHECK_BETWEEN(compressed_length("takeover", 2), 1, SMALL);
}

static void plain_messages_between_do_not_disturb_it(void)
{
    fill_noise(out, 3000, 1);
    connect_to("c", "/echo?deflate&id=between");
    exchange("c", 3000);
    for (int i = 0; i < 10; i++) exchange("c", 500);
    exchange("c", 3000);
    CHECK_BETWEEN(compressed_length("between", 2), 1, SMALL);
}

/* The client starts each message afresh: the server, which keeps nothing, can read it. */
static void expect_fresh(const char *path, const char *id)
{
    fill_noise(out, 3000, 1);
    connect_to("c", path);
    for (int i = 1; i <= 5; i++) {
        exchange("c", 3000);
        CHECK_BETWEEN(compressed_length(id, i), 2900, 3100);
    }
    CHECK_LACKS(diary(id, ""), "protocol");
    CHECK_OK(SocketClose("c"));
}

static void client_no_context_takeover_starts_each_message_afresh(void)
{
    expect_fresh("/echo?deflate=client_no_context_takeover&id=asked", "asked");
}

static void who_offers_it_does_it_even_if_the_server_does_not_say_it(void)
{
    /* RFC 7692, 7.1.1.2: the offer is a hint that the client is not going to take the context over. */
    set_option("c", WDSOCKET_OPTION_COMPRESSION_CONTEXT_TAKEOVER, "off");
    expect_fresh("/upgrade?extensions=permessage-deflate;server_no_context_takeover"
                 "&deflate=server_no_context_takeover;client_no_context_takeover&id=offered",
                 "offered");
}

static void server_no_context_takeover_is_understood(void)
{
    fill_noise(out, 3000, 1);
    connect_to("c", "/echo?deflate=server_no_context_takeover&id=server");
    for (int i = 0; i < 5; i++) CHECK_BETWEEN(received_for("c", 3000), 3000, 4000);
    /* The other way it goes on. */
    CHECK_BETWEEN(compressed_length("server", 5), 1, SMALL);
}

static void off_is_off_both_ways(void)
{
    set_option("c", WDSOCKET_OPTION_COMPRESSION_CONTEXT_TAKEOVER, "off");
    connect_to("c", "/echo?deflate=server_no_context_takeover;client_no_context_takeover&id=off");
    fill_noise(out, 3000, 1);
    for (int i = 0; i < 5; i++) CHECK_BETWEEN(received_for("c", 3000), 3000, 4000);
    CHECK_BETWEEN(compressed_length("off", 5), 2900, 3100);
    CHECK_OK(SocketClose("c"));
}

static void the_clients_window_is_kept_to_and_used(void)
{
    char path[128];
    char id[16];
    for (int bits = 9; bits <= 15; bits++) {
        snprintf(id, sizeof id, "client%d", bits);
        snprintf(path, sizeof path, "/echo?deflate=client_max_window_bits=%d&id=%s", bits, id);
        set_option("c", WDSOCKET_OPTION_COMPRESSION_MIN_BYTES, "0");
        connect_to("c", path);
        /* Repetitions well inside the window; deflate looks back some 262 bytes less, and is not thorough at its edge. */
        size_t block = ((size_t)1 << bits) - 300;
        fill_noise(out, block, 1);
        for (size_t i = block; i < 4 * block; i++) out[i] = out[i - block];
        exchange("c", 4 * block);
        CHECK_BETWEEN(compressed_length(id, 1), block, 3 * block);
        /* And just beyond it. */
        block = ((size_t)1 << bits) + 1;
        fill_noise(out, block, 2);
        for (size_t i = block; i < 4 * block; i++) out[i] = out[i - block];
        exchange("c", 4 * block);
        CHECK_BETWEEN(compressed_length(id, 2), 4 * block - 200, 5 * block);
        CHECK_LACKS(diary(id, ""), "protocol");
        CHECK_OK(SocketClose("c"));
    }
}

static void the_option_keeps_the_clients_window_small_whatever_the_answer(void)
{
    /* The server answers no client_max_window_bits, and inflates with the 512 bytes that were offered. */
    set_option("c", WDSOCKET_OPTION_COMPRESSION_WINDOW_BITS, "9");
    connect_to("c", "/upgrade?extensions=permessage-deflate;server_max_window_bits=9"
                    "&deflate=server_max_window_bits=9;client_max_window_bits=9&id=small");
    CHECK_TEXT(info("c", WDSOCKET_INFO_EXTENSIONS), "permessage-deflate; server_max_window_bits=9");
    fill_noise(out, 2000, 1);
    for (int i = 0; i < 5; i++) exchange("c", 2000);
    fill_text(out, 50000, 1);
    exchange("c", 50000);
    CHECK(compressed_length("small", 6) < 40000);
    CHECK_LACKS(diary("small", ""), "protocol");
    CHECK_OK(SocketClose("c"));
}

static void with_a_window_of_256_bytes_the_client_compresses_nothing(void)
{
    fill_text(out, 20000, 1);
    set_option("c", WDSOCKET_OPTION_COMPRESSION_MIN_BYTES, "0");
    connect_to("c", "/echo?deflate=client_max_window_bits=8&id=256");
    /* The server does. */
    CHECK_BETWEEN(received_for("c", 20000), 1, 15000);
    for (size_t size = 0; size < 2000; size += 333) exchange("c", size);
    const char *seen = diary("256", "");
    CHECK_INT(lines_with(seen, "binary"), 8);
    CHECK_INT(lines_with(seen, "compressed"), 0);
    CHECK_OK(SocketClose("c"));
}

static void every_server_window_is_understood(void)
{
    char path[128];
    for (int bits = 8; bits <= 15; bits++) {
        snprintf(path, sizeof path, "/echo?deflate=server_max_window_bits=%d", bits);
        connect_to("c", path);
        /* As far back as the window reaches: the server uses all of it. */
        size_t block = (size_t)1 << bits;
        fill_noise(out, block, 1);
        for (size_t i = block; i < 4 * block; i++) out[i] = out[i - block];
        CHECK_BETWEEN(received_for("c", 4 * block), block, block + block / 2 + 100);
        CHECK_BETWEEN(received_for("c", block), 1, block / 8 + 100);
        CHECK_OK(SocketClose("c"));
    }
}

static void nothing_is_lost_over_many_messages_with_any_agreement(void)
{
    static const char *const agreements[] = {
        "",
        "client_no_context_takeover",
        "server_no_context_takeover",
        "server_no_context_takeover;client_no_context_takeover",
        "client_max_window_bits=9;server_max_window_bits=8",
        "client_max_window_bits=11;server_max_window_bits=12",
        "client_max_window_bits=10;server_max_window_bits=9;client_no_context_takeover",
        "client_max_window_bits=12;server_max_window_bits=9;server_no_context_takeover",
    };
    char path[256];
    char id[16];
    for (size_t i = 0; i < sizeof agreements / sizeof *agreements; i++) {
        snprintf(id, sizeof id, "many%d", (int)i);
        snprintf(path, sizeof path, "/echo?deflate=%s&mixed=%d&fragment=%d&id=%s", agreements[i], (int)i % 2, i % 3 ? 0 : 1000, id);
        set_option("c", WDSOCKET_OPTION_COMPRESSION_MIN_BYTES, "50");
        connect_to("c", path);
        for (uint32_t j = 0; j < 60; j++) {
            size_t size = j % 10 == 9 ? 100000 + j : j * 7919 % 3000;
            (j % 4 == 3 ? fill_noise : fill_text)(out, size, j % 7);
            exchange("c", size);
        }
        CHECK_LACKS(diary(id, ""), "protocol");
        CHECK_OK(SocketClose("c"));
    }
}

int main(void)
{
    RUN(a_message_refers_to_those_before_each_way);
    RUN(plain_messages_between_do_not_disturb_it);
    RUN(client_no_context_takeover_starts_each_message_afresh);
    RUN(who_offers_it_does_it_even_if_the_server_does_not_say_it);
    RUN(server_no_context_takeover_is_understood);
    RUN(off_is_off_both_ways);
    RUN(the_clients_window_is_kept_to_and_used);
    RUN(the_option_keeps_the_clients_window_small_whatever_the_answer);
    RUN(with_a_window_of_256_bytes_the_client_compresses_nothing);
    RUN(every_server_window_is_understood);
    RUN(nothing_is_lost_over_many_messages_with_any_agreement);
    return 0;
}
