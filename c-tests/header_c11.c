/* wdsocket.h by itself, as C11: it compiles without anything before it, its constants have their
   numbers for ever, and each function has the promised type. */
#include "wdsocket.h"

#define IS(constant, number) _Static_assert((constant) == (number), #constant)

IS(WDSOCKET_EVENT_OPENING, 1);
IS(WDSOCKET_EVENT_MESSAGE, 2);
IS(WDSOCKET_EVENT_CLOSING, 3);
IS(WDSOCKET_EVENT_ERROR, 4);
IS(WDSOCKET_EVENT_WRITABLE, 5);

IS(WDSOCKET_STATE_NONE, 0);
IS(WDSOCKET_STATE_CONNECTING, 1);
IS(WDSOCKET_STATE_OPEN, 2);
IS(WDSOCKET_STATE_CLOSING, 3);
IS(WDSOCKET_STATE_CLOSED, 4);

IS(WDSOCKET_OPTION_HEADER, 1);
IS(WDSOCKET_OPTION_ORIGIN, 2);
IS(WDSOCKET_OPTION_USER_AGENT, 3);
IS(WDSOCKET_OPTION_SUBPROTOCOL_REQUIRED, 4);
IS(WDSOCKET_OPTION_CONNECT_TIMEOUT_MS, 5);
IS(WDSOCKET_OPTION_CLOSE_TIMEOUT_MS, 6);
IS(WDSOCKET_OPTION_WRITE_TIMEOUT_MS, 7);
IS(WDSOCKET_OPTION_PING_INTERVAL_MS, 8);
IS(WDSOCKET_OPTION_PONG_TIMEOUT_MS, 9);
IS(WDSOCKET_OPTION_MAX_MESSAGE_BYTES, 10);
IS(WDSOCKET_OPTION_RECEIVE_QUEUE_BYTES, 11);
IS(WDSOCKET_OPTION_SEND_QUEUE_BYTES, 12);

IS(WDSOCKET_INFO_PROTOCOL, 1);
IS(WDSOCKET_INFO_EXTENSIONS, 2);
IS(WDSOCKET_INFO_REMOTE_ADDRESS, 3);
IS(WDSOCKET_INFO_CLOSE_CODE, 4);
IS(WDSOCKET_INFO_CLOSE_REASON, 5);
IS(WDSOCKET_INFO_HTTP_STATUS, 6);
IS(WDSOCKET_INFO_RESPONSE_HEADERS, 7);
IS(WDSOCKET_INFO_BYTES_IN, 9);
IS(WDSOCKET_INFO_BYTES_OUT, 10);
IS(WDSOCKET_INFO_MESSAGES_IN, 11);
IS(WDSOCKET_INFO_MESSAGES_OUT, 12);
IS(WDSOCKET_OPTION_SPIN_US, 14);
IS(WDSOCKET_INFO_QUEUED_IN, 13);
IS(WDSOCKET_INFO_QUEUED_OUT, 14);
IS(WDSOCKET_INFO_PING_MS, 15);
IS(WDSOCKET_INFO_URL, 16);
IS(WDSOCKET_INFO_LAST_ERROR, 17);
IS(WDSOCKET_INFO_WIRE_BYTES_IN, 21);
IS(WDSOCKET_INFO_WIRE_BYTES_OUT, 22);

IS(WDSOCKET_E_OK, 0);
IS(WDSOCKET_E_INVALID_ARGUMENT, 1);
IS(WDSOCKET_E_UNKNOWN_NAME, 2);
IS(WDSOCKET_E_NAME_IN_USE, 3);
IS(WDSOCKET_E_CLOSED, 4);
IS(WDSOCKET_E_TIMEOUT, 5);
IS(WDSOCKET_E_RESOLVE, 6);
IS(WDSOCKET_E_REFUSED, 7);
IS(WDSOCKET_E_IO, 8);
IS(WDSOCKET_E_TLS, 9);
IS(WDSOCKET_E_HANDSHAKE, 10);
IS(WDSOCKET_E_SUBPROTOCOL, 11);
IS(WDSOCKET_E_ENCODING, 12);
IS(WDSOCKET_E_TOO_BIG, 13);
IS(WDSOCKET_E_BUFFER_TOO_SMALL, 14);
IS(WDSOCKET_E_CALLBACK_SOCKET, 15);
IS(WDSOCKET_E_SEND_QUEUE_FULL, 16);
IS(WDSOCKET_E_PROXY, 17);
IS(WDSOCKET_E_PROTOCOL, 18);
IS(WDSOCKET_E_CANCELLED, 19);
IS(WDSOCKET_E_BUSY, 20);
IS(WDSOCKET_E_NO_MESSAGE, 21);
IS(WDSOCKET_E_FORKED, 22);
IS(WDSOCKET_E_UNSUPPORTED, 23);
IS(WDSOCKET_E_NOT_OPEN, 24);
IS(WDSOCKET_E_INTERNAL, 99);

typedef intptr_t Connect(const char *, const char *, int32_t, const char *, const char *, int32_t);
typedef intptr_t ConnectAsync(const char *, WdSocketCallback, const char *, int32_t, const char *, const char *, void *);
typedef intptr_t ConnectUrl(const char *, const char *, WdSocketCallback, const char *, void *);
typedef intptr_t Write(const char *, const void *, intptr_t);
typedef intptr_t Read(const char *, int32_t, int32_t, void *, size_t);
typedef intptr_t OfName(const char *);
typedef intptr_t ChangeMode(const char *, int32_t, const char *);

Connect *const connect_functions[] = {WebSocketClientConnect, WebSocketClientConnecte};
ConnectAsync *const async_functions[] = {WebSocketClientConnectAsync, WebSocketClientConnecteAsync};
ConnectUrl *const url_functions[] = {SocketConnect, SocketConnecte};
Write *const write_functions[] = {SocketWrite, SocketWriteBinary, SocketEcrit};
Read *const read_functions[] = {SocketRead, SocketLit};
OfName *const name_functions[] = {SocketAvailable, SocketMessageType, SocketClose, SocketFerme, SocketExists, SocketExiste, SocketState};
ChangeMode *const mode_functions[] = {SocketChangeTransmissionMode, SocketChangeModeTransmission};
intptr_t (*const dispatch)(int32_t, int32_t) = SocketDispatch;
intptr_t (*const simple[])(void) = {SocketWake, SocketDispatchHandle, SocketErrorCode};
intptr_t (*const timed[])(int32_t) = {SocketSync, SocketShutdown};
intptr_t (*const close_with)(const char *, int32_t, const char *) = SocketCloseWith;
intptr_t (*const info)(const char *, int32_t, char *, size_t) = SocketInfo;
intptr_t (*const set_option)(const char *, int32_t, const char *) = SocketSetOption;
const char *(*const texts[])(void) = {SocketErrorMessage, SocketVersion};

static void WDSOCKET_CALL on_event(int32_t event, const char *message, size_t length, const char *name, void *user_data)
{
    (void)event, (void)message, (void)length, (void)name, (void)user_data;
}

static void WDSOCKET_CALL on_wakeup(void *user_data) { (void)user_data; }

static void WDSOCKET_CALL on_log(int32_t level, const char *line, void *user_data) { (void)level, (void)line, (void)user_data; }

int main(void)
{
    WdSocketCallback callback = on_event;
    WdSocketWakeup wakeup = on_wakeup;
    WdSocketLog log = on_log;
    return callback != NULL && SocketSetWakeup(wakeup, NULL) == 1 && SocketSetLog(log, 1, NULL) == 1 ? 0 : 1;
}
