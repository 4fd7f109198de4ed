/* What servers answer to the offer of compression: what is agreed then, and every answer that fails the connection. */
#include "testing.h"

#include <stdio.h>

#define PMD "permessage-deflate"
#define C_BITS "client_max_window_bits"
#define S_BITS "server_max_window_bits"
#define C_FRESH "client_no_context_takeover"
#define S_FRESH "server_no_context_takeover"

/* The path on which the server answers with these extensions, word for word. */
static const char *path_of(const char *answer)
{
    static char path[1024];
    size_t at = (size_t)snprintf(path, sizeof path, "/upgrade?extensions=");
    for (; *answer; answer++) at += (size_t)snprintf(path + at, sizeof path - at, "%%%02x", (unsigned char)*answer);
    return path;
}

static intptr_t attempt(const char *answer)
{
    return WebSocketClientConnect("c", "127.0.0.1", test_port(), path_of(answer), NULL, PATIENCE_MS);
}

static void expect_agreed(const char *answer, const char *agreed)
{
    Recorder events = {0};
    if (attempt(answer) != 1) check_failed(__FILE__, __LINE__, answer, SocketErrorMessage());
    CHECK_TEXT(info("c", WDSOCKET_INFO_EXTENSIONS), agreed);
    CHECK_OK(SocketClose("c"));
    connect_recorder(&events, "c", path_of(answer));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_TEXT(info("c", WDSOCKET_INFO_EXTENSIONS), agreed);
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
}

/* With the answer the connection fails, whatever its kind, and the message has the word. */
static void expect_refused(const char *answer, const char *word)
{
    Recorder events = {0};
    if (attempt(answer) != 0) check_failed(__FILE__, __LINE__, "this answer is refused", answer);
    check_result(__FILE__, __LINE__, answer, 0, 0, WDSOCKET_E_HANDSHAKE);
    CHECK_CONTAINS(SocketErrorMessage(), word);
    CHECK_CONTAINS(info(NULL, WDSOCKET_INFO_LAST_ERROR), word);
    CHECK_TEXT(info(NULL, WDSOCKET_INFO_HTTP_STATUS), "101");
    CHECK_FAILS(SocketExists("c"), WDSOCKET_E_UNKNOWN_NAME);

    connect_recorder(&events, "callback", path_of(answer));
    const Event *error = EXPECT_EVENT(&events, WDSOCKET_EVENT_ERROR, "");
    CHECK_INT(error->error, WDSOCKET_E_HANDSHAKE);
    CHECK_CONTAINS(error->error_message, word);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1006");
    CHECK_OK(SocketClose("callback"));
    forget_events(&events);
}

static void the_agreement_is_told_in_one_form(void)
{
    static const char *const answers[][2] = {
        {PMD, PMD},
        {PMD "; " S_FRESH, PMD "; " S_FRESH},
        {PMD "; " C_FRESH, PMD "; " C_FRESH},
        {PMD "; " S_BITS "=10", PMD "; " S_BITS "=10"},
        {PMD "; " C_BITS "=9", PMD "; " C_BITS "=9"},
        {PMD "; " S_BITS "=15; " C_BITS "=15", PMD "; " S_BITS "=15; " C_BITS "=15"},
        {PMD ";" C_BITS "=9;" S_BITS "=10;" C_FRESH ";" S_FRESH, PMD "; " S_FRESH "; " C_FRESH "; " S_BITS "=10; " C_BITS "=9"},
        {"  " PMD " ;  " S_BITS "=12  ; " C_FRESH "  ", PMD "; " C_FRESH "; " S_BITS "=12"},
        {PMD "; " S_BITS "=\"10\"", PMD "; " S_BITS "=10"},
        {PMD "; " C_BITS "=\"11\"; " S_BITS "=\"9\"", PMD "; " S_BITS "=9; " C_BITS "=11"},
        {PMD "; " S_BITS "=\"1\\0\"", PMD "; " S_BITS "=10"},
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) expect_agreed(answers[i][0], answers[i][1]);
}

static void a_window_of_256_bytes_is_accepted_for_either_side(void)
{
    expect_agreed(PMD "; " S_BITS "=8", PMD "; " S_BITS "=8");
    expect_agreed(PMD "; " C_BITS "=8", PMD "; " C_BITS "=8");
}

static void no_answer_is_no_agreement(void)
{
    connect_to("c", "/echo");
    CHECK_TEXT(info("c", WDSOCKET_INFO_EXTENSIONS), "");
}

static void what_was_not_offered_is_refused(void)
{
    expect_refused("x-unknown", "x-unknown");
    expect_refused("x-webkit-deflate-frame", "x-webkit-deflate-frame");
    expect_refused(PMD ", x-unknown", "x-unknown");
    expect_refused("x-unknown; a=1, " PMD, "x-unknown");
    set_option(NULL, WDSOCKET_OPTION_COMPRESSION, "off");
    expect_refused(PMD, PMD);
    set_option(NULL, WDSOCKET_OPTION_COMPRESSION, NULL);
}

static void twice_is_refused(void)
{
    expect_refused(PMD ", " PMD, PMD);
    expect_refused(PMD "; " S_BITS "=10, " PMD "; " S_BITS "=10", PMD);
    CHECK_FAILS(WebSocketClientConnect("c", "127.0.0.1", test_port(),
                                       "/upgrade?extensions=" PMD "&header=Sec-WebSocket-Extensions:" PMD, NULL, PATIENCE_MS),
                WDSOCKET_E_HANDSHAKE);
    CHECK_CONTAINS(SocketErrorMessage(), PMD);
}

