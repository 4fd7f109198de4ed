/* SocketWrite and SocketWriteBinary: lengths, text, order. */
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>

static void text_ends_at_its_nul_when_the_length_is_minus_1(void)
{
    connect_to("c", "/echo?id=text");
    CHECK_OK(SocketWrite("c", "h\xc3\xa9llo", -1));
    EXPECT_TEXT("c", "h\xc3\xa9llo");
    /* What a 32-bit -1 becomes in some hosts. */
    CHECK_OK(SocketWrite("c", "hello", (intptr_t)0xFFFFFFFF));
    EXPECT_TEXT("c", "hello");
    CHECK_INT(lines_with(diary("text", "text 5"), "text "), 2);
}

static void a_length_may_cut_or_pass_nuls(void)
{
    char buffer[16];
    connect_to("c", "/echo");
    CHECK_OK(SocketWrite("c", "hello world", 5));
    EXPECT_TEXT("c", "hello");
    CHECK_OK(SocketWrite("c", "a\0b", 3));
    CHECK_COUNT(SocketRead("c", 1, 0, buffer, sizeof buffer), 3);
    CHECK_INT(memcmp(buffer, "a\0b", 4), 0);
}

static void zero_length_messages_arrive(void)
{
    connect_to("c", "/echo?id=zero");
    CHECK_OK(SocketWrite("c", "", -1));
    CHECK_OK(SocketWrite("c", "unused", 0));
    CHECK_OK(SocketWriteBinary("c", "unused", 0));
    for (int i = 0; i < 3; i++) EXPECT_TEXT("c", "");
    const char *seen = diary("zero", "binary 0");
    CHECK_INT(lines_with(seen, "text 0"), 2);
    CHECK_INT(lines_with(seen, "binary 0"), 1);
}

/* Refused for its length, whichever of the two codes says it. */
static void expect_refused(intptr_t result, int line)
{
    intptr_t code = SocketErrorCode();
    if (result == 0 && (code == WDSOCKET_E_INVALID_ARGUMENT || code == WDSOCKET_E_TOO_BIG)) return;
    check_int(__FILE__, line, "SocketErrorCode() of a bad length", code, WDSOCKET_E_INVALID_ARGUMENT);
    check_int(__FILE__, line, "the result for a bad length", result, 0);
}

static void lengths_out_of_range_are_refused_and_nothing_is_sent(void)
{
    static const intptr_t bad[] = {-2, -1000, INTPTR_MIN, INTPTR_MIN + 1, INTPTR_MAX, INTPTR_MAX - 1};
    connect_to("c", "/echo");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        expect_refused(SocketWrite("c", "x", bad[i]), __LINE__);
        expect_refused(SocketWriteBinary("c", "x", bad[i]), __LINE__);
    }
    /* Binary messages have no end of their own. */
    expect_refused(SocketWriteBinary("c", "x", -1), __LINE__);
    expect_refused(SocketWriteBinary("c", "x", (intptr_t)0xFFFFFFFF), __LINE__);
    CHECK_OK(SocketWrite("c", "the only one", -1));
    EXPECT_TEXT("c", "the only one");
    CHECK_TEXT(info("c", WDSOCKET_INFO_MESSAGES_OUT), "1");
}

