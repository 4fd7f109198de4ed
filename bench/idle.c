/*
 * What idle connections cost: resident memory and descriptors of this process for each, and threads.
 *
 * usage: idle [COUNT [CA-FILE]]     with TLS if there is a CA-FILE     environment: WDSOCKET_TEST_PORT
 */
#define _GNU_SOURCE
#include "wdsocket.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static int opened, failed;

static void WDSOCKET_CALL on_event(int32_t event, const char *message, size_t length, const char *name,
                                   void *user_data) {
  (void)length, (void)name, (void)user_data;
  if (event == WDSOCKET_EVENT_OPENING) opened++;
  if (event == WDSOCKET_EVENT_ERROR) failed++, fprintf(stderr, "%s %s\n", message, SocketErrorMessage());
}

static long status(const char *field) {
  char line[256];
  long value = -1;
  FILE *file = fopen("/proc/self/status", "r");
  while (file && fgets(line, sizeof line, file))
    if (strncmp(line, field, strlen(field)) == 0) value = atol(line + strlen(field) + 1);
  if (file) fclose(file);
  return value;
}

static int descriptors(void) {
  int count = 0;
  DIR *directory = opendir("/proc/self/fd");
  while (directory && readdir(directory)) count++;
  if (directory) closedir(directory);
  return count;
}

static double cpu_ms(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

int main(int argc, char **argv) {
  int count = argc > 1 ? atoi(argv[1]) : 1000;
  const char *ca_file = argc > 2 ? argv[2] : NULL;
  const char *port = getenv("WDSOCKET_TEST_PORT");
  if (count <= 0 || !port) return fprintf(stderr, "usage: WDSOCKET_TEST_PORT=N idle [COUNT [CA-FILE]]\n"), 2;
  char url[64], name[32];
  snprintf(url, sizeof url, "%s:%s/echo", ca_file ? "wss://localhost" : "ws://127.0.0.1", port);
  if (ca_file && !SocketSetOption(NULL, WDSOCKET_OPTION_CA_FILE, ca_file))
    return fprintf(stderr, "%s\n", SocketErrorMessage()), 1;
  SocketSetOption(NULL, WDSOCKET_OPTION_COMPRESSION, "off");

  /* The library's own start and first connection are not the connections' cost. */
  for (int i = -1; i < count; i++) {
    static long before;
    static int files_before;
    if (i == 0) before = status("VmRSS:"), files_before = descriptors();
    snprintf(name, sizeof name, "idle%d", i);
    if (!SocketConnect(name, url, on_event, NULL, NULL)) return fprintf(stderr, "%s\n", SocketErrorMessage()), 1;
    /* Not more at a time than the server's backlog takes. */
    while (opened + failed < i + 2 - 64 || (i == count - 1 && opened + failed < count + 1) || (i < 0 && opened < 1))
      SocketDispatch(5000, 0);
    if (failed) return 1;
    if (i == count - 1) {
      double cpu = cpu_ms();
      struct timespec second = {1, 0};
      nanosleep(&second, NULL);
      cpu = cpu_ms() - cpu;
      long after = status("VmRSS:");
      printf("| %d idle connections%s | |\n|---|---|\n", count, ca_file ? ", TLS" : "");
      printf("| resident memory per connection | %.1f KiB |\n", (double)(after - before) / count);
      printf("| descriptors per connection | %.2f |\n", (double)(descriptors() - files_before) / count);
      printf("| threads in the process | %ld |\n", status("Threads:"));
      printf("| CPU in one second of idleness | %.1f ms |\n", cpu);
    }
  }
  SocketShutdown(5000);
  return 0;
}
