/* TEXT_ENCODING: what the host gives and gets is in its encoding, what is on the wire is UTF-8. */
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef _WIN32
#include <windows.h>
#endif

/* é, €, 日 and an emoji. */
#define E_UTF8 "\xc3\xa9"
#define EURO_UTF8 "\xe2\x82\xac"
#define SUN_UTF8 "\xe6\x97\xa5"
#define SMILE_UTF8 "\xf0\x9f\x98\x80"
#define E_1252 "\xe9"
#define EURO_1252 "\x80"
#define SUN_SJIS "\x93\xfa"

static void encoding(const char *name, const char *label) { set_option(name, WDSOCKET_OPTION_TEXT_ENCODING, label); }

/* --- messages ------------------------------------------------------------------------------- */

static void a_message_is_converted_on_its_way_out(void)
{
    encoding("c", "windows-1252");
    connect_to("c", "/count?id=converted");
    CHECK_OK(SocketWrite("c", E_1252 " 5 " EURO_1252, -1));
    CHECK_OK(SocketWrite("c", E_1252 "xx", 1));
    CHECK_OK(SocketWrite("c", "", 0));
    EXPECT_DIARY("converted", "text 8");
    EXPECT_DIARY("converted", "text 2");
    char answer[64];
    char want[64];
    uint64_t hash = fnv1a(FNV1A_START, E_UTF8 " 5 " EURO_UTF8 E_UTF8, 10);
    snprintf(want, sizeof want, "3 10 %016llx", (unsigned long long)hash);
    CHECK_OK(SocketWrite("c", "report", -1));
    CHECK(SocketRead("c", 1, 0, answer, sizeof answer) > 0);
    CHECK_TEXT(answer, want);
    CHECK_OK(SocketClose("c"));
}

static void a_message_is_converted_on_its_way_in(void)
{
    encoding("c", "windows-1252");
    connect_to("c", "/fragment?pieces=3&text=" "%C3%A9%20%E2%82%AC");
    EXPECT_TEXT("c", E_1252 " " EURO_1252);
    CHECK_COUNT(SocketMessageType("c"), WDSOCKET_MESSAGE_TEXT);
    CHECK_OK(SocketClose("c"));
}

static void characters_that_the_encoding_has_not_are_replaced_in_what_the_host_gets(void)
{
    connect_to("c", "/echo");
    for (int i = 0; i < 3; i++) CHECK_OK(SocketWrite("c", E_UTF8 EURO_UTF8 SUN_UTF8 SMILE_UTF8 "!", -1));
    encoding("c", "windows-1252");
    EXPECT_TEXT("c", E_1252 EURO_1252 "?" "?!");
    encoding("c", "shift_jis");
    EXPECT_TEXT("c", "??" SUN_SJIS "?!");
    encoding("c", NULL);
    EXPECT_TEXT("c", E_UTF8 EURO_UTF8 SUN_UTF8 SMILE_UTF8 "!");
    CHECK_OK(SocketClose("c"));
}

static void bytes_that_are_no_text_are_refused_in_what_the_host_sends(void)
{
    encoding("c", "shift_jis");
    connect_to("c", "/echo");
    CHECK_FAILS(SocketWrite("c", "a\x82", -1), WDSOCKET_E_ENCODING);
    CHECK_CONTAINS(SocketErrorMessage(), "Shift_JIS");
    CHECK_FAILS(SocketWrite("c", E_UTF8 "\xff", -1), WDSOCKET_E_ENCODING);
    CHECK_OK(SocketWrite("c", SUN_SJIS, -1));
    EXPECT_TEXT("c", SUN_SJIS);
    encoding("c", "utf-8");
    CHECK_FAILS(SocketWrite("c", SUN_SJIS, -1), WDSOCKET_E_ENCODING);
    CHECK_CONTAINS(SocketErrorMessage(), "UTF-8");
    CHECK_TEXT(info("c", WDSOCKET_INFO_MESSAGES_OUT), "1");
    CHECK_OK(SocketClose("c"));
}

