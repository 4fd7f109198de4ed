/* The server of the benchmarks; see main.c. */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#include <openssl/ssl.h>
#include <stddef.h>

enum { REQUEST_ROOM = 2048, LARGEST = 64 << 20 };

/* Answers an upgrade request (whole, NUL behind it): writes the answer, returns its length, 0 for no such request. */
size_t upgrade(const char *request, char answer[512]);

/*
 * Serves a connection on a thread of its own until it ends. With TLS if there is a context, then the request is still
 * to come; without, it was read and answered by the door: `request` is copied.
 */
void serve_on_thread(int fd, SSL_CTX *context, const char *request);

/* Takes connections without TLS for ever: reads the request of each, keeps those for which nothing need be fast. */
void keep_door(int listener);

#endif
