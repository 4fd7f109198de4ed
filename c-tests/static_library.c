/* The static library does what the shared one does. */
#include "testing.h"

static void a_synchronous_session(void)
{
    connect_to("c", "/echo");
    CHECK_OK(SocketWrite("c", "hello", -1));
    EXPECT_TEXT("c", "hello");
    CHECK_OK(SocketClose("c"));
}

static void a_callback_session(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/echo");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_OK(SocketWrite("c", "hello", -1));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "hello");
    CHECK_OK(SocketCloseWith("c", 1000, NULL));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1000");
    forget_events(&events);
}

int main(void)
{
    RUN(a_synchronous_session);
    RUN(a_callback_session);
    return 0;
}
