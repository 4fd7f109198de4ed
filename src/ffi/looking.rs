//! Looking at sockets.

use super::{
    args,
    callback::Current,
    count,
    reading::too_small,
    text::{Text, Unit},
    truth,
};
use crate::{
    encoding,
    error::{Code, Error},
    registry,
    socket::{Item, Socket, State},
    sync::{Arc, with_local},
};
use std::{cell::RefCell, ffi::c_char};

thread_local! {
    /// The thread's last connection attempt that failed.
    static FAILED: RefCell<Option<Arc<Socket>>> = const { RefCell::new(None) };
}

/// Keeps a failed attempt for `SocketInfo` with `name` NULL.
pub(super) fn remember_failed(attempt: Arc<Socket>) {
    with_local(&FAILED, |failed| *failed = Some(attempt));
}

/// Whether a name is in use: from the connect call until `SocketClose`, also when the peer has gone.
/// `SocketState` says more.
///
/// Returns 1, else 0 (`WDSOCKET_E_UNKNOWN_NAME`).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketExists(name: *const c_char) -> isize {
    // SAFETY: the host's promise for text arguments.
    unsafe { exists(name) }
}

/// # Safety
/// The host's promise for text arguments.
pub(super) unsafe fn exists(name: impl Text) -> isize {
    // SAFETY: the caller's promise.
    truth(|| registry::find(&unsafe { args::name(name) }?).map(drop))
}

/// Where a connection is in its life.
///
/// Inside a callback that tells of an end (`WDSOCKET_EVENT_ERROR`, `WDSOCKET_EVENT_CLOSING`) its own name's state is
/// what that end has led to, even if the connection has come back since: `WDSOCKET_STATE_CONNECTING` while the library
/// goes on trying, `WDSOCKET_STATE_CLOSED` if this was the last.
///
/// Returns a `WDSOCKET_STATE_...` constant; `WDSOCKET_STATE_NONE` (0) for a name that is not in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketState(name: *const c_char) -> isize {
    // SAFETY: the host's promise for text arguments.
    unsafe { state(name) }
}

/// # Safety
/// The host's promise for text arguments.
pub(super) unsafe fn state(name: impl Text) -> isize {
    let state = count(|| {
        // SAFETY: the caller's promise.
        let name = unsafe { args::name(name) }?;
        let Ok(socket) = registry::find(&name) else {
            return Ok(super::WDSOCKET_STATE_NONE as usize);
        };
        let ended = Current::of(&name)
            .filter(|current| Arc::ptr_eq(&current.socket, &socket))
            .and_then(|current| current.ended);
        let state = match ended {
            Some(ended) if ended.is_last => State::Closed,
            Some(_) => State::Connecting,
            None => socket.state(),
        };
        Ok(state as usize)
    });
    state.max(super::WDSOCKET_STATE_NONE as isize)
}

/// What is known of a connection, an item at a time, as text.
///
/// - `name`: the socket. Inside a callback its own name means the connection whose event is being
///   delivered, even if it has been closed, or the name used again, since; inside `WDSOCKET_EVENT_ERROR` and
///   `WDSOCKET_EVENT_CLOSING` the one that has ended, even if the library has reconnected since. NULL: the
///   calling thread's last synchronous connection attempt that failed.
/// - `item`: a `WDSOCKET_INFO_...` constant.
/// - `buffer`, `capacity`: where the text goes, with a NUL: `capacity` must be at least its length + 1.
///   NULL and 0 only ask for the length.
///
/// Returns the text's length in bytes without the NUL; 0 where there is nothing to say (yet).
/// `-WDSOCKET_E_BUFFER_TOO_SMALL`, `-WDSOCKET_E_UNKNOWN_NAME`, or `-WDSOCKET_E_INVALID_ARGUMENT` for an
/// item that does not exist.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketInfo(
    name: *const c_char,
    item: i32,
    buffer: *mut c_char,
    capacity: libc::size_t,
) -> isize {
    // SAFETY: the host's promise for text arguments and buffers.
    unsafe { info(name, item, buffer.cast::<u8>(), capacity) }
}

/// # Safety
/// The host's promise for text arguments and buffers.
pub(super) unsafe fn info<T: Text>(
    name: T,
    item: i32,
    buffer: *mut T::Unit,
    capacity: usize,
) -> isize {
    count(|| {
        // SAFETY: the caller's promise.
        let (name, buffer) = unsafe {
            (
                args::optional_name(name)?,
                args::Buffer::new(buffer, capacity)?,
            )
        };
        let Some(item) = Item::from_number(item) else {
            return Err(Error::invalid(format!("there is no item {item}")));
        };
        let (socket, ended) = match name {
            Some(name) => match Current::of(&name) {
                Some(current) => (current.socket, current.ended),
                None => (registry::find(&name)?, None),
            },
            None => {
                let failed = with_local(&FAILED, |failed| failed.clone());
                let failed = failed.ok_or_else(|| {
                    Error::new(
                        Code::UnknownName,
                        "no connection attempt of this thread has failed",
                    )
                })?;
                (failed, None)
            }
        };
        let text = socket.info(item, ended.as_deref());
        let units = T::Unit::encode(&text, encoding::DEFAULT.get());
        if !buffer.is_question() {
            if units.len() >= capacity {
                let needed = units.len() + 1;
                return Err(too_small::<T::Unit>(
                    socket.name(),
                    "the text",
                    needed,
                    capacity,
                ));
            }
            buffer.write(&units);
        }
        Ok(units.len())
    })
}

/// Has no effect on a WebSocket, whose messages have a beginning and an end; here because programs
/// call it.
///
/// Returns 1 for a name that is in use, else 0 (`WDSOCKET_E_UNKNOWN_NAME`). `mode` and `option` are not
/// looked at.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketChangeTransmissionMode(
    name: *const c_char,
    mode: i32,
    option: *const c_char,
) -> isize {
    let _ = (mode, option);
    // SAFETY: the host's promise for text arguments.
    unsafe { exists(name) }
}
