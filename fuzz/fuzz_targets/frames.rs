//! The decoder without compression, the bytes in any pieces, against a reference that reads them as a whole.
//!
//! Input: three bytes for the sizes of reads, one for the least payload that is received in place, one for the
//! limit of messages, one for how many bytes are wanted (0: all), then the server's bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wdsocket::fuzzing::{Feed, decode};
use wdsocket_fuzz::{Input, frames, in_time};

fuzz_target!(|data: &[u8]| in_time(|| run(Input(data))));

fn run(mut input: Input) {
    let feed = Feed {
        reads: &input.reads(),
        in_place: usize::from(input.byte()),
        max_message: input.max_message(),
        allowance: usize::MAX,
        rests: false,
        wanted: input.wanted(),
    };
    let wire = input.0;
    let expected = frames::read(wire, feed.wanted, feed.max_message, None);
    for feed in [
        feed,
        Feed {
            reads: &[1],
            ..feed
        },
    ] {
        let decoded = decode(wire, None, &feed);
        assert!(
            expected.fits(&decoded.items, decoded.code),
            "{decoded:?}, not {expected:?}"
        );
    }
}
