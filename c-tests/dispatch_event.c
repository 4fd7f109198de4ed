/* SocketDispatchHandle in a host's own loop: an event that stays signalled while callbacks wait. Windows only, the
   counterpart of dispatch_handle. */
#include "windows_testing.h"

static HANDLE handle(void) { return (HANDLE)SocketDispatchHandle(); }

static bool signalled(DWORD ms)
{
    DWORD came = WaitForSingleObject(handle(), ms);
    CHECK(came == WAIT_OBJECT_0 || came == WAIT_TIMEOUT);
    return came == WAIT_OBJECT_0;
}

/* A spurious signal is allowed, one that never ends is not. */
static void expect_quiet(void)
{
    for (int i = 0; i < 100 && signalled(0); i++) CHECK_COUNT(SocketDispatch(0, 0), 0);
    CHECK(!signalled(0));
}

static void it_is_an_event_before_any_connection(void)
{
    CHECK(SocketDispatchHandle() > 0);
    CHECK_INT(SocketErrorCode(), WDSOCKET_E_OK);
    expect_quiet();
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

static void ask_for_it(void *value) { CHECK_INT(SocketDispatchHandle(), *(intptr_t *)value); }

static void it_is_the_same_on_every_thread(void)
{
    intptr_t value = SocketDispatchHandle();
    on_a_thread(ask_for_it, &value);
}

static void it_is_signalled_while_callbacks_wait(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/flood?count=3&size=10");
    CHECK(signalled(PATIENCE_MS));
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == 3);
    /* Manual reset and level-triggered: neither a wait changes it nor a part of the events. */
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

static void wait_for_it(void *times)
{
    CHECK(signalled(PATIENCE_MS));
    InterlockedIncrement(times);
}

static void it_wakes_every_thread_that_waits(void)
{
    Recorder events = {0};
    LONG times = 0;
    expect_quiet();
    Thread *threads[3];
    for (int i = 0; i < 3; i++) threads[i] = start_thread(wait_for_it, &times);
    connect_recorder(&events, "c", "/echo");
    for (int i = 0; i < 3; i++) join_thread(threads[i]);
    CHECK_INT(times, 3);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    expect_quiet();
    forget_events(&events);
}

/* --- a loop over the event and the thread's messages ---------------------------------------- */

static int posted_messages, timers;

static LRESULT CALLBACK procedure(HWND window, UINT message, WPARAM wparam, LPARAM lparam)
{
    if (message == WM_TIMER) timers++;
    if (message == WM_APP) {
        posted_messages++;
        PostMessageW(window, WM_APP, 0, 0);
    }
    return DefWindowProcW(window, message, wparam, lparam);
}

static void a_loop_with_messages_sees_every_event(void)
{
    Recorder events = {0};
    HWND window = make_window(procedure);
    HANDLE event = handle();
    MSG message;
    posted_messages = timers = 0;
    SetTimer(window, 1, 10, NULL);
    connect_recorder(&events, "c", "/echo");
    while (events.count < 1001) {
        DWORD came = MsgWaitForMultipleObjects(1, &event, FALSE, PATIENCE_MS, QS_ALLINPUT);
        CHECK(came == WAIT_OBJECT_0 || came == WAIT_OBJECT_0 + 1);
        while (came == WAIT_OBJECT_0 + 1 && PeekMessageW(&message, NULL, 0, 0, PM_REMOVE)) {
            DispatchMessageW(&message);
            /* The window's messages never end. */
            if (message.message == WM_APP) break;
        }
        if (came == WAIT_OBJECT_0) CHECK(SocketDispatch(0, 0) >= 0);
        if (events.taken < events.count) {
            events.taken = events.count;
            CHECK_OK(SocketWrite("c", "ping", -1));
            /* Behind the event that is first in the array the window's messages would starve: the host's own matter. */
            if (events.count == 500) PostMessageW(window, WM_APP, 0, 0);
        }
    }
    CHECK(posted_messages > 0);
    DestroyWindow(window);
    while (PeekMessageW(&message, NULL, 0, 0, PM_REMOVE)) DispatchMessageW(&message);
    forget_events(&events);
}

static void a_loop_on_the_event_alone_sees_every_event(void)
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

/* A thread with a message queue whose host asks for the event is not attached: its loop dispatches nothing. */
static void a_loop_without_a_dispatch_runs_nothing(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/echo");
    CHECK(signalled(PATIENCE_MS));
    loop_for(100);
    CHECK_INT(events.count, 0);
    CHECK_INT(windows_of_the_library(GetCurrentThreadId(), NULL), 0);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    forget_events(&events);
}

int main(void)
{
    RUN(it_is_an_event_before_any_connection);
    RUN(it_is_the_same_for_the_processs_life);
    RUN(it_is_the_same_on_every_thread);
    RUN(it_is_signalled_while_callbacks_wait);
    RUN(it_wakes_every_thread_that_waits);
    RUN(a_loop_with_messages_sees_every_event);
    RUN(a_loop_on_the_event_alone_sees_every_event);
    RUN(a_closed_sockets_events_do_not_keep_it_signalled);
    RUN(one_event_at_a_time_reaches_the_end);
    RUN(a_loop_without_a_dispatch_runs_nothing);
    return 0;
}
