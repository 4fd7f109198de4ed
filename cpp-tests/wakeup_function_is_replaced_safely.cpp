#include "check.hpp"

int main()
{
    Token first, second;
    std::atomic<int> wakes{0}, others{0};
    CHECK(ws::SocketSetWakeup([&, t = first.hand_over()] {
        CHECK(*t == 42, "the captures there while it runs");
        ++wakes;
    }), "the wake-up set");
    CHECK(ws::SocketConnect("client", url("/echo"), [](auto, auto, auto) {}), "the request accepted");
    CHECK(wait_until([&] { return wakes > 0; }), "a wake-up when events begin to wait");
    CHECK(ws::SocketSetWakeup([&, t = second.hand_over()] { ++others; }), "another one set");
    CHECK(!first.alive(), "the former one freed when the call returns");
    CHECK(wait_until([&] { return others > 0; }), "the new one called at once: events already wait");
    CHECK(ws::SocketSetWakeup(nullptr) && !second.alive(), "the last one removed and freed");
    CHECK(ws::SocketDispatch(1s) > 0, "the events delivered");
}
