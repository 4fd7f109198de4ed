// What the tests share: a check that says what was expected, the server's port, and waiting for events.
#ifndef CHECK_HPP
#define CHECK_HPP

#include "wdsocket.hpp"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

namespace ws = wdsocket;
using namespace std::chrono_literals;

#define CHECK(condition, expected)                                                                                   \
    do {                                                                                                             \
        if (!(condition)) {                                                                                          \
            ws::Error last = ws::last_error();                                                                       \
            std::fprintf(stderr, "%s:%d: expected: %s\n  (%s; last error %d: %s)\n", __FILE__, __LINE__, expected,   \
                         #condition, static_cast<int>(last.code), last.message.c_str());                             \
            std::_Exit(1);                                                                                           \
        }                                                                                                            \
    } while (0)

inline std::int32_t port()
{
    const char *text = std::getenv("WDSOCKET_TEST_PORT");
    CHECK(text, "WDSOCKET_TEST_PORT in the environment: run with wdsocket-test-server --run");
    return std::atoi(text);
}

inline std::string url(const std::string &path) { return "ws://127.0.0.1:" + std::to_string(port()) + path; }

// Dispatches until the condition holds; false after ten seconds.
template <class Condition> bool dispatch_until(const Condition &condition)
{
    auto end = std::chrono::steady_clock::now() + 10s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        ws::SocketDispatch(20ms);
    }
    return true;
}

// The same without dispatching: for what happens on other threads.
template <class Condition> bool wait_until(const Condition &condition)
{
    auto end = std::chrono::steady_clock::now() + 10s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(2ms);
    }
    return true;
}

// Captured by a callback, tells whether the function object still exists.
struct Token {
    std::shared_ptr<int> held = std::make_shared<int>(42);
    std::weak_ptr<int> watch = held;

    std::shared_ptr<int> hand_over() { return std::move(held); }
    bool alive() const { return !watch.expired(); }
};

inline std::size_t functions_kept() { return ws::detail::Handlers::instance().size(); }

#endif
