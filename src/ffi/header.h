/*
 * wdsocket: a WebSocket client (RFC 6455) for C, C++ and WinDev programs.
 *
 * Generated from the Rust source by cbindgen (build.rs). Do not edit.
 *
 * Connections are called by names that the host chooses. A connection is either a synchronous socket,
 * whose messages the host reads (SocketRead), or a callback socket, whose messages and other events
 * are posted to a queue and handed to a callback on the thread that dispatches (SocketDispatch, or the
 * host's own loop through SocketDispatchHandle or SocketSetWakeup).
 *
 * What holds for every function:
 *
 * - Threads: callable from any thread at any time, also inside a callback; not from a wake-up, a log
 *   function (WDSOCKET_E_BUSY), a signal handler or DllMain. In a child of fork every call fails with
 *   WDSOCKET_E_FORKED.
 * - Results are intptr_t, so that a caller that reads the whole register sees the right value. Truth
 *   values are 1 and 0. Counts, lengths and handles are 0 or more; one that failed is a negative
 *   error code (-WDSOCKET_E_TIMEOUT). SocketState and SocketErrorCode cannot fail.
 * - Errors: each call sets the calling thread's error, which SocketErrorCode and SocketErrorMessage
 *   read: a failure its code and a sentence, a success WDSOCKET_E_OK and "". Those two and
 *   SocketVersion leave it alone. A callback starts with WDSOCKET_E_OK (WDSOCKET_EVENT_ERROR: with its
 *   cause), and what the thread had before is back, the address of the sentence included, when the
 *   callback returns.
 * - Text is UTF-8, or what WDSOCKET_OPTION_TEXT_ENCODING says, and ends with a NUL. NULL or "" means the
 *   default where there is one. Names are 1 to 255 bytes, case-sensitive.
 * - UTF-16, on Windows: the functions that take or give text have forms whose names end in W, with
 *   wchar_t and with lengths, capacities and names counted in its units. They do the same for the same
 *   sockets: a name may be used by both forms in turn. Text with half a surrogate pair is refused
 *   (WDSOCKET_E_ENCODING). WDSOCKET_OPTION_TEXT_ENCODING does not affect them. They are:
 *   WebSocketClientConnectW, WebSocketClientConnectAsyncW, WebSocketClientConnectSSLW,
 *   WebSocketClientConnectSSLAsyncW, SocketConnectW, SocketWriteW, SocketWriteBinaryW, SocketCorkW, SocketReadW,
 *   SocketAvailableW, SocketMessageTypeW, SocketCloseW, SocketCloseWithW, SocketExistsW, SocketStateW,
 *   SocketInfoW, SocketChangeTransmissionModeW, SocketSetOptionW, SocketProxyW, SocketSetLogW,
 *   SocketErrorMessageW, SocketVersionW.
 * - A NULL where a value is needed, a length out of range, text that is not valid: an error, and
 *   nothing is changed. Outputs are written only on success. A message is never truncated, and never
 *   lost because a buffer was too small.
 * - Times are milliseconds, sizes are bytes.
 * - Queues: a receive queue that is full (WDSOCKET_OPTION_RECEIVE_QUEUE_BYTES) stops reading the
 *   connection, so that the peer has to wait; a send queue that is full
 *   (WDSOCKET_OPTION_SEND_QUEUE_BYTES) makes writes wait or fail. Nothing is dropped. A queue below its
 *   limit admits one whole message of any allowed size, at the limit none; each message counts its
 *   bytes plus 64. Messages that wait for a callback count as received.
 * - The library keeps itself in memory from the first call of any function.
 * - Numbers of constants never change. New events, options, items and errors may appear: ignore what
 *   you do not know.
 */

#include <stddef.h>
#include <stdint.h>

/* The calling convention of callbacks, wake-ups and log functions. */
#if defined(_WIN32) && !defined(_WIN64)
#define WDSOCKET_CALL __stdcall
#else
#define WDSOCKET_CALL
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What happens to a callback socket. Called on the thread that dispatches, and only there; one call at a
 * time, for all sockets of the process.
 *
 * - event: a WDSOCKET_EVENT_... constant.
 * - message, length: what the event says: for WDSOCKET_EVENT_MESSAGE the message's bytes (text in the
 *   socket's WDSOCKET_OPTION_TEXT_ENCODING), for WDSOCKET_EVENT_CLOSING the close code in decimal, else
 *   empty. `length` bytes, which may contain NULs, and a NUL after them; never NULL. Valid during the call
 *   only.
 * - name: the socket's name. Valid during the call only.
 * - user_data: what the connecting function was given.
 *
 * For each connection: WDSOCKET_EVENT_OPENING, then WDSOCKET_EVENT_MESSAGE any number of times, then at
 * most one WDSOCKET_EVENT_ERROR, then exactly one WDSOCKET_EVENT_CLOSING, in state WDSOCKET_STATE_CLOSED.
 * A connection that fails to come up: WDSOCKET_EVENT_ERROR, WDSOCKET_EVENT_CLOSING. After SocketClose
 * nothing comes.
 *
 * Every function may be called inside; SocketWrite never waits there, and SocketDispatch, SocketSync and
 * SocketShutdown return WDSOCKET_E_BUSY. A callback must return normally: no exception, no longjmp.
 */
typedef void (WDSOCKET_CALL *WdSocketCallback)(int32_t event, const char *message, size_t length,
                                               const char *name, void *user_data);

/* Says that callbacks wait: see SocketSetWakeup. */
typedef void (WDSOCKET_CALL *WdSocketWakeup)(void *user_data);

/* Takes a line of the library's log: see SocketSetLog. */
typedef void (WDSOCKET_CALL *WdSocketLog)(int32_t level, const char *line, void *user_data);

#if defined(_WIN32)
/*
 * WdSocketCallback in UTF-16: for a text message, a close code and the name. For a binary message `message`
 * points to its bytes, and `length` counts them (SocketMessageTypeW says which it is).
 */
typedef void (WDSOCKET_CALL *WdSocketCallbackW)(int32_t event, const wchar_t *message, size_t length,
                                                const wchar_t *name, void *user_data);

/* WdSocketLog in UTF-16: see SocketSetLogW. */
typedef void (WDSOCKET_CALL *WdSocketLogW)(int32_t level, const wchar_t *line, void *user_data);
#endif

#ifdef __cplusplus
}
#endif
