//! Decompressing messages (RFC 7692, section 7.2.2), no further than asked.

use super::{
    Violation,
    deflate::TAIL,
    extensions::{Agreement, MAX_WINDOW_BITS},
    history::History,
    kept::{Kept, Pool, Use},
};
use crate::sync::{thread_local, with_local};
use std::cell::RefCell;
use zlib_rs::{Inflate, InflateFlush, Status};

/// So much output is made at once at most, in a buffer of the thread's: the decompressor is fast only as long as there is
/// room for the longest match, which a message's own room would end at again and again.
const ROOM: usize = 16 << 10;

thread_local! {
    static OUTPUT: RefCell<Output> = RefCell::new(Output::default());
}

struct Output(Box<[u8]>);

impl Default for Output {
    fn default() -> Self {
        Output(vec![0; ROOM].into())
    }
}

/// What building a decompressor anew counts, in bytes of output that take as long.
const REBUILD: usize = 8 << 10;

/// All with the largest window, which zlib gives them when they are reset. A message may so refer farther back
/// than was agreed, within itself; what it finds of those before it is the agreed window.
static POOL: Pool<Inflate> = Pool::new();

/// Decompresses the messages of one connection.
pub struct Inflater {
    takeover: bool,
    history: History,
    /// In use for the message that is being received.
    state: Option<Inflate>,
    /// Goes on after the last message.
    kept: Option<Kept<Inflate>>,
    /// The message that is being received has brought data.
    begun: bool,
    used: Use,
}

/// How much a message may become, and how much of that now.
pub struct Limits<'a> {
    /// The largest message in bytes.
    pub message: usize,
    /// So many bytes more are wanted now; what is made is taken off.
    pub allowance: &'a mut usize,
}

impl Limits<'_> {
    /// The same allowance for a message with a limit of its own.
    pub fn of_message(&mut self, limit: usize) -> Limits<'_> {
        Limits {
            message: limit,
            allowance: self.allowance,
        }
    }
}

/// What one step did.
struct Step {
    taken: usize,
    /// There was room for more output.
    has_room: bool,
}

impl Inflater {
    /// For what was agreed.
    pub fn new(agreement: &Agreement) -> Self {
        let window_bits = agreement.server_max_window_bits.unwrap_or(MAX_WINDOW_BITS);
        let takeover = !agreement.server_no_context_takeover;
        Inflater {
            takeover,
            history: History::new(window_bits, takeover),
            state: None,
            kept: None,
            begun: false,
            used: Use::default(),
        }
    }

    /// Appends to `message` what `input` holds of it, until the input is empty or the allowance used up.
    ///
    /// # Errors
    /// Data that is not compressed data, and a message that grows too large: 1009 before it has taken
    /// more memory than its limit.
    pub fn inflate(
        &mut self,
        input: &mut &[u8],
        message: &mut Vec<u8>,
        limits: &mut Limits,
    ) -> Result<(), Violation> {
        if !self.begun && !input.is_empty() {
            self.begun = true;
            self.used.add();
            self.state = self.kept.take().and_then(Kept::into_inner);
        }
        loop {
            if input.is_empty() && self.state.is_none() {
                return Ok(());
            }
            let step = self.step(input, message, limits, InflateFlush::NoFlush)?;
            *input = &input[step.taken..];
            // What the decompressor holds back for want of room is little; it is not left there,
            // because there may be no input to come back for it.
            if step.has_room && input.is_empty() {
                return Ok(());
            }
            if *limits.allowance == 0 && !input.is_empty() {
                return Ok(());
            }
        }
    }

    /// Ends a message.
    ///
    /// # Errors
    /// As [`Inflater::inflate`], and data that ends before it is complete.
    pub fn end(&mut self, message: &mut Vec<u8>, limits: &mut Limits) -> Result<(), Violation> {
        // A peer may send nothing at all for an empty message: its compressor had nothing to flush.
        if std::mem::take(&mut self.begun) && self.state.is_some() {
            self.end_block(message, limits)?;
        }
        self.history.push(message);
        match self.state.take() {
            Some(state) if self.takeover && self.used.is_busy() => self.kept = POOL.keep(state),
            Some(state) => POOL.put(state),
            None => {}
        }
        Ok(())
    }

