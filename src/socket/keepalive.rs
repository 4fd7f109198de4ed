//! Pings, and what their absence means (RFC 6455, section 5.5.2).

use crate::{options::Settings, sys::Instant};
use std::time::Duration;

/// So many bytes of what has arrived are searched for an overdue pong: more than a socket's buffer holds.
const SEARCHED: u64 = 8 << 20;

/// A ping that has not been answered.
#[derive(Debug)]
struct Awaited {
    payload: [u8; 8],
    sent: Instant,
    /// From when on the pong's time counts: later than `sent` if reading had stopped meanwhile, or if
    /// the ping had to wait for what was written before it.
    since: Instant,
    /// How many bytes are sent before the ping, and how many of these had been.
    end: u64,
    seen: u64,
    /// How much had been received when the pong was first found to be overdue.
    overdue_from: Option<u64>,
}

/// The keepalive of one connection.
#[derive(Debug)]
pub(crate) struct Keepalive {
    last_ping: Instant,
    awaited: Option<Awaited>,
    counter: u64,
    round_trip: Option<Duration>,
}

/// What is due.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Nothing until then.
    Nothing(Option<Instant>),
    /// A ping is to be sent.
    Ping,
    /// A pong is missing.
    PongMissing,
}

impl Keepalive {
    /// Begins with the connection.
    pub fn new(now: Instant) -> Self {
        Keepalive {
            last_ping: now,
            awaited: None,
            counter: 0,
            round_trip: None,
        }
    }

    /// What is due now. `reading`: whether the connection is being read; while it is not, a pong
    /// cannot be seen and is not missed.
    pub fn due(&self, now: Instant, settings: &Settings, reading: bool) -> Due {
        let (begin, limit, due) = match (&self.awaited, settings.ping_interval) {
            (Some(_), _) if !reading => return Due::Nothing(None),
            (Some(awaited), _) => (awaited.since, settings.pong_timeout, Due::PongMissing),
            (None, Some(interval)) => (self.last_ping, interval, Due::Ping),
            (None, None) => return Due::Nothing(None),
        };
        match begin.checked_add(limit) {
            Some(at) if now >= at => due,
            at => Due::Nothing(at),
        }
    }

    /// Begins a ping; returns its payload. `sent`: how many bytes have been sent; `queued`: how many
    /// will have been before it.
    pub fn ping(&mut self, now: Instant, sent: u64, queued: u64) -> [u8; 8] {
        self.counter += 1;
        let payload = self.counter.to_be_bytes();
        self.last_ping = now;
        self.awaited = Some(Awaited {
            payload,
            sent: now,
            since: now,
            end: queued,
            seen: sent,
            overdue_from: None,
        });
        payload
    }

    /// The pong is overdue. Whether it is to be given more time: `sent` bytes have been sent, and while
    /// the ping is not among them, time begins anew with each one.
    pub fn is_delayed(&mut self, now: Instant, sent: u64) -> bool {
        let Some(awaited) = &mut self.awaited else {
            return true;
        };
        let moved = sent.min(awaited.end) > awaited.seen;
        awaited.seen = sent.min(awaited.end);
        if moved {
            awaited.since = now;
            awaited.overdue_from = None;
        }
        moved
    }

    /// The pong is overdue, and may be among what has arrived and was not looked at. True while it is
    /// worth looking on: what arrives later is too late. `before` and `received`: how much had been received
    /// before this look and has been now. By whomever: a host's thread that reads has looked, too.
    pub fn look_again(&mut self, before: u64, received: u64) -> bool {
        match &mut self.awaited {
            Some(awaited) => {
                let from = *awaited.overdue_from.get_or_insert(before);
                received.saturating_sub(from) < SEARCHED
            }
            None => false,
        }
    }

    /// A pong has come. Unsolicited ones are allowed and mean nothing (section 5.5.3).
    pub fn pong(&mut self, payload: &[u8], now: Instant) {
        if let Some(awaited) = self.awaited.take_if(|awaited| awaited.payload == payload) {
            self.round_trip = Some(now.saturating_duration_since(awaited.sent));
        }
    }

    /// Reading goes on after it had stopped.
    pub fn resumed(&mut self, now: Instant) {
        if let Some(awaited) = &mut self.awaited {
            awaited.since = now;
            awaited.overdue_from = None;
        }
    }

    /// The last round trip.
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }
}
