#include "check.hpp"

int main()
{
    CHECK(!ws::WebSocketClientConnect("client", "127.0.0.1", port(), "/http?status=403&reason=Forbidden&body=no"),
          "no connection");
    ws::Error error = ws::last_error();
    CHECK(error && error.code == WDSOCKET_E_HANDSHAKE, "HANDSHAKE");
    CHECK(error.message.find("403") != error.message.npos, "the status in the message");
    CHECK(ws::SocketInfo(ws::Info::HttpStatus) == "403", "the status as an item, without a name");
    CHECK(!ws::SocketExists("client"), "no name left behind");
    CHECK(ws::SocketInfo("client", ws::Info::Url).empty() && ws::last_error().code == WDSOCKET_E_UNKNOWN_NAME,
          "UNKNOWN_NAME");
}
