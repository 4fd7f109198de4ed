// Four threads connect and close three names as they like, through both layers, while a fifth dispatches.
#include "check.hpp"

int main()
{
    std::atomic<bool> stop{false};
    std::atomic<int> alive{0}, events{0};
    struct Counted {
        std::atomic<int> &count;
        int value = 42;
        explicit Counted(std::atomic<int> &c) : count(c) { ++count; }
        Counted(const Counted &) = delete;
        Counted &operator=(const Counted &) = delete;
        ~Counted() { value = 0; --count; }
    };
    std::thread dispatcher([&] {
        while (!stop) ws::SocketDispatch(5ms);
    });
    std::thread threads[4];
    for (unsigned number = 0; number < 4; ++number)
        threads[number] = std::thread([&, number] {
            unsigned random = number + 1;
            auto end = std::chrono::steady_clock::now() + 2s;
            while (std::chrono::steady_clock::now() < end) {
                random = random * 1664525u + 1013904223u;
                std::string name = "client" + std::to_string((random >> 8) % 3);
                switch ((random >> 16) % 6) {
                case 0: ws::SocketClose(name); break;
                case 1: ::SocketClose(name.c_str()); break;
                case 2: ws::SocketCloseWith(name); break;
                default: {
                    auto counted = std::make_shared<Counted>(alive);
                    ws::WebSocketClientConnect(name, [counted, &events](auto, auto, std::string_view n) {
                        ++events;
                        if (events % 5 == 0) ws::SocketClose(n);
                        CHECK(counted->value == 42, "the captures there while the function runs");
                    }, "127.0.0.1", port(), "/flood?count=3&size=10");
                }
                }
                if (random % 7 == 0) std::this_thread::sleep_for(1ms);
            }
        });
    for (std::thread &thread : threads) thread.join();
    CHECK(ws::SocketShutdown(10s) || ws::last_error().code == WDSOCKET_E_TIMEOUT, "shut down");
    CHECK(ws::SocketSync(), "no callback running");
    CHECK(wait_until([&] { return functions_kept() == 0 && alive == 0; }), "every function freed");
    CHECK(events > 0, "some events delivered");
    stop = true;
    dispatcher.join();
}
