/*
 * One thread that waits in epoll for all connections without TLS: it reads their requests, hands over those for which
 * a thread of their own is the fastest, and keeps the rest, of which there are thousands.
 */
#define _GNU_SOURCE
#include "server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { AT_A_TIME = 256, GROUPS = 64 };

static struct {
  long count, seen;
  int teller;
} groups[GROUPS];

typedef struct {
  int fd, open, group; /* group: -1 for none */
  size_t have;
  unsigned char bytes[REQUEST_ROOM];
} Guest;

static int poller;

static void leave(Guest *guest) {
  close(guest->fd);
  free(guest);
}

static int put(Guest *guest, const void *bytes, size_t length) {
  return send(guest->fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length;
}

static void count(Guest *guest) {
  if (guest->group < 0) return;
  if (++groups[guest->group].seen % groups[guest->group].count == 0)
    send(groups[guest->group].teller, "\x82", 2, MSG_NOSIGNAL); /* and the string's NUL: no payload */
}

/* Whole frames of what was received; 0 when the connection is to end. Only small ones come here. */
static int frames(Guest *guest) {
  unsigned char *next = guest->bytes, *end = guest->bytes + guest->have;
  while (end - next >= 6) {
    size_t length = next[1] & 127, extra = length == 126 ? 2 : 0;
    if (length == 127) return 0;
    if (extra && end - next < 8) break;
    if (extra) length = (size_t)next[2] << 8 | next[3];
    if (6 + extra + length > sizeof guest->bytes) return 0;
    if ((size_t)(end - next) < 6 + extra + length) break;
    unsigned char answer[127], *mask = next + 2 + extra, *payload = mask + 4;
    switch (next[0] & 15) {
    case 8:
      put(guest, "\x88", 2);
      return 0;
    case 9:
      answer[0] = 0x8a, answer[1] = (unsigned char)length;
      for (size_t i = 0; i < length && i < 125; i++) answer[2 + i] = payload[i] ^ mask[i & 3];
      if (length > 125 || !put(guest, answer, 2 + length)) return 0;
      break;
    case 10: break;
    default: count(guest);
    }
    next = payload + length;
  }
  guest->have = (size_t)(end - next);
  memmove(guest->bytes, next, guest->have);
  return 1;
}

/* A request has come whole. Returns 0 when the guest is not the door's any more. */
static int request(Guest *guest) {
  char answer[512], tell[8] = "";
  const char *text = (const char *)guest->bytes;
  int group;
  long every;
  size_t length = upgrade(text, answer);
  if (!length || !put(guest, answer, length)) return leave(guest), 0;
  guest->open = 1, guest->have = 0;
  if (sscanf(text, "GET /sink?%ld,%d%7[,tel]", &every, &group, tell) >= 2 && every > 0 && group >= 0 && group < GROUPS) {
    guest->group = group;
    groups[group].count = every;
    if (tell[0]) groups[group].teller = guest->fd, groups[group].seen = 0;
  } else if (strncmp(text, "GET /idle ", 10) != 0) {
    epoll_ctl(poller, EPOLL_CTL_DEL, guest->fd, NULL);
    serve_on_thread(guest->fd, NULL, text);
    free(guest);
    return 0;
  }
  return 1;
}

static void readable(Guest *guest) {
  ssize_t n = recv(guest->fd, guest->bytes + guest->have, sizeof guest->bytes - 1 - guest->have, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) return leave(guest);
  guest->have += (size_t)n;
  if (guest->open) {
    if (!frames(guest)) leave(guest);
    return;
  }
  guest->bytes[guest->have] = 0;
  /* A request comes with nothing behind it: the client waits for the answer. */
  if (guest->have >= 4 && memcmp(guest->bytes + guest->have - 4, "\r\n\r\n", 4) == 0) request(guest);
}

void keep_door(int listener) {
  poller = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, ready[AT_A_TIME];
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    int n = epoll_wait(poller, ready, AT_A_TIME, -1);
    for (int i = 0; i < n; i++) {
      if (ready[i].data.ptr) {
        readable(ready[i].data.ptr);
        continue;
      }
      int on = 1, fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
      if (fd < 0) perror("accept"), exit(1);
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      Guest *guest = malloc(sizeof *guest);
      guest->fd = fd, guest->open = 0, guest->group = -1, guest->have = 0;
      event.data.ptr = guest;
      epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    }
  }
}
