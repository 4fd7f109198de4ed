/* The exact text of CLOSING for every way in which a connection ends. */
#include "testing.h"

#include <stdio.h>

/* Connects to the path, skips what comes before, and checks code, ERROR and what a synchronous socket says. */
static void expect_closing(const char *path, const char *code, intptr_t error, intptr_t or_error)
{
    Recorder events = {0};
    connect_recorder(&events, "c", path);
    const Event *event;
    intptr_t told = WDSOCKET_E_OK;
    while ((event = next_event(&events)) != NULL && event->event != WDSOCKET_EVENT_CLOSING)
        if (event->event == WDSOCKET_EVENT_ERROR) told = event->error;
    if (!event || strcmp(event->message, code) != 0) {
        fprintf(stderr, "%s: ", path);
        check_text(__FILE__, __LINE__, path, event ? event->message : NULL, code);
    }
    if (told != error && told != or_error) check_int(__FILE__, __LINE__, path, told, error);
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_CODE), code);
    CHECK_OK(SocketClose("c"));
    forget_events(&events);

    char rest[256];
    intptr_t length;
    connect_to("c", path);
    while ((length = SocketRead("c", 0, PATIENCE_MS, rest, sizeof rest)) >= 0) continue;
    CHECK_INT(length, -WDSOCKET_E_CLOSED);
    CHECK_INT(SocketErrorCode(), WDSOCKET_E_CLOSED);
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_CODE), code);
    if (error != WDSOCKET_E_OK) CHECK(info("c", WDSOCKET_INFO_LAST_ERROR)[0] != '\0');
    CHECK_OK(SocketClose("c"));
}

static void the_peers_code(void)
{
    static const char *const codes[] = {"1000", "1001", "1002", "1003", "1007", "1008", "1009", "1010", "1011", "3000", "3999", "4000", "4999"};
    char path[64];
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        Recorder events = {0};
        snprintf(path, sizeof path, "/close?code=%s", codes[i]);
        connect_recorder(&events, "c", path);
        const Event *event;
        do
            event = next_event(&events);
        while (event && event->event != WDSOCKET_EVENT_CLOSING);
        CHECK(event != NULL);
        CHECK_TEXT(event->message, codes[i]);
        CHECK_OK(SocketClose("c"));
        forget_events(&events);
    }
    expect_closing("/close?code=1000", "1000", WDSOCKET_E_OK, WDSOCKET_E_OK);
    expect_closing("/close?code=4321&after=0&reason=because", "4321", WDSOCKET_E_OK, WDSOCKET_E_OK);
}

static void none_in_the_peers_close_frame(void) { expect_closing("/close", "1005", WDSOCKET_E_OK, WDSOCKET_E_OK); }

static void the_peer_sees_its_close_answered(void)
{
    connect_to("c", "/close?code=4001&id=answered");
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    EXPECT_DIARY("answered", "close 4001");
    CHECK_LACKS(diary("answered", "eof"), "lost");
    CHECK_LACKS(diary("answered", "eof"), "protocol");
}

static void our_own_code_comes_back(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/echo");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_OK(SocketCloseWith("c", 3000, "done"));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "3000");
    forget_events(&events);
}

static void no_close_frame_at_all(void)
{
    static const char *const paths[] = {"/drop", "/reset", "/reset?mid=1", "/raw?hex=81&then=close"};
    Recorder events = {0};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const Event *event;
        connect_recorder(&events, "c", paths[i]);
        do
            event = next_event(&events);
        while (event && event->event != WDSOCKET_EVENT_CLOSING);
        CHECK(event != NULL);
        CHECK_TEXT(event->message, "1006");
        CHECK_OK(SocketClose("c"));
    }
    forget_events(&events);
}

