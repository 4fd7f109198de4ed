/* SocketAttachThread: the loop of a thread's own dispatches. Windows only. Each test is a thread of its own, with which
   the attachment ends. */
#include "windows_testing.h"

#include <stdio.h>

static void attach(void) { CHECK_OK(SocketAttachThread()); }

/* The library's one window on this thread. */
static HWND its_window(void)
{
    HWND window = NULL;
    CHECK_INT(windows_of_the_library(GetCurrentThreadId(), &window), 1);
    return window;
}

static void write_number(int number)
{
    char text[16];
    snprintf(text, sizeof text, "%d", number);
    CHECK_OK(SocketWrite("c", text, -1));
}

/* After an OPENING: messages with these numbers, in order, all on this thread. */
static void check_numbers(const Recorder *events, int first, int last)
{
    CHECK_INT(events->count, last + 2);
    for (int i = first; i <= last; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        CHECK_TEXT(events->events[i + 1].message, text);
        CHECK(events->events[i + 1].thread == this_thread());
    }
}

/* --- the loop ------------------------------------------------------------------------------- */

static void run_in_the_loop(void *unused)
{
    (void)unused;
    Recorder events = {0};
    attach();
    connect_recorder(&events, "c", "/echo");
    for (int i = 0; i < 1000; i++) {
        LOOP_UNTIL(events.count == (size_t)i + 1);
        write_number(i);
    }
    LOOP_UNTIL(events.count == 1001);
    CHECK_INT(events.events[0].event, WDSOCKET_EVENT_OPENING);
    CHECK(events.events[0].thread == this_thread());
    check_numbers(&events, 0, 999);
    CHECK_OK(SocketCloseWith("c", 1000, NULL));
    LOOP_UNTIL(events.count == 1002);
    CHECK_INT(events.events[1001].event, WDSOCKET_EVENT_CLOSING);
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
}

static void callbacks_run_in_the_loop(void) { on_a_thread(run_in_the_loop, NULL); }

static void have_one_window(void *unused)
{
    (void)unused;
    CHECK_INT(windows_of_the_library(GetCurrentThreadId(), NULL), 0);
    attach();
    HWND window = its_window();
    CHECK(!IsWindowVisible(window));
    attach();
    CHECK_INT(windows_of_the_library(GetCurrentThreadId(), NULL), 1);
}

static void it_makes_one_window(void) { on_a_thread(have_one_window, NULL); }

static void do_not_look(void *unused)
{
    (void)unused;
    Recorder events = {0};
    MSG message;
    attach();
    connect_recorder(&events, "c", "/flood?count=10&size=10");
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == 10);
    sleep_ms(50);
    CHECK_INT(events.count, 0);
    while (events.count < 11)
        if (PeekMessageW(&message, NULL, 0, 0, PM_REMOVE)) DispatchMessageW(&message);
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
}

static void nothing_runs_until_the_thread_looks_for_messages(void) { on_a_thread(do_not_look, NULL); }

static void take_over_what_waits(void *recorder)
{
    Recorder *events = recorder;
    attach();
    LOOP_UNTIL(events->count == 11);
    CHECK(events->events[0].thread == this_thread());
}

static void what_already_waits_comes(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/flood?count=10&size=10");
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == 10);
    on_a_thread(take_over_what_waits, &events);
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
}

static void dispatch_oneself(void *unused)
{
    (void)unused;
    Recorder events = {0};
    attach();
    connect_recorder(&events, "c", "/echo");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    write_number(0);
    LOOP_UNTIL(events.count == 2);
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
}

static void its_thread_may_call_dispatch_itself(void) { on_a_thread(dispatch_oneself, NULL); }

static void stay(void *unused)
{
    (void)unused;
    Recorder events = {0};
    attach();
    CHECK_OK(SocketShutdown(PATIENCE_MS));
    connect_recorder(&events, "c", "/echo");
    LOOP_UNTIL(events.count == 1);
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
}

static void it_stays_after_a_shutdown(void) { on_a_thread(stay, NULL); }

static HANDLE looping;

static void wait_for_quit(void *unused)
{
    (void)unused;
    MSG message;
    attach();
    CHECK(SetEvent(looping));
    while (GetMessageW(&message, NULL, 0, 0) > 0) DispatchMessageW(&message);
}

