/* What a connection with a thread of its own does: /echo, /send, /take. */
#define _GNU_SOURCE
#include "server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
  int fd;
  SSL_CTX *context;
  SSL *ssl;
  unsigned char *room; /* received and not yet looked at: room[begin..end] */
  size_t begin, end, size;
  int least;
  char request[REQUEST_ROOM];
} Connection;

static int put(Connection *c, const void *bytes, size_t length) {
  const unsigned char *next = bytes;
  while (length > 0) {
    ssize_t n = c->ssl ? SSL_write(c->ssl, next, length > (1 << 30) ? 1 << 30 : (int)length)
                       : send(c->fd, next, length, MSG_NOSIGNAL);
    if (n <= 0) return 0;
    next += n, length -= (size_t)n;
  }
  return 1;
}

static ssize_t get(Connection *c, void *room, size_t length) {
  if (c->least > 1) { /* recv itself would take a part and then not be woken for the rest: less than `least` */
    struct pollfd ready = {.fd = c->fd, .events = POLLIN};
    poll(&ready, 1, -1);
  }
  return c->ssl ? SSL_read(c->ssl, room, (int)length) : recv(c->fd, room, length, c->least > 1 ? MSG_DONTWAIT : 0);
}

/* Makes sure that so many bytes lie in the room. */
static int have(Connection *c, size_t length) {
  if (c->begin == c->end) c->begin = c->end = 0;
  if (c->size - c->begin < length) {
    memmove(c->room, c->room + c->begin, c->end - c->begin);
    c->end -= c->begin, c->begin = 0;
    while (c->size < length) c->room = realloc(c->room, c->size *= 2);
  }
  while (c->end - c->begin < length) {
    ssize_t n = get(c, c->room + c->end, c->size - c->end);
    if (n <= 0) return 0;
    c->end += (size_t)n;
  }
  return 1;
}

enum { FIN = 0x80 };

typedef struct {
  unsigned char first, *mask; /* the payload is behind the mask, if it was asked for */
  size_t length;
} Frame;

/* Writes the header of an unmasked frame so that it ends at `end`; returns where it begins. */
static unsigned char *header_before(unsigned char *end, unsigned char first, size_t length) {
  size_t extra = length < 126 ? 0 : length < 65536 ? 2 : 8;
  unsigned char *head = end - 2 - extra;
  head[0] = first;
  head[1] = extra == 0 ? (unsigned char)length : extra == 2 ? 126 : 127;
  for (size_t i = 0; i < extra; i++) head[2 + i] = (unsigned char)(length >> 8 * (extra - 1 - i));
  return head;
}

static void unmask(const unsigned char key[4], unsigned char *payload, size_t length) {
  uint32_t mask32;
  memcpy(&mask32, key, 4);
  uint64_t mask = (uint64_t)mask32 << 32 | mask32, word;
  unsigned char rest[4];
  memcpy(rest, key, 4);
  size_t i = 0;
  for (; i + 8 <= length; i += 8) {
    memcpy(&word, payload + i, 8);
    word ^= mask;
    memcpy(payload + i, &word, 8);
  }
  for (; i < length; i++) payload[i] ^= rest[i & 3];
}

/* The next message's frame, `keep`: with its payload in the room; else what of it has come is still to be passed over. */
static int next_frame(Connection *c, Frame *frame, int keep) {
  for (;;) {
    if (!have(c, 6)) return 0;
    unsigned char *head = c->room + c->begin;
    size_t extra = (head[1] & 127) == 127 ? 8 : (head[1] & 127) == 126 ? 2 : 0;
    if (!have(c, 6 + extra)) return 0;
    head = c->room + c->begin;
    uint64_t length = extra ? 0 : head[1] & 127;
    for (size_t i = 0; i < extra; i++) length = length << 8 | head[2 + i];
    int control = head[0] & 8;
    if (length > LARGEST || ((keep || control) && !have(c, 6 + extra + length))) return 0;
    head = c->room + c->begin;
    frame->first = head[0], frame->length = length, frame->mask = head + 2 + extra;
    c->begin += 6 + extra + (keep || control ? length : 0);
    if (!control) return 1;
    unmask(frame->mask, frame->mask + 4, length);
    if ((head[0] & 15) == 9) {
      unsigned char *answer = header_before(frame->mask + 4, 0x8a, length);
      if (!put(c, answer, (size_t)(frame->mask + 4 - answer) + length)) return 0;
    } else if ((head[0] & 15) == 8) {
      put(c, "\x88", 2); /* and the string's NUL: no payload */
      return 0;
    }
  }
}

static void echo(Connection *c) {
  Frame frame;
  while (next_frame(c, &frame, 1)) {
    unmask(frame.mask, frame.mask + 4, frame.length);
    /* The mask's four bytes are free: the header ends where the payload begins. */
    unsigned char *head = header_before(frame.mask + 4, frame.first, frame.length);
    if (!put(c, head, (size_t)(frame.mask + 4 - head) + frame.length)) return;
  }
}

