/* What reconnecting promises when things come together: what waits at the end of a connection is sent once, writes
   go on, calls on a lost synchronous socket do not wait longer than they may, options are changed meanwhile. The test
   server is reached through a relay. POSIX only. */
#define _DEFAULT_SOURCE
#include "testing.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "relay.h"

static Relay *relay;
static Recorder events;

static void reconnect_within(const char *name, const char *min, const char *max)
{
    set_option(name, WDSOCKET_OPTION_RECONNECT_MIN_MS, min);
    set_option(name, WDSOCKET_OPTION_RECONNECT_MAX_MS, max);
}

static void connect_callback(const char *path)
{
    relay = relay_start("127.0.0.1", 0);
    reconnect_within("c", "10", "50");
    CHECK_OK(SocketConnect("c", relay_url(relay, path), record, NULL, &events));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
}

static void connect_synchronous(const char *path)
{
    relay = relay_start("127.0.0.1", 0);
    reconnect_within("c", "10", "50");
    CHECK_OK(WebSocketClientConnect("c", relay_url(relay, path), 0, NULL, NULL, PATIENCE_MS));
}

static void end(void)
{
    SocketClose("c");
    relay_free(relay);
    events.inside = NULL;
    forget_events(&events);
}

static const Event *expect_loss(void)
{
    const Event *error = EXPECT_EVENT(&events, WDSOCKET_EVENT_ERROR, "");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1006");
    return error;
}

/* What the connection "c" is, as another thread sees it: inside its callback the event's is told. */
static void look(void *state) { *(intptr_t *)state = SocketState("c"); }

static intptr_t state_elsewhere(void)
{
    intptr_t state;
    join_thread(start_thread(look, &state));
    return state;
}

/* --- sent once, and nothing lost ---------------------------------------------------------- */

#define BACKLOG 800
#define LENGTH 10000

static char block[LENGTH + 2 * BACKLOG];

/* Messages that their lengths tell apart. */
static void write_lengths(int from, int to)
{
    for (int i = from; i < to; i++) CHECK_OK(SocketWriteBinary("c", block, LENGTH + i));
}

/* The server gets each of these once, over whichever connection, and the old one's closing answer with this line. */
static void expect_lengths(const char *id, int count, const char *close_line)
{
    char line[32];
    CHECK_OK(SocketWrite("c", "end", -1));
    EXPECT_DIARY(id, "text 3");
    EXPECT_DIARY(id, close_line);
    const char *text = diary(id, "text 3");
    for (int i = 0; i < count; i++) {
        snprintf(line, sizeof line, "binary %d\n", LENGTH + i);
        CHECK_INT(lines_with(text, line), 1);
    }
}

/* A connection with a relay that takes nothing, and a send queue that is not empty. */
static void connect_with_backlog(const char *id)
{
    char path[100];
    snprintf(path, sizeof path, "/count?id=%s", id);
    set_option("c", WDSOCKET_OPTION_COMPRESSION, "off");
    connect_callback(path);
    relay_hold(relay, true);
    write_lengths(0, BACKLOG);
    CHECK(info_number("c", WDSOCKET_INFO_QUEUED_OUT) > 10 * LENGTH);
}

static void nothing_is_sent_twice_after_a_violation(void)
{
    connect_with_backlog("violation");
    relay_inject(relay, "\x8f\x00", 2);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_ERROR, "");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1002");
    relay_hold(relay, false);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    expect_lengths("violation", BACKLOG, "close 1002");
    end();
}

static void what_waits_at_a_close_of_the_peers_is_sent_on_the_next_connection(void)
{
    connect_with_backlog("restart");
    relay_inject(relay, "\x88\x02\x03\xf4", 4);
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSING);
    long long queued = info_number("c", WDSOCKET_INFO_QUEUED_OUT);
    CHECK(queued > 10 * LENGTH);
    /* The answer is stuck behind what had been begun; all the same, writes are queued. */
    write_lengths(BACKLOG, BACKLOG + 10);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_CLOSING);
    relay_hold(relay, false);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1012");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    expect_lengths("restart", BACKLOG + 10, "close 1012");
    /* Those that waited did not go to a server that has ended. */
    CHECK_OK(SocketWrite("c", "report", -1));
    const Event *report = EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, NULL);
    CHECK_BETWEEN(atoi(report->message), (int)(queued / (LENGTH + BACKLOG)) + 10, BACKLOG + 10);
    end();
}

