#include "check.hpp"

int main()
{
    Token token;
    bool closing = false;
    CHECK(ws::WebSocketClientConnect("client",
        [&, t = token.hand_over()](ws::Event event, auto, auto) {
            if (event == ws::Event::Closing) closing = true;
            CHECK(*t == 42, "what was captured, at every event");
        },
        "127.0.0.1", port(), "/close?code=1000"), "the request accepted");
    CHECK(dispatch_until([&] { return closing; }), "Closing");
    CHECK(!token.alive(), "the function freed once Closing was delivered");
    CHECK(ws::SocketExists("client"), "the name kept until SocketClose");
}
