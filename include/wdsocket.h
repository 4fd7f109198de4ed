#ifndef WDSOCKET_H
#define WDSOCKET_H

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


/**
 * The connection is open: messages can be sent. `message` is empty.
 */
#define WDSOCKET_EVENT_OPENING 1

/**
 * A message has arrived: `message` is its bytes.
 */
#define WDSOCKET_EVENT_MESSAGE 2

/**
 * The connection has ended: `message` is the close code in decimal. The peer's; `"1005"` if its
 * close frame had none; where none came, the code with which this side failed the connection
 * (`"1002"`, `"1007"`, `"1009"`), else `"1006"`.
 */
#define WDSOCKET_EVENT_CLOSING 3

/**
 * Something went wrong: `SocketErrorCode` and `SocketErrorMessage` say what. `message` is empty.
 */
#define WDSOCKET_EVENT_ERROR 4

/**
 * After a write failed with `WDSOCKET_E_SEND_QUEUE_FULL`: at least half the queue is free again.
 * `message` is empty.
 */
#define WDSOCKET_EVENT_WRITABLE 5

/**
 * No connection has this name.
 */
#define WDSOCKET_STATE_NONE 0

/**
 * The connection attempt is running.
 */
#define WDSOCKET_STATE_CONNECTING 1

/**
 * Messages can be sent.
 */
#define WDSOCKET_STATE_OPEN 2

/**
 * A close frame has been sent or received; messages may still arrive.
 */
#define WDSOCKET_STATE_CLOSING 3

/**
 * The connection has ended; its name is still there.
 */
#define WDSOCKET_STATE_CLOSED 4

/**
 * The kind of a message (`SocketMessageType`): text.
 */
#define WDSOCKET_MESSAGE_TEXT 1

/**
 * The kind of a message (`SocketMessageType`): binary.
 */
#define WDSOCKET_MESSAGE_BINARY 2

/**
 * One `Name: value`, added to the default header lines of the upgrade request.
 */
#define WDSOCKET_OPTION_HEADER 1

/**
 * `Origin` of the upgrade request. Default: none is sent.
 */
#define WDSOCKET_OPTION_ORIGIN 2

/**
 * `User-Agent` of the upgrade request. Default: `wdsocket/` and the version.
 */
#define WDSOCKET_OPTION_USER_AGENT 3

/**
 * `"on"` (default): a server that chooses none of the subprotocols fails the connection. `"off"`: it
 * may choose none.
 */
#define WDSOCKET_OPTION_SUBPROTOCOL_REQUIRED 4

/**
 * For a whole connection attempt, where the call gives no time. 1 to 2147483647 ms, default 5000.
 */
#define WDSOCKET_OPTION_CONNECT_TIMEOUT_MS 5

/**
 * For the closing handshake. 0 to 2147483647 ms, default 5000.
 */
#define WDSOCKET_OPTION_CLOSE_TIMEOUT_MS 6

/**
 * How long a write waits for room in the send queue. 0 (not at all) to 2147483647 ms, default 5000.
 */
#define WDSOCKET_OPTION_WRITE_TIMEOUT_MS 7

/**
 * Time between pings. 0 (none) to 2147483647 ms, default 30000.
 */
#define WDSOCKET_OPTION_PING_INTERVAL_MS 8

/**
 * How long a pong may take before the connection is given up. 1 to 2147483647 ms, default 20000.
 */
#define WDSOCKET_OPTION_PONG_TIMEOUT_MS 9

/**
 * The largest message, either way. 1 to 2147483647 bytes (text: of UTF-8), default 64 MiB. A larger one
 * that the peer sends ends the connection with 1009, a larger one that the host sends is refused.
 */
#define WDSOCKET_OPTION_MAX_MESSAGE_BYTES 10

/**
 * Limit of the receive queue. 1 to 2147483647 bytes, default 16 MiB.
 */
#define WDSOCKET_OPTION_RECEIVE_QUEUE_BYTES 11

/**
 * Limit of the send queue. 1 to 2147483647 bytes, default 16 MiB.
 */
#define WDSOCKET_OPTION_SEND_QUEUE_BYTES 12

/**
 * The host's encoding: `"utf-8"` (default), `"system"` (Windows' ANSI code page, elsewhere UTF-8), or a label of
 * the Encoding Standard (encoding.spec.whatwg.org) such as `"windows-1252"`, of those that contain ASCII
 * unchanged. The one set for all names applies to names, addresses, options, errors and log lines, in both
 * directions and at once; a connection's text messages have its name's own, or else the one for all names. Text that
 * the host gives and that is not valid is refused (`WDSOCKET_E_ENCODING`); where the host gets a character
 * that its encoding has not, it gets `?`. Lengths and capacities count the host's bytes.
 */
#define WDSOCKET_OPTION_TEXT_ENCODING 13

/**
 * For how long a thread that waits for a message looks for it again and again before it sleeps: a core's whole time for
 * some microseconds less. 0 (off, the default) to 1000000 microseconds. `SocketRead` goes by its socket's,
 * `SocketDispatch` by the one set for all names.
 */
#define WDSOCKET_OPTION_SPIN_US 14

/**
 * PEM file with the certificates that are trusted instead of the system's: of authorities, or the server's
 * own. Default: the system's.
 */
#define WDSOCKET_OPTION_CA_FILE 20

/**
 * PEM file with the client's certificate, and behind it those that it depends on. With
 * `WDSOCKET_OPTION_CLIENT_KEY_FILE`. Default: none.
 */
#define WDSOCKET_OPTION_CLIENT_CERT_FILE 21

/**
 * PEM file with the client's private key: PKCS#8, PKCS#1 (RSA) or SEC1 (EC), not encrypted.
 */
#define WDSOCKET_OPTION_CLIENT_KEY_FILE 22

/**
 * `"on"` (default): the server's certificate must be valid, from somebody who is trusted, and for the name.
 * `"off"`: any will do, and anybody between this machine and the server can read and change everything.
 */
#define WDSOCKET_OPTION_VERIFY_PEER 23

/**
 * Name or IP address that the server's certificate must be for, and that the server is told (SNI).
 * Default: what was connected to.
 */
