/* Signals that a host handles interrupt system calls, and no call of the library's. */
#define _POSIX_C_SOURCE 200809L
#include "testing.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>

static atomic_int handled;
static atomic_bool done;
static pthread_t target;

static void handle(int signal)
{
    (void)signal;
    atomic_fetch_add(&handled, 1);
}

static void send_signals(void *unused)
{
    (void)unused;
    while (!atomic_load(&done)) {
        CHECK_INT(pthread_kill(target, SIGUSR1), 0);
        sleep_ms(1);
    }
}

/* Runs the body under a rain of signals, handled with these flags. */
static void under_signals(int flags, void (*body)(void))
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = flags};
    CHECK_INT(sigemptyset(&action.sa_mask), 0);
    CHECK_INT(sigaction(SIGUSR1, &action, NULL), 0);
    target = pthread_self();
    atomic_store(&done, false);
    atomic_store(&handled, 0);
    Thread *sender = start_thread(send_signals, NULL);
    WAIT_UNTIL(atomic_load(&handled) > 0);
    body();
    atomic_store(&done, true);
    join_thread(sender);
}

static void read_and_write(void)
{
    char text[32];
    connect_to("c", "/echo");
    for (int i = 0; i < 2000; i++) {
        snprintf(text, sizeof text, "%d", i);
        CHECK_OK(SocketWrite("c", text, -1));
        EXPECT_TEXT("c", text);
    }
    /* Late enough for a wait that changes its way. */
    connect_to("d", "/echo?delay_ms=150");
    CHECK_OK(SocketWrite("d", "late", -1));
    CHECK_COUNT(SocketRead("d", 1, 0, NULL, 0), 4);
    static const int limits[] = {0, 1, 49, 60, 150};
    for (int i = 0; i < 5; i++) {
        int64_t start = now_ms();
        CHECK_NEGATIVE(SocketRead("c", 0, limits[i], NULL, 0), WDSOCKET_E_TIMEOUT);
        CHECK_BETWEEN(now_ms() - start, limits[i] - 1, limits[i] + PATIENCE_MS);
    }
}

static void write_much(void)
{
    static char large[4 << 20];
    connect_to("c", "/count?pace_bytes=200000&pace_ms=1");
    for (int i = 0; i < 5; i++) CHECK_OK(SocketWriteBinary("c", large, sizeof large));
    CHECK_OK(SocketWrite("c", "report", -1));
    CHECK_CONTAINS(read_text("c"), "5 20971520 ");
}

static void dispatch(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/echo?delay_ms=20");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    for (int i = 0; i < 10; i++) {
        CHECK_OK(SocketWrite("c", "hello", -1));
        EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "hello");
    }
    int64_t start = now_ms();
    CHECK_COUNT(SocketDispatch(100, 0), 0);
    CHECK_BETWEEN(now_ms() - start, 99, PATIENCE_MS);
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
}

static void wait_for_the_end(void)
{
    set_option("c", WDSOCKET_OPTION_PING_INTERVAL_MS, "50");
    set_option("c", WDSOCKET_OPTION_PONG_TIMEOUT_MS, "150");
    connect_to("c", "/nopong");
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    CHECK_CONTAINS(info("c", WDSOCKET_INFO_LAST_ERROR), "ping");
}

static void reading_goes_on_when_calls_are_restarted(void) { under_signals(SA_RESTART, read_and_write); }
static void and_when_they_are_not(void) { under_signals(0, read_and_write); }
static void writing_goes_on_when_calls_are_restarted(void) { under_signals(SA_RESTART, write_much); }
static void also_when_they_are_not(void) { under_signals(0, write_much); }
static void dispatching_goes_on(void)
{
    under_signals(SA_RESTART, dispatch);
    under_signals(0, dispatch);
}
static void an_end_is_noticed(void)
{
    under_signals(SA_RESTART, wait_for_the_end);
    CHECK_OK(SocketClose("c"));
    under_signals(0, wait_for_the_end);
}

int main(void)
{
    RUN(reading_goes_on_when_calls_are_restarted);
    RUN(and_when_they_are_not);
    RUN(writing_goes_on_when_calls_are_restarted);
    RUN(also_when_they_are_not);
    RUN(dispatching_goes_on);
    RUN(an_end_is_noticed);
    return 0;
}
