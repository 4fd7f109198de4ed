/*
 * The server of the benchmarks: one for all contestants, no work but what the exchange needs. It prints
 * "port N tls N" and ends when its standard input ends.
 *
 *   /echo                    sends each message back, unmasked
 *   /send?COUNT,SIZE,KIND    sends COUNT messages of SIZE bytes (KIND: binary, text, cjk), prepared before, for each
 *                            message received
 *   /take?COUNT,SIZE         answers each COUNT messages, of SIZE bytes, with an empty one
 *   /sink?COUNT,GROUP[,tell] counts the messages on all connections of a group; each COUNT of them are answered with
 *                            an empty one on the group's connection that has `tell`
 *   /idle                    answers pings
 *
 * A blocking thread for each connection to the first three, and for each with TLS: waking one thread that waits in
 * recv is the fastest that there is. The others stay with one thread that waits in epoll (door.c): a thousand that
 * wake up for a message each would be the measurement.
 *
 * usage: server [CERTIFICATE-FILE KEY-FILE]
 */
#define _GNU_SOURCE
#include "server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static SSL_CTX *context;

static int listen_on(int *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 4096) != 0 ||
      getsockname(listener, (struct sockaddr *)&address, &size) != 0)
    perror("server"), exit(1);
  *port = ntohs(address.sin_port);
  return listener;
}

static void *door(void *listener) {
  keep_door((int)(intptr_t)listener);
  return NULL;
}

static void *tls_door(void *listener) {
  for (;;) {
    int fd = accept4((int)(intptr_t)listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) perror("accept"), exit(1);
    serve_on_thread(fd, context, NULL);
  }
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN); /* OpenSSL writes with write(2) */
  pthread_t thread;
  int port, tls_port = 0;
  int listener = listen_on(&port);
  if (pthread_create(&thread, NULL, door, (void *)(intptr_t)listener) != 0) return perror("thread"), 1;
  if (argc > 2) {
    context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    if (SSL_CTX_use_certificate_chain_file(context, argv[1]) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, argv[2], SSL_FILETYPE_PEM) != 1)
      return fprintf(stderr, "server: certificate or key\n"), 1;
    listener = listen_on(&tls_port);
    if (pthread_create(&thread, NULL, tls_door, (void *)(intptr_t)listener) != 0) return perror("thread"), 1;
  }
  printf("port %d tls %d\n", port, tls_port);
  fflush(stdout);
  while (getchar() != EOF) {}
  return 0;
}