#define WDSOCKET_OPTION_SERVER_NAME 24

/**
 * Keys that the server may have, each `sha256//` and the SHA-256 digest of its `SubjectPublicKeyInfo` in
 * base64, separated by `;`. In addition to the verification. Default: any.
 */
#define WDSOCKET_OPTION_PINNED_KEY 25

/**
 * Proxy: `scheme://[user[:password]@]host[:port]`, the scheme `http`, `https`, `socks5` or `socks5h`. `""`:
 * none. NULL: what the environment says (`SocketProxy`), the default. For later connections.
 */
#define WDSOCKET_OPTION_PROXY 30

/**
 * Reconnecting: the limit of the first delay, which doubles with each failure. 0 to 2147483647 ms, default
 * 0. Where neither this nor `WDSOCKET_OPTION_RECONNECT_MAX_MS` is above 0, a lost connection stays lost.
 * Where only the other is: 500, or that. Counts at once for a connection that lives or waits to be made again; one
 * that has ended does not come back.
 */
#define WDSOCKET_OPTION_RECONNECT_MIN_MS 31

/**
 * Reconnecting: the largest delay. 0 to 2147483647 ms, default 0. Where only
 * `WDSOCKET_OPTION_RECONNECT_MIN_MS` is above 0: 30000, or that.
 */
#define WDSOCKET_OPTION_RECONNECT_MAX_MS 32

/**
 * `"on"` (default): permessage-deflate (RFC 7692) is offered, and messages are compressed if the server
 * agrees. `"off"`: it is not. For later connections.
 */
#define WDSOCKET_OPTION_COMPRESSION 40

/**
 * Messages below this go uncompressed, empty ones always. 0 to 2147483647 bytes, default 1024.
 */
#define WDSOCKET_OPTION_COMPRESSION_MIN_BYTES 41

/**
 * The largest window for compression, either way, as the logarithm of its size in bytes (RFC 7692, section
 * 7.1.2). 9 (512 bytes) to 15 (32 KiB), default 15. A server that cannot keep to less does not compress.
 * For later connections.
 */
#define WDSOCKET_OPTION_COMPRESSION_WINDOW_BITS 42

/**
 * `"on"` (default): a compressed message may refer to those before it, either way (RFC 7692, section
 * 7.1.1), which makes similar messages much smaller and costs the memory of two windows. `"off"`: each
 * stands alone. For later connections.
 */
#define WDSOCKET_OPTION_COMPRESSION_CONTEXT_TAKEOVER 43

/**
 * The subprotocol that the server chose; empty if none.
 */
#define WDSOCKET_INFO_PROTOCOL 1

/**
 * What was agreed on about compression, such as `permessage-deflate; server_max_window_bits=10`; empty if
 * nothing.
 */
#define WDSOCKET_INFO_EXTENSIONS 2

/**
 * The address connected to: `127.0.0.1:9001`, `[::1]:9001`.
 */
#define WDSOCKET_INFO_REMOTE_ADDRESS 3

/**
 * The close code, as `WDSOCKET_EVENT_CLOSING` gives it; empty while the connection has not ended.
 */
#define WDSOCKET_INFO_CLOSE_CODE 4

/**
 * The reason in the peer's close frame.
 */
#define WDSOCKET_INFO_CLOSE_REASON 5

/**
 * The HTTP status of the server's answer: `101` if the upgrade was accepted; empty if none came.
 */
#define WDSOCKET_INFO_HTTP_STATUS 6

/**
 * The header lines of the server's answer, names in lower case, each line ended by CR LF.
 */
#define WDSOCKET_INFO_RESPONSE_HEADERS 7

/**
 * TLS version and cipher suite, such as `TLSv1.3 TLS13_AES_256_GCM_SHA384`; empty without TLS.
 */
#define WDSOCKET_INFO_TLS 8

/**
 * Bytes of messages received, after decompression.
 */
#define WDSOCKET_INFO_BYTES_IN 9

/**
 * Bytes of messages written, before compression.
 */
#define WDSOCKET_INFO_BYTES_OUT 10

/**
 * Messages received.
 */
#define WDSOCKET_INFO_MESSAGES_IN 11

/**
 * Messages written.
 */
#define WDSOCKET_INFO_MESSAGES_OUT 12

/**
 * Bytes of messages that were received and not yet read, or not yet delivered to the callback.
 */
#define WDSOCKET_INFO_QUEUED_IN 13

/**
 * Bytes of messages that were written and that the system has not taken yet.
 */
#define WDSOCKET_INFO_QUEUED_OUT 14

/**
 * The last round trip of a ping in milliseconds, with three decimals; empty before the first.
 */
#define WDSOCKET_INFO_PING_MS 15

/**
 * The URL connected to.
 */
#define WDSOCKET_INFO_URL 16

/**
 * What ended the connection, or made the attempt fail; empty while it has not ended.
 */
#define WDSOCKET_INFO_LAST_ERROR 17

/**
 * The server's certificate: `subject: …`, `issuer: …`, `expires: …`, a line each; empty without TLS.
 */
#define WDSOCKET_INFO_PEER_CERTIFICATE 18

/**
 * The proxy that the connection goes through, without login; empty if none.
 */
#define WDSOCKET_INFO_PROXY 19

/**
 * How often the connection was lost and has come back.
 */
#define WDSOCKET_INFO_RECONNECTIONS 20

/**
 * Bytes received after the upgrade, compressed where messages were, framing included.
 */
#define WDSOCKET_INFO_WIRE_BYTES_IN 21

/**
 * Bytes that the system has taken after the upgrade, compressed where messages were, framing included.
 */
#define WDSOCKET_INFO_WIRE_BYTES_OUT 22

/**
 * `ssl_options`: TLS 1.0. Accepted beside newer versions, never used (RFC 8996).
 */
#define WDSOCKET_SSL_TLS1 4

/**
 * `ssl_options`: TLS 1.1. Accepted beside newer versions, never used (RFC 8996).
 */
#define WDSOCKET_SSL_TLS1_1 8

/**
 * `ssl_options`: TLS 1.2.
 */
#define WDSOCKET_SSL_TLS1_2 16

