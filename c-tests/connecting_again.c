/* A name that is connected again while events of the connection before still wait. */
#include "testing.h"

#include <limits.h>
#include <stdatomic.h>

static void events_outlive_a_failed_synchronous_attempt(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/flood?count=1&size=2&close=1000");
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
    CHECK_FAILS(WebSocketClientConnect("c", "127.0.0.1", 1, NULL, NULL, PATIENCE_MS), WDSOCKET_E_REFUSED);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "0 ");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1000");
    CHECK_FAILS(SocketExists("c"), WDSOCKET_E_UNKNOWN_NAME);
    forget_events(&events);
}

static void closing_discards_those_of_the_connection_before_too(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/flood?count=1&size=2&close=1000");
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
    connect_to("c", "/echo");
    CHECK_OK(SocketClose("c"));
    /* The host has closed the name: of none of its connections an event is left. */
    EXPECT_NO_EVENT(&events, 30);
    forget_events(&events);
}

/* --- against a SocketClose on another thread ------------------------------------------------ */

/* At most, as one of a thousand or so meets the moment in question; fewer where they are slow. */
#define ROUNDS 6000
#define ROUNDS_MS 5000
#define NO_MORE INT_MAX

static atomic_int armed;
static atomic_int begun;
static atomic_int ended;
static atomic_int of_closed;

/* Both threads go on when both are there. */
static void meet(atomic_int *count, int round)
{
    atomic_fetch_add(count, 1);
    while (atomic_load(count) < 2 * round) continue;
}

static void waste(unsigned turns)
{
    for (volatile unsigned i = 0; i < turns; i++) continue;
}

static void close_each(void *unused)
{
    (void)unused;
    for (int round = 1; round <= ROUNDS; round++) {
        while (atomic_load(&armed) < round) sleep_ms(0);
        if (atomic_load(&armed) == NO_MORE) return;
        meet(&begun, round);
        waste((unsigned)round * 7919 % 4000);
        SocketClose("c");
        meet(&ended, round);
    }
}

static void WDSOCKET_CALL count_closed(int32_t event, const char *message, size_t length, const char *name, void *user_data)
{
    (void)event, (void)message, (void)length, (void)name;
    atomic_fetch_add((atomic_int *)user_data, 1);
}

static intptr_t connect_refused(atomic_int *count)
{
    return WebSocketClientConnectAsync("c", count_closed, "127.0.0.1", 1, NULL, NULL, count);
}

static void no_event_comes_after_a_close_that_races_a_connect(void)
{
    static atomic_int of_new;
    Thread *closer = start_thread(close_each, NULL);
    int64_t end = now_ms() + ROUNDS_MS;
    for (int round = 1; round <= ROUNDS && now_ms() < end; round++) {
        CHECK_INT(connect_refused(&of_closed), 1);
        while (SocketState("c") != WDSOCKET_STATE_CLOSED) sleep_ms(0);
        atomic_store(&armed, round);
        meet(&begun, round);
        waste((unsigned)round * 104729 % 4000);
        connect_refused(&of_new);
        meet(&ended, round);
        /* SocketClose has returned, and the first connection had ended before it began. */
        while (SocketDispatch(0, 0) > 0) continue;
        CHECK_INT(atomic_load(&of_closed), 0);
        SocketClose("c");
    }
    atomic_store(&armed, NO_MORE);
    join_thread(closer);
}

int main(void)
{
    RUN(events_outlive_a_failed_synchronous_attempt);
    RUN(closing_discards_those_of_the_connection_before_too);
    RUN(no_event_comes_after_a_close_that_races_a_connect);
    return 0;
}
