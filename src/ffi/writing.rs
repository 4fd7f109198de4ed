//! Writing.

use super::{
    args,
    text::{Text, Unit},
    truth,
};
use crate::{
    error::{Code, Error},
    protocol::Kind,
};
use std::{
    borrow::Cow,
    ffi::{c_char, c_void},
};

/// Sends a text message.
///
/// - `message`, `length`: the message, valid UTF-8 or what `WDSOCKET_OPTION_TEXT_ENCODING` says, `length`
///   bytes of it. -1 (or 0xFFFFFFFF, which is what a 32-bit -1 becomes in some hosts): up to the NUL. 0 is
///   an empty message, which is sent.
///
/// Returns 1 once the message is in the operating system's buffer or, if that is full, in the socket's
/// send queue; it does not say that the peer has it. 0 and nothing sent:
/// - `WDSOCKET_E_SEND_QUEUE_FULL`: no room within `WDSOCKET_OPTION_WRITE_TIMEOUT_MS`, or at once inside a
///   callback; a callback socket then gets `WDSOCKET_EVENT_WRITABLE`,
/// - `WDSOCKET_E_ENCODING`: not valid in its encoding,
/// - `WDSOCKET_E_TOO_BIG`: in UTF-8 longer than `WDSOCKET_OPTION_MAX_MESSAGE_BYTES`,
/// - `WDSOCKET_E_NOT_OPEN`: before the connection is open; `WDSOCKET_E_CLOSED`: after its end.
///
/// With reconnecting, messages are queued from the loss of the connection (or the server's close frame) until the
/// next one is open. On a synchronous socket one call reports the loss, and the next write waits for the new
/// connection first; inside a callback it is queued.
///
/// Any thread may write at any time. Messages of one thread arrive in order; messages of several
/// threads never mix.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketWrite(
    name: *const c_char,
    message: *const c_void,
    length: isize,
) -> isize {
    // SAFETY: the host's promise for text arguments and messages.
    unsafe { write_text(name, message.cast::<c_char>(), length) }
}

/// Sends a binary message. Like `SocketWrite`, but for any bytes; `length` must be given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketWriteBinary(
    name: *const c_char,
    message: *const c_void,
    length: isize,
) -> isize {
    // SAFETY: the host's promise for text arguments and messages.
    unsafe { write_binary(name, message, length) }
}

/// # Safety
/// `name` is NULL or a NUL-terminated string; `message` points to `length` units, or is one too.
pub(super) unsafe fn write_text<T: Text>(name: T, message: T, length: isize) -> isize {
    truth(|| {
        let message = message.start();
        // SAFETY: the caller's promise.
        let length = unsafe { args::text_length(message, length) }?;
        // SAFETY: the caller's promise.
        let socket = unsafe { args::socket(name) }?;
        let encoding = socket.encoding();
        socket.check_length(T::Unit::least_utf8(length, encoding))?;
        // SAFETY: the caller's promise, and the length is one that memory can have.
        let Some(text) = (unsafe { T::Unit::decode(message, length, encoding) }) else {
            return Err(Error::new(
                Code::Encoding,
                format!(
                    "the message is not valid {}; send it with SocketWriteBinary, or convert it",
                    T::Unit::encoding_name(encoding)
                ),
            )
            .of(socket.name()));
        };
        if let Cow::Owned(text) = &text {
            socket.check_length(text.len())?;
        }
        socket.write(Kind::Text, text.as_bytes())
    })
}

/// # Safety
/// `name` is NULL or a NUL-terminated string; `message` points to `length` bytes.
pub(super) unsafe fn write_binary(name: impl Text, message: *const c_void, length: isize) -> isize {
    truth(|| {
        let length = args::binary_length(message, length)?;
        // SAFETY: the caller's promise.
        let socket = unsafe { args::socket(name) }?;
        socket.check_length(length)?;
        // SAFETY: the caller's promise, and the length is one that memory can have.
        let bytes = unsafe { args::bytes(message, length) };
        socket.write(Kind::Binary, bytes)
    })
}
