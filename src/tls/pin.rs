//! Pinned keys (RFC 7469, section 2.4, in curl's notation).

use crate::error::{Error, Result};
use data_encoding::BASE64;
use ring::digest::{SHA256, digest};

/// The SHA-256 digests of the public keys that a server may have.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pins(Vec<[u8; 32]>);

impl Pins {
    /// From `sha256//BASE64`, several separated by `;`.
    pub fn parse(text: &str) -> Result<Self> {
        let pins: Option<Vec<_>> = text.split(';').map(|pin| parse_one(pin.trim())).collect();
        pins.map(Pins).ok_or_else(|| {
            Error::invalid(
                "PINNED_KEY takes \"sha256//\" and the key's digest in base64 (44 characters), \
                 several separated by \";\"",
            )
        })
    }

    /// Whether a key, as the `SubjectPublicKeyInfo` of a certificate, is one of them.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.0
            .iter()
            .any(|pin| digest(&SHA256, key).as_ref() == pin)
    }
}

/// A key's digest as the option takes it.
pub(super) fn pin_of(key: &[u8]) -> String {
    format!("sha256//{}", BASE64.encode(digest(&SHA256, key).as_ref()))
}

fn parse_one(pin: &str) -> Option<[u8; 32]> {
    let digest = pin.strip_prefix("sha256//")?;
    BASE64.decode(digest.as_bytes()).ok()?.try_into().ok()
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn pins_are_read_and_compared() {
        let pin = pin_of(b"a key");
        let pins = Pins::parse(&format!("{pin} ; {}", pin_of(b"another"))).unwrap();
        assert!(pins.contains(b"a key") && pins.contains(b"another") && !pins.contains(b"no"));
        for bad in ["", ";", "sha256//", "sha256//AAAA", "sha1//x", &pin[8..]] {
            assert!(Pins::parse(bad).is_err(), "{bad}");
        }
    }
}
