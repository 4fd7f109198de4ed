/* A server of the test's own, in its own process: hands everything on to the test server, and can be cut off, stopped
   and started again at the same place, which no server of somebody else's can. For POSIX systems. */
#ifndef RELAY_H
#define RELAY_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Relay Relay;

/* Listens on this address ("127.0.0.1"), on a free port (0) or this one. */
Relay *relay_start(const char *address, int port);
/* Listens on a Unix socket at this path. */
Relay *relay_start_unix(const char *path);
int relay_port(const Relay *relay);
/* How many connections it has accepted so far. */
int relay_accepted(Relay *relay);
/* Resets all connections, and goes on listening. */
void relay_cut(Relay *relay);
/* Closes all connections in order, as a server that ends, and goes on listening. */
void relay_end(Relay *relay);
/* Resets all connections and listens no more: connections are refused. */
void relay_stop(Relay *relay);
/* Listens again, at the same place. */
void relay_resume(Relay *relay);
/* Reads nothing more from clients, so that their buffers fill, until told false. */
void relay_hold(Relay *relay, bool hold);
/* Sends these bytes to all clients, as if the server had: between two messages of the server's. */
void relay_inject(Relay *relay, const char *bytes, size_t size);
/* Ends it. */
void relay_free(Relay *relay);

/* ws://127.0.0.1:PORT and the path, of the relay; static, of each thread its own. */
const char *relay_url(const Relay *relay, const char *path);

#endif
