//! The constants of the C interface.

macro_rules! equals {
    ($($constant:ident == $value:expr;)*) => {
        // The header's numbers are the library's own.
        $(const _: () = assert!($constant == $value as i32);)*
    };
}

/// The connection is open: messages can be sent. `message` is empty.
pub const WDSOCKET_EVENT_OPENING: i32 = 1;
/// A message has arrived: `message` is its bytes.
pub const WDSOCKET_EVENT_MESSAGE: i32 = 2;
/// The connection has ended: `message` is the close code in decimal. The peer's; `"1005"` if its
/// close frame had none; where none came, the code with which this side failed the connection
/// (`"1002"`, `"1007"`, `"1009"`), else `"1006"`.
pub const WDSOCKET_EVENT_CLOSING: i32 = 3;
/// Something went wrong: `SocketErrorCode` and `SocketErrorMessage` say what. `message` is empty.
pub const WDSOCKET_EVENT_ERROR: i32 = 4;
/// After a write failed with `WDSOCKET_E_SEND_QUEUE_FULL`: at least half the queue is free again.
/// `message` is empty.
pub const WDSOCKET_EVENT_WRITABLE: i32 = 5;

/// No connection has this name.
pub const WDSOCKET_STATE_NONE: i32 = 0;
/// The connection attempt is running.
pub const WDSOCKET_STATE_CONNECTING: i32 = 1;
/// Messages can be sent.
pub const WDSOCKET_STATE_OPEN: i32 = 2;
/// A close frame has been sent or received; messages may still arrive.
pub const WDSOCKET_STATE_CLOSING: i32 = 3;
/// The connection has ended; its name is still there.
pub const WDSOCKET_STATE_CLOSED: i32 = 4;

/// The kind of a message (`SocketMessageType`): text.
pub const WDSOCKET_MESSAGE_TEXT: i32 = 1;
/// The kind of a message (`SocketMessageType`): binary.
pub const WDSOCKET_MESSAGE_BINARY: i32 = 2;

