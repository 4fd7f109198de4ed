/* SocketMessageType in each of its cases. */
#include "testing.h"

#include <stdatomic.h>

static void read_next(void)
{
    char buffer[16];
    CHECK(SocketRead("c", 1, 0, buffer, sizeof buffer) >= 0);
}

static void it_is_the_type_of_the_message_that_this_thread_last_read(void)
{
    connect_to("c", "/echo");
    CHECK_COUNT(SocketMessageType("c"), 0);
    CHECK_OK(SocketWrite("c", "text", -1));
    CHECK_OK(SocketWriteBinary("c", "binary", 6));
    CHECK_OK(SocketWrite("c", "", 0));
    read_next();
    CHECK_COUNT(SocketMessageType("c"), 1);
    CHECK_COUNT(SocketMessageType("c"), 1);
    read_next();
    CHECK_COUNT(SocketMessageType("c"), 2);
    read_next();
    CHECK_COUNT(SocketMessageType("c"), 1);
}

static void looking_at_the_next_message_changes_nothing(void)
{
    connect_to("c", "/echo");
    CHECK_OK(SocketWrite("c", "text", -1));
    CHECK_OK(SocketWriteBinary("c", "binary", 6));
    read_next();
    CHECK_COUNT(SocketRead("c", 1, 0, NULL, 0), 6);
    char small[2];
    CHECK_NEGATIVE(SocketRead("c", 1, 0, small, sizeof small), WDSOCKET_E_BUFFER_TOO_SMALL);
    CHECK_COUNT(SocketMessageType("c"), 1);
}

static void each_socket_has_its_own(void)
{
    connect_to("c", "/echo");
    connect_to("d", "/echo");
    CHECK_OK(SocketWriteBinary("c", "b", 1));
    read_next();
    CHECK_COUNT(SocketMessageType("d"), 0);
    CHECK_OK(SocketWrite("d", "t", 1));
    EXPECT_TEXT("d", "t");
    CHECK_COUNT(SocketMessageType("d"), 1);
    CHECK_COUNT(SocketMessageType("c"), 2);
}

static void other_thread(void *unused)
{
    (void)unused;
    CHECK_COUNT(SocketMessageType("c"), 0);
    read_next();
    CHECK_COUNT(SocketMessageType("c"), 2);
}

static void each_thread_has_its_own(void)
{
    connect_to("c", "/echo");
    CHECK_OK(SocketWrite("c", "text", -1));
    CHECK_OK(SocketWriteBinary("c", "binary", 6));
    read_next();
    join_thread(start_thread(other_thread, NULL));
    CHECK_COUNT(SocketMessageType("c"), 1);
}

static void a_reused_name_starts_without(void)
{
    connect_to("c", "/echo");
    CHECK_OK(SocketWriteBinary("c", "b", 1));
    read_next();
    CHECK_OK(SocketClose("c"));
    connect_to("c", "/echo");
    CHECK_COUNT(SocketMessageType("c"), 0);
}

static void inside_a_callback_it_is_the_message_being_delivered(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/echo");
    CHECK_INT(EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "")->message_type, 0);
    CHECK_OK(SocketWriteBinary("c", "b", 1));
    CHECK_OK(SocketWrite("c", "t", 1));
    CHECK_INT(EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "b")->message_type, 2);
    CHECK_INT(EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "t")->message_type, 1);
    /* Outside no message is being delivered, and none was read. */
    CHECK_COUNT(SocketMessageType("c"), 0);
    forget_events(&events);
}

static void an_unknown_name_has_none(void)
{
    CHECK(SocketMessageType("nobody") <= 0);
    CHECK_INT(SocketErrorCode(), WDSOCKET_E_UNKNOWN_NAME);
}

int main(void)
{
    RUN(it_is_the_type_of_the_message_that_this_thread_last_read);
    RUN(looking_at_the_next_message_changes_nothing);
    RUN(each_socket_has_its_own);
    RUN(each_thread_has_its_own);
    RUN(a_reused_name_starts_without);
    RUN(inside_a_callback_it_is_the_message_being_delivered);
    RUN(an_unknown_name_has_none);
    return 0;
}
