/* Calls from a destructor of a thread that ends, where thread-local objects may be gone: C++ objects
   and thread-specific data call the library there. POSIX only. */
#define _POSIX_C_SOURCE 200809L
#include "testing.h"

#include <pthread.h>
#include <stdatomic.h>

/* glibc runs the destructors of thread-local objects before those of keys, once: what the library registers
   for an object that is first used here (its own note of 32 bytes) is never run nor freed. LeakSanitizer
   asks this function. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:__cxa_thread_atexit_impl"; }

static pthread_key_t key;
static char given;
static atomic_int called;

/* So that it comes after the library's own, whatever their order is: in the last round. */
static void (*at_exit_of_thread)(void);

static void destroy(void *value)
{
    int round = atomic_fetch_add(&called, 1);
    if (round < 2) {
        pthread_setspecific(key, value);
        return;
    }
    at_exit_of_thread();
}

/* The thread has used the library before, so that there is something to be gone. */
static void use_and_end(void *path)
{
    CHECK(pthread_setspecific(key, &given) == 0);
    connect_to("c", path);
    CHECK_OK(SocketWrite("c", "hello", -1));
    CHECK_TEXT(read_text("c"), "hello");
}

static void run_thread(const char *path, void (*at_exit)(void))
{
    at_exit_of_thread = at_exit;
    atomic_store(&called, 0);
    CHECK(pthread_key_create(&key, destroy) == 0);
    join_thread(start_thread(use_and_end, (void *)path));
    CHECK_INT(atomic_load(&called), 3);
    CHECK(pthread_key_delete(key) == 0);
}

static void close_it(void) { CHECK_INT(SocketClose("c"), 1); }

static void close_works(void)
{
    run_thread("/echo?id=closed", close_it);
    CHECK_FAILS(SocketExists("c"), WDSOCKET_E_UNKNOWN_NAME);
    EXPECT_DIARY("closed", "close 1000");
}

static atomic_int reading;
static atomic_int returned;

static void read_on(void *unused)
{
    (void)unused;
    atomic_store(&reading, 1);
    intptr_t result = SocketRead("c", 1, 0, NULL, 0);
    CHECK_INT(result, -WDSOCKET_E_CANCELLED);
    atomic_store(&returned, 1);
}

static Thread *reader;

static void close_it_under_a_reader(void)
{
    reader = start_thread(read_on, NULL);
    WAIT_UNTIL(atomic_load(&reading) == 1);
    /* Nothing tells that the read waits. */
    sleep_ms(200);
    close_it();
}

static void close_wakes_a_reader(void)
{
    run_thread("/echo", close_it_under_a_reader);
    WAIT_UNTIL(atomic_load(&returned) == 1);
    join_thread(reader);
}

static Recorder events;

static void connect_recorded(void *unused)
{
    (void)unused;
    CHECK(pthread_setspecific(key, &given) == 0);
    connect_recorder(&events, "c", "/flood?count=10&size=10");
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_OPEN);
    CHECK_OK(SocketWrite("c", "one more", -1));
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == 11);
}

static void close_discards_events(void)
{
    at_exit_of_thread = close_it;
    atomic_store(&called, 0);
    CHECK(pthread_key_create(&key, destroy) == 0);
    join_thread(start_thread(connect_recorded, NULL));
    CHECK_INT(atomic_load(&called), 3);
    EXPECT_NO_EVENT(&events, 30);
    CHECK(pthread_key_delete(key) == 0);
    forget_events(&events);
}

static void write_it(void)
{
    CHECK_INT(SocketWrite("c", "from the end", -1), 1);
    CHECK_INT(SocketWriteBinary("c", "", 0), 1);
}

static void write_works(void)
{
    run_thread("/echo", write_it);
    EXPECT_TEXT("c", "from the end");
    CHECK_COUNT(SocketRead("c", 0, PATIENCE_MS, NULL, 0), 0);
}

static void read_it(void)
{
    char text[32];
    CHECK_INT(SocketWrite("c", "and back", -1), 1);
    CHECK_INT(SocketRead("c", 0, PATIENCE_MS, text, sizeof text), 8);
    CHECK_TEXT(text, "and back");
    CHECK_INT(SocketRead("c", 0, 20, text, sizeof text), -WDSOCKET_E_TIMEOUT);
    CHECK_INT(SocketAvailable("c"), -WDSOCKET_E_NO_MESSAGE);
}

static void read_works(void) { run_thread("/echo", read_it); }

static void connect_it(void)
{
    CHECK_INT(WebSocketClientConnect("d", "127.0.0.1", test_port(), "/echo", NULL, PATIENCE_MS), 1);
    CHECK_INT(WebSocketClientConnect("e", "127.0.0.1", 1, NULL, NULL, PATIENCE_MS), 0);
    CHECK_INT(SocketState("d"), WDSOCKET_STATE_OPEN);
}

static void connect_works(void)
{
    run_thread("/echo", connect_it);
    CHECK_OK(SocketWrite("d", "alive", -1));
    EXPECT_TEXT("d", "alive");
}

static Recorder dispatched;

static void dispatch_it(void)
{
    connect_recorder(&dispatched, "d", "/echo");
    EXPECT_EVENT(&dispatched, WDSOCKET_EVENT_OPENING, "");
    CHECK_INT(SocketWrite("d", "around", -1), 1);
    EXPECT_EVENT(&dispatched, WDSOCKET_EVENT_MESSAGE, "around");
}

static void dispatch_works(void)
{
    run_thread("/echo", dispatch_it);
    forget_events(&dispatched);
}

/* The thread has used what another has connected, and nothing else. */
static void write_and_end(void *unused)
{
    (void)unused;
    CHECK(pthread_setspecific(key, &given) == 0);
    CHECK_OK(SocketWrite("c", "hello", -1));
    CHECK_TEXT(read_text("c"), "hello");
}

static void dispatch_works_where_another_thread_has_connected(void)
{
    connect_to("c", "/echo");
    at_exit_of_thread = dispatch_it;
    atomic_store(&called, 0);
    CHECK(pthread_key_create(&key, destroy) == 0);
    join_thread(start_thread(write_and_end, NULL));
    CHECK(pthread_key_delete(key) == 0);
    CHECK_INT(atomic_load(&called), 3);
    forget_events(&dispatched);
}

int main(void)
{
    RUN(close_works);
    RUN(close_wakes_a_reader);
    RUN(close_discards_events);
    RUN(write_works);
    RUN(read_works);
    RUN(connect_works);
    RUN(dispatch_works);
    RUN(dispatch_works_where_another_thread_has_connected);
    return 0;
}
