/* RECONNECT_MIN_MS and RECONNECT_MAX_MS: a callback socket that was lost comes back by itself. The test server is
   reached through a relay, which can die and live again. This program is also the resolver. POSIX only. */
#define _DEFAULT_SOURCE
#include "testing.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "relay.h"

/* --- the resolver ------------------------------------------------------------------------- */

static atomic_int asked;
static atomic_int moved; /* to 127.0.0.2 */

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    struct in_addr literal;
    bool known = name && strcmp(name, "server.test") == 0;
    if (!known && !(name && inet_pton(AF_INET, name, &literal) == 1)) return EAI_NONAME;
    if (known) {
        atomic_fetch_add(&asked, 1);
        inet_pton(AF_INET, atomic_load(&moved) ? "127.0.0.2" : "127.0.0.1", &literal);
    }
    struct addrinfo *info = calloc(1, sizeof *info + sizeof(struct sockaddr_in));
    if (!info) abort();
    struct sockaddr_in *address = (struct sockaddr_in *)(void *)(info + 1);
    address->sin_family = AF_INET;
    address->sin_addr = literal;
    address->sin_port = htons((uint16_t)(service ? atoi(service) : 0));
    info->ai_family = AF_INET;
    info->ai_socktype = hints && hints->ai_socktype ? hints->ai_socktype : SOCK_STREAM;
    info->ai_protocol = IPPROTO_TCP;
    info->ai_addr = (struct sockaddr *)address;
    info->ai_addrlen = sizeof *address;
    *result = info;
    return 0;
}

void freeaddrinfo(struct addrinfo *info) { free(info); }

/* --- helpers ------------------------------------------------------------------------------ */

static Relay *relay;
static Recorder events;

static void reconnect_within(const char *name, const char *min, const char *max)
{
    set_option(name, WDSOCKET_OPTION_RECONNECT_MIN_MS, min);
    set_option(name, WDSOCKET_OPTION_RECONNECT_MAX_MS, max);
}

/* A relay, and a callback socket "c" through it that has come up and comes back soon if it is lost. */
static void connect_through_relay(const char *path)
{
    relay = relay_start("127.0.0.1", 0);
    reconnect_within("c", "10", "50");
    CHECK_OK(SocketConnect("c", relay_url(relay, path), record, NULL, &events));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
}

static void end(void)
{
    SocketClose("c");
    relay_free(relay);
    forget_events(&events);
}

/* ERROR and CLOSING, as a lost connection or a failed attempt gives them. */
static const Event *expect_loss(void)
{
    const Event *error = EXPECT_EVENT(&events, WDSOCKET_EVENT_ERROR, "");
    CHECK(error->error != WDSOCKET_E_OK);
    CHECK(error->error_message[0] != '\0');
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1006");
    return error;
}

/* The next event other than those of failed attempts. */
static const Event *expect_opening(void)
{
    int64_t until = now_ms() + PATIENCE_MS;
    for (;;) {
        const Event *event = next_event(&events);
        if (!event || now_ms() > until) check_failed(__FILE__, __LINE__, "OPENING", "nothing, or failed attempts only");
        if (event->event == WDSOCKET_EVENT_OPENING) return event;
        CHECK(event->event == WDSOCKET_EVENT_ERROR || event->event == WDSOCKET_EVENT_CLOSING);
    }
}

static void expect_echo(const char *text)
{
    CHECK_OK(SocketWrite("c", text, -1));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, text);
}

/* --- callback sockets --------------------------------------------------------------------- */

static void off_by_default_a_lost_connection_stays_lost(void)
{
    relay = relay_start("127.0.0.1", 0);
    CHECK_OK(SocketConnect("c", relay_url(relay, "/echo"), record, NULL, &events));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    relay_cut(relay);
    expect_loss();
    EXPECT_NO_EVENT(&events, 800);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_CLOSED);
    CHECK_INT(relay_accepted(relay), 1);
    CHECK_FAILS(SocketWrite("c", "x", -1), WDSOCKET_E_CLOSED);
    end();
}

static void a_lost_connection_comes_back(void)
{
    connect_through_relay("/echo");
    expect_echo("first");
    CHECK_TEXT(info("c", WDSOCKET_INFO_RECONNECTIONS), "0");
    for (int i = 1; i <= 3; i++) {
        relay_cut(relay);
        expect_loss();
        EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
        CHECK_INT(SocketState("c"), WDSOCKET_STATE_OPEN);
        CHECK_INT(info_number("c", WDSOCKET_INFO_RECONNECTIONS), i);
        expect_echo("again");
    }
    CHECK_INT(relay_accepted(relay), 4);
    end();
}

