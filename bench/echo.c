/*
 * Echo round trips: the floor, a synchronous socket, a callback socket.
 *
 * All three talk to the same server, which has a blocking thread for each connection. The floor is a client without a
 * library: it sends a frame that was prepared before and reads the answer's bytes, with blocking calls (send and recv,
 * with TLS OpenSSL's SSL_write and SSL_read), and no other work. The three take turns in short rounds, so that they
 * see the same machine: the ratio is the median over the rounds of a round's median to that of the floor in the same
 * round, with the quartiles as its spread.
 *
 * usage: echo [ROUNDS [SIZE [CA-FILE]]]     with TLS if there is a CA-FILE     environment: WDSOCKET_TEST_PORT
 */
#define _GNU_SOURCE
#include "wdsocket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LARGEST = 64 << 20 };

static size_t size;
static int per_round;
static const char *ca_file;
static int port;

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, SocketErrorMessage());
  exit(1);
}

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

/* --- the floor ------------------------------------------------------------------------------- */

static int raw_fd;
static SSL *raw_tls;
static unsigned char *raw_frame, *raw_answer;
static size_t raw_frame_size, raw_answer_size;

static void raw_put(const void *bytes, size_t length) {
  ssize_t n = raw_tls ? SSL_write(raw_tls, bytes, (int)length) : send(raw_fd, bytes, length, MSG_NOSIGNAL);
  if (n != (ssize_t)length) fail("raw send");
}

static size_t raw_get(void *room, size_t length) {
  ssize_t n = raw_tls ? SSL_read(raw_tls, room, (int)length) : recv(raw_fd, room, length, 0);
  if (n <= 0) fail("raw receive");
  return (size_t)n;
}

static void raw_connect(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  raw_fd = socket(AF_INET, SOCK_STREAM, 0);
  int on = 1;
  setsockopt(raw_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(raw_fd, (struct sockaddr *)&address, sizeof address) != 0) fail("raw connect");
  if (ca_file) {
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (SSL_CTX_load_verify_locations(context, ca_file, NULL) != 1) fail(ca_file);
    raw_tls = SSL_new(context);
    SSL_set_fd(raw_tls, raw_fd);
    if (SSL_set1_host(raw_tls, "localhost") != 1 || SSL_connect(raw_tls) != 1) ERR_print_errors_fp(stderr), exit(1);
  }
  static const char request[] = "GET /echo HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  raw_put(request, sizeof request - 1);
  char answer[4096];
  size_t have = 0;
  while (have < 4 || memcmp(answer + have - 4, "\r\n\r\n", 4) != 0) have += raw_get(answer + have, sizeof answer - have);
  size_t extra = size < 126 ? 0 : size < 65536 ? 2 : 8;
  raw_frame_size = 2 + extra + 4 + size;
  raw_answer_size = 2 + extra + size;
  raw_frame = calloc(1, raw_frame_size); /* masked with 0: what the bytes are does not matter here */
  raw_answer = malloc(raw_answer_size);
  raw_frame[0] = 0x82; /* binary, whole */
  raw_frame[1] = (unsigned char)(0x80 | (extra == 0 ? size : extra == 2 ? 126 : 127));
  for (size_t i = 0; i < extra; i++) raw_frame[2 + i] = (unsigned char)(size >> 8 * (extra - 1 - i));
  memset(raw_frame + 6 + extra, 'x', size);
}

static void raw_exchange(void) {
  raw_put(raw_frame, raw_frame_size);
  for (size_t have = 0; have < raw_answer_size;) have += raw_get(raw_answer + have, raw_answer_size - have);
}

/* --- a synchronous socket -------------------------------------------------------------------- */

static char *message, *answer;

static void sync_connect(void) {
  if (!(ca_file ? WebSocketClientConnectSSL("sync", "localhost", port, "/echo", NULL, 0, 0)
                : WebSocketClientConnect("sync", "127.0.0.1", port, "/echo", NULL, 0)))
    fail("connect");
}

static void sync_exchange(void) {
  if (!SocketWriteBinary("sync", message, (intptr_t)size)) fail("write");
  if (SocketRead("sync", 1, 0, answer, size + 1) != (intptr_t)size) fail("read");
}

/* --- a callback socket, its host waiting in SocketDispatch ----------------------------------- */

static int opened, answered;

static void WDSOCKET_CALL on_event(int32_t event, const char *bytes, size_t length, const char *name,
                                   void *user_data) {
  (void)bytes, (void)name, (void)user_data;
  if (event == WDSOCKET_EVENT_OPENING) opened = 1;
  if (event == WDSOCKET_EVENT_MESSAGE && length == size) answered = 1;
  if (event == WDSOCKET_EVENT_ERROR || event == WDSOCKET_EVENT_CLOSING) fail("callback socket");
}