    /// Gives the decompressor the tail that the peer left out, and checks that a block ends just there.
    fn end_block(&mut self, message: &mut Vec<u8>, limits: &mut Limits) -> Result<(), Violation> {
        // Told to stop at the ends of blocks, it leaves the guard behind the tail alone, and makes
        // nothing, exactly if the tail was what it waited for.
        let [a, b, c, d] = TAIL;
        let guarded = [a, b, c, d, 0];
        let mut taken = 0;
        let complete = message.len();
        while self.state.is_some() {
            let step = self.step(&guarded[taken..], message, limits, InflateFlush::Block)?;
            taken += step.taken;
            if taken > TAIL.len() || message.len() > complete {
                return Err(Violation::protocol(
                    "sent a compressed message that ends in the middle of its data",
                ));
            }
            if taken == TAIL.len() && step.has_room {
                break;
            }
        }
        match taken == TAIL.len() {
            true => Ok(()),
            false => Err(invalid()),
        }
    }

    /// One call of the decompressor.
    fn step(
        &mut self,
        input: &[u8],
        message: &mut Vec<u8>,
        limits: &mut Limits,
        flush: InflateFlush,
    ) -> Result<Step, Violation> {
        let state = match &mut self.state {
            Some(state) => state,
            none => {
                *limits.allowance = limits.allowance.saturating_sub(REBUILD);
                none.insert(build(&mut self.history, message))
            }
        };
        // Never more than one byte beyond the limit, by which is seen that it is exceeded.
        let room = (limits.message + 1).saturating_sub(message.len()).min(ROOM);
        let (taken, made) = (state.total_in(), state.total_out());
        let (status, made) = with_local(&OUTPUT, |output: &mut Output| {
            let status = state.decompress(input, &mut output.0[..room], flush);
            let made = (state.total_out() - made) as usize;
            append(message, &output.0[..made], limits.message);
            (status, made)
        });
        let taken = (state.total_in() - taken) as usize;
        *limits.allowance = limits.allowance.saturating_sub(made);
        match status {
            Ok(Status::Ok | Status::BufError) => {}
            // A block that says it is the last one; others may follow all the same (section 7.2.3.4).
            Ok(Status::StreamEnd) => {
                if let Some(state) = self.state.take() {
                    POOL.put(state);
                }
            }
            Err(_) => return Err(invalid()),
        }
        if message.len() > limits.message {
            return Err(Violation {
                code: 1009,
                what: format!(
                    "sent a compressed message of more than {} bytes, which is more than \
                     MAX_MESSAGE_BYTES allows",
                    limits.message
                )
                .into(),
            });
        }
        Ok(Step {
            taken,
            has_room: made < room,
        })
    }

    /// Gives back what can be built again, unless there were many messages since this was last called. True:
    /// call it again later.
    pub fn rest(&mut self) -> bool {
        let used = self.used.take();
        if !used.is_busy() {
            self.kept = None;
        }
        used.is_any()
    }

    /// Whether there were messages since `rest` was last called.
    pub fn is_used(&self) -> bool {
        self.used.is_any()
    }
}

/// A decompressor that may refer to what came before, this message's beginning included.
fn build(history: &mut History, message: &[u8]) -> Inflate {
    let mut state = match POOL.get(|_| true) {
        Some(mut spare) => {
            spare.reset(false);
            spare
        }
        None => Inflate::new(false, MAX_WINDOW_BITS),
    };
    let mut set = |dictionary: &[u8]| {
        state
            .set_dictionary(dictionary)
            .expect("a stream without a header takes a dictionary");
    };
    // One after the other: the later pushes the earlier back.
    set(history.bytes());
    set(message);
    state
}

