#include "check.hpp"

int main()
{
    Token token;
    std::atomic<int> lines{0};
    CHECK(ws::SocketSetLog([&, t = token.hand_over()](ws::LogLevel level, std::string_view line) {
        CHECK(level >= ws::LogLevel::Error && level <= ws::LogLevel::Trace && !line.empty(), "a level and a line");
        ++lines;
    }, ws::LogLevel::Trace), "the log function set");
    CHECK(ws::WebSocketClientConnect("client", "127.0.0.1", port(), "/echo"), "a connection");
    CHECK(ws::SocketClose("client"), "closed");
    CHECK(lines > 0, "log lines at level Trace");
    CHECK(ws::SocketSetLog(nullptr) && !token.alive(), "the function removed and freed");
    CHECK(ws::WebSocketClientConnect("client", "127.0.0.1", port(), "/echo"), "a connection without log");
}
