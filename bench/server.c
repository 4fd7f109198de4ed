/*
 * The server of the benchmarks: a blocking thread for each connection, plain or TLS on the same port (the first byte
 * tells), no work but what the exchange needs. It runs a program with its port in the environment, then ends.
 *
 *   /echo                    sends each message back, unmasked
 *   /send?COUNT,SIZE,KIND    sends COUNT messages of SIZE bytes (KIND: binary, text, cjk), prepared before, for each
 *                            message received
 *   /take?COUNT              answers each COUNT messages with an empty one
 *
 * usage: server [--cert FILE --key FILE] PROGRAM [ARGUMENT]...
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROOM = 256 << 10, LARGEST = 64 << 20 };

static SSL_CTX *context;

typedef struct {
  int fd;
  SSL *ssl;
  unsigned char *room; /* received and not yet looked at: room[begin..end] */
  size_t begin, end, size;
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

/* Makes sure that so many bytes lie in the room. */
static int have(Connection *c, size_t length) {
  if (c->begin == c->end) c->begin = c->end = 0;
  if (c->size - c->begin < length) {
    memmove(c->room, c->room + c->begin, c->end - c->begin);
    c->end -= c->begin, c->begin = 0;
    while (c->size < length) c->room = realloc(c->room, c->size *= 2);
  }
  while (c->end - c->begin < length) {
    ssize_t n = c->ssl ? SSL_read(c->ssl, c->room + c->end, (int)(c->size - c->end))
                       : recv(c->fd, c->room + c->end, c->size - c->end, 0);
    if (n <= 0) return 0;
    c->end += (size_t)n;
  }
  return 1;
}

typedef struct {
  unsigned char first;
  unsigned char mask[4];
  unsigned char *payload;
  size_t length;
} Frame;

static int next_frame(Connection *c, Frame *frame) {
  if (!have(c, 6)) return 0;
  unsigned char *head = c->room + c->begin;
  size_t extra = (head[1] & 127) == 127 ? 8 : (head[1] & 127) == 126 ? 2 : 0;
  if (!have(c, 6 + extra)) return 0;
  head = c->room + c->begin;
  uint64_t length = extra ? 0 : head[1] & 127;
  for (size_t i = 0; i < extra; i++) length = length << 8 | head[2 + i];
  if (length > LARGEST || !have(c, 6 + extra + length)) return 0;
  head = c->room + c->begin;
  frame->first = head[0];
  frame->length = length;
  memcpy(frame->mask, head + 2 + extra, 4);
  frame->payload = head + 6 + extra;
  c->begin += 6 + extra + length;
  return 1;
}

/* Writes the header of an unmasked frame so that it ends at `end`; returns where it begins. */
static unsigned char *header_before(unsigned char *end, unsigned char first, size_t length) {
  size_t extra = length < 126 ? 0 : length < 65536 ? 2 : 8;
  unsigned char *head = end - 2 - extra;
  head[0] = first;
  head[1] = extra == 0 ? (unsigned char)length : extra == 2 ? 126 : 127;
  for (size_t i = 0; i < extra; i++) head[2 + i] = (unsigned char)(length >> 8 * (extra - 1 - i));
  return head;
}

