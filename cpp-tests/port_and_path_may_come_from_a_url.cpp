// The default port must not contradict a URL's own.
#include "check.hpp"

int main()
{
    CHECK(ws::WebSocketClientConnect("client", url("/echo")), "a connection to the URL's port");
    CHECK(ws::SocketInfo("client", ws::Info::Url) == url("/echo"), "the URL as given");
    CHECK(ws::SocketClose("client"), "closed");

    std::string events;
    CHECK(ws::SocketConnect("client", url("/echo"), [&](ws::Event event, auto, auto) {
        events += std::to_string(static_cast<int>(event));
        if (event == ws::Event::Opening) ws::SocketCloseWith("client");
    }), "the request accepted");
    CHECK(dispatch_until([&] { return events.size() >= 2; }), "two events");
    CHECK(events == "13", "Opening, Closing");
}
