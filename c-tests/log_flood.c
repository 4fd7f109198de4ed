/* A log function that is slower than the lines come: it holds up nobody's call. */
#include "testing.h"

#include <stdatomic.h>
#include <stdio.h>

#define RUN_MS 5000
#define LONGEST_MS 3000
#define THREADS 6

static atomic_int stopped;

static void WDSOCKET_CALL slow_line(int32_t level, const char *line, void *user_data)
{
    (void)level, (void)line, (void)user_data;
    /* No time at all, which takes some 60 microseconds: about what a line into a file does. */
    sleep_ms(0);
}

typedef struct {
    char name[16];
    int64_t longest;
} Worker;

/* Whichever call it is that has to hand lines over. */
static void connect_again_and_again(void *argument)
{
    Worker *worker = argument;
    while (!atomic_load(&stopped)) {
        int64_t start = now_ms();
        connect_to(worker->name, "/echo");
        CHECK_OK(SocketClose(worker->name));
        if (now_ms() - start > worker->longest) worker->longest = now_ms() - start;
    }
}

static void no_call_is_held_up_by_the_lines_of_others(void)
{
    Worker workers[THREADS] = {0};
    Thread *threads[THREADS];
    CHECK_OK(SocketSetLog(slow_line, 5, NULL));
    for (int i = 0; i < THREADS; i++) {
        snprintf(workers[i].name, sizeof workers[i].name, "w%d", i);
        threads[i] = start_thread(connect_again_and_again, &workers[i]);
    }
    sleep_ms(RUN_MS);
    atomic_store(&stopped, 1);
    for (int i = 0; i < THREADS; i++) join_thread(threads[i]);
    CHECK_OK(SocketSetLog(NULL, 0, NULL));
    for (int i = 0; i < THREADS; i++) CHECK_BETWEEN(workers[i].longest, 0, LONGEST_MS);
}

int main(void)
{
    RUN(no_call_is_held_up_by_the_lines_of_others);
    return 0;
}
