//! Text as hosts have it: bytes in the encoding that they chose, or UTF-16 (`wide.rs`). What is done with text is
//! written once, for both.

use crate::encoding::Encoding;
use std::{
    borrow::Cow,
    ffi::{CStr, c_char},
};

/// A pointer to text in the C interface.
pub(super) trait Text: Copy + 'static {
    /// What the text is made of.
    type Unit: Unit;

    /// The pointer to text that begins here.
    fn at(start: *const Self::Unit) -> Self;

    /// Where the text begins.
    fn start(self) -> *const Self::Unit;
}

impl Text for *const c_char {
    type Unit = u8;

    fn at(start: *const u8) -> Self {
        start.cast()
    }

    fn start(self) -> *const u8 {
        self.cast()
    }
}

#[cfg(any(windows, test))]
impl Text for *const u16 {
    type Unit = u16;

    fn at(start: *const u16) -> Self {
        start
    }

    fn start(self) -> *const u16 {
        self
    }
}

/// What text is made of, and how lengths and capacities count it. `encoding` is the host's; UTF-16 does not ask for it.
pub(super) trait Unit: Copy + Send + Sync + 'static {
    /// For sentences.
    const PLURAL: &'static str;
    /// What ends a text.
    const NUL: Self;
    /// The text that ends where it begins.
    const EMPTY: &'static [Self];

    /// The length of a NUL-terminated text, without the NUL.
    ///
    /// # Safety
    /// `start` points to one.
    unsafe fn length(start: *const Self) -> usize;

    /// The bytes of a NUL-terminated text where they need no conversion; they may not be valid.
    ///
    /// # Safety
    /// `start` points to a text that does not change during `'a`.
    unsafe fn utf8<'a>(start: *const Self, encoding: Encoding) -> Option<&'a [u8]>;

    /// The text of these units; `None` where they are not valid.
    ///
    /// # Safety
    /// `start` points to `length` units that do not change during `'a`, or `length` is 0; together they are of a
    /// size that memory can have.
    unsafe fn decode<'a>(
        start: *const Self,
        length: usize,
        encoding: Encoding,
    ) -> Option<Cow<'a, str>>;

    /// Whether the text is UTF-8 for the host, too: nothing has to be converted.
    fn is_utf8(encoding: Encoding) -> bool;

    /// At least so many bytes of UTF-8 come out of `length` units.
    fn least_utf8(length: usize, encoding: Encoding) -> usize;

    /// The name of the encoding, for sentences.
    fn encoding_name(encoding: Encoding) -> &'static str;

    /// A text for the host.
    fn encode(text: &str, encoding: Encoding) -> Cow<'_, [Self]>;

    /// A text message for the host, whose UTF-8 has been checked.
    fn encode_message(message: &[u8], encoding: Encoding) -> Cow<'_, [Self]>;
}

impl Unit for u8 {
    const PLURAL: &'static str = "bytes";
    const NUL: u8 = 0;
    const EMPTY: &'static [u8] = &[0];

    unsafe fn length(start: *const u8) -> usize {
        // SAFETY: the caller's promise.
        unsafe { CStr::from_ptr(start.cast()) }.count_bytes()
    }

    #[inline]
    unsafe fn utf8<'a>(start: *const u8, encoding: Encoding) -> Option<&'a [u8]> {
        // SAFETY: the caller's promise.
        encoding
            .is_utf8()
            .then(|| unsafe { CStr::from_ptr(start.cast()) }.to_bytes())
    }

    #[inline]
    unsafe fn decode<'a>(
        start: *const u8,
        length: usize,
        encoding: Encoding,
    ) -> Option<Cow<'a, str>> {
        if length == 0 {
            return Some(Cow::Borrowed(""));
        }
        // SAFETY: the caller's promise.
        encoding.decode(unsafe { std::slice::from_raw_parts(start, length) })
    }

    fn is_utf8(encoding: Encoding) -> bool {
        encoding.is_utf8()
    }

    fn least_utf8(length: usize, encoding: Encoding) -> usize {
        encoding.least_utf8(length)
    }

    fn encoding_name(encoding: Encoding) -> &'static str {
        encoding.name()
    }

    fn encode(text: &str, encoding: Encoding) -> Cow<'_, [u8]> {
        encoding.encode(text)
    }

    fn encode_message(message: &[u8], encoding: Encoding) -> Cow<'_, [u8]> {
        encoding.encode_message(message)
    }
}

