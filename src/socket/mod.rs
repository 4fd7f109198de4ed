//! One connection's life: connecting, open, closing, closed.
//!
//! A [`Socket`] is one connection under a name; when the name is connected again, that is another
//! `Socket`. Its state is a [`core::Core`] behind one lock, which is held for short, bounded work
//! and never while anything waits. Whoever needs the connection drives it: a host's thread in
//! [`read`] or [`write`], or the [`service`] task on the runtime; [`handover`] decides who
//! receives.

pub(crate) mod closing;
mod compression;
mod core;
mod gather;
mod handover;
mod info;
mod keepalive;
mod outbox;
mod read;
mod receive;
mod received;
mod reconnect;
mod service;
mod tell;
mod write;

pub(crate) use self::{
    core::{Answer, Ended, Upgraded},
    info::Item,
    read::{Peek, Wait},
    service::Living,
    tell::{Handler, Telling, Told},
};

use self::{core::Core, gather::Combining, received::Received};
use crate::{
    encoding::{self, Encoding},
    error::{Error, Result},
    events::{Queue, SourceId},
    options::Settings,
    protocol::Message,
    sync::{Arc, AtomicUsize, Mutex, Ordering, lock},
    sys::{self, Bell, Interest},
};
use std::time::Duration;
use tokio::sync::Notify;

/// Where a connection is in its life. The numbers are the `WDSOCKET_STATE_…` constants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The attempt is running.
    Connecting = 1,
    /// Messages can be sent.
    Open = 2,
    /// A close frame has been sent or received; messages may still arrive.
    Closing = 3,
    /// The connection has ended.
    Closed = 4,
}

/// What waits for a callback socket's host, beside short messages.
#[derive(Debug)]
pub(crate) enum Event {
    /// The connection is open.
    Opening,
    /// A message has arrived.
    Message(Message),
    /// The connection has ended.
    Closing(Arc<Ended>),
    /// Something went wrong, which has ended it.
    Error(Error, Arc<Ended>),
    /// The send queue, which was full, is at least half free.
    Writable,
}

#[cfg(not(shuttle))]
static EVENTS: once_cell::sync::Lazy<Queue<Event>> = once_cell::sync::Lazy::new(Queue::default);

#[cfg(shuttle)]
shuttle::lazy_static! {
    // A new one in each execution.
    static ref EVENTS: Queue<Event> = Queue::default();
}

/// The process's queue of events.
pub(crate) fn events() -> &'static Queue<Event> {
    &EVENTS
}

/// How the host wants its messages.
pub(crate) enum Mode {
    /// It reads them.
    Synchronous,
    /// They are events.
    Callback(Box<dyn Handler>),
}

/// One connection.
pub(crate) struct Socket {
    id: SourceId,
    name: Box<str>,
    url: Box<str>,
    mode: Mode,
    core: Mutex<Core>,
    /// Wakes the service task.
    service: Notify,
    received: Received,
    combining: Combining,
    /// `MAX_MESSAGE_BYTES`, where a write can look without the lock.
    max_message: AtomicUsize,
    /// `TEXT_ENCODING`, for the same reason.
    encoding: encoding::Slot,
}

impl Socket {
    /// A connection whose attempt is about to begin.
    pub fn new(
        name: &str,
        url: &str,
        mode: Mode,
        defaults: impl Into<std::sync::Arc<Settings>>,
    ) -> Arc<Self> {
        let defaults = defaults.into();
        // The standard library's also for the model checker: nothing depends on its order.
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
        let encoding = encoding::Slot::default();
        encoding.set(defaults.text_encoding);
        Arc::new(Socket {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            name: name.into(),
            url: url.into(),
            received: Received::new(defaults.receive_queue, matches!(mode, Mode::Synchronous)),
            mode,
            max_message: AtomicUsize::new(defaults.max_message),
            encoding,
            core: Mutex::new(Core::new(defaults)),
            service: Notify::new(),
            combining: Combining::default(),
        })
    }

    /// Identifies this connection among all of the process.
    pub fn id(&self) -> SourceId {
        self.id
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether its messages go to a callback.
    pub fn is_callback(&self) -> bool {
        matches!(self.mode, Mode::Callback(_))
    }

    /// The host's encoding of its text messages.
    pub fn encoding(&self) -> Encoding {
        self.encoding.get()
    }

    /// Where it is in its life.
    pub fn state(&self) -> State {
        lock(&self.core).state
    }

    /// Lets the options of its name take effect on this connection; returns what counts now.
    pub fn apply_options(&self) -> std::sync::Arc<Settings> {
        let mut core = lock(&self.core);
        core.settings = crate::options::overridden(&core.defaults, &self.name);
        // A larger queue may let reading go on, a larger send queue a write.
        self.received.set_limit(core.settings.receive_queue);
        self.max_message
            .store(core.settings.max_message, Ordering::Relaxed);
        self.encoding.set(core.settings.text_encoding);
        core.writers.ring_all();
        let settings = core.settings.clone();
        drop(core);
        self.service.notify_one();
        settings
    }

    /// Waits until the attempt has succeeded, or says why it failed.
    pub fn wait_until_open(&self) -> Result<()> {
        let bell = self.bell()?;
        loop {
            let mut core = lock(&self.core);
            if core.released {
                return Err(core.cancelled(self));
            }
            match core.state {
                State::Connecting => {}
                // It was open, whatever has happened since.
                _ if core.was_open => return Ok(()),
                _ => return Err(core.failure(self)),
            }
            core.openers.push(&bell);
            drop(core);
            let waited = sys::wait(None, Interest::Nothing, &bell, None);
            lock(&self.core).openers.remove(&bell);
            waited.map_err(|error| Error::io("cannot wait", &error).of(&self.name))?;
        }
    }

    /// An error of the connection, introduced by the socket's name and, where the sentence does not
    /// say it, the server's address.
    fn about(&self, error: Error) -> Error {
        let authority = self.url.split('/').nth(2).unwrap_or_default();
        let host = match authority.rsplit_once(':') {
            Some((host, _)) if !authority.ends_with(']') => host,
            _ => authority,
        };
        match error.message.contains(host) {
            true => error.of(&self.name),
            false => error.of(&format!("{}: {authority}", self.name)),
        }
    }

    /// The calling thread's bell.
    fn bell(&self) -> Result<Arc<Bell>> {
        Bell::mine().map_err(|error| Error::io("cannot wait", &error).of(&self.name))
    }
}

/// Threads that wait for the same thing.
#[derive(Default)]
pub(super) struct Waiters(Vec<Arc<Bell>>);

impl Waiters {
    fn push(&mut self, bell: &Arc<Bell>) {
        self.0.push(bell.clone());
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn remove(&mut self, bell: &Arc<Bell>) {
        if let Some(index) = self.0.iter().position(|other| Arc::ptr_eq(other, bell)) {
            self.0.remove(index);
        }
    }

    /// Wakes one that has not been woken yet, if any waits.
    fn ring_one(&mut self) {
        if let Some(bell) = self.0.first() {
            bell.ring();
        }
    }

    fn ring_all(&mut self) {
        for bell in &self.0 {
            bell.ring();
        }
    }
}

/// The time `limit` from now; `None` where that is beyond what time can say.
fn deadline(limit: Option<Duration>) -> Option<sys::Instant> {
    limit.and_then(|limit| sys::now().checked_add(limit))
}