static void null_is_refused(void)
{
    connect_to("c", "/echo");
    CHECK_FAILS(SocketWrite("c", NULL, -1), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_FAILS(SocketWrite("c", NULL, 5), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_FAILS(SocketWriteBinary("c", NULL, 5), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_OPEN);
}

static void text_that_is_not_utf8_is_refused_and_nothing_is_sent(void)
{
    static const char *const bad[] = {"\xff", "a\xc3", "\xc3\x28", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xc0\x80"};
    connect_to("c", "/echo?id=invalid");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_FAILS(SocketWrite("c", bad[i], -1), WDSOCKET_E_ENCODING);
    /* Cut in the middle of a character. */
    CHECK_FAILS(SocketWrite("c", "h\xc3\xa9", 2), WDSOCKET_E_ENCODING);
    CHECK_INT(SocketState("c"), WDSOCKET_STATE_OPEN);
    CHECK_OK(SocketWriteBinary("c", "\xff\xc3", 2));
    CHECK_COUNT(SocketRead("c", 1, 0, NULL, 0), 2);
    CHECK_INT(lines_with(diary("invalid", "binary 2"), "text"), 0);
}

static void messages_of_every_size_come_back_whole(void)
{
    static const size_t sizes[] = {1, 125, 126, 127, 65535, 65536, 65537, 1 << 20, 16 << 20};
    connect_to("c", "/echo");
    char *out = malloc(16 << 20);
    char *in = malloc(16 << 20);
    CHECK(out && in);
    for (size_t i = 0; i < 16 << 20; i++) out[i] = (char)(i * 7 + i / 251);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        CHECK_OK(SocketWriteBinary("c", out, (intptr_t)sizes[i]));
        CHECK_COUNT(SocketRead("c", 0, PATIENCE_MS, in, 16 << 20), (intptr_t)sizes[i]);
        CHECK(memcmp(in, out, sizes[i]) == 0);
    }
    free(out);
    free(in);
}

static void messages_arrive_in_order(void)
{
    char text[16];
    connect_to("c", "/echo");
    for (int i = 0; i < 2000; i++) {
        snprintf(text, sizeof text, "%d", i);
        CHECK_OK(SocketWrite("c", text, -1));
    }
    for (int i = 0; i < 2000; i++) {
        snprintf(text, sizeof text, "%d", i);
        CHECK_TEXT(read_text("c"), text);
    }
}

static void before_the_opening_it_is_not_open(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/silent");
    CHECK_FAILS(SocketWrite("c", "early", -1), WDSOCKET_E_NOT_OPEN);
    CHECK_FAILS(SocketWriteBinary("c", "early", 5), WDSOCKET_E_NOT_OPEN);
    forget_events(&events);
}

static void after_the_end_it_is_closed(void)
{
    connect_to("c", "/close?code=1000");
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
    CHECK_FAILS(SocketWrite("c", "late", -1), WDSOCKET_E_CLOSED);
    CHECK_FAILS(SocketWriteBinary("c", "late", 4), WDSOCKET_E_CLOSED);
    Recorder events = {0};
    CHECK_OK(WebSocketClientConnectAsync("d", record, "127.0.0.1", 1, NULL, NULL, &events));
    WAIT_UNTIL(SocketState("d") == WDSOCKET_STATE_CLOSED);
    intptr_t result = SocketWrite("d", "never", -1);
    CHECK_INT(result, 0);
    CHECK(SocketErrorCode() == WDSOCKET_E_CLOSED || SocketErrorCode() == WDSOCKET_E_NOT_OPEN);
    forget_events(&events);
}

static void an_unknown_name_is_an_error(void)
{
    CHECK_FAILS(SocketWrite("nobody", "x", -1), WDSOCKET_E_UNKNOWN_NAME);
    CHECK_FAILS(SocketWriteBinary("nobody", "x", 1), WDSOCKET_E_UNKNOWN_NAME);
}

static void every_frame_is_masked(void)
{
    /* The server takes no unmasked frame; what it saw decides. */
    connect_to("c", "/echo?id=masked");
    for (int i = 0; i < 100; i++) CHECK_OK(SocketWrite("c", "masked", -1));
    for (int i = 0; i < 100; i++) EXPECT_TEXT("c", "masked");
    CHECK_OK(SocketClose("c"));
    CHECK_LACKS(diary("masked", "eof"), "protocol");
}

int main(void)
{
    RUN(text_ends_at_its_nul_when_the_length_is_minus_1);
    RUN(a_length_may_cut_or_pass_nuls);
    RUN(zero_length_messages_arrive);
    RUN(lengths_out_of_range_are_refused_and_nothing_is_sent);
    RUN(null_is_refused);
    RUN(text_that_is_not_utf8_is_refused_and_nothing_is_sent);
    RUN(messages_of_every_size_come_back_whole);
    RUN(messages_arrive_in_order);
    RUN(before_the_opening_it_is_not_open);
    RUN(after_the_end_it_is_closed);
    RUN(an_unknown_name_is_an_error);
    RUN(every_frame_is_masked);
    return 0;
}
