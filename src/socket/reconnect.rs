//! Trying again after a connection was lost.

use super::{
    Socket, State,
    core::{Core, Handshake},
    outbox::Outgoing,
};
use crate::{
    error::{Code, Error, Result},
    options::Settings,
    protocol::{Kind, Message},
    sync::{Arc, MutexGuard, lock},
    sys::{self, Instant},
};
use rand::{
    RngExt, SeedableRng,
    rngs::{StdRng, SysRng},
};
use std::time::Duration;

/// When to try again, from the options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Backoff {
    pub min: Duration,
    pub max: Duration,
}

impl Backoff {
    /// The smallest delay where the host says none.
    const MIN: Duration = Duration::from_millis(500);
    /// The largest delay where the host says none.
    const MAX: Duration = Duration::from_secs(30);

    /// From `RECONNECT_MIN_MS` and `RECONNECT_MAX_MS`; `None`: off.
    pub fn new(settings: &Settings) -> Option<Self> {
        let (min, max) = match (settings.reconnect_min, settings.reconnect_max) {
            (Duration::ZERO, Duration::ZERO) => return None,
            (Duration::ZERO, max) => (Self::MIN.min(max), max),
            (min, Duration::ZERO) => (min, Self::MAX.max(min)),
            (min, max) => (min, max.max(min)),
        };
        Some(Backoff { min, max })
    }

    /// How long to wait after so many failures in a row: a random time up to a limit that doubles each time
    /// ("full jitter", so that clients that lost the same server do not come back all at once).
    pub fn delay(&self, failures: u32) -> Duration {
        let limit = self
            .min
            .saturating_mul(2u32.saturating_pow(failures.min(30)))
            .min(self.max);
        let mut random = match StdRng::try_from_rng(&mut SysRng) {
            Ok(random) => random,
            Err(_) => return limit,
        };
        limit.mul_f64(random.random_range(0.0..=1.0))
    }
}

/// What a connection keeps for the one after it.
#[derive(Default)]
pub(super) struct Again {
    /// The host has ended it, or an attempt was refused for good: there is no other one.
    pub is_final: bool,
    /// A synchronous socket's host has been told of the end: its next call tries again.
    pub is_told: bool,
    /// It was open once.
    pub was_open: bool,
    /// So often it has come back.
    pub count: u64,
    /// Messages that no connection has begun to send.
    kept: Vec<Message>,
    kept_cost: usize,
}

impl Again {
    /// What the kept messages count in the send queue.
    pub fn cost(&self) -> usize {
        self.kept_cost
    }

    /// Their bytes.
    pub fn size(&self) -> usize {
        self.kept.iter().map(|message| message.data.len()).sum()
    }

    pub fn keep(&mut self, message: Message) {
        self.kept_cost += message.data.len() + super::outbox::OVERHEAD;
        self.kept.push(message);
    }
}

/// What a connection's end means for its task.
pub(super) enum Next {
    /// Nothing comes after it.
    End,
    /// Another attempt, after this time.
    After(Backoff),
    /// Another attempt when a call of the host's wants it.
    WhenAsked,
}

impl Core {
    /// Whether the connection that has just ended, or never came up, is to be followed by another.
    pub fn may_reconnect(&self) -> bool {
        !self.again.is_final && !self.released && Backoff::new(&self.settings).is_some()
    }

    /// Prepares for another attempt.
    pub fn begin_again(&mut self) {
        self.state = State::Connecting;
        self.was_open = false;
        self.again.is_told = false;
        self.violation = None;
        self.broken = None;
        self.stalled = false;
        self.closing = Handshake::default();
        self.rest = None;
    }

    /// Whether it was open, and an attempt to get it back is under way.
    pub fn is_coming_back(&self) -> bool {
        self.state == State::Connecting && self.again.was_open
    }

    /// Keeps a message for the next connection.
    pub fn keep(&mut self, kind: Kind, payload: &[u8]) {
        self.counters.messages_out += 1;
        self.counters.bytes_out += payload.len() as u64;
        self.again.keep(Message {
            kind,
            data: payload.to_vec(),
        });
    }

    /// Keeps what no connection has begun to send.
    pub fn keep_unsent(&mut self) {
        if let Some(link) = &mut self.link {
            for message in link.outbox.unsent() {
                self.again.keep(message);
            }
        }
    }

