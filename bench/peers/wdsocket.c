/*
 * wdsocket through its C interface: a synchronous socket, or a callback socket whose host waits in SocketDispatch.
 *
 * usage: wdsocket sync|callback [OPTION=VALUE]...     OPTION: the number of a WDSOCKET_OPTION_...
 */
#define _GNU_SOURCE
#include "bench.h"
#include "wdsocket.h"

#include <dlfcn.h>
#include <pthread.h>

enum { THREADS = 4, BURST = 100 };

static int callback; /* which of the two */
static int opened, many_count;
static char *answer;
static size_t capacity;

static void fail(const char *what) { bench_fail("%s: %s", what, SocketErrorMessage()); }

static int write_one(const char *name) {
  return bench_is_text() ? SocketWrite(name, bench.message, (intptr_t)bench.sent) == 1
                         : SocketWriteBinary(name, bench.message, (intptr_t)bench.sent) == 1;
}

static long to_write; /* inside a callback */

static void write_inside(void) {
  while (to_write > 0 && write_one("one")) to_write--;
  if (to_write > 0 && SocketErrorCode() != WDSOCKET_E_SEND_QUEUE_FULL) fail("write");
}

static void WDSOCKET_CALL on_event(int32_t event, const char *bytes, size_t length, const char *name, void *user_data) {
  (void)user_data;
  if (event == WDSOCKET_EVENT_MESSAGE) bench_received(bytes, length);
  else if (event == WDSOCKET_EVENT_OPENING) opened++;
  else if (event == WDSOCKET_EVENT_WRITABLE) write_inside();
  else bench_fail("%s: event %d %s", name, event, SocketErrorMessage());
}

static void dial(const char *name, const char *path, WdSocketCallback to) {
  const char *address = bench.tls ? "localhost" : "127.0.0.1";
  if (bench.tls && !SocketSetOption(NULL, WDSOCKET_OPTION_CA_FILE, bench.ca)) fail("CA file");
  SocketSetOption(NULL, WDSOCKET_OPTION_COMPRESSION, bench.deflate ? "on" : "off");
  SocketSetOption(NULL, WDSOCKET_OPTION_PING_INTERVAL_MS, bench_text("ping", "0"));
  intptr_t ok;
  if (callback)
    ok = bench.tls ? WebSocketClientConnectSSLAsync(name, to, address, bench.port, path, NULL, 0, NULL)
                   : WebSocketClientConnectAsync(name, to, address, bench.port, path, NULL, NULL);
  else
    ok = bench.tls ? WebSocketClientConnectSSL(name, address, bench.port, path, NULL, 0, 0)
                   : WebSocketClientConnect(name, address, bench.port, path, NULL, 0);
  if (!ok) fail("connect");
}

static void wd_open(const char *path) {
  opened = 0;
  free(answer);
  capacity = bench.size + 1;
  answer = malloc(capacity);
  dial("one", path, on_event);
  while (callback && !opened) SocketDispatch(1000, 0);
  char extensions[128] = "";
  if (bench.deflate && (SocketInfo("one", WDSOCKET_INFO_EXTENSIONS, extensions, sizeof extensions) <= 0 || !extensions[0]))
    bench_fail("the server did not agree on compression");
}

static void give(long count) {
  while (count-- > 0)
    if (!write_one("one")) fail("write");
}

static void take(long count) {
  if (callback) {
    for (long goal = bench.received + count; bench.received < goal;) SocketDispatch(1000, 0);
    return;
  }
  while (count-- > 0) {
    intptr_t length = SocketRead("one", 1, 0, answer, capacity);
    if (length < 0) fail("read");
    bench_received(answer, (size_t)length);
  }
}

static void wd_close(void) {
  if (!SocketClose("one")) fail("close");
}

/* --- ways of writing many small messages ----------------------------------------------------- */

static void *write_share(void *count) {
  give((long)(intptr_t)count);
  return NULL;
}

static void from_threads(long count) {
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++)
    pthread_create(&threads[i], NULL, write_share, (void *)(intptr_t)(count / THREADS + (i < count % THREADS)));
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

