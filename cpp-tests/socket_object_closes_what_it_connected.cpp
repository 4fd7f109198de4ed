#include "check.hpp"

int main()
{
    {
        ws::Socket socket("client");
        CHECK(socket.set(ws::Option::CloseTimeout, 1s), "an option before connecting");
        CHECK(socket.connect("127.0.0.1", port(), "/echo"), "a connection");
        CHECK(socket.write("hello") && socket.read(5s) == "hello", "an echo");
        {
            ws::Socket other("client");
            CHECK(!other.connect("127.0.0.1", port(), "/echo"), "refused: the name is in use");
        }
        CHECK(socket.state() == ws::State::Open, "the other object closed nothing");

        ws::Socket moved(std::move(socket));
        CHECK(moved.state() == ws::State::Open && moved.name() == "client", "the connection moved along");
        CHECK(moved.write("again") && moved.read() == "again", "an echo");
    }
    CHECK(!ws::SocketExists("client"), "closed by the destructor");

    bool opened = false;
    Token token;
    {
        ws::Socket socket("client");
        CHECK(socket.connect([&, t = token.hand_over()](ws::Event event, auto, auto) {
            opened = opened || event == ws::Event::Opening;
        }, "127.0.0.1", port(), "/echo"), "the request accepted");
        CHECK(dispatch_until([&] { return opened; }), "Opening");
    }
    CHECK(!ws::SocketExists("client") && !token.alive(), "closed by the destructor, function freed");
}
