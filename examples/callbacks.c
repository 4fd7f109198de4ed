/* The asynchronous form: the connect call returns at once, and what happens is told to a callback. Callbacks run one
 * at a time and only inside SocketDispatch, so on the thread that you choose: here the main thread. */
#include "wdsocket.h"
#include "server.h"

struct program {
    int running;
    int messages;
};

static void WDSOCKET_CALL on_event(int32_t event, const char *message, size_t length, const char *name,
                                   void *user_data)
{
    struct program *program = user_data; /* what was given to the connect call */

    switch (event) {
    case WDSOCKET_EVENT_OPENING:
        printf("[%s] OPENING  connected, sending a message\n", name);
        if (!SocketWrite(name, "Message from a C program.", -1)) printf("not sent: %s\n", SocketErrorMessage());
        break;

    case WDSOCKET_EVENT_MESSAGE: /* valid until this function returns: copy what you keep */
        printf("[%s] MESSAGE  \"%.*s\"\n", name, (int)length, message);
        program->messages++;
        SocketCloseWith(name, 1000, "thank you"); /* asks the server to close; CLOSING will tell when it has */
        break;

    case WDSOCKET_EVENT_ERROR: /* comes before CLOSING; the message is empty, the cause is the thread's error */
        printf("[%s] ERROR    %s (error %d)\n", name, SocketErrorMessage(), (int)SocketErrorCode());
        break;

    case WDSOCKET_EVENT_CLOSING: /* exactly once, and the last; the message is the close code */
        printf("[%s] CLOSING  code %s\n", name, message);
        program->running = 0;
        break;

    default: /* later versions may know more events */
        break;
    }
}

int main(int argc, char **argv)
{
    struct server server = server_from(argc, argv);
    struct program program = {1, 0};

    /* 1: the request is accepted. Whether it succeeds is an event, so a wrong address shows up in on_event. */
    if (!WebSocketClientConnectAsync("client", on_event, server.address, server.port, server.path, NULL, &program)) {
        printf("Not accepted: %s\n", SocketErrorMessage());
        return 1;
    }
    printf("Asked for a connection; waiting for events.\n");

    while (program.running)
        if (SocketDispatch(100, 0) == 0) /* waits up to 100 ms, runs the callbacks that are due */
            printf("(nothing happened for 100 ms: time for the program's other work)\n");

    SocketClose("client"); /* frees the name; until here SocketInfo could still be asked about it */
    printf("%d message received.\n", program.messages);
    return program.messages == 1 ? 0 : 1;
}
