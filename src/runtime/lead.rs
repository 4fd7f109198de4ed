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
/// A host's thread that has been waiting for so long is left alone until it returns.
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
    /// A host's thread drives the runtime, or is about to.
    host: bool,
    /// When it began to, or when it last stopped.
    since: Instant,
    service: Service,
    allowed: bool,
    stopping: bool,
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
                host: false,
                since: sys::now(),
                service: Service::Leads,
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
                    while state.host {
                        driver.interrupt_host();
                        state = wait(&self.changed, &self.state, state, None);
                    }
                    return;
                }
                let now = sys::now();
                let until = state.since + if state.host { GRACE } else { CLAIM };
                if now < until {
                    state.service = Service::Timed;
                    state = wait(&self.changed, &self.state, state, Some(until - now));
                } else if state.host {
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
    pub fn lead(&self, driver: &impl Driver, drive: impl FnOnce()) -> bool {
        let mut state = lock(&self.state);
        if !state.allowed || state.stopping || state.host {
            return false;
        }
        state.host = true;
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

    /// Ends a host's claim: there is something for the service thread to do.
    pub fn end_claim(&self) {
        let mut state = lock(&self.state);
        if !state.host && state.service != Service::Leads {
            state.since = state.since.checked_sub(CLAIM).unwrap_or(state.since);
            self.tell(state);
        }
    }

    /// Whether host threads may lead. When this returns after `false`, none does.
    pub fn allow(&self, driver: &impl Driver, allowed: bool) {
        let mut state = lock(&self.state);
        state.allowed = allowed;
        while !state.allowed && state.host {
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

/// Ends a host's lead however it ends.
struct Leaving<'a>(&'a Lead);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.host = false;
        state.since = sys::now();
        // While the service thread looks by itself it needs no word: that would be one for each
        // message.
        if state.service == Service::Asleep || state.stopping || !state.allowed {
            self.0.tell(state);
        }
    }
}