static void another_threads_connections_come_here(void)
{
    Recorder events = {0};
    looping = CreateEventW(NULL, FALSE, FALSE, NULL);
    Thread *thread = start_thread(wait_for_quit, NULL);
    CHECK(WaitForSingleObject(looping, PATIENCE_MS) == WAIT_OBJECT_0);
    connect_recorder(&events, "c", "/echo");
    WAIT_UNTIL(*(volatile size_t *)&events.count == 1);
    CHECK_OK(SocketClose("c"));
    CHECK_OK(SocketSync(PATIENCE_MS));
    CHECK(events.events[0].thread != this_thread());
    CHECK(PostThreadMessageW((DWORD)events.events[0].thread, WM_QUIT, 0, 0));
    join_thread(thread);
    CloseHandle(looping);
    forget_events(&events);
}

/* --- other threads --------------------------------------------------------------------------- */

static void be_busy(void *unused)
{
    (void)unused;
    int64_t start = now_ms();
    CHECK_NEGATIVE(SocketDispatch(0, 0), WDSOCKET_E_BUSY);
    CHECK_NEGATIVE(SocketDispatch(PATIENCE_MS, 0), WDSOCKET_E_BUSY);
    CHECK_NEGATIVE(SocketDispatch(-1, 1), WDSOCKET_E_BUSY);
    CHECK_BETWEEN(now_ms() - start, 0, PATIENCE_MS / 2);
}

static void keep_others_out(void *unused)
{
    (void)unused;
    Recorder events = {0};
    attach();
    on_a_thread(be_busy, NULL);
    connect_recorder(&events, "c", "/flood?count=10&size=10");
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == 10);
    on_a_thread(be_busy, NULL);
    CHECK_INT(events.count, 0);
    LOOP_UNTIL(events.count == 11);
    on_a_thread(be_busy, NULL);
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
}

static void dispatch_on_another_thread_is_busy(void) { on_a_thread(keep_others_out, NULL); }

typedef struct {
    int number;
    DWORD thread;
} Context;

static void sync_and_free(void *recorder)
{
    Recorder *events = recorder;
    Context *context = events->context;
    CHECK_OK(SocketClose("c"));
    CHECK_OK(SocketSync(PATIENCE_MS));
    /* Nobody uses them any more. */
    context->number = 0;
    forget_events(events);
    PostThreadMessageW(context->thread, WM_NULL, 0, 0);
}

static void use_the_context(Recorder *recorder, const Event *event)
{
    (void)event;
    volatile Context *context = recorder->context;
    CHECK_INT(context->number, 42);
    sleep_ms(1);
    CHECK_INT(context->number, 42);
    CHECK_FAILS(SocketSync(0), WDSOCKET_E_BUSY);
    CHECK_NEGATIVE(SocketDispatch(0, 0), WDSOCKET_E_BUSY);
    CHECK_FAILS(SocketShutdown(0), WDSOCKET_E_BUSY);
}

static void be_synced(void *unused)
{
    (void)unused;
    Context context = {42, GetCurrentThreadId()};
    Recorder events = {.inside = use_the_context, .context = &context};
    attach();
    connect_recorder(&events, "c", "/flood?count=100000&size=10");
    LOOP_UNTIL(events.count > 10);
    Thread *closer = start_thread(sync_and_free, &events);
    LOOP_UNTIL(((volatile Context *)&context)->number != 42);
    loop_for(30);
    join_thread(closer);
    CHECK_INT(events.count, 0);
}

static void sync_waits_for_a_callback_of_the_loop(void) { on_a_thread(be_synced, NULL); }

typedef struct {
    volatile LONG got, depth, gone;
    LONG until;
    uintptr_t threads[2];
    int turns;
} Flood;

/* The numbers of /flood, in order, one callback at a time. */
static void WDSOCKET_CALL count_flood(int32_t event, const char *message, size_t length, const char *name, void *user_data)
{
    Flood *flood = user_data;
    (void)length, (void)name;
    CHECK_INT(InterlockedIncrement(&flood->depth), 1);
    if (event == WDSOCKET_EVENT_MESSAGE) {
        int number = 0;
        for (const char *digit = message; *digit >= '0' && *digit <= '9'; digit++) number = number * 10 + *digit - '0';
        if (number != flood->got) CHECK_INT(number, flood->got);
        flood->got++;
    } else {
        CHECK_INT(event, WDSOCKET_EVENT_OPENING);
    }
    if (flood->threads[flood->turns % 2] != this_thread()) {
        flood->turns++;
        flood->threads[flood->turns % 2] = this_thread();
    }
    InterlockedDecrement(&flood->depth);
}

