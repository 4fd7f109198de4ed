//! The host's encoding of text: which ones there are, and how text becomes UTF-8 and comes back.
//!
//! Inside the library all text is UTF-8.

use crate::error::{Error, Result};
use encoding_rs as rs;
use std::{
    borrow::Cow,
    sync::{
        OnceLock,
        atomic::{AtomicU8, AtomicU32, Ordering},
    },
};

/// What the Encoding Standard has (encoding.spec.whatwg.org), UTF-8 first; without UTF-16 and ISO-2022-JP, in which
/// bytes below 0x80 are not ASCII, and without `replacement` and `x-user-defined`, which are no encodings of text.
static ALL: [&rs::Encoding; 35] = [
    &rs::UTF_8_INIT,
    &rs::BIG5_INIT,
    &rs::EUC_JP_INIT,
    &rs::EUC_KR_INIT,
    &rs::GB18030_INIT,
    &rs::GBK_INIT,
    &rs::IBM866_INIT,
    &rs::ISO_8859_2_INIT,
    &rs::ISO_8859_3_INIT,
    &rs::ISO_8859_4_INIT,
    &rs::ISO_8859_5_INIT,
    &rs::ISO_8859_6_INIT,
    &rs::ISO_8859_7_INIT,
    &rs::ISO_8859_8_INIT,
    &rs::ISO_8859_8_I_INIT,
    &rs::ISO_8859_10_INIT,
    &rs::ISO_8859_13_INIT,
    &rs::ISO_8859_14_INIT,
    &rs::ISO_8859_15_INIT,
    &rs::ISO_8859_16_INIT,
    &rs::KOI8_R_INIT,
    &rs::KOI8_U_INIT,
    &rs::MACINTOSH_INIT,
    &rs::SHIFT_JIS_INIT,
    &rs::WINDOWS_874_INIT,
    &rs::WINDOWS_1250_INIT,
    &rs::WINDOWS_1251_INIT,
    &rs::WINDOWS_1252_INIT,
    &rs::WINDOWS_1253_INIT,
    &rs::WINDOWS_1254_INIT,
    &rs::WINDOWS_1255_INIT,
    &rs::WINDOWS_1256_INIT,
    &rs::WINDOWS_1257_INIT,
    &rs::WINDOWS_1258_INIT,
    &rs::X_MAC_CYRILLIC_INIT,
];

/// The codes of an encoding's characters that were needed so far, by their numbers; 0: not yet.
type Found = Box<[AtomicU32]>;

/// For the encodings of more than one byte, once they are used.
static FOUND: [OnceLock<Found>; ALL.len()] = [const { OnceLock::new() }; ALL.len()];

/// An encoding that contains ASCII unchanged; UTF-8 by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Encoding(u8);

impl Encoding {
    /// The encoding with this label, or the system's.
    pub fn parse(label: &str) -> Result<Self> {
        if label.eq_ignore_ascii_case("system") {
            return system();
        }
        let Some(encoding) = rs::Encoding::for_label(label.as_bytes()) else {
            return Err(Error::invalid(format!(
                "TEXT_ENCODING takes \"utf-8\", \"system\" or the label of an encoding such as \"windows-1252\", \
                 not \"{label}\""
            )));
        };
        Self::find(encoding).ok_or_else(|| {
            Error::invalid(format!(
                "TEXT_ENCODING: \"{label}\" is {}, which cannot be used: it does not contain ASCII unchanged, or is \
                 no encoding of text",
                encoding.name()
            ))
        })
    }

    fn find(encoding: &'static rs::Encoding) -> Option<Self> {
        let index = ALL.iter().position(|other| *other == encoding)?;
        u8::try_from(index).ok().map(Encoding)
    }

