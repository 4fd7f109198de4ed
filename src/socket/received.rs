//! The account of the receive queue: what has been received and not yet taken by the host.
//!
//! Atomic, because callback sockets' messages leave the event queue without the connection's lock. (A synchronous socket's
//! account is changed under that, and looked at also without.)

use super::outbox::OVERHEAD;
use crate::sync::{
    AtomicBool, AtomicU64, AtomicUsize,
    Ordering::{Relaxed, SeqCst},
};

/// The account's parts in one number, so that one instruction changes all: whether a callback is being called with a
/// message, how many messages wait, and their bytes. (A queue's limit is less than 2³¹ and a message counts 64 at least.)
const DELIVERING: u64 = 1;
const MESSAGE: u64 = 1 << 1;
const BYTE: u64 = 1 << 28;

/// What waits, and whether reading has stopped for it.
pub(crate) struct Received {
    /// Only who holds the connection's lock changes the account, as for synchronous sockets: two instructions without a
    /// bus lock change it then.
    is_locked: bool,
    limit: AtomicUsize,
    account: AtomicU64,
    /// What waits is the last that comes.
    last: AtomicBool,
    paused: AtomicBool,
}

impl Received {
    /// An empty queue with this limit (`RECEIVE_QUEUE_BYTES`).
    pub fn new(limit: usize, is_locked: bool) -> Self {
        Received {
            is_locked,
            limit: AtomicUsize::new(limit),
            account: AtomicU64::new(0),
            last: AtomicBool::new(false),
            paused: AtomicBool::new(false),
        }
    }

    /// Changes the limit. The caller tells the service task, for which reading may go on.
    pub fn set_limit(&self, limit: usize) {
        self.limit.store(limit, SeqCst);
        self.resume();
    }

    /// The bytes that wait.
    pub fn bytes(&self) -> usize {
        (self.account.load(SeqCst) / BYTE) as usize
    }

    /// Adds to the account.
    #[inline]
    fn change(&self, by: u64) {
        match self.is_locked {
            true => {
                let account = self.account.load(SeqCst).wrapping_add(by);
                self.account.store(account, Relaxed);
            }
            false => {
                self.account.fetch_add(by, SeqCst);
            }
        }
    }

    /// A message was received. The caller holds the connection's lock.
    #[inline]
    pub fn add(&self, bytes: usize) {
        let message = MESSAGE + bytes as u64 * BYTE;
        self.change(message);
    }

    /// A message was taken, or dropped. True if reading had stopped and can now go on: the caller
    /// tells the service task. For a synchronous socket it holds the connection's lock.
    #[inline]
    pub fn remove(&self, bytes: usize) -> bool {
        let message = MESSAGE + bytes as u64 * BYTE;
        self.change(message.wrapping_neg());
        self.resume()
    }

    /// A callback is about to be called with a message. True as for [`Received::remove`].
    #[inline]
    pub fn begin_delivery(&self, bytes: usize) -> bool {
        let message = MESSAGE + bytes as u64 * BYTE;
        self.account.fetch_sub(message - DELIVERING, SeqCst);
        self.resume()
    }

    /// It has returned. True if that was the last message: the caller tells the service task.
    #[inline]
    pub fn end_delivery(&self) -> bool {
        self.account.fetch_sub(DELIVERING, SeqCst);
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
        self.account.load(SeqCst).is_multiple_of(BYTE)
    }

    /// True if reading had stopped and can go on.
    #[inline]
    fn resume(&self) -> bool {
        self.is_paused() && self.has_room() && self.paused.swap(false, SeqCst)
    }

    /// Whether what the waiting messages count is below the limit.
    #[inline]
    fn has_room(&self) -> bool {
        let account = self.account.load(SeqCst);
        let (bytes, messages) = (account / BYTE, account % BYTE / MESSAGE);
        bytes + messages * (OVERHEAD as u64) < self.limit.load(SeqCst) as u64
    }

    /// Asked before each message is read: whether the queue is full. Then reading stops, and
    /// whoever makes room will say so.
    ///
    /// Stopping is announced before the account is looked at again, and room is made before the
    /// announcement is looked for: one of the two sides sees the other.
    #[inline]
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
