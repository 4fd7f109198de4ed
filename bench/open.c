/*
 * What opening connections takes beside raw TCP connections with one HTTP request and answer each: rounds of both in
 * turns, each with up to 64 attempts under way at a time, against the same server.
 *
 * usage: open [COUNT [ROUNDS]]     environment: WDSOCKET_TEST_PORT
 */
#define _GNU_SOURCE
#include "wdsocket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { AT_ONCE = 64, MOST_ROUNDS = 100 };

static int opened, ended, failed;

static void WDSOCKET_CALL on_event(int32_t event, const char *message, size_t length, const char *name,
                                   void *user_data) {
  (void)length, (void)name, (void)user_data;
  if (event == WDSOCKET_EVENT_OPENING) opened++;
  if (event == WDSOCKET_EVENT_CLOSING) ended++;
  if (event == WDSOCKET_EVENT_ERROR) failed++, fprintf(stderr, "%s %s\n", message, SocketErrorMessage());
}

static double seconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void open_library(const char *port, int count) {
  char url[64], name[32];
  snprintf(url, sizeof url, "ws://127.0.0.1:%s/echo", port);
  opened = failed = 0;
  for (int i = 0; i < count; i++) {
    snprintf(name, sizeof name, "open%d", i);
    if (!SocketConnect(name, url, on_event, NULL, NULL)) fprintf(stderr, "%s\n", SocketErrorMessage()), exit(1);
    while (i + 1 - opened - failed >= AT_ONCE) SocketDispatch(5000, 0);
  }
  while (opened + failed < count) SocketDispatch(5000, 0);
  if (failed) exit(1);
}

static void close_library(int count) {
  char name[32];
  for (int i = 0; i < count; i++) {
    snprintf(name, sizeof name, "open%d", i);
    SocketClose(name);
  }
  SocketShutdown(-1);
}

static const char request[] =
    "GET /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nUser-Agent: raw\r\n\r\n";

static void open_raw(const char *port, int count, int *files) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int poll = epoll_create1(EPOLL_CLOEXEC), begun = 0, done = 0;
  if (poll < 0) fail("epoll");
  while (done < count) {
    for (; begun < count && begun - done < AT_ONCE; begun++) {
      int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      struct epoll_event wanted = {.events = EPOLLOUT, .data.fd = fd};
      if (fd < 0) fail("socket");
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS) fail("connect");
      if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &wanted) != 0) fail("epoll");
      files[begun] = fd;
    }
    struct epoll_event ready[AT_ONCE];
    int found = epoll_wait(poll, ready, AT_ONCE, 5000);
    if (found <= 0) fail("no answer");
    for (int i = 0; i < found; i++) {
      char answer[4096];
      int fd = ready[i].data.fd;
      struct epoll_event wanted = {.events = EPOLLIN, .data.fd = fd};
      if (ready[i].events & EPOLLOUT) {
        if (send(fd, request, sizeof request - 1, MSG_NOSIGNAL) != sizeof request - 1) fail("send");
        if (epoll_ctl(poll, EPOLL_CTL_MOD, fd, &wanted) != 0) fail("epoll");
      } else {
        if (recv(fd, answer, sizeof answer, 0) <= 0) fail("recv");
        if (epoll_ctl(poll, EPOLL_CTL_DEL, fd, NULL) != 0) fail("epoll");
        done++;
      }
    }
  }
  close(poll);
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  int count = argc > 1 ? atoi(argv[1]) : 1000, rounds = argc > 2 ? atoi(argv[2]) : 9;
  const char *port = getenv("WDSOCKET_TEST_PORT");
  if (count <= 0 || rounds <= 0 || rounds > MOST_ROUNDS || !port)
    return fprintf(stderr, "usage: WDSOCKET_TEST_PORT=N open [COUNT [ROUNDS]]\n"), 2;
  double raw[MOST_ROUNDS], ours[MOST_ROUNDS], ratio[MOST_ROUNDS], cpu[2][MOST_ROUNDS];
  int *files = malloc(sizeof *files * (size_t)count);
  SocketSetOption(NULL, WDSOCKET_OPTION_COMPRESSION, "off");
  for (int i = -1; i < rounds; i++) { /* the first is not counted */
    int at = i < 0 ? 0 : i;
    double begin = seconds(CLOCK_MONOTONIC), used = seconds(CLOCK_PROCESS_CPUTIME_ID);
    open_raw(port, count, files);
    raw[at] = seconds(CLOCK_MONOTONIC) - begin;
    cpu[0][at] = seconds(CLOCK_PROCESS_CPUTIME_ID) - used;
    for (int n = 0; n < count; n++) close(files[n]);
    begin = seconds(CLOCK_MONOTONIC), used = seconds(CLOCK_PROCESS_CPUTIME_ID);
    open_library(port, count);
    ours[at] = seconds(CLOCK_MONOTONIC) - begin;
    cpu[1][at] = seconds(CLOCK_PROCESS_CPUTIME_ID) - used;
    ratio[at] = ours[at] / raw[at];
    close_library(count);
  }
  qsort(raw, (size_t)rounds, sizeof *raw, ascending);
  qsort(ours, (size_t)rounds, sizeof *ours, ascending);
  qsort(ratio, (size_t)rounds, sizeof *ratio, ascending);
  for (int i = 0; i < 2; i++) qsort(cpu[i], (size_t)rounds, sizeof *cpu[i], ascending);
  int half = rounds / 2;
  printf("| opening %d connections, each | \u00b5s | CPU \u00b5s | ratio |\n|---|---|---|---|\n", count);
  printf("| TCP, a request and an answer | %.1f | %.1f | 1 |\n", raw[half] / count * 1e6, cpu[0][half] / count * 1e6);
  printf("| wdsocket | %.1f | %.1f | %.2f (%.2f to %.2f) |\n", ours[half] / count * 1e6, cpu[1][half] / count * 1e6,
         ratio[half], ratio[rounds / 4], ratio[rounds * 3 / 4]);
  return 0;
}