static void it_comes_back_after_a_close_of_the_peers(void)
{
    connect_through_relay("/echo?id=peer%20closes");
    control("peer closes", "close&code=1012");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1012");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    expect_echo("again");
    end();
}

static void it_comes_back_after_an_end_without_a_close_frame(void)
{
    connect_through_relay("/echo");
    relay_end(relay);
    expect_loss();
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    expect_echo("again");
    end();
}

static void it_comes_back_after_a_violation_of_the_protocol(void)
{
    connect_through_relay("/raw?hex=8f00&after=1");
    CHECK_OK(SocketWrite("c", "x", -1));
    const Event *error = EXPECT_EVENT(&events, WDSOCKET_EVENT_ERROR, "");
    CHECK_INT(error->error, WDSOCKET_E_PROTOCOL);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1002");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    end();
}

static void it_comes_back_when_pongs_stay_away(void)
{
    set_option("c", WDSOCKET_OPTION_PING_INTERVAL_MS, "100");
    set_option("c", WDSOCKET_OPTION_PONG_TIMEOUT_MS, "200");
    connect_through_relay("/nopong");
    expect_loss();
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    end();
}

static void in_between_it_is_connecting(void)
{
    connect_through_relay("/echo");
    relay_stop(relay);
    expect_loss();
    for (int i = 0; i < 20; i++) {
        CHECK_INT(SocketState("c"), WDSOCKET_STATE_CONNECTING);
        CHECK_OK(SocketExists("c"));
        CHECK_FAILS(WebSocketClientConnectAsync("c", record, "127.0.0.1", test_port(), "/", NULL, &events),
                    WDSOCKET_E_NAME_IN_USE);
        sleep_ms(5);
    }
    relay_resume(relay);
    expect_opening();
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_OPEN);
    expect_echo("again");
    end();
}

static void each_failed_attempt_says_so(void)
{
    connect_through_relay("/echo");
    relay_stop(relay);
    expect_loss();
    for (int i = 0; i < 5; i++) {
        const Event *error = expect_loss();
        CHECK_INT(error->error, WDSOCKET_E_REFUSED);
        CHECK_CONTAINS(error->error_message, "refused");
    }
    relay_resume(relay);
    expect_opening();
    CHECK_TEXT(info("c", WDSOCKET_INFO_RECONNECTIONS), "1");
    end();
}

static void the_first_attempt_is_repeated_too(void)
{
    relay = relay_start("127.0.0.1", 0);
    relay_stop(relay);
    reconnect_within("c", "10", "50");
    CHECK_OK(SocketConnect("c", relay_url(relay, "/echo"), record, NULL, &events));
    for (int i = 0; i < 3; i++) CHECK_INT(expect_loss()->error, WDSOCKET_E_REFUSED);
    /* Nothing has been open yet. */
    CHECK_FAILS(SocketWrite("c", "early", -1), WDSOCKET_E_NOT_OPEN);
    relay_resume(relay);
    expect_opening();
    CHECK_TEXT(info("c", WDSOCKET_INFO_RECONNECTIONS), "0");
    expect_echo("at last");
    end();
}

static void one_of_the_options_is_enough(void)
{
    relay = relay_start("127.0.0.1", 0);
    for (int i = 0; i < 2; i++) {
        set_option("c", i == 0 ? WDSOCKET_OPTION_RECONNECT_MIN_MS : WDSOCKET_OPTION_RECONNECT_MAX_MS, "100");
        CHECK_OK(SocketConnect("c", relay_url(relay, "/echo"), record, NULL, &events));
        EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
        relay_cut(relay);
        expect_loss();
        EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
        CHECK_OK(SocketClose("c"));
    }
    end();
}

static void the_default_of_all_names_counts(void)
{
    reconnect_within(NULL, "10", "50");
    relay = relay_start("127.0.0.1", 0);
    CHECK_OK(SocketConnect("c", relay_url(relay, "/echo"), record, NULL, &events));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    relay_cut(relay);
    expect_loss();
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    reconnect_within(NULL, NULL, NULL);
    end();
}

