// Once after SocketClose in the middle of a connection, once from inside Closing without it.
#include "check.hpp"

static int connections = 0, freed = 0;

struct Counted {
    Counted() { ++connections; }
    ~Counted() { ++freed; }
};

static void connect()
{
    auto counted = std::make_shared<Counted>();
    int number = connections;
    CHECK(ws::WebSocketClientConnect("client",
        [counted, number](ws::Event event, std::string_view, std::string_view name) {
            CHECK(number == connections, "events of the newest connection only");
            if (event == ws::Event::Opening && number % 2) {
                CHECK(ws::SocketClose(name), "closed from inside");
                connect();
            } else if (event == ws::Event::Opening) {
                CHECK(ws::SocketCloseWith(name), "closing started");
            } else if (event == ws::Event::Closing && number < 10) {
                connect();
            }
            CHECK(counted.use_count() == 1, "the function and its captures still there");
        },
        "127.0.0.1", port(), "/echo"), "the request accepted");
}

int main()
{
    connect();
    CHECK(dispatch_until([] { return freed == 10; }), "ten connections, each function freed");
    CHECK(connections == 10 && functions_kept() == 0, "none left");
}
