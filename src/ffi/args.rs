//! From C arguments to Rust values. All rules of conversion are here.

use super::constants::{
    WDSOCKET_SSL_TLS1, WDSOCKET_SSL_TLS1_1, WDSOCKET_SSL_TLS1_2, WDSOCKET_SSL_TLS1_3,
};
use crate::{
    error::{Code, Error, Result},
    tls::Versions,
};
use std::{
    ffi::{CStr, c_char, c_void},
    time::Duration,
};

/// The longest name, in bytes.
const MAX_NAME: usize = 255;

/// A text: `None` for NULL and `""`.
///
/// # Safety
/// `text` is NULL or points to a NUL-terminated string that does not change during the call.
pub(super) unsafe fn text<'a>(what: &str, text: *const c_char) -> Result<Option<&'a str>> {
    // SAFETY: the caller's promise.
    let text = unsafe { text_or_empty(what, text) }?;
    Ok(text.filter(|text| !text.is_empty()))
}

/// A text: `None` for NULL alone.
///
/// # Safety
/// `text` is NULL or points to a NUL-terminated string that does not change during the call.
pub(super) unsafe fn text_or_empty<'a>(what: &str, text: *const c_char) -> Result<Option<&'a str>> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: not NULL, so that it is a NUL-terminated string.
    let text = unsafe { CStr::from_ptr(text) };
    match text.to_str() {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(Error::new(
            Code::Encoding,
            format!("{what} is not valid UTF-8"),
        )),
    }
}

/// A text that must be there.
///
/// # Safety
/// As for [`text`].
pub(super) unsafe fn required<'a>(what: &str, value: *const c_char) -> Result<&'a str> {
    // SAFETY: the caller's promise.
    unsafe { text(what, value) }?
        .ok_or_else(|| Error::invalid(format!("{what} is missing (NULL or empty)")))
}

/// The name of a socket.
///
/// # Safety
/// As for [`text`].
pub(super) unsafe fn name<'a>(value: *const c_char) -> Result<&'a str> {
    // SAFETY: the caller's promise.
    check_name(unsafe { required("the socket's name", value) }?)
}

/// The name of a socket, or none.
///
/// # Safety
/// As for [`text`].
pub(super) unsafe fn optional_name<'a>(value: *const c_char) -> Result<Option<&'a str>> {
    if value.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    unsafe { name(value) }.map(Some)
}

fn check_name(name: &str) -> Result<&str> {
    match name.len() <= MAX_NAME {
        true => Ok(name),
        false => Err(Error::invalid(format!(
            "the socket's name is {} bytes long; at most {MAX_NAME} are allowed",
            name.len()
        ))),
    }
}

/// The length of a message: what the parameter says, or up to the NUL where that is allowed.
///
/// # Safety
/// `message` is NULL, or a NUL-terminated string if `length` asks for its length.
pub(super) unsafe fn message_length(
    message: *const c_void,
    length: isize,
    may_be_counted: bool,
) -> Result<usize> {
    // What a 32-bit -1 becomes in hosts that widen it without its sign.
    const WIDENED: u64 = 0xFFFF_FFFF;

    let counted = length == -1 || length as u64 == WIDENED;
    if counted && !may_be_counted {
        return Err(Error::invalid(
            "a binary message needs its length: it may contain NULs",
        ));
    }
    match usize::try_from(length) {
        Ok(0) => Ok(0),
        _ if message.is_null() => Err(Error::invalid("the message is missing (NULL)")),
        // SAFETY: not NULL, so that it is a NUL-terminated string.
        _ if counted => Ok(unsafe { CStr::from_ptr(message.cast()) }.count_bytes()),
        Ok(length) => Ok(length),
        Err(_) => Err(Error::invalid(format!("{length} is not a length"))),
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
    capacity: usize,
}

impl Buffer {
    /// # Safety
    /// `start` is NULL, or points to `capacity` bytes that only this call uses until it returns.
    pub unsafe fn new(start: *mut c_void, capacity: usize) -> Result<Self> {
        match start.is_null() && capacity > 0 {
            true => Err(Error::invalid("the buffer is missing (NULL)")),
            false => Ok(Buffer {
                start: start.cast(),
                capacity,
            }),
        }
    }

    /// Whether only the length is asked for.
    pub fn is_question(&self) -> bool {
        self.start.is_null()
    }

    /// How many bytes it holds.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Writes the bytes, which fit, and a NUL after them where there is room.
    pub fn write(&self, bytes: &[u8]) {
        assert!(bytes.len() <= self.capacity, "the caller has compared");
        if self.start.is_null() {
            return;
        }
        // SAFETY: `start` points to `capacity` bytes of the host's, which `bytes`, the library's
        // own, cannot overlap; the lengths were compared above.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.start, bytes.len());
            if bytes.len() < self.capacity {
                self.start.add(bytes.len()).write(0);
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
