#include "check.hpp"

int main()
{
    CHECK(ws::WebSocketClientConnect("client", "127.0.0.1", port(), "/echo"), "a connection");

    auto start = std::chrono::steady_clock::now();
    CHECK(!ws::SocketRead("client", 200ms) && ws::last_error().code == WDSOCKET_E_TIMEOUT, "TIMEOUT");
    CHECK(std::chrono::steady_clock::now() - start >= 190ms, "the whole time waited");
    CHECK(!ws::SocketRead("client", 0ms) && ws::last_error().code == WDSOCKET_E_TIMEOUT, "TIMEOUT without waiting");
    CHECK(!ws::SocketAvailable("client") && ws::last_error().code == WDSOCKET_E_NO_MESSAGE, "NO_MESSAGE");

    CHECK(ws::SocketWrite("client", std::string(10'000, 'x')), "the message written");
    for (std::size_t most : {10u, 4096u, 9'999u}) {
        CHECK(!ws::SocketRead("client", true, 0ms, most), "a message longer than max_bytes is not returned");
        CHECK(ws::last_error().code == WDSOCKET_E_BUFFER_TOO_SMALL, "BUFFER_TOO_SMALL");
    }
    auto available = ws::SocketAvailable("client");
    CHECK(available && *available == 10'000, "the message kept");
    auto message = ws::SocketRead("client", true, 0ms, 10'000);
    CHECK(message && message->size() == 10'000, "the whole message at exactly max_bytes");

    CHECK(ws::SocketCloseWith("client", 1000, "done"), "the closing handshake started");
    CHECK(!ws::SocketRead("client") && ws::last_error().code == WDSOCKET_E_CLOSED, "CLOSED");
    CHECK(ws::SocketInfo("client", ws::Info::CloseCode) == "1000", "the peer's close code");
    CHECK(!ws::SocketRead("nobody") && ws::last_error().code == WDSOCKET_E_UNKNOWN_NAME, "UNKNOWN_NAME");
}
