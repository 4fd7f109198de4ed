#include "check.hpp"

int main()
{
    const char *none = nullptr;
    CHECK(!ws::WebSocketClientConnect(none, "127.0.0.1", port()), "no connection without a name");
    CHECK(ws::last_error().code == WDSOCKET_E_INVALID_ARGUMENT, "INVALID_ARGUMENT");
    CHECK(!ws::WebSocketClientConnect("client", ws::Callback(), "127.0.0.1", port()), "none without a function");
    CHECK(ws::last_error().code == WDSOCKET_E_INVALID_ARGUMENT, "INVALID_ARGUMENT");
    CHECK(!ws::SocketSetOption(none, ws::Option::Origin, "http://a"), "a missing name is not \"all connections\"");
    CHECK(!ws::SocketSetOption(none, ws::Option::Origin, nullptr), "a missing name is not \"all connections\"");
    CHECK(!ws::SocketExists("client"), "no name left behind");
}
