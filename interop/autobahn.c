/*
 * The Autobahn client protocol as a C host: asks how many cases there are, echoes each one's messages, and
 * has the report written.
 *
 *   autobahn sync|callback PORT AGENT
 *
 * The verdict on each case is the server's (autobahn.py reads it). Here it is an error only when the library
 * does what its header rules out: a connection that is refused, a write that fails while the socket is open,
 * a case that does not end.
 */
#include "host.h"

/* The slowest case sends some 16 MiB in pieces of 64 bytes; compressed ones take longer. */
enum { CONNECT_MS = 10000, CASE_MS = 120000 };

static int32_t port;
static const char *agent;
static int failures;

static void complain(const char *what, long number)
{
    fprintf(stderr, "case %ld: %s: %s\n", number, what, SocketErrorMessage());
    failures++;
}

/* The peer may end the connection between its message and our answer. */
static void echo(const char *name, int type, const void *bytes, size_t length, long number)
{
    if (write_message(name, type, bytes, length) == 1)
        return;
    if (SocketErrorCode() != WDSOCKET_E_CLOSED)
        complain("the echo was not accepted", number);
}

static void run_sync(const char *path, long number)
{
    static struct buffer buffer;

    if (WebSocketClientConnect("case", LOOPBACK, port, path, NULL, CONNECT_MS) != 1) {
        complain("cannot connect", number);
        return;
    }
    intptr_t length;
    while ((length = read_message("case", &buffer, CASE_MS)) >= 0)
        echo("case", (int)SocketMessageType("case"), buffer.bytes, (size_t)length, number);
    if (length != -WDSOCKET_E_CLOSED)
        complain("the case did not end", number);
    SocketClose("case");
}

struct run {
    long number;
    int opened;
    int closed;
};

static void WDSOCKET_CALL on_event(int32_t event, const char *message, size_t length, const char *name, void *data)
{
    struct run *run = data;

    switch (event) {
    case WDSOCKET_EVENT_OPENING:
        run->opened++;
        break;
    case WDSOCKET_EVENT_MESSAGE:
        echo(name, (int)SocketMessageType(name), message, length, run->number);
        break;
    case WDSOCKET_EVENT_CLOSING:
        run->closed++;
        break;
    default: /* an ERROR is what many cases are about; the server judges them */
        break;
    }
}

static void run_callback(const char *path, long number)
{
    struct run run = {.number = number};

    if (WebSocketClientConnectAsync("case", on_event, LOOPBACK, port, path, NULL, &run) != 1) {
        complain("cannot connect", number);
        return;
    }
    while (run.closed == 0) {
        if (SocketDispatch(CASE_MS, 0) <= 0) {
            complain("the case did not end", number);
            break;
        }
    }
    if (run.opened != 1) {
        fprintf(stderr, "case %ld: %d OPENING events\n", number, run.opened);
        failures++;
    }
    SocketClose("case");
}

static long case_count(void)
{
    char text[32];

    if (WebSocketClientConnect("count", LOOPBACK, port, "/getCaseCount", NULL, CONNECT_MS) != 1 ||
        SocketRead("count", 0, CONNECT_MS, text, sizeof text) < 0)
        die("cannot ask for the number of cases: %s", SocketErrorMessage());
    SocketClose("count");
    return strtol(text, NULL, 10);
}

static void update_reports(void)
{
    char path[256], byte[1];

    snprintf(path, sizeof path, "/updateReports?agent=%s", agent);
    if (WebSocketClientConnect("report", LOOPBACK, port, path, NULL, CONNECT_MS) != 1)
        die("cannot ask for the report: %s", SocketErrorMessage());
    SocketRead("report", 0, CASE_MS, byte, sizeof byte); /* the server closes once it is written */
    SocketClose("report");
}

int main(int argc, char **argv)
{
    if (argc != 4 || (strcmp(argv[1], "sync") != 0 && strcmp(argv[1], "callback") != 0))
        die("usage: autobahn sync|callback PORT AGENT");
    bool callback = strcmp(argv[1], "callback") == 0;
    port = (int32_t)strtol(argv[2], NULL, 10);
    agent = argv[3];

    /* The echoes of small messages too; no pings, which end the case where it does not expect them. */
    if (SocketSetOption(NULL, WDSOCKET_OPTION_COMPRESSION_MIN_BYTES, "0") != 1 ||
        SocketSetOption(NULL, WDSOCKET_OPTION_PING_INTERVAL_MS, "0") != 1)
        die("SocketSetOption: %s", SocketErrorMessage());
    long count = case_count();
    for (long number = 1; number <= count; number++) {
        char path[256];
        snprintf(path, sizeof path, "/runCase?case=%ld&agent=%s", number, agent);
        (callback ? run_callback : run_sync)(path, number);
    }
    /* Closing handshakes that still run belong to their cases. */
    if (SocketShutdown(10000) != 1)
        complain("shutdown", count);
    update_reports();
    SocketShutdown(10000);
    return failures > 0;
}
