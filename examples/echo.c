/* The synchronous form: connect, write, wait for the answer. Each call returns when it is done, so the program reads
 * from top to bottom; the library answers the server's pings meanwhile, whatever the program does. */
#include "wdsocket.h"
#include "server.h"

/* The error belongs to the thread's last call: ask before the next one. */
static int failed(const char *what)
{
    printf("%s failed: %s (error %d)\n", what, SocketErrorMessage(), (int)SocketErrorCode());
    SocketClose("wbsocket"); /* if it exists; a failed connection leaves no name behind */
    return 1;
}

int main(int argc, char **argv)
{
    struct server server = server_from(argc, argv);
    const char *text = "Bonjour le monde !"; /* UTF-8 */
    char answer[4096];
    intptr_t length;

    /* The name stands for the connection in every later call. Five seconds for the whole attempt. */
    if (!WebSocketClientConnect("wbsocket", server.address, server.port, server.path, NULL, 5000))
        return failed("Connecting");
    printf("Connected.\n");

    /* -1: up to the NUL. The message goes out as one text message. */
    if (!SocketWrite("wbsocket", text, -1)) return failed("Writing");
    printf("Sent:     %s\n", text);

    /* One whole message, waiting until it comes; 0 instead of 1 would wait for the milliseconds that follow.
     * A message longer than the buffer is not cut: the call fails and the message stays. */
    length = SocketRead("wbsocket", 1, 0, answer, sizeof answer);
    if (length < 0) return failed("Reading");
    printf("Received: %.*s\n", (int)length, answer);

    /* The name is free at once, the closing handshake runs in the background. Since this program ends here, it gives
     * the handshake a second to finish; one that goes on needs no SocketShutdown. */
    SocketClose("wbsocket");
    if (!SocketShutdown(1000)) return failed("Closing");
    printf("Closed in order.\n");
    return 0;
}
