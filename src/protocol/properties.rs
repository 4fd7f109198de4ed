//! Properties: the decoder, the decompressor and the compressor against the plain reference that the fuzz targets
//! use too, on generated connections, in any pieces.
//!
//! The generator writes compressed data of its own: blocks of all kinds, of all ends, with references as far back as
//! the window reaches. A failure names the seed that gives it again.

#[path = "../../fuzz/reference/frames.rs"]
mod frames;
#[path = "../../fuzz/reference/inflate.rs"]
mod inflate;
#[path = "../../fuzz/reference/negotiation.rs"]
mod negotiation;

use super::extensions::{Agreement, Offer, accept};
use crate::fuzzing::{self, Deflater, Feed, Inflater, decode};
use frames::{Compression, Item};

/// Numbers that look random (SplitMix64), the same for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// True once in so many times.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        among[self.below(among.len())]
    }

    /// Up to so many, small ones as often as large ones.
    fn size(&mut self, most: usize) -> usize {
        let bits = self.below(most.checked_ilog2().map_or(0, |log| log as usize + 1) + 1);
        self.below((1 << bits).min(most + 1))
    }

    fn direction(&mut self) -> Compression {
        Compression {
            window_bits: self.pick(&[8, 9, 10, 15, 15]),
            takeover: !self.once_in(3),
        }
    }
}

/// An agreement in which both directions are alike.
fn agreement(direction: Compression) -> Agreement {
    let mut header = "permessage-deflate".to_owned();
    for side in ["server", "client"] {
        header += &format!("; {side}_max_window_bits={}", direction.window_bits);
        if !direction.takeover {
            header += &format!("; {side}_no_context_takeover");
        }
    }
    let any = Offer {
        window_bits: 15,
        context_takeover: true,
    };
    accept(&header, Some(&any)).unwrap().unwrap()
}

/// Writes compressed data (RFC 1951), with no aim to make it small.
struct Writer<'a> {
    random: &'a mut Random,
    bytes: Vec<u8>,
    /// How many bits of the last byte are free.
    free: usize,
    /// The history and what the data stands for.
    all: Vec<u8>,
    start: usize,
    window: usize,
    /// A reference may cut a character in two: all that is compressed on a connection with texts is ASCII.
    is_ascii: bool,
}

/// The code for each symbol: its length and its bits.
type Codes = Vec<(usize, usize)>;

impl Writer<'_> {
    fn bits(&mut self, bits: usize, count: usize) {
        for index in 0..count {
            if self.free == 0 {
                self.bytes.push(0);
                self.free = 8;
            }
            let place = 8 - self.free;
            *self.bytes.last_mut().expect("there is room") |= ((bits >> index & 1) as u8) << place;
            self.free -= 1;
        }
    }

    /// Huffman codes begin with their highest bit.
    fn symbol(&mut self, codes: &Codes, symbol: usize) {
        let (length, code) = codes[symbol];
        for index in (0..length).rev() {
            self.bits(code >> index & 1, 1);
        }
    }

    fn literal(&mut self) -> u8 {
        match self.is_ascii {
            true => self.random.pick(b"abcde \n\0"),
            false => self.random.next() as u8,
        }
    }

    /// A message of about this length.
    fn message(&mut self, length: usize) {
        while self.all.len() - self.start < length {
            let more = self.random.size(length);
            let is_last = self.random.once_in(8);
            self.block(more, is_last);
        }
        let is_last = !self.bytes.is_empty() && self.random.once_in(6);
        if is_last {
            let more = self.random.size(10);
            self.block(more, true);
            if self.random.once_in(2) {
                return;
            }
        }
        // The block whose length the sender leaves out.
        self.bits(0, 3);
        self.free = 0;
    }

    fn block(&mut self, length: usize, is_last: bool) {
        self.bits(is_last.into(), 1);
        let kind = self.random.below(3);
        self.bits(kind, 2);
        match kind {
            0 => {
                let length = length.min(0xffff);
                self.free = 0;
                let lengths = length | (length ^ 0xffff) << 16;
                self.bits(lengths, 32);
                for _ in 0..length {
                    let byte = self.literal();
                    self.bits(byte.into(), 8);
                    self.all.push(byte);
                }
            }
            1 => {
                let mut lengths = [8; 288];
                lengths[144..256].fill(9);
                lengths[256..280].fill(7);
                self.symbols(length, &canonical(&lengths), &canonical(&[5; 30]));
            }
            _ => {
                let (literals, distances) = self.codes();
                self.symbols(length, &literals, &distances);
            }
        }
        if is_last {
            self.free = 0;
        }
    }

    /// Two complete codes, each of two lengths, and how they are told.
    fn codes(&mut self) -> (Codes, Codes) {
        let literals = self.lengths(286, 226, 8);
        let distances = self.lengths(30, 2, 4);
        self.bits(286 - 257, 5);
        self.bits(30 - 1, 5);
        self.bits(19 - 4, 4);
        // Two bits each for the lengths 8, 9, 5 and 4, which stand in this order among the 19.
        for place in 0..19 {
            self.bits(
                if matches!(place, 4 | 6 | 9 | 11) {
                    2
                } else {
                    0
                },
                3,
            );
        }
        let mut of_lengths = [0; 19];
        for length in [4, 5, 8, 9] {
            of_lengths[length] = 2;
        }
        let of_lengths = canonical(&of_lengths);
        for length in literals.iter().chain(&distances) {
            self.symbol(&of_lengths, *length);
        }
        (canonical(&literals), canonical(&distances))
    }

    /// `short` of so many symbols have this length, the others one bit more.
    fn lengths(&mut self, symbols: usize, short: usize, length: usize) -> Vec<usize> {
        let mut lengths = vec![length + 1; symbols];
        lengths[..short].fill(length);
        for index in 0..symbols {
            let other = self.random.below(symbols);
            lengths.swap(index, other);
        }
        lengths
    }

    fn symbols(&mut self, length: usize, literals: &Codes, distances: &Codes) {
        let end = self.all.len() + length;
        while self.all.len() < end {
            let most = self.all.len().min(self.window);
            if most == 0 || self.random.once_in(3) {
                let byte = self.literal();
                self.symbol(literals, byte.into());
                self.all.push(byte);
                continue;
            }
            // The whole way back now and then: there the off-by-ones are.
            let distance = match self.random.below(8) {
                0 => most,
                _ => 1 + self.random.size(most - 1).min(most - 1),
            };
            let length = 3 + self.random.size(255);
            let (symbol, base, extra) = length_symbol(length);
            self.symbol(literals, symbol);
            self.bits(length - base, extra);
            let (symbol, base, extra) = distance_symbol(distance);
            self.symbol(distances, symbol);
            self.bits(distance - base, extra);
            for _ in 0..length {
                self.all.push(self.all[self.all.len() - distance]);
            }
        }
        self.symbol(literals, 256);
    }
}