static void send_many(Connection *c, long count, size_t size, const char *kind) {
  static const char cjk[] = "\xe6\xbc\xa2";
  unsigned char first = strcmp(kind, "binary") == 0 ? 0x82 : 0x81;
  size_t room = size + 10, batch = room > 128 << 10 ? 1 : (128 << 10) / room;
  unsigned char *frames = malloc(batch * room), *end = frames, head[10];
  for (size_t i = 0; i < batch; i++) {
    unsigned char *begin = header_before(head + 10, first, size);
    memcpy(end, begin, (size_t)(head + 10 - begin));
    end += head + 10 - begin;
    for (size_t n = 0; n < size; n++)
      end[n] = strcmp(kind, "cjk") != 0 ? (unsigned char)('a' + n % 26) : n < size / 3 * 3 ? (unsigned char)cjk[n % 3] : '.';
    end += size;
  }
  size_t each = (size_t)(end - frames) / batch;
  Frame frame;
  for (int ok = 1; ok && next_frame(c, &frame, 1);)
    for (long left = frame.first & FIN ? count : 0; ok && left > 0;) {
      size_t now = (size_t)left < batch ? (size_t)left : batch;
      ok = put(c, frames, now * each);
      left -= (long)now;
    }
  free(frames);
}

/*
 * While much is still to come, let some of it gather: being woken for each small message (it would be: this reader is
 * faster than any writer) costs the writer as much as its whole system call, and differs from run to run. Not more
 * than this: the kernel's books count some 700 bytes for each small segment, and a full window stops the writer.
 */
static void gather(Connection *c, long bytes) {
  int least = bytes > 4096 ? 4096 : bytes > 0 ? (int)bytes : 1;
  if (least == c->least) return;
  c->least = least;
  setsockopt(c->fd, SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least);
}

/* `size`: of each message, where it is known, else 0. */
static void take(Connection *c, long count, size_t size) {
  Frame frame;
  long each = size > 0 && size <= 4096 && !c->ssl ? (long)(size + 6 + (size > 125 ? 2 : 0)) : 0;
  for (long seen = 0;;) {
    /* The first may be a close frame instead. */
    long missing = seen % count == 0 && c->begin == c->end ? 1 : (count - seen % count) * each - (long)(c->end - c->begin);
    if (each) gather(c, missing);
    if (!next_frame(c, &frame, 0)) return;
    for (size_t left = frame.length;;) { /* over and over the same room, which stays in the cache */
      size_t now = c->end - c->begin < left ? c->end - c->begin : left;
      c->begin += now, left -= now;
      if (left == 0) break;
      ssize_t n = get(c, c->room, c->size);
      if (n <= 0) return;
      c->begin = 0, c->end = (size_t)n;
    }
    /* Some cut their messages into many frames. */
    if ((frame.first & FIN) && ++seen % count == 0 && !put(c, "\x82", 2)) return;
  }
}

/* Waits for a request and answers it: with TLS nobody else has. */
static int request_with_tls(Connection *c) {
  char answer[512];
  size_t length = 0;
  while (length < 4 || memcmp(c->request + length - 4, "\r\n\r\n", 4) != 0) {
    ssize_t n = get(c, c->request + length, sizeof c->request - 1 - length);
    if (n <= 0) return 0;
    length += (size_t)n;
  }
  length = upgrade(c->request, answer);
  return length && put(c, answer, length);
}

static void *serve(void *argument) {
  Connection *c = argument;
  long count = 1, size = 0;
  char kind[16] = "binary";
  int ready = 1;
  if (c->context) {
    c->ssl = SSL_new(c->context);
    SSL_set_fd(c->ssl, c->fd);
    ready = SSL_accept(c->ssl) == 1 && request_with_tls(c);
  }
  int takes = sscanf(c->request, "GET /take?%ld,%ld", &count, &size) >= 1 && count > 0;
  c->size = takes ? 256 << 10 : 16 << 10;
  c->room = malloc(c->size);
  if (ready && takes) take(c, count, (size_t)size);
  else if (ready && sscanf(c->request, "GET /send?%ld,%ld,%15[a-z]", &count, &size, kind) >= 2)
    send_many(c, count, (size_t)size, kind);
  else if (ready) echo(c);
  if (c->ssl) SSL_shutdown(c->ssl), SSL_free(c->ssl);
  close(c->fd);
  free(c->room);
  free(c);
  return NULL;
}

void serve_on_thread(int fd, SSL_CTX *context, const char *request) {
  Connection *c = calloc(1, sizeof *c);
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  c->fd = fd, c->context = context;
  if (request) snprintf(c->request, sizeof c->request, "%s", request);
  pthread_attr_t small;
  pthread_t thread;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 128 << 10);
  pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
  if (pthread_create(&thread, &small, serve, c) != 0) perror("thread"), exit(1);
  pthread_attr_destroy(&small);
}

size_t upgrade(const char *request, char answer[512]) {
  unsigned char hash[20];
  char text[96], key[32];
  const char *begin = strcasestr(request, "\r\nSec-WebSocket-Key:");
  if (!begin) return 0;
  begin += 20;
  begin += strspn(begin, " ");
  int size = snprintf(text, sizeof text, "%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", (int)strcspn(begin, "\r"), begin);
  if (size >= (int)sizeof text) return 0;
  EVP_Digest(text, (size_t)size, hash, NULL, EVP_sha1(), NULL);
  EVP_EncodeBlock((unsigned char *)key, hash, sizeof hash);
  return (size_t)snprintf(answer, 512, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                          "Sec-WebSocket-Accept: %s\r\n\r\n", key);
}
