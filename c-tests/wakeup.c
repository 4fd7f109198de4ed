/* SocketSetWakeup: how a host with its own loop learns that callbacks wait. */
#include "testing.h"

#include <stdatomic.h>

static atomic_int calls;
static atomic_int other_calls;
static atomic_int running;
static atomic_uintptr_t caller;
static char given;

static void WDSOCKET_CALL wake(void *user_data)
{
    CHECK(user_data == &given);
    atomic_store(&caller, this_thread());
    atomic_fetch_add(&calls, 1);
}

static void WDSOCKET_CALL other_wake(void *user_data)
{
    (void)user_data;
    atomic_fetch_add(&other_calls, 1);
}

static void WDSOCKET_CALL slow_wake(void *user_data)
{
    (void)user_data;
    atomic_store(&running, 1);
    atomic_fetch_add(&calls, 1);
    sleep_ms(200);
    atomic_store(&running, 0);
}

static void drain(void)
{
    while (SocketDispatch(0, 0) > 0) continue;
}

static void it_is_called_when_the_queue_stops_being_empty(void)
{
    Recorder events = {0};
    atomic_store(&calls, 0);
    CHECK_OK(SocketSetWakeup(wake, &given));
    connect_recorder(&events, "c", "/echo");
    for (int round = 1; round <= 5; round++) {
        WAIT_UNTIL(atomic_load(&calls) >= round);
        /* Never inside a host's call, so never on a host's thread. */
        CHECK(atomic_load(&caller) != this_thread());
        drain();
        CHECK_OK(SocketWrite("c", "again", -1));
    }
    CHECK_OK(SocketSetWakeup(NULL, NULL));
    forget_events(&events);
}

static void it_is_coalesced(void)
{
    Recorder events = {0};
    atomic_store(&calls, 0);
    CHECK_OK(SocketSetWakeup(wake, &given));
    connect_recorder(&events, "c", "/flood?count=1000&size=10");
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == 1000);
    WAIT_UNTIL(atomic_load(&calls) >= 1);
    sleep_ms(20);
    CHECK_BETWEEN(atomic_load(&calls), 1, 2);
    CHECK_OK(SocketSetWakeup(NULL, NULL));
    forget_events(&events);
}

static void it_is_called_at_once_if_events_already_wait(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/echo");
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_OPEN);
    atomic_store(&calls, 0);
    CHECK_OK(SocketSetWakeup(wake, &given));
    WAIT_UNTIL(atomic_load(&calls) >= 1);
    CHECK(atomic_load(&caller) != this_thread());
    CHECK_OK(SocketSetWakeup(NULL, NULL));
    forget_events(&events);
}

static void null_removes_it_and_waits_until_it_has_returned(void)
{
    Recorder events = {0};
    atomic_store(&calls, 0);
    CHECK_OK(SocketSetWakeup(slow_wake, NULL));
    connect_recorder(&events, "c", "/echo");
    WAIT_UNTIL(atomic_load(&running) == 1);
    CHECK_OK(SocketSetWakeup(NULL, NULL));
    CHECK_INT(atomic_load(&running), 0);
    CHECK_INT(atomic_load(&calls), 1);
    drain();
    CHECK_OK(SocketWrite("c", "unnoticed", -1));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "unnoticed");
    CHECK_INT(atomic_load(&calls), 1);
    forget_events(&events);
}

static void another_takes_its_place(void)
{
    Recorder events = {0};
    CHECK_OK(SocketSetWakeup(wake, &given));
    atomic_store(&other_calls, 0);
    CHECK_OK(SocketSetWakeup(other_wake, NULL));
    atomic_store(&calls, 0);
    connect_recorder(&events, "c", "/echo");
    WAIT_UNTIL(atomic_load(&other_calls) >= 1);
    CHECK_INT(atomic_load(&calls), 0);
    CHECK_OK(SocketSetWakeup(NULL, NULL));
    forget_events(&events);
}