static void connect_flood(Flood *flood, const char *path)
{
    CHECK_OK(WebSocketClientConnectAsync("c", count_flood, "127.0.0.1", test_port(), path, NULL, flood));
}

static void take_turns(void *user_data)
{
    Flood *flood = user_data;
    MSG message;
    int64_t until = now_ms() + 4 * PATIENCE_MS;
    UINT_PTR timer = SetTimer(NULL, 0, 10, NULL);
    attach();
    while (flood->got < flood->until) {
        CHECK(GetMessageW(&message, NULL, 0, 0) > 0);
        /* The other one took it meanwhile. */
        if (message.message == WM_TIMER && !message.hwnd) attach();
        DispatchMessageW(&message);
        CHECK(now_ms() < until);
    }
    KillTimer(NULL, timer);
    /* The attachment may be here, and the other's loop is to end as well. */
    InterlockedIncrement(&flood->gone);
}

static void a_second_call_moves_it(void)
{
    Flood flood = {.until = 200000};
    connect_flood(&flood, "/flood?count=200000&size=16");
    Thread *threads[2];
    for (int i = 0; i < 2; i++) threads[i] = start_thread(take_turns, &flood);
    for (int i = 0; i < 2; i++) join_thread(threads[i]);
    CHECK_INT(flood.got, flood.until);
    CHECK(flood.turns > 1);
}

static HANDLE moved;

static void take_it_away(void *recorder)
{
    Recorder *events = recorder;
    attach();
    SetEvent(moved);
    LOOP_UNTIL(events->count == 2);
    CHECK(events->events[1].thread == this_thread());
}

static void lose_it(void *unused)
{
    (void)unused;
    Recorder events = {0};
    attach();
    connect_recorder(&events, "c", "/echo");
    LOOP_UNTIL(events.count == 1);
    moved = CreateEventW(NULL, FALSE, FALSE, NULL);
    Thread *thread = start_thread(take_it_away, &events);
    CHECK(WaitForSingleObject(moved, PATIENCE_MS) == WAIT_OBJECT_0);
    CHECK_NEGATIVE(SocketDispatch(0, 0), WDSOCKET_E_BUSY);
    write_number(0);
    join_thread(thread);
    CHECK(events.events[1].thread != this_thread());
    /* With that thread it has ended, and is not here again. */
    write_number(1);
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == 2);
    loop_for(50);
    CHECK_INT(events.count, 2);
    attach();
    LOOP_UNTIL(events.count == 3);
    CHECK_OK(SocketClose("c"));
    CloseHandle(moved);
    forget_events(&events);
}

static void the_former_thread_is_as_any_other(void) { on_a_thread(lose_it, NULL); }

static void attach_and_end(void *recorder)
{
    attach();
    connect_recorder(recorder, "c", "/flood?count=10&size=10");
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == 10);
}

static void it_ends_with_the_thread_and_events_wait_for_a_dispatch(void)
{
    Recorder events = {0};
    on_a_thread(attach_and_end, &events);
    CHECK_INT(events.count, 0);
    while (events.count < 11) CHECK(SocketDispatch(PATIENCE_MS, 0) > 0);
    CHECK(events.events[0].thread == this_thread());
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
}

static void it_ends_with_the_thread_and_events_wait_for_the_next(void)
{
    Recorder events = {0};
    on_a_thread(attach_and_end, &events);
    on_a_thread(take_over_what_waits, &events);
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
}

static void take_a_part(void *user_data)
{
    Flood *flood = user_data;
    LONG target = flood->got + 5000;
    attach();
    LOOP_UNTIL(flood->got >= target);
}

static void threads_that_end_in_the_middle_lose_nothing(void)
{
    Flood flood = {.until = 100000};
    connect_flood(&flood, "/flood?count=100000&size=16");
    while (flood.got < 95000) on_a_thread(take_a_part, &flood);
    while (flood.got < flood.until) CHECK(SocketDispatch(PATIENCE_MS, 0) > 0);
}

static void attach_dispatch_end(void *unused)
{
    (void)unused;
    Recorder events = {0};
    attach();
    connect_recorder(&events, "c", "/echo");
    LOOP_UNTIL(events.count == 1);
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
}

