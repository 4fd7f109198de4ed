// Destroying a function may close sockets, and so destroy further functions: no lock is held meanwhile.
#include "check.hpp"

int main()
{
    int events = 0;
    auto inner = std::make_shared<ws::Socket>("inner");
    CHECK(inner->connect([&](auto, auto, auto) { ++events; }, "127.0.0.1", port(), "/echo"), "the request accepted");
    CHECK(ws::WebSocketClientConnect("outer", [&, owned = std::move(inner)](auto, auto, auto) { ++events; },
                                     "127.0.0.1", port(), "/echo"), "the request accepted");
    CHECK(dispatch_until([&] { return events == 2; }), "both open");
    CHECK(ws::SocketClose("outer"), "the outer socket closed, without a deadlock");
    CHECK(!ws::SocketExists("inner"), "the inner one closed by the function's end");
    CHECK(functions_kept() == 0, "no function kept");

    // The same where the connect call fails, and at Closing.
    auto failing = std::make_shared<ws::Socket>("inner");
    CHECK(failing->connect("127.0.0.1", port(), "/echo"), "a connection");
    CHECK(!ws::WebSocketClientConnect("outer", [owned = std::move(failing)](auto, auto, auto) {}, "", port()), "refused");
    CHECK(!ws::SocketExists("inner"), "the inner one closed");

    auto ending = std::make_shared<ws::Socket>("inner");
    CHECK(ending->connect("127.0.0.1", port(), "/echo"), "a connection");
    CHECK(ws::WebSocketClientConnect("outer", [owned = std::move(ending)](auto, auto, auto) {}, "127.0.0.1", port(),
                                     "/close?code=1000"), "the request accepted");
    CHECK(dispatch_until([] { return !ws::SocketExists("inner"); }), "the inner one closed after Closing");
}