static void writes_wait_for_room_across_a_close_of_the_peers(void)
{
    set_option("c", WDSOCKET_OPTION_SEND_QUEUE_BYTES, "100000");
    /* It is full when the system has taken nothing more for a while: its buffers may grow. */
    set_option("c", WDSOCKET_OPTION_WRITE_TIMEOUT_MS, "200");
    set_option("c", WDSOCKET_OPTION_COMPRESSION, "off");
    connect_callback("/count?id=room");
    relay_hold(relay, true);
    int written = 0;
    while (SocketWriteBinary("c", block, LENGTH + written) == 1) CHECK(++written < 2 * BACKLOG);
    CHECK_INT(SocketErrorCode(), WDSOCKET_E_SEND_QUEUE_FULL);
    relay_inject(relay, "\x88\x02\x03\xf4", 4);
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSING);
    while (SocketWriteBinary("c", block, LENGTH + written) == 1) CHECK(++written < 2 * BACKLOG);
    CHECK_INT(SocketErrorCode(), WDSOCKET_E_SEND_QUEUE_FULL);
    relay_hold(relay, false);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1012");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_WRITABLE, "");
    expect_lengths("room", written, "close 1012");
    end();
}

static void without_reconnecting_a_close_of_the_peers_ends_it(void)
{
    set_option("c", WDSOCKET_OPTION_COMPRESSION, "off");
    relay = relay_start("127.0.0.1", 0);
    CHECK_OK(SocketConnect("c", relay_url(relay, "/count?id=plain"), record, NULL, &events));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    relay_hold(relay, true);
    write_lengths(0, BACKLOG);
    relay_inject(relay, "\x88\x02\x03\xf4", 4);
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSING);
    CHECK_FAILS(SocketWrite("c", "x", -1), WDSOCKET_E_CLOSED);
    relay_hold(relay, false);
    /* All that was written is sent before the answer. */
    char total[32];
    snprintf(total, sizeof total, "binary %d", LENGTH + BACKLOG - 1);
    EXPECT_DIARY("plain", total);
    EXPECT_DIARY("plain", "close 1012");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1012");
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_CLOSED);
    CHECK_INT(relay_accepted(relay), 1);
    end();
}

/* --- writes around a loss ----------------------------------------------------------------- */

static void the_write_that_finds_the_loss_is_queued(void)
{
    /* A full receive queue: nobody but a write looks at the connection. */
    set_option("c", WDSOCKET_OPTION_RECEIVE_QUEUE_BYTES, "1");
    connect_callback("/flood?count=3&size=10&type=text");
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_QUEUED_IN) == 10);
    relay_cut(relay);
    /* The reset may take a moment. */
    int written = 0;
    while (info_number("c", WDSOCKET_INFO_QUEUED_OUT) == 0) {
        CHECK_OK(SocketWrite("c", "around the loss", -1));
        CHECK(++written < PATIENCE_MS);
        sleep_ms(1);
    }
    CHECK_OK(SocketWrite("c", "around the loss", -1));
    CHECK_OK(SocketWrite("c", "around the loss", -1));
    written += 2;
    CHECK_INT(info_number("c", WDSOCKET_INFO_QUEUED_OUT), 3 * 15);
    int found = 0;
    for (int opened = 0; found < 3;) {
        const Event *event = next_event(&events);
        CHECK(event != NULL);
        CHECK(event->event != WDSOCKET_EVENT_WRITABLE);
        opened += event->event == WDSOCKET_EVENT_OPENING;
        if (event->event == WDSOCKET_EVENT_MESSAGE && strcmp(event->message, "around the loss") == 0) {
            CHECK_INT(opened, 1);
            found++;
        }
    }
    CHECK_INT(info_number("c", WDSOCKET_INFO_MESSAGES_OUT), written);
    end();
}

static atomic_int stop;

static void write_on(void *count)
{
    while (!atomic_load(&stop)) {
        if (SocketWrite("c", "on and on", -1) != 1) check_failed(__FILE__, __LINE__, "1 from SocketWrite", SocketErrorMessage());
        ++*(int *)count;
        sleep_ms(1);
    }
}

