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
///
/// Small messages that come together go out together: what other threads write while one is sending; and inside
/// callbacks all but a first one behind whose callback none waits: those are sent when the callbacks that waited have
/// run, or, where one takes long, without waiting for it, after 1 to some 10 ms. A program that ends itself inside a
/// callback should not have just written two messages in it.
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

/// Gathers a socket's small messages, so that many go out in one piece: one system call for hundreds of them.
///
/// - `on`: other than 0: from now on messages that are written to this socket, by any thread, wait in its send queue
///   until `SocketCork(name, 0)`, or until 64 KiB wait, 100 ms have passed, a call waits in `SocketRead` on the
///   socket, or the socket is closed. 0: sends what waits; what is written later goes at once again.
///
/// Returns 1; 0 with `WDSOCKET_E_UNKNOWN_NAME`. A name that is connected again starts without.
///
/// ```c
/// SocketCork("client", 1);
/// for (int i = 0; i < 1000; i++) SocketWrite("client", line[i], -1);
/// SocketCork("client", 0);
/// ```
///
/// What several threads write at the same time, and what is written inside callbacks, is gathered without this (see
/// `SocketWrite`).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketCork(name: *const c_char, on: i32) -> isize {
    // SAFETY: the host's promise for text arguments.
    unsafe { cork(name, on) }
}

/// # Safety
/// The host's promise for text arguments.
pub(super) unsafe fn cork(name: impl Text, on: i32) -> isize {
    truth(|| {
        // SAFETY: the caller's promise.
        unsafe { args::socket(name) }?.cork(on != 0);
        Ok(())
    })
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
