/* The host has SIGPIPE's default action, which kills: no write of the library may raise it. POSIX only. */
#define _POSIX_C_SOURCE 200809L
#include "testing.h"

#include <signal.h>

static void write_until_closed(const char *path)
{
    static char block[100000];
    connect_to("c", path);
    for (int i = 0; i < 10000; i++) {
        if (SocketWriteBinary("c", block, sizeof block) != 1) break;
    }
    WAIT_UNTIL(SocketState("c") == WDSOCKET_STATE_CLOSED);
    CHECK_FAILS(SocketWrite("c", "late", -1), WDSOCKET_E_CLOSED);
    CHECK_OK(SocketClose("c"));
}

static void a_host_that_writes_into_a_reset_connection_lives_on(void)
{
    for (int i = 0; i < 20; i++) write_until_closed("/reset?after=1");
}

static void also_when_the_peer_just_closed(void)
{
    for (int i = 0; i < 20; i++) write_until_closed("/drop?after=1");
}

static void also_when_the_library_writes_by_itself(void)
{
    /* Pings, pongs and close frames into connections that are gone. */
    for (int i = 0; i < 20; i++) {
        set_option("c", WDSOCKET_OPTION_PING_INTERVAL_MS, "1");
        connect_to("c", "/reset?after=1");
        CHECK_OK(SocketWrite("c", "now", -1));
        CHECK_OK(SocketClose("c"));
        connect_to("c", "/raw?hex=890170890171890172&then=reset");
        CHECK_OK(SocketClose("c"));
    }
}

int main(void)
{
    signal(SIGPIPE, SIG_DFL);
    RUN(a_host_that_writes_into_a_reset_connection_lives_on);
    RUN(also_when_the_peer_just_closed);
    RUN(also_when_the_library_writes_by_itself);
    return 0;
}
