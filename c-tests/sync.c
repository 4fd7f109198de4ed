/* SocketSync: for hosts that close from another thread than the one that dispatches. */
#include "testing.h"

#include <stdatomic.h>

static atomic_int inside;
static atomic_int may_return;
static atomic_int dispatch_more;

/* Stays inside until it is let go. */
static void WDSOCKET_CALL linger(int32_t event, const char *message, size_t length, const char *name, void *user_data)
{
    (void)event, (void)message, (void)length, (void)name, (void)user_data;
    atomic_store(&inside, 1);
    while (!atomic_load(&may_return)) sleep_ms(1);
    atomic_store(&inside, 0);
}

static void dispatcher(void *argument)
{
    (void)argument;
    while (atomic_load(&dispatch_more)) SocketDispatch(20, 0);
}

static Thread *with_a_callback_running(const char *path)
{
    atomic_store(&may_return, 0);
    atomic_store(&dispatch_more, 1);
    Thread *thread = start_thread(dispatcher, NULL);
    CHECK_OK(SocketConnect("c", test_url(path), linger, NULL, NULL));
    WAIT_UNTIL(atomic_load(&inside) == 1);
    return thread;
}

static void stop(Thread *thread)
{
    atomic_store(&may_return, 1);
    atomic_store(&dispatch_more, 0);
    join_thread(thread);
}

static void let_go(void *argument)
{
    (void)argument;
    sleep_ms(100);
    atomic_store(&may_return, 1);
}

static void it_returns_at_once_when_no_callback_runs(void)
{
    CHECK_OK(SocketSync(0));
    CHECK_OK(SocketSync(-1));
    CHECK_OK(SocketSync(1000));
}

static void it_waits_for_the_running_callback(void)
{
    Thread *thread = with_a_callback_running("/echo");
    CHECK_OK(SocketClose("c"));
    CHECK_INT(atomic_load(&inside), 1);
    Thread *releaser = start_thread(let_go, NULL);
    CHECK_OK(SocketSync(-1));
    CHECK_INT(atomic_load(&inside), 0);
    join_thread(releaser);
    stop(thread);
}

static void it_gives_up_in_time(void)
{
    Thread *thread = with_a_callback_running("/echo");
    CHECK_FAILS(SocketSync(0), WDSOCKET_E_TIMEOUT);
    int64_t start = now_ms();
    CHECK_FAILS(SocketSync(100), WDSOCKET_E_TIMEOUT);
    CHECK_BETWEEN(now_ms() - start, 95, 4000);
    stop(thread);
}

static atomic_int counted;

static void WDSOCKET_CALL count(int32_t event, const char *message, size_t length, const char *name, void *user_data)
{
    (void)event, (void)message, (void)length, (void)name, (void)user_data;
    atomic_fetch_add(&counted, 1);
}

static void it_waits_only_for_those_that_were_running(void)
{
    /* A stream of callbacks without end: it must return all the same. */
    atomic_store(&dispatch_more, 1);
    atomic_store(&counted, 0);
    CHECK_OK(SocketConnect("c", test_url("/flood?count=1000000000&size=10"), count, NULL, NULL));
    Thread *thread = start_thread(dispatcher, NULL);
    WAIT_UNTIL(atomic_load(&counted) > 100);
    for (int i = 0; i < 20; i++) CHECK_OK(SocketSync(PATIENCE_MS));
    stop(thread);
}

static void after_close_and_sync_no_callback_runs(void)
{
    for (int i = 0; i < 20; i++) {
        atomic_store(&dispatch_more, 1);
        atomic_store(&counted, 0);
        CHECK_OK(SocketConnect("c", test_url("/flood?count=1000000&size=10"), count, NULL, NULL));
        Thread *thread = start_thread(dispatcher, NULL);
        WAIT_UNTIL(atomic_load(&counted) > 10);
        CHECK_OK(SocketClose("c"));
        CHECK_OK(SocketSync(-1));
        int then = atomic_load(&counted);
        sleep_ms(2);
        CHECK_INT(atomic_load(&counted), then);
        stop(thread);
    }
}

int main(void)
{
    RUN(it_returns_at_once_when_no_callback_runs);
    RUN(it_waits_for_the_running_callback);
    RUN(it_gives_up_in_time);
    RUN(it_waits_only_for_those_that_were_running);
    RUN(after_close_and_sync_no_callback_runs);
    return 0;
}
