// The peer written with Boost.Beast: /echo only, with the parameters that peer_websockets.py lists. It writes in
// pieces always: Beast starts a new frame whenever its write buffer is full.
//
// Prints "port N", ends when its standard input ends.
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using asio::ip::tcp;

static constexpr std::size_t LARGEST = 1 << 20; // what peers.c sends

static bool has(const std::string &target, const char *name)
{
    return target.find(name) != std::string::npos;
}

static int bits(const std::string &target, const std::string &name)
{
    const auto at = target.find(name + "=");
    return at == std::string::npos ? 15 : std::atoi(target.c_str() + at + name.size() + 1);
}

static void echo(tcp::socket socket)
{
    std::minstd_rand random{std::random_device{}()};
    const auto below = [&](std::size_t limit) { return std::uniform_int_distribution<std::size_t>{0, limit - 1}(random); };

    beast::flat_buffer head;
    http::request<http::empty_body> request;
    http::read(socket, head, request);
    socket.set_option(tcp::no_delay(true));
    const std::string target = request.target().to_string();

    websocket::stream<tcp::socket> peer{std::move(socket)};
    websocket::permessage_deflate deflate;
    deflate.server_enable = true;
    deflate.server_no_context_takeover = has(target, "server_no_context_takeover");
    deflate.client_no_context_takeover = has(target, "client_no_context_takeover");
    deflate.server_max_window_bits = bits(target, "server_max_window_bits");
    deflate.client_max_window_bits = bits(target, "client_max_window_bits");
    deflate.compLevel = 3;
    peer.set_option(deflate);
    peer.read_message_max(LARGEST);
    peer.accept(request);

    // Larger than any message: where one fills the buffer that it is inflated into, Beast may take what it still
    // holds of it for an error (its issue 1630).
    std::vector<char> bytes(2 * LARGEST);
    for (;;) {
        std::size_t size = 0;
        do
            size += peer.read_some(asio::buffer(bytes.data() + size, bytes.size() - size));
        while (!peer.is_message_done());
        asio::const_buffer message{bytes.data(), size};
        peer.text(peer.got_text());
        peer.write_buffer_bytes(std::size_t{512} << below(6));
        const std::size_t longest = 1 + (message.size() >> below(6)); // few pieces or many
        bool last;
        do {
            const std::size_t length = std::min(message.size(), 1 + below(longest));
            last = length == message.size();
            peer.write_some(last, asio::buffer(message, length));
            message += length;
        } while (!last);
    }
}

static void serve(tcp::socket socket)
{
    try {
        echo(std::move(socket));
    } catch (const boost::system::system_error &error) {
        if (error.code() != websocket::error::closed)
            std::cerr << "peer_beast: " << error.what() << std::endl;
    } catch (const std::exception &error) { // options that Beast does not have
        std::cerr << "peer_beast: " << error.what() << std::endl;
    }
}

int main()
{
    asio::io_context context;
    tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), 0}};
    std::cout << "port " << acceptor.local_endpoint().port() << std::endl;
    std::thread{[&] {
        for (;;)
            std::thread{serve, acceptor.accept()}.detach();
    }}.detach();
    while (std::cin.get() != EOF)
        ;
    std::_Exit(0);
}
