/* Which server the examples talk to, from the command line:
 *     echo ws://host:port/path      echo host port [path]      echo   (127.0.0.1, WDSOCKET_TEST_PORT, /echo)
 */
#ifndef EXAMPLES_SERVER_H
#define EXAMPLES_SERVER_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct server {
    const char *address; /* host name, IP address or ws:// URL */
    int32_t port;        /* 0 with a URL: the URL's own */
    const char *path;
};

static inline struct server server_from(int argc, char **argv)
{
    struct server server = {"127.0.0.1", 0, "/echo"};
    const char *test_port = getenv("WDSOCKET_TEST_PORT");
    if (argc == 2) {
        server.address = argv[1];
        server.path = "";
    } else if (argc > 2) {
        server.address = argv[1];
        server.port = atoi(argv[2]);
        server.path = argc > 3 ? argv[3] : "";
    } else if (test_port) {
        server.port = atoi(test_port);
    } else {
        fprintf(stderr, "usage: %s ws://host:port/path | host port [path]\n", argv[0]);
        exit(2);
    }
    printf("Server: %s", server.address);
    if (server.port) printf(", port %d", (int)server.port);
    printf("%s%s\n", *server.path ? ", path " : "", server.path);
    return server;
}

#endif
