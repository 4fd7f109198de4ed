#include "check.hpp"

int main()
{
    const std::string name = "client", host = "127.0.0.1";
    const std::string_view path = std::string_view("/echo-and-more").substr(0, 5); // no NUL after it
    CHECK(ws::WebSocketClientConnect(name, host, port(), path, "", 5s), "a connection");
    CHECK(ws::SocketWrite(std::string_view("clientele").substr(0, 6), std::string_view("hello!").substr(0, 5)),
          "the message written");
    auto answer = ws::SocketRead(name, 5s);
    CHECK(answer && *answer == "hello", "the view's five characters and no more");
    CHECK(ws::SocketWrite(name, std::string_view()), "an empty message written, from a view without address");
    answer = ws::SocketRead(name, 5s);
    CHECK(answer && answer->empty(), "an empty message");
    CHECK(ws::SocketWriteBinary(name, nullptr, 0), "an empty binary message written");
    answer = ws::SocketRead(name, 5s);
    CHECK(answer && answer->empty() && ws::SocketMessageType(name) == ws::MessageType::Binary, "empty and binary");
}
