//! DEFLATE (RFC 1951) the plain way: a whole message at once, bit by bit, nothing kept between two calls.

/// What became of some compressed bytes.
pub struct Inflated {
    /// As far as they go.
    pub output: Vec<u8>,
    /// How they end.
    pub end: End,
    /// They refer to what is there, but farther back than the window: a receiver may refuse that, or not.
    pub leaves_window: bool,
}

/// How compressed bytes end.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// Where a message may end (RFC 7692, section 7.2.1): the header of a block without compression, whose
    /// length is what the sender left out. Or behind a block that says it is the last, or before any.
    Whole,
    /// Something is missing.
    Open,
    /// No compressed data.
    Invalid,
    /// There is more output than the limit.
    TooLarge,
}

/// Inflates what may refer to `history`. The output goes no further than one byte beyond `limit`.
pub fn inflate(data: &[u8], history: &[u8], window: usize, limit: usize) -> Inflated {
    let mut inflating = Inflating {
        data,
        at: 0,
        all: history.to_vec(),
        most: history.len().saturating_add(limit),
        window,
        leaves_window: false,
    };
    let end = loop {
        match inflating.block() {
            Ok(()) => {}
            Err(end) => break end,
        }
    };
    Inflated {
        output: inflating.all.split_off(history.len()),
        end,
        leaves_window: inflating.leaves_window,
    }
}

struct Inflating<'a> {
    data: &'a [u8],
    /// In bits.
    at: usize,
    /// The history and the output.
    all: Vec<u8>,
    most: usize,
    window: usize,
    leaves_window: bool,
}

