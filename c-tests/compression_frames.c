/* Compressed frames, byte for byte: every form that RFC 7692 and RFC 1951 allow is read, every other fails the
   connection with the code that RFC 6455 gives it. */
#include "testing.h"

#include <stdio.h>

/* RFC 7692, 7.2.3.1: "Hello" in a block with the fixed codes. */
#define HELLO "f248cdc9c90700"
/* 7.2.3.2: "Hello" again, which refers to the one before. */
#define AGAIN "f200110000"
/* 7.2.3.4: with BFINAL, and the byte behind it. */
#define HELLO_FINAL "f348cdc9c9070000"

/* 160 letters in a block with codes of its own, by zlib. */
#define LETTERS                                                                        \
    "abdacaaaabcabdaaaabaabaaacaaaaaaaaabadaaabaabbaaaabaabaabacbaccaaaabbadbbbacaaaa" \
    "acbdbdacabaabaabdbabadaabaaaaacaaadbaabacbaaacbaaabaabbaabaacadccbcaacbaabdacbaa"
#define LETTERS_COMPRESSED                                             \
    "444e890dc040089a9567ff198ae2a5c62f2044d0101214b2ceb25910057c307f" \
    "9e50b2ca1c30ad0ad16b796766f52c99f253a3ed8c39aca5fcb1f898647c00"

static void connect_raw(const char *parameters, const char *hex)
{
    char path[4096];
    snprintf(path, sizeof path, "/raw?deflate%s&hex=%s", parameters, hex);
    connect_to("c", path);
}

static void expect_message(const char *hex, const char *message)
{
    connect_raw("", hex);
    EXPECT_TEXT("c", message);
    CHECK_OK(SocketClose("c"));
}

static void each_kind_of_block(void)
{
    expect_message("c107" HELLO, "Hello");
    expect_message("c10b" "000500faff48656c6c6f00", "Hello");
    expect_message("c13f" LETTERS_COMPRESSED, LETTERS);
}

static void several_blocks_in_a_message(void)
{
    /* 7.2.3.5, and one of each kind. */
    expect_message("c10d" "f248050000" "00ffffcac9c90700", "Hello");
    expect_message("c11b" "000500faff48656c6c6f" HELLO "0500faff48656c6c6f" "00", "HelloHelloHello");
    /* Empty stored blocks between, as flushing makes them. */
    expect_message("c116" "000000ffff" HELLO "0000ffff" "000000ffff" "00", "Hello");
}

static void the_last_block_may_say_that_it_is_the_last(void)
{
    expect_message("c108" HELLO_FINAL, "Hello");
    /* Stored, and what comes behind it in the same message. */
    expect_message("c10b" "010500faff48656c6c6f00", "Hello");
    expect_message("c112" "010500faff48656c6c6f" HELLO_FINAL, "HelloHello");
    expect_message("c10e" "f348cdc9c90700" HELLO, "HelloHello");
}

static void and_the_context_goes_on_behind_it(void)
{
    connect_raw("", "c108" HELLO_FINAL "c105" AGAIN "c10b" "010500faff48656c6c6f00" "c105" AGAIN);
    for (int i = 0; i < 4; i++) EXPECT_TEXT("c", "Hello");
}

static void a_message_refers_to_the_one_before(void)
{
    connect_raw("", "c107" HELLO "c105" AGAIN "c205" AGAIN);
    for (int i = 0; i < 3; i++) EXPECT_TEXT("c", "Hello");
    CHECK_COUNT(SocketMessageType("c"), 2);
}

static void plain_messages_are_no_part_of_the_context(void)
{
    connect_raw("", "c107" HELLO "8105" "576f726c64" "8100" "c105" AGAIN "8102" "6869");
    EXPECT_TEXT("c", "Hello");
    EXPECT_TEXT("c", "World");
    EXPECT_TEXT("c", "");
    EXPECT_TEXT("c", "Hello");
    EXPECT_TEXT("c", "hi");
}

static void empty_messages(void)
{
    static const char *const empty[] = {
        "c100", "c10100", "41008000", "4100800100", "4101008000", "c106000000ffff00", "c1020200", "c103030000",
    };
    char hex[64];
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        snprintf(hex, sizeof hex, "%sc107" HELLO, empty[i]);
        connect_raw("", hex);
        EXPECT_TEXT("c", "");
        EXPECT_TEXT("c", "Hello");
        CHECK_OK(SocketClose("c"));
    }
}

