//! Compressing messages (RFC 7692, section 7.2.1).

use super::{
    extensions::Agreement,
    history::History,
    kept::{Kept, Places},
};
use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Status};

/// What every flush ends with, and a compressed message leaves out.
pub const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// The smallest window that zlib can compress with.
pub const MIN_WINDOW_BITS: u8 = 9;
/// zlib's usual compromise between size and time.
const LEVEL: i32 = 6;
/// The output grows by at least this. A flush is complete once there is room left behind it.
const ROOM: usize = 256;

static PLACES: Places = Places::new();

/// Compresses the messages of one connection.
///
/// A message counts as part of what later ones may refer to once it was [`sent`](Deflater::sent): one that
/// could not be sent leaves no trace.
pub struct Deflater {
    window_bits: u8,
    takeover: bool,
    history: History,
    /// In use for a message that was compressed, and not yet sent or dropped.
    state: Option<Deflate>,
    /// Goes on after the last message.
    kept: Option<Kept<Deflate>>,
    used: bool,
}

impl Deflater {
    /// For what was agreed. `None` where zlib cannot do it (a window of 8 bits): messages go uncompressed
    /// then, as they always may.
    pub fn new(agreement: &Agreement) -> Option<Self> {
        let window_bits = agreement.client_window_bits;
        if window_bits < MIN_WINDOW_BITS {
            return None;
        }
        let takeover = !agreement.client_no_context_takeover;
        Some(Deflater {
            window_bits,
            takeover,
            history: History::new(window_bits, takeover),
            state: None,
            kept: None,
            used: false,
        })
    }

    /// Appends the compressed form of `message`, which is not empty, to `out`. Then say whether it was
    /// [`sent`](Deflater::sent) or [dropped](Deflater::dropped).
    pub fn compress(&mut self, message: &[u8], out: &mut Vec<u8>) {
        self.used = true;
        let state = match self.kept.take() {
            Some(kept) => kept.into_inner(),
            None => self.build(),
        };
        let state = self.state.insert(state);
        let mut input = message;
        let mut wanted = message.len() / 4 + ROOM;
        loop {
            let start = out.len();
            out.resize(start + wanted, 0);
            let (taken, made) = (state.total_in(), state.total_out());
            let status = state.compress(input, &mut out[start..], DeflateFlush::SyncFlush);
            input = &input[(state.total_in() - taken) as usize..];
            let made = (state.total_out() - made) as usize;
            out.truncate(start + made);
            match status {
                Ok(Status::Ok | Status::BufError) => {}
                other => unreachable!("compressing gave {other:?}"),
            }
            if made < wanted {
                break;
            }
            wanted = (input.len() / 2).max(out.len() / 4) + ROOM;
        }
        debug_assert!(input.is_empty() && out.ends_with(&TAIL));
        out.truncate(out.len() - TAIL.len());
    }

    /// The message is on its way.
    pub fn sent(&mut self, message: &[u8]) {
        self.history.push(message);
        if let Some(mut state) = self.state.take() {
            if !self.takeover {
                state.reset();
            }
            self.kept = PLACES.keep(state);
        }
    }

    /// The message was not sent.
    pub fn dropped(&mut self) {
        self.state = None;
    }

    /// A compressor that has seen the history.
    fn build(&mut self) -> Deflate {
        let mut state = Deflate::new_with_config(DeflateConfig {
            level: LEVEL,
            // Negative: without a header.
            window_bits: -i32::from(self.window_bits),
            ..DeflateConfig::default()
        });
        state
            .set_dictionary(self.history.bytes())
            .expect("a new stream without a header takes a dictionary");
        state
    }

    /// Frees what can be built again, unless a message was compressed since this was last called. True:
    /// there is still something to be freed later.
    pub fn rest(&mut self) -> bool {
        if !std::mem::take(&mut self.used) {
            self.kept = None;
        }
        self.kept.is_some()
    }
}
