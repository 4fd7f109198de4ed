/* A process may simply exit, whatever is going on, and a thread too. Windows only, the counterpart of process_exit and
   thread_exit. Each case is a process of its own with a time limit. */
#include "windows_testing.h"

#include <stdio.h>
#include <stdlib.h>

/* --- modes ------------------------------------------------------------------------------------------ */

static Recorder events, other_events;

static void leave_everything_open(void)
{
    connect_to("c", "/flood?count=1000000&size=100");
    connect_recorder(&events, "d", "/flood?count=1000000&size=100");
    connect_recorder(&other_events, "e", "/silent");
    WAIT_UNTIL(info_number("d", WDSOCKET_INFO_MESSAGES_IN) > 10);
}

static int return_from_main(void)
{
    leave_everything_open();
    return 11;
}

static int exit_of_c(void)
{
    leave_everything_open();
    exit(12);
}

static int exit_process(void)
{
    leave_everything_open();
    ExitProcess(13);
}

static int return_after_callbacks(void)
{
    leave_everything_open();
    CHECK(SocketDispatch(PATIENCE_MS, 5) > 0);
    return 14;
}

static void exit_inside(Recorder *recorder, const Event *event)
{
    (void)recorder, (void)event;
    ExitProcess(15);
}

static int exit_process_in_a_callback(void)
{
    Recorder exiting = {.inside = exit_inside};
    leave_everything_open();
    connect_recorder(&exiting, "f", "/echo");
    while (exiting.count == 0) CHECK(SocketDispatch(PATIENCE_MS, 0) > 0);
    return 1;
}

static void exit_of_c_inside(Recorder *recorder, const Event *event)
{
    (void)recorder, (void)event;
    exit(16);
}

static int exit_of_c_in_a_callback(void)
{
    Recorder exiting = {.inside = exit_of_c_inside};
    connect_recorder(&exiting, "f", "/echo");
    next_event(&exiting);
    return 1;
}

static int exit_process_in_a_callback_of_a_message_loop(void)
{
    Recorder exiting = {.inside = exit_inside};
    CHECK_OK(SocketAttachThread());
    leave_everything_open();
    connect_recorder(&exiting, "f", "/echo");
    LOOP_UNTIL(exiting.count > 1);
    return 1;
}

static int return_while_attached(void)
{
    CHECK_OK(SocketAttachThread());
    leave_everything_open();
    LOOP_UNTIL(events.count > 10);
    return 17;
}

static void wait_for_ever(void *name)
{
    char buffer[8];
    if (name)
        SocketRead(name, 1, 0, buffer, sizeof buffer);
    else
        SocketDispatch(-1, 0);
}

static void connect_for_ever(void *unused)
{
    (void)unused;
    WebSocketClientConnect("s", "127.0.0.1", test_port(), "/silent", NULL, -1);
}

static char waiting_name[] = "c";

/* Threads that wait in the library. */
static void let_threads_wait(void)
{
    connect_to("c", "/echo");
    start_thread(wait_for_ever, waiting_name);
    start_thread(wait_for_ever, NULL);
    start_thread(connect_for_ever, NULL);
    WAIT_UNTIL(SocketDispatch(0, 0) == -WDSOCKET_E_BUSY);
    WAIT_UNTIL(SocketState("s") == WDSOCKET_STATE_CONNECTING);
}

static int return_while_threads_wait(void)
{
    let_threads_wait();
    return 18;
}

static int exit_process_while_threads_wait(void)
{
    let_threads_wait();
    ExitProcess(19);
}

static void exit_from_here(void *unused)
{
    (void)unused;
    WAIT_UNTIL(SocketExists("c"));
    ExitProcess(20);
}

static int exit_process_on_another_thread_while_this_one_reads(void)
{
    let_threads_wait();
    start_thread(exit_from_here, NULL);
    wait_for_ever(waiting_name);
    return 1;
}

static HANDLE hanging;

static void hang_inside(Recorder *recorder, const Event *event)
{
    (void)recorder, (void)event;
    SetEvent(hanging);
    Sleep(INFINITE);
}

static void dispatch_for_ever(void *unused)
{
    (void)unused;
    while (SocketDispatch(-1, 0) >= 0) continue;
}

static int exit_process_while_a_callback_runs(void)
{
    static Recorder in_there = {.inside = hang_inside};
    hanging = CreateEventW(NULL, FALSE, FALSE, NULL);
    leave_everything_open();
    connect_recorder(&in_there, "f", "/echo");
    start_thread(dispatch_for_ever, NULL);
    CHECK(WaitForSingleObject(hanging, PATIENCE_MS) == WAIT_OBJECT_0);
    ExitProcess(21);
}

static void WDSOCKET_CALL hang_in_a_wakeup(void *unused)
{
    (void)unused;
    SetEvent(hanging);
    Sleep(INFINITE);
}

static int exit_process_while_a_wakeup_runs(void)
{
    hanging = CreateEventW(NULL, FALSE, FALSE, NULL);
    CHECK_OK(SocketSetWakeup(hang_in_a_wakeup, NULL));
    connect_recorder(&events, "d", "/echo");
    CHECK(WaitForSingleObject(hanging, PATIENCE_MS) == WAIT_OBJECT_0);
    ExitProcess(22);
}

static void shut_down_at_exit(void) { SocketShutdown(1000); }

static int shutdown_in_an_exit_handler(void)
{
    atexit(shut_down_at_exit);
    connect_to("c", "/echo?id=handler");
    exit(23);
}

static int close_and_terminate(void)
{
    connect_to("c", "/echo?id=closed");
    CHECK_OK(SocketClose("c"));
    TerminateProcess(GetCurrentProcess(), 24);
    return 1;
}

