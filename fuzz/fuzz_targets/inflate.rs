//! The decoder with compression: any payloads, any fragments, any pieces, any limits, against a reference that
//! inflates each message as a whole.
//!
//! Input: one byte for the agreement, three for the sizes of reads, one for the limit of messages, one for what
//! decompressing may make at a time, one for how many bytes are wanted (0: all), one of flags. Then the server's bytes, or, with the highest flag, messages to
//! make them from: each a byte of flags, one for the size of its fragments, two for its length, its payload.
//!
//! Differences that may be (`frames::Expected` has them): invalid data is noticed at the latest at the end of its
//! message; a reference beyond the window, but to what was there, may be followed; which of several defects in one
//! frame is told.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wdsocket::fuzzing::{Feed, Inflater, decode};
use wdsocket_fuzz::{Input, agreement, frames, in_time};

fuzz_target!(|data: &[u8]| in_time(|| run(Input(data))));

fn run(mut input: Input) {
    let direction = input.direction();
    let agreement = agreement(direction);
    let reads = input.reads();
    let max_message = input.max_message();
    let allowance = [1, 7, 300, 256 << 10][usize::from(input.byte() % 4)];
    let wanted = input.wanted();
    let flags = input.byte();
    let feed = Feed {
        reads: &reads,
        in_place: if flags & 1 == 0 { 1 } else { 8 << 10 },
        max_message,
        allowance,
        rests: flags & 2 != 0,
        wanted,
    };
    let wire = match flags & 0x80 != 0 {
        true => &messages(&mut input),
        false => input.0,
    };
    let expected = frames::read(wire, wanted, max_message, Some(direction));
    let one_byte = Feed {
        reads: &[1],
        rests: !feed.rests,
        ..feed
    };
    for feed in [feed, one_byte] {
        let decoded = decode(wire, Some(Inflater::new(&agreement)), &feed);
        assert!(
            expected.fits(&decoded.items, decoded.code),
            "{feed:?}: {decoded:?}, not {expected:?}"
        );
    }
}

/// Frames of well-formed messages, so that mutating a payload spoils no length.
fn messages(input: &mut Input) -> Vec<u8> {
    let mut wire = Vec::new();
    while !input.0.is_empty() {
        let flags = input.byte();
        let size = usize::from(input.byte());
        let length = u16::from_le_bytes([input.byte(), input.byte()]);
        let payload = input.bytes(length.into());
        let mut first = if flags & 1 == 0 { 2 } else { 1 };
        if flags & 2 == 0 {
            first |= 0x40;
        }
        let fragments: Vec<&[u8]> = match size {
            0 => vec![payload],
            size => payload.chunks(size).collect(),
        };
        for (index, fragment) in fragments.iter().enumerate() {
            if index + 1 == fragments.len() {
                first |= 0x80;
            }
            frame(&mut wire, first, fragment);
            if flags & 4 != 0 {
                frame(&mut wire, 0x89, b"ping");
            }
            first = 0;
        }
    }
    wire
}

fn frame(wire: &mut Vec<u8>, first: u8, payload: &[u8]) {
    wire.push(first);
    match u16::try_from(payload.len()) {
        Ok(length @ 0..126) => wire.push(length as u8),
        Ok(length) => {
            wire.push(126);
            wire.extend_from_slice(&length.to_be_bytes());
        }
        Err(_) => unreachable!("no payload is that long"),
    }
    wire.extend_from_slice(payload);
}
