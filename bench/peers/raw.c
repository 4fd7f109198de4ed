/*
 * The floor: a client without a library. It sends frames that were prepared before and reads the bytes of the answers,
 * with blocking calls (send and recv, with TLS OpenSSL's SSL_write and SSL_read), and does no other work.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 256 << 10 };

typedef struct {
  int fd;
  SSL *ssl;
} Link;

static SSL_CTX *context;
static Link one, *many;
static int many_count;
static unsigned char room[ROOM];
static size_t have; /* bytes of the next messages that lie in the room already */

static void fail(const char *what) {
  if (bench.tls) ERR_print_errors_fp(stderr);
  bench_fail("%s: %s", what, strerror(errno));
}

static void put(Link *link, const void *bytes, size_t length) {
  ssize_t n = link->ssl ? SSL_write(link->ssl, bytes, (int)length) : send(link->fd, bytes, length, MSG_NOSIGNAL);
  if (n != (ssize_t)length) fail("send");
}

static size_t get(Link *link, void *into, size_t length) {
  ssize_t n = link->ssl ? SSL_read(link->ssl, into, (int)length) : recv(link->fd, into, length, 0);
  if (n <= 0) fail("receive");
  return (size_t)n;
}

static int start(int flags) {
  int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  if (fd < 0) fail("socket");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)bench.port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS) fail("connect");
  return fd;
}

