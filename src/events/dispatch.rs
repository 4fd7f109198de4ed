//! Who dispatches, and what others may do meanwhile.

use super::queue::{Queue, State};
use crate::{
    error::{Code, Error, Result},
    runtime,
    sync::{MutexGuard, Ordering::SeqCst, lock, thread_local, wait},
    sys,
};
use std::{
    cell::Cell,
    future::poll_fn,
    task::{Context, Poll},
    time::Duration,
};

thread_local! {
    /// Whether this thread is inside a callback.
    pub(super) static IN_CALLBACK: Cell<bool> = const { Cell::new(false) };
}

/// Ends callbacks however they end.
struct Running<'a, E>(&'a Queue<E>);

impl<'a, E> Running<'a, E> {
    fn begin(queue: &'a Queue<E>) -> Self {
        IN_CALLBACK.with(|inside| inside.set(true));
        Running(queue)
    }

    /// The last callback has returned. The lock that this takes is good for the next one, too.
    fn end(self) -> MutexGuard<'a, State<E>> {
        let queue = self.0;
        std::mem::forget(self);
        Self::returned(queue)
    }

    fn returned(queue: &'a Queue<E>) -> MutexGuard<'a, State<E>> {
        IN_CALLBACK.with(|inside| inside.set(false));
        let mut state = lock(&queue.state);
        state.running = false;
        if state.syncing > 0 {
            queue.returned.notify_all();
        }
        state
    }
}

impl<E> Drop for Running<'_, E> {
    fn drop(&mut self) {
        // What was left of the batch is lost.
        Self::returned(self.0).batch = None;
    }
}

/// Ends a dispatch however it ends.
struct Dispatching<'a, E>(&'a Queue<E>);

impl<E> Drop for Dispatching<'_, E> {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.dispatching = false;
        state.sleeping = false;
        state.wake = false;
        // What arrived meanwhile, or was left, is announced now.
        if !state.ready.is_empty() {
            self.0.announce();
        }
    }
}

impl<E> State<E> {
    /// Whether a dispatch goes on waiting.
    fn is_quiet(&self, discarded: u64) -> bool {
        self.ready.is_empty() && !self.wake && self.discarded == discarded
    }
}

impl<E> Queue<E> {
    /// Runs waiting callbacks on the calling thread; returns how many it ran.
    ///
    /// `limit`: how long to wait for the first (`None`: as long as it takes). `most`: how many to
    /// run; 0: those that wait when the first is taken.
    pub fn dispatch(&self, limit: Option<Duration>, most: usize) -> Result<usize> {
        if super::in_callback() {
            return Err(Error::new(Code::Busy, "SocketDispatch inside a callback"));
        }
        let deadline = limit.and_then(|limit| sys::now().checked_add(limit));
        let mut state = lock(&self.state);
        if state.dispatching {
            return Err(Error::new(
                Code::Busy,
                "another thread is inside SocketDispatch",
            ));
        }
        #[cfg(windows)]
        self.posts.begin_dispatch()?;
        state.dispatching = true;
        let discarded = state.discarded;
        let dispatching = Dispatching(self);

        while state.is_quiet(discarded) {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(sys::now()));
            if left.is_some_and(|left| left.is_zero()) {
                break;
            }
            // Best: this thread runs the tasks that bring its events.
            drop(state);
            let led = runtime::lead(poll_fn(|context| self.poll_quiet(discarded, context)), left);
            state = lock(&self.state);
            state.waker = None;
            if !led && state.is_quiet(discarded) {
                state.sleeping = true;
                state = wait(&self.arrival, &self.state, state, left);
                state.sleeping = false;
            }
        }

        let before = match most {
            0 => state.next,
            _ => u64::MAX,
        };
        let mut left = if most == 0 { usize::MAX } else { most };
        let mut ran = 0;
        let mut last = None;
        while left > 0 {
            let Some(mut batch) = self.take(&mut state, before, left, &mut last) else {
                break;
            };
            let Some((source, recipient)) = last.take() else {
                break;
            };
            drop(state);
            let running = Running::begin(self);
            let recipient = recipient.deliver(&mut batch);
            state = running.end();
            let (count, run) = batch.end();
            self.end_batch(&mut state, run, &recipient);
            ran += count;
            left -= count;
            last = Some((source, recipient));
        }
        drop(state);
        if let Some((_, last)) = last {
            last.settle();
        }
        drop(dispatching);
        Ok(ran)
    }

    /// Ready once the dispatching thread has something to do.
    fn poll_quiet(&self, discarded: u64, context: &mut Context<'_>) -> Poll<()> {
        let mut state = lock(&self.state);
        if !state.is_quiet(discarded) {
            return Poll::Ready(());
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }

    /// Makes the current or else the next dispatch return as if its time had passed.
    pub fn wake(&self) {
        let mut state = lock(&self.state);
        state.wake = true;
        self.wake_dispatcher(state);
    }

    /// Waits until every callback that runs now has returned.
    pub fn sync(&self, limit: Option<Duration>) -> Result<()> {
        if super::in_callback() {
            return Err(Error::new(
                Code::Busy,
                "SocketSync inside a callback would wait for itself",
            ));
        }
        let deadline = limit.and_then(|limit| sys::now().checked_add(limit));
        let mut state = lock(&self.state);
        let begun = state.begun;
        state.syncing += 1;
        self.interrupted.store(true, SeqCst);
        let mut expired = false;
        while state.running && state.begun == begun && !expired {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(sys::now()));
            expired = left.is_some_and(|left| left.is_zero());
            if !expired {
                state = wait(&self.returned, &self.state, state, left);
            }
        }
        state.syncing -= 1;
        match expired {
            false => Ok(()),
            true => Err(Error::new(
                Code::Timeout,
                "a callback was still running when the time was over",
            )),
        }
    }
}