static void writes_succeed_whatever_happens_to_the_connection(void)
{
    int count = 0;
    connect_callback("/count?id=on");
    atomic_store(&stop, 0);
    Thread *writer = start_thread(write_on, &count);
    for (int i = 0; i < 40; i++) {
        switch (i % 4) {
        case 0: relay_cut(relay); break;
        case 1: relay_end(relay); break;
        case 2: relay_inject(relay, "\x88\x02\x03\xf4", 4); break;
        default: relay_inject(relay, "\x8f\x00", 2);
        }
        const Event *event;
        do
            event = next_event(&events);
        while (event && event->event != WDSOCKET_EVENT_OPENING);
        CHECK(event != NULL);
        CHECK_INT(info_number("c", WDSOCKET_INFO_RECONNECTIONS), i + 1);
    }
    atomic_store(&stop, 1);
    join_thread(writer);
    CHECK_INT(info_number("c", WDSOCKET_INFO_MESSAGES_OUT), count);
    end();
}

#define LARGE (24 << 20)

static void write_large(void *result)
{
    char *message = malloc(LARGE);
    CHECK(message != NULL);
    fill_noise(message, LARGE, 1);
    *(intptr_t *)result = SocketWriteBinary("c", message, LARGE);
    free(message);
}

static void a_message_that_was_being_compressed_goes_over_the_next_connection(void)
{
    intptr_t result = -1;
    connect_callback("/count?deflate&id=compressing");
    Thread *writer = start_thread(write_large, &result);
    for (int i = 0; i < 5; i++) {
        /* In the middle of compressing, most of the time. */
        sleep_ms(60);
        relay_cut(relay);
        expect_loss();
        EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    }
    join_thread(writer);
    CHECK_INT(result, 1);
    end();
}

static void writable_comes_after_a_loss_that_emptied_the_queue(void)
{
    static char large[9000000];
    set_option("c", WDSOCKET_OPTION_SEND_QUEUE_BYTES, "1000");
    set_option("c", WDSOCKET_OPTION_WRITE_TIMEOUT_MS, "0");
    set_option("c", WDSOCKET_OPTION_PING_INTERVAL_MS, "0");
    set_option("c", WDSOCKET_OPTION_COMPRESSION, "off");
    connect_callback("/count");
    relay_hold(relay, true);
    CHECK_OK(SocketWriteBinary("c", large, sizeof large));
    CHECK_FAILS(SocketWrite("c", "x", -1), WDSOCKET_E_SEND_QUEUE_FULL);
    relay_cut(relay);
    expect_loss();
    relay_hold(relay, false);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_WRITABLE, "");
    CHECK_INT(info_number("c", WDSOCKET_INFO_QUEUED_OUT), 0);
    end();
}

/* --- inside the callback ------------------------------------------------------------------ */

static void ask_when_it_is_back(Recorder *recorder, const Event *event)
{
    (void)recorder;
    if (event->event != WDSOCKET_EVENT_CLOSING) return;
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_RECONNECTIONS) == 1);
    CHECK_INT(state_elsewhere(), WDSOCKET_STATE_OPEN);
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_CODE), "4001");
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_REASON), "because");
    CHECK_CONTAINS(info("c", WDSOCKET_INFO_LAST_ERROR), "because");
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_CONNECTING);
    /* What is not about the end is of now. */
    CHECK_OK(SocketWrite("c", "inside", -1));
}

static void inside_closing_the_ended_connection_is_asked_about(void)
{
    connect_callback("/close?code=4001&reason=because&after=1");
    events.inside = ask_when_it_is_back;
    CHECK_OK(SocketWrite("c", "close", -1));
    const Event *closing = EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "4001");
    CHECK_INT(closing->state, WDSOCKET_STATE_CONNECTING);
    events.inside = NULL;
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "4001");
    end();
}