static void the_delays_grow_up_to_the_limit(void)
{
    relay = relay_start("127.0.0.1", 0);
    relay_stop(relay);
    /* Random times up to 20, 40, 80, 160, 320, 320... */
    reconnect_within("c", "20", "320");
    CHECK_OK(SocketConnect("c", relay_url(relay, "/echo"), record, NULL, &events));
    expect_loss();
    int64_t start = now_ms();
    for (int i = 0; i < 12; i++) expect_loss();
    /* 1430 on average; less than this once in some hundred thousand runs, more never but on a busy machine. */
    CHECK_BETWEEN(now_ms() - start, 250, 2860 + 5000);
    end();
}

static void small_delays_stay_small(void)
{
    relay = relay_start("127.0.0.1", 0);
    relay_stop(relay);
    reconnect_within("c", "1", "5");
    CHECK_OK(SocketConnect("c", relay_url(relay, "/echo"), record, NULL, &events));
    int64_t start = now_ms();
    for (int i = 0; i < 100; i++) expect_loss();
    CHECK_BETWEEN(now_ms() - start, 50, 10000);
    end();
}

static void messages_before_the_loss_come_before_it(void)
{
    connect_through_relay("/flood?count=500&size=100&type=text");
    for (int opened = 0; opened < 2; opened++) {
        for (int i = 0; i < 500; i++) {
            const Event *message = EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, NULL);
            CHECK_INT(atoi(message->message), i);
        }
        relay_cut(relay);
        expect_loss();
        EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    }
    end();
}

static void options_and_path_stay(void)
{
    set_option("c", WDSOCKET_OPTION_HEADER, "X-Token: 17");
    connect_through_relay("/headers?a=b");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, NULL);
    relay_cut(relay);
    expect_loss();
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    const Event *request = EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, NULL);
    CHECK_CONTAINS(request->message, "GET /headers?a=b HTTP/1.1");
    CHECK_HAS_HEADER(request->message, "X-Token: 17");
    end();
}

static void the_name_is_resolved_each_time(void)
{
    char url[64];
    connect_through_relay("/echo");
    CHECK_OK(SocketClose("c"));
    Relay *other = relay_start("127.0.0.2", relay_port(relay));
    atomic_store(&moved, 0);
    atomic_store(&asked, 0);
    reconnect_within("c", "10", "50");
    snprintf(url, sizeof url, "ws://server.test:%d/echo", relay_port(relay));
    CHECK_OK(SocketConnect("c", url, record, NULL, &events));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_CONTAINS(info("c", WDSOCKET_INFO_REMOTE_ADDRESS), "127.0.0.1:");
    CHECK_INT(atomic_load(&asked), 1);
    atomic_store(&moved, 1);
    relay_stop(relay);
    expect_loss();
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_CONTAINS(info("c", WDSOCKET_INFO_REMOTE_ADDRESS), "127.0.0.2:");
    CHECK_INT(atomic_load(&asked), 2);
    CHECK_INT(relay_accepted(other), 1);
    expect_echo("moved");
    CHECK_OK(SocketClose("c"));
    relay_free(other);
    end();
}

static void redirections_are_followed_each_time(void)
{
    connect_through_relay("/http?status=302&header=Location:/echo");
    CHECK_INT(relay_accepted(relay), 2);
    relay_cut(relay);
    expect_loss();
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    expect_echo("again");
    CHECK_INT(relay_accepted(relay), 4);
    end();
}

/* --- refusals ----------------------------------------------------------------------------- */

static void a_refused_upgrade_is_not_repeated(void)
{
    static const char *paths[] = {"/http?status=400", "/http?status=401", "/http?status=403", "/http?status=404"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        relay = relay_start("127.0.0.1", 0);
        reconnect_within("c", "10", "50");
        CHECK_OK(SocketConnect("c", relay_url(relay, paths[i]), record, NULL, &events));
        CHECK_INT(expect_loss()->error, WDSOCKET_E_HANDSHAKE);
        EXPECT_NO_EVENT(&events, 200);
        CHECK_INT(SocketState("c"), WDSOCKET_STATE_CLOSED);
        CHECK_INT(relay_accepted(relay), 1);
        CHECK_FAILS(SocketWrite("c", "x", -1), WDSOCKET_E_CLOSED);
        end();
    }
}

static void a_server_that_is_not_there_for_the_moment_is_asked_again(void)
{
    relay = relay_start("127.0.0.1", 0);
    reconnect_within("c", "10", "50");
    CHECK_OK(SocketConnect("c", relay_url(relay, "/http?status=503"), record, NULL, &events));
    for (int i = 0; i < 3; i++) CHECK_INT(expect_loss()->error, WDSOCKET_E_HANDSHAKE);
    CHECK(relay_accepted(relay) >= 3);
    end();
}

