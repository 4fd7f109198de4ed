//! Reading synchronous sockets.

use super::{
    args,
    callback::Current,
    count,
    text::{Text, Unit},
};
use crate::{
    encoding::Encoding,
    error::{Code, Error, Result},
    protocol::Kind,
    registry,
    socket::{Peek, Socket, Wait},
    sync::{Arc, Weak, with_local},
    sys,
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
/// Returns the message's length in bytes (0 is an empty message), a text message's in its encoding
/// (`WDSOCKET_OPTION_TEXT_ENCODING`), or
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
    // SAFETY: the host's promise for text arguments and buffers.
    unsafe { read(name, wait, timeout_ms, buffer.cast::<u8>(), capacity) }
}

/// # Safety
/// The host's promise for text arguments and buffers.
pub(super) unsafe fn read<T: Text>(
    name: T,
    wait: i32,
    timeout_ms: i32,
    buffer: *mut T::Unit,
    capacity: usize,
) -> isize {
    count(|| {
        // SAFETY: the caller's promise.
        let buffer = unsafe { args::Buffer::new(buffer, capacity) }?;
        // SAFETY: the caller's promise.
        let socket = unsafe { args::socket(name) }?;
        let wait = match (wait, args::limit(timeout_ms)) {
            (0, Some(limit)) if limit.is_zero() => Wait::No,
            (0, Some(limit)) => Wait::For(limit),
            _ => Wait::Forever,
        };
        match next_message::<T::Unit>(&socket, wait, &buffer)? {
            Some((length, kind)) => {
                if let Some(kind) = kind {
                    remember_kind(&socket, kind);
                }
                Ok(length)
            }
            None => Err(Error::new(
                Code::Timeout,
                format!("no message came within {timeout_ms} ms"),
            )
            .of(socket.name())),
        }
    })
}

/// What became of the next message.
enum Offered {
    /// Its length, and its kind if it was taken.
    Done(usize, Option<Kind>),
    /// The buffer is too small.
    TooSmall(Box<Error>),
    /// This message must be converted first.
    Convert(Box<[u8]>),
}

/// Puts the next message into the buffer if it fits, or tells its length: `None` where there is none in time.
#[inline]
fn next_message<U: Unit>(
    socket: &Arc<Socket>,
    wait: Wait,
    buffer: &args::Buffer,
) -> Result<Option<(usize, Option<Kind>)>> {
    let encoding = socket.encoding();
    let name = socket.name();
    if !U::is_utf8(encoding) {
        return next_converted::<U>(socket, encoding, wait, buffer);
    }
    let offered = socket.read(wait, |kind, data| offer(name, kind, data, buffer))?;
    match offered {
        Some(Offered::Done(length, kind)) => Ok(Some((length, kind))),
        Some(Offered::TooSmall(error)) => Err(*error),
        Some(Offered::Convert(_)) | None => Ok(None),
    }
}

/// The same where text is not UTF-8 for the host.
fn next_converted<U: Unit>(
    socket: &Arc<Socket>,
    encoding: Encoding,
    wait: Wait,
    buffer: &args::Buffer,
) -> Result<Option<(usize, Option<Kind>)>> {
    // Longer ones are converted without the connection's lock. That can take microseconds for each character.
    const SHORT: usize = 16 << 10;

    let name = socket.name();
    let start = sys::now();
    let mut wait = wait;
    let mut converted: Option<(Box<[u8]>, Vec<U>)> = None;
    loop {
        let offered = socket.read(wait, |kind, data| match kind {
            Kind::Binary => offer(name, kind, data, buffer),
            Kind::Text if data.len() <= SHORT => {
                let units = U::encode_message(data, encoding);
                offer(name, kind, &units, buffer)
            }
            Kind::Text => match &converted {
                // Another with the same bytes, if another thread has taken that one, is as good.
                Some((bytes, units)) if **bytes == *data => offer(name, kind, units, buffer),
                _ => Peek::Leave(Offered::Convert(data.into())),
            },
        })?;
        match offered {
            Some(Offered::Convert(bytes)) => {
                let units = U::encode_message(&bytes, encoding).into_owned();
                converted = Some((bytes, units));
                if let Wait::For(limit) = &mut wait {
                    *limit = limit.saturating_sub(start.elapsed());
                }
            }
            Some(Offered::Done(length, kind)) => return Ok(Some((length, kind))),
            Some(Offered::TooSmall(error)) => return Err(*error),
            None => return Ok(None),
        }
    }
}

