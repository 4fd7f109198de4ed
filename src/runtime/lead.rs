//! Who drives the runtime: the service thread, or a host's thread that waits in `SocketDispatch`.
//!
//! A host's thread that drives the runtime itself runs the tasks that bring its events, and no
//! other thread has to be woken for a message: that hop costs 9 to 14 µs, more than half of a
//! round trip. It keeps its claim for a moment after it returns, so that a dispatch loop does
//! not hand the lead back and forth for each message; then the service thread goes on.
//!
//! Nothing here knows the runtime: [`Lead`] decides, the two loops call what they are given. So
//! the model checker runs the same code.

use crate::{
    sync::{Condvar, Mutex, MutexGuard, lock, wait},
    sys::{self, Instant},
};
use std::time::Duration;

/// How long the lead stays with a host's thread after it has returned to the host.
const CLAIM: Duration = Duration::from_millis(2);
/// A host's thread that drives again and again and has been waiting for so long is left alone until it returns; one that
/// drives once, sooner.
const GRACE: Duration = Duration::from_millis(10);

/// What the service thread is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    /// It drives the runtime, or is about to.
    Leads,
    /// It looks again by itself, soon.
    Timed,
    /// It waits until it is told.
    Asleep,
}

#[derive(Debug)]
struct State {
    /// A host's thread drives the runtime, or is about to, and how.
    host: Option<Manner>,
    /// When it began to, or when it last stopped.
    since: Instant,
    service: Service,
    /// Host threads that wait for what the service thread does.
    waiting: usize,
    allowed: bool,
    stopping: bool,
}

/// How a host's thread leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Again and again, with short breaks, in which it keeps its claim.
    Loop,
    /// Once, as long as no other host's thread waits, to which it would bring nothing but two more changes of thread.
    Once,
}

/// The lead over one runtime.
pub(crate) struct Lead {
    state: Mutex<State>,
    changed: Condvar,
}

/// What a host's thread drives the runtime with.
pub(crate) trait Driver {
    /// Makes the service thread's drive return, now or when it next begins.
    fn interrupt_service(&self);
    /// Makes a host's drive return, now or when it next begins.
    fn interrupt_host(&self);
}

impl Lead {
    pub fn new(allowed: bool) -> Self {
        Lead {
            state: Mutex::new(State {
                host: None,
                since: sys::now(),
                service: Service::Leads,
                waiting: 0,
                allowed,
                stopping: false,
            }),
            changed: Condvar::new(),
        }
    }

    /// The service thread's loop: drives the runtime while no host's thread does. `drive` returns
    /// when it is interrupted. Returns when the runtime is to stop, and then no host's thread drives
    /// it any more.
    pub fn serve(&self, driver: &impl Driver, drive: impl Fn()) {
        loop {
            drive();
            let mut state = lock(&self.state);
            loop {
                if state.stopping {
                    while state.host.is_some() {
                        driver.interrupt_host();
                        state = wait(&self.changed, &self.state, state, None);
                    }
                    return;
                }
                let now = sys::now();
                let until = state.since
                    + match state.host {
                        Some(Manner::Loop) => GRACE,
                        Some(Manner::Once) | None => CLAIM,
                    };
                if now < until {
                    state.service = Service::Timed;
                    state = wait(&self.changed, &self.state, state, Some(until - now));
                } else if state.host.is_some() {
                    state.service = Service::Asleep;
                    state = wait(&self.changed, &self.state, state, None);
                } else {
                    state.service = Service::Leads;
                    break;
                }
            }
        }
    }

    /// A host's thread drives the runtime. False where it may not.
    pub fn lead(&self, manner: Manner, driver: &impl Driver, drive: impl FnOnce()) -> bool {
        let mut state = lock(&self.state);
        if !state.allowed || state.stopping || state.host.is_some() {
            return false;
        }
        if manner == Manner::Once && state.waiting > 0 {
            return false;
        }
        state.host = Some(manner);
        state.since = sys::now();
        let interrupt = state.service == Service::Leads;
        drop(state);
        if interrupt {
            driver.interrupt_service();
        }
        let leaving = Leaving(self);
        drive();
        drop(leaving);
        true
    }

    /// A host's thread waits for what the service thread does, until what this returns is dropped.
    pub fn wait_for_service(&self) -> Waiting<'_> {
        lock(&self.state).waiting += 1;
        self.end_claim();
        Waiting(self)
    }

    /// Ends a host's claim: there is something for the service thread to do.
    pub fn end_claim(&self) {
        let mut state = lock(&self.state);
        if state.host.is_none() && state.service != Service::Leads {
            state.since = state.since.checked_sub(CLAIM).unwrap_or(state.since);
            self.tell(state);
        }
    }

    /// Whether host threads may lead. When this returns after `false`, none does.
    pub fn allow(&self, driver: &impl Driver, allowed: bool) {
        let mut state = lock(&self.state);
        state.allowed = allowed;
        while !state.allowed && state.host.is_some() {
            driver.interrupt_host();
            state = wait(&self.changed, &self.state, state, None);
        }
    }

    /// Makes [`Lead::serve`] return.
    pub fn stop(&self, driver: &impl Driver) {
        let mut state = lock(&self.state);
        state.stopping = true;
        self.tell(state);
        driver.interrupt_service();
    }

    fn tell(&self, state: MutexGuard<'_, State>) {
        drop(state);
        self.changed.notify_all();
    }
}

/// A host's thread waits for what the service thread does.
pub(crate) struct Waiting<'a>(&'a Lead);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        lock(&self.0.state).waiting -= 1;
    }
}

/// Ends a host's lead however it ends.
struct Leaving<'a>(&'a Lead);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        let manner = state.host.take();
        state.since = sys::now();
        let is_awaited = manner == Some(Manner::Once) && state.waiting > 0;
        if is_awaited {
            state.since = state.since.checked_sub(CLAIM).unwrap_or(state.since);
        }
        // While the service thread looks by itself it needs no word: that would be one for each
        // message.
        if is_awaited || state.service == Service::Asleep || state.stopping || !state.allowed {
            self.0.tell(state);
        }
    }
}
