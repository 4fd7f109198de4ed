//! What is compressed comes back, through the library's own decompressor and through the reference, which knows
//! of no farther window than was agreed on. Several connections at once, because they share compressors.
//!
//! Input: three bytes for the agreements, three for the sizes of reads, then what is done: each a byte for the
//! connection, one of flags, one for how often the bytes are repeated, two for their number, the bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wdsocket::fuzzing::{Deflater, Inflater, inflate};
use wdsocket_fuzz::{Direction, Input, agreement, in_time, inflate as reference};

/// More connections than may keep a compressor.
const CONNECTIONS: usize = 12;
/// The longest message: more than the largest window.
const MOST: usize = 40_000;

fuzz_target!(|data: &[u8]| in_time(|| run(Input(data))));

/// Both ends of one.
struct Connection {
    direction: Direction,
    deflater: Deflater,
    inflater: Inflater,
    history: Vec<u8>,
}

impl Connection {
    fn new(direction: Direction) -> Option<Self> {
        let agreement = agreement(direction);
        let deflater = Deflater::new(&agreement);
        assert_eq!(deflater.is_none(), direction.window_bits == 8);
        Some(Connection {
            direction,
            deflater: deflater?,
            inflater: Inflater::new(&agreement),
            history: Vec::new(),
        })
    }

    fn send(&mut self, message: &[u8], reads: &[usize], flags: u8) {
        let mut data = Vec::new();
        self.deflater.compress(message, &mut data);
        if flags & 1 != 0 {
            return self.deflater.dropped();
        }
        self.deflater.sent(message);
        let window = 1 << self.direction.window_bits;
        let inflated = reference::inflate(&data, &self.history, window, message.len());
        assert_eq!(inflated.end, reference::End::Whole);
        assert!(inflated.output == message && !inflated.leaves_window);
        let allowance = [1, 300, 5_000, usize::MAX][usize::from(flags >> 6)];
        let back = inflate(&mut self.inflater, &data, reads, allowance, message.len());
        assert!(back.as_deref() == Ok(message), "{:?}", back.err());
        if self.direction.takeover {
            self.history.extend_from_slice(message);
        }
    }

    fn rest(&mut self, flags: u8) {
        for _ in 0..flags >> 1 & 3 {
            self.deflater.rest();
        }
        for _ in 0..flags >> 3 & 3 {
            self.inflater.rest();
        }
    }
}

fn run(mut input: Input) {
    let directions: [Direction; 3] = std::array::from_fn(|_| input.direction());
    let reads = input.reads();
    let mut connections: [Option<Connection>; CONNECTIONS] = std::array::from_fn(|_| None);
    let mut total = 0;
    while !input.0.is_empty() && total < 2 * MOST {
        let index = usize::from(input.byte()) % CONNECTIONS;
        let flags = input.byte();
        let times = usize::from(input.byte() / 16).pow(3) + 1;
        let length = u16::from_le_bytes([input.byte(), input.byte()]);
        let bytes = input.bytes(length.into());
        let length = (bytes.len() * times).min(MOST);
        let message: Vec<u8> = bytes.iter().copied().cycle().take(length).collect();
        let connection = &mut connections[index];
        if flags & 0x20 != 0 {
            *connection = None;
        }
        if connection.is_none() {
            *connection = Connection::new(directions[index % 3]);
        }
        let Some(connection) = connection else {
            continue;
        };
        // The library does not compress an empty message.
        if !message.is_empty() {
            connection.send(&message, &reads, flags);
            total += message.len();
        }
        connection.rest(flags);
    }
}
