#include "check.hpp"

int main()
{
    Token first, second;
    int opened = 0;
    bool asked = false;
    CHECK(ws::SocketConnect("first", url("/echo"), [&, t = first.hand_over()](auto, auto, auto) {
        CHECK(!ws::SocketShutdown() && ws::last_error().code == WDSOCKET_E_BUSY, "BUSY inside a callback");
        CHECK(functions_kept() == 2, "and nothing freed by it");
        asked = true;
        ++opened;
    }), "the request accepted");
    CHECK(ws::SocketConnect("second", url("/echo"), [&, t = second.hand_over()](auto, auto, auto) { ++opened; }),
          "the request accepted");
    CHECK(dispatch_until([&] { return opened == 2 && asked; }), "both open");
    CHECK(ws::SocketShutdown(5s), "all closing handshakes finished");
    CHECK(!first.alive() && !second.alive(), "both functions freed");
    CHECK(!ws::SocketExists("first") && !ws::SocketExists("second"), "both names free");

    Token again;
    CHECK(ws::SocketConnect("first", url("/echo"), [&, t = again.hand_over()](auto, auto, auto) { ++opened; }),
          "the library used again");
    CHECK(dispatch_until([&] { return opened == 3; }), "open again");
    CHECK(ws::SocketClose("first") && !again.alive(), "closed");
}
