/* Every call is legal inside a callback, the ones that end its own socket included. */
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>

static void echo_once(Recorder *recorder, const Event *event)
{
    if (event->event == WDSOCKET_EVENT_OPENING) CHECK_OK(SocketWrite(event->name, "from the callback", -1));
    (void)recorder;
}

static void writing_in_the_opening_event(void)
{
    Recorder events = {.inside = echo_once};
    connect_recorder(&events, "c", "/echo");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "from the callback");
    forget_events(&events);
}

static void whole_session(Recorder *recorder, const Event *event)
{
    (void)recorder;
    if (event->event != WDSOCKET_EVENT_OPENING) return;
    connect_to("other", "/echo");
    CHECK_OK(SocketWrite("other", "inside", -1));
    EXPECT_TEXT("other", "inside");
    CHECK_OK(SocketSetOption("other", WDSOCKET_OPTION_WRITE_TIMEOUT_MS, "100"));
    CHECK_TEXT(info("other", WDSOCKET_INFO_MESSAGES_IN), "1");
    CHECK_INT(SocketState("other"), WDSOCKET_STATE_OPEN);
    CHECK_OK(SocketClose("other"));
}

static void a_synchronous_session_inside_a_callback(void)
{
    Recorder events = {.inside = whole_session};
    connect_recorder(&events, "c", "/echo");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_FAILS(SocketExists("other"), WDSOCKET_E_UNKNOWN_NAME);
    forget_events(&events);
}

static void close_self(Recorder *recorder, const Event *event)
{
    (void)recorder;
    if (event->event != WDSOCKET_EVENT_MESSAGE) return;
    CHECK_OK(SocketClose(event->name));
    CHECK_FAILS(SocketExists(event->name), WDSOCKET_E_UNKNOWN_NAME);
    CHECK_FAILS(SocketClose(event->name), WDSOCKET_E_UNKNOWN_NAME);
}

static void a_callback_that_closes_its_socket_is_its_last(void)
{
    Recorder events = {.inside = close_self};
    connect_recorder(&events, "c", "/flood?count=100&size=8&id=last");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, NULL);
    EXPECT_NO_EVENT(&events, 50);
    EXPECT_DIARY("last", "close 1000");
    forget_events(&events);
}

/* Closes and reconnects the same name in each CLOSING event, three times. */
static void again(Recorder *recorder, const Event *event)
{
    int *rounds = recorder->context;
    if (event->event != WDSOCKET_EVENT_CLOSING || ++*rounds == 3) return;
    if (*rounds == 1) CHECK_OK(SocketClose(event->name));
    CHECK_OK(SocketConnect(event->name, test_url("/close?code=1000"), record, NULL, recorder));
}

static void a_callback_may_close_and_reconnect_its_name(void)
{
    int rounds = 0;
    Recorder events = {.inside = again, .context = &rounds};
    connect_recorder(&events, "c", "/close?code=1000");
    for (int i = 0; i < 3; i++) {
        EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
        EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1000");
    }
    EXPECT_NO_EVENT(&events, 30);
    forget_events(&events);
}

/* Reconnects while events of the old connection still wait: they must not appear under the new one. */
static void replace_at_once(Recorder *recorder, const Event *event)
{
    int *rounds = recorder->context;
    if (event->event != WDSOCKET_EVENT_MESSAGE || ++*rounds != 1) return;
    CHECK_OK(SocketClose(event->name));
    CHECK_OK(SocketConnect(event->name, test_url("/flood?count=1&size=3&type=binary"), record, NULL, recorder));
}

static void a_reused_name_never_sees_its_predecessors_events(void)
{
    int rounds = 0;
    Recorder events = {.inside = replace_at_once, .context = &rounds};
    connect_recorder(&events, "c", "/flood?count=50&size=3");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_INT(EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, NULL)->message_type, 1);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_INT(EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, NULL)->message_type, 2);
    EXPECT_NO_EVENT(&events, 30);
    forget_events(&events);
}

static void what_would_dispatch_is_busy(Recorder *recorder, const Event *event)
{
    (void)recorder, (void)event;
    CHECK_NEGATIVE(SocketDispatch(0, 0), WDSOCKET_E_BUSY);
    CHECK_NEGATIVE(SocketDispatch(-1, 1), WDSOCKET_E_BUSY);
    CHECK_FAILS(SocketSync(0), WDSOCKET_E_BUSY);
    CHECK_FAILS(SocketSync(-1), WDSOCKET_E_BUSY);
    CHECK_FAILS(SocketShutdown(1000), WDSOCKET_E_BUSY);
    CHECK_OK(SocketExists("c"));
}

static void dispatch_sync_and_shutdown_are_busy(void)
{
    Recorder events = {.inside = what_would_dispatch_is_busy};
    connect_recorder(&events, "c", "/flood?count=3&size=8");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    for (int i = 0; i < 3; i++) EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, NULL);
    forget_events(&events);
}

static void fail_inside(Recorder *recorder, const Event *event)
{
    (void)recorder, (void)event;
    CHECK_FAILS(SocketExists("somebody else"), WDSOCKET_E_UNKNOWN_NAME);
}

