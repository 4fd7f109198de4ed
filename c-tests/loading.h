/* What the hosts share that load the library, call one function and unload it, around every single call, as WinDev's
   API() does without LoadDLL(): the library keeps itself in memory. They are not linked with it, so without testing.c.
   Each brings its system's load() and unload(). */
#ifndef LOADING_H
#define LOADING_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wdsocket.h"

#define PATIENCE_MS 20000

static const char *library;
static int port;

/* Any function: what a look-up gives has another type yet. */
typedef void (*Function)(void);

static Function load(const char *function);
/* Hands on the result of the call. */
static intptr_t unload(intptr_t result);

static intptr_t last;

/* Loads, calls, unloads. */
#define CALL(function, ...)                                                          \
    do {                                                                             \
        __typeof__(&function) call_ = (__typeof__(&function))load(#function);        \
        last = unload((intptr_t)call_(__VA_ARGS__));                                 \
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

static void check(bool condition, const char *what)
{
    if (condition) return;
    fprintf(stderr, "expected: %s\n", what);
    exit(1);
}

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
    check(*count > 0, "an event");
}

static void texts_options_and_errors_outlive_their_load(void)
{
    CALL(SocketVersion, );
    const char *version = (const char *)last;
    /* The library's memory, not a connection's. */
    EXPECT(1, SocketSetOption, NULL, WDSOCKET_OPTION_USER_AGENT, "loaded/1");
    EXPECT(0, SocketExists, "c");
    EXPECT(WDSOCKET_E_UNKNOWN_NAME, SocketErrorCode, );
    CALL(SocketErrorMessage, );
    check(strstr((const char *)last, "c") != NULL, "the error message outlives the load of its call");
    check(version[0] >= '0' && version[0] <= '9', "the version is still readable");
}

static void a_synchronous_socket(void)
{
    char buffer[16];
    EXPECT(1, WebSocketClientConnect, "c", "127.0.0.1", port, "/headers", NULL, PATIENCE_MS);
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
}

/* `until` waits for an event. */
static void a_callback_socket_with(void (*until)(const int *count))
{
    opened = messages = closed = 0;
    EXPECT(1, WebSocketClientConnectAsync, "d", on_event, "127.0.0.1", port, "/echo", NULL, NULL);
    until(&opened);
    EXPECT(1, SocketWrite, "d", "hello", -1);
    until(&messages);
    EXPECT(1, SocketCloseWith, "d", 1000, NULL);
    until(&closed);
    check(opened == 1 && messages == 1 && closed == 1, "one event of each kind");
    EXPECT(1, SocketClose, "d");
}

/* With a connection open and the library "unloaded", its threads go on. */
static void connections_go_on(void)
{
    char buffer[16];
    EXPECT(1, WebSocketClientConnect, "e", "127.0.0.1", port, "/ping?count=3&interval_ms=5&payload=p", NULL, PATIENCE_MS);
    EXPECT(-WDSOCKET_E_TIMEOUT, SocketRead, "e", 0, 200, buffer, sizeof buffer);
    EXPECT(1, SocketShutdown, PATIENCE_MS);
    EXPECT(1, WebSocketClientConnect, "e", "127.0.0.1", port, "/echo", NULL, PATIENCE_MS);
    EXPECT(1, SocketClose, "e");
}

#define RUN(test)                  \
    do {                           \
        test();                    \
        printf("ok %s\n", #test);  \
        fflush(stdout);            \
    } while (0)

#endif
