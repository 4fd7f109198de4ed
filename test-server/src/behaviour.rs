//! The behaviours that keep the protocol, and the choice by path. See README.md.

use crate::deflate::Deflate;
use crate::diary::{self, Command};
use crate::frame::{self, BINARY, CONTINUATION, PING, TEXT, header};
use crate::hostile;
use crate::misbehaviour;
use crate::peer::{Alive, AtClose, Message, Next, Peer, Total};
use crate::query::Query;
use crate::sys::in_ms;
use crate::upgrade::{Request, refusal};
use std::time::Instant;

/// Serves one connection to its end.
pub fn serve(peer: &mut Peer, request: &Request) -> Alive {
    let query = &request.query;
    peer.quiet = query.is_set("quiet");
    peer.deflate = Deflate::agreed(query);
    peer.linger_ms = query
        .is_set("linger_ms")
        .then(|| query.number("linger_ms", 0));
    if query.is_set("pace_bytes") {
        let bytes = query.number("pace_bytes", 1) as usize;
        peer.pace = Some((bytes, query.number("pace_ms", 1)));
        crate::sys::shrink_receive_buffer(&peer.stream);
    }
    if let Some(result) = misbehaviour::before_upgrade(peer, request) {
        return result;
    }
    if let Some(fault) = request.fault() {
        peer.note(|| format!("protocol {fault}"));
        peer.send_all(format!("HTTP/1.1 400 {fault}\r\nContent-Length: 0\r\n\r\n").as_bytes())?;
        return peer.teardown(false);
    }
    match query.path.as_str() {
        "/slow" => peer.hold(Some(in_ms(query.number("ms", 0))))?,
        "/stall" => crate::sys::shrink_receive_buffer(&peer.stream),
        "/early" => {
            peer.send_all(&[request.answer().as_bytes(), &query.hex()].concat())?;
            return echo(peer, query);
        }
        "/upgrade" if query.is_set("split") => {
            misbehaviour::send_split(peer, request.answer().as_bytes())?;
            return echo(peer, query);
        }
        path if !KNOWN.contains(&path) => {
            peer.send_all(&refusal(&Query::parse(
                "?status=404&reason=Not%20Found&body=no%20such%20behaviour",
            )))?;
            return peer.teardown(false);
        }
        _ => {}
    }
    peer.send_all(request.answer().as_bytes())?;
    match query.path.as_str() {
        "/flood" => flood(peer, query),
        "/fragment" => fragment(peer, query),
        "/ping" => ping(peer, query),
        "/close" => {
            count_to(peer, query.number("after", 0))?;
            let code = query.text("code").and_then(|code| code.parse().ok());
            peer.close(code, query.bytes("reason").unwrap_or_default())
        }
        "/" | "/headers" => {
            peer.send_message(TEXT, request.text.trim_end().into())?;
            echo(peer, query)
        }
        "/stall" => {
            let ms = query.number("ms", 0);
            peer.pause((ms > 0).then(|| in_ms(ms)))?;
            crate::sys::widen_receive_buffer(&peer.stream);
            count(peer)
        }
        "/count" => count(peer),
        "/report" => report(peer, query),
        "/control" => control(peer, query),
        "/raw" | "/reset" | "/drop" => misbehaviour::after_upgrade(peer, query),
        "/stream" => hostile::stream(peer, query),
        "/bomb" => hostile::bomb(peer, query),
        "/lateping" => hostile::late_ping(peer, query),
        "/noclose" => {
            peer.at_close = AtClose::Hold;
            echo(peer, query)
        }
        "/nopong" => {
            peer.answers_pings = false;
            echo(peer, query)
        }
        _ => echo(peer, query),
    }
}

const KNOWN: [&str; 23] = [
    "/",
    "/echo",
    "/flood",
    "/fragment",
    "/ping",
    "/close",
    "/raw",
    "/upgrade",
    "/subprotocol",
    "/slow",
    "/headers",
    "/stall",
    "/count",
    "/reset",
    "/drop",
    "/noclose",
    "/nopong",
    "/report",
    "/control",
    "/early",
    "/stream",
    "/bomb",
    "/lateping",
];

pub fn echo(peer: &mut Peer, query: &Query) -> Alive {
    let (fragment, delay) = (
        query.number("fragment", 0) as usize,
        query.number("delay_ms", 0),
    );
    loop {
        let Next::Message(message) = peer.next(None)? else {
            continue;
        };
        if delay > 0 {
            peer.flush()?;
            peer.pause(Some(in_ms(delay)))?;
        }
        if fragment > 0 {
            send_fragmented(peer, &message, fragment)?;
        } else {
            peer.send_back(&message)?;
        }
    }
}

fn echo_until(peer: &mut Peer, deadline: Instant) -> Alive {
    while let Next::Message(message) = peer.next(Some(deadline))? {
        peer.send_back(&message)?;
    }
    Ok(())
}