/// Appends output to a message, whose room at least doubles where it is not enough, and is never much beyond its limit.
fn append(message: &mut Vec<u8>, output: &[u8], limit: usize) {
    // And a byte for the NUL.
    let needed = output.len() + 1;
    if message.capacity() - message.len() < needed {
        let most = (limit + 2).saturating_sub(message.len());
        message.reserve_exact(needed.max(message.len().min(most)));
    }
    message.extend_from_slice(output);
}

fn invalid() -> Violation {
    Violation::protocol("sent a compressed message whose data is not valid")
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;
    use crate::protocol::{
        deflate::Deflater,
        extensions::{Offer, accept},
    };

    fn agreement(parameters: &str) -> Agreement {
        let offer = Offer {
            window_bits: 15,
            context_takeover: true,
        };
        accept(&format!("permessage-deflate{parameters}"), Some(&offer))
            .unwrap()
            .unwrap()
    }

    /// Inflates one message, given in pieces of `size` bytes, `allowance` bytes at a time.
    fn inflate(
        inflater: &mut Inflater,
        data: &[u8],
        size: usize,
        allowance: usize,
        limit: usize,
    ) -> Result<Vec<u8>, Violation> {
        let mut message = Vec::new();
        for piece in data.chunks(size) {
            let mut input = piece;
            while !input.is_empty() {
                let mut limits = Limits {
                    message: limit,
                    allowance: &mut allowance.clone(),
                };
                inflater.inflate(&mut input, &mut message, &mut limits)?;
            }
        }
        let mut limits = Limits {
            message: limit,
            allowance: &mut allowance.clone(),
        };
        inflater.end(&mut message, &mut limits)?;
        assert!(message.capacity() <= limit + 2, "{}", message.capacity());
        Ok(message)
    }

    /// Words, in an order that does not repeat.
    fn prose(length: usize, seed: u64) -> Vec<u8> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut bytes = Vec::new();
        while bytes.len() < length {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.extend_from_slice(format!("{{\"price\":{}}},", state % 977).as_bytes());
        }
        bytes.truncate(length);
        bytes
    }

    #[test]
    fn messages_come_back_with_every_agreement_and_after_every_rest() {
        for parameters in [
            "",
            "; server_no_context_takeover; client_no_context_takeover",
            "; server_max_window_bits=9; client_max_window_bits=9",
            "; server_max_window_bits=12; client_max_window_bits=12",
        ] {
            let agreement = agreement(parameters);
            let mut deflater = Deflater::new(&agreement).unwrap();
            let mut inflater = Inflater::new(&agreement);
            let mut wire = Vec::new();
            for (turn, length) in [1, 40, 1000, 7, 100_000, 3, 65_536, 300, 300, 300]
                .into_iter()
                .enumerate()
            {
                let message = prose(length, turn as u64 % 3 + 1);
                // What is not sent leaves no trace.
                deflater.compress(b"never sent, never seen", &mut wire);
                deflater.dropped();
                wire.clear();
                deflater.compress(&message, &mut wire);
                deflater.sent(&message);
                let size = [1, 3, 1 << 20][turn % 3];
                let back = inflate(&mut inflater, &wire, size, 1000, length).unwrap();
                assert!(back == message, "{parameters}, {length} bytes");
                if turn % 4 == 1 {
                    // Used since the last time, then not.
                    deflater.rest();
                    assert!(!deflater.rest());
                    inflater.rest();
                    assert!(!inflater.rest());
                }
            }
        }
    }

    #[test]
    fn takeover_makes_similar_messages_smaller_also_after_a_rest() {
        let message = prose(2_000, 1);
        for (parameters, shrinks) in [("", true), ("; client_no_context_takeover", false)] {
            let mut deflater = Deflater::new(&agreement(parameters)).unwrap();
            let mut sizes = Vec::new();
            for _ in 0..3 {
                let mut wire = Vec::new();
                deflater.compress(&message, &mut wire);
                deflater.sent(&message);
                sizes.push(wire.len());
                deflater.rest();
                deflater.rest();
            }
            assert_eq!(sizes[1] < sizes[0] / 4, shrinks, "{parameters}: {sizes:?}");
            assert_eq!(sizes[2], sizes[1], "{parameters}");
        }
    }

    #[test]
    fn a_window_of_8_bits_is_taken_in_but_not_sent() {
        let agreement = agreement("; server_max_window_bits=8; client_max_window_bits=8");
        assert!(Deflater::new(&agreement).is_none());
        let mut inflater = Inflater::new(&agreement);
        let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(inflate(&mut inflater, &hello, 1, 1, 5).unwrap(), b"Hello");
    }

    #[test]
    fn the_examples_of_section_7_2_3() {
        for data in [
            &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..],
            // A block without compression.
            &[
                0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00,
            ],
            // A block that says it is the last.
            &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
            // The same without the byte that the RFC wants behind it.
            &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00],
            // Two blocks.
            &[
                0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00,
            ],
        ] {
            for size in [1, 2, 100] {
                let mut inflater = Inflater::new(&agreement(""));
                for _ in 0..2 {
                    let back = inflate(&mut inflater, data, size, 2, 100);
                    assert_eq!(back.as_deref(), Ok(&b"Hello"[..]), "{data:x?}");
                }
                // The second time as a reference to the first.
                let shared = [0xf2, 0x00, 0x11, 0x00, 0x00];
                let back = inflate(&mut inflater, &shared, size, 2, 100);
                assert_eq!(back.as_deref(), Ok(&b"Hello"[..]));
                assert_eq!(inflate(&mut inflater, &[0x00], 1, 2, 0).unwrap(), b"");
                assert_eq!(inflate(&mut inflater, &[], 1, 2, 0).unwrap(), b"");
            }
        }
    }

    #[test]
    fn a_message_that_grows_too_large_ends_at_its_limit() {
        let mut deflater = Deflater::new(&agreement("")).unwrap();
        let mut bomb = Vec::new();
        deflater.compress(&vec![0; 64 << 20], &mut bomb);
        assert!(bomb.len() < 1 << 17);
        for limit in [0, 1, 1_000, 1 << 20, (64 << 20) - 1] {
            let mut inflater = Inflater::new(&agreement(""));
            let violation = inflate(&mut inflater, &bomb, 1 << 16, 1 << 18, limit).unwrap_err();
            assert_eq!(violation.code, 1009);
        }
        let mut inflater = Inflater::new(&agreement(""));
        let all = inflate(&mut inflater, &bomb, 1 << 16, 1 << 18, 64 << 20).unwrap();
        assert_eq!(all.len(), 64 << 20);
    }

    #[test]
    fn the_allowance_bounds_what_one_call_makes() {
        let mut deflater = Deflater::new(&agreement("")).unwrap();
        let mut bomb = Vec::new();
        deflater.compress(&vec![0; 8 << 20], &mut bomb);
        let mut inflater = Inflater::new(&agreement(""));
        let mut input = &bomb[..];
        let mut message = Vec::new();
        let mut limits = Limits {
            message: 8 << 20,
            allowance: &mut 100_000,
        };
        inflater
            .inflate(&mut input, &mut message, &mut limits)
            .unwrap();
        assert!(!input.is_empty() && *limits.allowance == 0);
        assert!((100_000 - REBUILD..200_000).contains(&message.len()));
    }

    #[test]
    fn what_is_no_compressed_data_is_refused() {
        for data in [
            // A reserved block type.
            &[0x07][..],
            // A length and its complement that do not fit.
            &[0x00, 0x05, 0x00, 0xfa, 0xfe, 0x48],
            // A reference to before the beginning.
            &[0xf2, 0x00, 0x11, 0x00, 0x00],
            // Ends in the middle: of a block's data, of a stored block, of a header.
            &[0xf2, 0x48, 0xcd],
            &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65],
            &[0x00, 0x05],
            &[0x00, 0x04, 0x00, 0xfb, 0xff],
        ] {
            for size in [1, 100] {
                let mut inflater = Inflater::new(&agreement(""));
                let refused = inflate(&mut inflater, data, size, 100, 100).unwrap_err();
                assert_eq!(refused.code, 1002, "{data:x?}");
            }
        }
    }
}