static void begin_to_count(void *count) { *(int *)count = 0; }

static void count_if_ours(HWND window, void *count)
{
    DWORD process;
    GetWindowThreadProcessId(window, &process);
    *(int *)count += process == GetCurrentProcessId();
}

static void threads_that_end_leave_no_windows(void)
{
    for (int i = 0; i < 100; i++) {
        Thread *thread = start_thread(attach_dispatch_end, NULL);
        join_thread(thread);
    }
    int count;
    each_message_window(count_if_ours, begin_to_count, &count);
    CHECK_BETWEEN(count, 0, 5);
}

/* --- a flood ---------------------------------------------------------------------------------- */

#define MILLION 1000000

static Flood *flooded;
static int timers, paints, pokes, keys;
static int64_t last_timer, longest_pause;
static HANDLE poked;

/* Counts while the flood is on. */
static LRESULT CALLBACK host_window(HWND window, UINT message, WPARAM wparam, LPARAM lparam)
{
    bool on = flooded && flooded->got > 0 && flooded->got < flooded->until;
    switch (message) {
    case WM_TIMER:
        if (on) {
            int64_t now = now_ms();
            if (last_timer && now - last_timer > longest_pause) longest_pause = now - last_timer;
            last_timer = now;
            timers++;
            InvalidateRect(window, NULL, TRUE);
        }
        return 0;
    case WM_PAINT:
        paints += on;
        ValidateRect(window, NULL);
        return 0;
    case WM_KEYDOWN: keys += on; return 0;
    case WM_APP:
        pokes += on;
        if (poked) SetEvent(poked);
        return 0;
    }
    return DefWindowProcW(window, message, wparam, lparam);
}

/* Another thread of the host's: a message when the last one was answered, and a key. */
static void poke_and_type(void *window)
{
    INPUT press[2] = {{.type = INPUT_KEYBOARD}, {.type = INPUT_KEYBOARD}};
    press[0].ki.wVk = press[1].ki.wVk = 'A';
    press[1].ki.dwFlags = KEYEVENTF_KEYUP;
    while (flooded->got < flooded->until) {
        SendInput(2, press, sizeof press[0]);
        CHECK(PostMessageW(window, WM_APP, 0, 0));
        CHECK(WaitForSingleObject(poked, PATIENCE_MS) == WAIT_OBJECT_0);
        sleep_ms(5);
    }
}

static void be_flooded(void *unused)
{
    (void)unused;
    Flood flood = {.until = MILLION};
    HWND window = make_window(host_window);
    MSG message, next;
    int64_t start = now_ms();
    int64_t until = start + 10 * PATIENCE_MS;
    bool focused;
    flooded = &flood;
    timers = paints = pokes = keys = 0;
    last_timer = longest_pause = 0;
    ShowWindow(window, SW_SHOWNORMAL);
    SetForegroundWindow(window);
    SetFocus(window);
    focused = GetForegroundWindow() == window && GetFocus() == window;
    attach();
    HWND library = its_window();
    poked = CreateEventW(NULL, FALSE, FALSE, NULL);
    SetTimer(window, 1, 20, NULL);
    connect_flood(&flood, "/flood?count=1000000&size=8");
    Thread *other = start_thread(poke_and_type, window);
    int of_the_library = 0;
    while (flood.got < flood.until) {
        CHECK(GetMessageW(&message, NULL, 0, 0) > 0);
        if (message.hwnd == library) {
            of_the_library++;
            /* The one in hand is the only one; a timer of its window's is none. */
            if (PeekMessageW(&next, library, 0, WM_TIMER - 1, PM_NOREMOVE) ||
                PeekMessageW(&next, library, WM_TIMER + 1, 0xffff, PM_NOREMOVE))
                check_failed(__FILE__, __LINE__, "one posted message of the library's", "a second one is in the queue");
        }
        TranslateMessage(&message);
        DispatchMessageW(&message);
        CHECK(now_ms() < until);
    }
    CHECK_INT(flood.got, MILLION);
    printf("%d messages of the library's, %d timers (pause up to %d ms), %d paints, %d posted, %d keys\n", of_the_library,
           timers, (int)longest_pause, paints, pokes, keys);
    CHECK_BETWEEN(of_the_library, 1, MILLION);
    CHECK(timers >= 5);
    /* However slow the machine is. */
    int64_t took = now_ms() - start;
    CHECK_BETWEEN(longest_pause, 0, took / 4 > 2000 ? took / 4 : 2000);
    CHECK(paints >= 5);
    CHECK(pokes >= 5);
    if (focused)
        CHECK(keys >= 5);
    else
        printf("skipped a part: the window has not got the focus, so no keys\n");
    /* The last ones may be on their way. */
    SetEvent(poked);
    join_thread(other);
    CHECK_OK(SocketClose("c"));
    flooded = NULL;
    CloseHandle(poked);
    poked = NULL;
    DestroyWindow(window);
}

