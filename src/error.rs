//! What can go wrong: one error type inside, which becomes a code and a sentence at the boundary.

use std::{borrow::Cow, fmt, io};

/// The kinds of errors. The numbers are the `WDSOCKET_E_…` constants of the C interface and
/// never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum Code {
    /// An argument that is not valid.
    InvalidArgument = 1,
    /// No socket has this name.
    UnknownName = 2,
    /// The name's connection is still live.
    NameInUse = 3,
    /// The connection has ended.
    Closed = 4,
    /// A time limit has passed.
    Timeout = 5,
    /// The host name could not be resolved.
    Resolve = 6,
    /// The server refused the TCP connection.
    Refused = 7,
    /// The operating system reported an error.
    Io = 8,
    /// TLS failed: certificates, versions, or what the peer sent.
    Tls = 9,
    /// The server's answer to the upgrade request is not a WebSocket's.
    Handshake = 10,
    /// The server chose no subprotocol, or one that was not offered.
    Subprotocol = 11,
    /// Text that is not valid in its encoding.
    Encoding = 12,
    /// A message above its limit.
    TooBig = 13,
    /// The buffer is too small for what it should hold.
    BufferTooSmall = 14,
    /// The call is for synchronous sockets.
    CallbackSocket = 15,
    /// The send queue has no room.
    SendQueueFull = 16,
    /// The proxy failed.
    Proxy = 17,
    /// The peer broke the protocol.
    Protocol = 18,
    /// The call's socket was closed, or the library shut down, while the call waited.
    Cancelled = 19,
    /// The call cannot be made now, or from here.
    Busy = 20,
    /// No message is waiting.
    NoMessage = 21,
    /// The process is a child of `fork`.
    Forked = 22,
    /// This build or system cannot do this.
    Unsupported = 23,
    /// The connection is not open yet.
    NotOpen = 24,
    /// A defect in the library.
    Internal = 99,
}

/// An error: its kind and a sentence for people. Sentences name the socket, the address and the
/// cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The kind.
    pub code: Code,
    /// The sentence.
    pub message: Cow<'static, str>,
}

/// What a fallible function inside the library returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of this kind with this sentence.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Error {
            code,
            message: message.into(),
        }
    }

    /// An argument that is not valid, with a sentence that says which and why.
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Error::new(Code::InvalidArgument, message)
    }

    /// What the operating system said while doing `what`.
    pub fn io(what: impl fmt::Display, error: &io::Error) -> Self {
        Error::new(Code::Io, format!("{what}: {}", describe(error)))
    }

    /// The same error, its sentence introduced by the name of the socket that it is about.
    pub fn of(self, name: &str) -> Self {
        Error {
            code: self.code,
            message: format!("{name}: {}", self.message).into(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// The operating system's words without Rust's "(os error N)".
pub(crate) fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}
