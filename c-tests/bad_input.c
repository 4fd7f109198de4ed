/* Bad input of every kind: a clear error, nothing changed, the host alive. */
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>

static char too_long[257];
static char buffer[64];

/* Names that no socket can have. */
static const char *bad_names[] = {NULL, "", too_long, "\xff\xfe", "a\xc3"};

/* A failure in the form of the function, with a code that fits a bad name, and a message. */
static void expect_refusal(int line, const char *call, intptr_t result, bool negative)
{
    intptr_t code = SocketErrorCode();
    bool fits = code == WDSOCKET_E_INVALID_ARGUMENT || code == WDSOCKET_E_UNKNOWN_NAME || code == WDSOCKET_E_ENCODING;
    if (!fits) check_int(__FILE__, line, call, code, WDSOCKET_E_INVALID_ARGUMENT);
    check_int(__FILE__, line, call, result, negative ? -code : 0);
    CHECK(SocketErrorMessage()[0] != '\0');
}

#define REFUSED(call) expect_refusal(__LINE__, #call, (call), false)
#define REFUSED_NEGATIVE(call) expect_refusal(__LINE__, #call, (call), true)

static void every_function_refuses_bad_names(void)
{
    Recorder events = {0};
    for (size_t i = 0; i < sizeof bad_names / sizeof *bad_names; i++) {
        const char *name = bad_names[i];
        REFUSED(WebSocketClientConnect(name, "127.0.0.1", test_port(), "/echo", NULL, 0));
        REFUSED(WebSocketClientConnectAsync(name, record, "127.0.0.1", test_port(), "/echo", NULL, &events));
        REFUSED(SocketConnect(name, test_url("/echo"), record, NULL, &events));
        REFUSED(SocketWrite(name, "x", -1));
        REFUSED(SocketWriteBinary(name, "x", 1));
        REFUSED_NEGATIVE(SocketRead(name, 0, 0, buffer, sizeof buffer));
        REFUSED_NEGATIVE(SocketAvailable(name));
        REFUSED(SocketClose(name));
        REFUSED(SocketCloseWith(name, 1000, NULL));
        REFUSED(SocketExists(name));
        REFUSED(SocketChangeTransmissionMode(name, 0, NULL));
        CHECK_INT(SocketState(name), WDSOCKET_STATE_NONE);
        CHECK(SocketMessageType(name) <= 0);
        if (name && name[0]) {
            REFUSED_NEGATIVE(SocketInfo(name, WDSOCKET_INFO_URL, buffer, sizeof buffer));
            REFUSED(SocketSetOption(name, WDSOCKET_OPTION_USER_AGENT, "x"));
        }
    }
    EXPECT_NO_EVENT(&events, 20);
}

static void every_function_refuses_unknown_names(void)
{
    CHECK_FAILS(SocketWrite("nobody", "x", -1), WDSOCKET_E_UNKNOWN_NAME);
    CHECK_FAILS(SocketWriteBinary("nobody", "x", 1), WDSOCKET_E_UNKNOWN_NAME);
    CHECK_NEGATIVE(SocketRead("nobody", 1, 0, buffer, sizeof buffer), WDSOCKET_E_UNKNOWN_NAME);
    CHECK_NEGATIVE(SocketRead("nobody", 1, 0, NULL, 0), WDSOCKET_E_UNKNOWN_NAME);
    CHECK_NEGATIVE(SocketAvailable("nobody"), WDSOCKET_E_UNKNOWN_NAME);
    CHECK_FAILS(SocketClose("nobody"), WDSOCKET_E_UNKNOWN_NAME);
    CHECK_FAILS(SocketCloseWith("nobody", 1000, NULL), WDSOCKET_E_UNKNOWN_NAME);
    CHECK_FAILS(SocketExists("nobody"), WDSOCKET_E_UNKNOWN_NAME);
    CHECK_FAILS(SocketChangeTransmissionMode("nobody", 0, NULL), WDSOCKET_E_UNKNOWN_NAME);
    CHECK_NEGATIVE(SocketInfo("nobody", WDSOCKET_INFO_URL, NULL, 0), WDSOCKET_E_UNKNOWN_NAME);
}

