/* SocketDispatchHandle in a host's own poll loop. POSIX only: on Windows it is an event (dispatch_event). */
#define _POSIX_C_SOURCE 200809L
#include "dispatch_signal.h"

#include <poll.h>

static bool signalled(int ms)
{
    struct pollfd descriptor = {.fd = (int)SocketDispatchHandle(), .events = POLLIN};
    return poll(&descriptor, 1, ms) == 1;
}

static void it_is_a_descriptor_before_any_connection(void)
{
    CHECK(SocketDispatchHandle() >= 0);
    CHECK_INT(SocketErrorCode(), WDSOCKET_E_OK);
    expect_quiet();
}

int main(void)
{
    RUN(it_is_a_descriptor_before_any_connection);
    RUN_SIGNAL_TESTS();
    return 0;
}
