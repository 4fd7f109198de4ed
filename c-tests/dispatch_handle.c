/* SocketDispatchHandle in a host's own poll loop. POSIX only: on Windows it is an event. */
#define _POSIX_C_SOURCE 200809L
#include "testing.h"

#include <poll.h>

static bool readable(int ms)
{
    struct pollfd descriptor = {.fd = (int)SocketDispatchHandle(), .events = POLLIN};
    return poll(&descriptor, 1, ms) == 1;
}

/* A spurious signal is allowed, one that never ends is not. */
static void expect_quiet(void)
{
    for (int i = 0; i < 100 && readable(0); i++) CHECK_COUNT(SocketDispatch(0, 0), 0);
    CHECK(!readable(0));
}

static void it_is_a_descriptor_before_any_connection(void)
{
    CHECK(SocketDispatchHandle() >= 0);
    CHECK_INT(SocketErrorCode(), WDSOCKET_E_OK);
    expect_quiet();
}

static void it_is_the_same_for_the_processs_life(void)
{
    intptr_t handle = SocketDispatchHandle();
    connect_to("c", "/echo");
    CHECK_INT(SocketDispatchHandle(), handle);
    CHECK_OK(SocketShutdown(PATIENCE_MS));
    CHECK_INT(SocketDispatchHandle(), handle);
    connect_to("c", "/echo");
    CHECK_INT(SocketDispatchHandle(), handle);
}

static void it_is_readable_while_callbacks_wait(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/flood?count=3&size=10");
    CHECK(readable(PATIENCE_MS));
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == 3);
    /* Level-triggered: looking does not change it, a part of the events neither. */
    for (int i = 0; i < 3; i++) {
        CHECK(readable(PATIENCE_MS));
        CHECK(readable(0));
        CHECK_COUNT(SocketDispatch(0, 1), 1);
    }
    CHECK(readable(PATIENCE_MS));
    CHECK_COUNT(SocketDispatch(0, 0), 1);
    expect_quiet();
    forget_events(&events);
}

static void a_poll_loop_sees_every_event(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/echo");
    while (events.count < 1001) {
        CHECK(readable(PATIENCE_MS));
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
    CHECK(readable(PATIENCE_MS));
    CHECK_OK(SocketClose("c"));
    expect_quiet();
    CHECK_INT(events.count, 0);
}

static void one_event_at_a_time_reaches_the_end(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/flood?count=3&size=10&close=1000");
    while (events.count < 5) {
        CHECK(readable(PATIENCE_MS));
        SocketDispatch(0, 1);
    }
    forget_events(&events);
}

int main(void)
{
    RUN(it_is_a_descriptor_before_any_connection);
    RUN(it_is_the_same_for_the_processs_life);
    RUN(it_is_readable_while_callbacks_wait);
    RUN(a_poll_loop_sees_every_event);
    RUN(a_closed_sockets_events_do_not_keep_it_signalled);
    RUN(one_event_at_a_time_reaches_the_end);
    return 0;
}
