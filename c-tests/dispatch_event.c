/* SocketDispatchHandle in a host's own loop: an event that stays signalled while callbacks wait. Windows only, the
   counterpart of dispatch_handle. */
#include "dispatch_signal.h"
#include "windows_testing.h"

static HANDLE handle(void) { return (HANDLE)SocketDispatchHandle(); }

static bool signalled(int ms)
{
    DWORD came = WaitForSingleObject(handle(), (DWORD)ms);
    CHECK(came == WAIT_OBJECT_0 || came == WAIT_TIMEOUT);
    return came == WAIT_OBJECT_0;
}

static void it_is_an_event_before_any_connection(void)
{
    CHECK(SocketDispatchHandle() > 0);
    CHECK_INT(SocketErrorCode(), WDSOCKET_E_OK);
    expect_quiet();
}

static void ask_for_it(void *value) { CHECK_INT(SocketDispatchHandle(), *(intptr_t *)value); }

static void it_is_the_same_on_every_thread(void)
{
    intptr_t value = SocketDispatchHandle();
    on_a_thread(ask_for_it, &value);
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
    RUN_SIGNAL_TESTS();
    RUN(it_is_the_same_on_every_thread);
    RUN(it_wakes_every_thread_that_waits);
    RUN(a_loop_with_messages_sees_every_event);
    RUN(a_loop_without_a_dispatch_runs_nothing);
    return 0;
}
