//! Trying again after a connection was lost.

use super::{
    Socket, State,
    core::{Core, Handshake},
    outbox::{OVERHEAD, Outgoing},
};
use crate::{
    error::{Code, Error},
    options::Settings,
    protocol::{Kind, Message},
    sync::{Arc, lock},
    sys::{self, Instant, Timer},
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

    /// How long to wait after so many failures in a row: a share of a limit that doubles each time.
    pub fn delay(&self, failures: u32, share: f64) -> Duration {
        self.min
            .saturating_mul(2u32.saturating_pow(failures.min(30)))
            .min(self.max)
            .mul_f64(share)
    }

    /// A random share of the limit ("full jitter", so that clients that lost the same server do not come back
    /// all at once).
    fn share() -> f64 {
        StdRng::try_from_rng(&mut SysRng).map_or(1.0, |mut random| random.random_range(0.0..=1.0))
    }
}

/// What a connection keeps for the one after it.
#[derive(Default)]
pub(super) struct Again {
    /// There is no other one: the host has ended it or has not asked for another, or an attempt was refused for
    /// good.
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

    fn keep(&mut self, message: Message) {
        self.kept_cost += message.data.len() + OVERHEAD;
        self.kept.push(message);
    }

    /// There is no other connection.
    pub fn end(&mut self) {
        self.is_final = true;
        self.kept = Vec::new();
        self.kept_cost = 0;
    }
}

impl Core {
    /// Whether the connection, once it ends or if it does not come up, is to be followed by another.
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

    /// Whether what is written now is for the next connection: the last one is lost, or is being closed by the
    /// peer, and another follows. (A synchronous socket's host first hears of the loss.)
    pub fn is_coming_back(&self, socket: &Socket) -> bool {
        match self.state {
            State::Connecting => self.again.was_open,
            State::Open => self.broken.is_some() && socket.is_callback() && self.may_reconnect(),
            State::Closing => (socket.is_callback() || self.again.is_told) && self.may_reconnect(),
            State::Closed => false,
        }
    }

    /// Whether a call of the host's is to try to get the connection back: the host of a synchronous socket has
    /// been told that it is lost.
    pub fn is_to_come_back(&self, socket: &Socket) -> bool {
        let is_told = self.again.was_open && self.again.is_told;
        is_told && !socket.is_callback() && self.may_reconnect()
    }

    /// Begins the attempt that a call is to make, once: `tries` is what [`Core::is_to_come_back`] said when the
    /// call began.
    pub fn come_back(&mut self, socket: &Socket, tries: &mut bool) {
        if *tries && self.state == State::Closed && self.may_reconnect() {
            self.begin_again();
            socket.service.notify_one();
        }
        *tries &= self.state != State::Connecting;
    }

    /// Keeps a message for the next connection, behind what has waited for longer.
    pub fn keep(&mut self, kind: Kind, payload: &[u8]) {
        self.keep_unsent();
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
            for message in link.outbox.take_unsent() {
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
                let result = link.outbox.message(&mut link.stream, &outgoing, false);
                debug_assert!(result.is_ok(), "a corked queue does not send");
            }
            self.uncork(socket);
        }
    }

    /// Whether an error of an attempt is for good: the server has refused, or the host has asked for something
    /// that cannot be. What could be once is a file, say, that is being replaced.
    pub fn is_for_good(&self, status: u16, error: &Error) -> bool {
        (400..500).contains(&status)
            || (error.code == Code::InvalidArgument && !self.again.was_open)
    }
}

impl Socket {
    /// Until the next attempt is to be made; false if there is none.
    pub(super) async fn until_next_attempt(self: &Arc<Self>, failures: &mut Failures) -> bool {
        if lock(&self.core).again.is_final {
            return false;
        }
        match self.is_callback() {
            true => self.pause(failures).await,
            false => self.until_asked().await,
        }
        !lock(&self.core).again.is_final
    }

    /// Lets the time pass between two attempts. The host may end that, and change how long it is.
    async fn pause(self: &Arc<Self>, failures: &mut Failures) {
        let begun = sys::now();
        let share = Backoff::share();
        let mut timer = Timer::default();
        let mut told = None;
        loop {
            let delay = {
                let mut core = lock(&self.core);
                if core.again.is_final {
                    return;
                }
                let Some(backoff) = Backoff::new(&core.settings) else {
                    core.lose(
                        self,
                        Error::new(Code::Cancelled, "reconnecting was turned off"),
                    );
                    return;
                };
                failures.delay(&backoff, share)
            };
            if told.replace(delay) != Some(delay) {
                log::info!("{}: trying again in {} ms", self.name, delay.as_millis());
            }
            // A host that does not dispatch is told of one attempt, not of ever more. (CLOSING is the last event.)
            let is_told = !super::events().has_events(self.id);
            let until = begun.checked_add(delay);
            if is_told && until.is_some_and(|until| sys::now() >= until) {
                return failures.next();
            }
            tokio::select! {
                biased;
                () = self.service.notified() => {}
                () = timer.until(until.filter(|_| is_told)) => {}
            }
        }
    }

    /// Until a call of the host's wants another attempt, or there is none.
    async fn until_asked(&self) {
        loop {
            {
                let core = lock(&self.core);
                if core.again.is_final || core.state == State::Connecting {
                    return;
                }
            }
            self.service.notified().await;
        }
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
    fn delay(&mut self, backoff: &Backoff, share: f64) -> Duration {
        let lasted = self.opened.take().map(|at| sys::now() - at);
        if lasted.is_some_and(|lasted| lasted >= backoff.max) {
            self.count = 0;
        }
        backoff.delay(self.count, share)
    }

    /// The next attempt begins.
    fn next(&mut self) {
        self.count = self.count.saturating_add(1);
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
            let delay = |_| backoff.delay(failures, Backoff::share());
            let delays: Vec<_> = (0..200).map(delay).collect();
            let (least, most) = (delays.iter().min().unwrap(), delays.iter().max().unwrap());
            assert!(*most <= Duration::from_millis(limit), "{most:?}");
            assert!(
                *most > Duration::from_millis(limit / 2)
                    && *least < Duration::from_millis(limit / 2)
            );
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_ends_the_first_attempt_only() {
        let mut core = Core::new(Settings::default().into());
        let unreadable = Error::invalid("CA_FILE: No such file or directory");
        assert!(core.is_for_good(0, &unreadable));
        core.again.was_open = true;
        assert!(!core.is_for_good(0, &unreadable));
        assert!(core.is_for_good(404, &Error::new(Code::Handshake, "refused")));
        assert!(!core.is_for_good(503, &Error::new(Code::Handshake, "not now")));
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