/**
 * `ssl_options`: TLS 1.3.
 */
#define WDSOCKET_SSL_TLS1_3 32

/**
 * No error.
 */
#define WDSOCKET_E_OK 0

/**
 * An argument is missing, out of range or contradicts another.
 */
#define WDSOCKET_E_INVALID_ARGUMENT 1

/**
 * No socket has this name.
 */
#define WDSOCKET_E_UNKNOWN_NAME 2

/**
 * The name's connection is still live.
 */
#define WDSOCKET_E_NAME_IN_USE 3

/**
 * The connection has ended, or is being closed.
 */
#define WDSOCKET_E_CLOSED 4

/**
 * A time limit has passed.
 */
#define WDSOCKET_E_TIMEOUT 5

/**
 * The host name could not be resolved.
 */
#define WDSOCKET_E_RESOLVE 6

/**
 * The server refused the TCP connection.
 */
#define WDSOCKET_E_REFUSED 7

/**
 * The operating system reported an error, or the connection was lost.
 */
#define WDSOCKET_E_IO 8

/**
 * TLS failed.
 */
#define WDSOCKET_E_TLS 9

/**
 * The server's answer to the upgrade request is not 101, or not a WebSocket's.
 */
#define WDSOCKET_E_HANDSHAKE 10

/**
 * The server chose none of the subprotocols, or one that was not offered.
 */
#define WDSOCKET_E_SUBPROTOCOL 11

/**
 * Text that is not valid: the host's in its encoding, or the peer's, which is UTF-8.
 */
#define WDSOCKET_E_ENCODING 12

/**
 * A message above `WDSOCKET_OPTION_MAX_MESSAGE_BYTES`.
 */
#define WDSOCKET_E_TOO_BIG 13

/**
 * The buffer is too small; nothing was lost.
 */
#define WDSOCKET_E_BUFFER_TOO_SMALL 14

/**
 * The call is for synchronous sockets, this is a callback socket.
 */
#define WDSOCKET_E_CALLBACK_SOCKET 15

/**
 * The send queue has no room; nothing was sent.
 */
#define WDSOCKET_E_SEND_QUEUE_FULL 16

/**
 * The proxy failed.
 */
#define WDSOCKET_E_PROXY 17

/**
 * The peer broke the protocol.
 */
#define WDSOCKET_E_PROTOCOL 18

/**
 * The socket was closed, or the library shut down, while the call waited.
 */
#define WDSOCKET_E_CANCELLED 19

/**
 * The call cannot be made now, or not from here.
 */
#define WDSOCKET_E_BUSY 20

/**
 * No message is waiting.
 */
#define WDSOCKET_E_NO_MESSAGE 21

/**
 * The process is a child of `fork`.
 */
#define WDSOCKET_E_FORKED 22

/**
 * This build or this system cannot do this.
 */
#define WDSOCKET_E_UNSUPPORTED 23

/**
 * The connection is not open yet.
 */
#define WDSOCKET_E_NOT_OPEN 24

/**
 * A defect in the library.
 */
