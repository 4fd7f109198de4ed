#include "check.hpp"

#include <exception>
#include <stdexcept>

int main()
{
    std::set_terminate([] { std::_Exit(0); }); // what the test expects
    CHECK(ws::SocketConnect("client", url("/echo"), [](auto, auto, auto) { throw std::runtime_error("unexpected"); }),
          "the request accepted");
    dispatch_until([] { return false; });
    CHECK(false, "std::terminate when the callback throws");
}
