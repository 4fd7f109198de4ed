#include "check.hpp"

int main()
{
    Token token;
    std::atomic<bool> inside{false}, closed{false}, returned{false}, stop{false};
    std::thread dispatcher([&] {
        while (!stop) ws::SocketDispatch(20ms);
    });
    CHECK(ws::WebSocketClientConnect("client",
        [&, t = token.hand_over()](auto, auto, std::string_view name) {
            inside = true;
            CHECK(wait_until([&] { return closed.load(); }), "SocketClose on the other thread returned meanwhile");
            CHECK(*t == 42 && name == "client", "captures and name valid until the function returns");
            returned = true;
        },
        "127.0.0.1", port(), "/echo"), "the request accepted");
    CHECK(wait_until([&] { return inside.load(); }), "the function running");
    CHECK(ws::SocketClose("client"), "closed while it runs");
    CHECK(token.alive(), "the function kept while it runs");
    CHECK(!ws::SocketSync(50ms) && ws::last_error().code == WDSOCKET_E_TIMEOUT, "SocketSync: it still runs");
    closed = true;
    CHECK(ws::SocketSync() && returned, "SocketSync: it has returned");
    CHECK(wait_until([&] { return !token.alive(); }), "the function freed");
    stop = true;
    dispatcher.join();
}