static int ask(char *request, size_t size, const char *path) {
  return snprintf(request, size,
                  "GET %s HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
                  path, bench.deflate ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
}

static void dial(Link *link, const char *path) {
  char request[512], answer[4096];
  size_t length = 0;
  link->fd = start(0), link->ssl = NULL;
  if (bench.tls) {
    if (!context) {
      context = SSL_CTX_new(TLS_client_method());
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
      SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
      if (SSL_CTX_load_verify_locations(context, bench.ca, NULL) != 1) fail(bench.ca);
    }
    link->ssl = SSL_new(context);
    SSL_set_fd(link->ssl, link->fd);
    if (SSL_set1_host(link->ssl, "localhost") != 1 || SSL_connect(link->ssl) != 1) fail("TLS");
  }
  put(link, request, (size_t)ask(request, sizeof request, path));
  while (length < 4 || memcmp(answer + length - 4, "\r\n\r\n", 4) != 0)
    length += get(link, answer + length, sizeof answer - length);
}

/* --- frames ---------------------------------------------------------------------------------- */

static unsigned char *frames; /* one, or those of a file in turn */
static size_t frame_size, frames_size, frame_at, prepared;

static size_t header(unsigned char *head, size_t length, int mask) {
  size_t extra = length < 126 ? 0 : length < 65536 ? 2 : 8;
  head[0] = bench_is_text() ? 0x81 : 0x82;
  head[1] = (unsigned char)(mask | (extra == 0 ? length : extra == 2 ? 126 : 127));
  for (size_t i = 0; i < extra; i++) head[2 + i] = (unsigned char)(length >> 8 * (extra - 1 - i));
  return 2 + extra;
}

/* The size of a frame from its first bytes, 0 where they are too few. */
static size_t whole(const unsigned char *head, size_t length) {
  if (length < 2) return 0;
  size_t masked = head[1] & 128 ? 4 : 0, extra = (head[1] & 127) == 127 ? 8 : (head[1] & 127) == 126 ? 2 : 0, size = 0;
  if (length < 2 + extra) return 0;
  for (size_t i = 0; i < extra; i++) size = size << 8 | head[2 + i];
  return 2 + extra + masked + (extra ? size : head[1] & 127u);
}

static void prepare_frame(void) {
  const char *file = bench_text("frames", NULL);
  have = 0, frame_at = 0;
  if (file) { /* compressed before, by somebody else */
    FILE *stream = fopen(file, "rb");
    frames = malloc(16 << 20);
    frames_size = stream ? fread(frames, 1, 16 << 20, stream) : 0;
    if (stream) fclose(stream);
    if (!frames_size) bench_fail("%s: no frames", file);
    return;
  }
  free(frames);
  frames = calloc(1, bench.sent + 14); /* masked with 0: what the bytes are does not matter here */
  size_t begin = header(frames, bench.sent, 128) + 4;
  memcpy(frames + begin, bench.message, bench.sent);
  frame_size = begin + bench.sent, prepared = bench.sent;
}

static void raw_open(const char *path) {
  dial(&one, path);
  prepare_frame();
}

static void give(long count) {
  if (prepared != bench.sent && !frames_size) prepare_frame();
  while (count-- > 0) {
    if (frames_size) {
      frame_at %= frames_size;
      frame_size = whole(frames + frame_at, frames_size - frame_at);
      put(&one, frames + frame_at, frame_size);
      frame_at += frame_size;
    } else {
      put(&one, frames, frame_size);
    }
  }
}

/* Frames whose sizes only they tell. */
static void take_by_size(long count) {
  while (count-- > 0) {
    size_t size;
    while ((size = whole(room, have)) == 0 || have < size) have += get(&one, room + have, ROOM - have);
    have -= size;
    memmove(room, room + size, have);
  }
  bench.received++;
}

static void take(long count) {
  if (frames_size) return take_by_size(count);
  unsigned char head[14];
  size_t begin = header(head, bench.expected, 0), left = (begin + bench.expected) * (size_t)count;
  size_t verify = bench.verify ? 0 : left;
  while (left > 0) {
    size_t n = get(&one, room, left < ROOM ? left : ROOM);
    for (size_t i = 0; verify < begin + bench.expected && i < n; i++, verify++)
      if (room[i] != (verify < begin ? head[verify] : (unsigned char)bench.message[verify - begin]))
        bench_fail("other bytes than were expected");
    left -= n;
  }
}

static void hang_up(Link *link) {
  if (link->ssl) SSL_shutdown(link->ssl), SSL_free(link->ssl);
  close(link->fd);
}

static void raw_close(void) { hang_up(&one); }

/* --- many connections ------------------------------------------------------------------------ */

/* So many attempts under way at once, each a step further when epoll says so. */
static void open_at_once(int count, int at_a_time) {
  int poller = epoll_create1(EPOLL_CLOEXEC), started = 0, opened = 0;
  char request[512], answer[512];
  struct epoll_event ready[64];
  char *asked = calloc(1, (size_t)count);
  while (opened < count) {
    while (started < count && started - opened < at_a_time) {
      struct epoll_event event = {.events = EPOLLOUT, .data.u32 = (uint32_t)started};
      many[started].fd = start(SOCK_NONBLOCK), many[started].ssl = NULL;
      epoll_ctl(poller, EPOLL_CTL_ADD, many[started++].fd, &event);
    }
    int n = epoll_wait(poller, ready, 64, -1);
    for (int k = 0; k < n; k++) {
      uint32_t i = ready[k].data.u32;
      if (!asked[i]) {
        put(&many[i], request, (size_t)ask(request, sizeof request, bench_many_path((int)i)));
        asked[i] = 1;
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        epoll_ctl(poller, EPOLL_CTL_MOD, many[i].fd, &event);
      } else {
        get(&many[i], answer, sizeof answer); /* the server writes it at once */
        epoll_ctl(poller, EPOLL_CTL_DEL, many[i].fd, NULL);
        fcntl(many[i].fd, F_SETFL, 0);
        opened++;
      }
    }
  }
  close(poller);
  free(asked);
}

static void open_many(int count) {
  many = malloc((size_t)count * sizeof *many);
  many_count = count;
  if (bench.at_a_time > 1 && !bench.tls) open_at_once(count, bench.at_a_time);
  else
    for (int i = 0; i < count; i++) dial(&many[i], bench_many_path(i));
  prepare_frame();
}

static void broadcast(void) {
  for (int i = 0; i < many_count; i++) put(&many[i], frames, frame_size);
  get(&many[0], room, 2);
}

static void close_many(void) {
  for (int i = 0; i < many_count; i++) hang_up(&many[i]);
  free(many);
}

static void give_by(const char *way, long count) { /* the floor is the same for all ways */
  (void)way;
  give(count);
}

int main(void) {
  static const BenchPeer peer = {.version = OPENSSL_VERSION_TEXT, .can = "tls deflate threads callback cork loop one-by-one",
                                 .open = raw_open, .give = give, .take = take, .close = raw_close, .give_by = give_by,
                                 .open_many = open_many, .broadcast = broadcast, .close_many = close_many};
  signal(SIGPIPE, SIG_IGN); /* OpenSSL writes with write(2) */
  return bench_main(&peer);
}