static int after_a_shutdown(void)
{
    leave_everything_open();
    SocketShutdown(100);
    return 25;
}

static int with_one_write_after_another(void)
{
    static char message[100000];
    connect_to("c", "/stall?ms=0");
    set_option("c", WDSOCKET_OPTION_WRITE_TIMEOUT_MS, "0");
    while (SocketWriteBinary("c", message, sizeof message)) continue;
    CHECK_INT(SocketErrorCode(), WDSOCKET_E_SEND_QUEUE_FULL);
    return 26;
}

/* Threads with data of their own, whose destructor uses the library once more: the counterpart of thread_exit. */
static DWORD slot;
static volatile LONG destroyed;

static void WINAPI destroy(void *name)
{
    char text[32];
    CHECK_INT(SocketWrite(name, "from the end", -1), 1);
    CHECK_INT(SocketRead(name, 0, PATIENCE_MS, text, sizeof text), 12);
    CHECK_INT(SocketRead(name, 0, 1, text, sizeof text), -WDSOCKET_E_TIMEOUT);
    CHECK_INT(SocketClose(name), 1);
    CHECK_INT(SocketExists(name), 0);
    free(name);
    InterlockedIncrement(&destroyed);
}

static void use_and_end(void *number)
{
    char *name = malloc(32);
    snprintf(name, 32, "t%d", *(int *)number);
    connect_to(name, "/echo");
    CHECK_OK(SocketWrite(name, "hello", -1));
    CHECK_TEXT(read_text(name), "hello");
    CHECK_FAILS(SocketExists("nobody"), WDSOCKET_E_UNKNOWN_NAME);
    CHECK(FlsSetValue(slot, name));
}

static int threads_that_ended(void)
{
    slot = FlsAlloc(destroy);
    CHECK(slot != FLS_OUT_OF_INDEXES);
    for (int round = 0; round < 25; round++) {
        int numbers[4];
        Thread *threads[4];
        for (int i = 0; i < 4; i++) {
            numbers[i] = 4 * round + i;
            threads[i] = start_thread(use_and_end, &numbers[i]);
        }
        for (int i = 0; i < 4; i++) join_thread(threads[i]);
    }
    CHECK_INT(destroyed, 100);
    return 27;
}

/* The host ends threads of its own by force: one that has used the library, one that waits in it. */
static void use_and_wait(void *event)
{
    connect_to("u", "/echo");
    CHECK_OK(SocketWrite("u", "hello", -1));
    EXPECT_TEXT("u", "hello");
    SetEvent(event);
    Sleep(INFINITE);
}

static int threads_that_were_terminated(void)
{
    HANDLE used = CreateEventW(NULL, FALSE, FALSE, NULL);
    Thread *thread = start_thread(use_and_wait, used);
    CHECK(WaitForSingleObject(used, PATIENCE_MS) == WAIT_OBJECT_0);
    /* The first member of the structure. */
    CHECK(TerminateThread(*(HANDLE *)thread, 0));
    join_thread(thread);
    CHECK_OK(SocketWrite("u", "again", -1));
    EXPECT_TEXT("u", "again");
    leave_everything_open();
    CHECK(SocketDispatch(PATIENCE_MS, 5) > 0);
    return 28;
}

static int a_reader_that_was_terminated(void)
{
    connect_to("u", "/echo");
    Thread *thread = start_thread(wait_for_ever, "u");
    /* Nothing tells that the read waits. */
    sleep_ms(200);
    CHECK(TerminateThread(*(HANDLE *)thread, 0));
    join_thread(thread);
    leave_everything_open();
    return 29;
}

#define CASES(case)                                                                                      \
    case(return_from_main, 11) case(exit_of_c, 12) case(exit_process, 13)                                \
    case(return_after_callbacks, 14) case(exit_process_in_a_callback, 15)                                \
    case(exit_of_c_in_a_callback, 16) case(exit_process_in_a_callback_of_a_message_loop, 15)             \
    case(return_while_attached, 17) case(return_while_threads_wait, 18)                                  \
    case(exit_process_while_threads_wait, 19)                                                            \
    case(exit_process_on_another_thread_while_this_one_reads, 20)                                        \
    case(exit_process_while_a_callback_runs, 21) case(exit_process_while_a_wakeup_runs, 22)              \
    case(after_a_shutdown, 25) case(with_one_write_after_another, 26)                                    \
    case(threads_that_ended, 27) case(threads_that_were_terminated, 28) case(a_reader_that_was_terminated, 29)

#define IN_A_PROCESS(name, code) \
    static void name##_test(void) { EXPECT_EXIT(#name, code); }
CASES(IN_A_PROCESS)

static void with_a_shutdown_in_an_exit_handler(void)
{
    EXPECT_EXIT("shutdown_in_an_exit_handler", 23);
    EXPECT_DIARY("handler", "close 1001");
}

static void the_close_frame_is_with_the_system_when_close_returns(void)
{
    for (int i = 1; i <= 10; i++) {
        EXPECT_EXIT("close_and_terminate", 24);
        CHECK_INT(lines_with(diary_with("closed", "close 1000", i), "close 1000"), i);
    }
}

int main(int argc, char **argv)
{
    const char *mode = mode_of(argc, argv);
#define BE(name, code) \
    if (strcmp(mode, #name) == 0) return name();
    CASES(BE)
    BE(shutdown_in_an_exit_handler, )
    BE(close_and_terminate, )
    if (mode[0]) return 1;
#define START(name, code) run_test(#name, name##_test);
    CASES(START)
    RUN(with_a_shutdown_in_an_exit_handler);
    RUN(the_close_frame_is_with_the_system_when_close_returns);
    return 0;
}
