/*
 * How long loading the library takes, beside loading an empty one: processes that load the one or the other take
 * turns, each for itself (dlopen, everything bound), and say how long it took them.
 *
 * usage: load LIBRARY EMPTY-LIBRARY [ROUNDS]
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* What the new process does: writes the time to its standard output. */
static int load(const char *library) {
  double begin = microseconds();
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  double took = microseconds() - begin;
  if (!handle) return fprintf(stderr, "%s\n", dlerror()), 1;
  return fwrite(&took, sizeof took, 1, stdout) == 1 ? 0 : 1;
}

static double measure(char *self, char *library) {
  int ends[2], status = 1;
  double took = -1;
  pid_t child;
  char *arguments[] = {self, "--load", library, NULL};
  posix_spawn_file_actions_t actions;
  if (pipe(ends) != 0) exit(1);
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  if (posix_spawn(&child, "/proc/self/exe", &actions, NULL, arguments, environ) != 0) exit(1);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (read(ends[0], &took, sizeof took) != sizeof took || waitpid(child, &status, 0) != child || status != 0) {
    fprintf(stderr, "load: %s could not be loaded\n", library);
    exit(1);
  }
  close(ends[0]);
  return took;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "--load") == 0) return load(argv[2]);
  int rounds = argc > 3 ? atoi(argv[3]) : 1000;
  if (argc < 3 || rounds <= 0) return fprintf(stderr, "usage: load LIBRARY EMPTY-LIBRARY [ROUNDS]\n"), 2;
  double *times[2], *ratios = malloc(sizeof *ratios * (size_t)rounds);
  for (int i = 0; i < 2; i++) times[i] = malloc(sizeof *times[i] * (size_t)rounds);
  for (int i = -10; i < rounds; i++) {
    double library = measure(argv[0], argv[1]), empty = measure(argv[0], argv[2]);
    if (i < 0) continue; /* the files come into memory */
    times[0][i] = library, times[1][i] = empty, ratios[i] = library / empty;
  }
  for (int i = 0; i < 2; i++) qsort(times[i], (size_t)rounds, sizeof *times[i], ascending);
  qsort(ratios, (size_t)rounds, sizeof *ratios, ascending);
  int half = rounds / 2;
  printf("| loading, %d processes each | p50 \u00b5s | ratio |\n|---|---|---|\n", rounds);
  printf("| an empty library | %.0f | 1 |\n", times[1][half]);
  printf("| wdsocket | %.0f | %.2f (%.2f to %.2f) |\n", times[0][half], ratios[half], ratios[rounds / 4],
         ratios[rounds * 3 / 4]);
  return 0;
}
