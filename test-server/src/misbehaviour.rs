//! The behaviours that break the protocol or the connection. See README.md.

use crate::behaviour::count_to;
use crate::frame::{BINARY, header};
use crate::peer::{Alive, Peer};
use crate::query::Query;
use crate::sys::in_ms;
use crate::upgrade::{Request, refusal};

/// The ones that never answer 101; none if this is not one of them.
pub fn before_upgrade(peer: &mut Peer, request: &Request) -> Option<Alive> {
    let query = &request.query;
    match query.path.as_str() {
        "/silent" => Some(peer.hold(None)),
        "/http" => Some(refuse(peer, query)),
        "/garbage" => Some(answer_and_end(
            peer,
            b"\x16\x03\x01\xff\0 this is not HTTP\r\n\r\n",
        )),
        "/cut" => {
            let answer = request.answer();
            Some(answer_and_end(peer, &answer.as_bytes()[..answer.len() / 2]))
        }
        "/fill" => Some(fill(peer)),
        _ => None,
    }
}

/// The body may come later than the head.
fn refuse(peer: &mut Peer, query: &Query) -> Alive {
    let (answer, ms) = (refusal(query), query.number("body_ms", 0));
    let body = answer.len() - query.bytes("body").unwrap_or_default().len();
    if ms > 0 {
        peer.send_all(&answer[..body])?;
        peer.hold(Some(in_ms(ms)))?;
        return answer_and_end(peer, &answer[body..]);
    }
    answer_and_end(peer, &answer)
}

fn answer_and_end(peer: &mut Peer, bytes: &[u8]) -> Alive {
    peer.send_all(bytes)?;
    peer.teardown(false)
}

/// A header without end.
fn fill(peer: &mut Peer) -> Alive {
    peer.reads_while_sending = true;
    peer.send_all(b"HTTP/1.1 101 Switching Protocols\r\nX-Fill: ")?;
    loop {
        peer.send_all(&[b'x'; 16 << 10])?;
    }
}

pub fn after_upgrade(peer: &mut Peer, query: &Query) -> Alive {
    count_to(peer, query.number("after", 0))?;
    match query.path.as_str() {
        "/raw" => {
            let bytes = query.hex();
            if query.is_set("split") {
                send_split(peer, &bytes)?
            } else {
                peer.send_all(&bytes)?
            }
            match query.text("then").as_deref() {
                Some("close") => peer.teardown(false),
                Some("reset") => peer.reset(),
                _ => hold_open(peer),
            }
        }
        "/drop" => peer.teardown(false),
        _ => {
            if query.is_set("mid") {
                let (head, length) = header(true, BINARY, 1000);
                peer.send_all(&[&head[..length], &[0; 500]].concat())?;
            }
            peer.reset()
        }
    }
}

/// Byte by byte. TCP_NODELAY makes each its own segment; the pause keeps them apart at the reader.
pub fn send_split(peer: &mut Peer, bytes: &[u8]) -> Alive {
    for byte in bytes {
        peer.send_all(&[*byte])?;
        peer.pause(Some(in_ms(1)))?;
    }
    Ok(())
}

/// Reads on, answers only what the protocol demands.
fn hold_open(peer: &mut Peer) -> Alive {
    count_to(peer, u64::MAX)
}
