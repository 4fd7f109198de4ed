/* What RFC 6455 forbids a server: each violation ends the connection with the code that the RFC gives it, which the
   server gets, with an ERROR that says what it did, and CLOSING; for callback sockets and synchronous ones. */
#include "testing.h"

#include <stdio.h>

typedef struct {
    const char *hex;
    /* What the message must speak of. */
    const char *word;
} Violation;

static void expect_all(const Violation *violations, size_t count, const char *code, intptr_t error)
{
    char path[256];
    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof path, "/raw?hex=%s", violations[i].hex);
        EXPECT_VIOLATION(path, code, error, violations[i].word);
    }
}

#define EXPECT_1002(violations) expect_all(violations, sizeof violations / sizeof *violations, "1002", WDSOCKET_E_PROTOCOL)
#define EXPECT_1007(violations) expect_all(violations, sizeof violations / sizeof *violations, "1007", WDSOCKET_E_ENCODING)

static void reserved_bits(void)
{
    static const Violation violations[] = {
        {"c100", "reserved bit"}, {"a100", "reserved bit"}, {"9100", "reserved bit"},
        {"f10161", "reserved bit"}, {"c20161", "reserved bit"}, {"410161", "reserved bit"},
        {"010161" "c000", "reserved bit"}, {"010161" "a000", "reserved bit"}, {"010161" "100162", "reserved bit"},
        {"c900", "reserved bit"}, {"a900", "reserved bit"}, {"9900", "reserved bit"},
        {"ca00", "reserved bit"}, {"c80203e8", "reserved bit"}, {"980203e8", "reserved bit"},
    };
    EXPECT_1002(violations);
}

static void reserved_opcodes(void)
{
    static const Violation violations[] = {
        {"8300", "opcode"}, {"8400", "opcode"}, {"8500", "opcode"}, {"8600", "opcode"}, {"8700", "opcode"},
        {"030161", "opcode"}, {"0100" "8300", "opcode"},
        {"8b00", "opcode"}, {"8c00", "opcode"}, {"8d00", "opcode"}, {"8e00", "opcode"}, {"8f00", "opcode"}, {"8f0161", "opcode"},
    };
    EXPECT_1002(violations);
}

static void control_frames_in_fragments(void)
{
    static const Violation violations[] = {
        {"0900", "fragment"}, {"09022121" "80022121", "fragment"}, {"0a00", "fragment"}, {"080203e8", "fragment"},
        {"010161" "0900", "fragment"},
    };
    EXPECT_1002(violations);
}

static void control_frames_longer_than_125_bytes(void)
{
    static const Violation violations[] = {
        {"897e007e", "125"}, {"8a7e007e", "125"}, {"887e007e", "125"}, {"897effff", "125"}, {"897f0000000000010000", "125"},
        {"887f0000000100000000", "125"},
    };
    EXPECT_1002(violations);
}

static void fragments_out_of_order(void)
{
    static const Violation violations[] = {
        {"8000", "continu"}, {"0000", "continu"}, {"800161", "continu"}, {"810161" "8000", "continu"},
        {"010161" "800162" "800163", "continu"}, {"8900" "8000", "continu"},
        {"010161" "810162", "message"}, {"010161" "820162", "message"}, {"020161" "010162", "message"},
        {"010161" "8900" "000162" "8100", "message"},
    };
    EXPECT_1002(violations);
}

static void masked_frames(void)
{
    static const Violation violations[] = {
        {"8181" "00000000" "61", "mask"}, {"8180" "00000000", "mask"}, {"8181" "01020304" "60", "mask"},
        {"8980" "00000000", "mask"}, {"8882" "00000000" "03e8", "mask"},
        {"82fe0100" "00000000", "mask"}, {"010161" "8081" "00000000" "62", "mask"},
    };
    EXPECT_1002(violations);
}

static void lengths_in_other_than_the_shortest_form(void)
{
    static const Violation violations[] = {
        {"817e0001" "61", "length"}, {"817e007d", "length"}, {"817f0000000000000001" "61", "length"},
        {"817f000000000000ffff", "length"}, {"817f8000000000000000", "length"}, {"827fffffffffffffffff", "length"},
    };
    EXPECT_1002(violations);
}

static void close_frames_of_one_byte(void)
{
    static const Violation violations[] = {{"880103", "close"}, {"880100", "close"}, {"010161" "8801ff", "close"}};
    EXPECT_1002(violations);
}