/* --- writing ------------------------------------------------------------------------------ */

static void writes_in_between_are_sent_afterwards(void)
{
    char text[32];
    connect_through_relay("/echo");
    relay_stop(relay);
    expect_loss();
    long long size = 0;
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "message %d", i);
        CHECK_OK(SocketWrite("c", text, -1));
        size += (long long)strlen(text);
    }
    CHECK_INT(info_number("c", WDSOCKET_INFO_QUEUED_OUT), size);
    relay_resume(relay);
    expect_opening();
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "message %d", i);
        EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, text);
    }
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_QUEUED_OUT) == 0);
    end();
}

static void kinds_and_bytes_stay(void)
{
    connect_through_relay("/echo?id=kinds");
    relay_stop(relay);
    expect_loss();
    CHECK_OK(SocketWriteBinary("c", "a\0b", 3));
    CHECK_OK(SocketWrite("c", "", 0));
    CHECK_OK(SocketWrite("c", "text", -1));
    relay_resume(relay);
    expect_opening();
    const Event *message = EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, NULL);
    CHECK_INT(message->message_type, WDSOCKET_MESSAGE_BINARY);
    CHECK_INT(message->length, 3);
    CHECK(memcmp(message->message, "a\0b", 3) == 0);
    message = EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "");
    CHECK_INT(message->message_type, WDSOCKET_MESSAGE_TEXT);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "text");
    end();
}

static void writes_in_between_are_checked_too(void)
{
    set_option("c", WDSOCKET_OPTION_MAX_MESSAGE_BYTES, "100");
    static char large[101];
    connect_through_relay("/echo");
    relay_stop(relay);
    expect_loss();
    CHECK_FAILS(SocketWrite("c", "\xff", 1), WDSOCKET_E_ENCODING);
    CHECK_FAILS(SocketWriteBinary("c", large, sizeof large), WDSOCKET_E_TOO_BIG);
    relay_resume(relay);
    expect_opening();
    expect_echo("fine");
    end();
}

static void writes_in_between_are_bounded(void)
{
    static char block[1000];
    set_option("c", WDSOCKET_OPTION_SEND_QUEUE_BYTES, "10000");
    set_option("c", WDSOCKET_OPTION_WRITE_TIMEOUT_MS, "20");
    connect_through_relay("/count");
    relay_stop(relay);
    expect_loss();
    int written = 0;
    while (SocketWriteBinary("c", block, sizeof block) == 1) CHECK(++written < 100);
    CHECK_INT(SocketErrorCode(), WDSOCKET_E_SEND_QUEUE_FULL);
    /* Each counts 1064; below the limit one more is let in. */
    CHECK_INT(written, 10);
    relay_resume(relay);
    expect_opening();
    EXPECT_EVENT(&events, WDSOCKET_EVENT_WRITABLE, "");
    CHECK_OK(SocketWrite("c", "report", -1));
    char want[32];
    snprintf(want, sizeof want, "%d %d ", written, written * 1000);
    CHECK_CONTAINS(EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, NULL)->message, want);
    end();
}

static void write_in_between(void *result)
{
    *(intptr_t *)result = SocketWrite("c", "waited", -1);
}

static void a_write_waits_for_room_until_it_is_back(void)
{
    static char block[1000];
    set_option("c", WDSOCKET_OPTION_SEND_QUEUE_BYTES, "1000");
    set_option("c", WDSOCKET_OPTION_WRITE_TIMEOUT_MS, "15000");
    connect_through_relay("/count");
    relay_stop(relay);
    expect_loss();
    CHECK_OK(SocketWriteBinary("c", block, sizeof block));
    intptr_t result = -1;
    Thread *writer = start_thread(write_in_between, &result);
    sleep_ms(100);
    relay_resume(relay);
    expect_opening();
    join_thread(writer);
    CHECK_INT(result, 1);
    end();
}

/* The sender of numbered messages of 10 kB each. */
static int write_numbered(int from)
{
    static char block[10000];
    memset(block, 'x', sizeof block);
    int number = from;
    for (;; number++) {
        int digits = snprintf(block, 16, "%d ", number);
        block[digits] = 'x';
        if (SocketWrite("c", block, sizeof block) != 1) break;
        CHECK(number < 100000);
    }
    CHECK_INT(SocketErrorCode(), WDSOCKET_E_SEND_QUEUE_FULL);
    return number;
}