    fn get(self) -> &'static rs::Encoding {
        ALL[usize::from(self.0)]
    }

    /// Its name, for people.
    pub fn name(self) -> &'static str {
        self.get().name()
    }

    /// Whether nothing has to be converted.
    pub fn is_utf8(self) -> bool {
        self.0 == 0
    }

    /// The text that these bytes stand for; `None` where they are not valid.
    #[inline]
    pub fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        match self.is_utf8() {
            true => simdutf8::basic::from_utf8(bytes).ok().map(Cow::Borrowed),
            false => self
                .get()
                .decode_without_bom_handling_and_without_replacement(bytes),
        }
    }

    /// At least so many bytes of UTF-8 come out of `length` bytes.
    pub fn least_utf8(self, length: usize) -> usize {
        match self.is_utf8() {
            true => length,
            // GB18030 has characters of four bytes that are two in UTF-8.
            false => length / 2,
        }
    }

    /// The bytes for a text, with `?` for each character that the encoding has not.
    pub fn encode(self, text: &str) -> Cow<'_, [u8]> {
        if self.is_utf8() || text.is_ascii() {
            return Cow::Borrowed(text.as_bytes());
        }
        if !self.get().is_single_byte() {
            return Cow::Owned(self.encode_found(text));
        }
        let mut encoder = self.get().new_encoder();
        // A little at a time: the encoder's own function for a vector clears all of its room at each call, and so at
        // each character that the encoding has not.
        let mut piece = [0; 1024];
        // One for the NUL that mostly follows.
        let mut bytes = Vec::with_capacity(text.len() + 1);
        let mut rest = text;
        loop {
            let (result, read, written) =
                encoder.encode_from_utf8_without_replacement(rest, &mut piece, true);
            bytes.extend_from_slice(&piece[..written]);
            rest = &rest[read..];
            match result {
                rs::EncoderResult::InputEmpty => return Cow::Owned(bytes),
                rs::EncoderResult::OutputFull => {}
                rs::EncoderResult::Unmappable(_) => bytes.push(b'?'),
            }
        }
    }

    /// The same for the encodings of Chinese, Japanese and Korean. Without 176 KB of tables `encoding_rs` searches
    /// through a list for each character; here it does so once for each.
    fn encode_found(self, text: &str) -> Vec<u8> {
        let found = FOUND[usize::from(self.0)]
            .get_or_init(|| (0..=u16::MAX).map(|_| AtomicU32::new(0)).collect());
        // One for the NUL that mostly follows.
        let mut bytes = Vec::with_capacity(text.len() + 1);
        for character in text.chars() {
            if character.is_ascii() {
                bytes.push(character as u8);
                continue;
            }
            let place = found.get(character as usize);
            let mut code = place.map_or(0, |place| place.load(Ordering::Relaxed));
            if code == 0 {
                code = self.find_code(character);
                if let Some(place) = place {
                    place.store(code, Ordering::Relaxed);
                }
            }
            let start = code.leading_zeros() as usize / 8;
            bytes.extend_from_slice(&code.to_be_bytes()[start..]);
        }
        bytes
    }

    /// The bytes of a character that is not ASCII, the last one lowest; none of these encodings needs more than
    /// four, nor begins one with a zero.
    #[cold]
    fn find_code(self, character: char) -> u32 {
        let mut bytes = [0; 8];
        let (result, _, length) = self
            .get()
            .new_encoder()
            .encode_from_utf8_without_replacement(
                character.encode_utf8(&mut [0; 4]),
                &mut bytes,
                true,
            );
        match result {
            rs::EncoderResult::InputEmpty => bytes[..length]
                .iter()
                .fold(0, |code, byte| code << 8 | u32::from(*byte)),
            _ => u32::from(b'?'),
        }
    }

    /// The bytes for a message that was received, whose UTF-8 has been checked.
    pub fn encode_message(self, message: &[u8]) -> Cow<'_, [u8]> {
        if self.is_utf8() {
            return Cow::Borrowed(message);
        }
        self.encode(checked(message))
    }
}

/// A message that was received as text: its UTF-8 was checked on the way in.
pub(crate) fn checked(message: &[u8]) -> &str {
    simdutf8::basic::from_utf8(message).unwrap_or_default()
}

/// What `system` means.
#[cfg(windows)]
fn system() -> Result<Encoding> {
    let page = crate::sys::ansi_code_page();
    u16::try_from(page)
        .ok()
        .and_then(codepage::to_encoding)
        .and_then(Encoding::find)
        .ok_or_else(|| {
            Error::invalid(format!(
                "TEXT_ENCODING: the system's code page, {page}, is not one that can be used"
            ))
        })
}

/// What `system` means.
#[cfg(not(windows))]
fn system() -> Result<Encoding> {
    Ok(Encoding::default())
}

/// A place for an encoding that is read without a lock.
#[derive(Debug, Default)]
pub(crate) struct Slot(AtomicU8);

impl Slot {
    pub const fn new() -> Self {
        Slot(AtomicU8::new(0))
    }

    pub fn get(&self) -> Encoding {
        Encoding(self.0.load(Ordering::Relaxed))
    }

    pub fn set(&self, encoding: Encoding) {
        self.0.store(encoding.0, Ordering::Relaxed);
    }
}

