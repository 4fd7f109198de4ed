#include "check.hpp"

int main()
{
    std::string log;
    const std::thread::id here = std::this_thread::get_id();
    bool accepted = ws::WebSocketClientConnect("client",
        [&](ws::Event event, std::string_view message, std::string_view name) {
            CHECK(std::this_thread::get_id() == here, "called on the thread that dispatches");
            CHECK(name == "client", "the connection's name");
            switch (event) {
            case ws::Event::Opening:
                log += "opening ";
                CHECK(ws::SocketWrite(name, std::string_view("a\0b", 3)), "written inside the callback");
                break;
            case ws::Event::Message:
                log += "message:" + std::to_string(message.size()) + " ";
                CHECK(ws::SocketMessageType(name) == ws::MessageType::Text, "a text message");
                CHECK(ws::SocketCloseWith(name, 3001, "bye"), "closing started inside the callback");
                break;
            case ws::Event::Closing: log += "closing:" + std::string(message); break;
            default: log += "unexpected "; break;
            }
        },
        "127.0.0.1", port(), "/echo");
    CHECK(accepted, "the request accepted");
    CHECK(dispatch_until([&] { return ws::SocketState("client") == ws::State::Closed && functions_kept() == 0; }),
          "the connection ended");
    CHECK(log == "opening message:3 closing:3001", "Opening, Message, Closing");
}
