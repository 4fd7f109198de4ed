/* A host that loads the library, calls one function and unloads it, around every single call, as WinDev's API() does
   without LoadDLL(): the library keeps itself in memory. Windows only; not linked with it, so without testing.c.
   LIBRARY is a file name that Windows finds (PATH) or a whole path. With a MODE: how a process ends that has loaded and
   unloaded it. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>

#include "wdsocket.h"

#define PATIENCE_MS 20000

static const char *library;
static HMODULE loaded;

/* Any function: what GetProcAddress gives has another type yet. */
typedef void (*Function)(void);

static Function load(const char *function)
{
    loaded = LoadLibraryA(library);
    Function address = loaded ? (Function)GetProcAddress(loaded, function) : NULL;
    if (!address) {
        fprintf(stderr, "%s of %s: error %lu\n", function, library, (unsigned long)GetLastError());
        exit(1);
    }
    return address;
}

static intptr_t unload(intptr_t result)
{
    if (!FreeLibrary(loaded)) {
        fprintf(stderr, "FreeLibrary: error %lu\n", (unsigned long)GetLastError());
        exit(1);
    }
    return result;
}

static intptr_t last;

/* Loads, calls, unloads. */
#define CALL(function, ...)                                                          \
    do {                                                                             \
        __typeof__(&function) call_ = (__typeof__(&function))load(#function);        \
        last = unload((intptr_t)call_(__VA_ARGS__));                                 \
    } while (0)

#define EXPECT(want, function, ...)                                                                              \
    do {                                                                                                         \
        CALL(function, __VA_ARGS__);                                                                             \
        if (last != (want)) {                                                                                    \
            intptr_t came = last;                                                                                \
            CALL(SocketErrorMessage, );                                                                          \
            fprintf(stderr, "%s:%d: %s\n  expected %lld\n  came     %lld \"%s\"\n", __FILE__, __LINE__, #function, \
                    (long long)(want), (long long)came, (const char *)last);                                     \
            exit(1);                                                                                             \
        }                                                                                                        \
    } while (0)

static int opened, closed, messages;
static LONG lines;
static int port;

static void WDSOCKET_CALL on_event(int32_t event, const char *message, size_t length, const char *name, void *user_data)
{
    (void)name, (void)user_data;
    opened += event == WDSOCKET_EVENT_OPENING;
    closed += event == WDSOCKET_EVENT_CLOSING;
    messages += event == WDSOCKET_EVENT_MESSAGE && length == 5 && memcmp(message, "hello", 5) == 0;
}

static void WDSOCKET_CALL on_wakeup(void *event) { SetEvent(event); }

static void WDSOCKET_CALL on_line(int32_t level, const char *line, void *count)
{
    (void)level, (void)line;
    InterlockedIncrement(count);
}

static void check(bool condition, const char *what)
{
    if (condition) return;
    fprintf(stderr, "expected: %s\n", what);
    exit(1);
}

static bool in_memory(void) { return GetModuleHandleA(library) != NULL; }

static void dispatch_until(const int *count)
{
    for (int i = 0; i < 200 && *count == 0; i++) CALL(SocketDispatch, 100, 0);
    check(*count > 0, "an event");
}

static void loop_until(const int *count)
{
    MSG message;
    for (ULONGLONG end = GetTickCount64() + PATIENCE_MS; *count == 0;) {
        check(GetTickCount64() < end, "an event in the message loop");
        MsgWaitForMultipleObjectsEx(0, NULL, 500, QS_ALLINPUT, MWMO_INPUTAVAILABLE);
        while (PeekMessageW(&message, NULL, 0, 0, PM_REMOVE)) DispatchMessageW(&message);
    }
}

/* --- a session ----------------------------------------------------------------------------------- */

static void without_a_call_it_may_go(void)
{
    for (int i = 0; i < 100; i++) {
        load("SocketDispatch");
        unload(0);
    }
}

static void a_session(void)
{
    char buffer[16];
    CALL(SocketVersion, );
    const char *version = (const char *)last;
    check(in_memory(), "the library stays from the first call");
    /* Options and errors survive, too: they are the library's memory, not the connection's. */
    EXPECT(1, SocketSetOption, NULL, WDSOCKET_OPTION_USER_AGENT, "loaded/1");
    EXPECT(0, SocketExists, "c");
    EXPECT(WDSOCKET_E_UNKNOWN_NAME, SocketErrorCode, );
    CALL(SocketErrorMessage, );
    check(strstr((const char *)last, "c") != NULL, "the error message outlives the load of its call");

    EXPECT(1, WebSocketClientConnect, "c", "127.0.0.1", port, "/headers", NULL, PATIENCE_MS);
    EXPECT(1, SocketExists, "c");
    EXPECT(-WDSOCKET_E_BUFFER_TOO_SMALL, SocketRead, "c", 1, 0, buffer, sizeof buffer);
    CALL(SocketRead, "c", 1, 0, NULL, 0);
    char *request = calloc(1, (size_t)last + 1);
    EXPECT((intptr_t)last, SocketRead, "c", 1, 0, request, (size_t)last + 1);
    check(strstr(request, "loaded/1") != NULL, "the option set in an earlier load counts");
    free(request);
    EXPECT(1, SocketWrite, "c", "hello", -1);
    EXPECT(5, SocketRead, "c", 1, 0, buffer, sizeof buffer);
    EXPECT(1, SocketClose, "c");

    opened = messages = closed = 0;
    EXPECT(1, SocketSetLog, on_line, 5, &lines);
    HANDLE woken = CreateEventW(NULL, FALSE, FALSE, NULL);
    EXPECT(1, SocketSetWakeup, on_wakeup, woken);
    EXPECT(1, WebSocketClientConnectAsync, "d", on_event, "127.0.0.1", port, "/echo", NULL, NULL);
    check(WaitForSingleObject(woken, PATIENCE_MS) == WAIT_OBJECT_0, "a wake-up");
    dispatch_until(&opened);
    EXPECT(1, SocketWrite, "d", "hello", -1);
    dispatch_until(&messages);
    EXPECT(1, SocketCloseWith, "d", 1000, NULL);
    dispatch_until(&closed);
    check(opened == 1 && messages == 1 && closed == 1, "one event of each kind");
    EXPECT(1, SocketClose, "d");
    check(lines > 0, "lines of the log");
    EXPECT(1, SocketSetLog, NULL, 0, NULL);
    EXPECT(1, SocketSetWakeup, NULL, NULL);
    CloseHandle(woken);
    check(version[0] >= '0' && version[0] <= '9', "the version is still readable");
}

/* The window's class and procedure are the library's. */
static void a_session_in_a_message_loop(void)
{
    opened = messages = closed = 0;
    EXPECT(1, SocketAttachThread, );
    EXPECT(1, WebSocketClientConnectAsync, "d", on_event, "127.0.0.1", port, "/echo", NULL, NULL);
    loop_until(&opened);
    EXPECT(1, SocketWrite, "d", "hello", -1);
    loop_until(&messages);
    EXPECT(1, SocketCloseWith, "d", 1000, NULL);
    loop_until(&closed);
    EXPECT(1, SocketClose, "d");
}

static void the_event_outlives_its_load(void)
{
    opened = 0;
    CALL(SocketDispatchHandle, );
    HANDLE event = (HANDLE)last;
    EXPECT(1, WebSocketClientConnectAsync, "d", on_event, "127.0.0.1", port, "/echo", NULL, NULL);
    check(WaitForSingleObject(event, PATIENCE_MS) == WAIT_OBJECT_0, "the event is signalled");
    EXPECT((intptr_t)event, SocketDispatchHandle, );
    dispatch_until(&opened);
    EXPECT(1, SocketClose, "d");
}

static void connections_go_on(void)
{
    char buffer[16];
    /* With a connection open and the library "unloaded", its threads go on. */
    EXPECT(1, WebSocketClientConnect, "e", "127.0.0.1", port, "/ping?count=3&interval_ms=5&payload=p", NULL, PATIENCE_MS);
    EXPECT(-WDSOCKET_E_TIMEOUT, SocketRead, "e", 0, 200, buffer, sizeof buffer);
    EXPECT(1, SocketShutdown, PATIENCE_MS);
    EXPECT(1, WebSocketClientConnect, "e", "127.0.0.1", port, "/echo", NULL, PATIENCE_MS);
    EXPECT(1, SocketClose, "e");
}

/* More often than it was loaded: Windows refuses it, or the library stays. */
static void freed_too_often_it_stays(void)
{
    char buffer[16];
    EXPECT(1, WebSocketClientConnect, "e", "127.0.0.1", port, "/echo", NULL, PATIENCE_MS);
    for (int i = 0; i < 3; i++) {
        HMODULE module = GetModuleHandleA(library);
        check(module != NULL, "the library is there");
        FreeLibrary(module);
    }
    check(in_memory(), "the library stays");
    EXPECT(1, SocketWrite, "e", "hello", -1);
    EXPECT(5, SocketRead, "e", 0, PATIENCE_MS, buffer, sizeof buffer);
    EXPECT(1, SocketClose, "e");
}

static volatile LONG sessions;

#define FIND(function, as) __typeof__(&function) as = (__typeof__(&function))(Function)GetProcAddress(module, #function)

static DWORD WINAPI a_thread(void *number)
{
    char name[16];
    char buffer[16];
    snprintf(name, sizeof name, "t%d", (int)(intptr_t)number);
    /* `loaded` and `last` are the other thread's. */
    for (int i = 0; i < 20; i++) {
        HMODULE module = LoadLibraryA(library);
        FIND(WebSocketClientConnect, connect);
        FIND(SocketWrite, write);
        FIND(SocketRead, read);
        FIND(SocketClose, close);
        check(connect(name, "127.0.0.1", port, "/echo", NULL, PATIENCE_MS) == 1, "a connection of a thread's");
        FreeLibrary(module);
        module = LoadLibraryA(library);
        check(write(name, "hello", -1) == 1, "a write of a thread's");
        check(read(name, 0, PATIENCE_MS, buffer, sizeof buffer) == 5, "an answer for a thread");
        check(close(name) == 1, "a close of a thread's");
        FreeLibrary(module);
    }
    InterlockedIncrement(&sessions);
    return 0;
}

static void on_several_threads_at_once(void)
{
    HANDLE threads[4];
    for (int i = 0; i < 4; i++) threads[i] = CreateThread(NULL, 0, a_thread, (void *)(intptr_t)i, 0, NULL);
    check(WaitForMultipleObjects(4, threads, TRUE, 4 * PATIENCE_MS) == WAIT_OBJECT_0, "the threads end");
    for (int i = 0; i < 4; i++) CloseHandle(threads[i]);
    check(sessions == 4, "four sessions");
}

/* --- ends of processes ------------------------------------------------------------------------------- */

static void leave_connections_open(void)
{
    opened = 0;
    EXPECT(1, WebSocketClientConnect, "e", "127.0.0.1", port, "/flood?count=1000000&size=100", NULL, PATIENCE_MS);
    EXPECT(1, WebSocketClientConnectAsync, "d", on_event, "127.0.0.1", port, "/flood?count=1000000&size=100", NULL, NULL);
    EXPECT(1, WebSocketClientConnectAsync, "s", on_event, "127.0.0.1", port, "/silent", NULL, NULL);
    dispatch_until(&opened);
}

static int end_as(const char *mode)
{
    if (strcmp(mode, "unused") == 0) {
        without_a_call_it_may_go();
        return 30;
    }
    leave_connections_open();
    if (strcmp(mode, "return") == 0) return 31;
    if (strcmp(mode, "exit") == 0) exit(32);
    if (strcmp(mode, "ExitProcess") == 0) ExitProcess(33);
    if (strcmp(mode, "attached") == 0) {
        EXPECT(1, SocketAttachThread, );
        loop_until(&opened);
        ExitProcess(34);
    }
    return 1;
}

static void a_process_ends(const char *mode, DWORD want)
{
    char program[MAX_PATH];
    char command[2 * MAX_PATH];
    STARTUPINFOA startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    DWORD code = 0;
    GetModuleFileNameA(NULL, program, sizeof program);
    snprintf(command, sizeof command, "\"%s\" \"%s\" %s", program, library, mode);
    check(CreateProcessA(program, command, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process), "a process");
    check(WaitForSingleObject(process.hProcess, 2 * PATIENCE_MS) == WAIT_OBJECT_0, mode);
    GetExitCodeProcess(process.hProcess, &code);
    if (code != want) fprintf(stderr, "%s: the exit code is %#lx\n", mode, (unsigned long)code);
    check(code == want, mode);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
}

static void processes_end(void)
{
    a_process_ends("unused", 30);
    a_process_ends("return", 31);
    a_process_ends("exit", 32);
    a_process_ends("ExitProcess", 33);
    a_process_ends("attached", 34);
}

#define RUN(test)                  \
    do {                           \
        test();                    \
        printf("ok %s\n", #test);  \
        fflush(stdout);            \
    } while (0)

int main(int argc, char **argv)
{
    const char *text_of_port = getenv("WDSOCKET_TEST_PORT");
    check((argc == 2 || argc == 3) && text_of_port, "wdsocket-test-server --run load_unload LIBRARY [MODE]");
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
    library = argv[1];
    port = atoi(text_of_port);
    if (argc == 3) return end_as(argv[2]);
    check(!in_memory(), "the library is not there yet");
    RUN(without_a_call_it_may_go);
    RUN(a_session);
    RUN(a_session_in_a_message_loop);
    RUN(the_event_outlives_its_load);
    RUN(connections_go_on);
    RUN(freed_too_often_it_stays);
    RUN(on_several_threads_at_once);
    RUN(processes_end);
    /* FreeLibrary with connections open; then the process ends. */
    leave_connections_open();
    return 0;
}
