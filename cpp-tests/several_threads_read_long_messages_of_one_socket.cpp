// Between asking for a length and reading, another reader may take the message: SocketRead begins again.
#include "check.hpp"

int main()
{
    const int count = 300;
    CHECK(ws::WebSocketClientConnect("client", "127.0.0.1", port(),
                                     "/flood?count=" + std::to_string(count) + "&size=6000&close=1000"),
          "a connection");
    std::atomic<int> read{0}, wrong{0};
    std::thread readers[3];
    for (std::thread &reader : readers)
        reader = std::thread([&] {
            while (auto message = ws::SocketRead("client")) {
                ++read;
                if (message->size() != 6000) ++wrong;
            }
            if (ws::last_error().code != WDSOCKET_E_CLOSED) ++wrong;
        });
    for (std::thread &reader : readers) reader.join();
    CHECK(read == count, "each message read by exactly one thread");
    CHECK(wrong == 0, "only whole messages, and CLOSED at the end");
}
