/*
 * Echo round trips of 64 bytes: raw blocking TCP, a synchronous socket, a callback socket.
 *
 * All three talk to the same server, which has a blocking thread for each connection. The raw client
 * is the floor: it sends a frame that was prepared before and reads the answer's bytes, with one
 * system call each and no other work. The three take turns in short rounds, so that they see the same
 * machine: the ratio is the median over the rounds of a round's median to that of the raw client in
 * the same round, with the quartiles as its spread.
 *
 * usage: echo [ROUNDS]     environment: WDSOCKET_TEST_PORT
 */
#define _GNU_SOURCE
#include "wdsocket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 64, PER_ROUND = 500, WARM_UP = 200 };

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
static unsigned char raw_frame[2 + 4 + SIZE];

static void raw_connect(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  raw_fd = socket(AF_INET, SOCK_STREAM, 0);
  int on = 1;
  setsockopt(raw_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(raw_fd, (struct sockaddr *)&address, sizeof address) != 0) fail("raw connect");
  static const char request[] = "GET /echo HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  if (send(raw_fd, request, sizeof request - 1, 0) < 0) fail("raw send");
  char answer[4096];
  size_t have = 0;
  while (have < 4 || memcmp(answer + have - 4, "\r\n\r\n", 4) != 0) {
    ssize_t n = recv(raw_fd, answer + have, sizeof answer - have, 0);
    if (n <= 0) fail("raw upgrade");
    have += (size_t)n;
  }
  raw_frame[0] = 0x82; /* binary, whole */
  raw_frame[1] = 0x80 | SIZE;
  memcpy(raw_frame + 2, "\x12\x34\x56\x78", 4);
  memset(raw_frame + 6, 'x', SIZE);
}

static void raw_exchange(void) {
  unsigned char answer[2 + SIZE];
  if (send(raw_fd, raw_frame, sizeof raw_frame, MSG_NOSIGNAL) != (ssize_t)sizeof raw_frame) fail("raw send");
  for (size_t have = 0; have < sizeof answer;) {
    ssize_t n = recv(raw_fd, answer + have, sizeof answer - have, 0);
    if (n <= 0) fail("raw receive");
    have += (size_t)n;
  }
}

/* --- a synchronous socket -------------------------------------------------------------------- */

static char message[SIZE];

static void sync_connect(void) {
  if (!WebSocketClientConnect("sync", "127.0.0.1", port, "/echo", NULL, 0)) fail("connect");
}

static void sync_exchange(void) {
  char answer[SIZE + 1];
  if (!SocketWriteBinary("sync", message, SIZE)) fail("write");
  if (SocketRead("sync", 1, 0, answer, sizeof answer) != SIZE) fail("read");
}

/* --- a callback socket, its host waiting in SocketDispatch ----------------------------------- */

static int opened, answered;

static void WDSOCKET_CALL on_event(int32_t event, const char *bytes, size_t length, const char *name,
                                   void *user_data) {
  (void)bytes, (void)name, (void)user_data;
  if (event == WDSOCKET_EVENT_OPENING) opened = 1;
  if (event == WDSOCKET_EVENT_MESSAGE && length == SIZE) answered = 1;
  if (event == WDSOCKET_EVENT_ERROR || event == WDSOCKET_EVENT_CLOSING) fail("callback socket");
}

static void callback_connect(void) {
  if (!WebSocketClientConnectAsync("callback", on_event, "127.0.0.1", port, "/echo", NULL, NULL)) fail("connect");
  while (!opened) SocketDispatch(1000, 0);
}

static void callback_exchange(void) {
  answered = 0;
  if (!SocketWriteBinary("callback", message, SIZE)) fail("write");
  while (!answered) SocketDispatch(1000, 0);
}

/* --------------------------------------------------------------------------------------------- */

static struct {
  const char *name, *what;
  void (*connect)(void);
  void (*exchange)(void);
  double *times;
  size_t count;
  double *ratios; /* a round each */
  double cpu;
} contestants[] = {
    {"raw", "raw blocking TCP (the floor)", raw_connect, raw_exchange, NULL, 0, NULL, 0},
    {"sync", "synchronous socket", sync_connect, sync_exchange, NULL, 0, NULL, 0},
    {"callback", "callback socket, SocketDispatch", callback_connect, callback_exchange, NULL, 0, NULL, 0},
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
  if (rounds <= 0 || port <= 0) return fprintf(stderr, "usage: WDSOCKET_TEST_PORT=N echo [ROUNDS]\n"), 2;
  memset(message, 'x', sizeof message);

  for (int i = 0; i < CONTESTANTS; i++) {
    contestants[i].times = malloc((size_t)rounds * PER_ROUND * sizeof(double));
    contestants[i].ratios = malloc((size_t)rounds * sizeof(double));
    contestants[i].connect();
    for (int n = 0; n < WARM_UP; n++) contestants[i].exchange();
  }
  for (int round = 0; round < rounds; round++) {
    double floor = 0;
    for (int i = 0; i < CONTESTANTS; i++) {
      double cpu = cpu_us();
      for (int n = 0; n < PER_ROUND; n++) {
        double begin = now_us();
        contestants[i].exchange();
        contestants[i].times[contestants[i].count++] = now_us() - begin;
      }
      contestants[i].cpu += cpu_us() - cpu;
      double *times = contestants[i].times + contestants[i].count - PER_ROUND;
      qsort(times, PER_ROUND, sizeof *times, by_size);
      if (i == 0) floor = times[PER_ROUND / 2];
      contestants[i].ratios[round] = times[PER_ROUND / 2] / floor;
    }
  }

  printf("| echo of %d bytes | p50 µs | p99 µs | CPU µs | ratio to the floor | quartiles |\n|---|---|---|---|---|---|\n",
         SIZE);
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
