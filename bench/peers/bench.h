/*
 * What the contestants written in C and C++ share: the line protocol with bench/run.py, and the scenarios in terms of
 * a few operations that each contestant has.
 *
 * Lines on standard input, each answered by one line of JSON on standard output:
 *
 *   prepare SCENARIO KEY=VALUE...   connects; a first exchange checks the bytes of the answer
 *   round                           one round, measured: wall_us, cpu_us (user and system, all threads), messages,
 *                                   bytes; echo: times, the round trips in microseconds
 *   rest                            `seconds` of doing nothing, with all connections open
 *   finish                          closes
 *
 * The first answer, unasked, says who is there and what it can do. A contestant that fails says why on standard
 * error and ends.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

typedef struct {
  const char *version;
  /* What it can beside the scenarios: words of "tls deflate threads callback cork", and "loop": it connects many at a
   * time, or "one-by-one". */
  const char *can;
  void (*open)(const char *path);     /* the connection that the next three use */
  void (*give)(long count);           /* writes bench.sent bytes of bench.message so often */
  void (*take)(long count);           /* receives so many messages, calls bench_received for each */
  void (*close)(void);
  void (*give_by)(const char *way, long count); /* "threads", "callback", "cork" */
  void (*open_many)(int count);       /* to bench_many_path(i), at most bench.at_a_time attempts at once */
  void (*broadcast)(void);            /* bench.message to each of them; the answer comes on the first */
  void (*close_many)(void);
  void (*rest)(double seconds);       /* NULL: sleeps */
} BenchPeer;

static struct {
  char line[1024], scenario[32];
  const char *kind; /* binary, text, cjk, pool */
  const char *message, *pool;
  size_t size, sent, expected, pool_count, next; /* sent: the bytes of `message` that are sent */
  long received, count;
  int port, tls, at_a_time, deflate;
  const char *ca;
  int verify;
  double begin; /* of the round */
  long rounds;
} bench;

#if defined(__GNUC__)
#define BENCH_UNUSED __attribute__((unused))
#else
#define BENCH_UNUSED
#endif

BENCH_UNUSED static void bench_fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(1);
}

BENCH_UNUSED static double bench_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