/// One `Name: value`, added to the default header lines of the upgrade request.
pub const WDSOCKET_OPTION_HEADER: i32 = 1;
/// `Origin` of the upgrade request. Default: none is sent.
pub const WDSOCKET_OPTION_ORIGIN: i32 = 2;
/// `User-Agent` of the upgrade request. Default: `wdsocket/` and the version.
pub const WDSOCKET_OPTION_USER_AGENT: i32 = 3;
/// `"on"` (default): a server that chooses none of the subprotocols fails the connection. `"off"`: it
/// may choose none.
pub const WDSOCKET_OPTION_SUBPROTOCOL_REQUIRED: i32 = 4;
/// For a whole connection attempt, where the call gives no time. 1 to 2147483647 ms, default 5000.
pub const WDSOCKET_OPTION_CONNECT_TIMEOUT_MS: i32 = 5;
/// For the closing handshake. 0 to 2147483647 ms, default 5000.
pub const WDSOCKET_OPTION_CLOSE_TIMEOUT_MS: i32 = 6;
/// How long a write waits for room in the send queue. 0 (not at all) to 2147483647 ms, default 5000.
pub const WDSOCKET_OPTION_WRITE_TIMEOUT_MS: i32 = 7;
/// Time between pings. 0 (none) to 2147483647 ms, default 30000.
pub const WDSOCKET_OPTION_PING_INTERVAL_MS: i32 = 8;
/// How long a pong may take before the connection is given up. 1 to 2147483647 ms, default 20000.
pub const WDSOCKET_OPTION_PONG_TIMEOUT_MS: i32 = 9;
/// The largest message, either way. 1 to 2147483647 bytes (text: of UTF-8), default 64 MiB. A larger one
/// that the peer sends ends the connection with 1009, a larger one that the host sends is refused.
pub const WDSOCKET_OPTION_MAX_MESSAGE_BYTES: i32 = 10;
/// Limit of the receive queue. 1 to 2147483647 bytes, default 16 MiB.
pub const WDSOCKET_OPTION_RECEIVE_QUEUE_BYTES: i32 = 11;
/// Limit of the send queue. 1 to 2147483647 bytes, default 16 MiB.
pub const WDSOCKET_OPTION_SEND_QUEUE_BYTES: i32 = 12;
/// The host's encoding: `"utf-8"` (default), `"system"` (Windows' ANSI code page, elsewhere UTF-8), or a label of
/// the Encoding Standard (encoding.spec.whatwg.org) such as `"windows-1252"`, of those that contain ASCII
/// unchanged. The one set for all names applies to names, addresses, options, errors and log lines, in both
/// directions and at once; a connection's text messages have its name's own, or else the one for all names. Text that
/// the host gives and that is not valid is refused (`WDSOCKET_E_ENCODING`); where the host gets a character
/// that its encoding has not, it gets `?`. Lengths and capacities count the host's bytes.
pub const WDSOCKET_OPTION_TEXT_ENCODING: i32 = 13;
/// For how long a thread that waits for a message looks for it again and again before it sleeps: a core's whole time for
/// some microseconds less. 0 (off, the default) to 1000000 microseconds. `SocketRead` goes by its socket's,
/// `SocketDispatch` by the one set for all names.
pub const WDSOCKET_OPTION_SPIN_US: i32 = 14;
/// PEM file with the certificates that are trusted instead of the system's: of authorities, or the server's
/// own. Default: the system's.
pub const WDSOCKET_OPTION_CA_FILE: i32 = 20;
/// PEM file with the client's certificate, and behind it those that it depends on. With
/// `WDSOCKET_OPTION_CLIENT_KEY_FILE`. Default: none.
pub const WDSOCKET_OPTION_CLIENT_CERT_FILE: i32 = 21;
/// PEM file with the client's private key: PKCS#8, PKCS#1 (RSA) or SEC1 (EC), not encrypted.
pub const WDSOCKET_OPTION_CLIENT_KEY_FILE: i32 = 22;
/// `"on"` (default): the server's certificate must be valid, from somebody who is trusted, and for the name.
/// `"off"`: any will do, and anybody between this machine and the server can read and change everything.
pub const WDSOCKET_OPTION_VERIFY_PEER: i32 = 23;
/// Name or IP address that the server's certificate must be for, and that the server is told (SNI).
/// Default: what was connected to.
pub const WDSOCKET_OPTION_SERVER_NAME: i32 = 24;
/// Keys that the server may have, each `sha256//` and the SHA-256 digest of its `SubjectPublicKeyInfo` in
/// base64, separated by `;`. In addition to the verification. Default: any.
pub const WDSOCKET_OPTION_PINNED_KEY: i32 = 25;
/// Proxy: `scheme://[user[:password]@]host[:port]`, the scheme `http`, `https`, `socks5` or `socks5h`. `""`:
/// none. NULL: what the environment says (`SocketProxy`), the default. For later connections.
pub const WDSOCKET_OPTION_PROXY: i32 = 30;
/// Reconnecting: the limit of the first delay, which doubles with each failure. 0 to 2147483647 ms, default
/// 0. Where neither this nor `WDSOCKET_OPTION_RECONNECT_MAX_MS` is above 0, a lost connection stays lost.
/// Where only the other is: 500, or that. Counts at once for a connection that lives or waits to be made again; one
/// that has ended does not come back.
pub const WDSOCKET_OPTION_RECONNECT_MIN_MS: i32 = 31;
/// Reconnecting: the largest delay. 0 to 2147483647 ms, default 0. Where only
/// `WDSOCKET_OPTION_RECONNECT_MIN_MS` is above 0: 30000, or that.
pub const WDSOCKET_OPTION_RECONNECT_MAX_MS: i32 = 32;
/// `"on"` (default): permessage-deflate (RFC 7692) is offered, and messages are compressed if the server
/// agrees. `"off"`: it is not. For later connections.
pub const WDSOCKET_OPTION_COMPRESSION: i32 = 40;
/// Messages below this go uncompressed, empty ones always. 0 to 2147483647 bytes, default 1024.
pub const WDSOCKET_OPTION_COMPRESSION_MIN_BYTES: i32 = 41;
/// The largest window for compression, either way, as the logarithm of its size in bytes (RFC 7692, section
/// 7.1.2). 9 (512 bytes) to 15 (32 KiB), default 15. A server that cannot keep to less does not compress.
/// For later connections.
pub const WDSOCKET_OPTION_COMPRESSION_WINDOW_BITS: i32 = 42;
/// `"on"` (default): a compressed message may refer to those before it, either way (RFC 7692, section
/// 7.1.1), which makes similar messages much smaller and costs the memory of two windows. `"off"`: each
/// stands alone. For later connections.
pub const WDSOCKET_OPTION_COMPRESSION_CONTEXT_TAKEOVER: i32 = 43;

