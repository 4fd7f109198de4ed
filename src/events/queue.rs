//! The queue and the order in which its events come out.
//!
//! Each source (a connection) has its own events, oldest first; `ready` orders the sources by the
//! arrival of their oldest. So events come out in the order in which they came in, whichever
//! source they are of, and a source that is discarded takes everything of its own with it, in no
//! time: a host that opens and closes connections and never dispatches costs no memory.

use crate::{
    line::{Line, Taken},
    sync::{Arc, Condvar, Mutex, MutexGuard, lock},
    sys::Flag,
};
use foldhash::fast::RandomState;
use once_cell::sync::OnceCell;
use std::{
    collections::{BTreeMap, HashMap},
    task::Waker,
};

/// Identifies a source for the life of the process: never reused, so that a reused name never
/// sees its predecessor's events as its own.
pub(crate) type SourceId = u64;

/// An event on its way into the queue.
pub(crate) enum Posted<'a, E> {
    /// A few bytes (at most [`crate::line::PACKED`]) and what they are, which wait packed.
    Packed(u8, &'a [u8]),
    /// Anything else.
    Other(E),
}

/// An event on its way to the host.
pub(crate) enum Delivery<'a, E> {
    /// Bytes that were packed, in a buffer with room for more.
    Packed(u8, &'a mut Vec<u8>),
    /// Anything else.
    Other(E),
}

/// Who delivers an event to the host.
pub(crate) trait Recipient<E>: Send + Sync {
    /// Takes note that the event has left the queue. Called before it is delivered, without a
    /// lock.
    fn taken(&self, event: &Delivery<'_, E>);
    /// Calls the host. `follows`: another delivery is expected to follow on this thread, and then `settle`.
    /// Gives itself back, for the next delivery.
    fn deliver(self: Arc<Self>, event: Delivery<'_, E>, follows: bool) -> Arc<dyn Recipient<E>>;
    /// The deliveries of one dispatch are over; called of the last recipient.
    fn settle(&self);
}

/// One source's waiting events.
pub(super) struct Mailbox<E> {
    pub recipient: Arc<dyn Recipient<E>>,
    pub line: Line<E>,
}

/// The sources that have events, in the order of their oldest. The first is kept apart: mostly the next event is of the
/// same source as the last, and the tree is left alone.
#[derive(Default)]
pub(super) struct Ready {
    first: Option<(u64, SourceId)>,
    others: BTreeMap<u64, SourceId>,
}

impl Ready {
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    #[inline]
    fn first(&self) -> Option<(u64, SourceId)> {
        self.first
    }

    /// A source has its first event, which is the youngest of all.
    #[inline]
    fn add(&mut self, number: u64, source: SourceId) {
        match self.first {
            None => self.first = Some((number, source)),
            Some(_) => {
                self.others.insert(number, source);
            }
        }
    }

    /// The first source's oldest event is now this one, if any.
    #[inline]
    fn replace_first(&mut self, number: Option<u64>) {
        let first = self.first.take();
        self.first = match (number, first) {
            (Some(number), Some((_, source))) if self.others.is_empty() => Some((number, source)),
            (Some(number), Some((_, source))) => {
                self.others.insert(number, source);
                self.others.pop_first()
            }
            _ => self.others.pop_first(),
        };
    }

    fn remove(&mut self, number: u64) {
        match self.first {
            Some((first, _)) if first == number => self.replace_first(None),
            _ => {
                self.others.remove(&number);
            }
        }
    }

    fn clear(&mut self) {
        *self = Ready::default();
    }
}

/// What the lock protects.
pub(super) struct State<E> {
    /// Every source that has events.
    pub boxes: HashMap<SourceId, Mailbox<E>, RandomState>,
    pub ready: Ready,
    /// Where packed events are unpacked; the dispatching thread has it.
    pub buffer: Vec<u8>,
    /// The number of the next event.
    pub next: u64,
    /// Whether a thread is inside `SocketDispatch`.
    pub dispatching: bool,
    /// Whether that thread sleeps.
    pub sleeping: bool,
    /// What wakes that thread while it drives the runtime itself.
    pub waker: Option<Waker>,
    /// Whether a callback is running.
    pub running: bool,
    /// How many threads wait for a callback to return.
    pub syncing: usize,
    /// How many callbacks have begun.
    pub begun: u64,
    /// Whether the current or else the next dispatch is to return without waiting.
    pub wake: bool,
    /// How often everything was discarded: a dispatch that slept through one returns.
    pub discarded: u64,
    /// Whether the flag is raised.
    pub raised: bool,
}

/// A queue of posted messages.
pub(crate) struct Queue<E> {
    pub(super) state: Mutex<State<E>>,
    /// The dispatching thread sleeps on this.
    pub(super) arrival: Condvar,
    /// Threads that wait for a callback to return sleep on this.
    pub(super) returned: Condvar,
    /// The descriptor for the host's loop, once it was asked for.
    pub(super) flag: OnceCell<Flag>,
    pub(super) wakeup: super::wakeup::Wakeup,
    #[cfg(windows)]
    pub(super) posts: Arc<super::posts::Posts>,
}

/// The queue while events are put into it.
pub(crate) struct Posting<'a, E> {
    queue: &'a Queue<E>,
    /// Always there, but at the end.
    state: Option<MutexGuard<'a, State<E>>>,
}

impl<E> Posting<'_, E> {
    /// Posts an event, as [`Queue::post`] does.
    #[inline]
    pub fn post(
        &mut self,
        source: SourceId,
        recipient: &Arc<impl Recipient<E> + 'static>,
        event: Posted<'_, E>,
    ) {
        if let Some(state) = &mut self.state {
            self.queue.put(state, source, recipient, event);
        }
    }
}

