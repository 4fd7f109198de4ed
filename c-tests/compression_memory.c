/* What idle connections cost that compress: little each, and they lose nothing by it. */
#include "testing.h"

#include <stdio.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#define CONNECTIONS 200
/* Less than a window: a repetition can be found. */
#define SIZE 30000
/* How long an idle connection may keep more. */
#define IDLE_MS 10000
/* KiB: 64 for the windows, what a plain one costs, its share of what the process keeps; a compressor has 330. */
#define TWO_WINDOWS 128

static char out[SIZE];
static char in[SIZE + 1];

static const char *name_of(int number)
{
    static char name[16];
    snprintf(name, sizeof name, "c%d", number);
    return name;
}

static void exchange(int number, uint32_t seed)
{
    fill_text(out, SIZE, seed);
    CHECK_OK(SocketWrite(name_of(number), out, SIZE));
    CHECK_COUNT(SocketRead(name_of(number), 0, PATIENCE_MS, in, sizeof in), SIZE);
    CHECK(memcmp(in, out, SIZE) == 0);
}

static void open_all(const char *path, uint32_t rounds)
{
    for (int i = 0; i < CONNECTIONS; i++) connect_to(name_of(i), path);
    for (uint32_t round = 0; round < rounds; round++)
        for (int i = 0; i < CONNECTIONS; i++) exchange(i, (uint32_t)i + round);
}

static void close_all(void)
{
    for (int i = 0; i < CONNECTIONS; i++) CHECK_OK(SocketClose(name_of(i)));
    SocketShutdown(PATIENCE_MS);
}

/* Waits until a connection costs no more than so many KiB. */
static void expect_cost(long before, long kib)
{
    int64_t until = now_ms() + IDLE_MS;
    while ((resident_kib() - before) / CONNECTIONS > kib && now_ms() < until) sleep_ms(20);
    CHECK_BETWEEN((resident_kib() - before) / CONNECTIONS, -1000000, kib);
}

/* What is kept between connections is there afterwards; by a few only, and what
 * earlier tests freed goes back to the system, since their memory may be used again. */
static void warm_up(void)
{
    for (int i = 0; i < 4; i++) connect_to(name_of(i), "/echo?deflate");
    for (int i = 0; i < 8; i++) exchange(i % 4, 1);
    for (int i = 0; i < 4; i++) CHECK_OK(SocketClose(name_of(i)));
    SocketShutdown(PATIENCE_MS);
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

static void with_context_takeover_it_is_two_windows(void)
{
    warm_up();
    long before = resident_kib();
    open_all("/echo?deflate", 2);
    expect_cost(before, TWO_WINDOWS);
    /* After that each message may still refer to the ones before. */
    for (int i = 0; i < CONNECTIONS; i++) {
        long long wire_out = info_number(name_of(i), WDSOCKET_INFO_WIRE_BYTES_OUT);
        long long wire_in = info_number(name_of(i), WDSOCKET_INFO_WIRE_BYTES_IN);
        exchange(i, (uint32_t)i + 1);
        CHECK_BETWEEN(info_number(name_of(i), WDSOCKET_INFO_WIRE_BYTES_OUT) - wire_out, 1, 1000);
        CHECK_BETWEEN(info_number(name_of(i), WDSOCKET_INFO_WIRE_BYTES_IN) - wire_in, 1, 4000);
    }
    expect_cost(before, TWO_WINDOWS);
}

static void idle_connections_keep_their_context(void)
{
    static char noise[3000];
    fill_noise(noise, sizeof noise, 1);
    connect_to("c", "/echo?deflate&id=context");
    /* Shorter and longer than what could make it idle. */
    static const int pauses[] = {0, 0, 300, 1200, 2500};
    for (int i = 1; i <= 5; i++) {
        sleep_ms(pauses[i - 1]);
        CHECK_OK(SocketWriteBinary("c", noise, sizeof noise));
        CHECK_COUNT(SocketRead("c", 0, PATIENCE_MS, in, sizeof in), sizeof noise);
        CHECK(memcmp(in, noise, sizeof noise) == 0);
        if (i > 1) CHECK_BETWEEN(compressed_length("context", i), 1, 200);
    }
}

static void smaller_windows_cost_less(void)
{
    warm_up();
    set_option(NULL, WDSOCKET_OPTION_COMPRESSION_WINDOW_BITS, "10");
    long before = resident_kib();
    open_all("/echo?deflate=server_max_window_bits=10;client_max_window_bits=10", 2);
    expect_cost(before, 48);
    set_option(NULL, WDSOCKET_OPTION_COMPRESSION_WINDOW_BITS, NULL);
}

static void without_context_takeover_it_is_hardly_more_than_plain(void)
{
    warm_up();
    long before = resident_kib();
    open_all("/echo", 2);
    sleep_ms(1000);
    long plain = (resident_kib() - before) / CONNECTIONS;
    close_all();
    before = resident_kib();
    open_all("/echo?deflate=server_no_context_takeover;client_no_context_takeover", 2);
    expect_cost(before, (plain > 0 ? plain : 0) + 16);
}

static void what_was_not_agreed_costs_nothing(void)
{
    warm_up();
    set_option(NULL, WDSOCKET_OPTION_COMPRESSION, "off");
    long before = resident_kib();
    open_all("/echo", 2);
    sleep_ms(500);
    long off = (resident_kib() - before) / CONNECTIONS;
    close_all();
    set_option(NULL, WDSOCKET_OPTION_COMPRESSION, NULL);
    before = resident_kib();
    open_all("/echo", 2);
    expect_cost(before, (off > 0 ? off : 0) + 8);
}

static void agreed_and_never_used_costs_nothing(void)
{
    warm_up();
    long before = resident_kib();
    open_all("/echo?deflate", 0);
    expect_cost(before, 24);
}

int main(void)
{
    RUN(with_context_takeover_it_is_two_windows);
    RUN(idle_connections_keep_their_context);
    RUN(smaller_windows_cost_less);
    RUN(without_context_takeover_it_is_hardly_more_than_plain);
    RUN(what_was_not_agreed_costs_nothing);
    RUN(agreed_and_never_used_costs_nothing);
    return 0;
}