static void lengths_and_capacities_count_encoded_bytes(void)
{
    char buffer[8];
    encoding("c", "windows-1252");
    connect_to("c", "/echo");
    CHECK_OK(SocketWrite("c", E_1252 E_1252 EURO_1252 EURO_1252, -1));
    WAIT_UNTIL(SocketAvailable("c") >= 0);
    CHECK_COUNT(SocketAvailable("c"), 4);
    CHECK_COUNT(SocketRead("c", 1, 0, NULL, 0), 4);
    memset(buffer, 'x', sizeof buffer);
    CHECK_NEGATIVE(SocketRead("c", 1, 0, buffer, 3), WDSOCKET_E_BUFFER_TOO_SMALL);
    CHECK_INT(buffer[0], 'x');
    CHECK_COUNT(SocketAvailable("c"), 4);
    /* Fits without its NUL. */
    CHECK_COUNT(SocketRead("c", 1, 0, buffer, 4), 4);
    CHECK(memcmp(buffer, E_1252 E_1252 EURO_1252 EURO_1252 "xxxx", 8) == 0);
    CHECK_NEGATIVE(SocketAvailable("c"), WDSOCKET_E_NO_MESSAGE);

    /* A message may be longer encoded than in UTF-8. */
    encoding("c", "gb18030");
    CHECK_OK(SocketWrite("c", "\x81\x30\x84\x36", -1));
    WAIT_UNTIL(SocketAvailable("c") >= 0);
    CHECK_COUNT(SocketRead("c", 1, 0, buffer, sizeof buffer), 4);
    CHECK_TEXT(buffer, "\x81\x30\x84\x36");
    CHECK_TEXT(info("c", WDSOCKET_INFO_BYTES_IN), "12");
    CHECK_OK(SocketClose("c"));
}

static void limits_count_utf8(void)
{
    char buffer[8];
    encoding("c", "windows-1252");
    connect_to("c", "/echo");
    set_option("c", WDSOCKET_OPTION_MAX_MESSAGE_BYTES, "6");
    CHECK_OK(SocketWrite("c", EURO_1252 EURO_1252, -1));
    CHECK_COUNT(SocketRead("c", 1, 0, buffer, sizeof buffer), 2);
    CHECK_FAILS(SocketWrite("c", EURO_1252 EURO_1252 "x", -1), WDSOCKET_E_TOO_BIG);
    /* 4 bytes are 2 in UTF-8. */
    encoding("c", "gb18030");
    CHECK_OK(SocketWrite("c", "\x81\x30\x84\x36\x81\x30\x84\x36\x81\x30\x84\x36", -1));
    CHECK_FAILS(SocketWrite("c", "\x81\x30\x84\x36\x81\x30\x84\x36\x81\x30\x84\x36" "x", -1), WDSOCKET_E_TOO_BIG);
    char large[64] = {0};
    CHECK_FAILS(SocketWrite("c", large, sizeof large), WDSOCKET_E_TOO_BIG);
    CHECK_OK(SocketClose("c"));
}

static void a_long_message_comes_back_unchanged(void)
{
    size_t size = 3 << 20;
    char *sent = malloc(size);
    char *came = malloc(size + 1);
    CHECK(sent && came);
    for (size_t i = 0; i < size; i += 4) memcpy(sent + i, SUN_SJIS "a\xb1", 4);
    encoding("c", "shift_jis");
    connect_to("c", "/echo");
    CHECK_OK(SocketWrite("c", sent, (intptr_t)size));
    CHECK_COUNT(SocketRead("c", 1, 0, came, size + 1), (intptr_t)size);
    CHECK(memcmp(sent, came, size) == 0);
    CHECK_INT(came[size], 0);
    free(sent);
    free(came);
    CHECK_OK(SocketClose("c"));
}

static void binary_messages_are_never_touched(void)
{
    static const char bytes[] = {'\xe9', '\x80', 0, '\xff', '\x82'};
    char buffer[8];
    encoding("c", "windows-1252");
    connect_to("c", "/echo");
    CHECK_OK(SocketWriteBinary("c", bytes, sizeof bytes));
    CHECK_COUNT(SocketRead("c", 1, 0, NULL, 0), sizeof bytes);
    CHECK_NEGATIVE(SocketRead("c", 1, 0, buffer, sizeof bytes - 1), WDSOCKET_E_BUFFER_TOO_SMALL);
    CHECK_COUNT(SocketRead("c", 1, 0, buffer, sizeof buffer), sizeof bytes);
    CHECK(memcmp(buffer, bytes, sizeof bytes) == 0);
    CHECK_COUNT(SocketMessageType("c"), WDSOCKET_MESSAGE_BINARY);
    CHECK_OK(SocketClose("c"));
}

