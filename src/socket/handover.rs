//! Who receives for a synchronous socket: the host's threads while they read, the service task
//! once none has for a while.
//!
//! The decisions are here and without I/O; they are made under the connection's lock. The rules:
//! a loop of reads never wakes the service task per message; bytes never lie unseen while nobody
//! is going to look; a thread that starts to wait in a read takes over at once.

use crate::sys::Instant;
use std::time::Duration;

/// A host that has not read for so long is busy with something else.
const GRACE: Duration = Duration::from_millis(30);

/// What the service task is doing about receiving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watch {
    /// It looks again by itself, soon.
    Timed,
    /// It waits until it is told: a host's thread is waiting on the socket, or nothing can be
    /// received because the queue is full.
    Asleep,
    /// It receives.
    Reading,
}

/// What the service task is to do about receiving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Receive.
    Read,
    /// Look again at this time.
    LookAgain(Instant),
    /// Nothing until told.
    Sleep,
}

/// The state of the hand-over.
#[derive(Debug)]
pub(crate) struct Handover {
    /// Host threads that wait for the socket's descriptor, or for there to be one.
    waiting: usize,
    /// When a host thread last had to do with receiving.
    last: Instant,
    watch: Watch,
}

impl Handover {
    /// The host has just connected: it is likely to read now.
    pub fn new(now: Instant) -> Self {
        Handover {
            waiting: 0,
            last: now,
            watch: Watch::Timed,
        }
    }

    /// Another connection has come up. Threads that wait go on waiting.
    pub fn restart(&mut self, now: Instant) {
        self.last = now;
        self.watch = Watch::Timed;
    }

    /// Whether the service task waits until it is told.
    pub fn is_asleep(&self) -> bool {
        self.watch == Watch::Asleep
    }

    /// A host thread is about to wait on the descriptor. True: tell the service task to step back.
    #[must_use]
    pub fn begin_wait(&mut self) -> bool {
        self.waiting += 1;
        self.watch == Watch::Reading
    }

    /// It has stopped waiting. True: tell the service task to look after the socket.
    #[must_use]
    pub fn end_wait(&mut self, now: Instant) -> bool {
        self.waiting -= 1;
        self.used(now)
    }

    /// A host thread has looked for messages. True: tell the service task.
    #[must_use]
    pub fn used(&mut self, now: Instant) -> bool {
        self.last = now;
        if self.waiting > 0 || self.watch != Watch::Asleep {
            return false;
        }
        self.watch = Watch::Timed;
        true
    }

    /// Whether no host thread has had to do with receiving for a while.
    pub fn is_idle(&self, now: Instant) -> bool {
        self.waiting == 0 && now >= self.last + GRACE
    }

    /// What the service task is to do. `can_read`: whether anything may be received at all.
    pub fn service_turn(&mut self, now: Instant, can_read: bool) -> Turn {
        let busy_until = self.last + GRACE;
        let (watch, turn) = if now < busy_until {
            (Watch::Timed, Turn::LookAgain(busy_until))
        } else if self.waiting > 0 || !can_read {
            (Watch::Asleep, Turn::Sleep)
        } else {
            (Watch::Reading, Turn::Read)
        };
        self.watch = watch;
        turn
    }
}
