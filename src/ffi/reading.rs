//! Reading synchronous sockets.

use super::{args, callback::Current, count};
use crate::{
    error::{Code, Error},
    protocol::Kind,
    registry,
    socket::{Peek, Socket, Wait},
    sync::{Arc, Weak, with_local},
};
use std::{
    cell::RefCell,
    collections::HashMap,
    ffi::{c_char, c_void},
};

/// Takes one whole message from a synchronous socket, waiting for it if need be.
///
/// - `wait`: other than 0: waits until a message comes or the connection ends. 0: waits up to
///   `timeout_ms` milliseconds, 0 not at all, negative without limit.
/// - `buffer`, `capacity`: where the message goes. A NUL is added after it where `capacity` leaves
///   room. NULL and 0: waits likewise, returns the next message's length and leaves the message in the
///   queue.
///
/// Returns the message's length in bytes (0 is an empty message), or
/// - `-WDSOCKET_E_TIMEOUT`: none came in time,
/// - `-WDSOCKET_E_CLOSED`: everything that was received has been read and the connection has ended;
///   the error message says how,
/// - `-WDSOCKET_E_BUFFER_TOO_SMALL`: the message is longer than `capacity` and is kept,
/// - `-WDSOCKET_E_CANCELLED`: another thread closed the socket meanwhile,
/// - `-WDSOCKET_E_CALLBACK_SOCKET`: its messages go to its callback.
///
/// With reconnecting, the first call after `-WDSOCKET_E_CLOSED` tries to get the connection back, and waits for that as
/// for a message; where its time is over first, the attempt goes on. If it fails, its error is returned.
///
/// Several threads may read one socket: each message goes to exactly one of them. A thread that has
/// asked for a length may find that another has taken the message: loop on
/// `-WDSOCKET_E_BUFFER_TOO_SMALL`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketRead(
    name: *const c_char,
    wait: i32,
    timeout_ms: i32,
    buffer: *mut c_void,
    capacity: libc::size_t,
) -> isize {
    count(|| {
        // SAFETY: the host's promise for text arguments and buffers.
        let (name, buffer) = unsafe { (args::name(name)?, args::Buffer::new(buffer, capacity)?) };
        let socket = registry::find(name)?;
        let wait = match (wait, args::limit(timeout_ms)) {
            (0, Some(limit)) if limit.is_zero() => Wait::No,
            (0, Some(limit)) => Wait::For(limit),
            _ => Wait::Forever,
        };
        let read = socket.read(wait, |message| {
            let length = message.data.len();
            if buffer.is_question() {
                Peek::Leave(Ok((length, None)))
            } else if length > buffer.capacity() {
                Peek::Leave(Err(length))
            } else {
                buffer.write(&message.data);
                Peek::Take(Ok((length, Some(message.kind))))
            }
        })?;
        match read {
            Some(Ok((length, kind))) => {
                if let Some(kind) = kind {
                    remember_kind(&socket, kind);
                }
                Ok(length)
            }
            Some(Err(length)) => Err(too_small(name, "the message", length, capacity)),
            None => Err(Error::new(
                Code::Timeout,
                format!("no message came within {timeout_ms} ms"),
            )
            .of(name)),
        }
    })
}

/// The length of the next message of a synchronous socket, without waiting.
///
/// Returns its length in bytes (0 is an empty message), `-WDSOCKET_E_NO_MESSAGE` if none has
/// arrived, `-WDSOCKET_E_CLOSED` once everything that was received has been read and the
/// connection has ended, or another negative error code. With reconnecting, the first call after that only
/// begins the attempt to get the connection back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketAvailable(name: *const c_char) -> isize {
    count(|| {
        // SAFETY: the host's promise for text arguments.
        let name = unsafe { args::name(name) }?;
        registry::find(name)?
            .read(Wait::No, |message| Peek::Leave(message.data.len()))?
            .ok_or_else(|| Error::new(Code::NoMessage, "no message is waiting").of(name))
    })
}

/// Whether a message is text or binary.
///
/// Returns `WDSOCKET_MESSAGE_TEXT` (1) or `WDSOCKET_MESSAGE_BINARY` (2): inside a callback for the
/// message that is being delivered, else for the message that the calling thread last read from this
/// socket. 0 if there is none, or a negative error code.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketMessageType(name: *const c_char) -> isize {
    count(|| {
        // SAFETY: the host's promise for text arguments.
        let name = unsafe { args::name(name) }?;
        let kind = match Current::of(name) {
            Some(current) => current.kind,
            None => last_kind(&*registry::find(name)?),
        };
        Ok(kind.map_or(0, |kind| kind as usize))
    })
}

/// What one thread last read from each socket.
type Kinds = HashMap<u64, (Weak<Socket>, Kind)>;

thread_local! {
    static KINDS: RefCell<Kinds> = RefCell::default();
}

fn remember_kind(socket: &Arc<Socket>, kind: Kind) {
    // Above this many, those of connections that are gone are forgotten.
    const MANY: usize = 64;

    with_local(&KINDS, |kinds| {
        if let Some((_, known)) = kinds.get_mut(&socket.id()) {
            *known = kind;
            return;
        }
        if kinds.len() >= MANY && kinds.len().is_power_of_two() {
            kinds.retain(|_, (socket, _)| socket.strong_count() > 0);
        }
        kinds.insert(socket.id(), (Arc::downgrade(socket), kind));
    });
}

fn last_kind(socket: &Socket) -> Option<Kind> {
    with_local(&KINDS, |kinds| {
        kinds.get(&socket.id()).map(|(_, kind)| *kind)
    })
}

/// The error for a buffer that is too small for `what`.
pub(super) fn too_small(name: &str, what: &str, length: usize, capacity: usize) -> Error {
    Error::new(
        Code::BufferTooSmall,
        format!("{what} needs {length} bytes, the buffer has {capacity}"),
    )
    .of(name)
}