static void close_frames_with_codes_that_nobody_may_send(void)
{
    static const int codes[] = {0, 1, 500, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 9999, 32768, 65535};
    char path[64];
    char code[8];
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        snprintf(path, sizeof path, "/raw?hex=8802%04x", (unsigned)codes[i]);
        snprintf(code, sizeof code, "%d", codes[i]);
        EXPECT_VIOLATION(path, "1002", WDSOCKET_E_PROTOCOL, code);
        snprintf(path, sizeof path, "/raw?hex=8804%04x6f6b", (unsigned)codes[i]);
        EXPECT_VIOLATION(path, "1002", WDSOCKET_E_PROTOCOL, code);
    }
}

static void close_reasons_that_are_not_utf8(void)
{
    static const Violation violations[] = {
        {"8804" "03e8" "c328", "utf-8"}, {"8803" "03e8" "e2", "utf-8"}, {"8805" "03e8" "eda080", "utf-8"},
        {"8803" "0fa0" "ff", "utf-8"}, {"8806" "03e8" "6f6be282", "utf-8"},
    };
    EXPECT_1007(violations);
}

/* Each is wrong with its last byte, and might have been right without it. */
static const char *const wrong_texts[] = {
    "80",       "bf",       "c0",         "c1",         "f5",         "f8",     "fe",       "ff",      "6180",
    "c328",     "c3c3",     "e080",       "e09f",       "e28228",     "e282c3", "eda0",     "edbf",    "f080",
    "f08f",     "f09f9828", "f09f28",     "f490",       "f48fbfc0",   "c3a980", "e282ac80", "00ff",
};

static void text_that_is_not_utf8(void)
{
    char path[128];
    for (size_t i = 0; i < sizeof wrong_texts / sizeof *wrong_texts; i++) {
        snprintf(path, sizeof path, "/raw?hex=81%02x%s", (unsigned)strlen(wrong_texts[i]) / 2, wrong_texts[i]);
        EXPECT_VIOLATION(path, "1007", WDSOCKET_E_ENCODING, "utf-8");
    }
}

static void text_that_ends_inside_a_character(void)
{
    static const Violation violations[] = {
        {"8101c3", "utf-8"}, {"8102e282", "utf-8"}, {"8103f09f98", "utf-8"}, {"810461e282ac" "8102c3a9" "8101e2", "utf-8"},
        {"0101c3" "8000", "utf-8"}, {"0101e2" "000182" "8000", "utf-8"},
    };
    EXPECT_1007(violations);
}

static void it_is_noticed_at_the_first_wrong_byte_of_a_fragment(void)
{
    char path[128];
    for (size_t i = 0; i < sizeof wrong_texts / sizeof *wrong_texts; i++) {
        snprintf(path, sizeof path, "/raw?hex=01%02x%s", (unsigned)strlen(wrong_texts[i]) / 2, wrong_texts[i]);
        EXPECT_VIOLATION(path, "1007", WDSOCKET_E_ENCODING, "utf-8");
    }
}

static void and_of_a_frame_that_is_not_complete(void)
{
    char path[128];
    for (size_t i = 0; i < sizeof wrong_texts / sizeof *wrong_texts; i++) {
        snprintf(path, sizeof path, "/raw?hex=817e03e8%s", wrong_texts[i]);
        EXPECT_VIOLATION(path, "1007", WDSOCKET_E_ENCODING, "utf-8");
    }
    /* In the continuation, in a large frame, byte by byte. */
    EXPECT_VIOLATION("/raw?hex=010161" "807e03e8" "62ff", "1007", WDSOCKET_E_ENCODING, "utf-8");
    EXPECT_VIOLATION("/raw?hex=0101e2" "007e03e8" "28", "1007", WDSOCKET_E_ENCODING, "utf-8");
    EXPECT_VIOLATION("/raw?hex=817f0000000001000000" "6162ff", "1007", WDSOCKET_E_ENCODING, "utf-8");
    EXPECT_VIOLATION("/raw?split=1&hex=010161" "8900" "0002e282" "007e03e8" "28", "1007", WDSOCKET_E_ENCODING, "utf-8");
}