impl<E> Drop for Posting<'_, E> {
    fn drop(&mut self) {
        if let Some(state) = self.state.take() {
            self.queue.wake_dispatcher(state);
        }
    }
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Queue {
            state: Mutex::new(State {
                boxes: HashMap::default(),
                ready: Ready::default(),
                buffer: Vec::new(),
                next: 0,
                dispatching: false,
                sleeping: false,
                waker: None,
                running: false,
                syncing: 0,
                begun: 0,
                wake: false,
                discarded: 0,
                raised: false,
            }),
            arrival: Condvar::new(),
            returned: Condvar::new(),
            flag: OnceCell::new(),
            wakeup: super::wakeup::Wakeup::default(),
            #[cfg(windows)]
            posts: Arc::default(),
        }
    }
}

impl<E> Queue<E> {
    /// Posts an event. The caller holds whatever lock gives its events their order.
    pub fn post(
        &self,
        source: SourceId,
        recipient: &Arc<impl Recipient<E> + 'static>,
        event: Posted<'_, E>,
    ) {
        self.posting().post(source, recipient, event);
    }

    /// To post several at once. It holds the queue's lock.
    pub fn posting(&self) -> Posting<'_, E> {
        Posting {
            queue: self,
            state: Some(lock(&self.state)),
        }
    }

    fn put(
        &self,
        state: &mut State<E>,
        source: SourceId,
        recipient: &Arc<impl Recipient<E> + 'static>,
        event: Posted<'_, E>,
    ) {
        let was_empty = state.ready.is_empty();
        let number = state.next;
        state.next += 1;
        let mailbox = state.boxes.entry(source).or_insert_with(|| Mailbox {
            recipient: recipient.clone(),
            line: Line::default(),
        });
        let first = mailbox.line.is_empty();
        match event {
            Posted::Packed(tag, bytes) => mailbox.line.pack(number, tag, bytes),
            Posted::Other(event) => mailbox.line.push(number, event),
        }
        if first {
            state.ready.add(number, source);
        }
        if was_empty {
            self.became_nonempty(state);
        }
    }

    /// Wakes the dispatching thread, if it sleeps: after giving up the lock, which it wants next.
    pub(super) fn wake_dispatcher(&self, mut state: MutexGuard<'_, State<E>>) {
        let sleeping = std::mem::take(&mut state.sleeping);
        let waker = state.waker.take();
        drop(state);
        if sleeping {
            self.arrival.notify_one();
        }
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Takes the oldest event, if it is older than `before`, and marks its callback as running. Packed bytes go into
    /// `buffer`, who gets the event into `last`. Says also whether there is another that old.
    pub(super) fn take(
        &self,
        state: &mut MutexGuard<'_, State<E>>,
        before: u64,
        buffer: &mut Vec<u8>,
        last: &mut Option<(SourceId, Arc<dyn Recipient<E>>)>,
    ) -> Option<(Taken<E>, bool)> {
        let (number, source) = state.ready.first()?;
        if number >= before {
            return None;
        }
        let state = &mut **state;
        let mailbox = state.boxes.get_mut(&source)?;
        let event = mailbox.line.take(buffer)?;
        if !matches!(last, Some((id, _)) if *id == source) {
            *last = Some((source, mailbox.recipient.clone()));
        }
        let next = mailbox.line.first_number();
        state.ready.replace_first(next);
        if next.is_none() {
            state.boxes.remove(&source);
            self.became_empty(state);
        }
        state.running = true;
        state.begun += 1;
        let follows = state.ready.first().is_some_and(|(next, _)| next < before);
        Some((event, follows))
    }

    /// Drops a source's events. When this returns no callback of that source starts any more,
    /// provided that the source posts nothing further; one that runs goes on.
    pub fn discard(&self, source: SourceId) {
        let mut state = lock(&self.state);
        let Some(mailbox) = state.boxes.remove(&source) else {
            return;
        };
        if let Some(number) = mailbox.line.first_number() {
            state.ready.remove(number);
        }
        self.became_empty(&mut state);
        drop(state);
        drop(mailbox);
    }

    /// Whether a source has events that wait.
    pub fn has_events(&self, source: SourceId) -> bool {
        lock(&self.state).boxes.contains_key(&source)
    }

    /// Drops all events of all sources and ends a dispatch that waits.
    pub fn discard_all(&self) {
        let mut state = lock(&self.state);
        let boxes = std::mem::take(&mut state.boxes);
        state.ready.clear();
        state.discarded += 1;
        self.became_empty(&mut state);
        self.wake_dispatcher(state);
        drop(boxes);
    }

    /// Raises the hints. Under the lock, so that they say what the queue says.
    fn became_nonempty(&self, state: &mut State<E>) {
        if let Some(flag) = self.flag.get()
            && !state.raised
        {
            state.raised = true;
            flag.raise();
        }
        // While a thread dispatches it sees the event itself, or calls again for what it leaves.
        if !state.dispatching {
            self.announce();
        }
    }

    /// Tells the host that something waits and nobody dispatches. Under the lock.
    pub(super) fn announce(&self) {
        self.wakeup.call();
        #[cfg(windows)]
        self.posts.announce();
    }

    /// Lowers the flag if nothing is left.
    fn became_empty(&self, state: &mut State<E>) {
        if state.ready.is_empty() && state.raised {
            state.raised = false;
            if let Some(flag) = self.flag.get() {
                flag.lower();
            }
        }
    }

    /// The descriptor or event for the host's loop: made when first asked for.
    pub fn handle(&self) -> std::io::Result<isize> {
        let flag = self.flag.get_or_try_init(Flag::new)?;
        let mut state = lock(&self.state);
        if !state.ready.is_empty() && !state.raised {
            state.raised = true;
            flag.raise();
        }
        Ok(flag.handle())
    }
}
