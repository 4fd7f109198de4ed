//! What the fuzz targets share: the plain reference, and how they read their inputs.

#[path = "../reference/frames.rs"]
pub mod frames;
#[path = "../reference/inflate.rs"]
pub mod inflate;
#[path = "../reference/negotiation.rs"]
pub mod negotiation;
#[path = "../reference/upgrade.rs"]
pub mod upgrade;

pub use frames::Compression as Direction;

use std::time::Duration;
use wdsocket::fuzzing::{Agreement, Offer, accept};

/// What one input may take of the processor. libFuzzer's own limit is wall time, which a busy machine exceeds.
const MOST_TIME: Duration = Duration::from_secs(1);

/// What is left of an input. Its first bytes choose, the rest is data.
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    /// The next byte, 0 at the end.
    pub fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((byte, rest)) => {
                self.0 = rest;
                *byte
            }
            None => 0,
        }
    }

    /// At most so many bytes.
    pub fn bytes(&mut self, length: usize) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        bytes
    }

    /// The sizes of reads, to be used in turn: 0 is all that is left.
    pub fn reads(&mut self) -> [usize; 3] {
        std::array::from_fn(|_| usize::from(self.byte()))
    }

    /// A limit of messages: from none to more than an input can exceed.
    pub fn max_message(&mut self) -> usize {
        [0, 1, 125, 1_000, 30_000, 70_000, 1 << 20, i32::MAX as usize][usize::from(self.byte() % 8)]
    }

    /// After how many bytes messages are of no interest: 0 is never.
    pub fn wanted(&mut self) -> usize {
        match self.byte() {
            0 => usize::MAX,
            wanted => usize::from(wanted) - 1,
        }
    }

    /// What is agreed on about one direction.
    pub fn direction(&mut self) -> Direction {
        let byte = self.byte();
        Direction {
            window_bits: (byte % 16).max(8),
            takeover: byte & 0x80 == 0,
        }
    }

    /// An offer, or none.
    pub fn offer(&mut self) -> Option<Offer> {
        let byte = self.byte();
        (byte & 0x40 == 0).then_some(Offer {
            window_bits: (byte % 16).clamp(9, 15),
            context_takeover: byte & 0x80 == 0,
        })
    }
}

/// An agreement in which both directions are alike.
pub fn agreement(direction: Direction) -> Agreement {
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
    let agreement = accept(&header, Some(&any)).expect("it fits the offer");
    agreement.expect("there is one")
}

/// The offer in the reference's words.
pub fn offered(offer: &Offer) -> negotiation::Offered {
    negotiation::Offered {
        window_bits: offer.window_bits,
        takeover: offer.context_takeover,
    }
}

/// The agreement in the reference's words.
pub fn agreed(agreement: &Agreement) -> negotiation::Agreed {
    negotiation::Agreed {
        server_no_context_takeover: agreement.server_no_context_takeover,
        client_no_context_takeover: agreement.client_no_context_takeover,
        server_max_window_bits: agreement.server_max_window_bits,
        client_max_window_bits: agreement.client_max_window_bits,
    }
}

/// Runs an input, and fails if that takes too long.
pub fn in_time(run: impl FnOnce()) {
    let before = used();
    run();
    let time = used() - before;
    assert!(time <= MOST_TIME, "it took {time:?}");
}

/// What this thread has used of the processor.
fn used() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is to a timespec, as the call wants.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(result, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
