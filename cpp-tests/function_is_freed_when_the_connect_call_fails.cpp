#include "check.hpp"

int main()
{
    {
        Token token;
        CHECK(!ws::WebSocketClientConnect("client", [t = token.hand_over()](auto, auto, auto) {}, "", port()),
              "refused: no address");
        CHECK(!token.alive(), "the function freed when the call returns");
    }
    CHECK(ws::WebSocketClientConnect("client", "127.0.0.1", port(), "/echo"), "a connection");
    {
        Token token;
        CHECK(!ws::SocketConnect("client", url("/echo"), [t = token.hand_over()](auto, auto, auto) {}),
              "refused: the name is in use");
        CHECK(ws::last_error().code == WDSOCKET_E_NAME_IN_USE, "NAME_IN_USE");
        CHECK(!token.alive(), "the function freed when the call returns");
    }
    CHECK(functions_kept() == 0, "no function kept");
}