/// The subprotocol that the server chose; empty if none.
pub const WDSOCKET_INFO_PROTOCOL: i32 = 1;
/// What was agreed on about compression, such as `permessage-deflate; server_max_window_bits=10`; empty if
/// nothing.
pub const WDSOCKET_INFO_EXTENSIONS: i32 = 2;
/// The address connected to: `127.0.0.1:9001`, `[::1]:9001`.
pub const WDSOCKET_INFO_REMOTE_ADDRESS: i32 = 3;
/// The close code, as `WDSOCKET_EVENT_CLOSING` gives it; empty while the connection has not ended.
pub const WDSOCKET_INFO_CLOSE_CODE: i32 = 4;
/// The reason in the peer's close frame.
pub const WDSOCKET_INFO_CLOSE_REASON: i32 = 5;
/// The HTTP status of the server's answer: `101` if the upgrade was accepted; empty if none came.
pub const WDSOCKET_INFO_HTTP_STATUS: i32 = 6;
/// The header lines of the server's answer, names in lower case, each line ended by CR LF.
pub const WDSOCKET_INFO_RESPONSE_HEADERS: i32 = 7;
/// TLS version and cipher suite, such as `TLSv1.3 TLS13_AES_256_GCM_SHA384`; empty without TLS.
pub const WDSOCKET_INFO_TLS: i32 = 8;
/// Bytes of messages received, after decompression.
pub const WDSOCKET_INFO_BYTES_IN: i32 = 9;
/// Bytes of messages written, before compression.
pub const WDSOCKET_INFO_BYTES_OUT: i32 = 10;
/// Messages received.
pub const WDSOCKET_INFO_MESSAGES_IN: i32 = 11;
/// Messages written.
pub const WDSOCKET_INFO_MESSAGES_OUT: i32 = 12;
/// Bytes of messages that were received and not yet read, or not yet delivered to the callback.
pub const WDSOCKET_INFO_QUEUED_IN: i32 = 13;
/// Bytes of messages that were written and that the system has not taken yet.
pub const WDSOCKET_INFO_QUEUED_OUT: i32 = 14;
/// The last round trip of a ping in milliseconds, with three decimals; empty before the first.
pub const WDSOCKET_INFO_PING_MS: i32 = 15;
/// The URL connected to.
pub const WDSOCKET_INFO_URL: i32 = 16;
/// What ended the connection, or made the attempt fail; empty while it has not ended.
pub const WDSOCKET_INFO_LAST_ERROR: i32 = 17;
/// The server's certificate: `subject: …`, `issuer: …`, `expires: …`, a line each; empty without TLS.
pub const WDSOCKET_INFO_PEER_CERTIFICATE: i32 = 18;
/// The proxy that the connection goes through, without login; empty if none.
pub const WDSOCKET_INFO_PROXY: i32 = 19;
/// How often the connection was lost and has come back.
pub const WDSOCKET_INFO_RECONNECTIONS: i32 = 20;
/// Bytes received after the upgrade, compressed where messages were, framing included.
pub const WDSOCKET_INFO_WIRE_BYTES_IN: i32 = 21;
/// Bytes that the system has taken after the upgrade, compressed where messages were, framing included.
pub const WDSOCKET_INFO_WIRE_BYTES_OUT: i32 = 22;

/// `ssl_options`: TLS 1.0. Accepted beside newer versions, never used (RFC 8996).
pub const WDSOCKET_SSL_TLS1: i32 = 4;
/// `ssl_options`: TLS 1.1. Accepted beside newer versions, never used (RFC 8996).
pub const WDSOCKET_SSL_TLS1_1: i32 = 8;
/// `ssl_options`: TLS 1.2.
pub const WDSOCKET_SSL_TLS1_2: i32 = 16;
/// `ssl_options`: TLS 1.3.
pub const WDSOCKET_SSL_TLS1_3: i32 = 32;

