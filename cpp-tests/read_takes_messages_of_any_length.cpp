#include "check.hpp"

int main()
{
    CHECK(ws::WebSocketClientConnect("client", "127.0.0.1", port(), "/echo"), "a connection");
    for (std::size_t length : {0, 1, 4095, 4096, 4097, 100'000, 3'000'000}) {
        std::string message(length, 'x');
        if (length) message.back() = '\0';
        CHECK(ws::SocketWrite("client", message), "the message written");
        auto answer = length % 2 ? ws::SocketRead("client") : ws::SocketRead("client", 10s);
        CHECK(answer && *answer == message, "the whole message back, whatever its length");
    }
}
