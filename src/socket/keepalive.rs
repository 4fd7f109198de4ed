//! Pings, and what their absence means (RFC 6455, section 5.5.2).

use crate::{options::Settings, sys::Instant};
use std::time::Duration;

/// A ping that has not been answered.
#[derive(Debug)]
struct Awaited {
    payload: [u8; 8],
    sent: Instant,
    /// From when on the pong's time counts: later than `sent` if reading had stopped meanwhile.
    since: Instant,
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

    /// Begins a ping; returns its payload.
    pub fn ping(&mut self, now: Instant) -> [u8; 8] {
        self.counter += 1;
        let payload = self.counter.to_be_bytes();
        self.last_ping = now;
        self.awaited = Some(Awaited {
            payload,
            sent: now,
            since: now,
        });
        payload
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
        }
    }

    /// The last round trip.
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }
}