static void fragments_may_cut_anywhere(void)
{
    expect_message("4103" "f248cd" "8004" "c9c90700", "Hello");
    expect_message("4100" "0003" "f248cd" "0000" "0004" "c9c90700" "8000", "Hello");
    expect_message("4101f2" "000148" "0001cd" "0001c9" "0001c9" "000107" "800100", "Hello");
    /* Inside a character: U+20AC and U+1F600, stored. */
    expect_message("410a" "000700f8ff" "e282acf09f" "0002" "9880" "800100", "\xe2\x82\xac\xf0\x9f\x98\x80");
}

static void frames_that_come_byte_by_byte_with_pings_between(void)
{
    connect_raw("&split=1&id=bytes", "890161" "4103" "f248cd" "890162" "0000" "8004" "c9c90700" "890163" "c105" AGAIN "810168");
    EXPECT_TEXT("c", "Hello");
    EXPECT_TEXT("c", "Hello");
    EXPECT_TEXT("c", "h");
    EXPECT_DIARY("bytes", "pong c");
    EXPECT_DIARY("bytes", "pong b");
    EXPECT_DIARY("bytes", "pong a");
}

static void a_ping_inside_a_message_is_answered_before_its_end(void)
{
    connect_raw("&id=inside", "4103" "f248cd" "890170");
    EXPECT_DIARY("inside", "pong p");
    CHECK_NEGATIVE(SocketRead("c", 0, 0, NULL, 0), WDSOCKET_E_TIMEOUT);
}

static void a_close_frame_may_come_inside_a_message(void)
{
    connect_raw("&id=closed", "4103" "f248cd" "88050fa0627965");
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_CODE), "4000");
    EXPECT_DIARY("closed", "close 4000");
}

static void bytes_that_come_with_the_answer(void)
{
    connect_to("c", "/early?deflate&hex=c107" HELLO "c105" AGAIN "4103" "f248cd");
    EXPECT_TEXT("c", "Hello");
    EXPECT_TEXT("c", "Hello");
    CHECK_OK(SocketClose("c"));
    Recorder events = {0};
    connect_recorder(&events, "c", "/early?deflate&hex=c107" HELLO "c105" AGAIN "c205" AGAIN);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    for (int i = 0; i < 3; i++) EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "Hello");
    forget_events(&events);
}

#define EXPECT_BROKEN(parameters, hex, code, error, word) \
    EXPECT_VIOLATION("/raw?" parameters "hex=" hex, code, error, word)
#define AGREED "deflate&"

static void rsv1_without_agreement_is_1002(void)
{
    EXPECT_BROKEN("", "c107" HELLO, "1002", WDSOCKET_E_PROTOCOL, "reserved bit");
    EXPECT_BROKEN("", "c100", "1002", WDSOCKET_E_PROTOCOL, "reserved bit");
    EXPECT_BROKEN("", "4103f248cd", "1002", WDSOCKET_E_PROTOCOL, "reserved bit");
}

static void rsv1_elsewhere_than_on_a_first_frame_is_1002(void)
{
    EXPECT_BROKEN(AGREED, "4103" "f248cd" "c004" "c9c90700", "1002", WDSOCKET_E_PROTOCOL, "bit");
    EXPECT_BROKEN(AGREED, "4103" "f248cd" "4001c9", "1002", WDSOCKET_E_PROTOCOL, "bit");
    EXPECT_BROKEN(AGREED, "010161" "c00162", "1002", WDSOCKET_E_PROTOCOL, "bit");
    EXPECT_BROKEN(AGREED, "c90170", "1002", WDSOCKET_E_PROTOCOL, "bit");
    EXPECT_BROKEN(AGREED, "ca0170", "1002", WDSOCKET_E_PROTOCOL, "bit");
    EXPECT_BROKEN(AGREED, "c80203e8", "1002", WDSOCKET_E_PROTOCOL, "bit");
}

