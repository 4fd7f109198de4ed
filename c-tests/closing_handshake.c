/* The closing handshake as RFC 6455, section 7, has it: who answers what, who ends TCP, and within which time. */
#include "testing.h"

#include <stdio.h>

/* Both kinds of sockets end with this code and reason; an ERROR may come before. */
static void expect_end(const char *path, const char *code, const char *reason)
{
    Recorder events = {0};
    char rest[256];
    connect_recorder(&events, "c", path);
    const Event *event;
    do
        event = next_event(&events);
    while (event && event->event != WDSOCKET_EVENT_CLOSING);
    CHECK(event != NULL);
    CHECK_TEXT(event->message, code);
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_CODE), code);
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_REASON), reason);
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
    connect_to("c", path);
    while (SocketRead("c", 0, PATIENCE_MS, rest, sizeof rest) >= 0) continue;
    CHECK_INT(SocketErrorCode(), WDSOCKET_E_CLOSED);
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_CODE), code);
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_REASON), reason);
    CHECK_OK(SocketClose("c"));
}

static void their_close_is_answered_with_its_code(void)
{
    static const char *const codes[] = {"1000", "1001", "1002", "1003", "1007", "1008", "1009", "1010", "1011", "3000", "3999", "4000", "4999"};
    char path[128];
    char line[64];
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        snprintf(path, sizeof path, "/close?code=%s&reason=bye&id=theirs%s", codes[i], codes[i]);
        expect_end(path, codes[i], "bye");
        snprintf(line, sizeof line, "theirs%s", codes[i]);
        const char *seen = diary_with(line, "eof", 2);
        CHECK_INT(lines_with(seen, "close"), 2);
        snprintf(line, sizeof line, "close %s", codes[i]);
        CHECK_INT(lines_with(seen, line), 2);
        CHECK_LACKS(seen, "protocol");
    }
}

static void an_empty_close_frame_is_1005_and_answered_without_it(void)
{
    expect_end("/close?id=empty", "1005", "");
    const char *seen = diary_with("empty", "eof", 2);
    CHECK_INT(lines_with(seen, "close"), 2);
    CHECK_LACKS(seen, "1005");
    CHECK_LACKS(seen, "protocol");
}

static void a_lost_connection_is_1006_and_nothing_is_sent_for_it(void)
{
    expect_end("/drop", "1006", "");
    expect_end("/reset", "1006", "");
    expect_end("/raw?hex=810568&then=close", "1006", "");
    connect_to("c", "/drop");
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    CHECK_TEXT(info("c", WDSOCKET_INFO_WIRE_BYTES_OUT), "0");
}

static void reasons_of_123_bytes_each_way(void)
{
    char reason[124] = "";
    char path[512] = "/close?code=4000&reason=";
    char line[160];
    /* 41 characters of three bytes. */
    for (int i = 0; i < 41; i++) {
        strcat(reason, "\xe2\x82\xac");
        strcat(path, "%e2%82%ac");
    }
    CHECK_INT(strlen(reason), 123);
    expect_end(path, "4000", reason);
    connect_to("c", "/echo?id=longest");
    CHECK_OK(SocketCloseWith("c", 4001, reason));
    snprintf(line, sizeof line, "close 4001 %s", reason);
    EXPECT_DIARY("longest", line);
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    /* The server answered with the same. */
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_REASON), reason);
    CHECK_OK(SocketClose("c"));
    Recorder events = {0};
    connect_recorder(&events, "c", "/echo?id=longest-too");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_OK(SocketCloseWith("c", 4001, reason));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "4001");
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_REASON), reason);
    EXPECT_DIARY("longest-too", line);
    forget_events(&events);
}

static void the_code_that_counts_is_the_peers(void)
{
    Recorder events = {0};
    /* It answers with 1000 whatever came. */
    connect_to("c", "/lateping?id=other-code");
    CHECK_OK(SocketCloseWith("c", 3000, "mine"));
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_CODE), "1000");
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_REASON), "");
    CHECK_OK(SocketClose("c"));
    connect_recorder(&events, "c", "/lateping");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_OK(SocketCloseWith("c", 3000, "mine"));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1000");
    forget_events(&events);
    EXPECT_DIARY("other-code", "close 3000 mine");
}

