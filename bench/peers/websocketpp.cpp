/* WebSocket++ over Boost.Asio, its loop run by the thread that waits. Reads of up to 256 KiB. */
#include "bench.h"

#include <memory>
#include <vector>
#include <websocketpp/client.hpp>
#include <websocketpp/config/asio_no_tls_client.hpp>

struct Config : websocketpp::config::asio_client {
  typedef Config type;
  static const size_t connection_read_buffer_size = 256 << 10;
  static const size_t max_message_size = 64 << 20;
};
using Client = websocketpp::client<Config>;
using Connection = Client::connection_ptr;

enum { QUEUE = 1 << 20 };

static std::unique_ptr<Client> client;
static std::vector<Connection> connections; /* the first is the one of the other scenarios */
static int opened;
static bool closing;

static websocketpp::frame::opcode::value opcode() {
  return bench_is_text() ? websocketpp::frame::opcode::text : websocketpp::frame::opcode::binary;
}

static void start() {
  client = std::make_unique<Client>();
  client->clear_access_channels(websocketpp::log::alevel::all);
  client->clear_error_channels(websocketpp::log::elevel::all);
  client->init_asio();
  client->set_tcp_post_init_handler([](websocketpp::connection_hdl handle) {
    client->get_con_from_hdl(handle)->get_raw_socket().set_option(boost::asio::ip::tcp::no_delay(true));
  });
  client->set_open_handler([](websocketpp::connection_hdl) { opened++; });
  client->set_fail_handler([](websocketpp::connection_hdl handle) {
    bench_fail("connect: %s", client->get_con_from_hdl(handle)->get_ec().message().c_str());
  });
  client->set_close_handler([](websocketpp::connection_hdl handle) {
    if (!closing) bench_fail("closed: %s", client->get_con_from_hdl(handle)->get_ec().message().c_str());
  });
  client->set_message_handler([](websocketpp::connection_hdl, Client::message_ptr message) {
    bench_received(message->get_payload().data(), message->get_payload().size());
  });
  opened = 0, closing = false;
}

static void dial(const char *path) {
  websocketpp::lib::error_code error;
  auto connection = client->get_connection("ws://127.0.0.1:" + std::to_string(bench.port) + path, error);
  if (error) bench_fail("connect: %s", error.message().c_str());
  client->connect(connection);
  connections.push_back(connection);
}

static void until_opened(int goal) {
  while (opened < goal) client->run_one();
}

static void open_one(const char *path) {
  start();
  dial(path);
  until_opened(1);
}

static void write_to(const Connection &connection) {
  auto error = connection->send(bench.message, bench.sent, opcode());
  if (error) bench_fail("send: %s", error.message().c_str());
}

static void give(long count) {
  while (count-- > 0) {
    write_to(connections[0]);
    while (connections[0]->get_buffered_amount() > QUEUE) client->run_one();
  }
}

static void take(long count) {
  for (long goal = bench.received + count; bench.received < goal;) client->run_one();
}

static void close_all() {
  closing = true;
  websocketpp::lib::error_code error;
  for (auto &connection : connections) connection->close(websocketpp::close::status::normal, "", error);
  connections.clear();
  client->run(); /* returns when all are closed */
  client.reset();
}

static void open_many(int count) {
  start();
  for (int i = 0; i < count; i++) {
    dial(bench_many_path(i));
    until_opened(i + 2 - bench.at_a_time);
  }
  until_opened(count);
}

static void broadcast() {
  for (auto &connection : connections) write_to(connection);
  take(1);
}

static void rest(double seconds) {
  auto timer = client->set_timer(static_cast<long>(seconds * 1e3), [](websocketpp::lib::error_code) { client->stop(); });
  client->run();
  client->reset();
}

int main() {
  static const std::string version = std::to_string(websocketpp::major_version) + "." +
                                     std::to_string(websocketpp::minor_version) + "." +
                                     std::to_string(websocketpp::patch_version);
  BenchPeer peer = {};
  peer.version = version.c_str();
  peer.can = "loop";
  peer.open = open_one, peer.give = give, peer.take = take, peer.close = close_all;
  peer.open_many = open_many, peer.broadcast = broadcast, peer.close_many = close_all, peer.rest = rest;
  try {
    return bench_main(&peer);
  } catch (const std::exception &error) {
    bench_fail("%s", error.what());
  }
}
