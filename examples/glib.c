/* A host with GLib's main loop, as in a GTK program: the library's descriptor is a source of the main context, and
 * callbacks run on the main thread, where they may touch the user interface. */
#include "wdsocket.h"
#include "server.h"

#include <glib-unix.h>

static GMainLoop *loop;
static int sent = 0, answers = 0;

/* Stands for a button that the user presses. */
static gboolean on_tick(gpointer data)
{
    char *text = g_strdup_printf("tick %d", ++sent);
    (void)data;
    if (!SocketWrite("client", text, -1)) g_print("not sent: %s\n", SocketErrorMessage());
    g_free(text);
    return sent < 3 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void WDSOCKET_CALL on_event(int32_t event, const char *message, size_t length, const char *name,
                                   void *user_data)
{
    (void)user_data;
    switch (event) {
    case WDSOCKET_EVENT_OPENING:
        g_print("connected\n");
        g_timeout_add(50, on_tick, NULL);
        break;
    case WDSOCKET_EVENT_MESSAGE:
        g_print("answer: %.*s\n", (int)length, message);
        if (++answers == 3) SocketCloseWith(name, 1000, NULL);
        break;
    case WDSOCKET_EVENT_ERROR: g_print("error: %s\n", SocketErrorMessage()); break;
    case WDSOCKET_EVENT_CLOSING:
        g_print("closed with code %s\n", message);
        g_main_loop_quit(loop);
        break;
    default: break;
    }
}

static gboolean on_ready(gint descriptor, GIOCondition condition, gpointer data)
{
    (void)descriptor, (void)condition, (void)data;
    SocketDispatch(0, 0); /* a callback that opens a modal dialog runs the loop inside: this is then BUSY, harmless */
    return G_SOURCE_CONTINUE;
}

int main(int argc, char **argv)
{
    struct server server = server_from(argc, argv);
    loop = g_main_loop_new(NULL, FALSE);
    guint source = g_unix_fd_add((gint)SocketDispatchHandle(), G_IO_IN, on_ready, NULL);

    if (WebSocketClientConnectAsync("client", on_event, server.address, server.port, server.path, NULL, NULL))
        g_main_loop_run(loop);
    else
        g_print("not accepted: %s\n", SocketErrorMessage());

    SocketClose("client");
    g_source_remove(source);
    g_main_loop_unref(loop);
    g_print("%d answers\n", answers);
    return answers == 3 ? 0 : 1;
}
