#define _POSIX_C_SOURCE 200809L
#include "relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "testing.h"

#define PAIRS 128
#define CHUNK (16 << 10)

typedef struct {
    int from, to;
    size_t begin, end;
    char bytes[CHUNK];
} Flow;

typedef struct {
    bool used;
    Flow up, down; /* to the test server, to the client */
} Pair;

struct Relay {
    pthread_mutex_t lock;
    Thread *thread;
    int listener, port, accepted;
    struct sockaddr_in address;
    char path[108];
    bool listening, held, over;
    unsigned generation; /* changes with the descriptors */
    Pair pairs[PAIRS];
};

static void lock(Relay *relay) { CHECK(pthread_mutex_lock(&relay->lock) == 0); }
static void unlock(Relay *relay) { CHECK(pthread_mutex_unlock(&relay->lock) == 0); }

static void make_nonblocking(int fd) { CHECK(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0); }

static void drop(Relay *relay, Pair *pair, bool reset)
{
    struct linger linger = {1, 0};
    if (reset) setsockopt(pair->up.from, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(pair->up.from);
    close(pair->up.to);
    pair->used = false;
    relay->generation++;
}

static void drop_all(Relay *relay, bool reset)
{
    for (int i = 0; i < PAIRS; i++)
        if (relay->pairs[i].used) drop(relay, &relay->pairs[i], reset);
}

static void accept_one(Relay *relay)
{
    int client = accept(relay->listener, NULL, NULL);
    if (client < 0) return;
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)test_port())};
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int upstream = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(upstream >= 0);
    CHECK(connect(upstream, (struct sockaddr *)&server, sizeof server) == 0);
    make_nonblocking(client);
    make_nonblocking(upstream);
    int one = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(upstream, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    Pair *pair = relay->pairs;
    while (pair->used) CHECK(++pair < relay->pairs + PAIRS);
    pair->used = true;
    pair->up = (Flow){.from = client, .to = upstream};
    pair->down = (Flow){.from = upstream, .to = client};
    relay->accepted++;
    relay->generation++;
}

