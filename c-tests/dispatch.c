/* SocketDispatch and SocketWake. */
#include "testing.h"

#include <stdatomic.h>

/* Written one after the other, echoed after the opening was delivered. */
static void with_echoes(Recorder *events, int count)
{
    connect_recorder(events, "c", "/echo");
    EXPECT_EVENT(events, WDSOCKET_EVENT_OPENING, "");
    for (int i = 0; i < count; i++) CHECK_OK(SocketWrite("c", "echo", -1));
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == count);
}

static void without_events_it_returns_0_at_once(void)
{
    int64_t start = now_ms();
    CHECK_COUNT(SocketDispatch(0, 0), 0);
    CHECK_COUNT(SocketDispatch(0, 100), 0);
    CHECK_BETWEEN(now_ms() - start, 0, 1000);
}

static void it_waits_as_long_as_it_is_told(void)
{
    int64_t start = now_ms();
    CHECK_COUNT(SocketDispatch(150, 0), 0);
    CHECK_BETWEEN(now_ms() - start, 145, 4000);
}

static void it_returns_how_many_it_ran(void)
{
    Recorder events = {0};
    with_echoes(&events, 5);
    CHECK_COUNT(SocketDispatch(PATIENCE_MS, 0), 5);
    CHECK_INT(events.count, 6);
    CHECK_COUNT(SocketDispatch(0, 0), 0);
    forget_events(&events);
}

static void it_does_not_wait_once_something_ran(void)
{
    Recorder events = {0};
    with_echoes(&events, 2);
    int64_t start = now_ms();
    CHECK_COUNT(SocketDispatch(PATIENCE_MS, 100), 2);
    CHECK_BETWEEN(now_ms() - start, 0, PATIENCE_MS / 2);
    forget_events(&events);
}

static void it_waits_for_the_first_one(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/slow?ms=100");
    CHECK_COUNT(SocketDispatch(-1, 0), 1);
    CHECK_INT(events.events[0].event, WDSOCKET_EVENT_OPENING);
    forget_events(&events);
}

static void max_events_bounds_it_and_the_rest_remains(void)
{
    Recorder events = {0};
    with_echoes(&events, 5);
    CHECK_COUNT(SocketDispatch(0, 2), 2);
    CHECK_INT(events.count, 3);
    CHECK_COUNT(SocketDispatch(0, 1), 1);
    CHECK_COUNT(SocketDispatch(0, 100), 2);
    forget_events(&events);
}

/* Each message causes the next, and it has arrived before the callback returns. */
static void cause_another(Recorder *recorder, const Event *event)
{
    if (event->event != WDSOCKET_EVENT_MESSAGE) return;
    CHECK(recorder->count < 50);
    long long before = info_number("c", WDSOCKET_INFO_MESSAGES_IN);
    CHECK_OK(SocketWrite("c", "more", -1));
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) > before);
}

static void callbacks_that_cause_events_cannot_starve_the_host(void)
{
    Recorder events = {.inside = cause_another};
    with_echoes(&events, 3);
    CHECK_COUNT(SocketDispatch(PATIENCE_MS, 0), 3);
    CHECK_COUNT(SocketDispatch(PATIENCE_MS, -1), 3);
    CHECK_COUNT(SocketDispatch(PATIENCE_MS, INT32_MIN), 3);
    forget_events(&events);
}

static atomic_int returned;
static atomic_intptr_t result;

static void dispatch_without_limit(void *argument)
{
    (void)argument;
    atomic_store(&result, SocketDispatch(-1, 0));
    atomic_store(&returned, 1);
}

static void while_another_thread_dispatches_it_is_busy(void)
{
    atomic_store(&returned, 0);
    Thread *thread = start_thread(dispatch_without_limit, NULL);
    WAIT_UNTIL(SocketDispatch(0, 0) == -WDSOCKET_E_BUSY);
    CHECK_NEGATIVE(SocketDispatch(1000, 1), WDSOCKET_E_BUSY);
    CHECK_INT(atomic_load(&returned), 0);
    CHECK_OK(SocketWake());
    join_thread(thread);
    CHECK_INT(atomic_load(&result), 0);
    /* The wake-up was that dispatch's, not ours. */
    int64_t start = now_ms();
    CHECK_COUNT(SocketDispatch(100, 0), 0);
    CHECK_BETWEEN(now_ms() - start, 95, 4000);
}

static void wake_ends_the_next_dispatch_if_none_runs(void)
{
    CHECK_OK(SocketWake());
    CHECK_OK(SocketWake());
    int64_t start = now_ms();
    CHECK_COUNT(SocketDispatch(PATIENCE_MS, 0), 0);
    CHECK_BETWEEN(now_ms() - start, 0, PATIENCE_MS / 2);
    start = now_ms();
    CHECK_COUNT(SocketDispatch(100, 0), 0);
    CHECK_BETWEEN(now_ms() - start, 95, 4000);
}

static void wake_loses_no_event(void)
{
    Recorder events = {0};
    with_echoes(&events, 3);
    CHECK_OK(SocketWake());
    for (int i = 0; i < 3; i++) EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "echo");
    forget_events(&events);
}

static void wake(Recorder *recorder, const Event *event)
{
    (void)recorder, (void)event;
    CHECK_OK(SocketWake());
}

static void wake_is_legal_inside_a_callback(void)
{
    Recorder events = {.inside = wake};
    connect_recorder(&events, "c", "/echo");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_OK(SocketWrite("c", "after", -1));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "after");
    forget_events(&events);
}

static void dispatching_may_move_from_thread_to_thread(void)
{
    Recorder events = {0};
    for (int i = 0; i < 10; i++) {
        connect_recorder(&events, "c", "/slow?ms=10");
        Thread *thread = start_thread(dispatch_without_limit, NULL);
        join_thread(thread);
        CHECK_INT(events.count, i * 2 + 1);
        CHECK_INT(events.events[i * 2].event, WDSOCKET_EVENT_OPENING);
        CHECK_OK(SocketClose("c"));
        connect_recorder(&events, "c", "/slow?ms=10");
        CHECK_COUNT(SocketDispatch(-1, 0), 1);
        CHECK_OK(SocketClose("c"));
    }
    forget_events(&events);
}

static void many_messages_arrive_in_order(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/flood?count=20000&size=20");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    for (int i = 0; i < 20000; i++) {
        const Event *event = EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, NULL);
        int number = 0;
        for (const char *digit = event->message; *digit != ' '; digit++) number = number * 10 + (*digit - '0');
        CHECK_INT(number, i);
    }
    forget_events(&events);
}

int main(void)
{
    RUN(without_events_it_returns_0_at_once);
    RUN(it_waits_as_long_as_it_is_told);
    RUN(it_returns_how_many_it_ran);
    RUN(it_does_not_wait_once_something_ran);
    RUN(it_waits_for_the_first_one);
    RUN(max_events_bounds_it_and_the_rest_remains);
    RUN(callbacks_that_cause_events_cannot_starve_the_host);
    RUN(while_another_thread_dispatches_it_is_busy);
    RUN(wake_ends_the_next_dispatch_if_none_runs);
    RUN(wake_loses_no_event);
    RUN(wake_is_legal_inside_a_callback);
    RUN(dispatching_may_move_from_thread_to_thread);
    RUN(many_messages_arrive_in_order);
    return 0;
}
