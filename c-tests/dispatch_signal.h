/* What SocketDispatchHandle promises on every system, where it is another thing on each: the includer's `signalled` waits
   for it. */
#ifndef DISPATCH_SIGNAL_H
#define DISPATCH_SIGNAL_H

#include "testing.h"

/* Whether it is signalled within this time. */
static bool signalled(int ms);

/* A spurious signal is allowed, one that never ends is not. */
static void expect_quiet(void)
{
    for (int i = 0; i < 100 && signalled(0); i++) CHECK_COUNT(SocketDispatch(0, 0), 0);
    CHECK(!signalled(0));
}

static void it_is_the_same_for_the_processs_life(void)
{
    intptr_t value = SocketDispatchHandle();
    connect_to("c", "/echo");
    CHECK_INT(SocketDispatchHandle(), value);
    CHECK_OK(SocketShutdown(PATIENCE_MS));
    CHECK_INT(SocketDispatchHandle(), value);
    connect_to("c", "/echo");
    CHECK_INT(SocketDispatchHandle(), value);
}

static void it_is_signalled_while_callbacks_wait(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/flood?count=3&size=10");
    CHECK(signalled(PATIENCE_MS));
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == 3);
    /* Level-triggered: neither looking changes it nor a part of the events. */
    for (int i = 0; i < 3; i++) {
        CHECK(signalled(PATIENCE_MS));
        CHECK(signalled(0));
        CHECK(signalled(0));
        CHECK_COUNT(SocketDispatch(0, 1), 1);
    }
    CHECK(signalled(PATIENCE_MS));
    CHECK_COUNT(SocketDispatch(0, 0), 1);
    expect_quiet();
    forget_events(&events);
}

static void a_loop_on_it_sees_every_event(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/echo");
    while (events.count < 1001) {
        CHECK(signalled(PATIENCE_MS));
        SocketDispatch(0, 0);
        if (events.taken < events.count) {
            events.taken = events.count;
            CHECK_OK(SocketWrite("c", "ping", -1));
        }
    }
    forget_events(&events);
}

static void a_closed_sockets_events_do_not_keep_it_signalled(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/flood?count=3&size=10");
    CHECK(signalled(PATIENCE_MS));
    CHECK_OK(SocketClose("c"));
    expect_quiet();
    CHECK_INT(events.count, 0);
}

static void one_event_at_a_time_reaches_the_end(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/flood?count=3&size=10&close=1000");
    while (events.count < 5) {
        CHECK(signalled(PATIENCE_MS));
        SocketDispatch(0, 1);
    }
    forget_events(&events);
}

#define RUN_SIGNAL_TESTS()                                     \
    do {                                                       \
        RUN(it_is_the_same_for_the_processs_life);             \
        RUN(it_is_signalled_while_callbacks_wait);             \
        RUN(a_loop_on_it_sees_every_event);                    \
        RUN(a_closed_sockets_events_do_not_keep_it_signalled); \
        RUN(one_event_at_a_time_reaches_the_end);              \
    } while (0)

#endif
