//! Compressing messages (RFC 7692, section 7.2.1).

use super::{
    extensions::Agreement,
    history::History,
    kept::{Kept, Pool, Use},
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

/// A compressor and its window.
struct Compressor {
    state: Deflate,
    window_bits: u8,
}

static POOL: Pool<Compressor> = Pool::new();

/// Compresses the messages of one connection.
///
/// A message counts as part of what later ones may refer to once it was [`sent`](Deflater::sent): one that
/// could not be sent leaves no trace.
pub struct Deflater {
    window_bits: u8,
    takeover: bool,
    history: History,
    /// In use for a message that was compressed, and not yet sent or dropped.
    state: Option<Compressor>,
    /// Goes on after the last message.
    kept: Option<Kept<Compressor>>,
    used: Use,
}

impl Deflater {
    /// For what was agreed. `None` where zlib cannot do it (a window of 8 bits): messages go uncompressed
    /// then, as they always may.
    pub fn new(agreement: &Agreement) -> Option<Self> {
        let window_bits = agreement.client_window_bits;
        if window_bits < MIN_WINDOW_BITS {
            return None;
        }
        let takeover = agreement.client_takes_over;
        Some(Deflater {
            window_bits,
            takeover,
            history: History::new(window_bits, takeover),
            state: None,
            kept: None,
            used: Use::default(),
        })
    }

    /// Appends the compressed form of `message`, which is not empty, to `out`. Then say whether it was
    /// [`sent`](Deflater::sent) or [dropped](Deflater::dropped).
    pub fn compress(&mut self, message: &[u8], out: &mut Vec<u8>) {
        let compressor = match self.kept.take().and_then(Kept::into_inner) {
            Some(compressor) => compressor,
            None => self.build(),
        };
        let state = &mut self.state.insert(compressor).state;
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
        self.used.add();
        self.history.push(message);
        if let Some(mut compressor) = self.state.take() {
            if !self.takeover {
                compressor.state.reset();
            }
            match self.used.is_busy() {
                true => self.kept = POOL.keep(compressor),
                false => POOL.put(compressor),
            }
        }
    }

    /// The message was not sent.
    pub fn dropped(&mut self) {
        if let Some(compressor) = self.state.take() {
            POOL.put(compressor);
        }
    }

    /// A compressor that has seen the history.
    fn build(&mut self) -> Compressor {
        let window_bits = self.window_bits;
        let mut compressor = match POOL.get(|spare| spare.window_bits == window_bits) {
            Some(mut spare) => {
                spare.state.reset();
                spare
            }
            None => Compressor {
                state: Deflate::new_with_config(DeflateConfig {
                    level: LEVEL,
                    // Negative: without a header.
                    window_bits: -i32::from(window_bits),
                    ..DeflateConfig::default()
                }),
                window_bits,
            },
        };
        compressor
            .state
            .set_dictionary(self.history.bytes())
            .expect("a new stream without a header takes a dictionary");
        compressor
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
}