static void a_flood_costs_one_message_and_the_host_goes_on(void) { on_a_thread(be_flooded, NULL); }

static void quit_in_a_flood(void *unused)
{
    (void)unused;
    Flood flood = {.until = MILLION};
    MSG message;
    int64_t until = now_ms() + PATIENCE_MS;
    bool quit = false;
    attach();
    connect_flood(&flood, "/flood?count=1000000&size=8");
    /* So that the queue is not empty by chance when the loop is to end. */
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) >= 200000);
    while (GetMessageW(&message, NULL, 0, 0) > 0) {
        DispatchMessageW(&message);
        if (flood.got > 0 && !quit) {
            PostQuitMessage(7);
            quit = true;
        }
        CHECK(now_ms() < until);
    }
    CHECK_INT(message.wParam, 7);
    CHECK_BETWEEN(flood.got, 1, 100000);
    CHECK_OK(SocketClose("c"));
}

static void a_loop_ends_in_the_middle_of_a_flood(void) { on_a_thread(quit_in_a_flood, NULL); }

static int others;

static LRESULT CALLBACK count_window(HWND window, UINT message, WPARAM wparam, LPARAM lparam)
{
    others += message == WM_APP;
    return DefWindowProcW(window, message, wparam, lparam);
}

static void have_a_full_queue(void *unused)
{
    (void)unused;
    Recorder events = {0};
    HWND window = make_window(count_window);
    int posted = 0;
    others = 0;
    attach();
    connect_recorder(&events, "c", "/echo");
    LOOP_UNTIL(events.count == 1);
    while (posted < 10000 && PostMessageW(window, WM_APP, 0, 0)) posted++;
    write_number(0);
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == 1);
    LOOP_UNTIL(events.count == 2);
    LOOP_UNTIL(others == posted);
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
    DestroyWindow(window);
}

static void a_full_queue_loses_nothing(void) { on_a_thread(have_a_full_queue, NULL); }

/* --- loops inside callbacks --------------------------------------------------------------------- */

static int depth, inner_timers, inner_pokes;
static HWND own_window;
static DWORD box_style;
static UINT box_answer;

static LRESULT CALLBACK inner_window(HWND window, UINT message, WPARAM wparam, LPARAM lparam)
{
    if (message == WM_TIMER) inner_timers++;
    if (message == WM_APP) return ++inner_pokes;
    return DefWindowProcW(window, message, wparam, lparam);
}

/* More messages come while the callback of number 0 has a loop of its own. */
static void write_the_rest(void *unused)
{
    (void)unused;
    for (int i = 1; i < 10; i++) write_number(i);
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == 10);
    /* The window answers meanwhile. */
    for (int i = 0; i < 3; i++) {
        DWORD_PTR answer = 0;
        CHECK(SendMessageTimeoutW(own_window, WM_APP, 0, 0, SMTO_NORMAL, PATIENCE_MS, &answer));
        CHECK(answer > 0);
    }
}

static void loop_inside(Recorder *recorder, const Event *event)
{
    CHECK_INT(++depth, 1);
    if (event->event == WDSOCKET_EVENT_MESSAGE && strcmp(event->message, "0") == 0) {
        size_t before = recorder->count;
        Thread *other = start_thread(write_the_rest, NULL);
        inner_timers = inner_pokes = 0;
        LOOP_UNTIL(inner_timers >= 3 && inner_pokes >= 3);
        CHECK_INT(recorder->count, before);
        CHECK_INT(info_number("c", WDSOCKET_INFO_MESSAGES_IN), 10);
        join_thread(other);
    }
    depth--;
}

/* Windows' own loop; a thread answers it. */
static const WCHAR title[] = L"wdsocket test: a box";