fn send_fragmented(peer: &mut Peer, message: &Message, size: usize) -> Alive {
    let payload = peer.payload(message).to_vec();
    let (opcode, payload) = peer.encoded(message.opcode, payload);
    let last = payload.len().div_ceil(size).max(1) - 1;
    for index in 0..=last {
        let part = &payload[index * size..payload.len().min((index + 1) * size)];
        peer.push(
            index == last,
            if index == 0 { opcode } else { CONTINUATION },
            part,
        )?;
    }
    Ok(())
}

/// Reads N messages without answering them.
pub fn count_to(peer: &mut Peer, messages: u64) -> Alive {
    for _ in 0..messages {
        peer.next(None)?;
    }
    Ok(())
}

fn flood(peer: &mut Peer, query: &Query) -> Alive {
    let count = query.number("count", 1);
    let size = query.number("size", 64) as usize;
    let opcode = if query.text("type").as_deref() == Some("binary") {
        BINARY
    } else {
        TEXT
    };
    // One frame whose first bytes change: numbers grow only longer, so each overwrites the one before.
    let (head, head_len) = header(true, opcode, size);
    let mut plain = [&head[..head_len], &vec![b'x'; size]].concat();
    let mut batch = Vec::with_capacity(64 << 10);
    peer.reads_while_sending = true;
    for index in 0..count {
        let number = format!("{index} ");
        let shown = number.len().min(size);
        plain[head_len..head_len + shown].copy_from_slice(&number.as_bytes()[..shown]);
        if peer.deflate.is_some() {
            let (opcode, payload) = peer.encoded(opcode, plain[head_len..].to_vec());
            frame::append(&mut batch, true, opcode, &payload);
        } else {
            batch.extend_from_slice(&plain);
        }
        if batch.len() + plain.len() > batch.capacity() || index + 1 == count {
            peer.send_all(&batch)?;
            batch.clear();
            peer.receive_arrived()?;
            while let Some(message) = peer.next_buffered()? {
                peer.send_back(&message)?;
            }
            peer.flush()?;
        }
    }
    peer.reads_while_sending = false;
    match query.text("close").and_then(|code| code.parse().ok()) {
        Some(code) => peer.close(Some(code), b""),
        None => echo(peer, query),
    }
}

fn fragment(peer: &mut Peer, query: &Query) -> Alive {
    let text = query.bytes("text").unwrap_or_default().to_vec();
    let (first, text) = peer.encoded(TEXT, text);
    let pieces = query.number("pieces", 2).max(1) as usize;
    let cut = |index: usize| text.len() * index / pieces;
    for index in 0..pieces {
        let opcode = if index == 0 { first } else { CONTINUATION };
        peer.push(
            index + 1 == pieces,
            opcode,
            &text[cut(index)..cut(index + 1)],
        )?;
        if index + 1 < pieces {
            if query.is_set("ping") {
                peer.push(true, PING, b"between")?;
            }
            peer.flush()?;
            echo_until(peer, in_ms(query.number("pause_ms", 0)))?;
        }
    }
    echo(peer, query)
}

fn ping(peer: &mut Peer, query: &Query) -> Alive {
    for _ in 0..query.number("count", 1) {
        peer.push(true, PING, query.bytes("payload").unwrap_or_default())?;
        echo_until(peer, in_ms(query.number("interval_ms", 0)))?;
    }
    echo(peer, query)
}

fn count(peer: &mut Peer) -> Alive {
    peer.total = Some(Total::NONE);
    loop {
        let Next::Message(message) = peer.next(None)? else {
            continue;
        };
        let mut total = peer.total.unwrap_or(Total::NONE);
        if message.opcode == TEXT && peer.payload(&message) == b"report" {
            peer.push(true, TEXT, total.to_string().as_bytes())?;
        } else {
            total.add(peer.payload(&message));
            peer.total = Some(total);
        }
    }
}

fn report(peer: &mut Peer, query: &Query) -> Alive {
    let word = query.text("until").unwrap_or_default();
    let deadline = in_ms(query.number("timeout_ms", 5000));
    let id = query.text("id").unwrap_or_default();
    let text = diary::report(&id, &word, query.number("count", 1) as usize, deadline);
    peer.push(true, TEXT, text.as_bytes())?;
    echo(peer, query)
}

fn control(peer: &mut Peer, query: &Query) -> Alive {
    let command = match query.text("do").as_deref() {
        Some("resume") => Command::Resume,
        Some("close") => Command::Close(query.number("code", 1000) as u16),
        Some("drop") => Command::Drop,
        Some("reset") => Command::Reset,
        Some("ping") => Command::Ping,
        _ => return peer.close(Some(1008), b"do what?"),
    };
    if diary::command(&query.text("id").unwrap_or_default(), command, in_ms(5000)) {
        peer.close(Some(1000), b"")
    } else {
        peer.close(Some(1011), b"no such connection")
    }
}
