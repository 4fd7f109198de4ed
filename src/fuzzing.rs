//! What `fuzz/` and the property tests drive: the private parts, fed as `socket/` and `connect/` feed them, behind plain
//! types. It is in no other build.

use crate::protocol::{Decoder, Item, Violation, inflate::Limits};

pub use crate::protocol::{
    deflate::Deflater,
    extensions::{Agreement, Offer, accept},
    inflate::Inflater,
};

/// A message's buffer may be so much larger than what has arrived.
const MOST_AHEAD: usize = 1 << 20;
/// Decompressing may make so much more than its allowance.
const MOST_BEYOND: usize = 32 << 10;

/// How bytes reach the decoder.
#[derive(Debug, Clone, Copy)]
pub struct Feed<'a> {
    /// What the reads bring at most, used in turn. 0: all that is left.
    pub reads: &'a [usize],
    /// From so many missing bytes on, a payload is received in place.
    pub in_place: usize,
    /// The largest message.
    pub max_message: usize,
    /// What decompressing may make at a time, at least 1.
    pub allowance: usize,
    /// Whether what can be built again is freed after each read.
    pub rests: bool,
    /// Messages are dropped behind so many bytes.
    pub wanted: usize,
}

/// What the decoder made of them.
#[derive(Debug, Default)]
pub struct Decoded {
    /// Opcodes and payloads.
    pub items: Vec<(u8, Vec<u8>)>,
    /// The code of the violation that ended it.
    pub code: Option<u16>,
}

/// Decodes what a server sends.
///
/// # Panics
/// When the decoder holds or makes more than it may, or stops without a reason.
pub fn decode(wire: &[u8], inflater: Option<Inflater>, feed: &Feed) -> Decoded {
    let mut decoder = Decoder::inflating(inflater);
    let mut decoded = Decoded::default();
    let result = feed_all(&mut decoder, wire, feed, &mut decoded.items);
    decoded.code = result.err().map(|violation| violation.code);
    decoded
}

fn feed_all(
    decoder: &mut Decoder,
    mut wire: &[u8],
    feed: &Feed,
    items: &mut Vec<(u8, Vec<u8>)>,
) -> Result<(), Violation> {
    let mut wanted = feed.wanted;
    for size in feed.reads.iter().cycle() {
        if wanted == 0 {
            decoder.discard_messages();
            wanted = usize::MAX;
        }
        if wire.is_empty() {
            break;
        }
        let size = match size {
            0 => wire.len(),
            size => wire.len().min(*size),
        };
        let size = size.min(wanted);
        let before = wire.len();
        match decoder.in_place() {
            Some((data, room)) if room >= feed.in_place => {
                assert!(room > 0 && data.len() + room <= data.capacity());
                assert!(data.capacity() - data.len() <= 2 * data.len().max(MOST_AHEAD));
                let (now, later) = wire.split_at(size.min(room));
                wire = later;
                data.extend_from_slice(now);
                decoder.received(now.len())?;
                decode_all(decoder, &[], feed, items)?;
            }
            _ => {
                let (now, later) = wire.split_at(size);
                wire = later;
                decode_all(decoder, now, feed, items)?;
            }
        }
        wanted -= before - wire.len();
        if feed.rests {
            // What was used is freed the second time.
            decoder.rest();
            decoder.rest();
        }
    }
    Ok(())
}

fn decode_all(
    decoder: &mut Decoder,
    mut input: &[u8],
    feed: &Feed,
    items: &mut Vec<(u8, Vec<u8>)>,
) -> Result<(), Violation> {
    loop {
        let mut allowance = feed.allowance;
        let mut limits = Limits {
            message: feed.max_message,
            allowance: &mut allowance,
        };
        match decoder.next(&mut input, &mut limits)? {
            Some(item) => items.push(plain(item, feed.max_message)),
            None if input.is_empty() => return Ok(()),
            None => assert_eq!(allowance, 0, "it stopped without a reason"),
        }
    }
}

