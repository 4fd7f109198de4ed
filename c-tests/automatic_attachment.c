/* The first asynchronous connect on a thread with a message queue attaches it, unless the host has said how it
   dispatches. Windows only. What came first counts for a process's life, so each case is a process of its own. */
#include "windows_testing.h"

#include <stdio.h>

#define DONE 20

/* As creating a window does. */
static void make_a_queue(void)
{
    MSG message;
    PeekMessageW(&message, NULL, WM_USER, WM_USER, PM_NOREMOVE);
}

static int its_windows(void) { return windows_of_the_library(GetCurrentThreadId(), NULL); }

static Recorder events;

static void open_it(void) { connect_recorder(&events, "c", "/echo"); }

static void expect_attached(void)
{
    CHECK_INT(its_windows(), 1);
    LOOP_UNTIL(events.count == 1);
    CHECK_INT(events.events[0].event, WDSOCKET_EVENT_OPENING);
    CHECK(events.events[0].thread == this_thread());
    CHECK_OK(SocketWrite("c", "hello", -1));
    LOOP_UNTIL(events.count == 2);
}

static void expect_not_attached(void)
{
    CHECK_INT(its_windows(), 0);
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_OPEN);
    loop_for(100);
    CHECK_INT(events.count, 0);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
}

static void attaches(void)
{
    make_a_queue();
    CHECK_INT(its_windows(), 0);
    open_it();
    expect_attached();
}

static void attaches_by_a_url(void)
{
    make_a_queue();
    CHECK_OK(SocketConnect("c", test_url("/echo"), record, NULL, &events));
    expect_attached();
}

static void attaches_by_the_french_name(void)
{
    make_a_queue();
    CHECK_OK(WebSocketClientConnecteAsync("c", record, "127.0.0.1", test_port(), "/echo", NULL, &events));
    expect_attached();
}

static void attaches_for_tls(void)
{
    make_a_queue();
    /* That the server speaks no TLS is an event as well. */
    set_option(NULL, WDSOCKET_OPTION_CONNECT_TIMEOUT_MS, "200");
    CHECK_OK(WebSocketClientConnectSSLAsync("c", record, "127.0.0.1", test_port(), "/echo", NULL, 0, &events));
    CHECK_INT(its_windows(), 1);
    LOOP_UNTIL(events.count == 2);
    CHECK_INT(events.events[0].event, WDSOCKET_EVENT_ERROR);
    CHECK_INT(events.events[1].event, WDSOCKET_EVENT_CLOSING);
}

static void attaches_after_a_window_was_made(void)
{
    HWND window = make_window(NULL);
    open_it();
    expect_attached();
    DestroyWindow(window);
}

/* What says nothing about dispatching. */
static void attaches_after_other_calls(void)
{
    make_a_queue();
    connect_to("s", "/echo");
    CHECK_INT(its_windows(), 0);
    CHECK_OK(SocketWrite("s", "hello", -1));
    EXPECT_TEXT("s", "hello");
    set_option(NULL, WDSOCKET_OPTION_USER_AGENT, "test");
    CHECK_OK(SocketWake());
    CHECK_OK(SocketSync(0));
    CHECK_INT(its_windows(), 0);
    open_it();
    expect_attached();
}

static void not_after_dispatch(void)
{
    make_a_queue();
    CHECK_COUNT(SocketDispatch(0, 0), 0);
    open_it();
    expect_not_attached();
}

static void not_after_dispatch_handle(void)
{
    make_a_queue();
    CHECK(SocketDispatchHandle() > 0);
    open_it();
    expect_not_attached();
}

static void WDSOCKET_CALL wake(void *user_data) { (void)user_data; }

static void not_after_set_wakeup(void)
{
    make_a_queue();
    CHECK_OK(SocketSetWakeup(wake, NULL));
    open_it();
    expect_not_attached();
}

static void not_after_post_to_window(void)
{
    CHECK_OK(SocketPostToWindow(make_window(NULL), WM_APP));
    open_it();
    expect_not_attached();
}

static HANDLE attached_event;

static void be_attached(void *unused)
{
    (void)unused;
    CHECK_OK(SocketAttachThread());
    CHECK(SetEvent(attached_event));
    LOOP_UNTIL(events.count == 1);
}

