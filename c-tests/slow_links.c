/* Peers that are slow, or dead behind a queue that was full: neither is taken for the other. */
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>

static void quick_pings(const char *name, const char *interval, const char *pong_timeout)
{
    set_option(name, WDSOCKET_OPTION_PING_INTERVAL_MS, interval);
    set_option(name, WDSOCKET_OPTION_PONG_TIMEOUT_MS, pong_timeout);
}

static void a_slow_upload_is_not_taken_for_a_missing_pong(void)
{
    /* About 8 MB/s: some 3 s, of which the last half second lies in the system's buffers. */
    size_t size = 24 << 20;
    char *much = calloc(1, size);
    char want[32];
    CHECK(much != NULL);
    quick_pings("c", "100", "1500");
    set_option("c", WDSOCKET_OPTION_WRITE_TIMEOUT_MS, "20000"); /* a busy server paces more slowly */
    connect_to("c", "/count?pace_bytes=80000&pace_ms=10");
    int64_t start = now_ms();
    CHECK_OK(SocketWriteBinary("c", much, (intptr_t)size));
    CHECK_OK(SocketWrite("c", "report", -1));
    snprintf(want, sizeof want, "1 %d ", (int)size);
    CHECK_CONTAINS(read_text("c"), want);
    /* Else it has shown nothing. */
    CHECK_BETWEEN(now_ms() - start, 1800, PATIENCE_MS);
    free(much);
}

static void an_upload_that_has_stopped_is(void)
{
    static char much[12 << 20];
    quick_pings("c", "100", "300");
    connect_to("c", "/stall?ms=0&id=stopped");
    CHECK_OK(SocketWriteBinary("c", much, sizeof much));
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    CHECK_CONTAINS(info("c", WDSOCKET_INFO_LAST_ERROR), "ping");
    CHECK_OK(SocketClose("c"));
    control("stopped", "resume");
}

static void a_dead_peer_is_noticed_after_a_queue_was_full(void)
{
    Recorder events = {0};
    quick_pings("c", "100", "300");
    set_option("c", WDSOCKET_OPTION_RECEIVE_QUEUE_BYTES, "1");
    connect_recorder(&events, "c", "/nopong?id=dead");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_OK(SocketWrite("c", "back", -1));
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_QUEUED_IN) > 0);
    /* The pong's time passes while the queue is full. */
    diary("dead", "ping");
    sleep_ms(500);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_OPEN);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "back");
    CHECK_INT(EXPECT_EVENT(&events, WDSOCKET_EVENT_ERROR, "")->error, WDSOCKET_E_TIMEOUT);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1006");
    forget_events(&events);
}

static void also_with_a_synchronous_socket(void)
{
    char text[8];
    quick_pings("c", "100", "300");
    set_option("c", WDSOCKET_OPTION_RECEIVE_QUEUE_BYTES, "1");
    connect_to("c", "/nopong?id=dead-too");
    CHECK_OK(SocketWrite("c", "back", -1));
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_QUEUED_IN) > 0);
    diary("dead-too", "ping");
    sleep_ms(500);
    CHECK_COUNT(SocketRead("c", 0, PATIENCE_MS, text, sizeof text), 4);
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
    CHECK_CONTAINS(info("c", WDSOCKET_INFO_LAST_ERROR), "ping");
}

static void a_refusal_with_a_slow_body_is_a_refusal(void)
{
    int64_t start = now_ms();
    CHECK_FAILS(WebSocketClientConnect("c", "127.0.0.1", test_port(), "/http?status=401&body=wait&body_ms=6000", NULL, 300),
                WDSOCKET_E_HANDSHAKE);
    CHECK_CONTAINS(SocketErrorMessage(), "401");
    CHECK_TEXT(info(NULL, WDSOCKET_INFO_HTTP_STATUS), "401");
    CHECK_BETWEEN(now_ms() - start, 0, 4000);
}

int main(void)
{
    RUN(a_slow_upload_is_not_taken_for_a_missing_pong);
    RUN(an_upload_that_has_stopped_is);
    RUN(a_dead_peer_is_noticed_after_a_queue_was_full);
    RUN(also_with_a_synchronous_socket);
    RUN(a_refusal_with_a_slow_body_is_a_refusal);
    return 0;
}
