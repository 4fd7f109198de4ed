#include "check.hpp"

int main()
{
    Token token;
    bool ran = false;
    CHECK(ws::WebSocketClientConnect("client",
        [&, t = token.hand_over()](ws::Event event, std::string_view, std::string_view name) {
            CHECK(event == ws::Event::Opening, "no event after SocketClose");
            CHECK(ws::SocketClose(name), "closed from inside");
            CHECK(*t == 42 && name == "client", "captures and name valid until the function returns");
            ran = true;
        },
        "127.0.0.1", port(), "/flood?count=10&size=10"), "the request accepted");
    CHECK(dispatch_until([&] { return ran; }), "Opening");
    CHECK(!token.alive(), "the function freed when it has returned");
    ws::SocketDispatch(100ms);
}
