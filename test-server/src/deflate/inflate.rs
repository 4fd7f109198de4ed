//! Inflating (RFC 1951), simple and strict: nothing before the window is there, and a message must end with a block.

use super::{LENGTHS, TAIL, distance};

const LONGEST_CODE: usize = 15;
const END_OF_BLOCK: u16 = 256;
/// In which order the lengths of code lengths come (3.2.7).
const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

type Result<T> = std::result::Result<T, String>;

pub struct Inflater {
    window: usize,
    keeps_history: bool,
    history: Vec<u8>,
}

impl Inflater {
    pub fn new(window_bits: u32, keeps_history: bool) -> Inflater {
        Inflater {
            window: 1 << window_bits,
            keeps_history,
            history: Vec::new(),
        }
    }

    pub fn message(&mut self, payload: &[u8]) -> Result<Vec<u8>> {
        let payload = [payload, &TAIL].concat();
        let mut text = std::mem::take(&mut self.history);
        let start = text.len();
        let mut bits = Bits {
            bytes: &payload,
            at: 0,
        };
        while bits.left() >= 8 {
            let last = bits.take(1)? == 1;
            match bits.take(2)? {
                0 => stored(&mut bits, &mut text)?,
                1 => self.block(&mut bits, &mut text, &Codes::fixed())?,
                2 => {
                    let codes = Codes::read(&mut bits)?;
                    self.block(&mut bits, &mut text, &codes)?;
                }
                _ => return Err("a block of a type that does not exist".to_owned()),
            }
            if last {
                bits.align();
            }
        }
        let message = text[start..].to_vec();
        if self.keeps_history {
            self.history = text.split_off(text.len().saturating_sub(self.window));
        }
        Ok(message)
    }

    fn block(&self, bits: &mut Bits, text: &mut Vec<u8>, codes: &Codes) -> Result<()> {
        loop {
            let symbol = codes.symbols.decode(bits)?;
            if symbol < END_OF_BLOCK {
                text.push(symbol as u8);
                continue;
            }
            if symbol == END_OF_BLOCK {
                return Ok(());
            }
            let Some(&(smallest, extra)) = LENGTHS.get(usize::from(symbol - 257)) else {
                return Err("a length that does not exist".to_owned());
            };
            let length = usize::from(smallest) + bits.take(extra.into())?;
            let symbol = codes.distances.decode(bits)?;
            if symbol > 29 {
                return Err("a distance that does not exist".to_owned());
            }
            let (smallest, extra) = distance(symbol);
            let back = usize::from(smallest) + bits.take(extra.into())?;
            if back > self.window {
                return Err(format!(
                    "a distance of {back} beyond the window of {}",
                    self.window
                ));
            }
            if back > text.len() {
                return Err(format!(
                    "a distance of {back} to before the beginning, {}",
                    text.len()
                ));
            }
            for _ in 0..length {
                text.push(text[text.len() - back]);
            }
        }
    }
}

fn stored(bits: &mut Bits, text: &mut Vec<u8>) -> Result<()> {
    bits.align();
    let (length, complement) = (bits.take(16)?, bits.take(16)?);
    if length ^ complement != 0xffff {
        return Err("a stored block with a wrong length".to_owned());
    }
    if bits.left() < length * 8 {
        return Err("an end inside a stored block".to_owned());
    }
    let start = bits.at / 8;
    text.extend_from_slice(&bits.bytes[start..start + length]);
    bits.at += length * 8;
    Ok(())
}

struct Bits<'a> {
    bytes: &'a [u8],
    /// In bits.
    at: usize,
}

impl Bits<'_> {
    fn left(&self) -> usize {
        self.bytes.len() * 8 - self.at
    }

    fn take(&mut self, count: usize) -> Result<usize> {
        if self.left() < count {
            return Err("an end inside a block".to_owned());
        }
        let bit = |at: usize| usize::from(self.bytes[at / 8] >> (at % 8) & 1);
        let value = (0..count).fold(0, |value, i| value | bit(self.at + i) << i);
        self.at += count;
        Ok(value)
    }

    fn align(&mut self) {
        self.at = self.at.next_multiple_of(8);
    }
}

/// A canonical code (3.2.2): how many symbols there are of each length, and the symbols in the order of their codes.
struct Code {
    counts: [u16; LONGEST_CODE + 1],
    symbols: Vec<u16>,
}

impl Code {
    fn new(lengths: &[u8]) -> Result<Code> {
        let mut counts = [0; LONGEST_CODE + 1];
        for &length in lengths {
            counts[usize::from(length)] += 1;
        }
        counts[0] = 0;
        let free = counts[1..]
            .iter()
            .fold(1, |free, &count| free * 2 - i32::from(count));
        if free < 0 {
            return Err("more codes than there is room for".to_owned());
        }
        let mut symbols: Vec<u16> = (0..lengths.len() as u16).collect();
        symbols.retain(|&symbol| lengths[usize::from(symbol)] > 0);
        symbols.sort_by_key(|&symbol| lengths[usize::from(symbol)]);
        Ok(Code { counts, symbols })
    }

    fn decode(&self, bits: &mut Bits) -> Result<u16> {
        let (mut code, mut first, mut index) = (0, 0, 0);
        for &count in &self.counts[1..] {
            code |= bits.take(1)?;
            let count = usize::from(count);
            if code < first + count {
                return Ok(self.symbols[index + code - first]);
            }
            index += count;
            first = (first + count) * 2;
            code *= 2;
        }
        Err("a code that stands for nothing".to_owned())
    }
}

struct Codes {
    symbols: Code,
    distances: Code,
}

impl Codes {
    fn fixed() -> Codes {
        let mut lengths = [8; 288];
        lengths[144..256].fill(9);
        lengths[256..280].fill(7);
        let code = |lengths: &[u8]| Code::new(lengths).expect("the fixed codes have room");
        Codes {
            symbols: code(&lengths),
            distances: code(&[5; 30]),
        }
    }

    fn read(bits: &mut Bits) -> Result<Codes> {
        let symbols = bits.take(5)? + 257;
        let distances = bits.take(5)? + 1;
        let mut lengths = [0; ORDER.len()];
        for &place in &ORDER[..bits.take(4)? + 4] {
            lengths[place] = bits.take(3)? as u8;
        }
        let code = Code::new(&lengths)?;
        let mut lengths: Vec<u8> = Vec::new();
        while lengths.len() < symbols + distances {
            let (value, times) = match code.decode(bits)? {
                16 => match lengths.last() {
                    Some(&value) => (value, 3 + bits.take(2)?),
                    None => return Err("a repetition of nothing".to_owned()),
                },
                17 => (0, 3 + bits.take(3)?),
                18 => (0, 11 + bits.take(7)?),
                length => (length as u8, 1),
            };
            lengths.resize(lengths.len() + times, value);
        }
        if lengths.len() > symbols + distances {
            return Err("more code lengths than announced".to_owned());
        }
        Ok(Codes {
            symbols: Code::new(&lengths[..symbols])?,
            distances: Code::new(&lengths[symbols..])?,
        })
    }
}
