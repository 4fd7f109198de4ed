/* The library's threads take none of the host's signals. This program is the resolver, too: its
   getaddrinfo takes the place of the system's and looks at the thread that it is called on. POSIX only. */
#define _DEFAULT_SOURCE
#include "testing.h"

#include <dirent.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>

static atomic_int resolving;
static atomic_int go_on;
static atomic_int unblocked;
static uintptr_t host;

static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGALRM, SIGUSR1, SIGUSR2, SIGCHLD, SIGIO};

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    (void)name, (void)service, (void)hints, (void)result;
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (this_thread() != host && !sigismember(&mask, signals[i])) atomic_fetch_add(&unblocked, 1);
    atomic_fetch_add(&resolving, 1);
    while (!atomic_load(&go_on)) sleep_ms(2);
    return EAI_NONAME;
}

/* Linux: all of the library's threads, by their names. Returns how many there are. */
static int check_named_threads(void)
{
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    if (!tasks) return 0;
    for (const struct dirent *task; (task = readdir(tasks)) != NULL;) {
        char path[300], line[256], name[64] = "";
        snprintf(path, sizeof path, "/proc/self/task/%s/status", task->d_name);
        FILE *file = fopen(path, "r");
        if (!file) continue;
        while (fgets(line, sizeof line, file)) {
            unsigned long long mask;
            sscanf(line, "Name: %63s", name);
            if (sscanf(line, "SigBlk: %llx", &mask) != 1 || strncmp(name, "wdsocket", 8) != 0) continue;
            /* The program itself has another name. */
            count++;
            for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
                if (!(mask >> (signals[i] - 1) & 1)) check_failed(__FILE__, __LINE__, name, "takes a signal of the host's");
        }
        fclose(file);
    }
    closedir(tasks);
    return count;
}

/* The thread that dispatches drives the runtime, and so it may be the one that starts threads. */
static void a_resolver_that_the_dispatching_thread_starts_takes_none(void)
{
    Recorder events = {0};
    char name[2] = "a";
    host = this_thread();
    /* So that the runtime runs, and this thread has taken it over. */
    connect_recorder(&events, "first", "/echo");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    for (int i = 1; i <= 5; i++, name[0]++) {
        CHECK_OK(WebSocketClientConnectAsync(name, record, "somewhere.test", 9, NULL, NULL, &events));
        while (atomic_load(&resolving) < i) SocketDispatch(20, 1);
        CHECK_INT(atomic_load(&unblocked), 0);
        CHECK_BETWEEN(check_named_threads(), 0, 100);
    }
    atomic_store(&go_on, 1);
    for (int i = 1; i <= 5; i++) {
        CHECK_INT(EXPECT_EVENT(&events, WDSOCKET_EVENT_ERROR, "")->error, WDSOCKET_E_RESOLVE);
        EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1006");
    }
    forget_events(&events);
}

static void nor_does_any_other_thread_of_the_library(void)
{
    connect_to("c", "/echo");
    CHECK_OK(SocketWrite("c", "hello", -1));
    EXPECT_TEXT("c", "hello");
    int count = check_named_threads();
    printf("looked at %d threads\n", count);
}

int main(void)
{
    RUN(a_resolver_that_the_dispatching_thread_starts_takes_none);
    RUN(nor_does_any_other_thread_of_the_library);
    return 0;
}
