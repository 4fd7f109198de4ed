/* SocketPostToWindow: the library posts the host's own message to the host's window. Windows only. */
#include "windows_testing.h"

#define WAITING (WM_APP + 5)

static int posts, others;
static bool dispatching;
/* For SocketDispatch in the procedure. */
static int32_t at_most;
static HWND posted_to;

static LRESULT CALLBACK procedure(HWND window, UINT message, WPARAM wparam, LPARAM lparam)
{
    if (message == WAITING) {
        CHECK(wparam == 0 && lparam == 0);
        posts++;
        posted_to = window;
        if (dispatching) CHECK(SocketDispatch(0, at_most) >= 0);
        return 0;
    }
    others += message == WM_APP;
    return DefWindowProcW(window, message, wparam, lparam);
}

static HWND window;

static HWND begin(bool dispatch)
{
    posts = others = 0;
    dispatching = dispatch;
    at_most = 0;
    posted_to = NULL;
    return make_window(procedure);
}

static void end(void)
{
    CHECK_OK(SocketPostToWindow(NULL, 0));
    DestroyWindow(window);
    /* With what was posted to it. */
    loop_for(1);
}

static void it_is_posted_whenever_callbacks_begin_to_wait(void)
{
    Recorder events = {0};
    window = begin(true);
    CHECK_OK(SocketPostToWindow(window, WAITING));
    connect_recorder(&events, "c", "/echo");
    for (int i = 0; i < 1000; i++) {
        LOOP_UNTIL(events.count == (size_t)i + 1);
        CHECK(events.events[i].thread == this_thread());
        CHECK_OK(SocketWrite("c", "again", -1));
    }
    CHECK_BETWEEN(posts, 1000, 2100);
    end();
    forget_events(&events);
}

static void it_is_coalesced(void)
{
    Recorder events = {0};
    window = begin(false);
    CHECK_OK(SocketPostToWindow(window, WAITING));
    connect_recorder(&events, "c", "/flood?count=1000&size=10");
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == 1000);
    LOOP_UNTIL(posts == 1);
    CHECK_OK(SocketWrite("c", "one more", -1));
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == 1001);
    loop_for(50);
    CHECK_INT(posts, 1);
    /* The host comes, in the end: what it leaves brings the next. */
    CHECK_COUNT(SocketDispatch(0, 1), 1);
    LOOP_UNTIL(posts == 2);
    loop_for(50);
    CHECK_INT(posts, 2);
    while (events.count < 1002) CHECK(SocketDispatch(PATIENCE_MS, 0) > 0);
    end();
    forget_events(&events);
}

static void a_part_at_a_time_reaches_the_end(void)
{
    Recorder events = {0};
    window = begin(true);
    at_most = 1;
    CHECK_OK(SocketPostToWindow(window, WAITING));
    connect_recorder(&events, "c", "/flood?count=100&size=10&close=1000");
    LOOP_UNTIL(events.count == 102);
    CHECK_INT(events.events[101].event, WDSOCKET_EVENT_CLOSING);
    end();
    forget_events(&events);
}

static void it_is_posted_at_once_if_callbacks_already_wait(void)
{
    Recorder events = {0};
    window = begin(true);
    connect_recorder(&events, "c", "/echo");
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_OPEN);
    CHECK_OK(SocketPostToWindow(window, WAITING));
    LOOP_UNTIL(events.count == 1);
    end();
    forget_events(&events);
}

static void another_window_takes_its_place(void)
{
    Recorder events = {0};
    window = begin(false);
    HWND second = make_window(procedure);
    CHECK_OK(SocketPostToWindow(window, WAITING));
    connect_recorder(&events, "c", "/echo");
    LOOP_UNTIL(posts == 1);
    CHECK(posted_to == window);
    /* Something waits, so that this one learns it at once. */
    dispatching = true;
    CHECK_OK(SocketPostToWindow(second, WAITING));
    LOOP_UNTIL(events.count == 1);
    CHECK(posted_to == second);
    int before = posts;
    CHECK_OK(SocketWrite("c", "again", -1));
    LOOP_UNTIL(events.count == 2);
    CHECK(posts > before && posted_to == second);
    end();
    DestroyWindow(second);
    forget_events(&events);
}

static void null_ends_it(void)
{
    Recorder events = {0};
    window = begin(true);
    CHECK_OK(SocketPostToWindow(window, WAITING));
    connect_recorder(&events, "c", "/echo");
    LOOP_UNTIL(events.count == 1);
    CHECK_OK(SocketPostToWindow(NULL, WAITING));
    loop_for(1);
    int before = posts;
    CHECK_OK(SocketWrite("c", "unnoticed", -1));
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == 1);
    loop_for(100);
    CHECK_INT(posts, before);
    CHECK_INT(events.count, 1);
    events.taken = 1;
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "unnoticed");
    /* Once more is no harm. */
    CHECK_OK(SocketPostToWindow(NULL, 0));
    end();
    forget_events(&events);
}

