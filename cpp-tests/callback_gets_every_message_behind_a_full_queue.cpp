// What the queue has no room for waits inside the library, and the descriptor says nothing about it. Several sockets,
// since it matters how the bytes fall into segments.
#include "check.hpp"

int main()
{
    const int sockets = 10, count = 300;
    int messages = 0;
    CHECK(ws::SocketSetOption(ws::Option::ReceiveQueueBytes, 2000), "a small receive queue");
    for (int i = 0; i < sockets; ++i)
        CHECK(ws::SocketConnect("client" + std::to_string(i), url("/flood?size=10&count=" + std::to_string(count)),
                                [&](ws::Event event, auto, auto) { messages += event == ws::Event::Message; }),
              "the request accepted");
    std::this_thread::sleep_for(200ms); // the servers have sent what fits before the first message is delivered
    dispatch_until([&] { return messages == sockets * count; });
    if (messages != sockets * count) std::fprintf(stderr, "%d of %d messages\n", messages, sockets * count);
    CHECK(messages == sockets * count, "all messages of all sockets");
}