impl Inflating<'_> {
    fn block(&mut self) -> Result<(), End> {
        if self.at == 8 * self.data.len() && self.at == 0 {
            return Err(End::Whole);
        }
        let is_last = self.bits(1)? == 1;
        match self.bits(2)? {
            0 => self.stored()?,
            1 => self.compressed(&fixed_literals(), &Code::new(&[5; 30])?)?,
            2 => {
                let (literals, distances) = self.codes()?;
                self.compressed(&literals, &distances)?;
            }
            _ => return Err(End::Invalid),
        }
        if is_last {
            self.align();
            if self.at == 8 * self.data.len() {
                return Err(End::Whole);
            }
        }
        Ok(())
    }

    fn bits(&mut self, count: usize) -> Result<usize, End> {
        if self.at + count > 8 * self.data.len() {
            return Err(End::Open);
        }
        let mut bits = 0;
        for index in 0..count {
            bits |= usize::from(self.data[self.at / 8] >> (self.at % 8) & 1) << index;
            self.at += 1;
        }
        Ok(bits)
    }

    fn align(&mut self) {
        self.at = self.at.next_multiple_of(8);
    }

    fn put(&mut self, byte: u8) -> Result<(), End> {
        self.all.push(byte);
        match self.all.len() > self.most {
            true => Err(End::TooLarge),
            false => Ok(()),
        }
    }

    /// Section 3.2.4.
    fn stored(&mut self) -> Result<(), End> {
        self.align();
        if self.at == 8 * self.data.len() {
            return Err(End::Whole);
        }
        let lengths = self.bits(32)?;
        let (length, complement) = (lengths & 0xffff, lengths >> 16);
        if length != complement ^ 0xffff {
            return Err(End::Invalid);
        }
        for _ in 0..length {
            let byte = self.bits(8)? as u8;
            self.put(byte)?;
        }
        Ok(())
    }

    /// Section 3.2.7.
    fn codes(&mut self) -> Result<(Code, Code), End> {
        const ORDER: [usize; 19] = [
            16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
        ];
        let literals = self.bits(5)? + 257;
        let distances = self.bits(5)? + 1;
        let given = self.bits(4)? + 4;
        if literals > 286 || distances > 30 {
            return Err(End::Invalid);
        }
        let mut lengths = [0; 19];
        for place in &ORDER[..given] {
            lengths[*place] = self.bits(3)? as u8;
        }
        let code = Code::new(&lengths)?;
        if !code.is_complete {
            return Err(End::Invalid);
        }
        let mut lengths = Vec::new();
        while lengths.len() < literals + distances {
            let (length, times) = match self.symbol(&code)? {
                16 => {
                    let times = self.bits(2)? + 3;
                    (*lengths.last().ok_or(End::Invalid)?, times)
                }
                17 => (0, self.bits(3)? + 3),
                18 => (0, self.bits(7)? + 11),
                length => (length as u8, 1),
            };
            lengths.extend(std::iter::repeat_n(length, times));
        }
        // No code for the end of the block, or a repetition beyond the end of the lengths.
        if lengths[256] == 0 || lengths.len() > literals + distances {
            return Err(End::Invalid);
        }
        let (literals, distances) = lengths.split_at(literals);
        Ok((Code::new(literals)?, Code::new(distances)?))
    }

    /// Section 3.2.5.
    fn compressed(&mut self, literals: &Code, distances: &Code) -> Result<(), End> {
        loop {
            let symbol = self.symbol(literals)?;
            let length = match symbol {
                0..256 => {
                    self.put(symbol as u8)?;
                    continue;
                }
                256 => return Ok(()),
                257..265 => symbol - 254,
                265..285 => {
                    let extra = (symbol - 261) / 4;
                    (((symbol - 261) % 4 + 4) << extra) + 3 + self.bits(extra)?
                }
                285 => 258,
                _ => return Err(End::Invalid),
            };
            let symbol = self.symbol(distances)?;
            let distance = match symbol {
                0..4 => symbol + 1,
                4..30 => {
                    let extra = symbol / 2 - 1;
                    ((symbol % 2 + 2) << extra) + 1 + self.bits(extra)?
                }
                _ => return Err(End::Invalid),
            };
            if distance > self.all.len() {
                return Err(End::Invalid);
            }
            self.leaves_window |= distance > self.window;
            for _ in 0..length {
                self.put(self.all[self.all.len() - distance])?;
            }
        }
    }

    fn symbol(&mut self, code: &Code) -> Result<usize, End> {
        let (mut bits, mut first, mut index) = (0, 0, 0);
        for count in &code.counts {
            bits = bits << 1 | self.bits(1)?;
            first <<= 1;
            if bits - first < *count {
                return Ok(code.symbols[index + bits - first]);
            }
            index += count;
            first += count;
        }
        Err(End::Invalid)
    }
}

/// A canonical Huffman code (section 3.2.2).
struct Code {
    /// How many symbols there are of each length, from 1 to the longest.
    counts: Vec<usize>,
    symbols: Vec<usize>,
    is_complete: bool,
}

impl Code {
    fn new(lengths: &[u8]) -> Result<Self, End> {
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let mut counts = Vec::new();
        let mut symbols = Vec::new();
        // How many more codes of this length there could be.
        let mut free = 1;
        for length in 1..=longest {
            let before = symbols.len();
            symbols.extend((0..lengths.len()).filter(|symbol| lengths[*symbol] == length));
            let count = symbols.len() - before;
            free = (2usize * free).checked_sub(count).ok_or(End::Invalid)?;
            counts.push(count);
        }
        // A code of one symbol takes one bit and leaves one free; a code of none is never used. The fixed
        // code for distances lacks two symbols.
        let may_be_incomplete = longest <= 1 || lengths == [5; 30];
        match free == 0 || may_be_incomplete {
            true => Ok(Code {
                counts,
                symbols,
                is_complete: free == 0,
            }),
            false => Err(End::Invalid),
        }
    }
}

/// Section 3.2.6.
fn fixed_literals() -> Code {
    let mut lengths = [8; 288];
    lengths[144..256].fill(9);
    lengths[256..280].fill(7);
    Code::new(&lengths).unwrap_or_else(|_| unreachable!("the code is complete"))
}
