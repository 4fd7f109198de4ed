//! The account of the receive queue: what has been received and not yet taken by the host.
//!
//! Atomic, because callback sockets' messages leave the event queue without the connection's lock.

use super::outbox::OVERHEAD;
use crate::sync::{AtomicBool, AtomicUsize, Ordering::SeqCst};

/// What waits, and whether reading has stopped for it.
pub(crate) struct Received {
    limit: AtomicUsize,
    messages: AtomicUsize,
    /// Messages that a callback is being called with: 0 or 1.
    delivering: AtomicUsize,
    /// What waits is the last that comes.
    last: AtomicBool,
    bytes: AtomicUsize,
    paused: AtomicBool,
}

impl Received {
    /// An empty queue with this limit (`RECEIVE_QUEUE_BYTES`).
    pub fn new(limit: usize) -> Self {
        Received {
            limit: AtomicUsize::new(limit),
            messages: AtomicUsize::new(0),
            delivering: AtomicUsize::new(0),
            last: AtomicBool::new(false),
            bytes: AtomicUsize::new(0),
            paused: AtomicBool::new(false),
        }
    }

    /// Changes the limit. The caller tells the service task, for which reading may go on.
    pub fn set_limit(&self, limit: usize) {
        self.limit.store(limit, SeqCst);
        self.resume();
    }

    /// What the waiting messages count.
    fn cost(&self) -> usize {
        self.bytes.load(SeqCst) + self.messages.load(SeqCst) * OVERHEAD
    }

    /// The bytes that wait.
    pub fn bytes(&self) -> usize {
        self.bytes.load(SeqCst)
    }

    /// A message was received.
    pub fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, SeqCst);
        self.messages.fetch_add(1, SeqCst);
    }

    /// A message was taken, or dropped. True if reading had stopped and can now go on: the caller
    /// tells the service task.
    pub fn remove(&self, bytes: usize) -> bool {
        self.bytes.fetch_sub(bytes, SeqCst);
        self.messages.fetch_sub(1, SeqCst);
        self.resume()
    }

    /// A callback is about to be called with a message. True as for [`Received::remove`].
    pub fn begin_delivery(&self, bytes: usize) -> bool {
        self.delivering.fetch_add(1, SeqCst);
        self.remove(bytes)
    }

    /// It has returned. True if that was the last message: the caller tells the service task.
    pub fn end_delivery(&self) -> bool {
        self.delivering.fetch_sub(1, SeqCst);
        self.last.load(SeqCst) && self.is_taken()
    }

    /// Nothing more is received: whoever takes the last message says so.
    pub fn set_last(&self) {
        self.last.store(true, SeqCst);
    }

    /// Another connection has come up: there will be more.
    pub fn set_more(&self) {
        self.last.store(false, SeqCst);
    }

    /// Whether the host has taken, and callbacks have returned from, all messages.
    pub fn is_taken(&self) -> bool {
        self.messages.load(SeqCst) == 0 && self.delivering.load(SeqCst) == 0
    }

    /// True if reading had stopped and can go on.
    fn resume(&self) -> bool {
        self.has_room() && self.paused.swap(false, SeqCst)
    }

    fn has_room(&self) -> bool {
        self.cost() < self.limit.load(SeqCst)
    }

    /// Asked before each message is read: whether the queue is full. Then reading stops, and
    /// whoever makes room will say so.
    ///
    /// Stopping is announced before the account is looked at again, and room is made before the
    /// announcement is looked for: one of the two sides sees the other.
    pub fn is_full(&self) -> bool {
        if self.has_room() {
            return false;
        }
        self.paused.store(true, SeqCst);
        if self.has_room() {
            self.paused.store(false, SeqCst);
            return false;
        }
        true
    }

    /// Whether reading has stopped.
    pub fn is_paused(&self) -> bool {
        self.paused.load(SeqCst)
    }
}
