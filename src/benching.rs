//! What `bench/micro` measures: the hot private parts behind plain types, each called as the library calls it. It is in no
//! other build.

use crate::{
    error::Error,
    events::{Batch, Delivery, Posted, Queue, Recipient},
    line::{Entry, Line},
    options::Settings,
    protocol::{
        Data, Decoder, Item, OpCode, encoder::Frame, inflate::Limits, mask, utf8::Validator,
    },
    registry,
    socket::{Mode, Socket},
    sync::{Arc, AtomicUsize, Ordering},
};
use std::time::Duration;

/// Appends a frame with this payload.
pub fn encode(out: &mut Vec<u8>, payload: &[u8]) {
    let opcode = OpCode::Data(Data::Binary);
    Frame::new(opcode, payload, false).append(out);
}

/// Appends the payload, masked; `offset` is where in its frame it begins.
pub fn mask(out: &mut Vec<u8>, payload: &[u8], key: [u8; 4], offset: usize) {
    mask::append(out, payload, key, offset);
}

/// Whether a text that comes in pieces of this size is UTF-8.
pub fn is_utf8(text: &[u8], piece: usize) -> bool {
    let mut validator = Validator::default();
    text.chunks(piece)
        .all(|piece| validator.push(piece).is_ok())
        && validator.is_complete()
}

/// What comes from one server.
#[derive(Default)]
pub struct Incoming(Decoder);

impl Incoming {
    /// Decodes what one read has brought; returns how many messages it ends, and their length.
    ///
    /// # Panics
    /// When it breaks the protocol.
    pub fn decode(&mut self, mut wire: &[u8]) -> (usize, usize) {
        let mut limits = Limits {
            message: usize::MAX,
            allowance: &mut usize::MAX.clone(),
        };
        let (mut messages, mut bytes) = (0, 0);
        loop {
            let item = self.0.next(&mut wire, &mut limits);
            bytes += match item.expect("it is in order") {
                Some(Item::Whole(_, payload)) => payload.len(),
                Some(Item::Message(message)) => message.data.len(),
                Some(_) => continue,
                None => return (messages, bytes),
            };
            messages += 1;
        }
    }
}

/// The messages that wait for a reader.
#[derive(Default)]
pub struct Inbox(Line<()>);

impl Inbox {
    /// Puts a short message behind the others.
    pub fn pack(&mut self, bytes: &[u8]) {
        self.0.pack(0, 1, bytes);
    }

    /// Takes the first, as a reader does; returns its length.
    pub fn take(&mut self) -> Option<usize> {
        let Entry::Packed(_, bytes) = self.0.first()? else {
            return None;
        };
        let length = bytes.len();
        self.0.drop_first();
        Some(length)
    }
}

/// Counts the bytes that are delivered to it.
#[derive(Default)]
struct Counting(AtomicUsize);

impl Recipient<()> for Counting {
    fn deliver(
        self: std::sync::Arc<Self>,
        batch: &mut Batch<'_, ()>,
    ) -> std::sync::Arc<dyn Recipient<()>> {
        while let Some((delivery, _)) = batch.next() {
            if let Delivery::Packed(_, bytes) = delivery {
                // Without the NUL.
                self.0.fetch_add(bytes.len() - 1, Ordering::Relaxed);
            }
        }
        self
    }

    fn settle(&self) {}
}

/// A queue of posted messages.
#[derive(Default)]
pub struct Posts {
    queue: Queue<()>,
    recipient: Arc<Counting>,
}

impl Posts {
    /// Posts a short message of this connection.
    pub fn post(&self, source: u64, bytes: &[u8]) {
        self.queue
            .post(source, &self.recipient, Posted::Packed(1, bytes));
    }

    /// Runs the callbacks that wait; returns how many.
    ///
    /// # Panics
    /// Inside a callback.
    pub fn dispatch(&self) -> usize {
        let dispatched = self.queue.dispatch(Some(Duration::ZERO), 0);
        dispatched.expect("nobody else dispatches")
    }

    /// The bytes of all messages that were dispatched.
    pub fn bytes(&self) -> usize {
        self.recipient.0.load(Ordering::Relaxed)
    }
}

/// Puts a connection, which is never made, under this name.
///
/// # Errors
/// The sentence, where the name is in use.
pub fn register(name: &str) -> Result<(), String> {
    let socket = Socket::new(name, "ws://[::1]/", Mode::Synchronous, Settings::default());
    registry::insert(&socket).map_err(|Error { message, .. }| message.into_owned())
}

/// Looks for a connection among all.
pub fn find(name: &str) -> bool {
    registry::find(name).is_ok()
}

/// Looks for a connection as a call does that names the same as the last.
pub fn find_again(name: &str) -> bool {
    registry::find_again(name.as_bytes()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A measured part that did nothing would be fast.
    #[test]
    fn each_part_does_its_work() {
        let mut out = Vec::new();
        encode(&mut out, b"Hello");
        assert_eq!((out.len(), out[..2] == [0x82, 0x85]), (11, true));
        out.clear();
        mask(&mut out, b"Hello", [0x37, 0xfa, 0x21, 0x3d], 0);
        assert_eq!(out, [0x7f, 0x9f, 0x4d, 0x51, 0x58]);

        assert!(is_utf8("\u{20ac}\u{20ac}".as_bytes(), 4));
        assert!(!is_utf8(b"ab\xff", 2));

        let mut incoming = Incoming::default();
        assert_eq!(
            incoming.decode(b"\x81\x05Hello\x89\x00\x82\x01a\x81"),
            (2, 6)
        );
        assert_eq!(incoming.decode(b"\x02b"), (0, 0));
        assert_eq!(incoming.decode(b"c"), (1, 2));

        let mut inbox = Inbox::default();
        inbox.pack(b"abc");
        assert_eq!((inbox.take(), inbox.take()), (Some(3), None));

        let posts = Posts::default();
        posts.post(1, b"ab");
        posts.post(2, b"c");
        assert_eq!((posts.dispatch(), posts.bytes()), (2, 3));

        register("benching").unwrap();
        assert!(register("benching").is_err());
        assert!(find("benching") && find_again("benching"));
        assert!(!find("benching2") && !find_again("benching2"));
        registry::remove("benching").unwrap();
    }
}
