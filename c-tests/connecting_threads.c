/* While a thread waits for a connection to open, everything else goes on. */
#include "testing.h"

#include <stdatomic.h>
#include <stdio.h>

typedef struct {
    const char *name, *path;
    int32_t timeout_ms;
    intptr_t result, error;
    int64_t took_ms;
    atomic_bool has_begun;
} Attempt;

static void attempt(void *argument)
{
    Attempt *it = argument;
    int64_t start = now_ms();
    atomic_store(&it->has_begun, true);
    it->result = WebSocketClientConnect(it->name, "127.0.0.1", test_port(), it->path, NULL, it->timeout_ms);
    it->error = SocketErrorCode();
    it->took_ms = now_ms() - start;
}

/* Begins one that gets no answer, and waits until the server has seen its request. */
static Thread *start_attempt(Attempt *it, const char *id)
{
    Thread *thread = start_thread(attempt, it);
    WAIT_UNTIL(atomic_load(&it->has_begun));
    CHECK(lines_with(diary(id, "open"), "open") == 1);
    return thread;
}

static void callbacks_come_while_another_thread_connects(void)
{
    Recorder events = {0};
    Attempt silent = {.name = "silent", .path = "/silent?id=callbacks", .timeout_ms = PATIENCE_MS};
    connect_recorder(&events, "c", "/echo");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    Thread *thread = start_attempt(&silent, "callbacks");
    for (int i = 0; i < 200; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        CHECK_OK(SocketWrite("c", text, -1));
        EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, text);
    }
    CHECK_OK(SocketClose("silent"));
    join_thread(thread);
    CHECK_INT(silent.result, 0);
    CHECK_INT(silent.error, WDSOCKET_E_CANCELLED);
    CHECK_BETWEEN(silent.took_ms, 0, PATIENCE_MS - 1);
    forget_events(&events);
}

static void also_those_that_are_waited_for_when_it_has_connected(void)
{
    Recorder events = {0};
    Attempt slow = {.name = "slow", .path = "/slow?ms=200&id=then", .timeout_ms = PATIENCE_MS};
    connect_recorder(&events, "c", "/echo");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    Thread *thread = start_attempt(&slow, "then");
    /* The wait begins while that thread connects, and goes on when it has. */
    while (SocketDispatch(0, 0) > 0) continue;
    CHECK_INT(SocketDispatch(400, 0), 0);
    join_thread(thread);
    CHECK_INT(slow.result, 1);
    CHECK_OK(SocketWrite("c", "then", -1));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "then");
    CHECK_OK(SocketClose("slow"));
    forget_events(&events);
}

static void synchronous_sockets_go_on_too(void)
{
    Attempt silent = {.name = "silent", .path = "/silent?id=synchronous", .timeout_ms = 700};
    connect_to("c", "/echo?id=pinged");
    Thread *thread = start_attempt(&silent, "synchronous");
    for (int i = 0; i < 100; i++) {
        CHECK_OK(SocketWrite("c", "text", -1));
        EXPECT_TEXT("c", "text");
    }
    /* Nobody reads. */
    control("pinged", "ping");
    CHECK(lines_with(diary("pinged", "pong"), "pong") == 1);
    join_thread(thread);
    CHECK_INT(silent.result, 0);
    CHECK_INT(silent.error, WDSOCKET_E_TIMEOUT);
    CHECK_BETWEEN(silent.took_ms, 690, 6000);
    control("pinged", "ping");
    CHECK(lines_with(diary_with("pinged", "pong", 2), "pong") == 2);
    CHECK_OK(SocketClose("c"));
}

