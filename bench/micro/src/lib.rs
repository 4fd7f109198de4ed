//! The hot parts of the library with what they are fed: for `main.rs`, which runs them so that their instructions can be
//! counted, and for `benches/`, which takes the time.

use std::hint::black_box;
use wdsocket::benching::{self, Inbox, Incoming, Posts};

/// A hot part. A round repeats an operation.
pub struct Part {
    /// What it is called.
    pub name: &'static str,
    /// How many operations a round has.
    pub operations: usize,
    /// How many bytes an operation handles.
    pub bytes: usize,
    /// Makes what runs a round. All inputs are the same each time.
    pub prepare: fn() -> Box<dyn FnMut()>,
}

const KIB: usize = 1 << 10;
/// The operations of a round, where they are short. The generator of the masking keys makes new ones after so many.
pub const MANY: usize = 64;
/// Connections that the look-up chooses from.
const NAMES: usize = 256;

/// All of them.
pub const PARTS: [Part; 16] = [
    part("encode 64 B", MANY, 64, || encode(64, MANY)),
    part("encode 16 KiB", 16, 16 * KIB, || encode(16 * KIB, 16)),
    part("mask 61 B", MANY, 61, || mask(61, MANY)),
    part("mask 16 KiB", 1, 16 * KIB, || mask(16 * KIB, 1)),
    part("decode binary 64 B", MANY, 64, || {
        decode(0x82, &bytes(64), MANY, usize::MAX)
    }),
    part("decode text 64 B", MANY, 64, || {
        decode(0x81, &text("plain ", 64), MANY, usize::MAX)
    }),
    part(
        "decode binary 16 KiB in reads of 4 KiB",
        1,
        16 * KIB,
        || decode(0x82, &bytes(16 * KIB), 1, 4 * KIB),
    ),
    part(
        "decode CJK text 16 KiB in reads of 1000 B",
        1,
        16 * KIB,
        || decode(0x81, &text("\u{6f22}\u{5b57}", 16 * KIB), 1, 1000),
    ),
    part("UTF-8 16 KiB, ASCII", 1, 16 * KIB, || {
        utf8("plain ", usize::MAX)
    }),
    part("UTF-8 16 KiB, CJK", 1, 16 * KIB, || {
        utf8("\u{6f22}\u{5b57}", usize::MAX)
    }),
    part("UTF-8 16 KiB, CJK in pieces of 1000 B", 1, 16 * KIB, || {
        utf8("\u{6f22}\u{5b57}", 1000)
    }),
    part("wait for a reader 64 B", MANY, 64, inbox),
    part("post and dispatch 64 B, one connection", MANY, 64, || {
        posts(1)
    }),
    part("post and dispatch 64 B, many connections", MANY, 64, || {
        posts(MANY)
    }),
    part("look up a name", NAMES, 0, || Box::new(look_up(names()))),
    part("look up the same name again", MANY, 0, || {
        Box::new(look_up_again(names()))
    }),
];

const fn part(
    name: &'static str,
    operations: usize,
    bytes: usize,
    prepare: fn() -> Box<dyn FnMut()>,
) -> Part {
    Part {
        name,
        operations,
        bytes,
        prepare,
    }
}

/// Bytes of all values.
fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n * 37) as u8).collect()
}

/// At most so many bytes of whole characters.
fn text(sample: &str, length: usize) -> Vec<u8> {
    let mut text = sample.repeat(length / sample.len() + 1);
    text.truncate(text.floor_char_boundary(length));
    text.into_bytes()
}

fn encode(length: usize, operations: usize) -> Box<dyn FnMut()> {
    let (payload, mut out) = (bytes(length), Vec::new());
    Box::new(move || {
        for _ in 0..operations {
            out.clear();
            benching::encode(&mut out, black_box(&payload));
            black_box(&out);
        }
    })
}

fn mask(length: usize, operations: usize) -> Box<dyn FnMut()> {
    let (payload, mut out) = (bytes(length), Vec::new());
    Box::new(move || {
        for _ in 0..operations {
            out.clear();
            benching::mask(&mut out, black_box(&payload), [0x37, 0xfa, 0x21, 0x3d], 1);
            black_box(&out);
        }
    })
}

/// Decodes so many frames, which come in reads of this size.
fn decode(first: u8, payload: &[u8], frames: usize, read: usize) -> Box<dyn FnMut()> {
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..126 => frame.push(length as u8),
        length => {
            frame.push(126);
            let length = u16::try_from(length).expect("it is short");
            frame.extend_from_slice(&length.to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    let wire = frame.repeat(frames);
    let expected = (frames, frames * payload.len());
    let mut incoming = Incoming::default();
    Box::new(move || {
        let mut decoded = (0, 0);
        for piece in black_box(&wire).chunks(read.min(wire.len())) {
            let (messages, bytes) = incoming.decode(piece);
            decoded = (decoded.0 + messages, decoded.1 + bytes);
        }
        assert_eq!(decoded, expected);
    })
}

fn utf8(sample: &str, piece: usize) -> Box<dyn FnMut()> {
    let text = text(sample, 16 * KIB);
    Box::new(move || assert!(benching::is_utf8(black_box(&text), piece.min(text.len()))))
}

fn inbox() -> Box<dyn FnMut()> {
    let (payload, mut inbox) = (bytes(64), Inbox::default());
    Box::new(move || {
        for _ in 0..MANY {
            inbox.pack(black_box(&payload));
        }
        while let Some(length) = inbox.take() {
            assert_eq!(length, 64);
        }
    })
}

fn posts(connections: usize) -> Box<dyn FnMut()> {
    let (payload, posts) = (bytes(64), Posts::default());
    Box::new(move || {
        for n in 0..MANY {
            posts.post((n % connections) as u64, black_box(&payload));
        }
        assert_eq!(posts.dispatch(), MANY);
    })
}

/// Registers connections; returns their names.
pub fn names() -> Vec<String> {
    let names: Vec<String> = (0..NAMES).map(|n| format!("connection {n}")).collect();
    for name in &names {
        // Another part may have done so.
        let _ = benching::register(name);
    }
    names
}

/// Looks up each name once, so that each look-up is another's than the last.
pub fn look_up(names: Vec<String>) -> impl Fn() {
    move || {
        for name in &names {
            assert!(benching::find(black_box(name)));
        }
    }
}

/// Looks up one name as calls do that name the same as the last on their thread.
pub fn look_up_again(names: Vec<String>) -> impl Fn() {
    move || {
        let name = &names[0];
        for _ in 0..MANY {
            assert!(benching::find_again(black_box(name)) || benching::find(name));
        }
    }
}