#[cfg(any(windows, test))]
impl Unit for u16 {
    const PLURAL: &'static str = "units";
    const NUL: u16 = 0;
    const EMPTY: &'static [u16] = &[0];

    unsafe fn length(start: *const u16) -> usize {
        let mut length = 0;
        // SAFETY: the caller's promise: no unit is read behind the NUL. Nobody promises alignment.
        while unsafe { start.add(length).read_unaligned() } != 0 {
            length += 1;
        }
        length
    }

    unsafe fn utf8<'a>(_: *const u16, _: Encoding) -> Option<&'a [u8]> {
        None
    }

    unsafe fn decode<'a>(start: *const u16, length: usize, _: Encoding) -> Option<Cow<'a, str>> {
        let mut units = vec![0u16; length];
        // SAFETY: the caller's promise, and `units` is as long; bytes, for nobody promises alignment.
        unsafe {
            std::ptr::copy_nonoverlapping(
                start.cast::<u8>(),
                units.as_mut_ptr().cast::<u8>(),
                length * size_of::<u16>(),
            );
        }
        String::from_utf16(&units).ok().map(Cow::Owned)
    }

    fn is_utf8(_: Encoding) -> bool {
        false
    }

    fn least_utf8(length: usize, _: Encoding) -> usize {
        length
    }

    fn encoding_name(_: Encoding) -> &'static str {
        "UTF-16"
    }

    fn encode(text: &str, _: Encoding) -> Cow<'_, [u16]> {
        let mut units = vec![0; text.len()];
        let length = encoding_rs::mem::convert_str_to_utf16(text, &mut units);
        units.truncate(length);
        Cow::Owned(units)
    }

    fn encode_message(message: &[u8], encoding: Encoding) -> Cow<'_, [u16]> {
        Self::encode(crate::encoding::checked(message), encoding)
    }
}

/// A text for the host with its NUL. (A NUL inside becomes a space: it would be the end.)
pub(super) fn terminated<U: Unit>(text: &str, encoding: Encoding) -> Vec<U> {
    let text = match text.contains('\0') {
        true => Cow::Owned(text.replace('\0', " ")),
        false => Cow::Borrowed(text),
    };
    let mut units = U::encode(&text, encoding).into_owned();
    units.push(U::NUL);
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(units: &[u16]) -> Option<Cow<'static, str>> {
        // SAFETY: a slice.
        unsafe { u16::decode(units.as_ptr(), units.len(), Encoding::default()) }
    }

    #[test]
    fn utf16_comes_and_goes_unchanged_whatever_the_encoding_is() {
        let other = Encoding::parse("windows-1252").unwrap();
        for text in ["", "a", "é€日本", "\u{1f600} and \u{10ffff}"] {
            let units = u16::encode(text, other);
            assert_eq!(&*units, text.encode_utf16().collect::<Vec<_>>());
            assert_eq!(utf16(&units).unwrap(), text);
            let with_nul = terminated::<u16>(text, other);
            // SAFETY: it ends with a NUL.
            assert_eq!(unsafe { u16::length(with_nul.as_ptr()) }, units.len());
            assert!(u16::least_utf8(units.len(), other) <= text.len());
        }
    }

    #[test]
    fn lone_surrogates_are_refused() {
        for bad in [
            &[0xd83d][..],
            &[0xde00],
            &[0x61, 0xd83d, 0x61],
            &[0xde00, 0xd83d],
        ] {
            assert_eq!(utf16(bad), None, "{bad:x?}");
        }
    }

    #[test]
    fn text_at_an_odd_address_is_read() {
        let bytes = [0u8, b'a', 0, b'b', 0, 0, 0];
        let start = bytes[1..].as_ptr().cast::<u16>();
        // SAFETY: two units and a NUL.
        unsafe {
            assert_eq!(u16::length(start), 2);
            assert_eq!(u16::decode(start, 2, Encoding::default()).unwrap(), "ab");
        }
    }
}
