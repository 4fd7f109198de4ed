/* The functions for UTF-16 hosts: Windows alone has them. */
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

/* é, €, 日 and an emoji, which is two units. */
#define E L"\x00e9"
#define EURO L"\x20ac"
#define SUN L"\x65e5"
#define SMILE L"\xd83d\xde00"
#define E_UTF8 "\xc3\xa9"
#define EURO_UTF8 "\xe2\x82\xac"
#define SMILE_UTF8 "\xf0\x9f\x98\x80"

#define CHECK_WIDE(got, want) check_wide(__LINE__, #got, (got), (want))

static void check_wide(int line, const char *what, const wchar_t *got, const wchar_t *want)
{
    if (got && wcscmp(got, want) == 0) return;
    fprintf(stderr, "expected \"%ls\"\n  came     \"%ls\"\n", want, got ? got : L"(NULL)");
    check_failed(__FILE__, line, what, "it is another text");
}

static void connect_wide(const wchar_t *name, const wchar_t *path)
{
    CHECK_OK(WebSocketClientConnectW(name, L"127.0.0.1", test_port(), path, NULL, PATIENCE_MS));
}

static const wchar_t *read_wide(const wchar_t *name)
{
    static wchar_t buffer[4096];
    CHECK(SocketReadW(name, 0, PATIENCE_MS, buffer, sizeof buffer / sizeof *buffer) >= 0);
    return buffer;
}

static const wchar_t *wide_info(const wchar_t *name, int32_t item)
{
    static wchar_t text[4096];
    intptr_t length = SocketInfoW(name, item, text, sizeof text / sizeof *text);
    CHECK_INT(length, wcslen(text));
    return text;
}

static void text_comes_back_unchanged(void)
{
    connect_wide(L"caf" E SMILE, L"/echo?" E);
    CHECK_COUNT(SocketStateW(L"caf" E SMILE), WDSOCKET_STATE_OPEN);
    CHECK_OK(SocketExistsW(L"caf" E SMILE));
    CHECK_OK(SocketChangeTransmissionModeW(L"caf" E SMILE, 0, NULL));
    CHECK_OK(SocketWriteW(L"caf" E SMILE, E EURO SUN SMILE, -1));
    CHECK_WIDE(read_wide(L"caf" E SMILE), E EURO SUN SMILE);
    CHECK_COUNT(SocketMessageTypeW(L"caf" E SMILE), WDSOCKET_MESSAGE_TEXT);
    /* Up to the NUL, also for a host that widened its -1; some of it; nothing. */
    CHECK_OK(SocketWriteW(L"caf" E SMILE, E L"bc", (intptr_t)0xFFFFFFFF));
    CHECK_OK(SocketWriteW(L"caf" E SMILE, E L"bc", 2));
    CHECK_OK(SocketWriteW(L"caf" E SMILE, L"", 0));
    CHECK_WIDE(read_wide(L"caf" E SMILE), E L"bc");
    CHECK_WIDE(read_wide(L"caf" E SMILE), E L"b");
    CHECK_WIDE(read_wide(L"caf" E SMILE), L"");
    CHECK(wcsstr(wide_info(L"caf" E SMILE, WDSOCKET_INFO_URL), L"/echo?%C3%A9") != NULL);
    CHECK_OK(SocketCloseW(L"caf" E SMILE));
    CHECK_FAILS(SocketExistsW(L"caf" E SMILE), WDSOCKET_E_UNKNOWN_NAME);
    CHECK_FAILS(SocketCloseW(L"caf" E SMILE), WDSOCKET_E_UNKNOWN_NAME);
}

static void both_forms_use_the_same_sockets(void)
{
    wchar_t wide[8];
    connect_wide(L"both" E, L"/echo");
    CHECK_OK(SocketWrite("both" E_UTF8, E_UTF8 EURO_UTF8, -1));
    CHECK_COUNT(SocketReadW(L"both" E, 1, 0, wide, 8), 2);
    CHECK_WIDE(wide, E EURO);
    CHECK_OK(SocketWriteW(L"both" E, E SMILE, -1));
    EXPECT_TEXT("both" E_UTF8, E_UTF8 SMILE_UTF8);
    CHECK_COUNT(SocketMessageTypeW(L"both" E), WDSOCKET_MESSAGE_TEXT);
    CHECK_FAILS(WebSocketClientConnectW(L"both" E, L"127.0.0.1", test_port(), NULL, NULL, 0), WDSOCKET_E_NAME_IN_USE);
    CHECK_OK(SocketClose("both" E_UTF8));
    CHECK_FAILS(SocketExistsW(L"both" E), WDSOCKET_E_UNKNOWN_NAME);
    connect_to("both" E_UTF8, "/echo");
    CHECK_OK(SocketCloseW(L"both" E));
}

