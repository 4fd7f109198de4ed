//! The behaviours that keep the protocol's letter and harm all the same. See README.md.

use crate::behaviour::echo;
use crate::deflate;
use crate::frame::{self, BINARY, CLOSE, COMPRESSED, CONTINUATION, PING, PONG, TEXT};
use crate::peer::{Alive, AtClose, Gone, Peer};
use crate::query::Query;
use crate::sys::in_ms;
use std::io;
use std::thread;
use std::time::Instant;

/// What is sent at a time.
const PIECE: usize = 1 << 20;
/// How long a pong may take.
const PATIENCE_MS: u64 = 2000;

/// Frames without contents as fast as the client takes them, for a time; what the client sends is not looked at.
pub fn stream(peer: &mut Peer, query: &Query) -> Alive {
    if query.text("after").as_deref() == Some("close") {
        peer.at_close = AtClose::Leave;
        // Until the client's close frame, or its end: then the stream below ends at once.
        let _ = echo(peer, query);
        peer.push(true, CLOSE, &frame::close_payload(Some(1000), b""))?;
        peer.flush()?;
    }
    // What the frames are, what they hold, and what begins the message that they continue.
    let (opcode, payload, first) = match query.text("what").as_deref() {
        Some("ping") => (PING, Vec::new(), None),
        Some("continuation") => (CONTINUATION, Vec::new(), Some(BINARY)),
        Some("blocks") => (
            CONTINUATION,
            [0, 0, 0, 0xff, 0xff].repeat(200),
            Some(BINARY | COMPRESSED),
        ),
        _ => (PONG, Vec::new(), None),
    };
    if let Some(first) = first {
        peer.push(false, first, b"")?;
        peer.flush()?;
    }
    let mut piece = Vec::with_capacity(PIECE);
    while piece.len() < PIECE {
        frame::append(&mut piece, first.is_none(), opcode, &payload);
    }
    // On a thread of its own, so that nothing slows the stream down.
    let Ok(mut stream) = peer.stream.try_clone() else {
        return Err(Gone);
    };
    let reader = thread::spawn(move || io::copy(&mut stream, &mut io::sink()).is_ok());
    let until = in_ms(query.number("ms", 8000));
    while Instant::now() < until {
        peer.send_all(&piece)?;
    }
    let in_order = reader.join().unwrap_or(false);
    peer.note(|| if in_order { "eof" } else { "lost" }.to_owned());
    Err(Gone)
}

/// Sends a ping behind the client's close frame, and answers that frame after the pong.
pub fn late_ping(peer: &mut Peer, query: &Query) -> Alive {
    peer.at_close = AtClose::Leave;
    let _ = echo(peer, query);
    peer.push(true, PING, b"late")?;
    let until = in_ms(PATIENCE_MS);
    while peer.pongs == 0 && Instant::now() < until {
        peer.next(Some(in_ms(5)))?;
    }
    peer.push(true, CLOSE, &frame::close_payload(Some(1000), b""))?;
    peer.flush()?;
    peer.teardown(true)
}

/// Messages of zeros that are small on the wire, behind some ordinary ones, all at once.
pub fn bomb(peer: &mut Peer, query: &Query) -> Alive {
    for _ in 0..query.number("before", 0) {
        peer.send_message(TEXT, b"before".to_vec())?;
    }
    let payload = deflate::zeros(query.number("size", 1 << 30).max(1));
    let part = payload
        .len()
        .div_ceil(query.number("frames", 1).max(1) as usize);
    let opcode = match query.text("type").as_deref() {
        Some("text") => TEXT,
        _ => BINARY,
    };
    let mut bytes = Vec::new();
    for _ in 0..query.number("count", 1) {
        let mut rest = &payload[..];
        let mut first = opcode | COMPRESSED;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(part.min(rest.len()));
            frame::append(&mut bytes, later.is_empty(), first, now);
            (first, rest) = (CONTINUATION, later);
        }
    }
    peer.flush()?;
    // The client may close in the middle.
    peer.reads_while_sending = true;
    peer.send_all(&bytes)?;
    if let Some(deflate) = &mut peer.deflate {
        deflate.forget();
    }
    echo(peer, query)
}