static void what_the_system_had_not_taken_is_sent(void)
{
    set_option("c", WDSOCKET_OPTION_SEND_QUEUE_BYTES, "2000000");
    set_option("c", WDSOCKET_OPTION_WRITE_TIMEOUT_MS, "300");
    connect_through_relay("/echo");
    relay_hold(relay, true);
    int written = write_numbered(0);
    long long queued = info_number("c", WDSOCKET_INFO_QUEUED_OUT);
    CHECK(queued > 100000);
    EXPECT_NO_EVENT(&events, 50);
    relay_stop(relay);
    relay_hold(relay, false);
    /* There is no more room than before: what waits is kept. */
    expect_loss();
    CHECK_BETWEEN(info_number("c", WDSOCKET_INFO_QUEUED_OUT) / 10000, queued / 10000 - 1, queued / 10000);
    set_option("c", WDSOCKET_OPTION_SEND_QUEUE_BYTES, "3000000");
    CHECK_OK(SocketWrite("c", "last", -1));
    relay_resume(relay);
    expect_opening();
    /* Everything that was queued, whole, in order, once, then what was written since. The first of it may have
       been begun before: that one is lost. */
    int next = -1, first = -1;
    for (;;) {
        const Event *event = next_event(&events);
        CHECK(event != NULL);
        if (event->event == WDSOCKET_EVENT_WRITABLE) continue;
        CHECK_INT(event->event, WDSOCKET_EVENT_MESSAGE);
        if (strcmp(event->message, "last") == 0) break;
        CHECK_INT(event->length, 10000);
        if (next < 0) next = first = atoi(event->message);
        CHECK_INT(atoi(event->message), next);
        next++;
    }
    CHECK_INT(next, written);
    CHECK_BETWEEN(first, 1, written - (int)(queued / 10000) + 1);
    CHECK(info_number("c", WDSOCKET_INFO_QUEUED_OUT) == 0);
    end();
}

static void what_waits_survives_several_losses(void)
{
    char text[32];
    connect_through_relay("/echo");
    relay_stop(relay);
    expect_loss();
    for (int i = 0; i < 5; i++) {
        snprintf(text, sizeof text, "message %d", i);
        CHECK_OK(SocketWrite("c", text, -1));
        expect_loss();
    }
    relay_resume(relay);
    expect_opening();
    for (int i = 0; i < 5; i++) {
        snprintf(text, sizeof text, "message %d", i);
        EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, text);
    }
    CHECK_INT(info_number("c", WDSOCKET_INFO_MESSAGES_OUT), 5);
    end();
}

/* --- ending ------------------------------------------------------------------------------- */

static void wait_long(void)
{
    reconnect_within("c", "3600000", "3600000");
    relay_stop(relay);
    expect_loss();
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_CONNECTING);
}

static void close_ends_the_wait_at_once(void)
{
    connect_through_relay("/echo");
    wait_long();
    int64_t start = now_ms();
    CHECK_OK(SocketClose("c"));
    CHECK_BETWEEN(now_ms() - start, 0, 1000);
    CHECK_FAILS(SocketExists("c"), WDSOCKET_E_UNKNOWN_NAME);
    EXPECT_NO_EVENT(&events, 100);
    /* Nothing is left that a shutdown would have to wait for. */
    CHECK_OK(SocketShutdown(2000));
    end();
}

static void shutdown_ends_the_wait_at_once(void)
{
    connect_through_relay("/echo");
    wait_long();
    CHECK_OK(SocketWrite("c", "never sent", -1));
    int64_t start = now_ms();
    CHECK_OK(SocketShutdown(5000));
    CHECK_BETWEEN(now_ms() - start, 0, 2000);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_NONE);
    relay_resume(relay);
    EXPECT_NO_EVENT(&events, 100);
    CHECK_INT(relay_accepted(relay), 1);
    end();
}

static void close_ends_an_attempt_under_way(void)
{
    connect_through_relay("/echo");
    /* Accepts, and takes no request any more: the attempt hangs. */
    relay_hold(relay, true);
    relay_cut(relay);
    expect_loss();
    WAIT_UNTIL(relay_accepted(relay) == 2);
    int64_t start = now_ms();
    CHECK_OK(SocketClose("c"));
    CHECK_OK(SocketShutdown(3000));
    CHECK_BETWEEN(now_ms() - start, 0, 2000);
    EXPECT_NO_EVENT(&events, 100);
    end();
}