/// The encoding of names, addresses, options and errors: what is set for all names.
pub(crate) static DEFAULT: Slot = Slot::new();

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    fn of(label: &str) -> Encoding {
        Encoding::parse(label).unwrap()
    }

    #[test]
    fn every_encoding_contains_ascii_unchanged() {
        let ascii: String = (0..0x80u8).map(char::from).collect();
        for encoding in ALL {
            assert!(encoding.is_ascii_compatible(), "{}", encoding.name());
            let encoding = of(encoding.name());
            assert_eq!(&*encoding.encode(&ascii), ascii.as_bytes());
            assert_eq!(encoding.decode(ascii.as_bytes()).unwrap(), ascii);
            for character in ('\u{80}'..='\u{ffff}').step_by(7) {
                let bytes = encoding
                    .encode(character.encode_utf8(&mut [0; 4]))
                    .into_owned();
                assert!(!bytes.contains(&0), "{character:?} in {}", encoding.name());
            }
        }
    }

    #[test]
    fn what_does_not_contain_ascii_is_refused() {
        for bad in [
            "utf-16",
            "utf-16le",
            "utf-16be",
            "iso-2022-jp",
            "iso-2022-kr",
            "replacement",
            "x-user-defined",
            "utf-7",
            "ebcdic",
            "1252",
            "é",
        ] {
            let error = Encoding::parse(bad).unwrap_err();
            assert_eq!(error.code, crate::error::Code::InvalidArgument, "{bad}");
            assert!(error.message.contains(bad), "{}", error.message);
        }
    }

    #[test]
    fn labels_are_those_of_the_standard() {
        assert_eq!(of("utf-8"), Encoding::default());
        assert_eq!(of("UTF8"), Encoding::default());
        assert_eq!(of("latin1"), of("Windows-1252"));
        assert_eq!(of("cp1252"), of("iso-8859-1"));
        assert_eq!(of("sjis"), of("shift_jis"));
        #[cfg(not(windows))]
        assert_eq!(of("system"), Encoding::default());
    }

    #[test]
    fn each_character_that_is_not_there_becomes_one_question_mark() {
        let text = "é €\u{1f600}\u{1f600}日本";
        assert_eq!(&*of("windows-1252").encode(text), b"\xe9 \x80????");
        assert_eq!(
            &*of("shift_jis").encode(text),
            b"? ???\x93\xfa\x96\x7b".as_slice()
        );
        assert_eq!(&*of("utf-8").encode(text), text.as_bytes());
        // Also in pieces.
        let many = "\u{1f600}".repeat(1000);
        assert_eq!(
            &*of("iso-8859-15").encode(&many),
            "?".repeat(1000).as_bytes()
        );
        let kanji = "日本".repeat(1000);
        let bytes = of("euc-jp").encode(&kanji).into_owned();
        assert_eq!(bytes.len(), 4000);
        assert_eq!(of("euc-jp").decode(&bytes).unwrap(), kanji);
    }

    #[test]
    fn what_was_found_once_is_what_encoding_rs_says() {
        for encoding in ALL.iter().filter(|encoding| !encoding.is_single_byte()) {
            let ours = of(encoding.name());
            if ours.is_utf8() {
                continue;
            }
            for character in ('\u{80}'..='\u{2ffff}')
                .step_by(31)
                .chain("é日本한글\u{20021}".chars())
            {
                let text = character.to_string();
                let (expected, _, unmappable) = encoding.encode(&text);
                let expected = if unmappable { &b"?"[..] } else { &expected };
                for _ in 0..2 {
                    assert_eq!(
                        &*ours.encode(&text),
                        expected,
                        "{character:?} in {}",
                        ours.name()
                    );
                }
            }
        }
    }

    #[test]
    fn malformed_bytes_are_refused_and_not_replaced() {
        assert_eq!(of("shift_jis").decode(b"a\x82"), None);
        assert_eq!(of("windows-1253").decode(b"\xaa"), None);
        assert_eq!(of("utf-8").decode(b"\xe9"), None);
        assert_eq!(of("windows-1252").decode(b"\xe9\x80").unwrap(), "é€");
        // A byte order mark is a character like others.
        assert_eq!(
            of("utf-8").decode("\u{feff}a".as_bytes()).unwrap(),
            "\u{feff}a"
        );
        assert_eq!(of("windows-1252").decode(b"\xef\xbb\xbfa").unwrap(), "ï»¿a");
    }

    #[test]
    fn no_text_has_fewer_bytes_than_was_said() {
        for encoding in ALL.iter().map(|encoding| of(encoding.name())) {
            for character in '\0'..='\u{ffff}' {
                let mut utf8 = [0; 4];
                let utf8 = character.encode_utf8(&mut utf8);
                let length = encoding.encode(utf8).len();
                assert!(utf8.len() >= encoding.least_utf8(length), "{character:?}");
            }
        }
    }
}
