/* libwebsockets: its own event loop (poll), everything in its one callback; buffers of 256 KiB where it is to be fast. */
#define _GNU_SOURCE
#include "bench.h"

#include <libwebsockets.h>

enum { ROOM = 256 << 10 };

static struct lws_context *context;
static struct lws **wsis; /* of all connections; the first is the one of the other scenarios */
static int count_wanted, opened, closing, rested;
static long *pending; /* messages to write, of each */
static long pending_sum;
static unsigned char *out; /* a message, behind the room that the library wants before it */
static char *in;
static size_t in_size;

static void write_pending(struct lws *wsi, long i) {
  /* It masks in place, so each message is copied there first. */
  while (pending[i] > 0) {
    memcpy(out + LWS_PRE, bench.message, bench.sent);
    if (lws_write(wsi, out + LWS_PRE, bench.sent, bench_is_text() ? LWS_WRITE_TEXT : LWS_WRITE_BINARY) < (int)bench.sent)
      bench_fail("lws_write");
    pending[i]--, pending_sum--;
    if (lws_send_pipe_choked(wsi)) break;
  }
  if (pending[i] > 0) lws_callback_on_writable(wsi);
}

static void receive(struct lws *wsi, const char *bytes, size_t length) {
  int whole = lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0;
  if (whole && in_size == 0) {
    bench_received(bytes, length);
    return;
  }
  if (in_size + length > bench.size) bench_fail("a message that is too long");
  memcpy(in + in_size, bytes, length);
  in_size += length;
  if (whole) bench_received(in, in_size), in_size = 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *bytes, size_t length) {
  long i = (long)(intptr_t)user;
  switch (reason) {
  case LWS_CALLBACK_CLIENT_ESTABLISHED: opened++; break;
  case LWS_CALLBACK_CLIENT_RECEIVE: receive(wsi, bytes, length); break;
  case LWS_CALLBACK_CLIENT_WRITEABLE: write_pending(wsi, i); break;
  case LWS_CALLBACK_CLIENT_CONNECTION_ERROR: bench_fail("connect: %s", bytes ? (char *)bytes : ""); break;
  case LWS_CALLBACK_CLIENT_CLOSED:
    if (!closing) bench_fail("closed");
    break;
  default: break;
  }
  return 0;
}

static void start(int count, size_t room) {
  static struct lws_protocols protocols[2];
  protocols[0] = (struct lws_protocols){.name = "bench", .callback = on_event, .rx_buffer_size = room};
  struct lws_context_creation_info info = {.port = CONTEXT_PORT_NO_LISTEN, .protocols = protocols};
  info.pt_serv_buf_size = (unsigned)room;
  if (bench.tls) {
    info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    info.client_ssl_ca_filepath = bench.ca;
  }
  lws_set_log_level(LLL_ERR, NULL);
  context = lws_create_context(&info);
  if (!context) bench_fail("lws_create_context");
  count_wanted = count, opened = 0, closing = 0, in_size = 0, pending_sum = 0;
  wsis = calloc((size_t)count, sizeof *wsis);
  pending = calloc((size_t)count, sizeof *pending);
  out = malloc(LWS_PRE + bench.size + 1);
  in = malloc(bench.size + 1);
}

static void dial(int i, const char *path) {
  struct lws_client_connect_info info = {.context = context, .port = bench.port, .path = path,
                                         .address = "127.0.0.1", .host = "localhost", .origin = NULL,
                                         .local_protocol_name = "bench", .pwsi = &wsis[i],
                                         .userdata = (void *)(intptr_t)i,
                                         .ssl_connection = bench.tls ? LCCSCF_USE_SSL : 0};
  if (!lws_client_connect_via_info(&info)) bench_fail("connect");
}

static void until_opened(int goal) {
  while (opened < goal) lws_service(context, 0);
}

static void open_one(const char *path) {
  start(1, ROOM);
  dial(0, path);
  until_opened(1);
}

static void give(long count) {
  pending[0] += count, pending_sum += count;
  lws_callback_on_writable(wsis[0]);
  while (pending_sum > 0) lws_service(context, 0);
}

static void take(long count) {
  for (long goal = bench.received + count; bench.received < goal;) lws_service(context, 0);
}

static void close_all(void) {
  closing = 1;
  lws_context_destroy(context);
  free(wsis), free(pending), free(out), free(in);
}

static void open_many(int count) {
  start(count, 0); /* the library's default */
  for (int i = 0; i < count; i++) {
    dial(i, bench_many_path(i));
    until_opened(i + 2 - bench.at_a_time);
  }
  until_opened(count);
}

static void broadcast(void) {
  for (int i = 0; i < count_wanted; i++) pending[i]++, lws_callback_on_writable(wsis[i]);
  pending_sum += count_wanted;
  take(1);
}

static lws_sorted_usec_list_t alarm_clock;

static void on_alarm(lws_sorted_usec_list_t *list) {
  (void)list;
  rested = 1;
  lws_cancel_service(context); /* it would go on to wait for the next event */
}

static void rest(double seconds) {
  rested = 0;
  lws_sul_schedule(context, 0, &alarm_clock, on_alarm, (lws_usec_t)(seconds * 1e6));
  while (!rested) lws_service(context, 0);
}

int main(void) {
  static char version[32];
  snprintf(version, sizeof version, "%.*s", (int)strcspn(LWS_LIBRARY_VERSION, "-"), LWS_LIBRARY_VERSION);
  const BenchPeer peer = {.version = version, .can = "tls loop", .open = open_one, .give = give,
                                 .take = take, .close = close_all, .open_many = open_many, .broadcast = broadcast,
                                 .close_many = close_all, .rest = rest};
  return bench_main(&peer);
}