/* Moves what can be moved; false: the connection is over. */
static bool move(Flow *flow, bool may_read)
{
    if (flow->begin == flow->end && may_read) {
        ssize_t got = recv(flow->from, flow->bytes, CHUNK, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return false;
        flow->begin = 0;
        flow->end = got > 0 ? (size_t)got : 0;
    }
    if (flow->begin < flow->end) {
        ssize_t sent = send(flow->to, flow->bytes + flow->begin, flow->end - flow->begin, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
        if (sent > 0) flow->begin += (size_t)sent;
    }
    return true;
}

static void serve(void *argument)
{
    Relay *relay = argument;
    for (;;) {
        struct pollfd polled[1 + 2 * PAIRS];
        Pair *whose[1 + 2 * PAIRS] = {NULL};
        nfds_t count = 0;
        lock(relay);
        if (relay->over) break;
        unsigned generation = relay->generation;
        if (relay->listening) polled[count++] = (struct pollfd){.fd = relay->listener, .events = POLLIN};
        for (Pair *pair = relay->pairs; pair < relay->pairs + PAIRS; pair++) {
            if (!pair->used) continue;
            bool up = pair->up.begin < pair->up.end, down = pair->down.begin < pair->down.end;
            short client = (short)((up || relay->held ? 0 : POLLIN) | (down ? POLLOUT : 0));
            short server = (short)((down ? 0 : POLLIN) | (up ? POLLOUT : 0));
            whose[count] = pair;
            polled[count++] = (struct pollfd){.fd = pair->up.from, .events = client};
            whose[count] = pair;
            polled[count++] = (struct pollfd){.fd = pair->up.to, .events = server};
        }
        unlock(relay);
        poll(polled, count, 5);
        lock(relay);
        if (generation == relay->generation && !relay->over)
            for (nfds_t i = 0; i < count; i++) {
                if (!polled[i].revents) continue;
                if (!whose[i])
                    accept_one(relay);
                else if (whose[i]->used && !(move(&whose[i]->up, !relay->held) && move(&whose[i]->down, true)))
                    drop(relay, whose[i], false);
            }
        unlock(relay);
    }
    unlock(relay);
}

static Relay *start(int listener, const char *path)
{
    Relay *relay = calloc(1, sizeof *relay);
    CHECK(relay != NULL);
    pthread_mutex_init(&relay->lock, NULL);
    relay->listener = listener;
    make_nonblocking(listener);
    CHECK(listen(listener, 64) == 0);
    relay->listening = true;
    snprintf(relay->path, sizeof relay->path, "%s", path);
    return relay;
}

/* A socket that is bound there; port 0 becomes a free one. */
static int bound(struct sockaddr_in *own)
{
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1, small = 16 << 10;
    CHECK(listener >= 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    /* Small, so that a relay that holds is soon full. */
    setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    WAIT_UNTIL(bind(listener, (struct sockaddr *)own, sizeof *own) == 0);
    socklen_t length = sizeof *own;
    CHECK(getsockname(listener, (struct sockaddr *)own, &length) == 0);
    return listener;
}

Relay *relay_start(const char *address, int port)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    CHECK(inet_pton(AF_INET, address, &own.sin_addr) == 1);
    Relay *relay = start(bound(&own), "");
    relay->address = own;
    relay->port = ntohs(own.sin_port);
    relay->thread = start_thread(serve, relay);
    return relay;
}

Relay *relay_start_unix(const char *path)
{
    struct sockaddr_un own = {.sun_family = AF_UNIX};
    CHECK(strlen(path) < sizeof own.sun_path);
    memcpy(own.sun_path, path, strlen(path));
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(listener >= 0);
    unlink(path);
    CHECK(bind(listener, (struct sockaddr *)&own, sizeof own) == 0);
    Relay *relay = start(listener, path);
    relay->thread = start_thread(serve, relay);
    return relay;
}

int relay_port(const Relay *relay) { return relay->port; }

int relay_accepted(Relay *relay)
{
    lock(relay);
    int accepted = relay->accepted;
    unlock(relay);
    return accepted;
}

static void change(Relay *relay, bool cut, bool reset, bool listening)
{
    lock(relay);
    if (relay->listening && !listening) {
        /* At once, also if the relay's thread waits on it. */
        shutdown(relay->listener, SHUT_RDWR);
        close(relay->listener);
    }
    if (!relay->listening && listening) {
        relay->listener = bound(&relay->address);
        make_nonblocking(relay->listener);
        CHECK(listen(relay->listener, 64) == 0);
    }
    relay->listening = listening;
    relay->generation++;
    if (cut) drop_all(relay, reset);
    unlock(relay);
}

void relay_cut(Relay *relay) { change(relay, true, true, true); }
void relay_end(Relay *relay) { change(relay, true, false, true); }
void relay_stop(Relay *relay) { change(relay, true, true, false); }
void relay_resume(Relay *relay) { change(relay, false, false, true); }

void relay_hold(Relay *relay, bool hold)
{
    lock(relay);
    relay->held = hold;
    unlock(relay);
}

void relay_inject(Relay *relay, const char *bytes, size_t size)
{
    lock(relay);
    for (Pair *pair = relay->pairs; pair < relay->pairs + PAIRS; pair++)
        if (pair->used) (void)!send(pair->up.from, bytes, size, MSG_NOSIGNAL); /* to those that are still there */
    unlock(relay);
}

void relay_free(Relay *relay)
{
    lock(relay);
    relay->over = true;
    drop_all(relay, true);
    unlock(relay);
    join_thread(relay->thread);
    if (relay->listening) close(relay->listener);
    if (relay->path[0]) unlink(relay->path);
    pthread_mutex_destroy(&relay->lock);
    free(relay);
}

const char *relay_url(const Relay *relay, const char *path)
{
    static _Thread_local char url[2048];
    snprintf(url, sizeof url, "ws://127.0.0.1:%d%s", relay->port, path);
    return url;
}
