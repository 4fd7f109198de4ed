//! Masking (RFC 6455, section 5.3).

use crate::sync::{thread_local, with_local};
use rand::{
    RngExt, SeedableRng,
    rngs::{StdRng, SysRng},
};
use std::cell::RefCell;

/// A thread's generator: cryptographically secure, seeded by the system. Not `rand`'s own for
/// threads, which panics while a thread ends.
struct Generator(StdRng);

impl Default for Generator {
    fn default() -> Self {
        Generator(StdRng::try_from_rng(&mut SysRng).expect("the system gives random numbers"))
    }
}

thread_local! {
    static GENERATOR: RefCell<Generator> = RefCell::new(Generator::default());
}

/// A new masking key. Section 10.3 demands that it cannot be predicted: a peer that could would
/// choose the bytes on the wire.
pub fn key() -> [u8; 4] {
    with_local(&GENERATOR, |generator| generator.0.random())
}

/// The key for bytes that begin at `offset` of a frame's payload, twice.
fn word(key: [u8; 4], offset: usize) -> [u8; 8] {
    let key = u32::from_le_bytes(key).rotate_right(8 * (offset % 4) as u32);
    (u64::from(key) << 32 | u64::from(key)).to_le_bytes()
}

/// Writes `payload`, masked, into `out`, which is as long, in one pass.
///
/// `offset` is where in the frame's payload this piece begins.
#[inline]
pub fn copy(out: &mut [u8], payload: &[u8], key: [u8; 4], offset: usize) {
    let key = word(key, offset);
    let word = u64::from_ne_bytes(key);
    let (words, rest) = payload.as_chunks::<8>();
    let (out_words, out_rest) = out.as_chunks_mut::<8>();
    for (out, bytes) in out_words.iter_mut().zip(words) {
        *out = (u64::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
    }
    for ((out, byte), key) in out_rest.iter_mut().zip(rest).zip(key) {
        *out = byte ^ key;
    }
}

/// Appends `payload`, masked, to `out`.
pub fn append(out: &mut Vec<u8>, payload: &[u8], key: [u8; 4], offset: usize) {
    let key = word(key, offset);
    let word = u64::from_ne_bytes(key);
    let start = out.len();
    out.extend_from_slice(payload);
    let (words, rest) = out[start..].as_chunks_mut::<8>();
    for bytes in words {
        *bytes = (u64::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key) {
        *byte ^= key;
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn masks_like_the_formula_of_the_rfc_at_any_offset_and_length() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let payload: Vec<u8> = (0..100u8).collect();
        for offset in 0..9 {
            for length in 0..payload.len() {
                let mut out = vec![0xee; 3];
                append(&mut out, &payload[..length], key, offset);
                let expected: Vec<u8> = [0xee; 3]
                    .into_iter()
                    .chain((0..length).map(|i| payload[i] ^ key[(i + offset) % 4]))
                    .collect();
                assert_eq!(out, expected, "offset {offset}, length {length}");
                let mut copied = vec![0; length];
                copy(&mut copied, &payload[..length], key, offset);
                assert_eq!(copied, expected[3..], "offset {offset}, length {length}");
            }
        }
    }

    #[test]
    fn the_example_of_section_5_7() {
        let mut out = Vec::new();
        append(&mut out, b"Hello", [0x37, 0xfa, 0x21, 0x3d], 0);
        assert_eq!(out, [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    }
}
