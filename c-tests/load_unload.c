/* A load and an unload around every call. Windows only. LIBRARY is a file name that Windows finds (PATH) or a whole path.
   With a MODE: how a process ends that has loaded and unloaded it. */
#include "loading.h"

#include <windows.h>

static HMODULE loaded;

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

static LONG lines;

static void WDSOCKET_CALL on_wakeup(void *event) { SetEvent(event); }

static void WDSOCKET_CALL on_line(int32_t level, const char *line, void *count)
{
    (void)level, (void)line;
    InterlockedIncrement(count);
}

static bool in_memory(void) { return GetModuleHandleA(library) != NULL; }

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

static void the_library_stays_from_the_first_call(void)
{
    texts_options_and_errors_outlive_their_load();
    check(in_memory(), "the library stays");
}

static HANDLE woken;

static void dispatch_when_woken(const int *count)
{
    check(WaitForSingleObject(woken, PATIENCE_MS) == WAIT_OBJECT_0, "a wake-up");
    dispatch_until(count);
}

static void a_callback_socket_with_wakeup_and_log(void)
{
    EXPECT(1, SocketSetLog, on_line, 5, &lines);
    woken = CreateEventW(NULL, FALSE, FALSE, NULL);
    EXPECT(1, SocketSetWakeup, on_wakeup, woken);
    a_callback_socket_with(dispatch_when_woken);
    check(lines > 0, "lines of the log");
    EXPECT(1, SocketSetLog, NULL, 0, NULL);
    EXPECT(1, SocketSetWakeup, NULL, NULL);
    CloseHandle(woken);
}

/* The window's class and procedure are the library's. */
static void a_callback_socket_in_a_message_loop(void)
{
    EXPECT(1, SocketAttachThread, );
    a_callback_socket_with(loop_until);
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
    RUN(the_library_stays_from_the_first_call);
    RUN(a_synchronous_socket);
    RUN(a_callback_socket_with_wakeup_and_log);
    RUN(a_callback_socket_in_a_message_loop);
    RUN(the_event_outlives_its_load);
    RUN(connections_go_on);
    RUN(freed_too_often_it_stays);
    RUN(on_several_threads_at_once);
    RUN(processes_end);
    /* FreeLibrary with connections open; then the process ends. */
    leave_connections_open();
    return 0;
}