static void the_state_inside_closing_tells_the_last_one(void)
{
    connect_callback("/echo");
    relay_cut(relay);
    expect_loss();
    CHECK_INT(events.events[events.taken - 1].state, WDSOCKET_STATE_CONNECTING);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_OK(SocketCloseWith("c", 1000, NULL));
    CHECK_INT(EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1000")->state, WDSOCKET_STATE_CLOSED);
    end();
}

/* --- options that change ------------------------------------------------------------------ */

static void turned_on_after_the_end_nothing_comes_back(void)
{
    relay = relay_start("127.0.0.1", 0);
    CHECK_OK(SocketConnect("c", relay_url(relay, "/echo"), record, NULL, &events));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    relay_cut(relay);
    expect_loss();
    CHECK_FAILS(SocketWrite("c", "x", -1), WDSOCKET_E_CLOSED);
    reconnect_within("c", "10", "50");
    CHECK_FAILS(SocketWrite("c", "x", -1), WDSOCKET_E_CLOSED);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_CLOSED);
    /* The name can be connected again. */
    CHECK_OK(SocketConnect("c", relay_url(relay, "/echo"), record, NULL, &events));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    end();
}

static void turned_on_after_the_end_a_synchronous_socket_stays_closed(void)
{
    char buffer[10];
    relay = relay_start("127.0.0.1", 0);
    CHECK_OK(WebSocketClientConnect("c", relay_url(relay, "/echo"), 0, NULL, NULL, PATIENCE_MS));
    relay_cut(relay);
    CHECK_NEGATIVE(SocketRead("c", 1, 0, buffer, sizeof buffer), WDSOCKET_E_CLOSED);
    reconnect_within("c", "10", "50");
    CHECK_FAILS(SocketWrite("c", "x", -1), WDSOCKET_E_CLOSED);
    CHECK_NEGATIVE(SocketRead("c", 1, 0, buffer, sizeof buffer), WDSOCKET_E_CLOSED);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_CLOSED);
    CHECK_INT(relay_accepted(relay), 1);
    end();
}

static atomic_int warnings;

static void WDSOCKET_CALL count_warnings(int32_t level, const char *line, void *user_data)
{
    (void)line, (void)user_data;
    atomic_fetch_add(&warnings, level <= 2);
}

static void wait_long(void)
{
    reconnect_within("c", "3600000", "3600000");
    relay_cut(relay);
    expect_loss();
}

static void turned_off_while_waiting_it_ends_at_once(void)
{
    connect_callback("/echo");
    wait_long();
    CHECK_OK(SocketWrite("c", "never sent", -1));
    CHECK_INT(info_number("c", WDSOCKET_INFO_QUEUED_OUT), 10);
    reconnect_within("c", NULL, NULL);
    const Event *error = expect_loss();
    CHECK_INT(error->error, WDSOCKET_E_CANCELLED);
    CHECK_CONTAINS(error->error_message, "turned off");
    CHECK_INT(events.events[events.taken - 1].state, WDSOCKET_STATE_CLOSED);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_CLOSED);
    CHECK_FAILS(SocketWrite("c", "x", -1), WDSOCKET_E_CLOSED);
    CHECK_INT(info_number("c", WDSOCKET_INFO_QUEUED_OUT), 0);
    CHECK_INT(relay_accepted(relay), 1);
    end();
}

static void a_shorter_time_counts_while_waiting(void)
{
    connect_callback("/echo");
    wait_long();
    reconnect_within("c", "10", "50");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    end();
}

static void closing_while_waiting_is_nothing_to_warn_of(void)
{
    connect_callback("/echo");
    wait_long();
    atomic_store(&warnings, 0);
    CHECK_OK(SocketSetLog(count_warnings, 3, NULL));
    CHECK_OK(SocketClose("c"));
    CHECK_OK(SocketShutdown(PATIENCE_MS));
    CHECK_OK(SocketSetLog(NULL, 0, NULL));
    CHECK_INT(atomic_load(&warnings), 0);
    end();
}

static void events_do_not_pile_up(void)
{
    relay = relay_start("127.0.0.1", 0);
    reconnect_within("c", "1", "1");
    CHECK_OK(SocketConnect("c", relay_url(relay, "/http?status=503"), record, NULL, &events));
    WAIT_UNTIL(relay_accepted(relay) == 1);
    /* Nobody dispatches: there is one attempt to be told of, and no other. */
    sleep_ms(300);
    CHECK_INT(relay_accepted(relay), 1);
    expect_loss();
    WAIT_UNTIL(relay_accepted(relay) == 2);
    end();
}

