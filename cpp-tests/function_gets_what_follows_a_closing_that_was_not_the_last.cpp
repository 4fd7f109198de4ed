// With reconnecting: while the function is busy with the first Closing, the connection comes back and ends for good.
#include "check.hpp"

#include <vector>

static std::vector<std::string> seen;

static ws::State state_elsewhere()
{
    ws::State state{};
    std::thread([&] { state = ws::SocketState("client"); }).join();
    return state;
}

int main()
{
    Token token;
    CHECK(ws::SocketSetOption("client", ws::Option::ReconnectMin, 1ms), "the option taken");
    CHECK(ws::SocketSetOption("client", ws::Option::ReconnectMax, 1ms), "the option taken");
    CHECK(ws::SocketConnect("client", url("/close?code=1012&after=1"),
        [held = token.hand_over()](ws::Event event, std::string_view message, std::string_view name) {
            seen.push_back(std::to_string(static_cast<int>(event)) + " " + std::string(message));
            if (event == ws::Event::Opening && seen.size() == 1) CHECK(ws::SocketWrite(name, "close"), "written");
            if (event != ws::Event::Closing || seen.size() > 2) return;
            CHECK(ws::SocketState(name) == ws::State::Connecting, "inside Closing: not the last one");
            CHECK(wait_until([] { return state_elsewhere() == ws::State::Open; }), "it is back");
            CHECK(ws::SocketCloseWith(name), "closing started");
            CHECK(wait_until([] { return state_elsewhere() == ws::State::Closed; }), "it has ended");
        }), "the request accepted");
    CHECK(dispatch_until([&] { return !token.alive(); }), "the function freed after the last Closing");
    CHECK((seen == std::vector<std::string>{"1 ", "3 1012", "1 ", "3 1000"}), "every event of both connections");
    CHECK(functions_kept() == 0, "none left");
}