static void a_callback_gets_its_messages_encoded(void)
{
    Recorder events = {0};
    encoding("c", "windows-1252");
    connect_recorder(&events, "c", "/echo");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_OK(SocketWrite("c", E_1252 " " EURO_1252, -1));
    CHECK_OK(SocketWriteBinary("c", E_1252, 1));
    CHECK_OK(SocketWrite("c", "", 0));
    CHECK_INT(EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, E_1252 " " EURO_1252)->length, 3);
    CHECK_INT(EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, E_1252)->message_type, WDSOCKET_MESSAGE_BINARY);
    CHECK_INT(EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, "")->length, 0);
    forget_events(&events);
    CHECK_OK(SocketClose("c"));
}

/* --- whose encoding ------------------------------------------------------------------------- */

static void a_names_own_encoding_is_for_its_messages_alone(void)
{
    encoding("c", "windows-1252");
    connect_to("c", "/echo");
    connect_to("d", "/echo");
    CHECK_OK(SocketWrite("c", E_1252, -1));
    CHECK_OK(SocketWrite("d", E_UTF8, -1));
    EXPECT_TEXT("c", E_1252);
    EXPECT_TEXT("d", E_UTF8);
    /* Names, values and errors have the default's. */
    CHECK_FAILS(SocketExists(E_UTF8), WDSOCKET_E_UNKNOWN_NAME);
    CHECK_CONTAINS(SocketErrorMessage(), E_UTF8);
    CHECK_FAILS(SocketExists(E_1252), WDSOCKET_E_ENCODING);
    CHECK_FAILS(SocketCloseWith("c", 1000, E_1252), WDSOCKET_E_ENCODING);
    CHECK_FAILS(SocketSetOption("c", WDSOCKET_OPTION_USER_AGENT, E_1252), WDSOCKET_E_ENCODING);
    /* SocketClose forgets it. */
    CHECK_OK(SocketClose("c"));
    connect_to("c", "/echo");
    CHECK_FAILS(SocketWrite("c", E_1252, -1), WDSOCKET_E_ENCODING);
}

static void a_name_overrides_the_default_for_its_messages(void)
{
    encoding(NULL, "windows-1252");
    encoding("c", "utf-8");
    connect_to("c", "/echo");
    connect_to("d", "/echo");
    CHECK_OK(SocketWrite("c", E_UTF8, -1));
    CHECK_OK(SocketWrite("d", E_1252, -1));
    EXPECT_TEXT("c", E_UTF8);
    EXPECT_TEXT("d", E_1252);
    CHECK_FAILS(SocketExists(E_1252), WDSOCKET_E_UNKNOWN_NAME);
    CHECK_CONTAINS(SocketErrorMessage(), "\"" E_1252 "\"");
    encoding(NULL, NULL);
    CHECK_OK(SocketClose("c"));
}

static void a_live_connections_messages_keep_the_default_that_it_began_with(void)
{
    connect_to("c", "/echo");
    encoding(NULL, "windows-1252");
    CHECK_OK(SocketWrite("c", E_UTF8, -1));
    EXPECT_TEXT("c", E_UTF8);
    encoding(NULL, NULL);
    CHECK_FAILS(SocketWrite("c", E_1252, -1), WDSOCKET_E_ENCODING);
}

static void it_can_be_taken_back(void)
{
    encoding(NULL, "windows-1252");
    encoding(NULL, NULL);
    CHECK_FAILS(SocketExists(E_1252), WDSOCKET_E_ENCODING);
    encoding(NULL, "windows-1252");
    encoding(NULL, "");
    CHECK_FAILS(SocketExists(E_1252), WDSOCKET_E_ENCODING);
    encoding("c", "windows-1252");
    connect_to("c", "/echo");
    encoding("c", NULL);
    CHECK_OK(SocketWrite("c", E_UTF8, -1));
    EXPECT_TEXT("c", E_UTF8);
    CHECK_OK(SocketClose("c"));
}

/* --- names, addresses, options, errors ------------------------------------------------------ */

static void names_are_the_same_in_every_encoding(void)
{
    encoding(NULL, "windows-1252");
    connect_to("caf" E_1252 " " EURO_1252, "/echo");
    CHECK_OK(SocketExists("caf" E_1252 " " EURO_1252));
    CHECK_OK(SocketWrite("caf" E_1252 " " EURO_1252, E_1252, -1));
    EXPECT_TEXT("caf" E_1252 " " EURO_1252, E_1252);
    encoding(NULL, "iso-8859-15");
    CHECK_OK(SocketExists("caf" E_1252 " \xa4"));
    CHECK_FAILS(SocketExists("caf" E_1252 " " EURO_1252), WDSOCKET_E_UNKNOWN_NAME);
    encoding(NULL, NULL);
    CHECK_OK(SocketExists("caf" E_UTF8 " " EURO_UTF8));
    CHECK_OK(SocketClose("caf" E_UTF8 " " EURO_UTF8));
}

