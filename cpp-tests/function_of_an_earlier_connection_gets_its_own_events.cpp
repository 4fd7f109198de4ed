// A name in state CLOSED may be connected again while its events still wait: they go to their own function.
#include "check.hpp"

int main()
{
    std::string log;
    Token first;
    CHECK(ws::WebSocketClientConnect("client",
        [&, t = first.hand_over()](ws::Event event, auto, auto) { log += "a" + std::to_string(static_cast<int>(event)); },
        "127.0.0.1", port(), "/flood?count=2&size=10&close=1000"), "the request accepted");
    CHECK(wait_until([] { return ws::SocketState("client") == ws::State::Closed; }), "ended, nothing dispatched yet");

    Token second;
    CHECK(ws::WebSocketClientConnect("client",
        [&, t = second.hand_over()](ws::Event event, auto, auto) { log += "b" + std::to_string(static_cast<int>(event)); },
        "127.0.0.1", port(), "/echo"), "connected again");
    CHECK(first.alive(), "the first function kept: its events wait");
    CHECK(dispatch_until([&] { return log.find("b1") != log.npos; }), "the second connection's Opening");
    CHECK(log == "a1a2a2a3b1", "the first connection's events first, each to its own function");
    CHECK(!first.alive() && second.alive(), "only the second function kept");
    CHECK(ws::SocketClose("client") && !second.alive(), "and that one until SocketClose");
}