static void several_threads_connect_at_once(void)
{
    enum { THREADS = 8, ROUNDS = 20 };
    for (int round = 0; round < ROUNDS; round++) {
        Attempt attempts[THREADS];
        char names[THREADS][16];
        Thread *threads[THREADS];
        for (int i = 0; i < THREADS; i++) {
            snprintf(names[i], sizeof names[i], "n%d", i);
            /* Some fail. */
            attempts[i] = (Attempt){.name = names[i], .path = i % 4 ? "/echo" : "/http?status=403", .timeout_ms = PATIENCE_MS};
            threads[i] = start_thread(attempt, &attempts[i]);
        }
        for (int i = 0; i < THREADS; i++) {
            join_thread(threads[i]);
            CHECK_INT(attempts[i].result, i % 4 != 0);
            CHECK_INT(attempts[i].error, i % 4 ? 0 : WDSOCKET_E_HANDSHAKE);
        }
        for (int i = 0; i < THREADS; i++) {
            if (i % 4 == 0) continue;
            CHECK_OK(SocketWrite(names[i], names[i], -1));
            char text[16];
            CHECK_INT(SocketRead(names[i], 0, PATIENCE_MS, text, sizeof text), 2);
            CHECK_TEXT(text, names[i]);
            CHECK_OK(SocketClose(names[i]));
        }
    }
}

static void shut_down(void *argument)
{
    *(intptr_t *)argument = SocketShutdown(PATIENCE_MS);
}

static void a_shutdown_ends_it(void)
{
    intptr_t is_down = -1;
    Attempt silent = {.name = "silent", .path = "/silent?id=shutdown", .timeout_ms = PATIENCE_MS};
    Thread *thread = start_attempt(&silent, "shutdown");
    Thread *ending = start_thread(shut_down, &is_down);
    join_thread(ending);
    join_thread(thread);
    CHECK_INT(is_down, 1);
    CHECK_INT(silent.result, 0);
    CHECK_INT(silent.error, WDSOCKET_E_CANCELLED);
    CHECK_BETWEEN(silent.took_ms, 0, PATIENCE_MS - 1);
    connect_to("c", "/echo");
    CHECK_OK(SocketWrite("c", "again", -1));
    EXPECT_TEXT("c", "again");
}

#if defined __GLIBC__ && !defined __SANITIZE_ADDRESS__
#include <ucontext.h>

static ucontext_t main_context, small_context;
static char small_answer[16];
static int small_events;

static void WDSOCKET_CALL on_small_event(int32_t event, const char *message, size_t length, const char *name, void *user_data)
{
    (void)event, (void)message, (void)length, (void)name, (void)user_data;
    small_events++;
}

static void exchange(void)
{
    if (WebSocketClientConnect("small", "127.0.0.1", test_port(), "/echo", NULL, PATIENCE_MS) == 1 &&
        SocketWrite("small", "hello", -1) == 1)
        SocketRead("small", 1, 0, small_answer, sizeof small_answer);
    if (WebSocketClientConnectAsync("event", on_small_event, "127.0.0.1", test_port(), "/echo", NULL, NULL) == 1)
        while (small_events == 0) SocketDispatch(PATIENCE_MS, 0);
}

/* As coroutines have them. (A thread's own also holds what the test's files have for each thread.) */
static void it_needs_no_large_stack(void)
{
    static char stack[40 << 10];
    CHECK_INT(getcontext(&small_context), 0);
    small_context.uc_stack.ss_sp = stack;
    small_context.uc_stack.ss_size = sizeof stack;
    small_context.uc_link = &main_context;
    makecontext(&small_context, exchange, 0);
    CHECK_INT(swapcontext(&main_context, &small_context), 0);
    CHECK_TEXT(small_answer, "hello");
    CHECK_INT(small_events, 1);
    CHECK_OK(SocketClose("small"));
    CHECK_OK(SocketClose("event"));
}
#else
static void it_needs_no_large_stack(void) { printf("skipped: sanitizers need much, and not every system has ucontext.h\n"); }
#endif

int main(void)
{
    RUN(it_needs_no_large_stack);
    RUN(callbacks_come_while_another_thread_connects);
    RUN(also_those_that_are_waited_for_when_it_has_connected);
    RUN(synchronous_sockets_go_on_too);
    RUN(several_threads_connect_at_once);
    RUN(a_shutdown_ends_it);
    return 0;
}