/* Each sends its close frame before it has the other's. */
static void two_closes_that_cross_are_each_others_answer(void)
{
    Recorder events = {0};
    connect_to("c", "/stall?ms=0&id=cross");
    CHECK_OK(SocketCloseWith("c", 3000, "mine"));
    control("cross", "close&code=4001");
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_CODE), "4001");
    control("cross", "resume");
    const char *seen = diary("cross", "eof");
    CHECK_INT(lines_with(seen, "close"), 1);
    CHECK_CONTAINS(seen, "close 3000 mine\n");
    CHECK_LACKS(seen, "protocol");

    connect_recorder(&events, "d", "/stall?ms=0&id=cross-too");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_OK(SocketCloseWith("d", 3000, NULL));
    control("cross-too", "close&code=4001");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "4001");
    control("cross-too", "resume");
    CHECK_INT(lines_with(diary("cross-too", "eof"), "close"), 1);
    forget_events(&events);
}

static void the_server_ends_tcp_first(void)
{
    Recorder events = {0};
    connect_to("a", "/echo?linger_ms=300&id=first-a");
    CHECK_OK(SocketClose("a"));
    connect_to("b", "/echo?linger_ms=300&id=first-b");
    CHECK_OK(SocketCloseWith("b", 1000, NULL));
    connect_to("c", "/close?code=1000&linger_ms=300&id=first-c");
    connect_recorder(&events, "d", "/close?code=1001&linger_ms=300&id=first-d");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1001");
    CHECK_NEGATIVE(SocketRead("b", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    CHECK_OK(SocketClose("c"));
    static const char *const ids[] = {"first-a", "first-b", "first-c", "first-d"};
    for (int i = 0; i < 4; i++) CHECK_CONTAINS(diary(ids[i], "eof"), "\nend\neof\n");
    forget_events(&events);
}

static void but_it_is_not_waited_for_without_limit(void)
{
    set_option(NULL, WDSOCKET_OPTION_CLOSE_TIMEOUT_MS, "300");
    int64_t start = now_ms();
    connect_to("a", "/echo?linger_ms=60000&id=limit-a");
    CHECK_OK(SocketClose("a"));
    connect_to("b", "/close?code=1000&linger_ms=60000&id=limit-b");
    const char *seen = diary("limit-a", "eof");
    CHECK_CONTAINS(seen, "close 1000\neof\n");
    seen = diary("limit-b", "eof");
    CHECK_CONTAINS(seen, "close 1000\neof\n");
    CHECK_BETWEEN(now_ms() - start, 250, 5000);
    set_option(NULL, WDSOCKET_OPTION_CLOSE_TIMEOUT_MS, NULL);
}

static void the_end_is_told_when_the_frames_are_exchanged(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/echo?linger_ms=4000");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    int64_t start = now_ms();
    CHECK_OK(SocketCloseWith("c", 1000, NULL));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1000");
    connect_to("d", "/close?code=1000&linger_ms=4000");
    CHECK_NEGATIVE(SocketRead("d", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    CHECK_BETWEEN(now_ms() - start, 0, 2500);
    /* The name can be used again although the old TCP connection is still there. */
    connect_to("d", "/echo");
    CHECK_OK(SocketWrite("d", "again", -1));
    EXPECT_TEXT("d", "again");
    forget_events(&events);
}

static void what_comes_behind_a_close_frame_is_not_looked_at(void)
{
    /* Messages, pings, another close frame, what breaks the protocol. */
    static const char *const behind[] = {"8103626164", "890170", "88020fa1", "8300", "ffff", "010161", "880101"};
    char path[128];
    char id[16];
    char rest[16];
    for (size_t i = 0; i < sizeof behind / sizeof *behind; i++) {
        Recorder events = {0};
        snprintf(id, sizeof id, "behind%d", (int)i);
        snprintf(path, sizeof path, "/raw?hex=8102686988050fa0627965%s&id=%s", behind[i], id);
        connect_recorder(&events, "c", path);
        EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
        EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "hi");
        const Event *event = next_event(&events);
        /* Whether data behind the close frame is an error, the RFC leaves open. */
        if (event && event->event == WDSOCKET_EVENT_ERROR) event = next_event(&events);
        CHECK(event != NULL);
        CHECK_INT(event->event, WDSOCKET_EVENT_CLOSING);
        CHECK_TEXT(event->message, "4000");
        CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_REASON), "bye");
        CHECK_OK(SocketClose("c"));
        forget_events(&events);
        connect_to("c", path);
        EXPECT_TEXT("c", "hi");
        CHECK_NEGATIVE(SocketRead("c", 1, 0, rest, sizeof rest), WDSOCKET_E_CLOSED);
        CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_CODE), "4000");
        CHECK_OK(SocketClose("c"));
        const char *seen = diary_with(id, "close", 2);
        CHECK_INT(lines_with(seen, "close 4000"), 2);
        CHECK_LACKS(seen, "pong");
    }
}

