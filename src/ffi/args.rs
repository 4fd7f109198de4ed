//! From C arguments to Rust values. All rules of conversion are here.

use super::{
    constants::{WDSOCKET_SSL_TLS1, WDSOCKET_SSL_TLS1_1, WDSOCKET_SSL_TLS1_2, WDSOCKET_SSL_TLS1_3},
    text::{Text, Unit},
};
use crate::{
    encoding,
    error::{Code, Error, Result},
    registry,
    socket::Socket,
    sync::Arc,
    tls::Versions,
};
use std::{borrow::Cow, ffi::c_void, time::Duration};

/// The longest name, in bytes as the host gives them (UTF-16: units).
const MAX_NAME: usize = 255;

/// A text: `None` for NULL and `""`.
///
/// # Safety
/// `text` is NULL or points to a NUL-terminated string that does not change during the call.
pub(super) unsafe fn text<'a>(what: &str, text: impl Text) -> Result<Option<Cow<'a, str>>> {
    // SAFETY: the caller's promise.
    let text = unsafe { text_or_empty(what, text) }?;
    Ok(text.filter(|text| !text.is_empty()))
}

/// A text: `None` for NULL alone.
///
/// # Safety
/// As for [`text`].
pub(super) unsafe fn text_or_empty<'a, T: Text>(
    what: &str,
    text: T,
) -> Result<Option<Cow<'a, str>>> {
    let start = text.start();
    if start.is_null() {
        return Ok(None);
    }
    // SAFETY: not NULL, so that it is a NUL-terminated string.
    unsafe { decode(what, start, T::Unit::length(start)) }.map(Some)
}

/// # Safety
/// As for [`Unit::decode`].
#[inline]
unsafe fn decode<'a, U: Unit>(what: &str, start: *const U, length: usize) -> Result<Cow<'a, str>> {
    let encoding = encoding::DEFAULT.get();
    // SAFETY: the caller's promise.
    unsafe { U::decode(start, length, encoding) }.ok_or_else(|| {
        Error::new(
            Code::Encoding,
            format!("{what} is not valid {}", U::encoding_name(encoding)),
        )
    })
}

/// A text that must be there.
///
/// # Safety
/// As for [`text`].
pub(super) unsafe fn required<'a>(what: &str, value: impl Text) -> Result<Cow<'a, str>> {
    // SAFETY: the caller's promise.
    unsafe { text(what, value) }?.ok_or_else(|| missing(what))
}

fn missing(what: &str) -> Error {
    Error::invalid(format!("{what} is missing (NULL or empty)"))
}

/// The name of a socket.
///
/// # Safety
/// As for [`text`].
pub(super) unsafe fn name<'a, T: Text>(value: T) -> Result<Cow<'a, str>> {
    const WHAT: &str = "the socket's name";
    let start = value.start();
    if start.is_null() {
        return Err(missing(WHAT));
    }
    // SAFETY: not NULL, so that it is a NUL-terminated string.
    let length = unsafe { T::Unit::length(start) };
    match length {
        0 => Err(missing(WHAT)),
        // SAFETY: the text of this length.
        1..=MAX_NAME => unsafe { decode(WHAT, start, length) },
        _ => Err(Error::invalid(format!(
            "{WHAT} is {length} {} long; at most {MAX_NAME} are allowed",
            T::Unit::PLURAL
        ))),
    }
}

/// The socket of a name.
///
/// # Safety
/// As for [`text`].
#[inline]
pub(super) unsafe fn socket<T: Text>(value: T) -> Result<Arc<Socket>> {
    let start = value.start();
    if !start.is_null() {
        // SAFETY: not NULL, so that it is a NUL-terminated string.
        let bytes = unsafe { T::Unit::utf8(start, encoding::DEFAULT.get()) };
        if let Some(socket) = bytes.and_then(registry::find_again) {
            return Ok(socket);
        }
    }
    // SAFETY: the caller's promise.
    registry::find(&unsafe { name(value) }?)
}

/// The name of a socket, or none.
///
/// # Safety
/// As for [`text`].
pub(super) unsafe fn optional_name<'a>(value: impl Text) -> Result<Option<Cow<'a, str>>> {
    if value.start().is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    unsafe { name(value) }.map(Some)
}

/// The length of a text message: what the parameter says, or up to the NUL.
///
/// # Safety
/// `message` is NULL, or a NUL-terminated string if `length` asks for its length.
pub(super) unsafe fn text_length<U: Unit>(message: *const U, length: isize) -> Result<usize> {
    if is_counted(length) && !message.is_null() {
        // SAFETY: not NULL, so that it is a NUL-terminated string.
        return Ok(unsafe { U::length(message) });
    }
    given_length(message, length)
}

