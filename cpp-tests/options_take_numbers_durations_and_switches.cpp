#include "check.hpp"

#include <cctype>

using ws::Option;

// The request as the server saw it, in lower case: header names have no case.
static std::string request()
{
    std::string text = ws::SocketRead("client").value_or("nothing came");
    for (char &c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

static bool has(const std::string &text, const char *part) { return text.find(part) != text.npos; }

int main()
{
    CHECK(ws::SocketSetOption("client", Option::ConnectTimeout, 3s), "seconds");
    CHECK(ws::SocketSetOption("client", Option::PingInterval, 15'000), "an int");
    CHECK(ws::SocketSetOption("client", Option::MaxMessageBytes, std::size_t(100'000)), "a size_t");
    CHECK(ws::SocketSetOption("client", Option::SubprotocolRequired, false), "a bool");
    CHECK(ws::SocketSetOption("client", Option::Header, "X-First: 1"), "a literal");
    CHECK(ws::SocketSetOption("client", Option::Header, std::string("X-Second: 2")), "a string");
    CHECK(ws::SocketSetOption(Option::UserAgent, std::string_view("the tests")), "a default, from a view");
    CHECK(!ws::SocketSetOption("client", Option::ConnectTimeout, "soon"), "a bad value refused");
    CHECK(ws::last_error().code == WDSOCKET_E_INVALID_ARGUMENT, "INVALID_ARGUMENT");

    CHECK(ws::WebSocketClientConnect("client", "127.0.0.1", port(), "/headers", "chat"),
          "a connection although the server chose no subprotocol");
    std::string sent = request();
    CHECK(has(sent, "x-first: 1"), "the first header sent");
    CHECK(has(sent, "x-second: 2"), "the second header sent");
    CHECK(has(sent, "user-agent: the tests"), "the user agent sent");
    CHECK(ws::SocketClose("client"), "closed, and its options forgotten");

    CHECK(ws::SocketSetOption(Option::UserAgent, nullptr), "the default back");
    CHECK(ws::WebSocketClientConnect("client", "127.0.0.1", port(), "/headers"), "a connection");
    sent = request();
    CHECK(!has(sent, "x-first"), "no header any more");
    CHECK(!has(sent, "the tests"), "the library's own user agent");
}
