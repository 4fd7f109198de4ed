#include "check.hpp"

int main()
{
    Token token;
    int events = 0;
    CHECK(ws::WebSocketClientConnect("client", [&, t = token.hand_over()](auto, auto, auto) { ++events; },
                                     "127.0.0.1", port(), "/flood?count=100&size=10"), "the request accepted");
    CHECK(dispatch_until([&] { return events > 1; }), "some events");
    CHECK(ws::SocketClose("client"), "closed");
    CHECK(!token.alive(), "the function freed when SocketClose returns");
    int before = events;
    ws::SocketDispatch(100ms);
    CHECK(events == before, "no event after SocketClose");

    Token attempt;
    CHECK(ws::WebSocketClientConnect("client", [t = attempt.hand_over()](auto, auto, auto) {}, "127.0.0.1", port(),
                                     "/silent"), "the request accepted");
    CHECK(ws::SocketClose("client") && !attempt.alive(), "a cancelled attempt's function freed too");
}