/// The length of a binary message, which must be given.
pub(super) fn binary_length(message: *const c_void, length: isize) -> Result<usize> {
    match is_counted(length) {
        true => Err(Error::invalid(
            "a binary message needs its length: it may contain NULs",
        )),
        false => given_length(message.cast::<u8>(), length),
    }
}

/// Whether a length asks for the units up to the NUL.
fn is_counted(length: isize) -> bool {
    // What a 32-bit -1 becomes in hosts that widen it without its sign.
    const WIDENED: u64 = 0xFFFF_FFFF;

    length == -1 || length as u64 == WIDENED
}

fn given_length<U: Unit>(message: *const U, length: isize) -> Result<usize> {
    const MOST: usize = isize::MAX as usize;

    match usize::try_from(length) {
        Ok(0) => Ok(0),
        _ if message.is_null() => Err(Error::invalid("the message is missing (NULL)")),
        // No memory is larger.
        Ok(length) if length <= MOST / size_of::<U>() => Ok(length),
        _ => Err(Error::invalid(format!("{length} is not a length"))),
    }
}

/// The bytes of a message.
///
/// # Safety
/// `message` points to `length` bytes that do not change during the call, or `length` is 0.
pub(super) unsafe fn bytes<'a>(message: *const c_void, length: usize) -> &'a [u8] {
    match length {
        0 => &[],
        // SAFETY: the caller's promise; lengths that no memory can have were refused before.
        _ => unsafe { std::slice::from_raw_parts(message.cast(), length) },
    }
}

/// A time in milliseconds: `None` is without limit.
pub(super) fn limit(milliseconds: i32) -> Option<Duration> {
    u64::try_from(milliseconds).ok().map(Duration::from_millis)
}

/// Where a result is to be written: the host's buffer.
#[derive(Clone, Copy)]
pub(super) struct Buffer {
    start: *mut u8,
    /// In bytes.
    size: usize,
}

impl Buffer {
    /// For a question.
    pub const NONE: Buffer = Buffer {
        start: std::ptr::null_mut(),
        size: 0,
    };

    /// # Safety
    /// `start` is NULL, or points to `capacity` units that only this call uses until it returns.
    pub unsafe fn new<U: Unit>(start: *mut U, capacity: usize) -> Result<Self> {
        match start.is_null() && capacity > 0 {
            true => Err(Error::invalid("the buffer is missing (NULL)")),
            false => Ok(Buffer {
                start: start.cast(),
                size: capacity.saturating_mul(size_of::<U>()),
            }),
        }
    }

    /// Whether only the length is asked for.
    pub fn is_question(&self) -> bool {
        self.start.is_null()
    }

    /// How many of these units it holds.
    pub fn capacity<U: Unit>(&self) -> usize {
        self.size / size_of::<U>()
    }

    /// Writes the units, which fit, and a NUL after them where there is room.
    pub fn write<U: Unit>(&self, units: &[U]) {
        assert!(
            units.len() <= self.capacity::<U>(),
            "the caller has compared"
        );
        if self.start.is_null() {
            return;
        }
        let size = size_of_val(units);
        // SAFETY: `start` points to `self.size` bytes of the host's, which `units`, the library's own, cannot
        // overlap; the lengths were compared above. Bytes, for nobody promises alignment.
        unsafe {
            std::ptr::copy_nonoverlapping(units.as_ptr().cast::<u8>(), self.start, size);
            if units.len() < self.capacity::<U>() {
                self.start.add(size).write_bytes(0, size_of::<U>());
            }
        }
    }
}

/// The TLS versions that `ssl_options` allows.
pub(super) fn versions(ssl_options: i32) -> Result<Versions> {
    const OLD: i32 = WDSOCKET_SSL_TLS1 | WDSOCKET_SSL_TLS1_1;
    const NEW: i32 = WDSOCKET_SSL_TLS1_2 | WDSOCKET_SSL_TLS1_3;
    if ssl_options == 0 {
        return Ok(Versions::ALL);
    }
    if ssl_options & !(OLD | NEW) != 0 {
        return Err(Error::invalid(format!(
            "ssl_options {ssl_options} is not a combination of WDSOCKET_SSL_... constants"
        )));
    }
    if ssl_options & NEW == 0 {
        return Err(Error::invalid(
            "ssl_options allows only TLS 1.0 and 1.1, which are broken and never used (RFC 8996); \
             0 means TLS 1.2 and 1.3",
        ));
    }
    Ok(Versions {
        tls12: ssl_options & WDSOCKET_SSL_TLS1_2 != 0,
        tls13: ssl_options & WDSOCKET_SSL_TLS1_3 != 0,
    })
}
