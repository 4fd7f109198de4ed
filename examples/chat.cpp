// A chat line in C++: what you type is sent, what arrives is printed. One thread reads the keyboard, one dispatches.
//
//     chat ws://host:port/path
//
// Against an echo server you talk to yourself. End with Ctrl+D.
#include "wdsocket.hpp"
#include "server.h"

#include <atomic>
#include <future>
#include <iostream>
#include <thread>

namespace ws = wdsocket;
using namespace std::chrono_literals;

int main(int argc, char **argv)
{
    server server = server_from(argc, argv);
    std::promise<bool> opened; // fulfilled once: connected or not
    std::promise<void> ended;
    bool answered = false;

    ws::SocketSetOption("chat", ws::Option::PingInterval, 10s); // before connecting, for this name only

    // The lambda lives until its last event has been delivered; what it refers to must live as long.
    bool accepted = ws::WebSocketClientConnect("chat",
        [&](ws::Event event, std::string_view message, std::string_view name) {
            switch (event) {
            case ws::Event::Opening:
                std::cout << "* connected to " << ws::SocketInfo(name, ws::Info::RemoteAddress) << std::endl;
                answered = true;
                opened.set_value(true);
                break;
            case ws::Event::Message:
                if (ws::SocketMessageType(name) == ws::MessageType::Binary)
                    std::cout << "* " << message.size() << " bytes" << std::endl;
                else
                    std::cout << "< " << message << std::endl;
                break;
            case ws::Event::Error: std::cout << "* " << ws::last_error().message << std::endl; break;
            case ws::Event::Closing:
                std::cout << "* closed, code " << message << std::endl;
                if (!answered) opened.set_value(false);
                ended.set_value();
                break;
            default: break;
            }
        },
        server.address, server.port, server.path);
    if (!accepted) {
        std::cerr << ws::last_error().message << std::endl;
        return 1;
    }

    // Callbacks run on the thread that dispatches and nowhere else: this one.
    std::atomic<bool> running{true};
    std::thread dispatcher([&] {
        while (running) ws::SocketDispatch(ws::forever);
    });

    bool connected = opened.get_future().get();
    for (std::string line; connected && std::getline(std::cin, line);)
        if (!ws::SocketWrite("chat", line)) { // any thread may write
            std::cout << "* not sent: " << ws::last_error().message << std::endl;
            break;
        }

    // Close in order: what was written goes out, what is still under way arrives, then comes Closing.
    if (connected) ws::SocketCloseWith("chat", 1000, "bye");
    ended.get_future().wait();

    running = false;
    ws::SocketWake(); // ends the wait of the dispatching thread
    dispatcher.join();
    ws::SocketClose("chat");
    return connected ? 0 : 1;
}
