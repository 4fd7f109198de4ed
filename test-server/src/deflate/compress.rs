//! Compressing: matches within exactly the agreed window, in blocks with the fixed codes (RFC 1951, 3.2.6).

use super::{LENGTHS, LONGEST_MATCH, distance};

const SHORTEST_MATCH: usize = 3;
const HASH_BITS: u32 = 13;
/// How many earlier places are looked at for a match.
const PLACES: usize = 8;
const END_OF_BLOCK: u16 = 256;

pub struct Compressor {
    window: usize,
    keeps_history: bool,
    /// The last bytes sent.
    history: Vec<u8>,
}

impl Compressor {
    pub fn new(window_bits: u32, keeps_history: bool) -> Compressor {
        Compressor {
            window: 1 << window_bits,
            keeps_history,
            history: Vec::new(),
        }
    }

    pub fn forget(&mut self) {
        self.history.clear();
    }

    /// One block, and the empty one whose last four bytes are not sent.
    pub fn message(&mut self, message: &[u8]) -> Vec<u8> {
        let mut bits = Bits::default();
        if !message.is_empty() {
            bits.put(0b01 << 1, 3);
            self.write(message, &mut bits);
            bits.symbol(END_OF_BLOCK);
        }
        bits.put(0, 3);
        bits.finish()
    }

    fn write(&mut self, message: &[u8], bits: &mut Bits) {
        let mut text = std::mem::take(&mut self.history);
        let start = text.len();
        text.extend_from_slice(message);
        let mut places = Places::new(text.len());
        for at in 0..start {
            places.add(&text, at);
        }
        let mut at = start;
        while at < text.len() {
            let (length, back) = places.longest_match(&text, at, self.window);
            let step = if length >= SHORTEST_MATCH {
                bits.length(length);
                bits.distance(back);
                length
            } else {
                bits.symbol(u16::from(text[at]));
                1
            };
            for passed in at..at + step {
                places.add(&text, passed);
            }
            at += step;
        }
        if self.keeps_history {
            self.history = text.split_off(text.len().saturating_sub(self.window));
        }
    }
}

/// Where each three bytes were seen last, and before that; places count from 1.
struct Places {
    last: Vec<u32>,
    before: Vec<u32>,
}

impl Places {
    fn new(length: usize) -> Places {
        Places {
            last: vec![0; 1 << HASH_BITS],
            before: vec![0; length],
        }
    }

    fn hash(text: &[u8], at: usize) -> Option<usize> {
        let three = text.get(at..at + SHORTEST_MATCH)?;
        let number = u32::from_le_bytes([three[0], three[1], three[2], 0]);
        Some((number.wrapping_mul(0x9e37_79b1) >> (32 - HASH_BITS)) as usize)
    }

    fn add(&mut self, text: &[u8], at: usize) {
        if let Some(hash) = Places::hash(text, at) {
            self.before[at] = std::mem::replace(&mut self.last[hash], at as u32 + 1);
        }
    }

    /// Its length and how far back it lies; length 0 if there is none.
    fn longest_match(&self, text: &[u8], at: usize, window: usize) -> (usize, usize) {
        let rest = &text[at..text.len().min(at + LONGEST_MATCH)];
        let mut best = (0, 0);
        let mut place = Places::hash(text, at).map_or(0, |hash| self.last[hash]) as usize;
        for _ in 0..PLACES {
            if place == 0 || at - (place - 1) > window || best.0 == rest.len() {
                break;
            }
            let earlier = &text[place - 1..];
            // It cannot be longer than the best one where it differs at that length.
            if earlier[best.0] == rest[best.0] {
                let pairs = earlier.iter().zip(rest);
                let length = pairs.take_while(|(one, other)| one == other).count();
                if length > best.0 {
                    best = (length, at - (place - 1));
                }
            }
            place = self.before[place - 1] as usize;
        }
        best
    }
}

/// Bits in the order of RFC 1951, 3.1.1: numbers begin with their lowest bit, codes with their highest.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    pending: u32,
    count: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        self.pending |= value << self.count;
        self.count += count;
        while self.count >= 8 {
            self.bytes.push(self.pending as u8);
            self.pending >>= 8;
            self.count -= 8;
        }
    }

    fn code(&mut self, code: u32, count: u32) {
        self.put(code.reverse_bits() >> (32 - count), count);
    }

    /// With the fixed codes.
    fn symbol(&mut self, symbol: u16) {
        let number = u32::from(symbol);
        match symbol {
            0..144 => self.code(0x30 + number, 8),
            144..256 => self.code(0x190 + number - 144, 9),
            256..280 => self.code(number - 256, 7),
            _ => self.code(0xc0 + number - 280, 8),
        }
    }

    fn length(&mut self, length: usize) {
        let symbol = LENGTHS.partition_point(|&(smallest, _)| usize::from(smallest) <= length) - 1;
        let (smallest, extra) = LENGTHS[symbol];
        self.symbol(257 + symbol as u16);
        self.put((length - usize::from(smallest)) as u32, u32::from(extra));
    }

    fn distance(&mut self, back: usize) {
        let symbol = (0..30)
            .rev()
            .find(|&symbol| usize::from(distance(symbol).0) <= back);
        let symbol = symbol.unwrap_or(0);
        let (smallest, extra) = distance(symbol);
        self.code(u32::from(symbol), 5);
        self.put((back - usize::from(smallest)) as u32, u32::from(extra));
    }

    fn finish(mut self) -> Vec<u8> {
        self.put(0, (8 - self.count) % 8);
        self.bytes
    }
}

/// A message of so many zero bytes, at least one, as small as codes allow: two bits for each 258 of them.
pub fn zeros(size: u64) -> Vec<u8> {
    let mut bits = Bits::default();
    let matches = (size - 1) / LONGEST_MATCH as u64;
    let rest = size - 1 - matches * LONGEST_MATCH as u64;
    // Codes of its own (RFC 1951, 3.2.7): 286 for literals and lengths, 1 for distances, 18 lengths of code lengths.
    bits.put(0b10 << 1, 3);
    bits.put(286 - 257, 5);
    bits.put(0, 5);
    bits.put(18 - 4, 4);
    // In the order 16 17 18 0 8 7 9 6 10 5 11 4 12 3 13 2 14 1: 18 (many zeros) has 1 bit, 2 and 1 have 2.
    for length in [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2] {
        bits.put(length, 3);
    }
    let (one, two) = (0b10, 0b11);
    let skip = |bits: &mut Bits, count: u32| {
        bits.code(0, 1);
        bits.put(count - 11, 7);
    };
    // Symbol 0 has 2 bits, 256 has 2, 285 (258 bytes) has 1; distance 1 has 1.
    bits.code(two, 2);
    skip(&mut bits, 138);
    skip(&mut bits, 117);
    bits.code(two, 2);
    skip(&mut bits, 28);
    bits.code(one, 2);
    bits.code(one, 2);
    // So the codes are 0 for 285, 10 for symbol 0, 11 for 256; 0 for the distance.
    bits.code(0b10, 2);
    for _ in 0..matches {
        bits.put(0, 2);
    }
    for _ in 0..rest {
        bits.code(0b10, 2);
    }
    bits.code(0b11, 2);
    bits.put(0, 3);
    bits.finish()
}
