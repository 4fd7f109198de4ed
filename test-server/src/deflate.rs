//! permessage-deflate (RFC 7692) as the query's `deflate` says that it was agreed. Written here and not taken from a
//! library, because it must be stricter than they are: a client that looks back farther than was agreed is found out.

mod compress;
mod inflate;

pub use compress::zeros;

use crate::query::Query;
use compress::Compressor;
use inflate::Inflater;

/// What a compressed message ends with and does not send (section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Lengths 3 to 258 as symbols 257 to 285 (RFC 1951, 3.2.5): the smallest of each, and its extra bits.
const LENGTHS: [(u16, u8); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];

const LONGEST_MATCH: usize = 258;

/// The smallest distance of a symbol, and its extra bits: 1, 2, 3, 4, then two symbols for each number of bits.
const fn distance(symbol: u16) -> (u16, u8) {
    if symbol < 4 {
        return (symbol + 1, 0);
    }
    let extra = symbol / 2 - 1;
    (((2 + symbol % 2) << extra) + 1, extra as u8)
}

/// One connection's, both directions.
pub struct Deflate {
    compressor: Compressor,
    inflater: Inflater,
    /// Only every other message is compressed.
    mixed: bool,
    sent: u64,
}

impl Deflate {
    /// None where the query has no `deflate`.
    pub fn agreed(query: &Query) -> Option<Deflate> {
        let parameters = query.text("deflate")?;
        let value = |name| {
            parameters.split(';').find_map(|parameter| {
                let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
                (key.trim() == name).then(|| value.trim().trim_matches('"').to_owned())
            })
        };
        let window = |name| {
            let bits = value(name).and_then(|bits| bits.parse().ok());
            bits.filter(|bits| (8..=15).contains(bits)).unwrap_or(15)
        };
        let keeps = |name| value(name).is_none();
        Some(Deflate {
            compressor: Compressor::new(
                window("server_max_window_bits"),
                keeps("server_no_context_takeover"),
            ),
            inflater: Inflater::new(
                window("client_max_window_bits"),
                keeps("client_no_context_takeover"),
            ),
            mixed: query.is_set("mixed"),
            sent: 0,
        })
    }

    /// The answer's header value, the parameters as they stand in the query.
    pub fn answer(query: &Query) -> Option<String> {
        let parameters = query.text("deflate")?;
        Some(if parameters.is_empty() {
            "permessage-deflate".to_owned()
        } else {
            format!("permessage-deflate; {parameters}")
        })
    }

    /// A message's payload on the wire; none if this one is to go as it is.
    pub fn compress(&mut self, message: &[u8]) -> Option<Vec<u8>> {
        self.sent += 1;
        (!self.mixed || self.sent % 2 == 1).then(|| self.compressor.message(message))
    }

    /// Something else was sent: what was before it lies elsewhere now.
    pub fn forget(&mut self) {
        self.compressor.forget();
    }

    /// The message that the payload stands for, or what is wrong with it.
    pub fn inflate(&mut self, payload: &[u8]) -> Result<Vec<u8>, String> {
        self.inflater.message(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deflate(parameters: &str) -> Deflate {
        Deflate::agreed(&Query::parse(&format!("/echo?deflate={parameters}"))).unwrap()
    }

    /// Repetitions at many distances, between bytes that do not repeat.
    fn sample(size: usize) -> Vec<u8> {
        let mut state = 1u32;
        (0..size)
            .map(|i| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if i / 700 % 3 == 0 {
                    (state >> 24) as u8
                } else {
                    b"a text that repeats"[i % 19]
                }
            })
            .collect()
    }

    #[test]
    fn messages_come_back_with_every_window() {
        for bits in 8..=15 {
            let mut one = deflate(&format!("server_max_window_bits={bits}"));
            let mut other = deflate(&format!("client_max_window_bits={bits}"));
            for size in [0, 1, 2, 3, 300, 70_000, 5] {
                let payload = one.compress(&sample(size)).unwrap();
                assert_eq!(other.inflate(&payload).unwrap(), sample(size));
            }
        }
    }

    #[test]
    fn what_looks_back_too_far_is_found_out() {
        let text = sample(5000);
        let mut one = deflate("");
        let (first, second) = (one.compress(&text).unwrap(), one.compress(&text).unwrap());
        assert!(second.len() < 200);
        let mut fresh = deflate("client_no_context_takeover");
        assert!(fresh.inflate(&first).is_ok());
        assert!(fresh.inflate(&second).unwrap_err().contains("beginning"));
        let mut narrow = deflate("client_max_window_bits=12");
        assert!(narrow.inflate(&first).is_ok());
        assert!(narrow.inflate(&second).unwrap_err().contains("window"));
        let mut wide = deflate("client_max_window_bits=13");
        assert!(wide.inflate(&first).is_ok());
        assert_eq!(wide.inflate(&second).unwrap(), text);
    }

    #[test]
    fn every_kind_of_block_is_read() {
        // The examples of RFC 7692, 7.2.3.
        let examples: [&[u8]; 5] = [
            b"\xf2\x48\xcd\xc9\xc9\x07\x00",
            b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00",
            b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00",
            b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00",
            b"\xf3\x48\x05\x00\x01\x03\x00\xfc\xff\x6c\x6c\x6f\x00",
        ];
        for payload in examples {
            assert_eq!(deflate("").inflate(payload).unwrap(), b"Hello");
        }
        // From zlib, of random letters.
        let own_codes = b"\x44\x4e\x89\x0d\xc0\x40\x08\x9a\x95\x67\xff\x19\x8a\xe2\xa5\xc6\x2f\x20\x44\xd0\x10\x12\
            \x14\xb2\xce\xb2\x59\x10\x05\x7c\x30\x7f\x9e\x50\xb2\xca\x1c\x30\xad\x0a\xd1\x6b\x79\x67\
            \x66\xf5\x2c\x99\xf2\x53\xa3\xed\x8c\x39\xac\xa5\xfc\xb1\xf8\x98\x64\x7c\x00";
        let text = deflate("").inflate(own_codes).unwrap();
        let letters =
            b"abdacaaaabcabdaaaabaabaaacaaaaaaaaabadaaabaabbaaaabaabaabacbaccaaaabbadbbbacaaaa\
            acbdbdacabaabaabdbabadaabaaaaacaaadbaabacbaaacbaaabaabbaabaacadccbcaacbaabdacbaa";
        assert_eq!(text, letters);
        assert_eq!(deflate("").inflate(&[0]).unwrap(), b"");
    }

    #[test]
    fn what_is_no_deflate_is_refused() {
        let wrong: [&[u8]; 6] = [
            b"",
            b"\x06",
            b"\x00\x05\x00\x00\x00",
            b"\xf2\x48\xcd\xc9\xc9",
            b"\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff",
            b"\x4a\x04\x02\x00",
        ];
        for payload in wrong {
            assert!(deflate("").inflate(payload).is_err(), "{payload:x?}");
        }
    }

    #[test]
    fn zeros_are_so_many() {
        for size in [1, 258, 259, 10_000, 1 << 20] {
            let payload = zeros(size);
            assert_eq!(
                deflate("").inflate(&payload).unwrap(),
                vec![0; size as usize]
            );
        }
        assert!(zeros(1 << 30).len() < 1_050_000);
    }
}