/* --- synchronous sockets ------------------------------------------------------------------ */

/* A lost one, whose attempts to come back hang until the relay holds no more. */
static void lose_synchronous(const char *path)
{
    char buffer[10];
    set_option("c", WDSOCKET_OPTION_CONNECT_TIMEOUT_MS, "60000");
    connect_synchronous(path);
    relay_hold(relay, true);
    relay_cut(relay);
    CHECK_NEGATIVE(SocketRead("c", 1, 0, buffer, sizeof buffer), WDSOCKET_E_CLOSED);
}

static void write_from_a_thread(void *result) { *(intptr_t *)result = SocketWrite("c", "from the writer", -1); }

static void let_go_soon(void *unused)
{
    (void)unused;
    /* By then the reader waits, most of the time. */
    sleep_ms(100);
    relay_hold(relay, false);
}

/* While nobody reads, the library answers. */
static void expect_pong(const char *id)
{
    control(id, "ping");
    EXPECT_DIARY(id, "pong control");
}

static void a_read_may_wait_while_another_thread_reconnects(void)
{
    intptr_t result = -1;
    lose_synchronous("/echo?id=meanwhile");
    Thread *writer = start_thread(write_from_a_thread, &result);
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CONNECTING);
    Thread *other = start_thread(let_go_soon, NULL);
    EXPECT_TEXT("c", "from the writer");
    join_thread(writer);
    join_thread(other);
    CHECK_INT(result, 1);
    expect_pong("meanwhile");
    end();
}

static void connect_slowly(void *unused)
{
    (void)unused;
    connect_to("c", "/slow?ms=200&id=slowly");
    CHECK_OK(SocketWrite("c", "open", -1));
}

static void a_read_may_wait_while_the_first_connection_opens(void)
{
    Thread *connecting = start_thread(connect_slowly, NULL);
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CONNECTING);
    EXPECT_TEXT("c", "open");
    join_thread(connecting);
    expect_pong("slowly");
    CHECK_OK(SocketClose("c"));
}

static void write_to_c(Recorder *recorder, const Event *event)
{
    (void)recorder, (void)event;
    CHECK_OK(SocketWrite("c", "from the callback", -1));
}

static void what_may_not_wait_only_begins_the_attempt(void)
{
    char buffer[100];
    lose_synchronous("/echo");
    int64_t start = now_ms();
    CHECK_NEGATIVE(SocketAvailable("c"), WDSOCKET_E_NO_MESSAGE);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_CONNECTING);
    CHECK_NEGATIVE(SocketAvailable("c"), WDSOCKET_E_NO_MESSAGE);
    CHECK_NEGATIVE(SocketRead("c", 0, 0, buffer, sizeof buffer), WDSOCKET_E_TIMEOUT);
    /* What has a limit keeps it. */
    CHECK_NEGATIVE(SocketRead("c", 0, 50, buffer, sizeof buffer), WDSOCKET_E_TIMEOUT);
    CHECK_BETWEEN(now_ms() - start, 50, PATIENCE_MS);
    CHECK_INT(relay_accepted(relay), 2);
    relay_hold(relay, false);
    CHECK_OK(SocketWrite("c", "back", -1));
    EXPECT_TEXT("c", "back");
    CHECK_INT(relay_accepted(relay), 2);
    end();
}

static void a_read_without_waiting_only_begins_the_attempt(void)
{
    char buffer[100];
    lose_synchronous("/echo");
    int64_t start = now_ms();
    CHECK_NEGATIVE(SocketRead("c", 0, 0, buffer, sizeof buffer), WDSOCKET_E_TIMEOUT);
    CHECK_BETWEEN(now_ms() - start, 0, PATIENCE_MS);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_CONNECTING);
    relay_hold(relay, false);
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_OPEN);
    end();
}

static void a_write_inside_a_callback_is_queued(void)
{
    lose_synchronous("/echo");
    events.inside = write_to_c;
    connect_recorder(&events, "d", "/echo");
    int64_t start = now_ms();
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_BETWEEN(now_ms() - start, 0, PATIENCE_MS);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_CONNECTING);
    CHECK_INT(info_number("c", WDSOCKET_INFO_QUEUED_OUT), 17);
    relay_hold(relay, false);
    EXPECT_TEXT("c", "from the callback");
    CHECK_OK(SocketClose("d"));
    end();
}