static void broken_protocol_is_1002(void)
{
    static const char *const frames[] = {
        "c100",                 /* RSV1 without an extension */
        "a100", "9100",         /* RSV2, RSV3 */
        "8300", "8700",         /* reserved opcodes */
        "8b00", "8f00",         /* reserved control opcodes */
        "09022121",             /* a ping in fragments */
        "897e007e",             /* a ping of 126 bytes */
        "8000",                 /* nothing to continue */
        "010161810162",         /* a message inside a message */
        "818100000000" "61",    /* masked by a server */
        "8801" "03",            /* a close frame of one byte */
        "880203e7", "880203ec", /* 999, 1004 */
        "880203ed", "880203ee", /* 1005, 1006 */
        "880203f7", "88020bb7", /* 1015, 2999 */
        "88021388",             /* 5000 */
    };
    char path[128];
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        snprintf(path, sizeof path, "/raw?hex=%s", frames[i]);
        expect_closing(path, "1002", WDSOCKET_E_PROTOCOL, WDSOCKET_E_PROTOCOL);
    }
    connect_to("c", "/raw?hex=8300&id=1002");
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    CHECK_CONTAINS(diary("1002", "close 1002"), "close 1002");
}

static void text_that_is_not_utf8_is_1007(void)
{
    expect_closing("/raw?hex=8102c328", "1007", WDSOCKET_E_PROTOCOL, WDSOCKET_E_ENCODING);
    expect_closing("/raw?hex=0101c3" "800128", "1007", WDSOCKET_E_PROTOCOL, WDSOCKET_E_ENCODING);
    expect_closing("/raw?hex=8103eda080", "1007", WDSOCKET_E_PROTOCOL, WDSOCKET_E_ENCODING);
    expect_closing("/raw?hex=8101e2", "1007", WDSOCKET_E_PROTOCOL, WDSOCKET_E_ENCODING);
    connect_to("c", "/raw?hex=8102c328&id=1007");
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    CHECK_CONTAINS(diary("1007", "close 1007"), "close 1007");
}

static void a_close_reason_that_is_not_utf8_is_refused(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/close?code=1000&reason=%c3%28");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_ERROR, "");
    const char *code = EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, NULL)->message;
    CHECK(strcmp(code, "1007") == 0 || strcmp(code, "1002") == 0);
    forget_events(&events);
}

static void a_message_that_is_too_big_is_1009(void)
{
    set_option(NULL, WDSOCKET_OPTION_MAX_MESSAGE_BYTES, "1000");
    expect_closing("/flood?count=1&size=1001", "1009", WDSOCKET_E_PROTOCOL, WDSOCKET_E_TOO_BIG);
    /* Announced only; nothing of it came. */
    expect_closing("/raw?hex=827f7fffffffffffffff", "1009", WDSOCKET_E_PROTOCOL, WDSOCKET_E_TOO_BIG);
    connect_to("c", "/flood?count=1&size=1001&id=1009");
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    CHECK_CONTAINS(diary("1009", "close 1009"), "close 1009");
    CHECK_OK(SocketClose("c"));
    /* In fragments that are each small enough. */
    connect_to("c", "/echo?fragment=100");
    static char big[1001];
    memset(big, 'b', sizeof big);
    CHECK_OK(SocketWrite("c", big, 1000));
    CHECK_COUNT(SocketRead("c", 0, PATIENCE_MS, NULL, 0), 1000);
    CHECK_COUNT(SocketRead("c", 0, PATIENCE_MS, big, sizeof big), 1000);
    CHECK_OK(SocketWrite("c", big, 1000));
    CHECK_COUNT(SocketRead("c", 0, PATIENCE_MS, big, sizeof big), 1000);
    CHECK_OK(SocketClose("c"));
    set_option(NULL, WDSOCKET_OPTION_MAX_MESSAGE_BYTES, NULL);
}

static void messages_before_the_violation_arrive(void)
{
    connect_to("c", "/raw?hex=8102" "6869" "8300");
    EXPECT_TEXT("c", "hi");
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
}

int main(void)
{
    RUN(the_peers_code);
    RUN(none_in_the_peers_close_frame);
    RUN(the_peer_sees_its_close_answered);
    RUN(our_own_code_comes_back);
    RUN(no_close_frame_at_all);
    RUN(broken_protocol_is_1002);
    RUN(text_that_is_not_utf8_is_1007);
    RUN(a_close_reason_that_is_not_utf8_is_refused);
    RUN(a_message_that_is_too_big_is_1009);
    RUN(messages_before_the_violation_arrive);
    return 0;
}
