//! UTF-8, checked as it arrives: a text message fails at the first byte that makes it invalid
//! (RFC 6455, section 8.1), not at its end.

/// Checks text that comes in pieces.
#[derive(Debug, Default, Clone)]
pub struct Validator {
    /// The beginning of a character whose rest has not arrived.
    partial: [u8; 4],
    length: usize,
}

/// The text is not valid UTF-8.
#[derive(Debug, PartialEq, Eq)]
pub struct Invalid;

impl Validator {
    /// Takes the next piece.
    pub fn push(&mut self, mut piece: &[u8]) -> Result<(), Invalid> {
        // Complete the character that the last piece left open, a byte at a time: at most three.
        while self.length > 0 {
            let Some((byte, rest)) = piece.split_first() else {
                return Ok(());
            };
            self.partial[self.length] = *byte;
            self.length += 1;
            piece = rest;
            match std::str::from_utf8(&self.partial[..self.length]) {
                Ok(_) => self.length = 0,
                Err(error) if error.error_len().is_some() => return Err(Invalid),
                Err(_) => {}
            }
        }
        if simdutf8::basic::from_utf8(piece).is_ok() {
            return Ok(());
        }
        // Invalid, or cut in the middle of a character: find out which.
        let error = match simdutf8::compat::from_utf8(piece) {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        if error.error_len().is_some() {
            return Err(Invalid);
        }
        let open = &piece[error.valid_up_to()..];
        self.partial[..open.len()].copy_from_slice(open);
        self.length = open.len();
        Ok(())
    }

    /// Whether the text may end here: not in the middle of a character.
    pub fn is_complete(&self) -> bool {
        self.length == 0
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    /// The first position at which the standard library knows that the bytes are invalid.
    fn reference(bytes: &[u8]) -> Option<usize> {
        (1..=bytes.len()).find(|end| {
            matches!(std::str::from_utf8(&bytes[..*end]), Err(error) if error.error_len().is_some())
        })
    }

    const SAMPLES: [&[u8]; 12] = [
        b"plain",
        "caf\u{e9} \u{20ac} \u{1f600} \u{10ffff}".as_bytes(),
        b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80edited",
        b"\xed\xa0\x80",
        b"\xc0\xaf",
        b"\xf8\x88\x80\x80\x80",
        b"\x80",
        b"abc\xff",
        b"\xe2\x82",
        b"\xf0\x9f\x98",
        b"\xe0\x80\xaf",
        b"",
    ];

    #[test]
    fn notices_the_first_invalid_byte_whatever_the_pieces() {
        for sample in SAMPLES {
            let expected = reference(sample);
            // Byte by byte: the error must come exactly at the byte that makes it invalid.
            let mut validator = Validator::default();
            let found = sample
                .iter()
                .position(|byte| validator.push(&[*byte]).is_err())
                .map(|index| index + 1);
            assert_eq!(found, expected, "{sample:x?}");
            // Any two pieces: the same verdict as the whole.
            for cut in 0..=sample.len() {
                let mut validator = Validator::default();
                let verdict = validator
                    .push(&sample[..cut])
                    .and_then(|()| validator.push(&sample[cut..]));
                assert_eq!(
                    verdict.is_err(),
                    expected.is_some(),
                    "{sample:x?} cut at {cut}"
                );
                if verdict.is_ok() {
                    assert_eq!(validator.is_complete(), std::str::from_utf8(sample).is_ok());
                }
            }
        }
    }
}