static HWND the_box(void)
{
    HWND box = FindWindowW(L"#32770", title);
    DWORD process = 0;
    if (box) GetWindowThreadProcessId(box, &process);
    return process == GetCurrentProcessId() ? box : NULL;
}

static void answer_the_box(void)
{
    if (box_answer == WM_CLOSE)
        CHECK(PostMessageW(the_box(), WM_CLOSE, 0, 0));
    else
        CHECK(PostMessageW(the_box(), WM_COMMAND, IDOK, 0));
}

static void write_the_rest_and_answer(void *unused)
{
    WAIT_UNTIL(the_box() != NULL && IsWindowVisible(the_box()));
    write_the_rest(unused);
    answer_the_box();
}

static void box_inside(Recorder *recorder, const Event *event)
{
    CHECK_INT(++depth, 1);
    if (event->event == WDSOCKET_EVENT_MESSAGE && strcmp(event->message, "0") == 0) {
        size_t before = recorder->count;
        Thread *other = start_thread(write_the_rest_and_answer, NULL);
        inner_timers = inner_pokes = 0;
        /* A box with one button: Windows says that it was pressed, Wine that it was not. */
        int answer = MessageBoxW(own_window, L"What has arrived waits.", title, box_style);
        CHECK(answer == IDOK || (answer == IDCANCEL && box_answer == WM_CLOSE));
        CHECK_INT(recorder->count, before);
        CHECK(inner_pokes >= 3);
        join_thread(other);
    }
    depth--;
}

static bool dispatch_by_call;

static void have_a_loop_inside(void *inside)
{
    Recorder events = {.inside = *(void (**)(Recorder *, const Event *))inside};
    depth = 0;
    own_window = make_window(inner_window);
    ShowWindow(own_window, SW_SHOWNORMAL);
    SetTimer(own_window, 1, 10, NULL);
    attach();
    connect_recorder(&events, "c", "/echo");
    LOOP_UNTIL(events.count == 1);
    write_number(0);
    if (dispatch_by_call) {
        while (events.count < 2) CHECK(SocketDispatch(PATIENCE_MS, 1) >= 0);
    }
    LOOP_UNTIL(events.count == 11);
    check_numbers(&events, 0, 9);
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
    DestroyWindow(own_window);
}

static void run_inside(void (*inside)(Recorder *, const Event *), bool by_call)
{
    dispatch_by_call = by_call;
    on_a_thread(have_a_loop_inside, &inside);
}

static void a_loop_inside_a_callback_runs_no_callback(void) { run_inside(loop_inside, false); }
static void nor_in_a_callback_of_dispatch(void) { run_inside(loop_inside, true); }

static void a_message_box_inside_a_callback_runs_no_callback(void)
{
    box_style = MB_OK;
    box_answer = IDOK;
    run_inside(box_inside, false);
}

static void nor_does_one_that_is_closed(void)
{
    box_style = MB_OK | MB_ICONWARNING | MB_TASKMODAL;
    box_answer = WM_CLOSE;
    run_inside(box_inside, false);
    run_inside(box_inside, true);
}

/* Events that wait keep nobody busy meanwhile. */
static int in_the_inner_loop;

static void be_quiet_inside(Recorder *recorder, const Event *event)
{
    (void)recorder;
    if (event->event != WDSOCKET_EVENT_MESSAGE || strncmp(event->message, "0 ", 2) != 0) return;
    MSG message;
    HWND library = its_window();
    int64_t end = now_ms() + 200;
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == 100);
    for (int64_t left; (left = end - now_ms()) > 0;) {
        MsgWaitForMultipleObjectsEx(0, NULL, (DWORD)left, QS_ALLINPUT, MWMO_INPUTAVAILABLE);
        while (PeekMessageW(&message, NULL, 0, 0, PM_REMOVE)) {
            in_the_inner_loop += message.hwnd == library;
            DispatchMessageW(&message);
        }
    }
}

static void wait_inside(void *unused)
{
    (void)unused;
    Recorder events = {.inside = be_quiet_inside};
    in_the_inner_loop = 0;
    attach();
    connect_recorder(&events, "c", "/flood?count=100&size=10");
    LOOP_UNTIL(events.count == 101);
    CHECK_BETWEEN(in_the_inner_loop, 0, 10);
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
}

static void a_loop_inside_a_callback_has_nothing_to_do_for_the_library(void) { on_a_thread(wait_inside, NULL); }

