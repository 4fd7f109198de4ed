/* What is offered to the server: the options of compression, and the Sec-WebSocket-Extensions that they make. */
#include "testing.h"

#include <stdio.h>

#define BAD WDSOCKET_E_INVALID_ARGUMENT
#define HEADER "Sec-WebSocket-Extensions"
/* The second for servers that want a client which says that it can do without a context (RFC 7692, 5.1). */
#define USUAL                                         \
    "permessage-deflate; client_max_window_bits=15, " \
    "permessage-deflate; client_max_window_bits=15; client_no_context_takeover"

/* The request of a new connection with this name, each line ended. */
static const char *request_of(const char *name)
{
    static char text[8192];
    connect_to(name, "/headers");
    snprintf(text, sizeof text, "%s\r\n", read_text(name));
    CHECK_TEXT(info(name, WDSOCKET_INFO_EXTENSIONS), "");
    CHECK_OK(SocketClose(name));
    return text;
}

/* The request of a callback socket. */
static const char *request_of_callback_socket(void)
{
    static char text[8192];
    Recorder events = {0};
    connect_recorder(&events, "c", "/headers");
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    snprintf(text, sizeof text, "%s\r\n", EXPECT_EVENT(&events, WDSOCKET_EVENT_MESSAGE, NULL)->message);
    CHECK_OK(SocketClose("c"));
    forget_events(&events);
    return text;
}

static void it_is_offered_by_default(void)
{
    CHECK_HAS_HEADER(request_of("c"), HEADER ": " USUAL);
    CHECK_HAS_HEADER(request_of_callback_socket(), HEADER ": " USUAL);
    set_option("c", WDSOCKET_OPTION_COMPRESSION, "on");
    CHECK_HAS_HEADER(request_of("c"), HEADER ": " USUAL);
}

static void off_offers_nothing(void)
{
    set_option("c", WDSOCKET_OPTION_COMPRESSION, "off");
    set_option("c", WDSOCKET_OPTION_COMPRESSION_WINDOW_BITS, "10");
    set_option("c", WDSOCKET_OPTION_COMPRESSION_CONTEXT_TAKEOVER, "off");
    CHECK_LACKS_HEADER(request_of("c"), HEADER);
    set_option("c", WDSOCKET_OPTION_COMPRESSION, "off");
    CHECK_LACKS_HEADER(request_of_callback_socket(), HEADER);
}

static void fewer_window_bits_are_offered_for_both_directions(void)
{
    char bits[4];
    char line[320];
    for (int i = 9; i <= 14; i++) {
        snprintf(bits, sizeof bits, "%d", i);
        snprintf(line, sizeof line,
                 HEADER ": permessage-deflate; client_max_window_bits=%d; server_max_window_bits=%d, "
                        "permessage-deflate; client_max_window_bits=%d; server_max_window_bits=%d; "
                        "client_no_context_takeover",
                 i, i, i, i);
        set_option("c", WDSOCKET_OPTION_COMPRESSION_WINDOW_BITS, bits);
        CHECK_HAS_HEADER(request_of("c"), line);
    }
    set_option("c", WDSOCKET_OPTION_COMPRESSION_WINDOW_BITS, "15");
    CHECK_HAS_HEADER(request_of("c"), HEADER ": " USUAL);
}

static void without_context_takeover_both_directions_are_offered_without(void)
{
    set_option("c", WDSOCKET_OPTION_COMPRESSION_CONTEXT_TAKEOVER, "off");
    const char *request = request_of("c");
    CHECK_CONTAINS(request, "permessage-deflate; ");
    CHECK_CONTAINS(request, "; client_no_context_takeover");
    CHECK_CONTAINS(request, "; server_no_context_takeover");
    CHECK_CONTAINS(request, "; client_max_window_bits");
    CHECK_LACKS(request, "server_max_window_bits");
    set_option("c", WDSOCKET_OPTION_COMPRESSION_CONTEXT_TAKEOVER, "on");
    CHECK_HAS_HEADER(request_of("c"), HEADER ": " USUAL);

    set_option("c", WDSOCKET_OPTION_COMPRESSION_CONTEXT_TAKEOVER, "off");
    set_option("c", WDSOCKET_OPTION_COMPRESSION_WINDOW_BITS, "11");
    request = request_of("c");
    CHECK_CONTAINS(request, "; client_no_context_takeover");
    CHECK_CONTAINS(request, "; server_no_context_takeover");
    CHECK_CONTAINS(request, "; client_max_window_bits=11");
    CHECK_CONTAINS(request, "; server_max_window_bits=11");
}