static void echo(Connection *c) {
  Frame frame;
  while (next_frame(c, &frame)) {
    if ((frame.first & 15) == 8) return;
    uint32_t mask32;
    memcpy(&mask32, frame.mask, 4);
    uint64_t mask = (uint64_t)mask32 << 32 | mask32, word;
    size_t i = 0;
    for (; i + 8 <= frame.length; i += 8) {
      memcpy(&word, frame.payload + i, 8);
      word ^= mask;
      memcpy(frame.payload + i, &word, 8);
    }
    for (; i < frame.length; i++) frame.payload[i] ^= frame.mask[i & 3];
    /* The mask's four bytes are free: the header ends where the payload begins. */
    unsigned char *head = header_before(frame.payload, frame.first, frame.length);
    if (!put(c, head, (size_t)(frame.payload - head) + frame.length)) return;
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
  while (next_frame(c, &frame) && (frame.first & 15) != 8)
    for (long left = count; left > 0;) {
      size_t now = (size_t)left < batch ? (size_t)left : batch;
      if (!put(c, frames, now * each)) { left = -1; c->begin = c->end; shutdown(c->fd, SHUT_RDWR); break; }
      left -= (long)now;
    }
  free(frames);
}

static void take(Connection *c, long count) {
  Frame frame;
  for (long seen = 0; next_frame(c, &frame) && (frame.first & 15) != 8;)
    if (++seen % count == 0 && !put(c, "\x82", 2)) return; /* and the string's NUL: no payload */
}

/* The value of Sec-WebSocket-Accept. */
static void accept_key(const char *key, size_t length, char out[32]) {
  unsigned char hash[20];
  char text[96];
  int size = snprintf(text, sizeof text, "%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", (int)length, key);
  EVP_Digest(text, (size_t)size, hash, NULL, EVP_sha1(), NULL);
  EVP_EncodeBlock((unsigned char *)out, hash, sizeof hash);
}

static void serve(Connection *c) {
  size_t length = 0;
  char request[4096], answer[512], key[32], kind[16] = "binary";
  for (;;) { /* a request comes whole, with nothing behind it: the client waits for the answer */
    if (!have(c, length + 1)) return;
    length = c->end - c->begin;
    if (length >= sizeof request) return;
    memcpy(request, c->room + c->begin, length);
    request[length] = 0;
    if (length >= 4 && memcmp(request + length - 4, "\r\n\r\n", 4) == 0) break;
  }
  c->begin = c->end;
  char *begin = strcasestr(request, "\r\nSec-WebSocket-Key: ");
  if (!begin) return;
  begin += 21;
  accept_key(begin, strcspn(begin, "\r"), key);
  snprintf(answer, sizeof answer, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
           "Sec-WebSocket-Accept: %s\r\n\r\n", key);
  if (!put(c, answer, strlen(answer))) return;
  long count = 1, size = 0;
  if (sscanf(request, "GET /send?%ld,%ld,%15[a-z]", &count, &size, kind) >= 2) send_many(c, count, (size_t)size, kind);
  else if (sscanf(request, "GET /take?%ld", &count) == 1 && count > 0) take(c, count);
  else echo(c);
}

static void *connection(void *argument) {
  Connection c = {.fd = (int)(intptr_t)argument, .size = 16 << 10};
  unsigned char first = 0;
  c.room = malloc(c.size);
  if (recv(c.fd, &first, 1, MSG_PEEK) == 1) {
    int ready = 1;
    if (first == 22 && context) { /* a TLS handshake */
      c.ssl = SSL_new(context);
      SSL_set_fd(c.ssl, c.fd);
      ready = SSL_accept(c.ssl) == 1;
    }
    if (ready) serve(&c);
    if (c.ssl) SSL_shutdown(c.ssl), SSL_free(c.ssl);
  }
  close(c.fd);
  free(c.room);
  return NULL;
}

static void *accept_all(void *listener) {
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 128 << 10);
  pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
  for (;;) {
    int on = 1, fd = accept4((int)(intptr_t)listener, NULL, NULL, SOCK_CLOEXEC);
    pthread_t thread;
    if (fd < 0) { perror("accept"); exit(1); }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (pthread_create(&thread, &small, connection, (void *)(intptr_t)fd) != 0) { perror("thread"); exit(1); }
  }
}

int main(int argc, char **argv) {
  const char *cert = NULL, *key = NULL;
  int next = 1;
  for (; next + 1 < argc && strncmp(argv[next], "--", 2) == 0; next += 2) {
    if (strcmp(argv[next], "--cert") == 0) cert = argv[next + 1];
    else if (strcmp(argv[next], "--key") == 0) key = argv[next + 1];
    else break;
  }
  if (next >= argc || !cert != !key)
    return fprintf(stderr, "usage: server [--cert FILE --key FILE] PROGRAM [ARGUMENT]...\n"), 2;
  signal(SIGPIPE, SIG_IGN); /* OpenSSL writes with write(2) */
  if (cert) {
    context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    if (SSL_CTX_use_certificate_chain_file(context, cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
      return fprintf(stderr, "server: certificate or key\n"), 1;
  }
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 4096) != 0 ||
      getsockname(listener, (struct sockaddr *)&address, &size) != 0)
    return perror("server"), 1;
  char port[8];
  snprintf(port, sizeof port, "%d", ntohs(address.sin_port));
  setenv("WDSOCKET_TEST_PORT", port, 1);
  pthread_t thread;
  if (pthread_create(&thread, NULL, accept_all, (void *)(intptr_t)listener) != 0) return perror("thread"), 1;
  pid_t child = fork();
  if (child == 0) {
    signal(SIGPIPE, SIG_DFL);
    execvp(argv[next], argv + next);
    perror(argv[next]);
    _exit(127);
  }
  int status = 1;
  if (child < 0 || waitpid(child, &status, 0) < 0) return perror("server"), 1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
