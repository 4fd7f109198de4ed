#include "check.hpp"

int main()
{
    CHECK(ws::WebSocketClientConnect("client", "127.0.0.1", port(), "echo"), "a connection");
    CHECK(ws::SocketExists("client"), "the name exists");
    CHECK(ws::SocketState("client") == ws::State::Open, "state Open");
    CHECK(ws::SocketWrite("client", "Bonjour le monde !"), "the message written");
    auto answer = ws::SocketRead("client");
    CHECK(answer && *answer == "Bonjour le monde !", "the same message back");
    CHECK(ws::SocketMessageType("client") == ws::MessageType::Text, "a text message");
    CHECK(!ws::last_error(), "no error after a success");

    CHECK(ws::SocketWriteBinary("client", std::string_view("\0\1\2", 3)), "three bytes written");
    answer = ws::SocketRead("client");
    CHECK(answer && *answer == std::string("\0\1\2", 3), "the same three bytes back");
    CHECK(ws::SocketMessageType("client") == ws::MessageType::Binary, "a binary message");

    CHECK(ws::SocketChangeTransmissionMode("client"), "true for a name that exists");
    CHECK(ws::SocketClose("client"), "the name closed");
    CHECK(!ws::SocketExists("client"), "the name is free");
    CHECK(ws::last_error().code == WDSOCKET_E_UNKNOWN_NAME, "UNKNOWN_NAME");
    CHECK(!ws::SocketClose("client"), "nothing to close any more");
    CHECK(!ws::SocketVersion().empty(), "a version");
}