static void the_other_reserved_bits_are_1002(void)
{
    EXPECT_BROKEN(AGREED, "a100", "1002", WDSOCKET_E_PROTOCOL, "reserved bit");
    EXPECT_BROKEN(AGREED, "9100", "1002", WDSOCKET_E_PROTOCOL, "reserved bit");
    EXPECT_BROKEN(AGREED, "e107" HELLO, "1002", WDSOCKET_E_PROTOCOL, "reserved bit");
    EXPECT_BROKEN(AGREED, "d107" HELLO, "1002", WDSOCKET_E_PROTOCOL, "reserved bit");
}

/* All of it is one message; also behind a good one, and behind one whose context it has. */
#define EXPECT_NO_DEFLATE(hex)                                                         \
    do {                                                                               \
        EXPECT_BROKEN(AGREED, hex, "1002", WDSOCKET_E_PROTOCOL, "compress");           \
        EXPECT_BROKEN(AGREED, "c107" HELLO "8100" hex, "1002", WDSOCKET_E_PROTOCOL, "compress"); \
    } while (0)

static void what_is_no_deflate_is_1002(void)
{
    /* A block of type 3; a stored length without its complement. */
    EXPECT_NO_DEFLATE("c10106");
    EXPECT_NO_DEFLATE("c105" "0005000000");
    /* Symbols 286 and 287, distances 30 and 31. */
    EXPECT_NO_DEFLATE("c105" "4a1c030000");
    EXPECT_NO_DEFLATE("c105" "4a1c070000");
    EXPECT_NO_DEFLATE("c105" "4a043e0000");
    EXPECT_NO_DEFLATE("c105" "4a047e0000");
    /* Codes of its own: too many, none, a repetition of nothing. */
    EXPECT_NO_DEFLATE("c10a" "04e09324499224499200");
    EXPECT_NO_DEFLATE("c10a" "fce00100000000000000");
    EXPECT_NO_DEFLATE("c10a" "04c00300000000009000");
}

static void a_reference_to_before_the_beginning_is_1002(void)
{
    EXPECT_BROKEN(AGREED, "c104" "02020000", "1002", WDSOCKET_E_PROTOCOL, "compress");
    EXPECT_BROKEN(AGREED, "c105" "4a04420000", "1002", WDSOCKET_E_PROTOCOL, "compress");
    EXPECT_BROKEN(AGREED, "c106" "4a04deff0f00", "1002", WDSOCKET_E_PROTOCOL, "compress");
    EXPECT_BROKEN(AGREED, "c107" HELLO "c106" "4a04deff0f00", "1002", WDSOCKET_E_PROTOCOL, "compress");
    EXPECT_BROKEN(AGREED, "c105" AGAIN, "1002", WDSOCKET_E_PROTOCOL, "compress");
    /* A plain message is not before it. */
    EXPECT_BROKEN(AGREED, "8105" "48656c6c6f" "c105" AGAIN, "1002", WDSOCKET_E_PROTOCOL, "compress");
}

static void a_server_that_said_it_starts_afresh_must_do_so(void)
{
    EXPECT_BROKEN("deflate=server_no_context_takeover&", "c107" HELLO "c105" AGAIN, "1002", WDSOCKET_E_PROTOCOL, "compress");
}

static void a_message_that_ends_inside_a_block_is_1002(void)
{
    /* Stored: its length is cut, its bytes are. */
    EXPECT_NO_DEFLATE("c101" "04");
    EXPECT_NO_DEFLATE("c103" "000500");
    EXPECT_NO_DEFLATE("c108" "000500faff48656c");
    /* Fixed codes without an end, and inside a match. */
    EXPECT_NO_DEFLATE("c106" "f248cdc9c907");
    EXPECT_NO_DEFLATE("c103" "4a1c00");
    /* Inside the description of codes. */
    EXPECT_NO_DEFLATE("c103" "444e89");
    /* The four bytes that are to be left out were not. */
    EXPECT_NO_DEFLATE("c10b" HELLO "0000ffff");
}

static void it_is_noticed_before_the_message_ends(void)
{
    EXPECT_NO_DEFLATE("410106");
    EXPECT_NO_DEFLATE("4107" "f248cdc9c90718");
    EXPECT_NO_DEFLATE("4105" "0005000000");
}

/* A stored block of two bytes, then more to come. */
#define TWO(hex) "000200fdff" hex