static void lengths_and_capacities_count_units(void)
{
    wchar_t buffer[8];
    connect_wide(L"w", L"/echo");
    CHECK_NEGATIVE(SocketAvailableW(L"w"), WDSOCKET_E_NO_MESSAGE);
    CHECK_NEGATIVE(SocketReadW(L"w", 0, 10, buffer, 8), WDSOCKET_E_TIMEOUT);
    CHECK_OK(SocketWriteW(L"w", EURO EURO SMILE, -1));
    WAIT_UNTIL(SocketAvailableW(L"w") >= 0);
    CHECK_COUNT(SocketAvailableW(L"w"), 4);
    CHECK_COUNT(SocketAvailable("w"), 10);
    CHECK_COUNT(SocketReadW(L"w", 1, 0, NULL, 0), 4);
    wmemset(buffer, L'x', 8);
    CHECK_NEGATIVE(SocketReadW(L"w", 1, 0, buffer, 3), WDSOCKET_E_BUFFER_TOO_SMALL);
    CHECK_INT(buffer[0], L'x');
    /* Fits without its NUL. */
    CHECK_COUNT(SocketReadW(L"w", 1, 0, buffer, 4), 4);
    CHECK(wmemcmp(buffer, EURO EURO SMILE L"xxxx", 8) == 0);
    CHECK_OK(SocketWriteW(L"w", EURO, 1));
    CHECK_COUNT(SocketReadW(L"w", 1, 0, buffer, 2), 1);
    CHECK_INT(buffer[1], 0);
    CHECK_NEGATIVE(SocketReadW(L"w", 0, 0, NULL, 8), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_FAILS(SocketWriteW(L"w", NULL, 1), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_FAILS(SocketWriteW(L"w", L"x", -2), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_FAILS(SocketWriteW(L"w", L"x", INTPTR_MAX), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_FAILS(SocketWriteW(L"w", L"x", INTPTR_MAX / 2), WDSOCKET_E_TOO_BIG);
}

static void a_long_message_comes_back_unchanged(void)
{
    size_t units = 1 << 20;
    wchar_t *sent = malloc(units * sizeof *sent);
    wchar_t *came = malloc((units + 1) * sizeof *came);
    CHECK(sent && came);
    for (size_t i = 0; i < units; i += 4) wmemcpy(sent + i, E EURO SMILE, 4);
    connect_wide(L"w", L"/echo");
    CHECK_OK(SocketWriteW(L"w", sent, (intptr_t)units));
    CHECK_COUNT(SocketReadW(L"w", 1, 0, came, units + 1), (intptr_t)units);
    CHECK(wmemcmp(sent, came, units) == 0);
    CHECK_INT(came[units], 0);
    free(sent);
    free(came);
}

static void a_binary_message_is_bytes(void)
{
    static const unsigned char bytes[] = {0xd8, 0x3d, 0, 0xff, 0x20};
    wchar_t buffer[8];
    connect_wide(L"w", L"/echo");
    CHECK_OK(SocketWriteBinaryW(L"w", bytes, sizeof bytes));
    CHECK_FAILS(SocketWriteBinaryW(L"w", bytes, -1), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_COUNT(SocketReadW(L"w", 1, 0, NULL, 0), 5);
    CHECK_COUNT(SocketAvailableW(L"w"), 5);
    /* 4 bytes of room, then 6. */
    CHECK_NEGATIVE(SocketReadW(L"w", 1, 0, buffer, 2), WDSOCKET_E_BUFFER_TOO_SMALL);
    memset(buffer, 'x', sizeof buffer);
    CHECK_COUNT(SocketReadW(L"w", 1, 0, buffer, 3), 5);
    CHECK(memcmp(buffer, bytes, 5) == 0);
    CHECK(memcmp((char *)buffer + 5, "\0x", 2) == 0);
    CHECK_COUNT(SocketMessageTypeW(L"w"), WDSOCKET_MESSAGE_BINARY);
}

static void half_a_surrogate_pair_is_refused(void)
{
    connect_wide(L"w", L"/echo");
    CHECK_FAILS(SocketWriteW(L"w", L"a\xd83d", -1), WDSOCKET_E_ENCODING);
    CHECK_CONTAINS(SocketErrorMessage(), "UTF-16");
    CHECK_FAILS(SocketWriteW(L"w", L"\xde00\xd83d", -1), WDSOCKET_E_ENCODING);
    CHECK_FAILS(SocketWriteW(L"w", SMILE, 1), WDSOCKET_E_ENCODING);
    CHECK_FAILS(SocketExistsW(L"\xd83d"), WDSOCKET_E_ENCODING);
    CHECK_INT(SocketStateW(L"\xd83d"), WDSOCKET_STATE_NONE);
    CHECK_FAILS(SocketCloseWithW(L"w", 1000, L"\xd83d"), WDSOCKET_E_ENCODING);
    CHECK_FAILS(SocketSetOptionW(L"w", WDSOCKET_OPTION_USER_AGENT, L"\xd83d"), WDSOCKET_E_ENCODING);
    CHECK_FAILS(SocketProxyW(L"http://\xd83d", 0, NULL, NULL), WDSOCKET_E_ENCODING);
    CHECK_FAILS(WebSocketClientConnectW(L"x", L"\xd83d", 80, NULL, NULL, 0), WDSOCKET_E_ENCODING);
    CHECK_FAILS(WebSocketClientConnectW(L"x", L"127.0.0.1", test_port(), L"/\xd83d", NULL, 0), WDSOCKET_E_ENCODING);
    CHECK_OK(SocketWriteW(L"w", SMILE, -1));
    CHECK_WIDE(read_wide(L"w"), SMILE);
}

static void the_encoding_of_others_does_not_matter(void)
{
    set_option(NULL, WDSOCKET_OPTION_TEXT_ENCODING, "windows-1252");
    connect_wide(L"other" E EURO, L"/echo");
    CHECK_OK(SocketExists("other\xe9\x80"));
    CHECK_OK(SocketWriteW(L"other" E EURO, E EURO SUN SMILE, -1));
    CHECK_WIDE(read_wide(L"other" E EURO), E EURO SUN SMILE);
    CHECK_OK(SocketWriteW(L"other" E EURO, E EURO SUN SMILE, -1));
    EXPECT_TEXT("other\xe9\x80", "\xe9\x80??");
    CHECK_FAILS(SocketExistsW(SUN), WDSOCKET_E_UNKNOWN_NAME);
    CHECK(wcsstr(SocketErrorMessageW(), SUN) != NULL);
    CHECK_CONTAINS(SocketErrorMessage(), "\"?\"");
    CHECK_OK(SocketSetOptionW(NULL, WDSOCKET_OPTION_TEXT_ENCODING, NULL));
}

static void names_are_up_to_255_units(void)
{
    wchar_t name[257];
    wmemset(name, *EURO, 256);
    name[256] = 0;
    CHECK_FAILS(SocketExistsW(name), WDSOCKET_E_INVALID_ARGUMENT);
    name[255] = 0;
    connect_wide(name, L"/echo");
    CHECK_OK(SocketCloseW(name));
    CHECK_FAILS(SocketExistsW(NULL), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_FAILS(SocketExistsW(L""), WDSOCKET_E_INVALID_ARGUMENT);
}

static void errors_and_information_are_utf16(void)
{
    wchar_t buffer[8];
    CHECK_FAILS(SocketExistsW(E SMILE), WDSOCKET_E_UNKNOWN_NAME);
    const wchar_t *message = SocketErrorMessageW();
    CHECK(wcsstr(message, L"\"" E SMILE L"\"") != NULL);
    CHECK_CONTAINS(SocketErrorMessage(), "\"" E_UTF8 SMILE_UTF8 "\"");
    /* The address stays until the next call. */
    CHECK_INT(SocketErrorCode(), WDSOCKET_E_UNKNOWN_NAME);
    CHECK(SocketVersionW() != NULL);
    CHECK(SocketErrorMessageW() == message);
    CHECK(wcsstr(message, L"\"" E SMILE L"\"") != NULL);
    connect_wide(L"w", L"/close?code=4001&reason=%C3%A9%F0%9F%98%80");
    CHECK_WIDE(SocketErrorMessageW(), L"");
    CHECK_NEGATIVE(SocketReadW(L"w", 1, 0, NULL, 0), WDSOCKET_E_CLOSED);
    CHECK_WIDE(wide_info(L"w", WDSOCKET_INFO_CLOSE_REASON), E SMILE);
    CHECK_COUNT(SocketInfoW(L"w", WDSOCKET_INFO_CLOSE_REASON, NULL, 0), 3);
    CHECK_NEGATIVE(SocketInfoW(L"w", WDSOCKET_INFO_CLOSE_REASON, buffer, 3), WDSOCKET_E_BUFFER_TOO_SMALL);
    CHECK_COUNT(SocketInfoW(L"w", WDSOCKET_INFO_CLOSE_REASON, buffer, 4), 3);
    CHECK_WIDE(buffer, E SMILE);
    CHECK_NEGATIVE(SocketInfoW(L"w", 999, NULL, 0), WDSOCKET_E_INVALID_ARGUMENT);
    wchar_t version[32];
    mbstowcs(version, SocketVersion(), 32);
    CHECK_WIDE(SocketVersionW(), version);
}

static void reasons_and_options_are_utf16(void)
{
    CHECK_OK(SocketSetOptionW(L"w", WDSOCKET_OPTION_HEADER, L"X-Test: " E SMILE));
    connect_wide(L"w", L"/headers?id=wide");
    CHECK(wcsstr(read_wide(L"w"), E SMILE) != NULL);
    CHECK_FAILS(SocketCloseWithW(L"w", 1, NULL), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_OK(SocketCloseWithW(L"w", 4000, E EURO));
    EXPECT_DIARY("wide", "close 4000 " E_UTF8 EURO_UTF8);
    CHECK_OK(SocketCloseW(L"w"));
    CHECK_FAILS(SocketSetOptionW(NULL, WDSOCKET_OPTION_PING_INTERVAL_MS, L"soon"), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK(wcsstr(SocketErrorMessageW(), L"soon") != NULL);

    CHECK_OK(SocketProxyW(L"http://127.0.0.1", 1, L"login", L"password"));
    CHECK_INT(WebSocketClientConnectW(L"w", L"127.0.0.1", test_port(), NULL, NULL, 0), 0);
    CHECK(SocketErrorCode() != WDSOCKET_E_OK);
    CHECK_OK(SocketProxyW(L"", 0, NULL, NULL));
    connect_wide(L"w", L"/echo");
    CHECK_OK(SocketSetOptionW(NULL, WDSOCKET_OPTION_PROXY, NULL));
}

/* --- callbacks ------------------------------------------------------------------------------ */

typedef struct {
    int count;
    int32_t event[8];
    size_t length[8];
    intptr_t type[8];
    wchar_t message[8][64];
    wchar_t name[8][64];
} Seen;

static void WDSOCKET_CALL see(int32_t event, const wchar_t *message, size_t length, const wchar_t *name, void *user_data)
{
    Seen *seen = user_data;
    int at = seen->count++;
    CHECK(at < 8 && length < 60 && wcslen(name) < 60);
    seen->event[at] = event;
    seen->length[at] = length;
    /* Before another call. */
    wchar_t error[64] = {0};
    wcsncpy(error, SocketErrorMessageW(), 63);
    seen->type[at] = SocketMessageTypeW(name);
    bool binary = seen->type[at] == WDSOCKET_MESSAGE_BINARY;
    memcpy(seen->message[at], message, binary ? length + 1 : (length + 1) * sizeof *message);
    wcscpy(seen->name[at], name);
    if (event == WDSOCKET_EVENT_ERROR) wcscpy(seen->message[at], error);
}

static void see_until(Seen *seen, int count)
{
    WAIT_UNTIL((SocketDispatch(10, 0), seen->count >= count));
    CHECK_INT(seen->count, count);
}

static void a_callback_gets_utf16(void)
{
    Seen seen = {0};
    CHECK_OK(WebSocketClientConnectAsyncW(L"async" E, see, L"127.0.0.1", test_port(), L"/echo", NULL, &seen));
    see_until(&seen, 1);
    CHECK_INT(seen.event[0], WDSOCKET_EVENT_OPENING);
    CHECK_WIDE(seen.message[0], L"");
    CHECK_WIDE(seen.name[0], L"async" E);
    CHECK_OK(SocketWriteW(L"async" E, E SMILE, -1));
    CHECK_OK(SocketWriteBinaryW(L"async" E, "\xff\0\xfe", 3));
    CHECK_NEGATIVE(SocketReadW(L"async" E, 0, 0, NULL, 0), WDSOCKET_E_CALLBACK_SOCKET);
    see_until(&seen, 3);
    CHECK_INT(seen.event[1], WDSOCKET_EVENT_MESSAGE);
    CHECK_INT(seen.length[1], 3);
    CHECK_INT(seen.type[1], WDSOCKET_MESSAGE_TEXT);
    CHECK_WIDE(seen.message[1], E SMILE);
    CHECK_INT(seen.length[2], 3);
    CHECK_INT(seen.type[2], WDSOCKET_MESSAGE_BINARY);
    CHECK(memcmp(seen.message[2], "\xff\0\xfe", 4) == 0);
    CHECK_OK(SocketCloseWithW(L"async" E, 1000, NULL));
    see_until(&seen, 4);
    CHECK_INT(seen.event[3], WDSOCKET_EVENT_CLOSING);
    CHECK_WIDE(seen.message[3], L"1000");
    CHECK_INT(seen.length[3], 4);
    CHECK_FAILS(WebSocketClientConnectAsyncW(L"none", NULL, L"127.0.0.1", test_port(), NULL, NULL, NULL),
                WDSOCKET_E_INVALID_ARGUMENT);
}

static void a_url_makes_a_callback_socket(void)
{
    Seen seen = {0};
    wchar_t url[128];
    swprintf(url, 128, L"ws://127.0.0.1:%d/reset?after=1&" E, test_port());
    CHECK_OK(SocketConnectW(L"url" E, url, see, NULL, &seen));
    see_until(&seen, 1);
    CHECK_INT(seen.event[0], WDSOCKET_EVENT_OPENING);
    CHECK_OK(SocketWriteW(L"url" E, L"x", 1));
    see_until(&seen, 3);
    CHECK_INT(seen.event[1], WDSOCKET_EVENT_ERROR);
    CHECK(wcsstr(seen.message[1], L"url" E) != NULL);
    CHECK_WIDE(seen.message[2], L"1006");
}

static void tls_forms_take_utf16(void)
{
    Seen seen = {0};
    /* The server speaks no TLS and waits for more; what counts is that they get that far. */
    CHECK_OK(SocketSetOptionW(L"tls" E, WDSOCKET_OPTION_CONNECT_TIMEOUT_MS, L"300"));
    CHECK_FAILS(WebSocketClientConnectSSLW(L"tls" E, L"127.0.0.1", test_port(), L"/", NULL, 0, 0), WDSOCKET_E_TIMEOUT);
    CHECK(wcsstr(SocketErrorMessageW(), L"tls" E) != NULL);
    CHECK_FAILS(WebSocketClientConnectSSLW(L"tls" E, L"127.0.0.1", test_port(), L"/", NULL, 4, 0),
                WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_OK(WebSocketClientConnectSSLAsyncW(L"tls" E, see, L"127.0.0.1", test_port(), L"/", NULL, 0, &seen));
    see_until(&seen, 2);
    CHECK_INT(seen.event[0], WDSOCKET_EVENT_ERROR);
    CHECK_INT(seen.event[1], WDSOCKET_EVENT_CLOSING);
    CHECK_WIDE(seen.name[0], L"tls" E);
}

static wchar_t logged[16384];

static void WDSOCKET_CALL keep_line(int32_t level, const wchar_t *line, void *user_data)
{
    (void)user_data;
    size_t length = wcslen(logged);
    CHECK(level >= 1 && level <= 5);
    if (length + wcslen(line) + 2 < sizeof logged / sizeof *logged) wcscat(wcscat(logged, line), L"\n");
}

static void log_lines_are_utf16(void)
{
    CHECK_FAILS(SocketSetLogW(keep_line, 6, NULL), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_OK(SocketSetLogW(keep_line, 4, NULL));
    connect_wide(L"log " E SMILE, L"/echo");
    CHECK_OK(SocketShutdown(PATIENCE_MS));
    CHECK_OK(SocketSetLogW(NULL, 0, NULL));
    CHECK(wcsstr(logged, L"log " E SMILE) != NULL);
}

int main(void)
{
    RUN(text_comes_back_unchanged);
    RUN(both_forms_use_the_same_sockets);
    RUN(lengths_and_capacities_count_units);
    RUN(a_long_message_comes_back_unchanged);
    RUN(a_binary_message_is_bytes);
    RUN(half_a_surrogate_pair_is_refused);
    RUN(the_encoding_of_others_does_not_matter);
    RUN(names_are_up_to_255_units);
    RUN(errors_and_information_are_utf16);
    RUN(reasons_and_options_are_utf16);
    RUN(a_callback_gets_utf16);
    RUN(a_url_makes_a_callback_socket);
    RUN(tls_forms_take_utf16);
    RUN(log_lines_are_utf16);
    return 0;
}