static void the_length_of_a_name_counts_its_bytes(void)
{
    char name[257];
    memset(name, E_1252[0], 256);
    name[256] = '\0';
    encoding(NULL, "windows-1252");
    CHECK_FAILS(SocketExists(name), WDSOCKET_E_INVALID_ARGUMENT);
    name[255] = '\0';
    CHECK_FAILS(SocketExists(name), WDSOCKET_E_UNKNOWN_NAME);
    connect_to(name, "/echo");
    CHECK_OK(SocketClose(name));
    encoding(NULL, NULL);
}

static void paths_are_converted(void)
{
    char url[256];
    encoding(NULL, "windows-1252");
    connect_to("c", "/echo?" E_1252 "=" EURO_1252);
    CHECK_CONTAINS(info("c", WDSOCKET_INFO_URL), "/echo?%C3%A9=%E2%82%AC");
    snprintf(url, sizeof url, "%s" E_1252, test_url("/echo?"));
    Recorder events = {0};
    CHECK_OK(SocketConnect("d", url, record, NULL, &events));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_CONTAINS(info("d", WDSOCKET_INFO_URL), "/echo?%C3%A9");
    forget_events(&events);
    encoding(NULL, "shift_jis");
    CHECK_FAILS(WebSocketClientConnect("e", "127.0.0.1", test_port(), "/\x82", NULL, 0), WDSOCKET_E_ENCODING);
    CHECK_FAILS(WebSocketClientConnect("e", "\x82", test_port(), "/", NULL, 0), WDSOCKET_E_ENCODING);
    CHECK_FAILS(WebSocketClientConnect("e", "127.0.0.1", test_port(), "/", "\x82", 0), WDSOCKET_E_ENCODING);
    CHECK_FAILS(WebSocketClientConnect("\x82", "127.0.0.1", test_port(), "/", NULL, 0), WDSOCKET_E_ENCODING);
    CHECK_FAILS(SocketProxy("\x82", 0, NULL, NULL), WDSOCKET_E_ENCODING);
    CHECK_FAILS(SocketProxy("http://proxy", 0, "\x82", "p"), WDSOCKET_E_ENCODING);
    encoding(NULL, NULL);
}

static void header_lines_are_converted(void)
{
    encoding(NULL, "windows-1252");
    set_option("c", WDSOCKET_OPTION_HEADER, "X-Test: " E_1252 EURO_1252);
    connect_to("c", "/headers");
    CHECK_HAS_HEADER(read_text("c"), "X-Test: " E_1252 EURO_1252);
    encoding(NULL, NULL);
    set_option("d", WDSOCKET_OPTION_HEADER, "X-Test: " E_UTF8 EURO_UTF8);
    connect_to("d", "/headers");
    CHECK_HAS_HEADER(read_text("d"), "X-Test: " E_UTF8 EURO_UTF8);
    CHECK_OK(SocketClose("c"));
    CHECK_OK(SocketClose("d"));
}

