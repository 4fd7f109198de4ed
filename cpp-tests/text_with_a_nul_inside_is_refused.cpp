// C would read "client\0x" as "client" and act on the wrong socket.
#include "check.hpp"

#define REFUSED(call)                                                                                                \
    CHECK(!(call) && ws::last_error().code == WDSOCKET_E_INVALID_ARGUMENT, "refused with INVALID_ARGUMENT")

int main()
{
    CHECK(ws::WebSocketClientConnect("client", "127.0.0.1", port(), "/echo"), "a connection");
    const std::string nul("client\0x", 8);
    REFUSED(ws::WebSocketClientConnect(nul, "127.0.0.1", port(), "/echo"));
    REFUSED(ws::WebSocketClientConnect("other", nul, port(), "/echo"));
    REFUSED(ws::WebSocketClientConnect("other", "127.0.0.1", port(), std::string("/echo\0x", 7)));
    REFUSED(ws::WebSocketClientConnect("other", "127.0.0.1", port(), "/echo", nul));
    REFUSED(ws::WebSocketClientConnect(nul, [](auto, auto, auto) {}, "127.0.0.1", port(), "/echo"));
    REFUSED(ws::SocketConnect("other", url("/echo") + nul, [](auto, auto, auto) {}));
    REFUSED(ws::SocketWrite(nul, "message"));
    REFUSED(ws::SocketRead(nul));
    REFUSED(ws::SocketAvailable(nul));
    REFUSED(ws::SocketSetOption(nul, ws::Option::Origin, "http://a"));
    REFUSED(ws::SocketSetOption(nul, ws::Option::Origin, nullptr));
    REFUSED(ws::SocketSetOption("client", ws::Option::Origin, nul));
    REFUSED(ws::SocketSetOption(ws::Option::Origin, nul));
    REFUSED(ws::SocketCloseWith("client", 1000, nul));
    CHECK(ws::SocketInfo(nul, ws::Info::Url).empty() && ws::last_error(), "no item, and an error");
    REFUSED(ws::SocketClose(nul));
    CHECK(ws::SocketState("client") == ws::State::Open, "the socket named \"client\" as it was");
    CHECK(functions_kept() == 0, "no function kept of a refused call");
}
