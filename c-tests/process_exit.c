/* A process may simply exit, whatever is going on. Each case is a process of its own. POSIX only. */
#define _POSIX_C_SOURCE 200809L
#include "testing.h"

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static char *program;

/* Runs this program with the mode; its exit status. */
static int run_mode(char *mode)
{
    char *arguments[] = {program, mode, NULL};
    pid_t child;
    int status;
    CHECK(posix_spawn(&child, program, NULL, NULL, arguments, environ) == 0);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* --- modes -------------------------------------------------------------------------------- */

static void close_and_exit(void)
{
    connect_to("c", "/echo?id=closed");
    CHECK_OK(SocketClose("c"));
    _exit(10);
}

static void leave_everything_open(void)
{
    Recorder *events = calloc(1, sizeof *events);
    connect_to("c", "/flood?count=1000000&size=100");
    connect_recorder(events, "d", "/flood?count=1000000&size=100");
    connect_recorder(events, "e", "/silent");
    WAIT_UNTIL(info_number("d", WDSOCKET_INFO_MESSAGES_IN) > 10);
    exit(11);
}

static void exit_inside(Recorder *recorder, const Event *event)
{
    (void)recorder, (void)event;
    exit(12);
}

static void exit_in_a_callback(void)
{
    static Recorder events = {.inside = exit_inside};
    connect_recorder(&events, "d", "/echo");
    next_event(&events);
}

static void wait_for_ever(void *name)
{
    char buffer[8];
    if (name)
        SocketRead(name, 1, 0, buffer, sizeof buffer);
    else
        SocketDispatch(-1, 0);
}

static void exit_while_threads_wait(void)
{
    static char name[] = "c";
    connect_to("c", "/echo");
    start_thread(wait_for_ever, name);
    start_thread(wait_for_ever, NULL);
    WAIT_UNTIL(SocketDispatch(0, 0) == -WDSOCKET_E_BUSY);
    exit(13);
}

static void shut_down_at_exit(void) { SocketShutdown(1000); }

static void shutdown_in_an_exit_handler(void)
{
    atexit(shut_down_at_exit);
    connect_to("c", "/echo?id=handler");
    exit(14);
}

/* --- tests -------------------------------------------------------------------------------- */

static void the_close_frame_is_with_the_system_when_close_returns(void)
{
    for (int i = 1; i <= 10; i++) {
        CHECK_INT(run_mode("close"), 10);
        CHECK_INT(lines_with(diary_with("closed", "close 1000", i), "close 1000"), i);
    }
}

static void with_open_connections_and_waiting_callbacks(void) { CHECK_INT(run_mode("open"), 11); }
static void inside_a_callback(void) { CHECK_INT(run_mode("callback"), 12); }
static void while_threads_wait(void) { CHECK_INT(run_mode("threads"), 13); }

static void with_a_shutdown_in_an_exit_handler(void)
{
    CHECK_INT(run_mode("handler"), 14);
    EXPECT_DIARY("handler", "close 1001");
}

int main(int argc, char **argv)
{
    program = argv[0];
    const char *mode = argc > 1 ? argv[1] : "";
    if (strcmp(mode, "close") == 0) close_and_exit();
    if (strcmp(mode, "open") == 0) leave_everything_open();
    if (strcmp(mode, "callback") == 0) exit_in_a_callback();
    if (strcmp(mode, "threads") == 0) exit_while_threads_wait();
    if (strcmp(mode, "handler") == 0) shutdown_in_an_exit_handler();
    if (mode[0]) return 1;
    RUN(the_close_frame_is_with_the_system_when_close_returns);
    RUN(with_open_connections_and_waiting_callbacks);
    RUN(inside_a_callback);
    RUN(while_threads_wait);
    RUN(with_a_shutdown_in_an_exit_handler);
    return 0;
}
