//! `Sec-WebSocket-Extensions` against a reference that takes it apart in another way.
//!
//! Input: one byte for the offer, then the header.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wdsocket::fuzzing::accept;
use wdsocket_fuzz::{Input, agreed, in_time, negotiation, offered};

fuzz_target!(|data: &[u8]| in_time(|| run(Input(data))));

fn run(mut input: Input) {
    let offer = input.offer();
    // As the library makes text of it.
    let header = String::from_utf8_lossy(input.0);
    let accepted = accept(&header, offer.as_ref());
    let expected = negotiation::read(&header, offer.as_ref().map(offered));
    match (&accepted, expected) {
        (Ok(accepted), Ok(expected)) => {
            assert_eq!(accepted.as_ref().map(agreed), expected, "{header:?}");
        }
        (Err(_), Err(_)) => {}
        (accepted, expected) => panic!("{header:?}: {accepted:?}, not {expected:?}"),
    }
    if let (Ok(Some(agreement)), Some(offer)) = (&accepted, &offer) {
        let own = agreement
            .client_max_window_bits
            .unwrap_or(15)
            .min(offer.window_bits);
        assert_eq!(agreement.client_window_bits, own);
        let takes_over = offer.context_takeover && !agreement.client_no_context_takeover;
        assert_eq!(agreement.client_takes_over, takes_over);
        // What it says of itself means the same.
        assert_eq!(accept(&agreement.to_string(), Some(offer)), accepted);
    }
}