static void across_fragments(void)
{
    char path[128];
    for (size_t i = 0; i < sizeof wrong_texts / sizeof *wrong_texts; i++) {
        char hex[100];
        size_t at = 0;
        /* A byte in each, with a ping between; no last one. */
        for (size_t j = 0; wrong_texts[i][j]; j += 2)
            at += (size_t)snprintf(hex + at, sizeof hex - at, "%s01%.2s" "8900", j ? "00" : "01", wrong_texts[i] + j);
        snprintf(path, sizeof path, "/raw?hex=%s", hex);
        EXPECT_VIOLATION(path, "1007", WDSOCKET_E_ENCODING, "utf-8");
    }
}

static void characters_may_be_cut_anywhere(void)
{
    /* U+00E9, U+20AC, U+FFFF, U+1F600, U+10FFFF: a byte in each fragment, then bytes one by one. */
    static const char *const paths[] = {
        "/raw?hex=0101c3" "0001a9" "0001e2" "8900" "000182" "0001ac" "0003efbfbf" "0002f09f" "00029880" "0003f48fbf" "8001bf",
        "/raw?split=1&hex=8111" "c3a9e282acefbfbff09f9880f48fbfbf" "21",
    };
    static const char *const texts[] = {
        "\xc3\xa9\xe2\x82\xac\xef\xbf\xbf\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf",
        "\xc3\xa9\xe2\x82\xac\xef\xbf\xbf\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf!",
    };
    for (int i = 0; i < 2; i++) {
        connect_to("c", paths[i]);
        EXPECT_TEXT("c", texts[i]);
        CHECK_OK(SocketClose("c"));
    }
}

static void too_much_is_1009(void)
{
    set_option(NULL, WDSOCKET_OPTION_MAX_MESSAGE_BYTES, "1000");
    /* Announced, in one frame, over several. */
    EXPECT_VIOLATION("/raw?hex=827e03e9", "1009", WDSOCKET_E_TOO_BIG, "1000");
    EXPECT_VIOLATION("/raw?hex=827f7fffffffffffffff", "1009", WDSOCKET_E_TOO_BIG, "1000");
    EXPECT_VIOLATION("/raw?hex=020161" "007e03e8", "1009", WDSOCKET_E_TOO_BIG, "1000");
    EXPECT_VIOLATION("/flood?count=1&size=1001", "1009", WDSOCKET_E_TOO_BIG, "1000");
    set_option(NULL, WDSOCKET_OPTION_MAX_MESSAGE_BYTES, NULL);
}

static void what_came_before_is_delivered_and_nothing_behind(void)
{
    Recorder events = {0};
    char rest[16];
    connect_to("c", "/raw?hex=81016182016283008101638900");
    for (int i = 0; i < 2; i++) CHECK_COUNT(SocketRead("c", 1, 0, rest, sizeof rest), 1);
    CHECK_TEXT(rest, "b");
    CHECK_NEGATIVE(SocketRead("c", 1, 0, rest, sizeof rest), WDSOCKET_E_CLOSED);
    CHECK_TEXT(info("c", WDSOCKET_INFO_MESSAGES_IN), "2");
    CHECK_OK(SocketClose("c"));
    connect_recorder(&events, "c", "/raw?hex=81016182016283008101638900&id=behind");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "a");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "b");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_ERROR, "");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1002");
    EXPECT_NO_EVENT(&events, 20);
    CHECK_LACKS(diary("behind", "eof"), "pong");
    forget_events(&events);
}

int main(void)
{
    RUN(reserved_bits);
    RUN(reserved_opcodes);
    RUN(control_frames_in_fragments);
    RUN(control_frames_longer_than_125_bytes);
    RUN(fragments_out_of_order);
    RUN(masked_frames);
    RUN(lengths_in_other_than_the_shortest_form);
    RUN(close_frames_of_one_byte);
    RUN(close_frames_with_codes_that_nobody_may_send);
    RUN(close_reasons_that_are_not_utf8);
    RUN(text_that_is_not_utf8);
    RUN(text_that_ends_inside_a_character);
    RUN(it_is_noticed_at_the_first_wrong_byte_of_a_fragment);
    RUN(and_of_a_frame_that_is_not_complete);
    RUN(across_fragments);
    RUN(characters_may_be_cut_anywhere);
    RUN(too_much_is_1009);
    RUN(what_came_before_is_delivered_and_nothing_behind);
    return 0;
}