static void text_that_is_not_utf8_is_1007_at_its_first_wrong_byte(void)
{
    static const char *const wrong[] = {"c328", "ff61", "61ff", "c080", "eda0", "e080", "f490", "f08f", "6180", "f880"};
    char path[128];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        /* At the end of a message; in a fragment; in a frame of which no more comes. */
        snprintf(path, sizeof path, "/raw?deflate&hex=c108" "000200fdff%s00", wrong[i]);
        EXPECT_VIOLATION(path, "1007", WDSOCKET_E_ENCODING, "utf-8");
        snprintf(path, sizeof path, "/raw?deflate&hex=4107" "000200fdff%s", wrong[i]);
        EXPECT_VIOLATION(path, "1007", WDSOCKET_E_ENCODING, "utf-8");
        snprintf(path, sizeof path, "/raw?deflate&hex=c17e03e8" "000200fdff%s", wrong[i]);
        EXPECT_VIOLATION(path, "1007", WDSOCKET_E_ENCODING, "utf-8");
    }
}

static void also_across_fragments_and_at_the_end(void)
{
    EXPECT_BROKEN(AGREED, "4106" "000100feffc3" "0006" "000100feff28", "1007", WDSOCKET_E_ENCODING, "utf-8");
    EXPECT_BROKEN(AGREED, "4107" TWO("61e2") "0006" "000100feff28", "1007", WDSOCKET_E_ENCODING, "utf-8");
    EXPECT_BROKEN(AGREED, "c108" TWO("61e2") "00", "1007", WDSOCKET_E_ENCODING, "utf-8");
    EXPECT_BROKEN(AGREED, "4107" TWO("e282") "800100", "1007", WDSOCKET_E_ENCODING, "utf-8");
    EXPECT_BROKEN(AGREED, "c107" HELLO "c108" TWO("ff61") "00", "1007", WDSOCKET_E_ENCODING, "utf-8");
    EXPECT_BROKEN("deflate&split=1&", "c107" HELLO "4107" TWO("c328"), "1007", WDSOCKET_E_ENCODING, "utf-8");
}

static void binary_messages_may_be_any_bytes(void)
{
    char bytes[8];
    connect_raw("", "c208" TWO("ff80") "00" "4207" TWO("c328") "800100");
    for (int i = 0; i < 2; i++) CHECK_COUNT(SocketRead("c", 1, 0, bytes, sizeof bytes), 2);
    CHECK_INT(memcmp(bytes, "\xc3(", 2), 0);
}

static void messages_before_the_violation_arrive(void)
{
    connect_raw("", "c107" HELLO "c105" AGAIN "c10106");
    EXPECT_TEXT("c", "Hello");
    EXPECT_TEXT("c", "Hello");
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
}

int main(void)
{
    RUN(each_kind_of_block);
    RUN(several_blocks_in_a_message);
    RUN(the_last_block_may_say_that_it_is_the_last);
    RUN(and_the_context_goes_on_behind_it);
    RUN(a_message_refers_to_the_one_before);
    RUN(plain_messages_are_no_part_of_the_context);
    RUN(empty_messages);
    RUN(fragments_may_cut_anywhere);
    RUN(frames_that_come_byte_by_byte_with_pings_between);
    RUN(a_ping_inside_a_message_is_answered_before_its_end);
    RUN(a_close_frame_may_come_inside_a_message);
    RUN(bytes_that_come_with_the_answer);
    RUN(rsv1_without_agreement_is_1002);
    RUN(rsv1_elsewhere_than_on_a_first_frame_is_1002);
    RUN(the_other_reserved_bits_are_1002);
    RUN(what_is_no_deflate_is_1002);
    RUN(a_reference_to_before_the_beginning_is_1002);
    RUN(a_server_that_said_it_starts_afresh_must_do_so);
    RUN(a_message_that_ends_inside_a_block_is_1002);
    RUN(it_is_noticed_before_the_message_ends);
    RUN(text_that_is_not_utf8_is_1007_at_its_first_wrong_byte);
    RUN(also_across_fragments_and_at_the_end);
    RUN(binary_messages_may_be_any_bytes);
    RUN(messages_before_the_violation_arrive);
    return 0;
}