/// RFC 1951, section 3.2.2.
fn canonical(lengths: &[usize]) -> Codes {
    let mut codes = vec![(0, 0); lengths.len()];
    let mut code = 0;
    for length in 1..16 {
        for symbol in (0..lengths.len()).filter(|symbol| lengths[*symbol] == length) {
            codes[symbol] = (length, code);
            code += 1;
        }
        code <<= 1;
    }
    codes
}

/// The symbol, the least value that it stands for, and its extra bits (section 3.2.5).
fn length_symbol(length: usize) -> (usize, usize, usize) {
    if length == 258 {
        return (285, 258, 0);
    }
    let mut base = 3;
    for symbol in 257..285 {
        let extra = (symbol - 257usize).saturating_sub(4) / 4;
        if length < base + (1 << extra) {
            return (symbol, base, extra);
        }
        base += 1 << extra;
    }
    unreachable!("no length is larger than 258");
}

fn distance_symbol(distance: usize) -> (usize, usize, usize) {
    let mut base = 1;
    for symbol in 0..30 {
        let extra = (symbol / 2usize).saturating_sub(1);
        if distance < base + (1 << extra) {
            return (symbol, base, extra);
        }
        base += 1 << extra;
    }
    unreachable!("no distance is larger than 32768");
}

/// What a server sends, and what it means.
struct Connection {
    wire: Vec<u8>,
    items: Vec<Item>,
    /// Of the largest message.
    longest: usize,
}

impl Connection {
    fn new(random: &mut Random, compression: Option<Compression>) -> Self {
        let mut connection = Connection {
            wire: Vec::new(),
            items: Vec::new(),
            longest: 0,
        };
        let mut history = Vec::new();
        let is_ascii = random.once_in(2);
        for _ in 0..1 + random.below(6) {
            let mut opcode = random.pick(&[1, 2]);
            let most = random.pick(&[20, 300, 5_000]);
            let length = random.size(most);
            let (message, payload) = match compression.filter(|_| !random.once_in(4)) {
                Some(compression) => {
                    if !is_ascii {
                        opcode = 2;
                    }
                    let start = history.len();
                    let mut writer = Writer {
                        random,
                        bytes: Vec::new(),
                        free: 0,
                        all: history,
                        start,
                        window: 1 << compression.window_bits,
                        is_ascii,
                    };
                    writer.message(length);
                    let (mut all, bytes) = (writer.all, writer.bytes);
                    let message = all[start..].to_vec();
                    if !compression.takeover {
                        all.clear();
                    }
                    history = all;
                    connection.fragments(random, opcode | 0x40, &bytes);
                    connection.longest = connection.longest.max(message.len());
                    connection.items.push((opcode, message));
                    continue;
                }
                None => {
                    let message = match opcode {
                        1 => "aé€😀\0"
                            .chars()
                            .cycle()
                            .take(length)
                            .collect::<String>()
                            .into_bytes(),
                        _ => (0..length).map(|_| random.next() as u8).collect(),
                    };
                    (message.clone(), message)
                }
            };
            connection.fragments(random, opcode, &payload);
            connection.longest = connection.longest.max(message.len());
            connection.items.push((opcode, message));
        }
        if random.once_in(2) {
            let payload = b"\x03\xe8bye";
            connection.frame(0x88, payload);
            connection.items.push((8, payload.to_vec()));
        }
        connection
    }

