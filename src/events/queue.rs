//! The queue and the order in which its events come out.
//!
//! Each source (a connection) has its own events, oldest first; `ready` orders the sources by the
//! arrival of their oldest. So events come out in the order in which they came in, whichever
//! source they are of, and a source that is discarded takes everything of its own with it, in no
//! time: a host that opens and closes connections and never dispatches costs no memory.

use crate::{
    line::{Line, Run, Taken},
    sync::{Arc, AtomicBool, Condvar, Mutex, MutexGuard, Ordering::SeqCst, lock},
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
    /// Bytes that were packed, and a NUL behind them.
    Packed(u8, &'a [u8]),
    /// Anything else.
    Other(E),
}

/// Who delivers events to the host.
pub(crate) trait Recipient<E>: Send + Sync {
    /// Calls the host with each event of a batch in turn. Called without a lock. Gives itself back, for the next batch.
    fn deliver(self: Arc<Self>, batch: &mut Batch<'_, E>) -> Arc<dyn Recipient<E>>;
    /// The deliveries of one dispatch are over; called of the last recipient.
    fn settle(&self);
}

/// Events of one source that are delivered one after the other. They have left the queue.
pub(crate) struct Batch<'a, E> {
    queue: &'a Queue<E>,
    event: Option<E>,
    run: Run,
    /// Events of other sources are expected to be delivered by the same dispatch.
    has_successor: bool,
    /// How many were taken out here.
    taken: usize,
}

impl<'a, E> Batch<'a, E> {
    pub(super) fn new(queue: &'a Queue<E>, taken: Taken<E>, has_successor: bool) -> Self {
        let (event, run) = match taken {
            Taken::Packed(run) => (None, run),
            Taken::Other(event) => (Some(event), Run::default()),
        };
        Batch {
            queue,
            event,
            run,
            has_successor,
            taken: 0,
        }
    }

    /// The next event, and whether another delivery is expected to follow on this thread, and then
    /// [`Recipient::settle`]. None any more once somebody has come in between: whoever has discarded the source's
    /// events, and whoever waits for the callback that runs.
    #[inline]
    pub fn next(&mut self) -> Option<(Delivery<'_, E>, bool)> {
        if self.taken > 0 && self.queue.interrupted.load(SeqCst) {
            return None;
        }
        if let Some(event) = self.event.take() {
            self.taken += 1;
            return Some((Delivery::Other(event), self.has_successor));
        }
        let follows = self.run.len() > 1 || self.has_successor;
        let (tag, bytes) = self.run.next()?;
        self.taken += 1;
        Some((Delivery::Packed(tag, bytes), follows))
    }

    /// How many were taken out, and those that were not.
    pub(super) fn end(self) -> (usize, Run) {
        (self.taken, self.run)
    }
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

    /// The number of the second source's oldest event.
    #[inline]
    fn second(&self) -> Option<u64> {
        Some(*self.others.first_key_value()?.0)
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

    /// A source has an event again that is older than its others.
    fn put_back(&mut self, number: u64, source: SourceId) {
        match self.first {
            Some((first, other)) if number < first => {
                self.others.insert(first, other);
                self.first = Some((number, source));
            }
            _ => self.add(number, source),
        }
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
    /// The number of the next event.
    pub next: u64,
    /// Whether a thread is inside `SocketDispatch`.
    pub dispatching: bool,
    /// Whether that thread sleeps.
    pub sleeping: bool,
    /// What wakes that thread while it drives the runtime itself.
    pub waker: Option<Waker>,
    /// Whether callbacks are running, one after the other.
    pub running: bool,
    /// The source whose events they get, if some of these wait for one of them to return.
    pub batch: Option<SourceId>,
    /// How many threads wait for a callback to return.
    pub syncing: usize,
    /// How many batches have begun.
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
    /// The batch that runs is to end with the callback that runs. Written under the lock.
    pub(super) interrupted: AtomicBool,
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
                next: 0,
                dispatching: false,
                sleeping: false,
                waker: None,
                running: false,
                batch: None,
                syncing: 0,
                begun: 0,
                wake: false,
                discarded: 0,
                raised: false,
            }),
            interrupted: AtomicBool::new(false),
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

    /// Takes the oldest event, if it is older than `before`, and some that follow it and are of the same source, at
    /// most `most` in all; marks their callbacks as running. Who gets them goes into `last`.
    pub(super) fn take(
        &self,
        state: &mut MutexGuard<'_, State<E>>,
        before: u64,
        most: usize,
        last: &mut Option<(SourceId, Arc<dyn Recipient<E>>)>,
    ) -> Option<Batch<'_, E>> {
        let (number, source) = state.ready.first()?;
        if number >= before {
            return None;
        }
        // Whoever waits until a callback has returned waits for one.
        let most = if state.syncing > 0 { 1 } else { most };
        let until = state.ready.second().unwrap_or(u64::MAX).min(before);
        let state = &mut **state;
        let mailbox = state.boxes.get_mut(&source)?;
        let taken = mailbox.line.take(until, most)?;
        if !matches!(last, Some((id, _)) if *id == source) {
            *last = Some((source, mailbox.recipient.clone()));
        }
        let next = mailbox.line.first_number();
        state.ready.replace_first(next);
        if next.is_none() {
            state.boxes.remove(&source);
        }
        let count = match &taken {
            Taken::Packed(run) => run.len(),
            Taken::Other(_) => 1,
        };
        state.running = true;
        state.begun += 1;
        // As long as others of a batch wait, the flag says so.
        state.batch = (count > 1).then_some(source);
        if state.batch.is_none() {
            self.became_empty(state);
        }
        self.interrupted.store(false, SeqCst);
        let follows = state.ready.first().is_some_and(|(next, _)| next < before);
        Some(Batch::new(self, taken, follows && count < most))
    }

    /// A batch is over: puts back what is left of one that was interrupted, unless it was discarded.
    pub(super) fn end_batch(
        &self,
        state: &mut State<E>,
        run: Run,
        recipient: &Arc<dyn Recipient<E>>,
    ) {
        if let Some(source) = state.batch.take()
            && run.len() > 0
        {
            self.put_back(state, source, run, recipient);
        }
        self.became_empty(state);
    }

    fn put_back(
        &self,
        state: &mut State<E>,
        source: SourceId,
        run: Run,
        recipient: &Arc<dyn Recipient<E>>,
    ) {
        let mailbox = state.boxes.entry(source).or_insert_with(|| Mailbox {
            recipient: recipient.clone(),
            line: Line::default(),
        });
        let younger = mailbox.line.first_number();
        mailbox.line.put_back(run);
        let Some(number) = mailbox.line.first_number() else {
            return;
        };
        if let Some(younger) = younger {
            state.ready.remove(younger);
        }
        state.ready.put_back(number, source);
        self.raise(state);
    }

    /// Drops a source's events. When this returns no callback of that source starts any more,
    /// provided that the source posts nothing further; one that runs goes on.
    pub fn discard(&self, source: SourceId) {
        let mut state = lock(&self.state);
        if state.batch == Some(source) {
            state.batch = None;
            self.interrupted.store(true, SeqCst);
        }
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
        let state = lock(&self.state);
        state.batch == Some(source) || state.boxes.contains_key(&source)
    }

    /// Drops all events of all sources and ends a dispatch that waits.
    pub fn discard_all(&self) {
        let mut state = lock(&self.state);
        let boxes = std::mem::take(&mut state.boxes);
        state.ready.clear();
        state.batch = None;
        self.interrupted.store(true, SeqCst);
        state.discarded += 1;
        self.became_empty(&mut state);
        self.wake_dispatcher(state);
        drop(boxes);
    }

    /// Raises the hints. Under the lock, so that they say what the queue says.
    fn became_nonempty(&self, state: &mut State<E>) {
        self.raise(state);
        // While a thread dispatches it sees the event itself, or calls again for what it leaves.
        if !state.dispatching {
            self.announce();
        }
    }

    /// Raises the flag.
    fn raise(&self, state: &mut State<E>) {
        if let Some(flag) = self.flag.get()
            && !state.raised
        {
            state.raised = true;
            flag.raise();
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

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Writes down what it gets, so many at a time as if it were interrupted then.
    struct Diary {
        most: usize,
        lines: Arc<Mutex<Vec<u8>>>,
    }

    impl Recipient<u8> for Diary {
        fn deliver(self: Arc<Self>, batch: &mut Batch<'_, u8>) -> Arc<dyn Recipient<u8>> {
            for _ in 0..self.most {
                match batch.next() {
                    Some((Delivery::Packed(_, [number, 0]), _)) => lock(&self.lines).push(*number),
                    Some((Delivery::Packed(..), _)) => panic!("no NUL"),
                    Some((Delivery::Other(number), _)) => lock(&self.lines).push(number),
                    None => break,
                }
            }
            self
        }

        fn settle(&self) {}
    }

    #[test]
    fn events_come_out_in_the_order_in_which_they_came_in() {
        // Whose events they are, one behind the other.
        let sources = [1, 1, 2, 1, 1, 1, 2, 2, 3, 1, 3, 3, 2, 2, 2, 1, 1];
        for interrupted_after in [1, 2, 3, usize::MAX] {
            for at_a_time in [1, 2, 4, 0] {
                for other in [0, 2, 5] {
                    let queue = Queue::default();
                    let lines = Arc::<Mutex<Vec<u8>>>::default();
                    let recipient = Arc::new(Diary {
                        most: interrupted_after,
                        lines: lines.clone(),
                    });
                    for (number, source) in (0..).zip(sources) {
                        let event = match other > 0 && number % other == 0 {
                            true => Posted::Other(number),
                            false => Posted::Packed(1, std::slice::from_ref(&number)),
                        };
                        queue.post(source, &recipient, event);
                    }
                    let mut ran = 0;
                    while ran < sources.len() {
                        let now = queue.dispatch(Some(Duration::ZERO), at_a_time).unwrap();
                        let expected = match at_a_time {
                            0 => sources.len(),
                            _ => at_a_time.min(sources.len() - ran),
                        };
                        assert_eq!(now, expected);
                        ran += now;
                    }
                    let all: Vec<u8> = (0..sources.len() as u8).collect();
                    assert_eq!(*lock(&lines), all);
                    assert!(sources.iter().all(|source| !queue.has_events(*source)));
                    assert_eq!(queue.dispatch(Some(Duration::ZERO), 0).unwrap(), 0);
                }
            }
        }
    }
}
