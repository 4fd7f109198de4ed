//! The last bytes that went through one direction of a compressed connection.

use std::collections::VecDeque;

/// What a compressed message may refer to: the end of the messages before it (RFC 7692, section 7.1.1,
/// "context takeover"), as far back as the window reaches.
///
/// Compressor and decompressor can be built anew from it at any time between two messages. So an idle
/// connection keeps only this.
#[derive(Debug)]
pub struct History {
    bytes: VecDeque<u8>,
    window: usize,
}

impl History {
    /// An empty history. Without `takeover` it stays empty.
    pub fn new(window_bits: u8, takeover: bool) -> Self {
        History {
            bytes: VecDeque::new(),
            window: match takeover {
                true => 1 << window_bits,
                false => 0,
            },
        }
    }

    /// A message has gone through.
    pub fn push(&mut self, message: &[u8]) {
        let recent = &message[message.len().saturating_sub(self.window)..];
        let surplus = (self.bytes.len() + recent.len()).saturating_sub(self.window);
        self.bytes.drain(..surplus);
        let length = self.bytes.len() + recent.len();
        if length > self.bytes.capacity() {
            // Twice as much each time, and never more than the window.
            let capacity = length.next_power_of_two().min(self.window);
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        self.bytes.extend(recent);
    }

    /// What there is to refer to.
    pub fn bytes(&mut self) -> &[u8] {
        self.bytes.make_contiguous()
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last_bytes_and_no_more() {
        let all: Vec<u8> = (0..5_000u32).map(|i| ((i * i) >> 3) as u8).collect();
        for sizes in [&[1][..], &[7, 0, 300], &[511, 513], &[512], &[5_000]] {
            let mut history = History::new(9, true);
            let mut end = 0;
            for size in sizes.iter().cycle() {
                if end == all.len() {
                    break;
                }
                let next = (end + size).min(all.len());
                history.push(&all[end..next]);
                end = next;
                assert_eq!(history.bytes(), &all[end.saturating_sub(512)..end]);
                assert!(history.bytes.capacity() <= 512);
            }
        }
    }

    #[test]
    fn keeps_nothing_without_takeover() {
        let mut history = History::new(15, false);
        history.push(b"something");
        assert_eq!(history.bytes(), b"");
        assert_eq!(history.bytes.capacity(), 0);
    }
}
