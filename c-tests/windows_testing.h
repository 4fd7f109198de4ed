/* What the tests for Windows share: message loops, windows, processes. */
#ifndef WINDOWS_TESTING_H
#define WINDOWS_TESTING_H

#include "testing.h"

#include <windows.h>

/* --- the thread's message loop ------------------------------------------------------------- */

/* GetMessage and DispatchMessage until the condition holds; fails after PATIENCE_MS. */
#define LOOP_UNTIL(condition)                                                             \
    do {                                                                                  \
        UINT_PTR alarm_ = begin_loop();                                                   \
        int64_t until_ = now_ms() + PATIENCE_MS;                                          \
        while (!(condition)) loop_once(__FILE__, __LINE__, #condition, until_);           \
        end_loop(alarm_);                                                                 \
    } while (0)
/* The same for a time in which something is not to happen. */
void loop_for(int ms);
/* One timer, so that a loop to which nothing comes looks at the clock. */
UINT_PTR begin_loop(void);
void end_loop(UINT_PTR alarm);
void loop_once(const char *file, int line, const char *what, int64_t until);

/* Runs the test on a thread of its own: what is attached to the thread ends with it. */
void on_a_thread(void (*body)(void *argument), void *argument);

/* --- windows -------------------------------------------------------------------------------- */

/* A window of the calling thread with this procedure; not shown. */
HWND make_window(WNDPROC procedure);
/* Message-only windows of the thread that are not the test's own: the library's. `last` is one of them. */
int windows_of_the_library(DWORD thread, HWND *last);
/* Calls `see` with each message-only window, from the beginning (`begin`) again where that was disturbed. */
void each_message_window(void (*see)(HWND window, void *argument), void (*begin)(void *argument), void *argument);

/* --- processes ------------------------------------------------------------------------------- */

/* Runs this program with the argument, with a time limit; its exit code. The process's own failure is on standard
   error. */
#define EXPECT_EXIT(argument, want) CHECK_INT(run_self(__FILE__, __LINE__, argument), (want))
DWORD run_self(const char *file, int line, const char *argument);
/* What the argument was; "" in the first process. Turns the system's boxes about crashes off. */
const char *mode_of(int argc, char **argv);

#endif
