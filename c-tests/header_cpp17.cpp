// wdsocket.h by itself, as C++17: it compiles without anything before it and links as C.
#include "wdsocket.h"

namespace {

void WDSOCKET_CALL on_event(int32_t, const char *, size_t, const char *, void *) {}
void WDSOCKET_CALL on_wakeup(void *) {}
void WDSOCKET_CALL on_log(int32_t, const char *, void *) {}

static_assert(WDSOCKET_EVENT_MESSAGE == 2, "a constant in a constant expression");

} // namespace

int main()
{
    const WdSocketCallback callback = on_event;
    const WdSocketWakeup wakeup = on_wakeup;
    const WdSocketLog log = on_log;
    if (SocketSetWakeup(wakeup, nullptr) != 1 || SocketSetLog(log, 1, nullptr) != 1) return 1;
    // No address: refused at once, so nothing is needed around this program.
    if (SocketConnect("c", "", callback, nullptr, nullptr) != 0) return 1;
    return SocketErrorCode() == WDSOCKET_E_INVALID_ARGUMENT ? 0 : 1;
}
