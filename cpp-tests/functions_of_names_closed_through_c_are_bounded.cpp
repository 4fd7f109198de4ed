// ::SocketClose knows nothing of the C++ layer: no event reaches a freed function, and few functions wait to be freed.
#include "check.hpp"

static int freed = 0;

struct Counted {
    ~Counted() { ++freed; }
};

int main()
{
    const int count = 200;
    for (int i = 0; i < count; ++i) {
        std::string name = "client" + std::to_string(i % 7);
        auto counted = std::make_shared<Counted>();
        CHECK(ws::WebSocketClientConnect(name,
            [counted](ws::Event event, auto, auto) { CHECK(event != ws::Event::Error, "no error"); },
            "127.0.0.1", port(), "/echo"), "the request accepted");
        counted.reset();
        if (i % 3 == 0) ws::SocketDispatch(5ms);
        CHECK(::SocketClose(name.c_str()) == 1, "closed through C");
        CHECK(functions_kept() <= 16, "at most 16 functions kept");
    }
    // The successor's first event frees those of its name.
    CHECK(ws::SocketConnect("client1", url("/echo"), [](auto, auto, auto) {}), "the request accepted");
    ::SocketShutdown(2000);
    CHECK(ws::SocketShutdown(), "nothing left to close");
    CHECK(functions_kept() == 0 && freed == count, "SocketShutdown of the layer frees the rest");
}
