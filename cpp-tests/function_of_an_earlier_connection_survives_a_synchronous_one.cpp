#include "check.hpp"

int main()
{
    std::string log;
    Token token;
    CHECK(ws::WebSocketClientConnect("client",
        [&, t = token.hand_over()](ws::Event event, auto, auto) { log += std::to_string(static_cast<int>(event)); },
        "127.0.0.1", port(), "/close?code=1000"), "the request accepted");
    CHECK(wait_until([] { return ws::SocketState("client") == ws::State::Closed; }), "ended, nothing dispatched yet");
    CHECK(ws::WebSocketClientConnect("client", "127.0.0.1", port(), "/echo"), "the name connected synchronously");
    CHECK(dispatch_until([&] { return log == "13"; }), "the first connection's events, Opening and Closing");
    CHECK(!token.alive(), "the function freed, although its name is live again");
    CHECK(ws::SocketState("client") == ws::State::Open, "the synchronous socket untouched");
}