static void an_error_inside_a_callback_stays_inside(void)
{
    Recorder events = {.inside = fail_inside};
    connect_recorder(&events, "c", "/flood?count=1&size=4");
    WAIT_UNTIL(info_number("c", WDSOCKET_INFO_MESSAGES_IN) == 1);
    CHECK_COUNT(SocketDispatch(PATIENCE_MS, 2), 2);
    CHECK_INT(events.events[1].error, WDSOCKET_E_OK);
    forget_events(&events);
}

static void WDSOCKET_CALL read_cause(int32_t event, const char *message, size_t length, const char *name, void *user_data)
{
    (void)message;
    *(int *)user_data += 1;
    if (event != WDSOCKET_EVENT_ERROR) return;
    CHECK_INT(length, 0);
    CHECK_INT(SocketErrorCode(), WDSOCKET_E_REFUSED);
    const char *cause = SocketErrorMessage();
    CHECK_CONTAINS(cause, "refused");
    /* The ones that only read leave it alone … */
    CHECK(SocketVersion()[0] != '\0');
    CHECK(SocketErrorMessage() == cause);
    CHECK_INT(SocketErrorCode(), WDSOCKET_E_REFUSED);
    /* … any other call sets its own. */
    CHECK_OK(SocketExists(name));
}

static void an_error_event_carries_its_cause(void)
{
    int events = 0;
    CHECK_OK(WebSocketClientConnectAsync("c", read_cause, "127.0.0.1", 1, NULL, NULL, &events));
    int64_t deadline = now_ms() + PATIENCE_MS;
    while (events < 2 && now_ms() < deadline) SocketDispatch(100, 0);
    CHECK_INT(events, 2);
}

static void look_at_self(Recorder *recorder, const Event *event)
{
    (void)recorder;
    if (event->event != WDSOCKET_EVENT_MESSAGE) return;
    char url[128];
    snprintf(url, sizeof url, "%s", info("c", WDSOCKET_INFO_URL));
    CHECK_CONTAINS(url, "/flood");
    CHECK_OK(SocketClose("c"));
    /* Its own name still means the connection whose event this is … */
    CHECK_TEXT(info("c", WDSOCKET_INFO_URL), url);
    CHECK_OK(SocketConnect("c", test_url("/echo"), record, NULL, recorder));
    /* … also when another has taken the name. */
    CHECK_TEXT(info("c", WDSOCKET_INFO_URL), url);
    recorder->inside = NULL;
}

static void info_inside_a_callback_means_the_events_own_connection(void)
{
    Recorder events = {.inside = look_at_self};
    connect_recorder(&events, "c", "/flood?count=1&size=4");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, NULL);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_CONTAINS(info("c", WDSOCKET_INFO_URL), "/echo");
    forget_events(&events);
}

/* Fills the queue inside the callback: no write may wait there, although WRITE_TIMEOUT_MS is long. */
static void fill_queue(Recorder *recorder, const Event *event)
{
    static char block[64 << 10];
    if (event->event != WDSOCKET_EVENT_OPENING) return;
    int written = 0, is_taken = 1;
    while (is_taken) {
        int64_t start = now_ms();
        is_taken = SocketWriteBinary("c", block, sizeof block) == 1;
        CHECK_BETWEEN(now_ms() - start, 0, 15000);
        if (is_taken) CHECK(++written < 100000);
    }
    /* Another one might be taken: the system's buffers may have grown in the meantime. */
    CHECK_INT(SocketErrorCode(), WDSOCKET_E_SEND_QUEUE_FULL);
    *(int *)recorder->context = written;
}

static void writing_in_a_callback_never_waits(void)
{
    int written = 0;
    Recorder events = {.inside = fill_queue, .context = &written};
    set_option("c", WDSOCKET_OPTION_WRITE_TIMEOUT_MS, "60000");
    set_option("c", WDSOCKET_OPTION_SEND_QUEUE_BYTES, "100000");
    connect_recorder(&events, "c", "/stall?id=full&quiet=1");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK(written > 0);
    control("full", "resume");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_WRITABLE, "");
    CHECK_OK(SocketClose("c"));
    char total[64];
    snprintf(total, sizeof total, "total %d %lld", written, (long long)written * (64 << 10));
    CHECK_CONTAINS(diary("full", "total"), total);
    forget_events(&events);
}

int main(void)
{
    RUN(writing_in_the_opening_event);
    RUN(a_synchronous_session_inside_a_callback);
    RUN(a_callback_that_closes_its_socket_is_its_last);
    RUN(a_callback_may_close_and_reconnect_its_name);
    RUN(a_reused_name_never_sees_its_predecessors_events);
    RUN(dispatch_sync_and_shutdown_are_busy);
    RUN(an_error_inside_a_callback_stays_inside);
    RUN(an_error_event_carries_its_cause);
    RUN(info_inside_a_callback_means_the_events_own_connection);
    RUN(writing_in_a_callback_never_waits);
    return 0;
}
