//! The behaviours that keep the protocol's letter and harm all the same. See README.md.

use crate::behaviour::echo;
use crate::frame::{self, BINARY, CLOSE, CONTINUATION, PING, PONG};
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

/// Empty frames as fast as the client takes them, for a time; what the client sends is not looked at.
pub fn stream(peer: &mut Peer, query: &Query) -> Alive {
    if query.text("after").as_deref() == Some("close") {
        peer.at_close = AtClose::Leave;
        // Until the client's close frame, or its end: then the stream below ends at once.
        let _ = echo(peer, query);
        peer.push(true, CLOSE, &frame::close_payload(Some(1000), b""))?;
        peer.flush()?;
    }
    let opcode = match query.text("what").as_deref() {
        Some("ping") => PING,
        Some("continuation") => CONTINUATION,
        _ => PONG,
    };
    if opcode == CONTINUATION {
        peer.push(false, BINARY, b"")?;
        peer.flush()?;
    }
    let mut piece = Vec::with_capacity(PIECE);
    while piece.len() < PIECE {
        frame::append(&mut piece, opcode != CONTINUATION, opcode, b"");
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