static void set_and_remove(Recorder *recorder, const Event *event)
{
    (void)recorder, (void)event;
    CHECK_OK(SocketSetWakeup(other_wake, NULL));
    CHECK_OK(SocketSetWakeup(NULL, NULL));
}

static void it_may_be_set_inside_a_callback(void)
{
    Recorder events = {.inside = set_and_remove};
    connect_recorder(&events, "c", "/flood?count=20&size=10");
    for (int i = 0; i < 21; i++) CHECK(next_event(&events) != NULL);
    forget_events(&events);
}

/* A host loop that does nothing but wait for the wake-up: a lost one would hang it. */
static void no_wakeup_is_ever_lost(void)
{
    Recorder events = {0};
    int seen = 0;
    atomic_store(&calls, 0);
    CHECK_OK(SocketSetWakeup(wake, &given));
    connect_recorder(&events, "c", "/echo");
    while (events.count < 1001) {
        WAIT_UNTIL(atomic_load(&calls) > seen);
        seen = atomic_load(&calls);
        drain();
        if (events.taken < events.count) {
            events.taken = events.count;
            CHECK_OK(SocketWrite("c", "ping", -1));
        }
    }
    CHECK_OK(SocketSetWakeup(NULL, NULL));
    forget_events(&events);
}

static void it_stays_after_a_shutdown(void)
{
    Recorder events = {0};
    CHECK_OK(SocketSetWakeup(wake, &given));
    connect_recorder(&events, "c", "/echo");
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_OPEN);
    CHECK_OK(SocketShutdown(PATIENCE_MS));
    atomic_store(&calls, 0);
    connect_recorder(&events, "c", "/echo");
    WAIT_UNTIL(atomic_load(&calls) >= 1);
    CHECK_OK(SocketSetWakeup(NULL, NULL));
    forget_events(&events);
}

static _Thread_local bool in_a_call;
static atomic_int inside_calls;
static atomic_int met;

static void WDSOCKET_CALL wake_outside(void *user_data)
{
    (void)user_data;
    if (in_a_call) atomic_fetch_add(&inside_calls, 1);
}

static void set_at_once(void *function)
{
    for (int round = 1; round <= 300; round++) {
        atomic_fetch_add(&met, 1);
        while (atomic_load(&met) < 3 * round) continue;
        CHECK_OK(SocketSetWakeup(function ? wake_outside : NULL, NULL));
        atomic_fetch_add(&other_calls, 1);
        /* The host's turn. */
        while (atomic_load(&other_calls) < 3 * round) sleep_ms(0);
    }
}

static void setting_and_removing_it_at_once_leaves_one_of_the_two(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/echo");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    atomic_store(&met, 0);
    atomic_store(&other_calls, 0);
    Thread *threads[] = {start_thread(set_at_once, &given), start_thread(set_at_once, NULL)};
    for (int round = 1; round <= 300; round++) {
        atomic_fetch_add(&met, 1);
        while (atomic_load(&other_calls) < 3 * round - 1) sleep_ms(0);
        CHECK_OK(SocketWrite("c", "again", -1));
        in_a_call = true;
        EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "again");
        in_a_call = false;
        atomic_fetch_add(&other_calls, 1);
    }
    for (int i = 0; i < 2; i++) join_thread(threads[i]);
    CHECK_INT(atomic_load(&inside_calls), 0);
    CHECK_OK(SocketSetWakeup(NULL, NULL));
    forget_events(&events);
}

int main(void)
{
    RUN(it_is_called_when_the_queue_stops_being_empty);
    RUN(it_is_coalesced);
    RUN(it_is_called_at_once_if_events_already_wait);
    RUN(null_removes_it_and_waits_until_it_has_returned);
    RUN(another_takes_its_place);
    RUN(it_may_be_set_inside_a_callback);
    RUN(no_wakeup_is_ever_lost);
    RUN(it_stays_after_a_shutdown);
    RUN(setting_and_removing_it_at_once_leaves_one_of_the_two);
    return 0;
}