static void unknown_parameters_are_refused(void)
{
    expect_refused(PMD "; x_extra", "x_extra");
    expect_refused(PMD "; x_extra=1", "x_extra");
    expect_refused(PMD "; " S_FRESH "; x_extra=\"10\"", "x_extra");
    expect_refused(PMD "; server_max_window_bit=10", "server_max_window_bit");
}

static void repeated_parameters_are_refused(void)
{
    expect_refused(PMD "; " S_FRESH "; " S_FRESH, S_FRESH);
    expect_refused(PMD "; " C_FRESH "; " S_FRESH "; " C_FRESH, C_FRESH);
    expect_refused(PMD "; " S_BITS "=10; " S_BITS "=10", S_BITS);
    expect_refused(PMD "; " C_BITS "=10; " C_BITS "=11", C_BITS);
}

static void window_bits_are_8_to_15_without_leading_zeros(void)
{
    static const char *const bad[] = {
        "",      "=",      "=\"\"",  "=7",   "=16",    "=0",   "=1",           "=08",
        "=010",  "=\"09\"", "=-9",   "=+10", "=10.0",  "=ten", "=0xa",         "=1000",
        "=266",  "=\"10 \"", "=99999999999999999999", "=4294967306", "=18446744073709551626",
    };
    char answer[128];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(answer, sizeof answer, PMD "; " S_BITS "%s", bad[i]);
        expect_refused(answer, S_BITS);
        snprintf(answer, sizeof answer, PMD "; " C_BITS "%s", bad[i]);
        expect_refused(answer, C_BITS);
    }
}

static void no_context_takeover_takes_no_value(void)
{
    static const char *const values[] = {"=1", "=true", "=\"\"", "=\"on\""};
    char answer[128];
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        snprintf(answer, sizeof answer, PMD "; " S_FRESH "%s", values[i]);
        expect_refused(answer, S_FRESH);
        snprintf(answer, sizeof answer, PMD "; " C_FRESH "%s", values[i]);
        expect_refused(answer, C_FRESH);
    }
}

static void what_is_no_list_of_extensions_is_refused(void)
{
    static const char *const bad[] = {
        PMD "; " S_BITS "=\"10",
        PMD "; " S_BITS "=\"10\\",
        PMD "; " S_BITS "=10\"",
        PMD "; " S_BITS "=\"10\"x",
        PMD "; " S_BITS "=1 0",
        PMD "; " S_BITS "==10",
        PMD ";",
        PMD "; ",
        PMD ";; " S_FRESH,
        PMD " " S_FRESH,
        PMD "; =10",
        PMD "; " S_FRESH " " C_FRESH,
        "; " S_FRESH,
        "permessage deflate",
        "\"" PMD "\"",
        PMD "=1",
        PMD "/1",
        PMD "; " S_BITS "=10, ;",
    };
    /* It names the header. */
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) expect_refused(bad[i], "Sec-WebSocket-Extensions");
}

static void a_smaller_server_window_must_be_answered_as_small(void)
{
    set_option(NULL, WDSOCKET_OPTION_COMPRESSION_WINDOW_BITS, "10");
    expect_agreed(PMD "; " S_BITS "=10", PMD "; " S_BITS "=10");
    expect_agreed(PMD "; " S_BITS "=9; " C_BITS "=10", PMD "; " S_BITS "=9; " C_BITS "=10");
    expect_agreed(PMD "; " S_BITS "=8", PMD "; " S_BITS "=8");
    expect_refused(PMD "; " S_BITS "=11", S_BITS);
    expect_refused(PMD "; " S_BITS "=15", S_BITS);
    expect_refused(PMD, S_BITS);
    expect_refused(PMD "; " C_BITS "=10", S_BITS);
    set_option(NULL, WDSOCKET_OPTION_COMPRESSION_WINDOW_BITS, NULL);
}

static void a_server_that_was_asked_to_start_afresh_must_agree(void)
{
    set_option(NULL, WDSOCKET_OPTION_COMPRESSION_CONTEXT_TAKEOVER, "off");
    expect_agreed(PMD "; " S_FRESH, PMD "; " S_FRESH);
    expect_agreed(PMD "; " C_FRESH "; " S_FRESH, PMD "; " S_FRESH "; " C_FRESH);
    expect_refused(PMD, S_FRESH);
    expect_refused(PMD "; " C_FRESH, S_FRESH);
    expect_refused(PMD "; " S_BITS "=10", S_FRESH);
    set_option(NULL, WDSOCKET_OPTION_COMPRESSION_CONTEXT_TAKEOVER, NULL);
}

int main(void)
{
    RUN(the_agreement_is_told_in_one_form);
    RUN(a_window_of_256_bytes_is_accepted_for_either_side);
    RUN(no_answer_is_no_agreement);
    RUN(what_was_not_offered_is_refused);
    RUN(twice_is_refused);
    RUN(unknown_parameters_are_refused);
    RUN(repeated_parameters_are_refused);
    RUN(window_bits_are_8_to_15_without_leading_zeros);
    RUN(no_context_takeover_takes_no_value);
    RUN(what_is_no_list_of_extensions_is_refused);
    RUN(a_smaller_server_window_must_be_answered_as_small);
    RUN(a_server_that_was_asked_to_start_afresh_must_agree);
    return 0;
}
