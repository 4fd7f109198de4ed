#include "check.hpp"

int main()
{
    std::string log;
    CHECK(ws::WebSocketClientConnect("client",
        [&](ws::Event event, std::string_view message, std::string_view) {
            log += std::to_string(static_cast<int>(event)) + ":" + std::string(message) + " ";
            if (event == ws::Event::Error) {
                ws::Error error = ws::last_error();
                CHECK(error.code == WDSOCKET_E_HANDSHAKE, "the cause, readable inside the callback");
                CHECK(error.message.find("503") != error.message.npos, "the status in the message");
            }
        },
        "127.0.0.1", port(), "/http?status=503"), "the request accepted");
    CHECK(dispatch_until([&] { return log.find("3:") != log.npos; }), "Closing");
    CHECK(log == "4: 3:1006 ", "Error (empty), Closing with 1006");
}