static void what_is_no_window_and_no_number_is_refused(void)
{
    Recorder events = {0};
    window = begin(true);
    HWND gone = make_window(procedure);
    CHECK(DestroyWindow(gone));
    CHECK_OK(SocketPostToWindow(window, WAITING));
    CHECK_FAILS(SocketPostToWindow(gone, WAITING), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_FAILS(SocketPostToWindow((void *)(uintptr_t)0xdeadbeef, WAITING), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_FAILS(SocketPostToWindow((void *)(intptr_t)-1, WAITING), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_FAILS(SocketPostToWindow(&events, WAITING), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_FAILS(SocketPostToWindow(window, 0), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_FAILS(SocketPostToWindow(window, 0x10000), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_FAILS(SocketPostToWindow(window, 0xffffffff), WDSOCKET_E_INVALID_ARGUMENT);
    /* Nothing has changed. */
    connect_recorder(&events, "c", "/echo");
    LOOP_UNTIL(events.count == 1);
    end();
    forget_events(&events);
}

static int registered;
static UINT registered_number;

static LRESULT CALLBACK any_number(HWND of, UINT message, WPARAM wparam, LPARAM lparam)
{
    if (message == registered_number) {
        CHECK(wparam == 0 && lparam == 0);
        registered++;
        CHECK(SocketDispatch(0, 0) >= 0);
        return 0;
    }
    return DefWindowProcW(of, message, wparam, lparam);
}

static void numbers_of_all_kinds(void)
{
    UINT numbers[] = {WM_USER, WM_APP, 0xbfff, RegisterWindowMessageW(L"wdsocket test: callbacks wait")};
    for (int i = 0; i < 4; i++) {
        Recorder events = {0};
        registered = 0;
        registered_number = numbers[i];
        window = make_window(any_number);
        CHECK_OK(SocketPostToWindow(window, registered_number));
        connect_recorder(&events, "c", "/echo");
        LOOP_UNTIL(events.count == 1);
        CHECK(registered > 0);
        CHECK_OK(SocketClose("c"));
        end();
        forget_events(&events);
    }
}

static void a_window_that_is_destroyed_does_no_harm(void)
{
    Recorder events = {0};
    window = begin(true);
    CHECK_OK(SocketPostToWindow(window, WAITING));
    connect_recorder(&events, "c", "/echo");
    LOOP_UNTIL(events.count == 1);
    CHECK(DestroyWindow(window));
    CHECK_OK(SocketWrite("c", "unnoticed", -1));
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == 1);
    loop_for(50);
    events.taken = 1;
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "unnoticed");
    /* And another one can be told. */
    window = begin(true);
    CHECK_OK(SocketPostToWindow(window, WAITING));
    CHECK_OK(SocketWrite("c", "noticed", -1));
    LOOP_UNTIL(events.count == 3);
    end();
    forget_events(&events);
}

static void one_that_is_destroyed_with_its_message_in_the_queue(void)
{
    Recorder events = {0};
    window = begin(false);
    CHECK_OK(SocketPostToWindow(window, WAITING));
    connect_recorder(&events, "c", "/echo");
    LOOP_UNTIL(posts == 1);
    CHECK_COUNT(SocketDispatch(PATIENCE_MS, 1), 1);
    CHECK_OK(SocketWrite("c", "posted", -1));
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == 1);
    CHECK(DestroyWindow(window));
    window = begin(true);
    CHECK_OK(SocketPostToWindow(window, WAITING));
    LOOP_UNTIL(events.count == 2);
    end();
    forget_events(&events);
}

static void a_full_queue_delays_it_and_loses_nothing(void)
{
    Recorder events = {0};
    int posted = 0;
    window = begin(true);
    CHECK_OK(SocketPostToWindow(window, WAITING));
    connect_recorder(&events, "c", "/echo");
    LOOP_UNTIL(events.count == 1);
    /* The wake-up finds no room where the system has a limit, which Wine has not. */
    while (posted < 10000 && PostMessageW(window, WM_APP, 0, 0)) posted++;
    CHECK_OK(SocketWrite("c", "late", -1));
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == 1);
    CHECK_INT(events.count, 1);
    LOOP_UNTIL(events.count == 2);
    LOOP_UNTIL(others == posted);
    end();
    forget_events(&events);
}

static void it_stays_after_a_shutdown(void)
{
    Recorder events = {0};
    window = begin(true);
    CHECK_OK(SocketPostToWindow(window, WAITING));
    connect_recorder(&events, "c", "/echo");
    LOOP_UNTIL(events.count == 1);
    CHECK_OK(SocketShutdown(PATIENCE_MS));
    connect_recorder(&events, "c", "/echo");
    LOOP_UNTIL(events.count == 2);
    end();
    forget_events(&events);
}

/* --- inside callbacks --------------------------------------------------------------------------- */

static int depth;

static void write_the_rest(void *unused)
{
    (void)unused;
    for (int i = 1; i < 10; i++) CHECK_OK(SocketWrite("c", "more", -1));
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == 10);
    CHECK(PostMessageW(window, WM_APP, 0, 0));
}

static LRESULT CALLBACK careless(HWND of, UINT message, WPARAM wparam, LPARAM lparam)
{
    if (message == WAITING) {
        if (depth > 0)
            CHECK_NEGATIVE(SocketDispatch(0, 0), WDSOCKET_E_BUSY);
        else
            CHECK(SocketDispatch(0, 0) >= 0);
        return 0;
    }
    others += message == WM_APP;
    return DefWindowProcW(of, message, wparam, lparam);
}

static void loop_inside(Recorder *recorder, const Event *event)
{
    CHECK_INT(++depth, 1);
    if (strcmp(event->message, "first") == 0) {
        Thread *other = start_thread(write_the_rest, NULL);
        LOOP_UNTIL(others == 1);
        loop_for(20);
        CHECK_INT(recorder->count, 2);
        join_thread(other);
    }
    depth--;
}

static void what_comes_in_a_loop_inside_a_callback_comes_after_it(void)
{
    Recorder events = {.inside = loop_inside};
    depth = 0;
    window = begin(true);
    SetWindowLongPtrW(window, GWLP_WNDPROC, (LONG_PTR)careless);
    CHECK_OK(SocketPostToWindow(window, WAITING));
    connect_recorder(&events, "c", "/echo");
    LOOP_UNTIL(events.count == 1);
    CHECK_OK(SocketWrite("c", "first", -1));
    LOOP_UNTIL(events.count == 11);
    end();
    forget_events(&events);
}

static void set_inside(Recorder *recorder, const Event *event)
{
    (void)recorder;
    CHECK_OK(SocketPostToWindow(NULL, 0));
    CHECK_OK(SocketPostToWindow(window, WAITING));
    if (event->event == WDSOCKET_EVENT_OPENING) CHECK_FAILS(SocketPostToWindow(window, 0), WDSOCKET_E_INVALID_ARGUMENT);
}

static void it_may_be_set_inside_a_callback(void)
{
    Recorder events = {.inside = set_inside};
    window = begin(true);
    at_most = 1;
    CHECK_OK(SocketPostToWindow(window, WAITING));
    connect_recorder(&events, "c", "/flood?count=20&size=10");
    LOOP_UNTIL(events.count == 21);
    end();
    forget_events(&events);
}

/* --- threads -------------------------------------------------------------------------------------- */

static HANDLE made;

static void have_the_window(void *recorder)
{
    Recorder *events = recorder;
    window = begin(true);
    CHECK(SetEvent(made));
    LOOP_UNTIL(events->count == 2);
    CHECK(events->events[0].thread == this_thread());
    DestroyWindow(window);
}

static void the_window_may_be_another_threads(void)
{
    Recorder events = {0};
    made = CreateEventW(NULL, FALSE, FALSE, NULL);
    Thread *thread = start_thread(have_the_window, &events);
    CHECK(WaitForSingleObject(made, PATIENCE_MS) == WAIT_OBJECT_0);
    CHECK_OK(SocketPostToWindow(window, WAITING));
    connect_recorder(&events, "c", "/echo");
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_OPEN);
    CHECK_OK(SocketWrite("c", "there", -1));
    join_thread(thread);
    /* The window has gone with its thread; what comes now waits. */
    CHECK_OK(SocketWrite("c", "here", -1));
    events.taken = 2;
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "here");
    CHECK_OK(SocketPostToWindow(NULL, 0));
    CloseHandle(made);
    forget_events(&events);
}

int main(void)
{
    RUN(it_is_posted_whenever_callbacks_begin_to_wait);
    RUN(it_is_coalesced);
    RUN(a_part_at_a_time_reaches_the_end);
    RUN(it_is_posted_at_once_if_callbacks_already_wait);
    RUN(another_window_takes_its_place);
    RUN(null_ends_it);
    RUN(what_is_no_window_and_no_number_is_refused);
    RUN(numbers_of_all_kinds);
    RUN(a_window_that_is_destroyed_does_no_harm);
    RUN(one_that_is_destroyed_with_its_message_in_the_queue);
    RUN(a_full_queue_delays_it_and_loses_nothing);
    RUN(it_stays_after_a_shutdown);
    RUN(what_comes_in_a_loop_inside_a_callback_comes_after_it);
    RUN(it_may_be_set_inside_a_callback);
    RUN(the_window_may_be_another_threads);
    return 0;
}