    /// The connection has come back: sends what was kept.
    pub fn send_kept(&mut self, socket: &Arc<Socket>) {
        self.again.kept_cost = 0;
        let kept = std::mem::take(&mut self.again.kept);
        if let Some(link) = &mut self.link
            && !kept.is_empty()
        {
            link.outbox.cork();
            for message in &kept {
                let outgoing = Outgoing::plain(message.kind, &message.data);
                let result = link.outbox.message(&mut link.stream, &outgoing);
                debug_assert!(result.is_ok(), "a corked queue does not send");
            }
            self.uncork(socket);
        }
    }

    /// What the task is to do after the end.
    pub fn next(&self, socket: &Socket) -> Next {
        match Backoff::new(&self.settings) {
            Some(backoff) if self.may_reconnect() => match socket.is_callback() {
                true => Next::After(backoff),
                false => Next::WhenAsked,
            },
            _ => Next::End,
        }
    }
}

impl Socket {
    /// A synchronous socket whose host knows that the connection is lost tries to get it back, within the
    /// time that a connection attempt has.
    pub(super) fn come_back<'a>(
        self: &'a Arc<Self>,
        mut core: MutexGuard<'a, Core>,
    ) -> Result<MutexGuard<'a, Core>> {
        if core.state != State::Closed || !core.again.is_told || !core.may_reconnect() {
            return Ok(core);
        }
        core.begin_again();
        drop(core);
        self.service.notify_one();
        let outcome = self.wait_until_open();
        let mut core = lock(&self.core);
        if outcome.is_err() {
            core.again.is_told = true;
        }
        outcome.map(|()| core)
    }

    /// Whether an error of an attempt is for good: the server has refused, or the host has asked for something
    /// that cannot be.
    pub(super) fn is_for_good(status: u16, error: &Error) -> bool {
        (400..500).contains(&status) || error.code == Code::InvalidArgument
    }
}

/// How many attempts have failed in a row, for the backoff.
#[derive(Default)]
pub(super) struct Failures {
    count: u32,
    opened: Option<Instant>,
}

impl Failures {
    pub fn opened(&mut self) {
        self.opened = Some(sys::now());
    }

    /// The delay before the next attempt. A connection that was lost at once counts as a failure.
    pub fn delay(&mut self, backoff: &Backoff) -> Duration {
        let lasted = self.opened.take().map(|at| sys::now() - at);
        if lasted.is_some_and(|lasted| lasted >= backoff.max) {
            self.count = 0;
        }
        let delay = backoff.delay(self.count);
        self.count = self.count.saturating_add(1);
        delay
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    fn backoff(min: u64, max: u64) -> Option<Backoff> {
        Backoff::new(&Settings {
            reconnect_min: Duration::from_millis(min),
            reconnect_max: Duration::from_millis(max),
            ..Settings::default()
        })
    }

    #[test]
    fn delays_are_random_below_a_limit_that_doubles() {
        assert_eq!(backoff(0, 0), None);
        let backoff = backoff(100, 1_000).unwrap();
        for (failures, limit) in [(0, 100), (1, 200), (2, 400), (4, 1_000), (1_000, 1_000)] {
            let delays: Vec<_> = (0..200).map(|_| backoff.delay(failures)).collect();
            let (least, most) = (delays.iter().min().unwrap(), delays.iter().max().unwrap());
            assert!(*most <= Duration::from_millis(limit), "{most:?}");
            assert!(
                *most > Duration::from_millis(limit / 2)
                    && *least < Duration::from_millis(limit / 2)
            );
        }
    }

    #[test]
    fn one_limit_is_enough() {
        let both = |backoff: Backoff| (backoff.min.as_millis(), backoff.max.as_millis());
        assert_eq!(backoff(0, 100).map(both), Some((100, 100)));
        assert_eq!(backoff(0, 5_000).map(both), Some((500, 5_000)));
        assert_eq!(backoff(5, 0).map(both), Some((5, 30_000)));
        assert_eq!(backoff(60_000, 0).map(both), Some((60_000, 60_000)));
        assert_eq!(backoff(50, 10).map(both), Some((50, 50)));
    }
}
