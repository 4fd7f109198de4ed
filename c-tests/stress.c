/* Many threads, the same and different names, everything at once: nothing to expect but survival. */
#include "testing.h"

#include <stdatomic.h>
#include <stdio.h>

#define RUN_MS 3000
#define NAMES 6

static atomic_int go_on;
static atomic_int work_done;

static unsigned next_random(unsigned *state)
{
    *state = *state * 1103515245u + 12345u;
    return *state >> 16;
}

static void WDSOCKET_CALL meddle(int32_t event, const char *message, size_t length, const char *name, void *user_data)
{
    static _Thread_local unsigned random = 1;
    (void)message, (void)length, (void)user_data;
    switch (next_random(&random) % 6) {
    case 0: SocketClose(name); break;
    case 1: SocketCloseWith(name, 1000, NULL); break;
    case 2: SocketConnect(name, test_url("/echo"), meddle, NULL, NULL); break;
    default: SocketWrite(name, "from a callback", -1); break;
    }
    if (event == WDSOCKET_EVENT_MESSAGE) atomic_fetch_add(&work_done, 1);
}

static void anything(void *argument)
{
    static const char *const paths[] = {
        "/echo", "/flood?count=50&size=100", "/close?code=1000&after=1", "/drop?after=1", "/reset?after=1&mid=1", "/slow?ms=5",
        "/http?status=500", "/raw?hex=8300", "/flood?count=20&size=3000&close=4000",
    };
    unsigned random = *(unsigned *)argument * 7919u + 17u;
    char buffer[4000];
    char name[8];
    while (atomic_load(&go_on)) {
        /* A few names for many threads; the last one only its peer or a callback closes, for where connecting takes longer
         * than it takes the others to be closed. */
        unsigned number = next_random(&random) % NAMES;
        snprintf(name, sizeof name, "n%u", number);
        const char *path = paths[next_random(&random) % (sizeof paths / sizeof *paths)];
        unsigned what = next_random(&random) % 14;
        if (number == NAMES - 1 && what < 2) continue;
        switch (what) {
        case 0: SocketClose(name); break;
        case 1: SocketCloseWith(name, 3000, "stress"); break;
        case 2: WebSocketClientConnect(name, "127.0.0.1", test_port(), path, NULL, 500); break;
        case 3: WebSocketClientConnectAsync(name, meddle, "127.0.0.1", test_port(), path, NULL, NULL); break;
        case 4:
        case 5: SocketWrite(name, "text", -1); break;
        case 6: SocketWriteBinary(name, buffer, sizeof buffer); break;
        case 7:
        case 8:
            if (SocketRead(name, 0, (int)(next_random(&random) % 8), buffer, sizeof buffer) >= 0) atomic_fetch_add(&work_done, 1);
            break;
        case 9: SocketDispatch(1, 10); break;
        case 10: SocketInfo(name, (int)(next_random(&random) % 25), buffer, sizeof buffer); break;
        case 11: SocketSetOption(name, WDSOCKET_OPTION_PING_INTERVAL_MS, "3"); break;
        case 12: SocketAvailable(name), SocketState(name), SocketExists(name), SocketMessageType(name); break;
        case 13: SocketWake(), SocketSync(1), SocketErrorMessage(); break;
        }
    }
}

static void run_threads(bool with_shutdowns)
{
    Thread *threads[8];
    unsigned numbers[8];
    atomic_store(&go_on, 1);
    atomic_store(&work_done, 0);
    for (unsigned i = 0; i < 8; i++) {
        numbers[i] = i;
        threads[i] = start_thread(anything, &numbers[i]);
    }
    int64_t end = now_ms() + RUN_MS;
    while (now_ms() < end || (atomic_load(&work_done) == 0 && now_ms() < end + PATIENCE_MS)) {
        sleep_ms(100);
        if (with_shutdowns) SocketShutdown(50);
    }
    atomic_store(&go_on, 0);
    for (int i = 0; i < 8; i++) join_thread(threads[i]);
    CHECK(atomic_load(&work_done) > 0);
    /* All of it still works. */
    SocketShutdown(PATIENCE_MS);
    connect_to("survivor", "/echo");
    CHECK_OK(SocketWrite("survivor", "alive", -1));
    EXPECT_TEXT("survivor", "alive");
}

static void everything_at_once(void) { run_threads(false); }
static void also_with_shutdowns_in_between(void) { run_threads(true); }

static void connect_and_close(void *argument)
{
    char name[16];
    snprintf(name, sizeof name, "own %u", *(unsigned *)argument);
    for (int i = 0; i < 100; i++) {
        connect_to(name, "/echo");
        CHECK_OK(SocketWrite(name, name, -1));
        CHECK_TEXT(read_text(name), name);
        CHECK_OK(SocketClose(name));
    }
}

static void each_thread_with_a_name_of_its_own(void)
{
    Thread *threads[6];
    unsigned numbers[6];
    for (unsigned i = 0; i < 6; i++) {
        numbers[i] = i;
        threads[i] = start_thread(connect_and_close, &numbers[i]);
    }
    for (int i = 0; i < 6; i++) join_thread(threads[i]);
}

int main(void)
{
    RUN(everything_at_once);
    RUN(also_with_shutdowns_in_between);
    RUN(each_thread_with_a_name_of_its_own);
    return 0;
}