static void a_default_counts_for_all_and_a_name_overrides_it(void)
{
    set_option(NULL, WDSOCKET_OPTION_COMPRESSION, "off");
    set_option("mine", WDSOCKET_OPTION_COMPRESSION, "on");
    CHECK_LACKS_HEADER(request_of("other"), HEADER);
    CHECK_HAS_HEADER(request_of("mine"), HEADER ": " USUAL);
    /* SocketClose has ended the name's. */
    CHECK_LACKS_HEADER(request_of("mine"), HEADER);
    set_option(NULL, WDSOCKET_OPTION_COMPRESSION, NULL);
    CHECK_HAS_HEADER(request_of("mine"), HEADER ": " USUAL);
    set_option(NULL, WDSOCKET_OPTION_COMPRESSION_WINDOW_BITS, "12");
    CHECK_CONTAINS(request_of("other"), "; server_max_window_bits=12");
    set_option(NULL, WDSOCKET_OPTION_COMPRESSION_WINDOW_BITS, NULL);
}

static void bad_values_are_errors_at_once(void)
{
    static const char *const no_switch[] = {"maybe", "2", " on", "compressed"};
    static const char *const no_size[] = {"-1", "2147483648", "1.5", "1k", "on", " 10", "0x10", "99999999999999999999"};
    static const char *const no_bits[] = {"8", "16", "0", "1", "-9", "9.5", "15 bits", "on", "4294967305"};
    for (size_t i = 0; i < sizeof no_switch / sizeof *no_switch; i++) {
        CHECK_FAILS(SocketSetOption("c", WDSOCKET_OPTION_COMPRESSION, no_switch[i]), BAD);
        CHECK_FAILS(SocketSetOption(NULL, WDSOCKET_OPTION_COMPRESSION_CONTEXT_TAKEOVER, no_switch[i]), BAD);
    }
    for (size_t i = 0; i < sizeof no_size / sizeof *no_size; i++)
        CHECK_FAILS(SocketSetOption("c", WDSOCKET_OPTION_COMPRESSION_MIN_BYTES, no_size[i]), BAD);
    for (size_t i = 0; i < sizeof no_bits / sizeof *no_bits; i++)
        CHECK_FAILS(SocketSetOption("c", WDSOCKET_OPTION_COMPRESSION_WINDOW_BITS, no_bits[i]), BAD);
    CHECK_HAS_HEADER(request_of("c"), HEADER ": " USUAL);
}

static void good_values_are_taken(void)
{
    set_option("c", WDSOCKET_OPTION_COMPRESSION_MIN_BYTES, "0");
    set_option("c", WDSOCKET_OPTION_COMPRESSION_MIN_BYTES, "2147483647");
    set_option("c", WDSOCKET_OPTION_COMPRESSION_MIN_BYTES, NULL);
    set_option("c", WDSOCKET_OPTION_COMPRESSION_WINDOW_BITS, "9");
    set_option("c", WDSOCKET_OPTION_COMPRESSION_WINDOW_BITS, NULL);
    set_option("c", WDSOCKET_OPTION_COMPRESSION_CONTEXT_TAKEOVER, NULL);
    set_option("c", WDSOCKET_OPTION_COMPRESSION, NULL);
    CHECK_HAS_HEADER(request_of("c"), HEADER ": " USUAL);
}

static void a_live_connection_keeps_what_was_agreed(void)
{
    static char text[5001];
    fill_text(text, 5000, 1);
    connect_to("c", "/echo?deflate&id=live");
    set_option("c", WDSOCKET_OPTION_COMPRESSION, "off");
    set_option("c", WDSOCKET_OPTION_COMPRESSION_WINDOW_BITS, "9");
    set_option("c", WDSOCKET_OPTION_COMPRESSION_CONTEXT_TAKEOVER, "off");
    CHECK_TEXT(info("c", WDSOCKET_INFO_EXTENSIONS), "permessage-deflate");
    for (int i = 0; i < 3; i++) {
        CHECK_OK(SocketWrite("c", text, 5000));
        EXPECT_TEXT("c", text);
    }
    CHECK_LACKS(diary("live", ""), "protocol");
    /* The name's options end. */
    CHECK_OK(SocketClose("c"));
}

static void hosts_cannot_offer_for_themselves(void)
{
    CHECK_FAILS(SocketSetOption("c", WDSOCKET_OPTION_HEADER, HEADER ": permessage-deflate"), BAD);
    CHECK_HAS_HEADER(request_of("c"), HEADER ": " USUAL);
}

int main(void)
{
    RUN(it_is_offered_by_default);
    RUN(off_offers_nothing);
    RUN(fewer_window_bits_are_offered_for_both_directions);
    RUN(without_context_takeover_both_directions_are_offered_without);
    RUN(a_default_counts_for_all_and_a_name_overrides_it);
    RUN(bad_values_are_errors_at_once);
    RUN(good_values_are_taken);
    RUN(a_live_connection_keeps_what_was_agreed);
    RUN(hosts_cannot_offer_for_themselves);
    return 0;
}