static void not_after_an_attachment(void)
{
    make_a_queue();
    attached_event = CreateEventW(NULL, FALSE, FALSE, NULL);
    Thread *thread = start_thread(be_attached, NULL);
    CHECK(WaitForSingleObject(attached_event, PATIENCE_MS) == WAIT_OBJECT_0);
    open_it();
    CHECK_INT(its_windows(), 0);
    join_thread(thread);
    CHECK(events.events[0].thread != this_thread());
}

static void dispatch_here(void *unused)
{
    (void)unused;
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK(events.events[0].thread == this_thread());
}

static void ends_with_a_dispatch_on_another_thread(void)
{
    make_a_queue();
    open_it();
    CHECK_INT(its_windows(), 1);
    on_a_thread(dispatch_here, NULL);
    CHECK_OK(SocketWrite("c", "hello", -1));
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == 1);
    loop_for(100);
    CHECK_INT(events.count, 1);
    /* It was the first connect's; this one's is none. */
    static Recorder second;
    connect_recorder(&second, "d", "/echo");
    WAIT_UNTIL(SocketState("d") == WDSOCKET_STATE_OPEN);
    loop_for(100);
    CHECK_INT(events.count + second.count, 1);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "hello");
    EXPECT_EVENT(&second, WDSOCKET_EVENT_OPENING, "");
}

static void dispatch_there(void *unused)
{
    (void)unused;
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "there");
    CHECK(events.events[2].thread == this_thread());
}

static void ends_after_callbacks_have_run_too(void)
{
    make_a_queue();
    open_it();
    expect_attached();
    events.taken = 2;
    CHECK_OK(SocketWrite("c", "there", -1));
    on_a_thread(dispatch_there, NULL);
}

static void be_busy(void *unused)
{
    (void)unused;
    CHECK_NEGATIVE(SocketDispatch(0, 0), WDSOCKET_E_BUSY);
}

/* Asked for on the same thread it is no automatic one any more. */
static void stays_if_it_was_asked_for(void)
{
    make_a_queue();
    open_it();
    CHECK_OK(SocketAttachThread());
    on_a_thread(be_busy, NULL);
    expect_attached();
}

static void dispatch_on_its_own_thread_leaves_it(void)
{
    make_a_queue();
    open_it();
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_OK(SocketWrite("c", "hello", -1));
    LOOP_UNTIL(events.count == 2);
}

typedef struct {
    bool has_queue;
    int windows;
} There;

static void connect_there(void *user_data)
{
    There *there = user_data;
    there->has_queue = IsGUIThread(FALSE);
    open_it();
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_OPEN);
    there->windows = its_windows();
}

static void not_without_a_queue(void)
{
    There there;
    on_a_thread(connect_there, &there);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    if (there.has_queue)
        printf("skipped the point of not_without_a_queue: IsGUIThread is true on a new thread (Wine's always is)\n");
    else
        CHECK_INT(there.windows, 0);
}

static void make_a_queue_and_connect(void *there)
{
    make_a_queue();
    connect_there(there);
}

static void ends_with_the_thread(void)
{
    There there;
    make_a_queue();
    on_a_thread(make_a_queue_and_connect, &there);
    CHECK_INT(there.windows, 1);
    loop_for(20);
    CHECK_INT(events.count, 0);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK(events.events[0].thread == this_thread());
}

#define CASES(case)                                                                                     \
    case(attaches) case(attaches_by_a_url) case(attaches_by_the_french_name) case(attaches_for_tls)     \
    case(attaches_after_a_window_was_made) case(attaches_after_other_calls) case(not_after_dispatch)    \
    case(not_after_dispatch_handle) case(not_after_set_wakeup) case(not_after_post_to_window)           \
    case(not_after_an_attachment) case(ends_with_a_dispatch_on_another_thread)                          \
    case(ends_after_callbacks_have_run_too) case(stays_if_it_was_asked_for)                             \
    case(dispatch_on_its_own_thread_leaves_it)                                                          \
    case(not_without_a_queue) case(ends_with_the_thread)

#define IN_A_PROCESS(name) \
    static void name##_test(void) { EXPECT_EXIT(#name, DONE); }
CASES(IN_A_PROCESS)

int main(int argc, char **argv)
{
    const char *mode = mode_of(argc, argv);
#define BE(name)                   \
    if (strcmp(mode, #name) == 0) { \
        name();                    \
        fflush(stdout);            \
        return DONE;               \
    }
    CASES(BE)
    if (mode[0]) return 1;
#define START(name) run_test(#name, name##_test);
    CASES(START)
    return 0;
}