fn plain(item: Item, max_message: usize) -> (u8, Vec<u8>) {
    match item.into_owned() {
        Item::Whole(..) => unreachable!("it is owned"),
        Item::Message(message) => {
            let (length, capacity) = (message.data.len(), message.data.capacity());
            assert!(length <= max_message, "{length}");
            // With room for a NUL; what waits in a queue is counted by its length.
            assert!(capacity > length && capacity - length <= length / 4 + 65);
            (message.kind as u8, message.data)
        }
        Item::Close(close) => (8, close.payload()),
        Item::Ping(payload) => (9, payload),
        Item::Pong(payload) => (10, payload),
    }
}

/// Decompresses one message that comes in such reads.
///
/// # Errors
/// The violation's code.
///
/// # Panics
/// When more is made or held than may be.
pub fn inflate(
    inflater: &mut Inflater,
    mut data: &[u8],
    reads: &[usize],
    allowance: usize,
    max_message: usize,
) -> Result<Vec<u8>, u16> {
    let mut message = Vec::new();
    for size in reads.iter().cycle() {
        if data.is_empty() {
            break;
        }
        let size = match size {
            0 => data.len(),
            size => data.len().min(*size),
        };
        let (mut input, later) = data.split_at(size);
        data = later;
        while !input.is_empty() {
            let mut left = allowance;
            let (length, before) = (input.len(), message.len());
            let mut limits = Limits {
                message: max_message,
                allowance: &mut left,
            };
            let result = inflater.inflate(&mut input, &mut message, &mut limits);
            let made = message.len() - before;
            assert!(made <= allowance.saturating_add(MOST_BEYOND), "{made}");
            assert!(message.capacity() <= max_message + 2);
            result.map_err(|violation| violation.code)?;
            assert!(made > 0 || input.len() < length, "nothing was done");
        }
    }
    let mut limits = Limits {
        message: max_message,
        allowance: &mut allowance.clone(),
    };
    let result = inflater.end(&mut message, &mut limits);
    result.map_err(|violation| violation.code)?;
    assert!(message.len() <= max_message);
    Ok(message)
}

#[cfg(fuzzing)]
pub use self::upgrading::{Asking, Upgraded, accept_key, upgrade};

#[cfg(fuzzing)]
mod upgrading {
    use super::{Agreement, Offer};
    use crate::{
        connect::{self, address::Target},
        options::Settings,
    };
    use tokio::io::{AsyncRead, AsyncWrite};
    use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

    /// What is asked of a server.
    #[derive(Debug)]
    pub struct Asking {
        /// The subprotocols.
        pub protocols: Vec<String>,
        /// Whether one must be chosen.
        pub is_required: bool,
        /// Compression.
        pub offer: Option<Offer>,
    }

    /// What its answer was taken for.
    #[derive(Debug)]
    pub struct Upgraded {
        /// The status; 0: none.
        pub status: u16,
        /// Subprotocol, compression, and what came behind the answer; or the error's sentence.
        pub accepted: Result<(String, Option<Agreement>, Vec<u8>), String>,
    }

    /// Upgrades a connection.
    pub async fn upgrade(
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        asking: &Asking,
    ) -> Upgraded {
        let target = Target::from_url("ws://example.com/chat").expect("it is a URL");
        let defaults = Settings::default();
        let settings = Settings {
            subprotocol_required: asking.is_required,
            compression: asking.offer.is_some(),
            window_bits: asking.offer.map_or(defaults.window_bits, |o| o.window_bits),
            context_takeover: asking.offer.is_none_or(|o| o.context_takeover),
            ..defaults
        };
        let (answer, accepted) =
            match connect::upgrade_alone(stream, &target, &asking.protocols, &settings).await {
                Ok((answer, early)) => {
                    let accepted = (answer.protocol.clone(), answer.deflate, early);
                    (answer, Ok(accepted))
                }
                Err((answer, error)) => (answer, Err(error.message.into_owned())),
            };
        Upgraded {
            status: answer.status,
            accepted,
        }
    }

    /// What the server must answer to a key.
    pub fn accept_key(key: &str) -> String {
        derive_accept_key(key.as_bytes())
    }
}
