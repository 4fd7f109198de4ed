/* The French names are the same functions. */
#include "testing.h"

static void a_synchronous_session(void)
{
    char buffer[32];
    CHECK_OK(WebSocketClientConnecte("c", "127.0.0.1", test_port(), "/echo", NULL, PATIENCE_MS));
    CHECK_OK(SocketExiste("c"));
    CHECK_OK(SocketEcrit("c", "bonjour", -1));
    CHECK_COUNT(SocketLit("c", 1, 0, buffer, sizeof buffer), 7);
    CHECK_TEXT(buffer, "bonjour");
    CHECK_OK(SocketChangeModeTransmission("c", 0, NULL));
    CHECK_OK(SocketFerme("c"));
    CHECK_FAILS(SocketExiste("c"), WDSOCKET_E_UNKNOWN_NAME);
}

static void a_callback_session(void)
{
    Recorder events = {0};
    CHECK_OK(WebSocketClientConnecteAsync("c", record, "127.0.0.1", test_port(), "/echo", NULL, &events));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_OK(SocketFerme("c"));
    CHECK_OK(SocketConnecte("c", test_url("/echo"), record, NULL, &events));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_OK(SocketEcrit("c", "bonjour", -1));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "bonjour");
    CHECK_OK(SocketFerme("c"));
    forget_events(&events);
}

static void both_languages_see_the_same_sockets(void)
{
    CHECK_OK(WebSocketClientConnecte("c", "127.0.0.1", test_port(), "/echo", NULL, PATIENCE_MS));
    CHECK_OK(SocketExists("c"));
    CHECK_OK(SocketWrite("c", "hello", -1));
    EXPECT_TEXT("c", "hello");
    CHECK_FAILS(WebSocketClientConnect("c", "127.0.0.1", test_port(), "/echo", NULL, 0), WDSOCKET_E_NAME_IN_USE);
    CHECK_OK(SocketClose("c"));
}

int main(void)
{
    RUN(a_synchronous_session);
    RUN(a_callback_session);
    RUN(both_languages_see_the_same_sockets);
    return 0;
}
