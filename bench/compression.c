/*
 * What compression costs and saves, for each setting: memory of this process per idle connection over which
 * 64 KiB went each way, time to write a message of 1 KiB of JSON, its size on the wire.
 *
 * usage: compression SETTING [COUNT]     SETTING 0 to 4     environment: WDSOCKET_TEST_PORT
 */
#define _GNU_SOURCE
#include "wdsocket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LARGE = 64 << 10, SMALL = 1 << 10, MESSAGES = 2000 };

static char large[LARGE], buffer[LARGE + 1];

static void check(int ok, const char *what) {
  if (!ok) fprintf(stderr, "%s: %s\n", what, SocketErrorMessage()), exit(1);
}

static long resident_kib(void) {
  char line[256];
  long value = -1;
  FILE *file = fopen("/proc/self/status", "r");
  while (file && fgets(line, sizeof line, file))
    if (strncmp(line, "VmRSS:", 6) == 0) value = atol(line + 6);
  if (file) fclose(file);
  return value;
}

static double now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

/* JSON whose numbers do not repeat. */
static void fill(char *bytes, size_t length, unsigned seed) {
  size_t done = 0;
  while (done < length) {
    char item[96];
    seed = seed * 1664525u + 1013904223u;
    int size = snprintf(item, sizeof item, "{\"symbol\":\"ABC%u\",\"price\":%u.%02u,\"volume\":%u},", seed >> 28,
                        seed >> 20 & 1023, seed >> 12 & 63, seed >> 4 & 4095);
    size_t take = (size_t)size < length - done ? (size_t)size : length - done;
    memcpy(bytes + done, item, take);
    done += take;
  }
}

static double info(const char *name, int item) {
  char text[64] = "";
  SocketInfo(name, item, text, sizeof text);
  return atof(text);
}

static void measure(int count, const char *compression, const char *bits, const char *takeover, const char *answer) {
  char name[32], path[256];
  snprintf(path, sizeof path, "/echo?%s", answer);
  check(SocketSetOption(NULL, WDSOCKET_OPTION_COMPRESSION, compression) == 1, "COMPRESSION");
  check(SocketSetOption(NULL, WDSOCKET_OPTION_COMPRESSION_WINDOW_BITS, bits) == 1, "WINDOW_BITS");
  check(SocketSetOption(NULL, WDSOCKET_OPTION_COMPRESSION_CONTEXT_TAKEOVER, takeover) == 1, "CONTEXT_TAKEOVER");
  int port = atoi(getenv("WDSOCKET_TEST_PORT"));
  long before = 0;
  /* The first one's memory is the library's start. */
  for (int i = -1; i < count; i++) {
    if (i == 0) before = resident_kib();
    snprintf(name, sizeof name, "c%d", i);
    check(WebSocketClientConnect(name, "127.0.0.1", port, path, NULL, 0) == 1, "connecting");
    fill(large, sizeof large, (unsigned)i);
    check(SocketWrite(name, large, sizeof large) == 1, "writing");
    check(SocketRead(name, 0, 5000, buffer, sizeof buffer) == LARGE, "reading");
  }
  struct timespec rest = {1, 500000000};
  nanosleep(&rest, NULL);
  double memory = (double)(resident_kib() - before) / count;

  double wire = info("c0", WDSOCKET_INFO_WIRE_BYTES_OUT), took = 0;
  for (int i = 0; i < MESSAGES; i++) {
    fill(large, SMALL, (unsigned)(i + 1000));
    double start = now_us();
    check(SocketWrite("c0", large, SMALL) == 1, "writing");
    took += now_us() - start;
    check(SocketRead("c0", 0, 5000, buffer, sizeof buffer) == SMALL, "reading");
  }
  wire = info("c0", WDSOCKET_INFO_WIRE_BYTES_OUT) - wire;
  printf("| %s | %s | %s | %.0f KiB | %.1f | %.0f |\n", compression, compression[1] == 'n' ? bits : "",
         compression[1] == 'n' ? takeover : "", memory, took / MESSAGES, wire / MESSAGES);
  check(SocketShutdown(20000) == 1, "shutting down");
}

int main(int argc, char **argv) {
  int count = argc > 2 ? atoi(argv[2]) : 500;
  if (argc < 2 || count <= 0 || !getenv("WDSOCKET_TEST_PORT"))
    return fprintf(stderr, "usage: WDSOCKET_TEST_PORT=N compression SETTING [COUNT]\n"), 2;
  /* Each in a process of its own: memory that another has given back would hide what this one takes. */
  switch (atoi(argv[1])) {
  case 0:
    printf("| `COMPRESSION` | `_WINDOW_BITS` | `_CONTEXT_TAKEOVER` | resident per connection | write 1 KiB, µs | "
           "bytes on the wire |\n|---|---|---|---|---|---|\n");
    measure(count, "off", "15", "on", "");
    break;
  case 1: measure(count, "on", "15", "on", "deflate"); break;
  case 2: measure(count, "on", "12", "on", "deflate=server_max_window_bits=12;client_max_window_bits=12"); break;
  case 3: measure(count, "on", "9", "on", "deflate=server_max_window_bits=9;client_max_window_bits=9"); break;
  case 4:
    measure(count, "on", "15", "off", "deflate=server_no_context_takeover;client_no_context_takeover");
    break;
  }
  return 0;
}
