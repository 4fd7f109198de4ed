//! Closing.

use super::{args, text::Text, truth};
use crate::{
    client,
    error::Error,
    protocol::close::{MAX_REASON, may_be_chosen},
    registry,
};
use std::ffi::c_char;

/// Closes a socket and frees its name at once, without waiting.
///
/// What was written is still sent, then the closing handshake (code 1000) goes on in the background,
/// bounded by `WDSOCKET_OPTION_CLOSE_TIMEOUT_MS`; if nothing is queued, the close frame is with the system
/// before this returns. A connection attempt is cancelled. Calls that wait on the name return
/// `WDSOCKET_E_CANCELLED`. Unread messages and events that have not begun are discarded,
/// `WDSOCKET_EVENT_CLOSING` included: after this returns, on any thread, no callback of the connection
/// starts; one that runs on another thread may still be running (`SocketSync`). The name's options go
/// too.
///
/// Returns 1 if the name existed, else 0 (`WDSOCKET_E_UNKNOWN_NAME`).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketClose(name: *const c_char) -> isize {
    // SAFETY: the host's promise for text arguments.
    unsafe { close(name) }
}

/// # Safety
/// The host's promise for text arguments.
pub(super) unsafe fn close(name: impl Text) -> isize {
    // SAFETY: the caller's promise.
    truth(|| client::close(&unsafe { args::name(name) }?))
}

/// Starts the closing handshake with a code and a reason, and keeps the name: messages still arrive,
/// then `WDSOCKET_EVENT_CLOSING`, or `-WDSOCKET_E_CLOSED` from `SocketRead`. After that: `SocketClose`, or
/// connect the name again.
///
/// - `code`: 1000 (normal), 3000 to 3999 (registered) or 4000 to 4999 (private); RFC 6455, section
///   7.4.
/// - `reason`: up to 123 bytes, counted in UTF-8; NULL or `""` for none.
///
/// Returns 1 if the handshake was started; 0 with `WDSOCKET_E_NOT_OPEN` before the connection is open,
/// `WDSOCKET_E_CLOSED` if it is closing or has ended.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketCloseWith(
    name: *const c_char,
    code: i32,
    reason: *const c_char,
) -> isize {
    // SAFETY: the host's promise for text arguments.
    unsafe { close_with(name, code, reason) }
}

/// # Safety
/// The host's promise for text arguments.
pub(super) unsafe fn close_with<T: Text>(name: T, code: i32, reason: T) -> isize {
    truth(|| {
        // SAFETY: the caller's promise.
        let (name, reason) = unsafe {
            (
                args::name(name)?,
                args::text("the reason", reason)?.unwrap_or_default(),
            )
        };
        if !may_be_chosen(code) {
            return Err(Error::invalid(format!(
                "close code {code}: only 1000 and 3000 to 4999 may be sent by a host"
            )));
        }
        if reason.len() > MAX_REASON {
            return Err(Error::invalid(format!(
                "the reason is {} bytes of UTF-8 long; at most {MAX_REASON} are allowed",
                reason.len()
            )));
        }
        registry::find(&name)?.close_with(code as u16, &reason)
    })
}