static void an_attempt_that_hangs_fails_in_time(void)
{
    set_option("c", WDSOCKET_OPTION_CONNECT_TIMEOUT_MS, "200");
    connect_through_relay("/echo");
    relay_hold(relay, true);
    relay_cut(relay);
    expect_loss();
    CHECK_INT(expect_loss()->error, WDSOCKET_E_TIMEOUT);
    relay_hold(relay, false);
    expect_opening();
    end();
}

static void the_hosts_own_close_is_the_end(void)
{
    connect_through_relay("/echo");
    CHECK_OK(SocketCloseWith("c", 4000, "enough"));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "4000");
    EXPECT_NO_EVENT(&events, 300);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_CLOSED);
    CHECK_INT(relay_accepted(relay), 1);
    end();
}

static void the_hosts_own_close_is_the_end_even_if_the_connection_is_lost_over_it(void)
{
    connect_through_relay("/noclose");
    CHECK_OK(SocketCloseWith("c", 1000, NULL));
    relay_cut(relay);
    const Event *event = next_event(&events);
    while (event && event->event == WDSOCKET_EVENT_ERROR) event = next_event(&events);
    CHECK(event != NULL);
    CHECK_INT(event->event, WDSOCKET_EVENT_CLOSING);
    EXPECT_NO_EVENT(&events, 300);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_CLOSED);
    CHECK_INT(relay_accepted(relay), 1);
    end();
}

static void close_in_the_event(Recorder *recorder, const Event *event)
{
    (void)recorder;
    if (event->event == WDSOCKET_EVENT_CLOSING) CHECK_OK(SocketClose(event->name));
}

static void close_inside_the_closing_event_is_the_end(void)
{
    connect_through_relay("/echo");
    events.inside = close_in_the_event;
    relay_cut(relay);
    expect_loss();
    EXPECT_NO_EVENT(&events, 300);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_NONE);
    events.inside = NULL;
    end();
}

static void write_in_the_event(Recorder *recorder, const Event *event)
{
    (void)recorder;
    if (event->event == WDSOCKET_EVENT_CLOSING) CHECK_OK(SocketWrite(event->name, "from CLOSING", -1));
}

static void a_write_inside_the_closing_event_is_queued(void)
{
    connect_through_relay("/echo");
    events.inside = write_in_the_event;
    relay_stop(relay);
    expect_loss();
    events.inside = NULL;
    relay_resume(relay);
    expect_opening();
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "from CLOSING");
    end();
}

static void turned_off_while_waiting_it_ends(void)
{
    connect_through_relay("/echo");
    relay_stop(relay);
    expect_loss();
    reconnect_within("c", NULL, NULL);
    /* The attempt that is due may still come. */
    int64_t until = now_ms() + 500;
    while (now_ms() < until) SocketDispatch(20, 0);
    events.taken = events.count;
    EXPECT_NO_EVENT(&events, 300);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_CLOSED);
    end();
}

static void turned_on_while_open_it_counts(void)
{
    relay = relay_start("127.0.0.1", 0);
    CHECK_OK(SocketConnect("c", relay_url(relay, "/echo"), record, NULL, &events));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    reconnect_within("c", "10", "50");
    relay_cut(relay);
    expect_loss();
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    end();
}

/* --- many --------------------------------------------------------------------------------- */

#define MANY 40

static void many_come_back_again_and_again(void)
{
    static Recorder recorders[MANY];
    char name[16];
    relay = relay_start("127.0.0.1", 0);
    reconnect_within(NULL, "5", "50");
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "c%d", i);
        CHECK_OK(SocketConnect(name, relay_url(relay, "/echo"), record, NULL, &recorders[i]));
    }
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < MANY; i++) {
            if (round > 0) {
                const Event *event = next_event(&recorders[i]);
                CHECK(event != NULL);
                /* Some were caught while they came back: failed attempts. */
                while (event->event != WDSOCKET_EVENT_OPENING) {
                    CHECK(event->event == WDSOCKET_EVENT_ERROR || event->event == WDSOCKET_EVENT_CLOSING);
                    event = next_event(&recorders[i]);
                    CHECK(event != NULL);
                }
            } else {
                EXPECT_EVENT(&recorders[i], WDSOCKET_EVENT_OPENING, "");
            }
            snprintf(name, sizeof name, "c%d", i);
            CHECK_OK(SocketWrite(name, name, -1));
            EXPECT_EVENT(&recorders[i], WDSOCKET_EVENT_MESSAGE, name);
        }
        if (round % 2) relay_cut(relay);
        else relay_end(relay);
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "c%d", i);
        CHECK_OK(SocketClose(name));
        forget_events(&recorders[i]);
    }
    reconnect_within(NULL, NULL, NULL);
    end();
}