BENCH_UNUSED static double bench_cpu(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* The value of a KEY=VALUE in the line, a copy that stays, or what else. */
BENCH_UNUSED static const char *bench_text(const char *key, const char *otherwise) {
  char wanted[64];
  snprintf(wanted, sizeof wanted, " %s=", key);
  const char *found = strstr(bench.line, wanted);
  if (!found) return otherwise;
  found += strlen(wanted);
  return strndup(found, strcspn(found, " \n"));
}

BENCH_UNUSED static double bench_number(const char *key, double otherwise) {
  const char *text = bench_text(key, NULL);
  return text ? atof(text) : otherwise;
}

/* A whole message has arrived. */
BENCH_UNUSED static inline void bench_received(const void *bytes, size_t length) {
  if (length != bench.expected) bench_fail("a message of %zu bytes, %zu were expected", length, bench.expected);
  if (bench.verify && memcmp(bytes, bench.message, length) != 0) bench_fail("other bytes than were expected");
  bench.received++;
}

BENCH_UNUSED static int bench_is_text(void) { return strcmp(bench.kind, "binary") != 0; }

/* The path of the i-th of many connections. */
BENCH_UNUSED static const char *bench_many_path(int i) {
  static char path[64];
  const char *sink = bench_text("sink", NULL);
  if (!sink) return "/idle";
  snprintf(path, sizeof path, "/sink?%s%s", sink, i == 0 ? ",tell" : "");
  return path;
}

/* The same bytes that the server sends for a kind. */
static void bench_fill(void) {
  static const char cjk[] = "\xe6\xbc\xa2";
  const char *pool = bench_text("pool", NULL);
  bench.pool_count = 0, bench.next = 0;
  if (pool) { /* many messages of the same size, one behind the other */
    FILE *file = fopen(pool, "rb");
    char *all = (char *)malloc(16 << 20);
    size_t length = file ? fread(all, 1, 16 << 20, file) : 0;
    if (file) fclose(file);
    bench.pool_count = length / bench.size;
    if (!bench.pool_count) bench_fail("%s: no message", pool);
    bench.message = bench.pool = all;
    return;
  }
  char *message = (char *)malloc(bench.size + 1);
  for (size_t i = 0; i < bench.size; i++)
    message[i] = strcmp(bench.kind, "cjk") != 0   ? (char)('a' + i % 26)
                 : i < bench.size / 3 * 3 ? cjk[i % 3] : '.';
  bench.message = message;
}

static void bench_exchange(const BenchPeer *peer) {
  if (bench.pool_count) bench.message = bench.pool + bench.next++ % bench.pool_count * bench.size;
  peer->give(1);
  peer->take(1);
}

static void bench_prepare(const BenchPeer *peer) {
  bench.rounds = 0;
  bench.kind = bench_text("kind", "binary");
  bench.size = (size_t)bench_number("size", 64);
  bench.count = (long)bench_number("count", 1);
  bench.port = (int)bench_number("port", 0);
  bench.ca = bench_text("ca", NULL);
  bench.tls = bench.ca != NULL;
  bench.deflate = (int)bench_number("deflate", 0); /* the level, 0 for none */
  bench.at_a_time = (int)bench_number("at_a_time", 1);
  bench_fill();
  bench.expected = bench.sent = bench.size, bench.verify = 1;
  if (strcmp(bench.scenario, "echo") == 0) {
    peer->open(bench_text("path", "/echo"));
    for (size_t i = 0; i < (bench.pool_count ? bench.pool_count : 1); i++) bench_exchange(peer);
  } else if (strcmp(bench.scenario, "receive") == 0 || strcmp(bench.scenario, "send") == 0) {
    peer->open(bench_text("path", NULL));
  } else if (strcmp(bench.scenario, "broadcast") == 0 || strcmp(bench.scenario, "idle") == 0) {
    peer->open_many((int)bench.count);
  }
  bench.verify = 0;
}

static void bench_round(const BenchPeer *peer) {
  double *times = NULL, cpu = bench_cpu();
  const char *way = bench_text("way", NULL);
  bench.begin = bench_now();
  if (strcmp(bench.scenario, "echo") == 0) {
    times = (double *)malloc((size_t)bench.count * sizeof *times);
    for (long i = 0; i < bench.count; i++) {
      double start = bench_now();
      bench_exchange(peer);
      times[i] = bench_now() - start;
    }
  } else if (strcmp(bench.scenario, "receive") == 0) {
    bench.sent = 3; /* a character, in any case */
    bench.verify = bench.rounds == 0; /* the first is not counted */
    peer->give(1);
    peer->take(bench.count);
  } else if (strcmp(bench.scenario, "send") == 0) {
    bench.expected = 0;
    if (way) peer->give_by(way, bench.count);
    else peer->give(bench.count);
    peer->take(1);
  } else if (strcmp(bench.scenario, "broadcast") == 0) {
    bench.expected = 0;
    peer->broadcast();
  } else if (strcmp(bench.scenario, "open") == 0) {
    peer->open_many((int)bench.count);
  }
  double wall = bench_now() - bench.begin;
  bench.rounds++;
  printf("{\"wall_us\": %.1f, \"cpu_us\": %.0f, \"messages\": %ld, \"bytes\": %.0f", wall, bench_cpu() - cpu,
         bench.count, (double)bench.count * (double)bench.size);
  if (times) {
    printf(", \"times\": [");
    for (long i = 0; i < bench.count; i++) printf("%s%.2f", i ? ", " : "", times[i]);
    printf("]");
  }
  free(times);
  if (strcmp(bench.scenario, "open") == 0) peer->close_many();
}

static int bench_main(const BenchPeer *peer) {
  static char out[1 << 16];
  char first[1024];
  setvbuf(stdout, out, _IOFBF, sizeof out);
  printf("{\"version\": \"%s\", \"can\": \"echo receive send open idle broadcast %s\"}\n", peer->version, peer->can);
  fflush(stdout);
  while (fgets(first, sizeof first, stdin)) {
    char word[32] = "";
    sscanf(first, "%31s", word);
    if (strcmp(word, "prepare") == 0) {
      strcpy(bench.line, first);
      sscanf(first, "%*s %31s", bench.scenario);
      bench_prepare(peer);
      printf("{\"ready\": true");
    } else if (strcmp(word, "round") == 0) {
      bench_round(peer);
    } else if (strcmp(word, "rest") == 0) {
      double seconds = 0, cpu = bench_cpu();
      sscanf(first, "rest seconds=%lf", &seconds);
      struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
      if (peer->rest) peer->rest(seconds);
      else nanosleep(&time, NULL);
      printf("{\"cpu_us\": %.0f", bench_cpu() - cpu);
    } else if (strcmp(word, "finish") == 0) {
      if (strcmp(bench.scenario, "broadcast") == 0 || strcmp(bench.scenario, "idle") == 0) peer->close_many();
      else if (strcmp(bench.scenario, "open") != 0) peer->close();
      printf("{\"finished\": true");
    } else {
      bench_fail("unknown command: %s", first);
    }
    printf("}\n");
    fflush(stdout);
  }
  return 0;
}

#endif