#define WDSOCKET_E_INTERNAL 99

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Connects to a WebSocket server (`ws://`) and waits until the connection is open: a *synchronous
 * socket*, whose messages `SocketRead` takes.
 *
 * - `name`: what the connection is to be called by, 1 to 255 bytes. A name whose connection is live
 *   is refused (`WDSOCKET_E_NAME_IN_USE`); one whose connection has ended may be used again, its
 *   unread messages are dropped then.
 * - `address`: host name, IPv4 or IPv6 address (with or without brackets), or a URL
 *   `ws://host[:port][/path][?query]`. A host name with several addresses is tried as in RFC 8305
 *   ("happy eyeballs"). `host:port` without a scheme, user information and fragments are errors.
 * - `port`: 1 to 65535; 0 means 443, the documented default. With a URL 0 means the URL's port, or
 *   else 80.
 * - `path`: with or without the leading `/`, with or without a query; NULL or `""` means `/`, or
 *   what the URL says. A port or path that contradicts the URL's is an error.
 * - `protocols`: subprotocols that the server must support, separated by commas (`"mqtt,soap"`); NULL
 *   or `""` for none. It must choose one of them (`WDSOCKET_E_SUBPROTOCOL`), unless
 *   `WDSOCKET_OPTION_SUBPROTOCOL_REQUIRED` is off.
 * - `timeout_ms`: for the whole attempt: name resolution, TCP, upgrade. 0 means
 *   `WDSOCKET_OPTION_CONNECT_TIMEOUT_MS` (5000), negative waits without limit.
 *
 * Returns 1 when the connection is open, 0 when it has failed (`SocketErrorCode`,
 * `SocketErrorMessage`; `SocketInfo` with `name` NULL for the server's answer). A failure leaves
 * no name behind. `SocketClose` from another thread ends the wait (`WDSOCKET_E_CANCELLED`).
 * Protocol: RFC 6455, section 4.1.
 *
 * ```c
 * char answer[4096];
 * if (WebSocketClientConnect("client", "127.0.0.1", 9001, "/echo", NULL, 2000)
 *     && SocketWrite("client", "Hello", -1)
 *     && SocketRead("client", 1, 0, answer, sizeof answer) >= 0)
 *   puts(answer);
 * ```
 */
intptr_t WebSocketClientConnect(const char *name,
                                const char *address,
                                int32_t port,
                                const char *path,
                                const char *protocols,
                                int32_t timeout_ms);

/**
 * Starts a connection attempt to a WebSocket server (`ws://`): a *callback socket*, whose messages go
 * to `callback`.
 *
 * - `callback`: hears what happens to the connection, on the thread that dispatches
 *   (`SocketDispatch`), never before this function has returned there; must not be NULL.
 * - `user_data`: handed to each call of `callback`; must stay valid as long as calls can come.
 * - The other parameters are those of `WebSocketClientConnect`. The attempt's time limit is
 *   `WDSOCKET_OPTION_CONNECT_TIMEOUT_MS`.
 *
 * Returns 1 as soon as the request is valid and accepted; the outcome is an event:
 * `WDSOCKET_EVENT_OPENING`, or `WDSOCKET_EVENT_ERROR` and then `WDSOCKET_EVENT_CLOSING`. 0 if it was
 * not accepted; no event comes then. Where the name had a connection that has ended, the events
 * of that one which still wait come first, with their own `user_data`.
 */
intptr_t WebSocketClientConnectAsync(const char *name,
                                     WdSocketCallback callback,
                                     const char *address,
                                     int32_t port,
                                     const char *path,
                                     const char *protocols,
                                     void *user_data);

/**
 * Connects to a WebSocket server over TLS (`wss://`) and waits until the connection is open: a
 * *synchronous socket*.
 *
 * The server's certificate is verified against the certificates that the system trusts
 * (`WDSOCKET_OPTION_CA_FILE`, `WDSOCKET_OPTION_VERIFY_PEER`, `WDSOCKET_OPTION_PINNED_KEY`) and must be for
 * the name or IP address connected to (`WDSOCKET_OPTION_SERVER_NAME`).
 *
 * - `address`: as for `WebSocketClientConnect`, a URL begins with `wss://`.
 * - `port`: 1 to 65535; 0 means 443, or the URL's.
 * - `ssl_options`: 0 for TLS 1.2 and 1.3; or a combination of `WDSOCKET_SSL_TLS1_2` and
 *   `WDSOCKET_SSL_TLS1_3`. The older versions are accepted beside these and never used; asking only for
 *   them is an error.
 * - The other parameters are those of `WebSocketClientConnect`. The time limit includes the TLS
 *   handshake.
 *
 * Returns 1 when the connection is open, else 0 (`WDSOCKET_E_TLS` where TLS has failed; the message says
 * which certificate, what is wrong with it and what can be done).
 * TLS: RFC 8446 (1.3), RFC 5246 (1.2).
 */
intptr_t WebSocketClientConnectSSL(const char *name,
                                   const char *address,
                                   int32_t port,
                                   const char *path,
                                   const char *protocols,
                                   int32_t ssl_options,
                                   int32_t timeout_ms);

/**
 * Starts a connection attempt to a WebSocket server over TLS (`wss://`): a *callback socket*.
 *
 * The parameters are those of `WebSocketClientConnectAsync` and `WebSocketClientConnectSSL`.
 *
 * Returns 1 as soon as the request is valid and accepted, else 0; the outcome is an event.
 */
intptr_t WebSocketClientConnectSSLAsync(const char *name,
                                        WdSocketCallback callback,
                                        const char *address,
                                        int32_t port,
                                        const char *path,
                                        const char *protocols,
                                        int32_t ssl_options,
                                        void *user_data);

/**
 * Starts a connection attempt to the server of a URL: a *callback socket*, as
 * `WebSocketClientConnectAsync` makes them.
 *
 * - `url`: `ws://host[:port][/path][?query]` or `wss://…` for TLS; without a port it is 80 or 443.
 * - `callback`, `protocols`, `user_data`: as for `WebSocketClientConnectAsync`.
 *
 * Returns 1 as soon as the request is valid and accepted, else 0.
 */
intptr_t SocketConnect(const char *name,
                       const char *url,
                       WdSocketCallback callback,
                       const char *protocols,
                       void *user_data);

/**
 * The version of the library, `"major.minor.patch"` (semver.org).
 *
 * Returns: a string that is valid as long as the process lives. Cannot fail, and leaves the
 * thread's error alone.
 */
const char *SocketVersion(void);

/**
 * Runs waiting callbacks on the calling thread.
 *
 * - `timeout_ms`: how long to wait for the first callback; 0 does not wait, negative waits without
 *   limit.
 * - `max_events`: at most so many; 0 or less: those that were waiting when the first was taken, so
 *   that callbacks which cause events cannot keep the host here for ever.
 *
 * Returns how many callbacks it ran; 0 if none came in time, or if `SocketWake` or
 * `SocketShutdown` was called. `-WDSOCKET_E_BUSY`, and nothing run, while another thread dispatches
 * and inside a callback. What remains keeps the handle of `SocketDispatchHandle` signalled.
 */
intptr_t SocketDispatch(int32_t timeout_ms, int32_t max_events);

/**
 * Makes the current or else the next `SocketDispatch` return as if its time had passed. From any
 * thread.
 *
 * Returns 1.
 */
intptr_t SocketWake(void);

/**
 * Waits until every callback that was running at the time of the call has returned. For hosts that
 * close a socket on another thread than the one that dispatches: after `SocketClose` no callback of
 * the connection starts, after `SocketSync` none runs, and what `user_data` points to can be freed.
 *
 * - `timeout_ms`: how long to wait; 0 does not wait, negative waits without limit.
 *
 * Returns 1; 0 with `WDSOCKET_E_TIMEOUT`, or inside a callback with `WDSOCKET_E_BUSY`.
 */
intptr_t SocketSync(int32_t timeout_ms);

/**
 * What a host's own event loop waits on: a file descriptor that is readable while callbacks wait
 * (poll, epoll, GLib, libuv, Qt), on Windows a manual-reset event (`MsgWaitForMultipleObjects`). The host then
 * calls `SocketDispatch(0, 0)`.
 *
 * Level-triggered; may be signalled although nothing waits. The same value for the life of the
 * process. It is the library's own: never read from it, write to it, reset it or close it.
 *
 * Returns the descriptor or `HANDLE`, or a negative error code.
 */
intptr_t SocketDispatchHandle(void);

/**
 * Sets the function that is called when callbacks begin to wait, for hosts whose loop can be woken
 * by a call but cannot wait on a descriptor.
 *
 * - `wakeup`: called once when the queue stops being empty, not for each event; called again after a
 *   `SocketDispatch` that left something; called at once if events already wait. It runs on a
 *   thread of the library's, never under a lock and never inside a call of the host's. It must only
 *   post to the host's own loop, which then calls `SocketDispatch`: no function of this library may
 *   be called in it (`WDSOCKET_E_BUSY`), and while it runs no connection makes progress. NULL
 *   removes it.
 * - `user_data`: handed to `wakeup`.
 *
 * Returns 1. When it returns, the old function is not running and will not be called again.
 */
intptr_t SocketSetWakeup(WdSocketWakeup wakeup,
                         void *user_data);

#if defined(_WIN32)
/**
 * Windows only. Makes the calling thread's message loop dispatch by itself: callbacks run while it looks for
 * messages (`GetMessage` and `DispatchMessage`, a dialog, a message box), without a call of the host's.
 *
 * The library makes a message-only window on the thread and posts to it, one message at a time, however many events
 * wait. Callbacks take turns with the thread's other messages: after 10 ms of callbacks, input and painting come
 * first. A message loop inside a callback (a message box) keeps the windows alive and runs no callback inside the
 * callback; what arrives meanwhile comes after it.
 *
 * While a thread is attached, `SocketDispatch` on another is `-WDSOCKET_E_BUSY`. A second call, on another thread,
 * moves the attachment. It ends with the thread; events then wait for whoever dispatches next.
 *
 * Without a call the first asynchronous connect on a thread that has a message queue attaches it, if the host has
 * called none of `SocketDispatch`, `SocketDispatchHandle`, `SocketSetWakeup`, `SocketPostToWindow` and
 * `SocketAttachThread` before. A later `SocketDispatch` on another thread ends such an automatic attachment.
 *
 * Returns 1, or 0 if the window could not be made (`WDSOCKET_E_IO`).
 */
intptr_t SocketAttachThread(void);
#endif

#if defined(_WIN32)
/**
 * Windows only. Has a message of the host's posted to a window of the host's when callbacks begin to wait; the
 * window's procedure then calls `SocketDispatch(0, 0)`.
 *
 * - `hwnd`: an `HWND`, of any thread. NULL ends it.
 * - `message`: 1 to 0xFFFF, best from `WM_APP` up or from `RegisterWindowMessage`. wParam and lParam are 0.
 *
 * At most one message is outstanding: the next comes when something waits after the next `SocketDispatch`. One is
 * posted at once if events already wait. It ends by itself with the window.
 *
 * Returns 1, or 0: `WDSOCKET_E_INVALID_ARGUMENT` if there is no such window or the number is none.
 */
intptr_t SocketPostToWindow(void *hwnd,
                            uint32_t message);
#endif

/**
 * Takes one whole message from a synchronous socket, waiting for it if need be.
 *
 * - `wait`: other than 0: waits until a message comes or the connection ends. 0: waits up to
 *   `timeout_ms` milliseconds, 0 not at all, negative without limit.
 * - `buffer`, `capacity`: where the message goes. A NUL is added after it where `capacity` leaves
 *   room. NULL and 0: waits likewise, returns the next message's length and leaves the message in the
 *   queue.
 *
 * Returns the message's length in bytes (0 is an empty message), a text message's in its encoding
 * (`WDSOCKET_OPTION_TEXT_ENCODING`), or
 * - `-WDSOCKET_E_TIMEOUT`: none came in time,
 * - `-WDSOCKET_E_CLOSED`: everything that was received has been read and the connection has ended;
 *   the error message says how,
 * - `-WDSOCKET_E_BUFFER_TOO_SMALL`: the message is longer than `capacity` and is kept,
 * - `-WDSOCKET_E_CANCELLED`: another thread closed the socket meanwhile,
 * - `-WDSOCKET_E_CALLBACK_SOCKET`: its messages go to its callback.
 *
 * With reconnecting, the first call after `-WDSOCKET_E_CLOSED` tries to get the connection back, and waits for that as
 * for a message; where its time is over first, the attempt goes on. If it fails, its error is returned.
 *
 * Several threads may read one socket: each message goes to exactly one of them. A thread that has
 * asked for a length may find that another has taken the message: loop on
 * `-WDSOCKET_E_BUFFER_TOO_SMALL`.
 */
intptr_t SocketRead(const char *name,
                    int32_t wait,
                    int32_t timeout_ms,
                    void *buffer,
                    size_t capacity);

/**
 * The length of the next message of a synchronous socket, without waiting.
 *
 * Returns its length in bytes as `SocketRead` does (0 is an empty message), `-WDSOCKET_E_NO_MESSAGE` if none has
 * arrived, `-WDSOCKET_E_CLOSED` once everything that was received has been read and the
 * connection has ended, or another negative error code. With reconnecting, the first call after that only
 * begins the attempt to get the connection back.
 */
intptr_t SocketAvailable(const char *name);

/**
 * Whether a message is text or binary.
 *
 * Returns `WDSOCKET_MESSAGE_TEXT` (1) or `WDSOCKET_MESSAGE_BINARY` (2): inside a callback for the
 * message that is being delivered, else for the message that the calling thread last read from this
 * socket. 0 if there is none, or a negative error code.
 */
intptr_t SocketMessageType(const char *name);

/**
 * Sends a text message.
 *
 * - `message`, `length`: the message, valid UTF-8 or what `WDSOCKET_OPTION_TEXT_ENCODING` says, `length`
 *   bytes of it. -1 (or 0xFFFFFFFF, which is what a 32-bit -1 becomes in some hosts): up to the NUL. 0 is
 *   an empty message, which is sent.
 *
 * Returns 1 once the message is in the operating system's buffer or, if that is full, in the socket's
 * send queue; it does not say that the peer has it. 0 and nothing sent:
 * - `WDSOCKET_E_SEND_QUEUE_FULL`: no room within `WDSOCKET_OPTION_WRITE_TIMEOUT_MS`, or at once inside a
 *   callback; a callback socket then gets `WDSOCKET_EVENT_WRITABLE`,
 * - `WDSOCKET_E_ENCODING`: not valid in its encoding,
 * - `WDSOCKET_E_TOO_BIG`: in UTF-8 longer than `WDSOCKET_OPTION_MAX_MESSAGE_BYTES`,
 * - `WDSOCKET_E_NOT_OPEN`: before the connection is open; `WDSOCKET_E_CLOSED`: after its end.
 *
 * With reconnecting, messages are queued from the loss of the connection (or the server's close frame) until the
 * next one is open. On a synchronous socket one call reports the loss, and the next write waits for the new
 * connection first; inside a callback it is queued.
 *
 * Any thread may write at any time. Messages of one thread arrive in order; messages of several
 * threads never mix.
 *
 * Small messages that come together go out together: what other threads write while one is sending; and inside
 * callbacks all but a first one behind whose callback none waits: those are sent when the callbacks that waited have
 * run, or, where one takes long, without waiting for it, after 1 to some 10 ms. A program that ends itself inside a
 * callback should not have just written two messages in it.
 */
intptr_t SocketWrite(const char *name,
                     const void *message,
                     intptr_t length);

/**
 * Sends a binary message. Like `SocketWrite`, but for any bytes; `length` must be given.
 */
intptr_t SocketWriteBinary(const char *name, const void *message, intptr_t length);

/**
 * Gathers a socket's small messages, so that many go out in one piece: one system call for hundreds of them.
 *
 * - `on`: other than 0: from now on messages that are written to this socket, by any thread, wait in its send queue
 *   until `SocketCork(name, 0)`, or until 64 KiB wait, 100 ms have passed, a call waits in `SocketRead` on the
 *   socket, or the socket is closed. 0: sends what waits; what is written later goes at once again.
 *
 * Returns 1; 0 with `WDSOCKET_E_UNKNOWN_NAME`. A name that is connected again starts without.
 *
 * ```c
 * SocketCork("client", 1);
 * for (int i = 0; i < 1000; i++) SocketWrite("client", line[i], -1);
 * SocketCork("client", 0);
 * ```
 *
 * What several threads write at the same time, and what is written inside callbacks, is gathered without this (see
 * `SocketWrite`).
 */
intptr_t SocketCork(const char *name,
                    int32_t on);

/**
 * Closes a socket and frees its name at once, without waiting.
 *
 * What was written is still sent, then the closing handshake (code 1000) goes on in the background,
 * bounded by `WDSOCKET_OPTION_CLOSE_TIMEOUT_MS`; if nothing is queued, the close frame is with the system
 * before this returns. A connection attempt is cancelled. Calls that wait on the name return
 * `WDSOCKET_E_CANCELLED`. Unread messages and events that have not begun are discarded,
 * `WDSOCKET_EVENT_CLOSING` included: after this returns, on any thread, no callback of the connection
 * starts; one that runs on another thread may still be running (`SocketSync`). The name's options go
 * too.
 *
 * Returns 1 if the name existed, else 0 (`WDSOCKET_E_UNKNOWN_NAME`).
 */
intptr_t SocketClose(const char *name);

/**
 * Starts the closing handshake with a code and a reason, and keeps the name: messages still arrive,
 * then `WDSOCKET_EVENT_CLOSING`, or `-WDSOCKET_E_CLOSED` from `SocketRead`. After that: `SocketClose`, or
 * connect the name again.
 *
 * - `code`: 1000 (normal), 3000 to 3999 (registered) or 4000 to 4999 (private); RFC 6455, section
 *   7.4.
 * - `reason`: up to 123 bytes, counted in UTF-8; NULL or `""` for none.
 *
 * Returns 1 if the handshake was started; 0 with `WDSOCKET_E_NOT_OPEN` before the connection is open,
 * `WDSOCKET_E_CLOSED` if it is closing or has ended.
 */
intptr_t SocketCloseWith(const char *name,
                         int32_t code,
                         const char *reason);

/**
 * Whether a name is in use: from the connect call until `SocketClose`, also when the peer has gone.
 * `SocketState` says more.
 *
 * Returns 1, else 0 (`WDSOCKET_E_UNKNOWN_NAME`).
 */
intptr_t SocketExists(const char *name);

/**
 * Where a connection is in its life.
 *
 * Inside a callback that tells of an end (`WDSOCKET_EVENT_ERROR`, `WDSOCKET_EVENT_CLOSING`) its own name's state is
 * what that end has led to, even if the connection has come back since: `WDSOCKET_STATE_CONNECTING` while the library
 * goes on trying, `WDSOCKET_STATE_CLOSED` if this was the last.
 *
 * Returns a `WDSOCKET_STATE_...` constant; `WDSOCKET_STATE_NONE` (0) for a name that is not in use.
 */
intptr_t SocketState(const char *name);

/**
 * What is known of a connection, an item at a time, as text.
 *
 * - `name`: the socket. Inside a callback its own name means the connection whose event is being
 *   delivered, even if it has been closed, or the name used again, since; inside `WDSOCKET_EVENT_ERROR` and
 *   `WDSOCKET_EVENT_CLOSING` the one that has ended, even if the library has reconnected since. NULL: the
 *   calling thread's last synchronous connection attempt that failed.
 * - `item`: a `WDSOCKET_INFO_...` constant.
 * - `buffer`, `capacity`: where the text goes, with a NUL: `capacity` must be at least its length + 1.
 *   NULL and 0 only ask for the length.
 *
 * Returns the text's length in bytes without the NUL; 0 where there is nothing to say (yet).
 * `-WDSOCKET_E_BUFFER_TOO_SMALL`, `-WDSOCKET_E_UNKNOWN_NAME`, or `-WDSOCKET_E_INVALID_ARGUMENT` for an
 * item that does not exist.
 */
intptr_t SocketInfo(const char *name,
                    int32_t item,
                    char *buffer,
                    size_t capacity);

/**
 * Has no effect on a WebSocket, whose messages have a beginning and an end; here because programs
 * call it.
 *
 * Returns 1 for a name that is in use, else 0 (`WDSOCKET_E_UNKNOWN_NAME`). `mode` and `option` are not
 * looked at.
 */
intptr_t SocketChangeTransmissionMode(const char *name,
                                      int32_t mode,
                                      const char *option);

/**
 * Sets an option.
 *
 * - `name`: NULL sets the default for all later connections. A name sets it for every connection of
 *   that name, failed attempts included, and at once for a live one where that makes sense
 *   (time limits, keepalive, sizes), until `SocketClose` or until it is taken back. The name need
 *   not be in use yet.
 * - `option`: a `WDSOCKET_OPTION_...` constant.
 * - `value`: always text (`"30000"`, `"on"`). NULL or `""` takes the setting back: a name's to the
 *   default, the default's to the library's. `WDSOCKET_OPTION_HEADER` adds one line at each call; a
 *   name's lines are sent beside the default ones; NULL clears them.
 *
 * Returns 1; 0 and nothing changed for an option that does not exist or a value that it does not
 * take (`WDSOCKET_E_INVALID_ARGUMENT`).
 */
intptr_t SocketSetOption(const char *name, int32_t option, const char *value);

/**
 * Sets the proxy for all later connections, as `SocketSetOption(NULL, WDSOCKET_OPTION_PROXY, …)` does.
 *
 * - `proxy`: `http://host`, `https://host`, `socks5://host` or `socks5h://host` (where the proxy resolves
 *   names), each `[:port]`. `""` or NULL: no proxy from here on, whatever the environment says.
 * - `port`: 1 to 65535; 0: the URL's, or else 1080 for SOCKS, 8080 for `http`, 443 for `https`.
 * - `login`, `password`: for proxies that demand them; NULL or `""` for none. For HTTP Basic
 *   authentication (RFC 7617), for SOCKS RFC 1929.
 *
 * Where neither this nor the option was used, the environment counts: `https_proxy` or `HTTPS_PROXY` for
 * `wss://`, `http_proxy` for `ws://`, then `all_proxy` or `ALL_PROXY`, with the exceptions in `no_proxy` or
 * `NO_PROXY`. Returns 1; 0 for a proxy that cannot be read (`WDSOCKET_E_INVALID_ARGUMENT`).
 */
intptr_t SocketProxy(const char *proxy,
                     int32_t port,
                     const char *login,
                     const char *password);

/**
 * Hands the library's log to the host. By default the library is silent; independently of this, the
 * environment variable `WDSOCKET_LOG` (`error`, `warn`, `info`, `debug`, `trace`) sends the log to
 * standard error. Header values, passwords and message contents are never logged.
 *
 * - `log`: called with each line, on any thread, without a lock held; `line` is NUL-terminated and
 *   valid during the call. No function of this library may be called in it (`WDSOCKET_E_BUSY`). NULL
 *   removes it.
 * - `level`: 1 error, 2 warning, 3 information, 4 debug, 5 trace: lines of this level and more
 *   important ones. Not looked at where `log` is NULL.
 * - `user_data`: handed to `log`.
 *
 * Returns 1; 0 for a level out of range. When it returns, the old function is not running and will
 * not be called again.
 */
intptr_t SocketSetLog(WdSocketLog log,
                      int32_t level,
                      void *user_data);

/**
 * Closes every socket (code 1001), waits for the closing handshakes, also for those that `SocketClose`
 * left running, and stops the library's thread. Nobody needs to call it: a process may simply exit.
 *
 * It frees all names and discards all events; calls that wait return `WDSOCKET_E_CANCELLED`, a waiting
 * `SocketDispatch` returns 0. Options, wake-up, log and the value of `SocketDispatchHandle` stay, and
 * the library can be used again. While it runs, connecting fails with `WDSOCKET_E_CANCELLED`.
 *
 * - `timeout_ms`: how long to wait for the handshakes; 0 does not wait, negative waits without limit.
 *
 * Returns 1 if all had finished, else 0: `WDSOCKET_E_TIMEOUT`; `WDSOCKET_E_BUSY` inside a callback and
 * while another thread is in this function, nothing is changed then.
 */
intptr_t SocketShutdown(int32_t timeout_ms);

/**
 * The code of the calling thread's error: how its last call of a function of this library went.
 *
 * Returns: a `WDSOCKET_E_...` constant; `WDSOCKET_E_OK` (0) after a success. Inside a callback it is
 * `WDSOCKET_E_OK` to begin with, for `WDSOCKET_EVENT_ERROR` what happened to the connection.
 * Cannot fail, and leaves the error alone.
 */
intptr_t SocketErrorCode(void);

/**
 * The sentence of the calling thread's error, in English: which socket, which address, what
 * happened.
 *
 * Returns: a NUL-terminated string of the library's, `""` after a success. It is valid until this
 * thread next calls any function of the library except `SocketErrorCode`, `SocketErrorMessage` and
 * `SocketVersion`; never free it. Cannot fail, and leaves the error alone.
 */
const char *SocketErrorMessage(void);

/**
 * The French name of `WebSocketClientConnect`.
 */
intptr_t WebSocketClientConnecte(const char *name,
                                 const char *address,
                                 int32_t port,
                                 const char *path,
                                 const char *protocols,
                                 int32_t timeout_ms);

/**
 * The French name of `WebSocketClientConnectAsync`.
 */
intptr_t WebSocketClientConnecteAsync(const char *name,
                                      WdSocketCallback callback,
                                      const char *address,
                                      int32_t port,
                                      const char *path,
                                      const char *protocols,
                                      void *user_data);

/**
 * The French name of `WebSocketClientConnectSSL`.
 */
intptr_t WebSocketClientConnecteSSL(const char *name,
                                    const char *address,
                                    int32_t port,
                                    const char *path,
                                    const char *protocols,
                                    int32_t ssl_options,
                                    int32_t timeout_ms);

/**
 * The French name of `WebSocketClientConnectSSLAsync`.
 */
intptr_t WebSocketClientConnecteSSLAsync(const char *name,
                                         WdSocketCallback callback,
                                         const char *address,
                                         int32_t port,
                                         const char *path,
                                         const char *protocols,
                                         int32_t ssl_options,
                                         void *user_data);

/**
 * The French name of `SocketConnect`.
 */
intptr_t SocketConnecte(const char *name,
                        const char *url,
                        WdSocketCallback callback,
                        const char *protocols,
                        void *user_data);

/**
 * The French name of `SocketWrite`.
 */
intptr_t SocketEcrit(const char *name, const void *message, intptr_t length);

/**
 * The French name of `SocketRead`.
 */
intptr_t SocketLit(const char *name,
                   int32_t wait,
                   int32_t timeout_ms,
                   void *buffer,
                   size_t capacity);

/**
 * The French name of `SocketClose`.
 */
intptr_t SocketFerme(const char *name);

/**
 * The French name of `SocketExists`.
 */
intptr_t SocketExiste(const char *name);

/**
 * The French name of `SocketChangeTransmissionMode`.
 */
intptr_t SocketChangeModeTransmission(const char *name, int32_t mode, const char *option);

#if defined(_WIN32)
/**
 * `WebSocketClientConnect` with UTF-16 text.
 */
intptr_t WebSocketClientConnectW(const wchar_t *name,
                                 const wchar_t *address,
                                 int32_t port,
                                 const wchar_t *path,
                                 const wchar_t *protocols,
                                 int32_t timeout_ms);
#endif

#if defined(_WIN32)
/**
 * `WebSocketClientConnectAsync` with UTF-16 text, also for the callback.
 */
intptr_t WebSocketClientConnectAsyncW(const wchar_t *name,
                                      WdSocketCallbackW callback,
                                      const wchar_t *address,
                                      int32_t port,
                                      const wchar_t *path,
                                      const wchar_t *protocols,
                                      void *user_data);
#endif

#if defined(_WIN32)
/**
 * `WebSocketClientConnectSSL` with UTF-16 text.
 */
intptr_t WebSocketClientConnectSSLW(const wchar_t *name,
                                    const wchar_t *address,
                                    int32_t port,
                                    const wchar_t *path,
                                    const wchar_t *protocols,
                                    int32_t ssl_options,
                                    int32_t timeout_ms);
#endif

#if defined(_WIN32)
/**
 * `WebSocketClientConnectSSLAsync` with UTF-16 text, also for the callback.
 */
intptr_t WebSocketClientConnectSSLAsyncW(const wchar_t *name,
                                         WdSocketCallbackW callback,
                                         const wchar_t *address,
                                         int32_t port,
                                         const wchar_t *path,
                                         const wchar_t *protocols,
                                         int32_t ssl_options,
                                         void *user_data);
#endif

#if defined(_WIN32)
/**
 * `SocketConnect` with UTF-16 text, also for the callback.
 */
intptr_t SocketConnectW(const wchar_t *name,
                        const wchar_t *url,
                        WdSocketCallbackW callback,
                        const wchar_t *protocols,
                        void *user_data);
#endif

#if defined(_WIN32)
/**
 * `SocketWrite` with UTF-16 text: `length` counts units; -1 (or 0xFFFFFFFF): up to the NUL.
 */
intptr_t SocketWriteW(const wchar_t *name, const wchar_t *message, intptr_t length);
#endif

#if defined(_WIN32)
/**
 * `SocketWriteBinary` with a UTF-16 name: the message is bytes, and `length` counts them.
 */
intptr_t SocketWriteBinaryW(const wchar_t *name, const void *message, intptr_t length);
#endif

#if defined(_WIN32)
/**
 * `SocketRead` with UTF-16 text: `capacity` counts units, and so does the length of a text message, which a NUL
 * unit follows where there is room.
 *
 * A binary message's bytes are put into the buffer as they are, and its length counts bytes, for which there are
 * twice `capacity` of room. `SocketMessageTypeW` says which it was. Asked without a buffer, the length is in units
 * for a text message, in bytes for a binary one: a buffer of so many units is large enough for either.
 */
intptr_t SocketReadW(const wchar_t *name,
                     int32_t wait,
                     int32_t timeout_ms,
                     wchar_t *buffer,
                     size_t capacity);
#endif

#if defined(_WIN32)
/**
 * `SocketAvailable` with a UTF-16 name: the length as `SocketReadW` counts it.
 */
intptr_t SocketAvailableW(const wchar_t *name);
#endif

#if defined(_WIN32)
/**
 * `SocketMessageType` with a UTF-16 name.
 */
intptr_t SocketMessageTypeW(const wchar_t *name);
#endif

#if defined(_WIN32)
/**
 * `SocketClose` with a UTF-16 name.
 */
intptr_t SocketCloseW(const wchar_t *name);
#endif

#if defined(_WIN32)
/**
 * `SocketCloseWith` with UTF-16 text: `reason` is up to 123 bytes, counted in UTF-8.
 */
intptr_t SocketCloseWithW(const wchar_t *name, int32_t code, const wchar_t *reason);
#endif

#if defined(_WIN32)
/**
 * `SocketExists` with a UTF-16 name.
 */
intptr_t SocketExistsW(const wchar_t *name);
#endif

#if defined(_WIN32)
/**
 * `SocketState` with a UTF-16 name.
 */
intptr_t SocketStateW(const wchar_t *name);
#endif

#if defined(_WIN32)
/**
 * `SocketInfo` with UTF-16 text: `capacity` and the length count units.
 */
intptr_t SocketInfoW(const wchar_t *name, int32_t item, wchar_t *buffer, size_t capacity);
#endif

#if defined(_WIN32)
/**
 * `SocketCork` with UTF-16 text.
 */
intptr_t SocketCorkW(const wchar_t *name, int32_t on);
#endif

#if defined(_WIN32)
/**
 * `SocketChangeTransmissionMode` with UTF-16 text.
 */
intptr_t SocketChangeTransmissionModeW(const wchar_t *name, int32_t mode, const wchar_t *option);
#endif

#if defined(_WIN32)
/**
 * `SocketSetOption` with UTF-16 text. The options are those of both forms.
 */
intptr_t SocketSetOptionW(const wchar_t *name, int32_t option, const wchar_t *value);
#endif

#if defined(_WIN32)
/**
 * `SocketProxy` with UTF-16 text.
 */
intptr_t SocketProxyW(const wchar_t *proxy,
                      int32_t port,
                      const wchar_t *login,
                      const wchar_t *password);
#endif

#if defined(_WIN32)
/**
 * `SocketSetLog` with a function that takes UTF-16 lines; there is one log function, set by either form.
 */
intptr_t SocketSetLogW(WdSocketLogW log,
                       int32_t level,
                       void *user_data);
#endif

#if defined(_WIN32)
/**
 * `SocketErrorMessage` in UTF-16; for failures of either form.
 */
const wchar_t *SocketErrorMessageW(void);
#endif

#if defined(_WIN32)
/**
 * `SocketVersion` in UTF-16.
 */
const wchar_t *SocketVersionW(void);
#endif

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* WDSOCKET_H */
