/* The subprotocols that the host asks for, and what the server makes of them. */
#include "testing.h"

static intptr_t try_protocols(const char *path, const char *protocols)
{
    return WebSocketClientConnect("c", "127.0.0.1", test_port(), path, protocols, PATIENCE_MS);
}

static void the_server_is_offered_them_in_order(void)
{
    CHECK_OK(try_protocols("/subprotocol?choose=soap", "mqtt,soap"));
    CHECK_TEXT(info("c", WDSOCKET_INFO_PROTOCOL), "soap");
    CHECK_OK(SocketClose("c"));
    CHECK_OK(try_protocols("/subprotocol?choose=first", "mqtt,soap"));
    CHECK_TEXT(info("c", WDSOCKET_INFO_PROTOCOL), "mqtt");
}

static void choosing_none_fails(void)
{
    CHECK_FAILS(try_protocols("/subprotocol?choose=none", "mqtt,soap"), WDSOCKET_E_SUBPROTOCOL);
    CHECK_CONTAINS(SocketErrorMessage(), "c");
    CHECK_FAILS(SocketExists("c"), WDSOCKET_E_UNKNOWN_NAME);
}

static void choosing_one_that_was_not_offered_fails(void)
{
    CHECK_FAILS(try_protocols("/subprotocol?choose=stomp", "mqtt,soap"), WDSOCKET_E_SUBPROTOCOL);
    CHECK_CONTAINS(SocketErrorMessage(), "stomp");
    CHECK_FAILS(try_protocols("/subprotocol?choose=stomp", NULL), WDSOCKET_E_SUBPROTOCOL);
}

static void without_any_none_is_chosen_and_the_info_is_empty(void)
{
    CHECK_OK(try_protocols("/echo", NULL));
    CHECK_TEXT(info("c", WDSOCKET_INFO_PROTOCOL), "");
    CHECK_OK(SocketClose("c"));
    CHECK_OK(try_protocols("/echo", ""));
}

static void the_option_lets_none_pass(void)
{
    set_option("c", WDSOCKET_OPTION_SUBPROTOCOL_REQUIRED, "off");
    CHECK_OK(try_protocols("/subprotocol?choose=none", "mqtt"));
    CHECK_TEXT(info("c", WDSOCKET_INFO_PROTOCOL), "");
    CHECK_OK(SocketClose("c"));
}

static void but_not_one_that_was_not_offered(void)
{
    set_option("c", WDSOCKET_OPTION_SUBPROTOCOL_REQUIRED, "off");
    CHECK_FAILS(try_protocols("/subprotocol?choose=stomp", "mqtt"), WDSOCKET_E_SUBPROTOCOL);
}

static void names_that_are_no_tokens_are_refused(void)
{
    CHECK_FAILS(try_protocols("/echo", "mqtt\r\nX-Injected: 1"), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_FAILS(try_protocols("/echo", "two words"), WDSOCKET_E_INVALID_ARGUMENT);
    CHECK_FAILS(try_protocols("/echo", "\xff\xfe"), WDSOCKET_E_ENCODING);
}

static void the_asynchronous_form_says_it_in_an_event(void)
{
    Recorder events = {0};
    CHECK_OK(WebSocketClientConnectAsync("c", record, "127.0.0.1", test_port(), "/subprotocol?choose=none", "mqtt", &events));
    CHECK_INT(EXPECT_EVENT(&events, WDSOCKET_EVENT_ERROR, "")->error, WDSOCKET_E_SUBPROTOCOL);
    EXPECT_EVENT(&events, WDSOCKET_EVENT_CLOSING, "1006");
    CHECK_OK(SocketClose("c"));
    CHECK_OK(SocketConnect("c", test_url("/subprotocol?choose=soap"), record, "mqtt,soap", &events));
    EXPECT_EVENT(&events, WDSOCKET_EVENT_OPENING, "");
    CHECK_TEXT(info("c", WDSOCKET_INFO_PROTOCOL), "soap");
    forget_events(&events);
}

int main(void)
{
    RUN(the_server_is_offered_them_in_order);
    RUN(choosing_none_fails);
    RUN(choosing_one_that_was_not_offered_fails);
    RUN(without_any_none_is_chosen_and_the_info_is_empty);
    RUN(the_option_lets_none_pass);
    set_option("c", WDSOCKET_OPTION_SUBPROTOCOL_REQUIRED, NULL);
    RUN(but_not_one_that_was_not_offered);
    set_option("c", WDSOCKET_OPTION_SUBPROTOCOL_REQUIRED, NULL);
    RUN(names_that_are_no_tokens_are_refused);
    RUN(the_asynchronous_form_says_it_in_an_event);
    return 0;
}
