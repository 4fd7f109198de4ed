/* A host built on libuv: a uv_poll_t on the library's descriptor. Callbacks then run on the loop's thread and may use
 * everything that belongs to it. */
#define _DEFAULT_SOURCE /* -std=c11 hides what uv.h needs */
#include "wdsocket.h"
#include "server.h"

#include <uv.h>

static uv_poll_t callbacks;
static uv_timer_t timer;
static int sent = 0, answers = 0;

/* The loop ends when nothing is left in it. uv_close on the handle leaves the library's descriptor open. */
static void finish(void)
{
    uv_close((uv_handle_t *)&callbacks, NULL);
    uv_close((uv_handle_t *)&timer, NULL);
}

static void on_timer(uv_timer_t *handle)
{
    char text[32];
    int length = snprintf(text, sizeof text, "tick %d", ++sent);
    if (!SocketWrite("client", text, length)) printf("not sent: %s\n", SocketErrorMessage());
    if (sent == 3) uv_timer_stop(handle);
}

static void WDSOCKET_CALL on_event(int32_t event, const char *message, size_t length, const char *name,
                                   void *user_data)
{
    (void)user_data;
    switch (event) {
    case WDSOCKET_EVENT_OPENING:
        printf("connected\n");
        uv_timer_start(&timer, on_timer, 0, 50);
        break;
    case WDSOCKET_EVENT_MESSAGE:
        printf("answer: %.*s\n", (int)length, message);
        if (++answers == 3) SocketCloseWith(name, 1000, NULL);
        break;
    case WDSOCKET_EVENT_ERROR: printf("error: %s\n", SocketErrorMessage()); break;
    case WDSOCKET_EVENT_CLOSING:
        printf("closed with code %s\n", message);
        SocketClose(name); /* legal here, like every call: frees the name from inside its last callback */
        finish();
        break;
    default: break;
    }
}

static void on_ready(uv_poll_t *handle, int status, int events)
{
    (void)handle, (void)status, (void)events;
    SocketDispatch(0, 0); /* never waits: the loop does that */
}

int main(int argc, char **argv)
{
    struct server server = server_from(argc, argv);
    uv_loop_t *loop = uv_default_loop();

    uv_timer_init(loop, &timer);
    uv_poll_init(loop, &callbacks, (int)SocketDispatchHandle());
    uv_poll_start(&callbacks, UV_READABLE, on_ready);

    if (!WebSocketClientConnectAsync("client", on_event, server.address, server.port, server.path, NULL, NULL)) {
        printf("not accepted: %s\n", SocketErrorMessage());
        finish();
    }
    uv_run(loop, UV_RUN_DEFAULT);
    uv_loop_close(loop);
    printf("%d answers\n", answers);
    return answers == 3 ? 0 : 1;
}
