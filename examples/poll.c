/* A host with its own poll() loop: the library's descriptor is one more in its list. It is readable while callbacks
 * wait; SocketDispatch(0, 0) then runs them, without waiting. Nothing else of the loop changes. */
#include "wdsocket.h"
#include "server.h"

#include <poll.h>
#include <unistd.h>

static int running = 1, answers = 0;
static int work[2]; /* a pipe of the host's own, standing for whatever else it waits for */

static void WDSOCKET_CALL on_event(int32_t event, const char *message, size_t length, const char *name,
                                   void *user_data)
{
    (void)user_data;
    switch (event) {
    case WDSOCKET_EVENT_OPENING:
        printf("connected\n");
        if (write(work[1], "3", 1) != 1) running = 0; /* the host has something to do now: three messages */
        break;
    case WDSOCKET_EVENT_MESSAGE:
        printf("answer: %.*s\n", (int)length, message);
        if (++answers == 3) SocketCloseWith(name, 1000, NULL);
        break;
    case WDSOCKET_EVENT_ERROR: printf("error: %s\n", SocketErrorMessage()); break;
    case WDSOCKET_EVENT_CLOSING:
        printf("closed with code %s\n", message);
        running = 0;
        break;
    default: break;
    }
}

static void do_work(void)
{
    char count;
    if (read(work[0], &count, 1) != 1) return;
    for (int i = 0; i < count - '0'; i++) {
        char text[32];
        int length = snprintf(text, sizeof text, "message %d", i + 1);
        if (!SocketWrite("client", text, length)) printf("not sent: %s\n", SocketErrorMessage());
    }
}

int main(int argc, char **argv)
{
    struct server server = server_from(argc, argv);
    if (pipe(work) != 0) return 1;
    if (!WebSocketClientConnectAsync("client", on_event, server.address, server.port, server.path, NULL, NULL)) {
        printf("not accepted: %s\n", SocketErrorMessage());
        return 1;
    }
    /* The same descriptor for the whole life of the process. It is the library's: wait on it, never read, never
     * close it. */
    struct pollfd list[] = {{.fd = work[0], .events = POLLIN},
                            {.fd = (int)SocketDispatchHandle(), .events = POLLIN}};
    while (running) {
        if (poll(list, 2, -1) < 0) continue; /* EINTR */
        if (list[0].revents) do_work();
        if (list[1].revents) SocketDispatch(0, 0); /* 0 callbacks is no error: wake-ups may be spurious */
    }
    SocketClose("client");
    printf("%d answers\n", answers);
    return answers == 3 ? 0 : 1;
}