static void a_callback_is_needed(void)
{
    CHECK_FAILS(WebSocketClientConnectAsync("c", NULL, "127.0.0.1", test_port(), "/echo", NULL, NULL),
                WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_FAILS(SocketConnect("c", test_url("/echo"), NULL, NULL, NULL), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_FAILS(SocketExists("c"), WDSOCKET_E_UNKNOWN_NAME);
}

static void text_that_is_not_utf8_is_refused_everywhere(void)
{
    static const char bad[] = "\xff\xfe";
    int port = test_port();
    CHECK_INT(WebSocketClientConnect("c", bad, port, NULL, NULL, 0), 0);
    CHECK_INT(WebSocketClientConnect("c", "127.0.0.1", port, bad, NULL, 0), 0);
    CHECK_INT(WebSocketClientConnect("c", "127.0.0.1", port, "/echo", bad, 0), 0);
    CHECK_INT(SocketSetOption("c", WDSOCKET_OPTION_USER_AGENT, bad), 0);
    CHECK_INT(SocketSetOption("c", WDSOCKET_OPTION_HEADER, bad), 0);
    CHECK_FAILS(SocketExists("c"), WDSOCKET_E_UNKNOWN_NAME);
}

static void very_long_texts_are_taken_or_refused_but_do_no_harm(void)
{
    size_t size = 1 << 20;
    char *text = malloc(size + 1);
    CHECK(text != NULL);
    memset(text, 'a', size);
    text[size] = '\0';
    CHECK_INT(WebSocketClientConnect("c", text, test_port(), NULL, NULL, 2000), 0);
    CHECK_INT(WebSocketClientConnect("c", "127.0.0.1", test_port(), text, NULL, 2000), 0);
    CHECK_INT(WebSocketClientConnect("c", "127.0.0.1", test_port(), "/echo", text, 2000), 0);
    CHECK_FAILS(SocketExists("c"), WDSOCKET_E_UNKNOWN_NAME);
    free(text);
}

static void extreme_numbers_do_no_harm(void)
{
    connect_to("c", "/echo");
    static const int32_t numbers[] = {INT32_MIN, -1, 0, 1, INT32_MAX};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        SocketInfo("c", numbers[i], NULL, 0);
        SocketSetOption("c", numbers[i], NULL);
        SocketChangeTransmissionMode("c", numbers[i], NULL);
        SocketDispatch(0, numbers[i]);
        if (numbers[i] != 1) SocketCloseWith("c", numbers[i], NULL);
    }
    CHECK_OK(SocketWrite("c", "alive", -1));
    EXPECT_TEXT("c", "alive");
}

static void the_wrong_moment_is_an_error(void)
{
    Recorder events = {0};
    connect_recorder(&events, "c", "/silent");
    CHECK_FAILS(SocketWrite("c", "x", 1), WDSOCKET_E_NOT_OPEN);
    CHECK_NEGATIVE(SocketRead("c", 0, 0, NULL, 0), WDSOCKET_E_CALLBACK_SOCKET);
    CHECK_INT(SocketCloseWith("c", 1000, NULL), 0);
    CHECK(SocketErrorCode() != WDSOCKET_E_OK);
    forget_events(&events);
}

static void a_null_message_of_length_0_does_no_harm(void)
{
    connect_to("c", "/echo");
    SocketWrite("c", NULL, 0);
    SocketWriteBinary("c", NULL, 0);
    CHECK_OK(SocketWrite("c", "alive", -1));
    const char *text = read_text("c");
    while (text[0] == '\0') text = read_text("c");
    CHECK_TEXT(text, "alive");
}

int main(void)
{
    memset(too_long, 'n', 256);
    RUN(every_function_refuses_bad_names);
    RUN(every_function_refuses_unknown_names);
    RUN(a_callback_is_needed);
    RUN(text_that_is_not_utf8_is_refused_everywhere);
    RUN(very_long_texts_are_taken_or_refused_but_do_no_harm);
    RUN(extreme_numbers_do_no_harm);
    RUN(the_wrong_moment_is_an_error);
    RUN(a_null_message_of_length_0_does_no_harm);
    return 0;
}
