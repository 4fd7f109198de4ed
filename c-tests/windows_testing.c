#include "windows_testing.h"

#include <stdio.h>
#include <stdlib.h>

UINT_PTR begin_loop(void) { return SetTimer(NULL, 0, 500, NULL); }

void end_loop(UINT_PTR alarm) { KillTimer(NULL, alarm); }

void loop_once(const char *file, int line, const char *what, int64_t until)
{
    MSG message;
    if (GetMessageW(&message, NULL, 0, 0) <= 0) check_failed(file, line, what, "GetMessage: the loop is to end");
    TranslateMessage(&message);
    DispatchMessageW(&message);
    if (now_ms() > until) check_failed(file, line, what, "never");
}

void loop_for(int ms)
{
    MSG message;
    int64_t end = now_ms() + ms;
    for (int64_t left; (left = end - now_ms()) > 0;) {
        MsgWaitForMultipleObjectsEx(0, NULL, (DWORD)left, QS_ALLINPUT, MWMO_INPUTAVAILABLE);
        while (PeekMessageW(&message, NULL, 0, 0, PM_REMOVE)) DispatchMessageW(&message);
    }
}

void on_a_thread(void (*body)(void *argument), void *argument) { join_thread(start_thread(body, argument)); }

static const WCHAR own_class[] = L"wdsocket test";

HWND make_window(WNDPROC procedure)
{
    /* The procedure is the window's, not the class's. */
    WNDCLASSW class = {.lpfnWndProc = DefWindowProcW, .hInstance = GetModuleHandleW(NULL), .lpszClassName = own_class};
    if (!RegisterClassW(&class)) CHECK_INT(GetLastError(), ERROR_CLASS_ALREADY_EXISTS);
    HWND window = CreateWindowW(own_class, own_class, WS_OVERLAPPEDWINDOW, 0, 0, 200, 100, NULL, NULL, class.hInstance,
                                NULL);
    CHECK(window != NULL);
    if (procedure) SetWindowLongPtrW(window, GWLP_WNDPROC, (LONG_PTR)procedure);
    return window;
}

void each_message_window(void (*see)(HWND window, void *argument), void (*begin)(void *argument), void *argument)
{
    HWND window, last;
    do {
        begin(argument);
        for (window = last = NULL; (window = FindWindowExW(HWND_MESSAGE, window, NULL, NULL)) != NULL; last = window)
            see(window, argument);
        /* All programs' are among them: where one went away under the walk, the walk ended there. */
    } while (last && !IsWindow(last));
}

typedef struct {
    DWORD thread;
    int count;
    HWND last;
} Windows;

static void begin_to_count(void *windows) { ((Windows *)windows)->count = 0; }

static void count_window(HWND window, void *argument)
{
    Windows *windows = argument;
    WCHAR class[64];
    if (GetWindowThreadProcessId(window, NULL) != windows->thread) return;
    /* The system's own (OLE, input methods), if any. */
    if (!GetClassNameW(window, class, 64) || wcsstr(class, L"Ole") || wcsstr(class, L"IME")) return;
    windows->count++;
    windows->last = window;
}

int windows_of_the_library(DWORD thread, HWND *last)
{
    Windows windows = {.thread = thread};
    each_message_window(count_window, begin_to_count, &windows);
    if (last && windows.count) *last = windows.last;
    return windows.count;
}

DWORD run_self(const char *file, int line, const char *argument)
{
    char program[MAX_PATH];
    char command[MAX_PATH + 64];
    STARTUPINFOA startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    DWORD code = 0;
    CHECK(GetModuleFileNameA(NULL, program, sizeof program) > 0);
    snprintf(command, sizeof command, "\"%s\" %s", program, argument);
    if (!CreateProcessA(program, command, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process))
        check_int(file, line, "GetLastError() after CreateProcess", (intptr_t)GetLastError(), 0);
    /* A hang is no failure of this machine's speed. */
    if (WaitForSingleObject(process.hProcess, 2 * PATIENCE_MS) != WAIT_OBJECT_0) {
        TerminateProcess(process.hProcess, 1);
        check_failed(file, line, argument, "the process hangs");
    }
    CHECK(GetExitCodeProcess(process.hProcess, &code));
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    return code;
}

const char *mode_of(int argc, char **argv)
{
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
    return argc > 1 ? argv[1] : "";
}