/* Another socket's message makes its callback write; where the queue was full, room in it makes the first one's. */
static void WDSOCKET_CALL on_trigger(int32_t event, const char *bytes, size_t length, const char *name, void *user_data) {
  (void)bytes, (void)length, (void)name, (void)user_data;
  if (event == WDSOCKET_EVENT_OPENING) opened++;
  if (event != WDSOCKET_EVENT_MESSAGE) return;
  bench.begin = bench_now(); /* the way of the trigger is not measured */
  write_inside();
}

static void from_callback(long count) {
  static int connected;
  if (!connected) {
    opened = 0, connected = 1;
    dial("trigger", "/echo", on_trigger);
    while (!opened) SocketDispatch(1000, 0);
  }
  to_write = count;
  if (!SocketWriteBinary("trigger", "", 0)) fail("trigger");
  while (to_write > 0) SocketDispatch(1000, 0);
}

typedef intptr_t (*Cork)(const char *, int32_t);

static Cork cork(void) {
  union { void *address; Cork function; } found = {dlsym(RTLD_DEFAULT, "SocketCork")};
  return found.function;
}

static void corked(long count) {
  Cork hold = cork();
  while (count > 0) {
    long now = count < BURST ? count : BURST;
    if (!hold("one", 1)) fail("cork");
    give(now);
    if (!hold("one", 0)) fail("uncork");
    count -= now;
  }
}

static void give_by(const char *way, long count) {
  if (strcmp(way, "threads") == 0) from_threads(count);
  else if (strcmp(way, "callback") == 0 && callback) from_callback(count);
  else if (strcmp(way, "cork") == 0 && cork()) corked(count);
  else bench_fail("no way '%s'", way);
}

/* --- many connections ------------------------------------------------------------------------ */

static char (*names)[16];

static void open_many(int count) {
  opened = 0, many_count = count;
  free(answer);
  capacity = bench.size + 1;
  answer = malloc(capacity);
  free(names);
  names = malloc((size_t)count * sizeof *names);
  for (int i = 0; i < count; i++) {
    snprintf(names[i], sizeof *names, "many%d", i);
    dial(names[i], bench_many_path(i), on_event);
    while (callback && i + 1 - opened >= bench.at_a_time) SocketDispatch(1000, 0);
  }
  while (callback && opened < count) SocketDispatch(1000, 0);
}

static void broadcast(void) {
  for (int i = 0; i < many_count; i++)
    if (!write_one(names[i])) fail("write");
  if (callback) take(1);
  else if (SocketRead(names[0], 1, 0, answer, capacity) != 0) fail("read");
}

static void close_many(void) {
  for (int i = 0; i < many_count; i++) SocketClose(names[i]);
  SocketShutdown(10000);
}

static void rest(double seconds) {
  if (callback) {
    for (double end = bench_now() + seconds * 1e6, left; (left = end - bench_now()) > 0;)
      SocketDispatch((int32_t)(left / 1e3) + 1, 0);
    return;
  }
  struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
  nanosleep(&time, NULL);
}

int main(int argc, char **argv) {
  static char can[64];
  if (argc < 2) return fprintf(stderr, "usage: wdsocket sync|callback [OPTION=VALUE]...\n"), 2;
  callback = strcmp(argv[1], "callback") == 0;
  for (int i = 2; i < argc; i++) {
    const char *value = strchr(argv[i], '=');
    if (!value || !SocketSetOption(NULL, atoi(argv[i]), value + 1)) fail(argv[i]);
  }
  snprintf(can, sizeof can, "tls deflate threads%s%s", callback ? " callback loop" : " one-by-one", cork() ? " cork" : "");
  BenchPeer peer = {.version = SocketVersion(), .can = can, .open = wd_open, .give = give, .take = take,
                    .close = wd_close, .give_by = give_by, .open_many = open_many, .broadcast = broadcast,
                    .close_many = close_many, .rest = rest};
  return bench_main(&peer);
}
