/* How long dlopen of a library takes in this new process, in microseconds. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <time.h>

int main(int argc, char **argv) {
  struct timespec begin, end;
  if (argc != 2) return fprintf(stderr, "usage: load LIBRARY\n"), 2;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  clock_gettime(CLOCK_MONOTONIC, &end);
  if (!library) return fprintf(stderr, "%s\n", dlerror()), 1;
  printf("%.2f\n", (double)(end.tv_sec - begin.tv_sec) * 1e6 + (double)(end.tv_nsec - begin.tv_nsec) / 1e3);
  return 0;
}
