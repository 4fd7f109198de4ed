/* A host with an epoll loop. The descriptor is level-triggered: register it without EPOLLET, and it stays ready for
 * as long as callbacks wait, so that SocketDispatch may also run only some of them at a time. */
#define _DEFAULT_SOURCE /* -std=c11 hides what timerfd needs */
#include "wdsocket.h"
#include "server.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

static int running = 1, open_now = 0, sent = 0, answers = 0;

static void WDSOCKET_CALL on_event(int32_t event, const char *message, size_t length, const char *name,
                                   void *user_data)
{
    (void)user_data;
    switch (event) {
    case WDSOCKET_EVENT_OPENING:
        printf("connected\n");
        open_now = 1;
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

/* Every 50 ms: the host's own business. */
static void on_tick(int timer)
{
    uint64_t ticks;
    char text[32];
    if (read(timer, &ticks, sizeof ticks) != sizeof ticks || !open_now || sent == 3) return;
    int length = snprintf(text, sizeof text, "tick %d", ++sent);
    if (!SocketWrite("client", text, length)) printf("not sent: %s\n", SocketErrorMessage());
}

int main(int argc, char **argv)
{
    struct server server = server_from(argc, argv);
    int loop = epoll_create1(EPOLL_CLOEXEC);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    int callbacks = (int)SocketDispatchHandle();
    struct itimerspec every = {{0, 50 * 1000 * 1000}, {0, 50 * 1000 * 1000}};
    struct epoll_event ready = {.events = EPOLLIN};

    ready.data.fd = timer;
    if (timerfd_settime(timer, 0, &every, NULL) || epoll_ctl(loop, EPOLL_CTL_ADD, timer, &ready)) return 1;
    ready.data.fd = callbacks;
    if (epoll_ctl(loop, EPOLL_CTL_ADD, callbacks, &ready)) return 1;

    if (!WebSocketClientConnectAsync("client", on_event, server.address, server.port, server.path, NULL, NULL)) {
        printf("not accepted: %s\n", SocketErrorMessage());
        return 1;
    }
    while (running) {
        if (epoll_wait(loop, &ready, 1, -1) != 1) continue;
        if (ready.data.fd == timer) on_tick(timer);
        /* One callback per turn: the other descriptors get theirs even under a flood of messages. */
        if (ready.data.fd == callbacks) SocketDispatch(0, 1);
    }
    SocketClose("client");
    close(timer);
    close(loop); /* `callbacks` is the library's */
    printf("%d answers\n", answers);
    return answers == 3 ? 0 : 1;
}