/* --- synchronous sockets ------------------------------------------------------------------ */

static void connect_synchronous(const char *path)
{
    relay = relay_start("127.0.0.1", 0);
    reconnect_within("c", "10", "50");
    CHECK_OK(WebSocketClientConnect("c", relay_url(relay, path), 0, NULL, NULL, PATIENCE_MS));
}

static void a_synchronous_socket_comes_back_in_the_call_after_the_one_that_told(void)
{
    char buffer[100];
    connect_synchronous("/echo");
    for (int i = 1; i <= 3; i++) {
        relay_cut(relay);
        CHECK_NEGATIVE(SocketRead("c", 1, 0, buffer, sizeof buffer), WDSOCKET_E_CLOSED);
        CHECK_INT(SocketState("c"), WDSOCKET_STATE_CLOSED);
        CHECK(info("c", WDSOCKET_INFO_LAST_ERROR)[0] != '\0');
        CHECK_INT(relay_accepted(relay), i);
        CHECK_OK(SocketWrite("c", "again", -1));
        CHECK_INT(SocketState("c"), WDSOCKET_STATE_OPEN);
        EXPECT_TEXT("c", "again");
        CHECK_INT(info_number("c", WDSOCKET_INFO_RECONNECTIONS), i);
        CHECK_INT(relay_accepted(relay), i + 1);
    }
    end();
}

static void a_write_tells_as_well(void)
{
    connect_synchronous("/echo");
    relay_cut(relay);
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
    sleep_ms(200);
    /* By itself it does nothing. */
    CHECK_INT(relay_accepted(relay), 1);
    CHECK_FAILS(SocketWrite("c", "lost", -1), WDSOCKET_E_CLOSED);
    CHECK_OK(SocketWrite("c", "again", -1));
    EXPECT_TEXT("c", "again");
    end();
}

static void a_read_comes_back_too(void)
{
    char buffer[100];
    connect_synchronous("/flood?count=2&size=20&type=text");
    EXPECT_TEXT("c", "0 xxxxxxxxxxxxxxxxxx");
    WAIT_UNTIL(SocketAvailable("c") == 20);
    relay_cut(relay);
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
    /* What had been received is read first. */
    EXPECT_TEXT("c", "1 xxxxxxxxxxxxxxxxxx");
    CHECK_NEGATIVE(SocketRead("c", 0, PATIENCE_MS, buffer, sizeof buffer), WDSOCKET_E_CLOSED);
    EXPECT_TEXT("c", "0 xxxxxxxxxxxxxxxxxx");
    EXPECT_TEXT("c", "1 xxxxxxxxxxxxxxxxxx");
    CHECK_INT(info_number("c", WDSOCKET_INFO_RECONNECTIONS), 1);
    end();
}

static void a_synchronous_attempt_that_fails_says_why(void)
{
    char buffer[100];
    connect_synchronous("/echo");
    relay_stop(relay);
    CHECK_NEGATIVE(SocketRead("c", 1, 0, buffer, sizeof buffer), WDSOCKET_E_CLOSED);
    for (int i = 0; i < 3; i++) {
        CHECK_FAILS(SocketWrite("c", "lost", -1), WDSOCKET_E_REFUSED);
        CHECK_CONTAINS(SocketErrorMessage(), "refused");
        CHECK_INT(SocketState("c"), WDSOCKET_STATE_CLOSED);
    }
    CHECK_NEGATIVE(SocketRead("c", 1, 0, buffer, sizeof buffer), WDSOCKET_E_REFUSED);
    relay_resume(relay);
    CHECK_OK(SocketWrite("c", "again", -1));
    EXPECT_TEXT("c", "again");
    end();
}

static void a_synchronous_socket_stays_lost_by_default(void)
{
    char buffer[100];
    relay = relay_start("127.0.0.1", 0);
    CHECK_OK(WebSocketClientConnect("c", relay_url(relay, "/echo"), 0, NULL, NULL, PATIENCE_MS));
    relay_cut(relay);
    for (int i = 0; i < 3; i++) {
        CHECK_NEGATIVE(SocketRead("c", 1, 0, buffer, sizeof buffer), WDSOCKET_E_CLOSED);
        CHECK_FAILS(SocketWrite("c", "x", -1), WDSOCKET_E_CLOSED);
    }
    CHECK_INT(relay_accepted(relay), 1);
    end();
}

