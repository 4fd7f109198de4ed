/*
 * Boost.Beast, synchronous. `tuned`: one frame for each message, a write buffer of 128 KiB; its defaults cut messages
 * into frames of 4 KiB and send each by itself.
 *
 * usage: beast default|tuned
 */
#include "bench.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/version.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <memory>
#include <vector>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using tcp = asio::ip::tcp;

static bool tuned;
static asio::io_context io{1};
static asio::ssl::context tls{asio::ssl::context::tls_client};

static tcp::endpoint server() { return {asio::ip::address_v4::loopback(), static_cast<unsigned short>(bench.port)}; }

template <class Stream> static void set(Stream &stream) {
  websocket::permessage_deflate deflate;
  deflate.client_enable = bench.deflate != 0;
  deflate.compLevel = bench.deflate, deflate.memLevel = 8; /* as zlib's own default */
  stream.set_option(deflate);
  if (tuned) {
    stream.auto_fragment(false);
    stream.write_buffer_bytes(128 << 10);
  }
  stream.read_message_max(64 << 20);
  stream.binary(!bench_is_text());
}

using Plain = websocket::stream<tcp::socket>;
using Secure = websocket::stream<beast::ssl_stream<tcp::socket>>;

static std::unique_ptr<Plain> dial_plain(const char *path) {
  auto stream = std::make_unique<Plain>(io);
  stream->next_layer().connect(server());
  stream->next_layer().set_option(tcp::no_delay(true));
  set(*stream);
  stream->handshake("127.0.0.1", path);
  return stream;
}

static std::unique_ptr<Secure> dial_secure(const char *path) {
  auto stream = std::make_unique<Secure>(io, tls);
  auto &secure = stream->next_layer();
  secure.next_layer().connect(server());
  secure.next_layer().set_option(tcp::no_delay(true));
  if (!SSL_set_tlsext_host_name(secure.native_handle(), "localhost")) bench_fail("SNI");
  secure.set_verify_callback(asio::ssl::host_name_verification("localhost"));
  secure.handshake(asio::ssl::stream_base::client);
  set(*stream);
  stream->handshake("localhost", path);
  return stream;
}

static std::unique_ptr<Plain> plain;
static std::unique_ptr<Secure> secure;
static std::vector<std::unique_ptr<Plain>> many;
static std::vector<std::unique_ptr<Secure>> many_secure;
static beast::flat_buffer buffer;

/* Errors are exceptions, which end the process with what they say. */
template <class Stream> static void give_to(Stream &stream, long count) {
  while (count-- > 0) stream.write(asio::buffer(bench.message, bench.sent));
}

template <class Stream> static void take_from(Stream &stream, long count) {
  while (count-- > 0) {
    stream.read(buffer);
    bench_received(buffer.data().data(), buffer.size());
    buffer.consume(buffer.size());
  }
}

template <class Stream> static void leave(Stream &stream) {
  beast::error_code error; /* a server that closes TCP at once is no failure here */
  stream.close(websocket::close_code::normal, error);
}

static void trust() {
  if (!bench.tls) return;
  tls.set_verify_mode(asio::ssl::verify_peer);
  tls.load_verify_file(bench.ca);
}

static void open_one(const char *path) {
  trust();
  if (bench.tls) secure = dial_secure(path);
  else plain = dial_plain(path);
}
static void give(long count) { secure ? give_to(*secure, count) : give_to(*plain, count); }
static void take(long count) { secure ? take_from(*secure, count) : take_from(*plain, count); }
static void close_one() {
  if (secure) leave(*secure), secure.reset();
  else leave(*plain), plain.reset();
}

static void open_many(int count) {
  trust();
  for (int i = 0; i < count; i++)
    if (bench.tls) many_secure.push_back(dial_secure(bench_many_path(i)));
    else many.push_back(dial_plain(bench_many_path(i)));
}
static void broadcast() {
  for (auto &stream : many) give_to(*stream, 1);
  take_from(*many[0], 1);
}
static void close_many() {
  many.clear();
  many_secure.clear();
}

int main(int argc, char **argv) {
  tuned = argc > 1 && strcmp(argv[1], "tuned") == 0;
  BenchPeer peer = {};
  peer.version = "Boost " BOOST_LIB_VERSION ", Beast " BOOST_BEAST_VERSION_STRING;
  peer.can = "tls deflate one-by-one";
  peer.open = open_one, peer.give = give, peer.take = take, peer.close = close_one;
  peer.open_many = open_many, peer.broadcast = broadcast, peer.close_many = close_many;
  try {
    return bench_main(&peer);
  } catch (const std::exception &error) {
    bench_fail("%s", error.what());
  }
}