/// No error.
pub const WDSOCKET_E_OK: i32 = 0;
/// An argument is missing, out of range or contradicts another.
pub const WDSOCKET_E_INVALID_ARGUMENT: i32 = 1;
/// No socket has this name.
pub const WDSOCKET_E_UNKNOWN_NAME: i32 = 2;
/// The name's connection is still live.
pub const WDSOCKET_E_NAME_IN_USE: i32 = 3;
/// The connection has ended, or is being closed.
pub const WDSOCKET_E_CLOSED: i32 = 4;
/// A time limit has passed.
pub const WDSOCKET_E_TIMEOUT: i32 = 5;
/// The host name could not be resolved.
pub const WDSOCKET_E_RESOLVE: i32 = 6;
/// The server refused the TCP connection.
pub const WDSOCKET_E_REFUSED: i32 = 7;
/// The operating system reported an error, or the connection was lost.
pub const WDSOCKET_E_IO: i32 = 8;
/// TLS failed.
pub const WDSOCKET_E_TLS: i32 = 9;
/// The server's answer to the upgrade request is not 101, or not a WebSocket's.
pub const WDSOCKET_E_HANDSHAKE: i32 = 10;
/// The server chose none of the subprotocols, or one that was not offered.
pub const WDSOCKET_E_SUBPROTOCOL: i32 = 11;
/// Text that is not valid: the host's in its encoding, or the peer's, which is UTF-8.
pub const WDSOCKET_E_ENCODING: i32 = 12;
/// A message above `WDSOCKET_OPTION_MAX_MESSAGE_BYTES`.
pub const WDSOCKET_E_TOO_BIG: i32 = 13;
/// The buffer is too small; nothing was lost.
pub const WDSOCKET_E_BUFFER_TOO_SMALL: i32 = 14;
/// The call is for synchronous sockets, this is a callback socket.
pub const WDSOCKET_E_CALLBACK_SOCKET: i32 = 15;
/// The send queue has no room; nothing was sent.
pub const WDSOCKET_E_SEND_QUEUE_FULL: i32 = 16;
/// The proxy failed.
pub const WDSOCKET_E_PROXY: i32 = 17;
/// The peer broke the protocol.
pub const WDSOCKET_E_PROTOCOL: i32 = 18;
/// The socket was closed, or the library shut down, while the call waited.
pub const WDSOCKET_E_CANCELLED: i32 = 19;
/// The call cannot be made now, or not from here.
pub const WDSOCKET_E_BUSY: i32 = 20;
/// No message is waiting.
pub const WDSOCKET_E_NO_MESSAGE: i32 = 21;
/// The process is a child of `fork`.
pub const WDSOCKET_E_FORKED: i32 = 22;
/// This build or this system cannot do this.
pub const WDSOCKET_E_UNSUPPORTED: i32 = 23;
/// The connection is not open yet.
pub const WDSOCKET_E_NOT_OPEN: i32 = 24;
/// A defect in the library.
pub const WDSOCKET_E_INTERNAL: i32 = 99;

use crate::{error::Code, options::Key, protocol::Kind, socket};

