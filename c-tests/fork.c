/* fork: the child may not use the library, the parent does not notice. POSIX only. */
#define _POSIX_C_SOURCE 200809L
#include "testing.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs the body in a child; its checks end the child with 1. */
static void in_child(void (*body)(void))
{
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        body();
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
}

#define FORKED WDSOCKET_E_FORKED

static void every_call_fails(void)
{
    char buffer[8];
    Recorder events = {0};
    CHECK_FAILS(SocketExists("c"), FORKED);
    CHECK_FAILS(WebSocketClientConnect("d", "127.0.0.1", test_port(), "/echo", NULL, 0), FORKED);
    CHECK_FAILS(WebSocketClientConnectAsync("d", record, "127.0.0.1", test_port(), "/echo", NULL, &events), FORKED);
    CHECK_FAILS(SocketConnect("d", test_url("/echo"), record, NULL, &events), FORKED);
    CHECK_FAILS(SocketWrite("c", "x", 1), FORKED);
    CHECK_FAILS(SocketWriteBinary("c", "x", 1), FORKED);
    CHECK_NEGATIVE(SocketRead("c", 1, 0, buffer, sizeof buffer), FORKED);
    CHECK_NEGATIVE(SocketAvailable("c"), FORKED);
    CHECK_FAILS(SocketClose("c"), FORKED);
    CHECK_FAILS(SocketCloseWith("c", 1000, NULL), FORKED);
    CHECK_NEGATIVE(SocketInfo("c", WDSOCKET_INFO_URL, buffer, sizeof buffer), FORKED);
    CHECK_FAILS(SocketSetOption(NULL, WDSOCKET_OPTION_PING_INTERVAL_MS, "1"), FORKED);
    CHECK_FAILS(SocketChangeTransmissionMode("c", 0, NULL), FORKED);
    CHECK_NEGATIVE(SocketDispatch(-1, 0), FORKED);
    CHECK_FAILS(SocketWake(), FORKED);
    CHECK_FAILS(SocketSync(-1), FORKED);
    CHECK_FAILS(SocketSetWakeup(NULL, NULL), FORKED);
    CHECK_FAILS(SocketSetLog(NULL, 0, NULL), FORKED);
    CHECK_FAILS(SocketShutdown(-1), FORKED);
    CHECK_NEGATIVE(SocketDispatchHandle(), FORKED);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_NONE);
    CHECK_INT(SocketErrorCode(), FORKED);
    CHECK(SocketVersion()[0] != '\0');
}

static void in_the_child_every_call_fails_with_forked(void)
{
    connect_to("c", "/echo");
    in_child(every_call_fails);
}

static void the_parent_is_unaffected(void)
{
    Recorder events = {0};
    connect_to("c", "/echo");
    connect_recorder(&events, "d", "/echo");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    for (int i = 0; i < 20; i++) {
        in_child(every_call_fails);
        CHECK_OK(SocketWrite("c", "parent", -1));
        EXPECT_TEXT("c", "parent");
        CHECK_OK(SocketWrite("d", "parent", -1));
        EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "parent");
    }
    forget_events(&events);
}

/* A child that holds copies of every descriptor until it is let go. */
static pid_t start_holder(int *release)
{
    int ends[2];
    fflush(NULL);
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        char byte;
        close(ends[1]);
        while (read(ends[0], &byte, 1) > 0) continue;
        _exit(0);
    }
    close(ends[0]);
    *release = ends[1];
    return child;
}

static void a_childs_copy_does_not_withhold_the_end(void)
{
    int release;
    connect_to("c", "/echo?id=closed");
    connect_to("d", "/raw?hex=&id=broken");
    connect_to("e", "/echo?id=shut");
    pid_t child = start_holder(&release);
    CHECK_OK(SocketClose("c"));
    CHECK_CONTAINS(diary("closed", "eof"), "\neof\n");
    CHECK_OK(SocketCloseWith("d", 1000, NULL));
    CHECK_CONTAINS(diary("broken", "eof"), "\neof\n");
    CHECK_OK(SocketShutdown(PATIENCE_MS));
    CHECK_CONTAINS(diary("shut", "eof"), "\neof\n");
    close(release);
    CHECK(waitpid(child, NULL, 0) == child);
}

static void a_given_up_attempt_ends_too(void)
{
    int release;
    Recorder events = {0};
    connect_recorder(&events, "c", "/silent?id=attempt");
    EXPECT_DIARY("attempt", "open /silent?id=attempt");
    pid_t child = start_holder(&release);
    CHECK_OK(SocketClose("c"));
    const char *seen = diary("attempt", "eof");
    CHECK(lines_with(seen, "eof") + lines_with(seen, "lost") == 1);
    close(release);
    CHECK(waitpid(child, NULL, 0) == child);
    forget_events(&events);
}

static void no_descriptor_survives_an_exec(void)
{
    Recorder events = {0};
    connect_to("c", "/echo");
    connect_recorder(&events, "d", "/echo");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    DIR *all = opendir("/proc/self/fd");
    if (!all) return;
    for (struct dirent *entry; (entry = readdir(all)) != NULL;) {
        int descriptor = atoi(entry->d_name);
        char target[256] = "";
        char path[300];
        snprintf(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
        if (descriptor <= 2 || readlink(path, target, sizeof target - 1) <= 0) continue;
        /* The library's are sockets, events, polls and pipes; the runner may have left files open. */
        if (strncmp(target, "socket:", 7) && strncmp(target, "anon_inode:", 11)) continue;
        if (!(fcntl(descriptor, F_GETFD) & FD_CLOEXEC)) check_failed(__FILE__, __LINE__, "the descriptor closes on exec", target);
    }
    closedir(all);
    forget_events(&events);
}

int main(void)
{
    RUN(in_the_child_every_call_fails_with_forked);
    RUN(the_parent_is_unaffected);
    RUN(a_childs_copy_does_not_withhold_the_end);
    RUN(a_given_up_attempt_ends_too);
    RUN(no_descriptor_survives_an_exec);
    return 0;
}