static void a_synchronous_socket_that_the_host_closed_stays_closed(void)
{
    char buffer[100];
    connect_synchronous("/echo");
    CHECK_OK(SocketCloseWith("c", 1000, NULL));
    for (int i = 0; i < 3; i++) {
        CHECK_NEGATIVE(SocketRead("c", 1, 0, buffer, sizeof buffer), WDSOCKET_E_CLOSED);
        CHECK_FAILS(SocketWrite("c", "x", -1), WDSOCKET_E_CLOSED);
    }
    CHECK_INT(relay_accepted(relay), 1);
    end();
}

static void a_synchronous_first_attempt_is_not_repeated(void)
{
    relay = relay_start("127.0.0.1", 0);
    relay_stop(relay);
    reconnect_within("c", "10", "50");
    CHECK_FAILS(WebSocketClientConnect("c", relay_url(relay, "/echo"), 0, NULL, NULL, 5000), WDSOCKET_E_REFUSED);
    CHECK_FAILS(SocketExists("c"), WDSOCKET_E_UNKNOWN_NAME);
    end();
}

static void the_options_take_only_times(void)
{
    static const char *bad[] = {"-1", "2147483648", "soon", "1.5", " 1", "on"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_FAILS(SocketSetOption("c", WDSOCKET_OPTION_RECONNECT_MIN_MS, bad[i]), WDSOCKET_E_INVALID_ARGUMENT);
        CHECK_FAILS(SocketSetOption("c", WDSOCKET_OPTION_RECONNECT_MAX_MS, bad[i]), WDSOCKET_E_INVALID_ARGUMENT);
    }
    reconnect_within("c", "0", "2147483647");
    reconnect_within("c", NULL, NULL);
}

int main(void)
{
    RUN(off_by_default_a_lost_connection_stays_lost);
    RUN(a_lost_connection_comes_back);
    RUN(it_comes_back_after_a_close_of_the_peers);
    RUN(it_comes_back_after_an_end_without_a_close_frame);
    RUN(it_comes_back_after_a_violation_of_the_protocol);
    RUN(it_comes_back_when_pongs_stay_away);
    RUN(in_between_it_is_connecting);
    RUN(each_failed_attempt_says_so);
    RUN(the_first_attempt_is_repeated_too);
    RUN(one_of_the_options_is_enough);
    RUN(the_default_of_all_names_counts);
    RUN(the_delays_grow_up_to_the_limit);
    RUN(small_delays_stay_small);
    RUN(messages_before_the_loss_come_before_it);
    RUN(options_and_path_stay);
    RUN(the_name_is_resolved_each_time);
    RUN(redirections_are_followed_each_time);
    RUN(a_refused_upgrade_is_not_repeated);
    RUN(a_server_that_is_not_there_for_the_moment_is_asked_again);
    RUN(writes_in_between_are_sent_afterwards);
    RUN(kinds_and_bytes_stay);
    RUN(writes_in_between_are_checked_too);
    RUN(writes_in_between_are_bounded);
    RUN(a_write_waits_for_room_until_it_is_back);
    RUN(what_the_system_had_not_taken_is_sent);
    RUN(what_waits_survives_several_losses);
    RUN(close_ends_the_wait_at_once);
    RUN(shutdown_ends_the_wait_at_once);
    RUN(close_ends_an_attempt_under_way);
    RUN(an_attempt_that_hangs_fails_in_time);
    RUN(the_hosts_own_close_is_the_end);
    RUN(the_hosts_own_close_is_the_end_even_if_the_connection_is_lost_over_it);
    RUN(close_inside_the_closing_event_is_the_end);
    RUN(a_write_inside_the_closing_event_is_queued);
    RUN(turned_off_while_waiting_it_ends);
    RUN(turned_on_while_open_it_counts);
    RUN(many_come_back_again_and_again);
    RUN(a_synchronous_socket_comes_back_in_the_call_after_the_one_that_told);
    RUN(a_write_tells_as_well);
    RUN(a_read_comes_back_too);
    RUN(a_synchronous_attempt_that_fails_says_why);
    RUN(a_synchronous_socket_stays_lost_by_default);
    RUN(a_synchronous_socket_that_the_host_closed_stays_closed);
    RUN(a_synchronous_first_attempt_is_not_repeated);
    RUN(the_options_take_only_times);
    return 0;
}