static void callback_connect(void) {
  if (!(ca_file ? WebSocketClientConnectSSLAsync("callback", on_event, "localhost", port, "/echo", NULL, 0, NULL)
                : WebSocketClientConnectAsync("callback", on_event, "127.0.0.1", port, "/echo", NULL, NULL)))
    fail("connect");
  while (!opened) SocketDispatch(1000, 0);
}

static void callback_exchange(void) {
  answered = 0;
  if (!SocketWriteBinary("callback", message, (intptr_t)size)) fail("write");
  while (!answered) SocketDispatch(1000, 0);
}

/* --------------------------------------------------------------------------------------------- */

static struct {
  const char *what;
  void (*connect)(void);
  void (*exchange)(void);
  double *times;
  size_t count;
  double *ratios; /* a round each */
  double cpu;
} contestants[] = {
    {"the floor: blocking calls", raw_connect, raw_exchange, NULL, 0, NULL, 0},
    {"synchronous socket", sync_connect, sync_exchange, NULL, 0, NULL, 0},
    {"callback socket, SocketDispatch", callback_connect, callback_exchange, NULL, 0, NULL, 0},
};
enum { CONTESTANTS = sizeof contestants / sizeof *contestants };

static double cpu_us(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 40;
  const char *text = getenv("WDSOCKET_TEST_PORT");
  port = text ? atoi(text) : 0;
  size = argc > 2 ? (size_t)atol(argv[2]) : 64;
  ca_file = argc > 3 ? argv[3] : NULL;
  if (rounds <= 0 || port <= 0 || size == 0 || size > LARGEST)
    return fprintf(stderr, "usage: WDSOCKET_TEST_PORT=N echo [ROUNDS [SIZE [CA-FILE]]]\n"), 2;
  if (ca_file && !SocketSetOption(NULL, WDSOCKET_OPTION_CA_FILE, ca_file)) fail("CA file");
  SocketSetOption(NULL, WDSOCKET_OPTION_COMPRESSION, "off");
  signal(SIGPIPE, SIG_IGN); /* OpenSSL writes with write(2) */
  message = malloc(size);
  answer = malloc(size + 1);
  memset(message, 'x', size);
  per_round = size <= 1024 ? 500 : size <= 65536 ? 100 : 10;

  for (int i = 0; i < CONTESTANTS; i++) {
    contestants[i].times = malloc((size_t)rounds * (size_t)per_round * sizeof(double));
    contestants[i].ratios = malloc((size_t)rounds * sizeof(double));
    contestants[i].connect();
    for (int n = 0; n < per_round; n++) contestants[i].exchange();
  }
  for (int round = 0; round < rounds; round++) {
    double floor = 0;
    for (int i = 0; i < CONTESTANTS; i++) {
      double cpu = cpu_us();
      for (int n = 0; n < per_round; n++) {
        double begin = now_us();
        contestants[i].exchange();
        contestants[i].times[contestants[i].count++] = now_us() - begin;
      }
      contestants[i].cpu += cpu_us() - cpu;
      double *times = contestants[i].times + contestants[i].count - per_round;
      qsort(times, per_round, sizeof *times, by_size);
      if (i == 0) floor = times[per_round / 2];
      contestants[i].ratios[round] = times[per_round / 2] / floor;
    }
  }

  if (ca_file) {
    char tls[128];
    if (SocketInfo("sync", WDSOCKET_INFO_TLS, tls, sizeof tls) < 0) fail("TLS");
    printf("%s %s without a library; %s with it\n\n", SSL_get_version(raw_tls), SSL_get_cipher(raw_tls), tls);
  }
  printf("| echo of %zu bytes%s | p50 µs | p99 µs | CPU µs | ratio to the floor | quartiles |\n|---|---|---|---|---|---|\n",
         size, ca_file ? ", TLS" : "");
  for (int i = 0; i < CONTESTANTS; i++) {
    size_t count = contestants[i].count;
    double *times = contestants[i].times;
    qsort(times, count, sizeof *times, by_size);
    double *ratios = contestants[i].ratios;
    qsort(ratios, (size_t)rounds, sizeof *ratios, by_size);
    printf("| %s | %.1f | %.1f | %.1f | %.2f | %.2f to %.2f |\n", contestants[i].what, times[count / 2],
           times[count * 99 / 100], contestants[i].cpu / (double)count, ratios[rounds / 2], ratios[rounds / 4],
           ratios[rounds * 3 / 4]);
  }
  SocketShutdown(2000);
  return 0;
}
