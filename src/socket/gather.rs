//! Gathering: small messages that come in bursts are sent together, for a system call costs as much as a hundred of them.
//!
//! - A host says so itself ([`Socket::cork`]).
//! - Inside callbacks: the first message of a callback after which no other waits goes at once, as an answer should;
//!   all others when the callbacks that waited have run. A callback that takes long does not hold them up: the service
//!   task sends them after [`LIMIT`].
//! - When the system takes no more: what is written next waits for company before anybody asks again, for else the host
//!   and the service task would take turns for each message.
//! - From several threads: who finds that another is sending leaves its message to that one ([`Combining`]).

use super::{Core, Socket, outbox::Outbox};
use crate::{
    events::{self, SourceId},
    protocol::{Kind, encoder},
    sync::{Arc, AtomicUsize, Mutex, Ordering, lock, thread_local, with_local},
    sys,
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

/// What was gathered inside callbacks waits for so long at most.
const LIMIT: Duration = Duration::from_millis(1);
/// The same for a socket that is corked.
const CORK_LIMIT: Duration = Duration::from_millis(100);
/// So many bytes are sent without waiting for more.
const MOST: usize = 64 << 10;

/// What a thread's callbacks have written.
#[derive(Default)]
pub(super) struct Callbacks {
    /// Another callback follows the one that runs.
    follows: Cell<bool>,
    /// Where the one that runs has written to already.
    wrote: Cell<SourceId>,
    /// What has gathered frames.
    sockets: RefCell<Vec<Arc<Socket>>>,
}

thread_local! {
    /// There while callbacks run: nothing may be left with a thread that is ending.
    static CALLBACKS: RefCell<Option<Rc<Callbacks>>> = const { RefCell::new(None) };
}

/// The calling thread's, until [`end_callbacks`]; others, which say that nothing follows, where it has none any more.
pub(super) fn callbacks() -> Rc<Callbacks> {
    with_local(&CALLBACKS, |own: &mut Option<Rc<Callbacks>>| {
        own.get_or_insert_default().clone()
    })
}

impl Callbacks {
    /// A callback begins on this thread; `follows`: others wait behind it.
    #[inline]
    pub fn begin(&self, follows: bool) {
        self.follows.set(follows);
        self.wrote.set(0);
    }
}

/// The callbacks that waited have run: sends what they have written.
pub(super) fn end_callbacks() {
    let own = with_local(&CALLBACKS, Option::take).unwrap_or_default();
    for socket in own.sockets.take() {
        let mut core = lock(&socket.core);
        if !core.corked {
            core.send_gathered(&socket);
        }
    }
}

impl Core {
    /// Whether a message that is written now is to wait for others.
    pub fn gathers(&self, socket: &Arc<Socket>) -> bool {
        let is_small = |link: &super::core::Link| link.outbox.waiting() < MOST;
        // A compressed message cannot go over another connection.
        let is_bound = self
            .link
            .as_ref()
            .is_some_and(|link| link.compression.is_some());
        if !self.link.as_ref().is_some_and(is_small) || (is_bound && self.may_reconnect()) {
            return false;
        }
        if self.corked || self.is_backed_up || !events::in_callback() {
            return self.corked || self.is_backed_up;
        }
        let callbacks = callbacks();
        let has_written = callbacks.wrote.replace(socket.id) == socket.id;
        let gathers = callbacks.follows.get() || has_written;
        if gathers && self.gathered_until.is_none() {
            callbacks.sockets.borrow_mut().push(socket.clone());
        }
        gathers
    }

    /// A frame waits for others. The first has the service task look after it; they do not wait when they are much.
    pub fn note_gathered(&mut self, socket: &Arc<Socket>) {
        let is_much = |link: &super::core::Link| link.outbox.waiting() >= MOST;
        if self.link.as_ref().is_some_and(is_much) {
            self.gathered_until = None;
            self.uncork(socket);
        } else if self.gathered_until.is_none() {
            let limit = if self.corked { CORK_LIMIT } else { LIMIT };
            self.gathered_until = sys::now().checked_add(limit);
            socket.service.notify_one();
        }
    }

    /// The system has not taken all of a message.
    pub fn note_full(&mut self, socket: &Arc<Socket>) {
        self.is_backed_up = true;
        self.note_gathered(socket);
    }

    /// Sends what was gathered.
    pub fn send_gathered(&mut self, socket: &Arc<Socket>) {
        if self.gathered_until.take().is_some() {
            self.uncork(socket);
        }
    }
}

impl Socket {
    /// From here on the host's messages are gathered (or no longer).
    pub fn cork(self: &Arc<Self>, on: bool) {
        let mut core = lock(&self.core);
        core.corked = on;
        if !on {
            core.send_gathered(self);
        }
    }
}

/// Nobody sends; somebody does; and somebody has left something.
const CLOSED: usize = 0;
const OPEN: usize = 1;
const LEFT: usize = 2;

/// After so many messages without company a thread is alone again.
const PATIENCE: usize = 100;

/// Longer messages are not left to others.
const SMALL: usize = 4 << 10;
/// So often a thread sends for others before it goes back to its host.
pub(super) const ROUNDS: usize = 8;

/// What threads leave to the one that is sending.
///
/// The sender opens it before it sends. When it has sent, it closes it, unless something was left: that can only be
/// seen, or not be there, because both happen to one number.
#[derive(Default)]
pub(super) struct Combining {
    state: AtomicUsize,
    left: Mutex<Batch>,
    /// For so many messages more it is opened, though nothing has been left lately: only sockets that several threads
    /// write to pay for this.
    patience: AtomicUsize,
}

/// Frames of whole messages.
#[derive(Default)]
pub(super) struct Batch {
    pub bytes: Vec<u8>,
    /// Where each ends, and how long its message is.
    pub messages: Vec<(usize, usize)>,
}

impl Combining {
    /// Whether several threads have been writing at the same time.
    #[inline]
    pub fn is_wanted(&self) -> bool {
        self.patience.load(Ordering::Relaxed) > 0
    }

    /// Whether somebody is sending.
    fn is_open(&self) -> bool {
        self.state.load(Ordering::Relaxed) != CLOSED
    }

    /// Leaves a message to whoever is sending. False: nobody is, or too much was left already.
    #[cold]
    pub fn leave(&self, kind: Kind, payload: &[u8]) -> bool {
        self.patience.store(PATIENCE, Ordering::Relaxed);
        if payload.len() > SMALL || !self.is_open() {
            return false;
        }
        let mut left = lock(&self.left);
        if left.bytes.len() >= MOST {
            return false;
        }
        let leave = |state| (state != CLOSED).then_some(LEFT);
        let state = &self.state;
        if state
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, leave)
            .is_err()
        {
            return false;
        }
        let Batch { bytes, messages } = &mut *left;
        encoder::Frame::new(kind.opcode(), payload, false).append(bytes);
        messages.push((bytes.len(), payload.len()));
        true
    }

    /// The connection's lock is held, and something is about to be sent.
    pub fn open(&self) {
        self.state.store(OPEN, Ordering::Release);
    }

    /// What was left meanwhile; `None`, and closed, if nothing was.
    pub fn next(&self) -> Option<Batch> {
        let state = &self.state;
        let closed = state.compare_exchange(OPEN, CLOSED, Ordering::AcqRel, Ordering::Acquire);
        if closed.is_ok() {
            let patience = self.patience.load(Ordering::Relaxed);
            self.patience
                .store(patience.saturating_sub(1), Ordering::Relaxed);
            return None;
        }
        let mut left = lock(&self.left);
        state.store(OPEN, Ordering::Release);
        Some(std::mem::take(&mut left))
    }

    /// Closes it; returns what was left.
    pub fn close(&self) -> Batch {
        let mut left = lock(&self.left);
        self.state.store(CLOSED, Ordering::Release);
        std::mem::take(&mut left)
    }
}

impl Outbox {
    /// Queues what was left by other threads; returns the messages' number and size.
    pub(super) fn adopt(&mut self, batch: Batch) -> (u64, u64) {
        let count = batch.messages.len() as u64;
        let size = batch.messages.iter().map(|message| message.1 as u64).sum();
        self.push_frames(batch.bytes, &batch.messages);
        (count, size)
    }
}
