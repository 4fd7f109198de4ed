/* A host that is busy with something else: the library looks after its sockets meanwhile, and the
   hand-over between it and the host's threads loses nothing. */
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>

static void a_closing_is_noticed_while_nobody_reads(void)
{
    connect_to("c", "/echo?id=closing");
    control("closing", "close");
    /* The server saw its close frame answered: nothing of ours was called meanwhile. */
    EXPECT_DIARY("closing", "close 1000");
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
}

static void a_loss_is_noticed_while_nobody_reads(void)
{
    connect_to("c", "/echo?id=loss");
    control("loss", "drop");
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
    connect_to("d", "/echo?id=reset");
    control("reset", "reset");
    WAIT_UNTIL(SocketState("d") == WDSOCKET_STATE_CLOSED);
}

static void pings_are_answered_after_a_first_read(void)
{
    connect_to("c", "/echo?id=idle");
    CHECK_OK(SocketWrite("c", "first", -1));
    EXPECT_TEXT("c", "first");
    /* The host's thread drove the socket just now; the library takes over when it stays away. */
    control("idle", "ping");
    EXPECT_DIARY("idle", "pong control");
    control("idle", "ping");
    CHECK_INT(lines_with(diary_with("idle", "pong", 2), "pong"), 2);
}

static void messages_queue_up_while_nobody_reads(void)
{
    char text[16];
    connect_to("c", "/flood?count=100&size=10");
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == 100);
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "%d ", i);
        CHECK_INT(strncmp(read_text("c"), text, strlen(text)), 0);
    }
}

static void reading_takes_over_at_once_again_and_again(void)
{
    /* Pauses around the time after which the library takes over. */
    connect_to("c", "/echo");
    for (int i = 0; i < 60; i++) {
        char text[16];
        snprintf(text, sizeof text, "round %d", i);
        CHECK_OK(SocketWrite("c", text, -1));
        sleep_ms(i * 7 % 90);
        CHECK_TEXT(read_text("c"), text);
    }
}

static void no_message_is_lost_at_the_hand_over(void)
{
    /* Messages arrive at times of their own while the host reads with short limits and stays away. */
    char buffer[32];
    int next = 0;
    connect_to("c", "/echo?delay_ms=3");
    for (int i = 0; i < 400; i++) {
        snprintf(buffer, sizeof buffer, "%d", i);
        CHECK_OK(SocketWrite("c", buffer, -1));
    }
    int64_t deadline = now_ms() + 3 * PATIENCE_MS;
    for (int i = 0; next < 400; i++) {
        CHECK(now_ms() < deadline);
        intptr_t length = SocketRead("c", 0, i % 5, buffer, sizeof buffer);
        if (length >= 0)
            CHECK_INT(atoi(buffer), next++);
        else
            CHECK_INT(length, -WDSOCKET_E_TIMEOUT);
        if (i % 40 == 39) sleep_ms(i * 13 % 80);
    }
}

static void a_read_that_waits_long_sees_a_late_message(void)
{
    connect_to("c", "/echo?delay_ms=700");
    CHECK_OK(SocketWrite("c", "late", -1));
    EXPECT_TEXT("c", "late");
}

static void a_synchronous_socket_beside_a_dispatch_loop(void)
{
    Recorder events = {0};
    connect_recorder(&events, "callback", "/echo");
    connect_to("synchronous", "/echo");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    for (int i = 0; i < 200; i++) {
        CHECK_OK(SocketWrite("callback", "one", -1));
        CHECK_OK(SocketWrite("synchronous", "two", -1));
        EXPECT_TEXT("synchronous", "two");
        EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "one");
    }
    forget_events(&events);
}

int main(void)
{
    RUN(a_closing_is_noticed_while_nobody_reads);
    RUN(a_loss_is_noticed_while_nobody_reads);
    RUN(pings_are_answered_after_a_first_read);
    RUN(messages_queue_up_while_nobody_reads);
    RUN(reading_takes_over_at_once_again_and_again);
    RUN(no_message_is_lost_at_the_hand_over);
    RUN(a_read_that_waits_long_sees_a_late_message);
    RUN(a_synchronous_socket_beside_a_dispatch_loop);
    return 0;
}