equals! {
    WDSOCKET_STATE_CONNECTING == socket::State::Connecting;
    WDSOCKET_STATE_OPEN == socket::State::Open;
    WDSOCKET_STATE_CLOSING == socket::State::Closing;
    WDSOCKET_STATE_CLOSED == socket::State::Closed;
    WDSOCKET_MESSAGE_TEXT == Kind::Text;
    WDSOCKET_MESSAGE_BINARY == Kind::Binary;
    WDSOCKET_OPTION_HEADER == Key::Header;
    WDSOCKET_OPTION_ORIGIN == Key::Origin;
    WDSOCKET_OPTION_USER_AGENT == Key::UserAgent;
    WDSOCKET_OPTION_SUBPROTOCOL_REQUIRED == Key::SubprotocolRequired;
    WDSOCKET_OPTION_CONNECT_TIMEOUT_MS == Key::ConnectTimeout;
    WDSOCKET_OPTION_CLOSE_TIMEOUT_MS == Key::CloseTimeout;
    WDSOCKET_OPTION_WRITE_TIMEOUT_MS == Key::WriteTimeout;
    WDSOCKET_OPTION_PING_INTERVAL_MS == Key::PingInterval;
    WDSOCKET_OPTION_PONG_TIMEOUT_MS == Key::PongTimeout;
    WDSOCKET_OPTION_MAX_MESSAGE_BYTES == Key::MaxMessage;
    WDSOCKET_OPTION_RECEIVE_QUEUE_BYTES == Key::ReceiveQueue;
    WDSOCKET_OPTION_SEND_QUEUE_BYTES == Key::SendQueue;
    WDSOCKET_OPTION_TEXT_ENCODING == Key::TextEncoding;
    WDSOCKET_OPTION_SPIN_US == Key::Spin;
    WDSOCKET_OPTION_CA_FILE == Key::CaFile;
    WDSOCKET_OPTION_CLIENT_CERT_FILE == Key::ClientCertFile;
    WDSOCKET_OPTION_CLIENT_KEY_FILE == Key::ClientKeyFile;
    WDSOCKET_OPTION_VERIFY_PEER == Key::VerifyPeer;
    WDSOCKET_OPTION_SERVER_NAME == Key::ServerName;
    WDSOCKET_OPTION_PINNED_KEY == Key::Pins;
    WDSOCKET_OPTION_PROXY == Key::Proxy;
    WDSOCKET_OPTION_RECONNECT_MIN_MS == Key::ReconnectMin;
    WDSOCKET_OPTION_RECONNECT_MAX_MS == Key::ReconnectMax;
    WDSOCKET_OPTION_COMPRESSION == Key::Compression;
    WDSOCKET_OPTION_COMPRESSION_MIN_BYTES == Key::CompressionMin;
    WDSOCKET_OPTION_COMPRESSION_WINDOW_BITS == Key::CompressionWindow;
    WDSOCKET_OPTION_COMPRESSION_CONTEXT_TAKEOVER == Key::CompressionTakeover;
    WDSOCKET_INFO_PROTOCOL == socket::Item::Protocol;
    WDSOCKET_INFO_EXTENSIONS == socket::Item::Extensions;
    WDSOCKET_INFO_REMOTE_ADDRESS == socket::Item::RemoteAddress;
    WDSOCKET_INFO_CLOSE_CODE == socket::Item::CloseCode;
    WDSOCKET_INFO_CLOSE_REASON == socket::Item::CloseReason;
    WDSOCKET_INFO_HTTP_STATUS == socket::Item::HttpStatus;
    WDSOCKET_INFO_RESPONSE_HEADERS == socket::Item::ResponseHeaders;
    WDSOCKET_INFO_TLS == socket::Item::Tls;
    WDSOCKET_INFO_PEER_CERTIFICATE == socket::Item::PeerCertificate;
    WDSOCKET_INFO_PROXY == socket::Item::Proxy;
    WDSOCKET_INFO_RECONNECTIONS == socket::Item::Reconnections;
    WDSOCKET_INFO_BYTES_IN == socket::Item::BytesIn;
    WDSOCKET_INFO_BYTES_OUT == socket::Item::BytesOut;
    WDSOCKET_INFO_MESSAGES_IN == socket::Item::MessagesIn;
    WDSOCKET_INFO_MESSAGES_OUT == socket::Item::MessagesOut;
    WDSOCKET_INFO_QUEUED_IN == socket::Item::QueuedIn;
    WDSOCKET_INFO_QUEUED_OUT == socket::Item::QueuedOut;
    WDSOCKET_INFO_PING_MS == socket::Item::PingMs;
    WDSOCKET_INFO_URL == socket::Item::Url;
    WDSOCKET_INFO_LAST_ERROR == socket::Item::LastError;
    WDSOCKET_INFO_WIRE_BYTES_IN == socket::Item::WireBytesIn;
    WDSOCKET_INFO_WIRE_BYTES_OUT == socket::Item::WireBytesOut;
    WDSOCKET_E_INVALID_ARGUMENT == Code::InvalidArgument;
    WDSOCKET_E_UNKNOWN_NAME == Code::UnknownName;
    WDSOCKET_E_NAME_IN_USE == Code::NameInUse;
    WDSOCKET_E_CLOSED == Code::Closed;
    WDSOCKET_E_TIMEOUT == Code::Timeout;
    WDSOCKET_E_RESOLVE == Code::Resolve;
    WDSOCKET_E_REFUSED == Code::Refused;
    WDSOCKET_E_IO == Code::Io;
    WDSOCKET_E_TLS == Code::Tls;
    WDSOCKET_E_PROXY == Code::Proxy;
    WDSOCKET_E_HANDSHAKE == Code::Handshake;
    WDSOCKET_E_SUBPROTOCOL == Code::Subprotocol;
    WDSOCKET_E_ENCODING == Code::Encoding;
    WDSOCKET_E_TOO_BIG == Code::TooBig;
    WDSOCKET_E_BUFFER_TOO_SMALL == Code::BufferTooSmall;
    WDSOCKET_E_CALLBACK_SOCKET == Code::CallbackSocket;
    WDSOCKET_E_SEND_QUEUE_FULL == Code::SendQueueFull;
    WDSOCKET_E_PROTOCOL == Code::Protocol;
    WDSOCKET_E_CANCELLED == Code::Cancelled;
    WDSOCKET_E_BUSY == Code::Busy;
    WDSOCKET_E_NO_MESSAGE == Code::NoMessage;
    WDSOCKET_E_FORKED == Code::Forked;
    WDSOCKET_E_UNSUPPORTED == Code::Unsupported;
    WDSOCKET_E_NOT_OPEN == Code::NotOpen;
    WDSOCKET_E_INTERNAL == Code::Internal;
}