/// Puts a message into the buffer if it fits.
#[inline]
fn offer<U: Unit>(name: &str, kind: Kind, units: &[U], buffer: &args::Buffer) -> Peek<Offered> {
    let length = units.len();
    let capacity = buffer.capacity::<U>();
    if buffer.is_question() {
        Peek::Leave(Offered::Done(length, None))
    } else if length > capacity {
        let error = too_small::<U>(name, "the message", length, capacity);
        Peek::Leave(Offered::TooSmall(Box::new(error)))
    } else {
        buffer.write(units);
        Peek::Take(Offered::Done(length, Some(kind)))
    }
}

/// The length of the next message of a synchronous socket, without waiting.
///
/// Returns its length in bytes as `SocketRead` does (0 is an empty message), `-WDSOCKET_E_NO_MESSAGE` if none has
/// arrived, `-WDSOCKET_E_CLOSED` once everything that was received has been read and the
/// connection has ended, or another negative error code. With reconnecting, the first call after that only
/// begins the attempt to get the connection back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketAvailable(name: *const c_char) -> isize {
    // SAFETY: the host's promise for text arguments.
    unsafe { available(name) }
}

/// # Safety
/// The host's promise for text arguments.
pub(super) unsafe fn available<T: Text>(name: T) -> isize {
    count(|| {
        // SAFETY: the caller's promise.
        let socket = unsafe { args::socket(name) }?;
        next_message::<T::Unit>(&socket, Wait::No, &args::Buffer::NONE)?
            .map(|(length, _)| length)
            .ok_or_else(|| Error::new(Code::NoMessage, "no message is waiting").of(socket.name()))
    })
}

/// Whether a message is text or binary.
///
/// Returns `WDSOCKET_MESSAGE_TEXT` (1) or `WDSOCKET_MESSAGE_BINARY` (2): inside a callback for the
/// message that is being delivered, else for the message that the calling thread last read from this
/// socket. 0 if there is none, or a negative error code.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketMessageType(name: *const c_char) -> isize {
    // SAFETY: the host's promise for text arguments.
    unsafe { message_type(name) }
}

/// # Safety
/// The host's promise for text arguments.
pub(super) unsafe fn message_type(name: impl Text) -> isize {
    count(|| {
        // SAFETY: the caller's promise.
        let name = unsafe { args::name(name) }?;
        let kind = match Current::of(&name) {
            Some(current) => current.kind,
            None => last_kind(&*registry::find(&name)?),
        };
        Ok(kind.map_or(0, |kind| kind as usize))
    })
}

/// What one thread last read from each socket.
#[derive(Default)]
struct Kinds {
    /// The socket that it read from last is looked for here first.
    last: Option<(u64, Kind)>,
    all: HashMap<u64, (Weak<Socket>, Kind)>,
}

thread_local! {
    static KINDS: RefCell<Kinds> = RefCell::default();
}

#[inline]
fn remember_kind(socket: &Arc<Socket>, kind: Kind) {
    with_local(&KINDS, |kinds| match kinds.last {
        Some(last) if last == (socket.id(), kind) => {}
        _ => kinds.remember(socket, kind),
    });
}

impl Kinds {
    #[cold]
    fn remember(&mut self, socket: &Arc<Socket>, kind: Kind) {
        // Above this many, those of connections that are gone are forgotten.
        const MANY: usize = 64;

        self.last = Some((socket.id(), kind));
        if let Some((_, known)) = self.all.get_mut(&socket.id()) {
            *known = kind;
            return;
        }
        if self.all.len() >= MANY && self.all.len().is_power_of_two() {
            self.all.retain(|_, (socket, _)| socket.strong_count() > 0);
        }
        self.all.insert(socket.id(), (Arc::downgrade(socket), kind));
    }
}

fn last_kind(socket: &Socket) -> Option<Kind> {
    with_local(&KINDS, |kinds| {
        kinds.all.get(&socket.id()).map(|(_, kind)| *kind)
    })
}

/// The error for a buffer that is too small for `what`.
pub(super) fn too_small<U: Unit>(name: &str, what: &str, length: usize, capacity: usize) -> Error {
    Error::new(
        Code::BufferTooSmall,
        format!(
            "{what} needs {length} {}, the buffer has {capacity}",
            U::PLURAL
        ),
    )
    .of(name)
}