static void a_close_frame_may_come_inside_a_fragmented_message(void)
{
    expect_end("/raw?hex=010161" "88050fa0627965", "4000", "bye");
    /* The answer to ours, too; the message never ends. */
    connect_to("c", "/raw?hex=010161&id=inside");
    CHECK_OK(SocketCloseWith("c", 3000, "enough"));
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_CODE), "3000");
    CHECK_TEXT(info("c", WDSOCKET_INFO_MESSAGES_IN), "0");
    EXPECT_DIARY("inside", "close 3000 enough");
}

static void a_peer_that_stops_inside_a_frame_is_given_up(void)
{
    Recorder events = {0};
    set_option(NULL, WDSOCKET_OPTION_CLOSE_TIMEOUT_MS, "200");
    connect_recorder(&events, "c", "/noclose");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    connect_to("d", "/raw?hex=827e03e861&id=half");
    CHECK_OK(SocketCloseWith("d", 3000, NULL));
    CHECK_NEGATIVE(SocketRead("d", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    CHECK_TEXT(info("d", WDSOCKET_INFO_CLOSE_CODE), "1006");
    CHECK(info("d", WDSOCKET_INFO_LAST_ERROR)[0] != '\0');
    EXPECT_DIARY("half", "close 3000");
    int64_t start = now_ms();
    CHECK_OK(SocketCloseWith("c", 3000, NULL));
    CHECK_INT(EXPECT_EVENT(&events, WDSOCKET_EVENT_ERROR, "")->error, WDSOCKET_E_TIMEOUT);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1006");
    CHECK_BETWEEN(now_ms() - start, 190, 4500);
    set_option(NULL, WDSOCKET_OPTION_CLOSE_TIMEOUT_MS, NULL);
    forget_events(&events);
}

static void a_peer_that_ends_tcp_instead_of_answering_is_not_waited_for(void)
{
    Recorder events = {0};
    set_option(NULL, WDSOCKET_OPTION_CLOSE_TIMEOUT_MS, "60000");
    int64_t start = now_ms();
    connect_to("c", "/noclose?id=ends");
    CHECK_OK(SocketCloseWith("c", 3000, NULL));
    EXPECT_DIARY("ends", "close 3000");
    control("ends", "drop");
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_CODE), "1006");
    connect_recorder(&events, "d", "/noclose?id=ends-too");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_OK(SocketCloseWith("d", 3000, NULL));
    EXPECT_DIARY("ends-too", "close 3000");
    control("ends-too", "reset");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_ERROR, "");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1006");
    CHECK_BETWEEN(now_ms() - start, 0, 10000);
    set_option(NULL, WDSOCKET_OPTION_CLOSE_TIMEOUT_MS, NULL);
    forget_events(&events);
}

static void nothing_follows_our_close_frame(void)
{
    static char large[2 << 20];
    connect_to("c", "/count?id=last&quiet=1");
    CHECK_OK(SocketWriteBinary("c", large, sizeof large));
    CHECK_OK(SocketCloseWith("c", 3000, NULL));
    CHECK_FAILS(SocketWrite("c", "late", -1), WDSOCKET_E_CLOSED);
    CHECK_FAILS(SocketCloseWith("c", 3001, NULL), WDSOCKET_E_CLOSED);
    CHECK_OK(SocketClose("c"));
    const char *seen = diary("last", "eof");
    CHECK_CONTAINS(seen, "total 1 2097152 ");
    CHECK_INT(lines_with(seen, "close"), 1);
    CHECK_CONTAINS(seen, "close 3000\n");
    CHECK_LACKS(seen, "protocol");
}

int main(void)
{
    RUN(their_close_is_answered_with_its_code);
    RUN(an_empty_close_frame_is_1005_and_answered_without_it);
    RUN(a_lost_connection_is_1006_and_nothing_is_sent_for_it);
    RUN(reasons_of_123_bytes_each_way);
    RUN(the_code_that_counts_is_the_peers);
    RUN(two_closes_that_cross_are_each_others_answer);
    RUN(the_server_ends_tcp_first);
    RUN(but_it_is_not_waited_for_without_limit);
    RUN(the_end_is_told_when_the_frames_are_exchanged);
    RUN(what_comes_behind_a_close_frame_is_not_looked_at);
    RUN(a_close_frame_may_come_inside_a_fragmented_message);
    RUN(a_peer_that_stops_inside_a_frame_is_given_up);
    RUN(a_peer_that_ends_tcp_instead_of_answering_is_not_waited_for);
    RUN(nothing_follows_our_close_frame);
    return 0;
}