    /// One frame or several, with control frames between them.
    fn fragments(&mut self, random: &mut Random, mut first: u8, mut payload: &[u8]) {
        while !random.once_in(3) {
            let (now, later) = payload.split_at(random.size(payload.len() + 1).min(payload.len()));
            self.frame(first, now);
            payload = later;
            first = 0;
            while random.once_in(3) {
                let (opcode, length) = (random.pick(&[9, 10]), random.below(126));
                let control = vec![random.next() as u8; length];
                self.frame(0x80 | opcode, &control);
                self.items.push((opcode, control));
            }
        }
        self.frame(0x80 | first, payload);
    }

    fn frame(&mut self, first: u8, payload: &[u8]) {
        self.wire.push(first);
        match payload.len() {
            length @ 0..126 => self.wire.push(length as u8),
            length @ 126..65536 => {
                self.wire.push(126);
                self.wire.extend_from_slice(&(length as u16).to_be_bytes());
            }
            length => {
                self.wire.push(127);
                self.wire.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        self.wire.extend_from_slice(payload);
    }

    /// Compares what the decoder makes of the bytes, in many ways of reading them, with the reference.
    fn check(&self, random: &mut Random, compression: Option<Compression>, max: usize, seed: u64) {
        let wanted = match random.once_in(4) {
            true => random.below(self.wire.len() + 1),
            false => usize::MAX,
        };
        let expected = frames::read(&self.wire, wanted, max, compression);
        for reads in [
            &[1][..],
            &[0],
            &[2, 1, 7],
            &[1 + random.below(100), 1 + random.below(5_000)],
        ] {
            let feed = Feed {
                reads,
                in_place: random.pick(&[1, 100, 8 << 10]),
                max_message: max,
                allowance: random.pick(&[1, 100, 256 << 10]),
                rests: random.once_in(2),
                wanted,
            };
            let inflater = compression.map(|direction| Inflater::new(&agreement(direction)));
            let decoded = decode(&self.wire, inflater, &feed);
            assert!(
                expected.fits(&decoded.items, decoded.code),
                "seed {seed}, {compression:?}, {feed:?}: {:?} instead of {expected:?}",
                decoded
            );
        }
    }
}

#[test]
fn what_a_server_sends_arrives_whatever_the_pieces() {
    for seed in 0..600 {
        let mut random = Random(seed);
        let compression = (!random.once_in(4)).then(|| random.direction());
        let connection = Connection::new(&mut random, compression);
        // The reference says what the generator meant.
        let max = connection.longest;
        let expected = frames::read(&connection.wire, usize::MAX, max, compression);
        assert!(expected.codes.is_empty(), "seed {seed}");
        assert_eq!(expected.may_fail_from, None, "seed {seed}");
        assert!(expected.items == connection.items, "seed {seed}");
        connection.check(&mut random, compression, max, seed);
    }
}

#[test]
fn what_is_wrong_fails_the_same_way_whatever_the_pieces() {
    for seed in 0..600 {
        let mut random = Random(seed);
        let compression = (!random.once_in(4)).then(|| random.direction());
        let mut connection = Connection::new(&mut random, compression);
        let max = match random.once_in(4) {
            true => random.size(connection.longest + 1),
            false => connection.longest + 1000,
        };
        for _ in 0..random.below(3) {
            let place = random.below(connection.wire.len());
            connection.wire[place] = match random.once_in(2) {
                true => random.next() as u8,
                false => connection.wire[place] ^ 1 << random.below(8),
            };
        }
        let length = connection.wire.len();
        connection
            .wire
            .truncate(length - random.below(3).min(length));
        connection.check(&mut random, compression, max, seed);
    }
}

/// Both ends of a connection.
struct Pair {
    direction: Compression,
    deflater: Deflater,
    inflater: Inflater,
    history: Vec<u8>,
}

impl Pair {
    fn new(random: &mut Random) -> Self {
        loop {
            let direction = random.direction();
            let agreement = agreement(direction);
            match Deflater::new(&agreement) {
                Some(deflater) => {
                    return Pair {
                        direction,
                        deflater,
                        inflater: Inflater::new(&agreement),
                        history: Vec::new(),
                    };
                }
                None => assert_eq!(direction.window_bits, 8),
            }
        }
    }

    /// New bytes and pieces of what was there.
    fn message(&self, random: &mut Random) -> Vec<u8> {
        let length = 1 + random.size(20_000);
        let variety = 1 + random.size(255);
        let mut all = self.history.clone();
        while all.len() < self.history.len() + length {
            match random.once_in(2) || all.is_empty() {
                true => all.push(random.below(variety) as u8),
                false => {
                    let start = random.below(all.len());
                    let end = (start + 1 + random.size(300)).min(all.len());
                    all.extend_from_within(start..end);
                }
            }
        }
        all.split_off(self.history.len())
    }

    fn send(&mut self, random: &mut Random, seed: u64) {
        let message = self.message(random);
        let mut data = Vec::new();
        self.deflater.compress(&message, &mut data);
        if random.once_in(4) {
            return self.deflater.dropped();
        }
        self.deflater.sent(&message);
        let window = 1 << self.direction.window_bits;
        let inflated = inflate::inflate(&data, &self.history, window, message.len());
        assert_eq!(inflated.end, inflate::End::Whole, "seed {seed}");
        assert!(inflated.output == message, "seed {seed}");
        assert!(!inflated.leaves_window, "seed {seed}");
        let reads = [1 + random.size(100), 1 + random.size(5_000)];
        let allowance = random.pick(&[1, 100, 256 << 10]);
        let inflater = &mut self.inflater;
        let back = fuzzing::inflate(inflater, &data, &reads, allowance, message.len());
        assert!(back.as_ref() == Ok(&message), "seed {seed}");
        if self.direction.takeover {
            self.history.extend_from_slice(&message);
        }
    }
}

#[test]
fn what_is_compressed_comes_back_and_keeps_to_its_window() {
    for seed in 0..10 {
        let mut random = Random(seed);
        // They share compressors, of which there are fewer.
        let mut pairs: Vec<_> = (0..1 + random.below(12))
            .map(|_| Pair::new(&mut random))
            .collect();
        for _ in 0..40 {
            let index = random.below(pairs.len());
            let pair = &mut pairs[index];
            pair.send(&mut random, seed);
            for _ in 0..random.below(3) {
                pair.deflater.rest();
            }
            for _ in 0..random.below(3) {
                pair.inflater.rest();
            }
            if random.once_in(8) {
                *pair = Pair::new(&mut random);
            }
        }
    }
}

#[test]
fn negotiation_says_what_the_reference_says() {
    const WORDS: [&str; 24] = [
        "permessage-deflate",
        "server_no_context_takeover",
        "client_no_context_takeover",
        "server_max_window_bits",
        "client_max_window_bits",
        "server_max_window_bits=10",
        "client_max_window_bits=10",
        "=",
        "=",
        ";",
        ";",
        ";",
        ",",
        " ",
        "\t",
        "\"",
        "\\",
        "8",
        "9",
        "15",
        "16",
        "\"1\\5\"",
        "x",
        "\u{e9}",
    ];
    let mut accepted_once = 0;
    for seed in 0..40_000 {
        let mut random = Random(seed);
        let offer = (!random.once_in(8)).then(|| Offer {
            window_bits: random.pick(&[9, 10, 15, 15]),
            context_takeover: !random.once_in(3),
        });
        let mut header = String::new();
        if !random.once_in(4) {
            header.push_str(WORDS[0]);
        }
        for _ in 0..random.below(6) {
            if !random.once_in(3) {
                header.push(';');
            }
            header.push_str(random.pick(&WORDS));
        }
        let offered = offer.map(|offer| negotiation::Offered {
            window_bits: offer.window_bits,
            takeover: offer.context_takeover,
        });
        let accepted = accept(&header, offer.as_ref());
        let plain = accepted.as_ref().map(|agreement| {
            agreement.map(|agreement| negotiation::Agreed {
                server_no_context_takeover: agreement.server_no_context_takeover,
                client_no_context_takeover: agreement.client_no_context_takeover,
                server_max_window_bits: agreement.server_max_window_bits,
                client_max_window_bits: agreement.client_max_window_bits,
            })
        });
        let expected = negotiation::read(&header, offered);
        let plain = plain.map_err(|_| negotiation::Refused);
        assert_eq!(plain, expected, "seed {seed}: {header:?} for {offer:?}");
        if let (Ok(Some(agreement)), Some(offer)) = (&accepted, &offer) {
            accepted_once += 1;
            let takes_over = offer.context_takeover && !agreement.client_no_context_takeover;
            assert_eq!(agreement.client_takes_over, takes_over, "seed {seed}");
            let again = accept(&agreement.to_string(), Some(offer));
            assert_eq!(again, accepted, "seed {seed}: {header:?}");
        }
    }
    assert!(accepted_once > 1_000, "{accepted_once}");
}