/* The same file, whatever its name is written in. */
static void names_of_files_are_converted(void)
{
#ifdef _WIN32
    FILE *file = _wfopen(L"encodings-\x00e9.pem", L"w");
#else
    FILE *file = fopen("encodings-" E_UTF8 ".pem", "w");
#endif
    CHECK(file != NULL);
    fclose(file);
    encoding(NULL, "windows-1252");
    CHECK_FAILS(SocketSetOption("c", WDSOCKET_OPTION_CA_FILE, "encodings-" E_1252 EURO_1252 ".pem"),
                WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_CONTAINS(SocketErrorMessage(), "encodings-" E_1252 EURO_1252 ".pem");
    static char missing[512];
    snprintf(missing, sizeof missing, "%s", strstr(SocketErrorMessage(), ".pem"));
    CHECK_FAILS(SocketSetOption("c", WDSOCKET_OPTION_CA_FILE, "encodings-" E_1252 ".pem"), WDSOCKET_E_INVALID_ARGUMENT);
    /* It was found, and is empty. */
    CHECK(strcmp(strstr(SocketErrorMessage(), ".pem"), missing) != 0);
    encoding(NULL, NULL);
#ifdef _WIN32
    _wremove(L"encodings-\x00e9.pem");
#else
    remove("encodings-" E_UTF8 ".pem");
#endif
}

static void error_messages_are_in_the_default_encoding(void)
{
    encoding(NULL, "windows-1252");
    CHECK_FAILS(SocketExists(E_1252 EURO_1252), WDSOCKET_E_UNKNOWN_NAME);
    const char *message = SocketErrorMessage();
    CHECK_CONTAINS(message, "\"" E_1252 EURO_1252 "\"");
    /* The address stays until the next call. */
    CHECK(SocketErrorMessage() == message);
    CHECK_INT(SocketErrorCode(), WDSOCKET_E_UNKNOWN_NAME);
    CHECK(SocketVersion() != NULL);
    CHECK(SocketErrorMessage() == message);
    CHECK_CONTAINS(message, "\"" E_1252 EURO_1252 "\"");
    encoding(NULL, NULL);
    CHECK_TEXT(SocketErrorMessage(), "");
}

static void what_socket_info_says_is_in_the_default_encoding(void)
{
    char buffer[8];
    connect_to("c", "/close?code=4001&reason=%C3%A9%E2%82%AC%F0%9F%98%80!");
    CHECK_NEGATIVE(SocketRead("c", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_REASON), E_UTF8 EURO_UTF8 SMILE_UTF8 "!");
    encoding(NULL, "windows-1252");
    CHECK_TEXT(info("c", WDSOCKET_INFO_CLOSE_REASON), E_1252 EURO_1252 "?!");
    CHECK_COUNT(SocketInfo("c", WDSOCKET_INFO_CLOSE_REASON, NULL, 0), 4);
    CHECK_NEGATIVE(SocketInfo("c", WDSOCKET_INFO_CLOSE_REASON, buffer, 4), WDSOCKET_E_BUFFER_TOO_SMALL);
    CHECK_COUNT(SocketInfo("c", WDSOCKET_INFO_CLOSE_REASON, buffer, 5), 4);
    CHECK_TEXT(buffer, E_1252 EURO_1252 "?!");
    encoding(NULL, NULL);
}

static void reasons_are_converted(void)
{
    /* 41 times 3 bytes in UTF-8. */
    char reason[64];
    memset(reason, EURO_1252[0], sizeof reason);
    encoding(NULL, "windows-1252");
    connect_to("c", "/echo?id=reason");
    reason[42] = '\0';
    CHECK_FAILS(SocketCloseWith("c", 4000, reason), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_OK(SocketCloseWith("c", 4000, E_1252));
    EXPECT_DIARY("reason", "close 4000 " E_1252);
    connect_to("d", "/echo?id=long");
    reason[41] = '\0';
    CHECK_OK(SocketCloseWith("d", 4000, reason));
    encoding(NULL, NULL);
    CHECK_CONTAINS(diary("long", "close"), "close 4000 " EURO_UTF8 EURO_UTF8);
}

static void events_have_names_and_errors_in_the_default_encoding(void)
{
    Recorder events = {0};
    connect_recorder(&events, E_UTF8 SMILE_UTF8, "/reset?after=1");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_TEXT(events.events[0].name, E_UTF8 SMILE_UTF8);
    CHECK_OK(SocketWrite(E_UTF8 SMILE_UTF8, "x", 1));
    encoding(NULL, "windows-1252");
    const Event *error = EXPECT_EVENT(&events, WDSOCKET_EVENT_ERROR, "");
    CHECK_TEXT(error->name, E_1252 "?");
    CHECK_CONTAINS(error->error_message, E_1252 "?");
    CHECK_TEXT(EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1006")->name, E_1252 "?");
    encoding(NULL, NULL);
    CHECK_OK(SocketClose(E_UTF8 SMILE_UTF8));
    forget_events(&events);

    encoding(NULL, "windows-1252");
    Recorder others = {0};
    connect_recorder(&others, E_1252, "/echo");
    CHECK_TEXT(EXPECT_EVENT(&others, WDSOCKET_EVENT_OPENING, "")->name, E_1252);
    encoding(NULL, NULL);
    forget_events(&others);
}

static char logged[16384];

static void WDSOCKET_CALL keep_line(int32_t level, const char *line, void *user_data)
{
    (void)level;
    (void)user_data;
    size_t length = strlen(logged);
    snprintf(logged + length, sizeof logged - length, "%s\n", line);
}

static void log_lines_are_in_the_default_encoding(void)
{
    encoding(NULL, "windows-1252");
    CHECK_OK(SocketSetLog(keep_line, 4, NULL));
    connect_to("log " E_1252, "/echo");
    CHECK_OK(SocketClose("log " E_1252));
    CHECK_OK(SocketShutdown(PATIENCE_MS));
    CHECK_OK(SocketSetLog(NULL, 0, NULL));
    CHECK_CONTAINS(logged, "log " E_1252);
    CHECK_LACKS(logged, E_UTF8);
    encoding(NULL, NULL);
}

/* --- which encodings ------------------------------------------------------------------------ */

static void labels_have_no_case_and_several_spellings(void)
{
    static const char *labels[] = {"windows-1252", "Windows-1252", "cp1252", "latin1", "ISO-8859-1"};
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        encoding(NULL, labels[i]);
        CHECK_FAILS(SocketExists(EURO_1252), WDSOCKET_E_UNKNOWN_NAME);
        encoding(NULL, "UTF-8");
        CHECK_FAILS(SocketExists(EURO_1252), WDSOCKET_E_ENCODING);
        encoding(NULL, NULL);
    }
}

static void encodings_without_ascii_and_unknown_ones_are_refused(void)
{
    static const char *bad[] = {"utf-16", "utf-16le", "utf-16be", "iso-2022-jp", "replacement", "x-user-defined",
                                "utf-7", "nonsense", "1252", E_UTF8, " "};
    encoding("c", "windows-1252");
    connect_to("c", "/echo");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_FAILS(SocketSetOption(NULL, WDSOCKET_OPTION_TEXT_ENCODING, bad[i]), WDSOCKET_E_INVALID_ARGUMENT);
        CHECK_CONTAINS(SocketErrorMessage(), bad[i]);
        CHECK_FAILS(SocketSetOption("c", WDSOCKET_OPTION_TEXT_ENCODING, bad[i]), WDSOCKET_E_INVALID_ARGUMENT);
    }
    /* Nothing has changed. */
    CHECK_OK(SocketWrite("c", E_1252, -1));
    EXPECT_TEXT("c", E_1252);
    CHECK_FAILS(SocketExists(E_1252), WDSOCKET_E_ENCODING);
    CHECK_OK(SocketClose("c"));
}

static void the_systems_encoding_is_its_ansi_code_page_or_utf8(void)
{
    char e[8] = E_UTF8;
#ifdef _WIN32
    BOOL replaced = FALSE;
    memset(e, 0, sizeof e);
    if (GetACP() == CP_UTF8)
        strcpy(e, E_UTF8);
    else
        WideCharToMultiByte(CP_ACP, WC_NO_BEST_FIT_CHARS, L"\x00e9", 1, e, sizeof e, "?", &replaced);
#endif
    connect_to("c", "/echo");
    CHECK_OK(SocketWrite("c", E_UTF8, -1));
    encoding("c", "system");
    EXPECT_TEXT("c", e);
    encoding(NULL, "system");
    CHECK_FAILS(SocketExists(e), WDSOCKET_E_UNKNOWN_NAME);
    encoding(NULL, NULL);
    CHECK_OK(SocketClose("c"));
}

int main(void)
{
    RUN(a_message_is_converted_on_its_way_out);
    RUN(a_message_is_converted_on_its_way_in);
    RUN(characters_that_the_encoding_has_not_are_replaced_in_what_the_host_gets);
    RUN(bytes_that_are_no_text_are_refused_in_what_the_host_sends);
    RUN(lengths_and_capacities_count_encoded_bytes);
    RUN(limits_count_utf8);
    RUN(a_long_message_comes_back_unchanged);
    RUN(binary_messages_are_never_touched);
    RUN(a_callback_gets_its_messages_encoded);
    RUN(a_names_own_encoding_is_for_its_messages_alone);
    RUN(a_name_overrides_the_default_for_its_messages);
    RUN(a_live_connections_messages_keep_the_default_that_it_began_with);
    RUN(it_can_be_taken_back);
    RUN(names_are_the_same_in_every_encoding);
    RUN(the_length_of_a_name_counts_its_bytes);
    RUN(paths_are_converted);
    RUN(header_lines_are_converted);
    RUN(names_of_files_are_converted);
    RUN(error_messages_are_in_the_default_encoding);
    RUN(what_socket_info_says_is_in_the_default_encoding);
    RUN(reasons_are_converted);
    RUN(events_have_names_and_errors_in_the_default_encoding);
    RUN(log_lines_are_in_the_default_encoding);
    RUN(labels_have_no_case_and_several_spellings);
    RUN(encodings_without_ascii_and_unknown_ones_are_refused);
    RUN(the_systems_encoding_is_its_ansi_code_page_or_utf8);
    return 0;
}
