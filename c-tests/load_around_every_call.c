/* A host that loads the library, calls one function and unloads it, around every single call, as
   WinDev's API() does: the library keeps itself in memory. Not linked with it, so without testing.c. */
#define _POSIX_C_SOURCE 200809L
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wdsocket.h"

static const char *library;
static void *loaded;

static void *load(const char *function)
{
    loaded = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    void *address = loaded ? dlsym(loaded, function) : NULL;
    if (!address) {
        fprintf(stderr, "%s: %s\n", function, dlerror());
        exit(1);
    }
    return address;
}

static intptr_t unload(intptr_t result)
{
    dlclose(loaded);
    return result;
}

static intptr_t last;

/* Loads, calls, unloads. The detour through void ** is how POSIX turns dlsym's result into a function. */
#define CALL(function, ...)                                                    \
    do {                                                                       \
        __typeof__(&function) call_;                                           \
        *(void **)&call_ = load(#function);                                    \
        last = unload((intptr_t)call_(__VA_ARGS__));                           \
    } while (0)

#define EXPECT(want, function, ...)                                                                              \
    do {                                                                                                         \
        CALL(function, __VA_ARGS__);                                                                             \
        if (last != (want)) {                                                                                    \
            intptr_t came = last;                                                                                \
            CALL(SocketErrorMessage, );                                                                          \
            fprintf(stderr, "%s:%d: %s\n  expected %lld\n  came     %lld \"%s\"\n", __FILE__, __LINE__, #function, \
                    (long long)(want), (long long)came, (const char *)last);                                     \
            exit(1);                                                                                             \
        }                                                                                                        \
    } while (0)

static int opened, closed, messages;

static void WDSOCKET_CALL on_event(int32_t event, const char *message, size_t length, const char *name, void *user_data)
{
    (void)name, (void)user_data;
    opened += event == WDSOCKET_EVENT_OPENING;
    closed += event == WDSOCKET_EVENT_CLOSING;
    messages += event == WDSOCKET_EVENT_MESSAGE && length == 5 && memcmp(message, "hello", 5) == 0;
}

static void dispatch_until(const int *count)
{
    for (int i = 0; i < 200 && *count == 0; i++) CALL(SocketDispatch, 100, 0);
}

static void check(int condition, const char *what)
{
    if (condition) return;
    fprintf(stderr, "expected: %s\n", what);
    exit(1);
}

int main(int argc, char **argv)
{
    const char *text_of_port = getenv("WDSOCKET_TEST_PORT");
    check(argc == 2 && text_of_port, "wdsocket-test-server --run load_around_every_call LIBRARY");
    library = argv[1];
    int port = atoi(text_of_port);
    char buffer[16];

    CALL(SocketVersion, );
    const char *version = (const char *)last;
    /* Options and errors survive, too: they are the library's memory, not the connection's. */
    EXPECT(1, SocketSetOption, NULL, WDSOCKET_OPTION_USER_AGENT, "loaded/1");
    EXPECT(0, SocketExists, "c");
    EXPECT(WDSOCKET_E_UNKNOWN_NAME, SocketErrorCode, );
    CALL(SocketErrorMessage, );
    check(strstr((const char *)last, "c") != NULL, "the error message outlives the load of its call");

    EXPECT(1, WebSocketClientConnect, "c", "127.0.0.1", port, "/headers", NULL, 20000);
    EXPECT(1, SocketExists, "c");
    EXPECT(-WDSOCKET_E_BUFFER_TOO_SMALL, SocketRead, "c", 1, 0, buffer, sizeof buffer);
    CALL(SocketRead, "c", 1, 0, NULL, 0);
    char *request = calloc(1, (size_t)last + 1);
    EXPECT((intptr_t)last, SocketRead, "c", 1, 0, request, (size_t)last + 1);
    check(strstr(request, "loaded/1") != NULL, "the option set in an earlier load counts");
    free(request);
    EXPECT(1, SocketWrite, "c", "hello", -1);
    EXPECT(5, SocketRead, "c", 1, 0, buffer, sizeof buffer);
    EXPECT(1, SocketClose, "c");

    EXPECT(1, WebSocketClientConnectAsync, "d", on_event, "127.0.0.1", port, "/echo", NULL, NULL);
    dispatch_until(&opened);
    EXPECT(1, SocketWrite, "d", "hello", -1);
    dispatch_until(&messages);
    EXPECT(1, SocketCloseWith, "d", 1000, NULL);
    dispatch_until(&closed);
    check(opened == 1 && messages == 1 && closed == 1, "one event of each kind");
    EXPECT(1, SocketClose, "d");
    check(version[0] >= '0' && version[0] <= '9', "the version is still readable");

    /* With a connection open and the library "unloaded", its threads go on. */
    EXPECT(1, WebSocketClientConnect, "e", "127.0.0.1", port, "/ping?count=3&interval_ms=5&payload=p", NULL, 20000);
    EXPECT(-WDSOCKET_E_TIMEOUT, SocketRead, "e", 0, 200, buffer, sizeof buffer);
    EXPECT(1, SocketShutdown, 20000);
    EXPECT(1, WebSocketClientConnect, "e", "127.0.0.1", port, "/echo", NULL, 20000);
    puts("ok a_session_with_a_load_and_an_unload_around_every_call");
    return 0;
}
