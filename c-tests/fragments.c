/* Messages that come in fragments arrive whole. */
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>

static void a_text_in_pieces_is_one_message(void)
{
    connect_to("c", "/fragment?text=hello%20world&pieces=4");
    EXPECT_TEXT("c", "hello world");
}

static void pieces_may_be_empty_and_cut_characters(void)
{
    /* More pieces than bytes; each character of the text has two or more bytes. */
    connect_to("c", "/fragment?text=%c3%a9%e2%82%ac%f0%9f%98%80&pieces=20");
    EXPECT_TEXT("c", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    CHECK_COUNT(SocketMessageType("c"), 1);
}

static void pings_between_the_pieces_are_answered_at_once(void)
{
    connect_to("c", "/fragment?text=abcdef&pieces=3&ping=1&pause_ms=20&id=between");
    EXPECT_TEXT("c", "abcdef");
    CHECK_INT(lines_with(diary_with("between", "pong between", 2), "pong between"), 2);
}

static void pauses_between_the_pieces_do_not_matter(void)
{
    char buffer[16];
    connect_to("c", "/fragment?text=abcdef&pieces=3&pause_ms=100");
    /* No part of a message is ever given. */
    intptr_t length;
    while ((length = SocketRead("c", 0, 10, buffer, sizeof buffer)) < 0) CHECK_INT(length, -WDSOCKET_E_TIMEOUT);
    CHECK_INT(length, 6);
    CHECK_TEXT(buffer, "abcdef");
}

static void a_large_message_in_many_small_pieces(void)
{
    static char out[200000];
    static char in[200001];
    for (size_t i = 0; i < sizeof out; i++) out[i] = (char)('a' + i % 26);
    connect_to("c", "/echo?fragment=7");
    CHECK_OK(SocketWrite("c", out, sizeof out));
    CHECK_COUNT(SocketRead("c", 0, PATIENCE_MS, in, sizeof in), sizeof out);
    CHECK(memcmp(in, out, sizeof out) == 0);
}

static void frames_that_come_byte_by_byte(void)
{
    /* A ping, a text in two fragments with a ping between them, an empty binary message. */
    connect_to("c", "/raw?split=1&id=bytes&hex=890170" "0103616263" "890171" "8003646566" "8200");
    EXPECT_TEXT("c", "abcdef");
    EXPECT_TEXT("c", "");
    CHECK_COUNT(SocketMessageType("c"), 2);
    EXPECT_DIARY("bytes", "pong q");
    EXPECT_DIARY("bytes", "pong p");
}

static void callback_sockets_get_them_whole(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/fragment?text=hello%20world&pieces=5&ping=1&pause_ms=5");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "hello world");
    forget_events(&events);
}

int main(void)
{
    RUN(a_text_in_pieces_is_one_message);
    RUN(pieces_may_be_empty_and_cut_characters);
    RUN(pings_between_the_pieces_are_answered_at_once);
    RUN(pauses_between_the_pieces_do_not_matter);
    RUN(a_large_message_in_many_small_pieces);
    RUN(frames_that_come_byte_by_byte);
    RUN(callback_sockets_get_them_whole);
    return 0;
}