/* --- a box outside callbacks -------------------------------------------------------------------- */

static void answer_inside(Recorder *recorder, const Event *event)
{
    (void)event;
    if (recorder->count == 11) answer_the_box();
}

static void write_all(void *unused)
{
    (void)unused;
    WAIT_UNTIL(the_box() != NULL && IsWindowVisible(the_box()));
    for (int i = 0; i < 10; i++) write_number(i);
}

static void have_a_box(void *unused)
{
    (void)unused;
    Recorder events = {.inside = answer_inside};
    box_answer = IDOK;
    attach();
    connect_recorder(&events, "c", "/echo");
    LOOP_UNTIL(events.count == 1);
    Thread *other = start_thread(write_all, NULL);
    CHECK_INT(MessageBoxW(NULL, L"What arrives is seen.", title, MB_OK), IDOK);
    join_thread(other);
    check_numbers(&events, 0, 9);
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
}

static void callbacks_run_while_a_message_box_is_open(void) { on_a_thread(have_a_box, NULL); }

/* --- functions inside callbacks ------------------------------------------------------------------ */

static void close_inside(Recorder *recorder, const Event *event)
{
    if (event->event != WDSOCKET_EVENT_MESSAGE) return;
    CHECK_OK(SocketClose("c"));
    if (recorder->context) connect_recorder(recorder->context, "c", "/echo");
}

static void be_closed_inside(void *unused)
{
    (void)unused;
    Recorder second = {0};
    Recorder events = {.inside = close_inside};
    attach();
    connect_recorder(&events, "c", "/flood?count=1000&size=10");
    LOOP_UNTIL(events.count == 2);
    loop_for(50);
    CHECK_INT(events.count, 2);
    forget_events(&events);

    events.context = &second;
    connect_recorder(&events, "c", "/flood?count=1000&size=10");
    LOOP_UNTIL(second.count == 1);
    CHECK_INT(events.count, 2);
    CHECK_INT(second.events[0].event, WDSOCKET_EVENT_OPENING);
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
    forget_events(&second);
}

static void close_inside_a_callback(void) { on_a_thread(be_closed_inside, NULL); }

static void attach_inside(Recorder *recorder, const Event *event)
{
    (void)recorder, (void)event;
    attach();
}

static void be_attached_inside(void *unused)
{
    (void)unused;
    Recorder events = {.inside = attach_inside};
    connect_recorder(&events, "c", "/flood?count=100&size=10");
    CHECK(SocketDispatch(PATIENCE_MS, 1) == 1);
    on_a_thread(be_busy, NULL);
    LOOP_UNTIL(events.count == 101);
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
}

static void attaching_inside_a_callback(void) { on_a_thread(be_attached_inside, NULL); }

int main(void)
{
    RUN(callbacks_run_in_the_loop);
    RUN(it_makes_one_window);
    RUN(nothing_runs_until_the_thread_looks_for_messages);
    RUN(what_already_waits_comes);
    RUN(its_thread_may_call_dispatch_itself);
    RUN(it_stays_after_a_shutdown);
    RUN(another_threads_connections_come_here);
    RUN(dispatch_on_another_thread_is_busy);
    RUN(sync_waits_for_a_callback_of_the_loop);
    RUN(a_second_call_moves_it);
    RUN(the_former_thread_is_as_any_other);
    RUN(it_ends_with_the_thread_and_events_wait_for_a_dispatch);
    RUN(it_ends_with_the_thread_and_events_wait_for_the_next);
    RUN(threads_that_end_in_the_middle_lose_nothing);
    RUN(threads_that_end_leave_no_windows);
    RUN(a_flood_costs_one_message_and_the_host_goes_on);
    RUN(a_full_queue_loses_nothing);
    RUN(a_loop_inside_a_callback_runs_no_callback);
    RUN(nor_in_a_callback_of_dispatch);
    RUN(a_message_box_inside_a_callback_runs_no_callback);
    RUN(nor_does_one_that_is_closed);
    RUN(a_loop_inside_a_callback_has_nothing_to_do_for_the_library);
    RUN(callbacks_run_while_a_message_box_is_open);
    RUN(close_inside_a_callback);
    RUN(attaching_inside_a_callback);
    RUN(a_loop_ends_in_the_middle_of_a_flood);
    return 0;
}
