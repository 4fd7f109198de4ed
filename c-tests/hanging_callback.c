/* A callback that does not return: no events meanwhile, everything else goes on. */
#include "testing.h"

#include <stdatomic.h>

static atomic_int inside;
static atomic_int may_return;

static void WDSOCKET_CALL hang(int32_t event, const char *message, size_t length, const char *name, void *user_data)
{
    (void)event, (void)message, (void)length, (void)name, (void)user_data;
    atomic_store(&inside, 1);
    while (!atomic_load(&may_return)) sleep_ms(1);
    atomic_store(&inside, 0);
}

static void dispatch_once(void *unused)
{
    (void)unused;
    SocketDispatch(-1, 1);
}

static Thread *start_hanging(const char *path)
{
    atomic_store(&may_return, 0);
    CHECK_OK(SocketConnect("hangs", test_url(path), hang, NULL, NULL));
    Thread *thread = start_thread(dispatch_once, NULL);
    WAIT_UNTIL(atomic_load(&inside) == 1);
    return thread;
}

static void let_return(Thread *thread)
{
    atomic_store(&may_return, 1);
    join_thread(thread);
}

static void other_threads_go_on(void)
{
    Recorder events = {0};
    Thread *thread = start_hanging("/ping?count=3&interval_ms=5&payload=p&id=hangs");
    connect_to("c", "/echo");
    CHECK_OK(SocketWrite("c", "hello", -1));
    EXPECT_TEXT("c", "hello");
    connect_recorder(&events, "d", "/echo");
    WAIT_UNTIL(SocketState("d") == WDSOCKET_STATE_OPEN);
    CHECK_NEGATIVE(SocketDispatch(0, 0), WDSOCKET_E_BUSY);
    CHECK_FAILS(SocketSync(50), WDSOCKET_E_TIMEOUT);
    /* Its own socket is served, too. */
    CHECK_INT(lines_with(diary_with("hangs", "pong p", 3), "pong p"), 3);
    CHECK_OK(SocketWrite("hangs", "from elsewhere", -1));
    EXPECT_DIARY("hangs", "text 14");
    let_return(thread);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    forget_events(&events);
}

static void its_socket_can_be_closed(void)
{
    Thread *thread = start_hanging("/flood?count=100&size=10&id=closed");
    int64_t start = now_ms();
    CHECK_OK(SocketClose("hangs"));
    CHECK_BETWEEN(now_ms() - start, 0, 5000);
    EXPECT_DIARY("closed", "close 1000");
    let_return(thread);
    CHECK_COUNT(SocketDispatch(50, 0), 0);
}

static void shutdown_does_not_hang_with_it(void)
{
    Thread *thread = start_hanging("/echo?id=shut");
    int64_t start = now_ms();
    SocketShutdown(300);
    CHECK_BETWEEN(now_ms() - start, 0, 5000);
    EXPECT_DIARY("shut", "close 1001");
    let_return(thread);
    connect_to("c", "/echo");
}

int main(void)
{
    RUN(other_threads_go_on);
    RUN(its_socket_can_be_closed);
    RUN(shutdown_does_not_hang_with_it);
    return 0;
}