static void an_attempt_in_the_background_that_fails_says_so(void)
{
    char buffer[10];
    connect_synchronous("/echo");
    relay_stop(relay);
    CHECK_NEGATIVE(SocketRead("c", 1, 0, buffer, sizeof buffer), WDSOCKET_E_CLOSED);
    CHECK_NEGATIVE(SocketAvailable("c"), WDSOCKET_E_NO_MESSAGE);
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
    CHECK_NEGATIVE(SocketAvailable("c"), WDSOCKET_E_REFUSED);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_CLOSED);
    relay_resume(relay);
    CHECK_OK(SocketWrite("c", "again", -1));
    EXPECT_TEXT("c", "again");
    end();
}

static void a_write_that_finds_the_loss_tells_it_once(void)
{
    connect_synchronous("/echo");
    for (int i = 0; i < 5; i++) {
        /* Just now the host has looked, so nobody else does for a while. */
        CHECK_NEGATIVE(SocketAvailable("c"), WDSOCKET_E_NO_MESSAGE);
        relay_cut(relay);
        for (int lost = 0; SocketWrite("c", "lost", -1) == 1; lost++) CHECK(lost < 1000000);
        CHECK_INT(SocketErrorCode(), WDSOCKET_E_CLOSED);
        CHECK_OK(SocketWrite("c", "again", -1));
        EXPECT_TEXT("c", "again");
    }
    end();
}

static void a_synchronous_socket_keeps_what_waits_too(void)
{
    set_option("c", WDSOCKET_OPTION_COMPRESSION, "off");
    connect_synchronous("/count?id=synchronous");
    relay_hold(relay, true);
    write_lengths(0, BACKLOG);
    CHECK(info_number("c", WDSOCKET_INFO_QUEUED_OUT) > 10 * LENGTH);
    relay_inject(relay, "\x88\x02\x03\xf4", 4);
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSING);
    CHECK_FAILS(SocketWrite("c", "x", -1), WDSOCKET_E_CLOSED);
    Thread *other = start_thread(let_go_soon, NULL);
    /* Waits for the end of the old connection, and for the new one. */
    write_lengths(BACKLOG, BACKLOG + 1);
    join_thread(other);
    CHECK_INT(info_number("c", WDSOCKET_INFO_RECONNECTIONS), 1);
    expect_lengths("synchronous", BACKLOG + 1, "close 1012");
    end();
}

int main(void)
{
    RUN(nothing_is_sent_twice_after_a_violation);
    RUN(what_waits_at_a_close_of_the_peers_is_sent_on_the_next_connection);
    RUN(writes_wait_for_room_across_a_close_of_the_peers);
    RUN(without_reconnecting_a_close_of_the_peers_ends_it);
    RUN(the_write_that_finds_the_loss_is_queued);
    RUN(writes_succeed_whatever_happens_to_the_connection);
    RUN(a_message_that_was_being_compressed_goes_over_the_next_connection);
    RUN(writable_comes_after_a_loss_that_emptied_the_queue);
    RUN(inside_closing_the_ended_connection_is_asked_about);
    RUN(the_state_inside_closing_tells_the_last_one);
    RUN(turned_on_after_the_end_nothing_comes_back);
    RUN(turned_on_after_the_end_a_synchronous_socket_stays_closed);
    RUN(turned_off_while_waiting_it_ends_at_once);
    RUN(a_shorter_time_counts_while_waiting);
    RUN(closing_while_waiting_is_nothing_to_warn_of);
    RUN(events_do_not_pile_up);
    RUN(a_read_may_wait_while_another_thread_reconnects);
    RUN(a_read_may_wait_while_the_first_connection_opens);
    RUN(what_may_not_wait_only_begins_the_attempt);
    RUN(a_read_without_waiting_only_begins_the_attempt);
    RUN(a_write_inside_a_callback_is_queued);
    RUN(an_attempt_in_the_background_that_fails_says_so);
    RUN(a_write_that_finds_the_loss_tells_it_once);
    RUN(a_synchronous_socket_keeps_what_waits_too);
    return 0;
}
