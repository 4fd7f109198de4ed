/* SocketExists, SocketState, SocketChangeTransmissionMode. */
#include "testing.h"

static void exists_stays_true_when_the_peer_has_gone(void)
{
    connect_to("c", "/drop");
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
    CHECK_OK(SocketExists("c"));
    CHECK_OK(SocketClose("c"));
    CHECK_FAILS(SocketExists("c"), WDSOCKET_E_UNKNOWN_NAME);
}

static void exists_is_true_from_the_connect_call(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/silent");
    CHECK_OK(SocketExists("c"));
    forget_events(&events);
}

static void the_state_follows_the_connections_life(void)
{
    Recorder events = {0};
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_NONE);
    connect_recorder(&events, "c", "/noclose?id=life");
    CHECK(SocketState("c") == WDSOCKET_STATE_CONNECTING || SocketState("c") == WDSOCKET_STATE_OPEN);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_OPEN);
    CHECK_OK(SocketCloseWith("c", 1000, NULL));
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_CLOSING);
    control("life", "reset");
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
    CHECK_OK(SocketClose("c"));
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_NONE);
    forget_events(&events);
}

static void the_state_cannot_fail(void)
{
    CHECK_FAILS(SocketExists("nobody"), WDSOCKET_E_UNKNOWN_NAME);
    CHECK_COUNT(SocketState("nobody"), WDSOCKET_STATE_NONE);
    CHECK_INT(SocketState(NULL), WDSOCKET_STATE_NONE);
    CHECK_INT(SocketState(""), WDSOCKET_STATE_NONE);
    CHECK_INT(SocketState("\xff"), WDSOCKET_STATE_NONE);
}

static void the_transmission_mode_has_no_effect(void)
{
    connect_to("c", "/echo");
    CHECK_OK(SocketChangeTransmissionMode("c", 0, NULL));
    CHECK_OK(SocketChangeTransmissionMode("c", 1, "\r\n"));
    CHECK_OK(SocketChangeTransmissionMode("c", INT32_MIN, ""));
    CHECK_OK(SocketWrite("c", "line\r\nline\r\n", -1));
    EXPECT_TEXT("c", "line\r\nline\r\n");
    CHECK_FAILS(SocketChangeTransmissionMode("nobody", 1, NULL), WDSOCKET_E_UNKNOWN_NAME);
}

int main(void)
{
    RUN(exists_stays_true_when_the_peer_has_gone);
    RUN(exists_is_true_from_the_connect_call);
    RUN(the_state_follows_the_connections_life);
    RUN(the_state_cannot_fail);
    RUN(the_transmission_mode_has_no_effect);
    return 0;
}
