/* SocketErrorCode, SocketErrorMessage, SocketVersion: the calling thread's error. */
#include "testing.h"

#include <stdio.h>

static void a_thread_starts_without_error(void *unused)
{
    (void)unused;
    CHECK_INT(SocketErrorCode(), WDSOCKET_E_OK);
    CHECK_TEXT(SocketErrorMessage(), "");
    CHECK_FAILS(SocketClose("nobody here"), WDSOCKET_E_UNKNOWN_NAME);
}

static void each_thread_has_its_own(void)
{
    CHECK_FAILS(SocketExists("nobody"), WDSOCKET_E_UNKNOWN_NAME);
    join_thread(start_thread(a_thread_starts_without_error, NULL));
    CHECK_INT(SocketErrorCode(), WDSOCKET_E_UNKNOWN_NAME);
    CHECK_LACKS(SocketErrorMessage(), "nobody here");
}

static void a_success_clears_it(void)
{
    connect_to("c", "/echo");
    CHECK_FAILS(SocketExists("nobody"), WDSOCKET_E_UNKNOWN_NAME);
    CHECK_INT(SocketExists("c"), 1);
    CHECK_INT(SocketErrorCode(), WDSOCKET_E_OK);
    CHECK_TEXT(SocketErrorMessage(), "");
    CHECK_FAILS(SocketExists("nobody"), WDSOCKET_E_UNKNOWN_NAME);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_OPEN);
    CHECK_INT(SocketErrorCode(), WDSOCKET_E_OK);
}

static void reading_it_leaves_it_alone(void)
{
    CHECK_FAILS(SocketExists("nobody"), WDSOCKET_E_UNKNOWN_NAME);
    const char *message = SocketErrorMessage();
    char copy[256];
    snprintf(copy, sizeof copy, "%s", message);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(SocketErrorCode(), WDSOCKET_E_UNKNOWN_NAME);
        CHECK(SocketErrorMessage() == message);
        CHECK(SocketVersion() != NULL);
    }
    CHECK_TEXT(message, copy);
}

static void messages_name_socket_address_and_cause(void)
{
    char expected[128];
    CHECK_FAILS(WebSocketClientConnect("client", "127.0.0.1", 1, NULL, NULL, PATIENCE_MS), WDSOCKET_E_REFUSED);
    CHECK_TEXT(SocketErrorMessage(), "client: 127.0.0.1:1 refused the connection");
    CHECK_FAILS(WebSocketClientConnect("client", "127.0.0.1", test_port(), "/silent", NULL, 50), WDSOCKET_E_TIMEOUT);
    CHECK_CONTAINS(SocketErrorMessage(), "client: ");
    snprintf(expected, sizeof expected, "127.0.0.1:%d", test_port());
    CHECK_CONTAINS(SocketErrorMessage(), expected);
    CHECK_FAILS(SocketWrite("nobody", "x", 1), WDSOCKET_E_UNKNOWN_NAME);
    CHECK_CONTAINS(SocketErrorMessage(), "nobody");
}

static void the_version_is_a_number(void)
{
    int major, minor, patch;
    CHECK_INT(sscanf(SocketVersion(), "%d.%d.%d", &major, &minor, &patch), 3);
}

int main(void)
{
    RUN(each_thread_has_its_own);
    RUN(a_success_clears_it);
    RUN(reading_it_leaves_it_alone);
    RUN(messages_name_socket_address_and_cause);
    RUN(the_version_is_a_number);
    return 0;
}
