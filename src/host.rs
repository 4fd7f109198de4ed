//! Functions of the host's that the library calls from its own threads: wake-up and log.

use crate::sync::{
    Arc, AtomicBool, AtomicUsize, Condvar, Mutex, Ordering, lock, thread_local, wait,
};
use std::cell::Cell;

thread_local! {
    /// Whether this thread is inside such a function, from which the library may not be called.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Whether the calling thread is inside a wake-up or a log function.
pub(crate) fn is_inside() -> bool {
    INSIDE.with(Cell::get)
}

/// A function of the host's that takes an `A`.
pub(crate) trait HostCall<A = ()>: Send + Sync {
    /// Calls it.
    fn call(&self, argument: A);
}

/// A place for one function that can be exchanged while it is in use.
pub(crate) struct Hook<A = ()> {
    set: AtomicBool,
    slot: Mutex<Option<Arc<Held<A>>>>,
    /// A call has returned.
    returned: Condvar,
}

struct Held<A> {
    function: Box<dyn HostCall<A>>,
    /// How many calls are running; changed under the slot's lock.
    running: AtomicUsize,
}

impl<A> Default for Hook<A> {
    fn default() -> Self {
        Hook {
            set: AtomicBool::new(false),
            slot: Mutex::new(None),
            returned: Condvar::new(),
        }
    }
}

impl<A> Hook<A> {
    /// Whether there is a function.
    pub fn is_set(&self) -> bool {
        self.set.load(Ordering::Relaxed)
    }

    /// Exchanges the function. When this returns, the old one is not running and will not be called
    /// again.
    pub fn set(&self, function: Option<Box<dyn HostCall<A>>>) {
        let new = function.map(|function| {
            Arc::new(Held {
                function,
                running: AtomicUsize::new(0),
            })
        });
        let mut slot = lock(&self.slot);
        self.set.store(new.is_some(), Ordering::Relaxed);
        let Some(old) = std::mem::replace(&mut *slot, new) else {
            return;
        };
        while old.running.load(Ordering::Relaxed) > 0 {
            slot = wait(&self.returned, &self.slot, slot, None);
        }
    }

    /// Calls the function, if there is one, without holding a lock.
    pub fn call(&self, argument: A) {
        struct Ended<'a, A>(&'a Hook<A>, Arc<Held<A>>);
        impl<A> Drop for Ended<'_, A> {
            fn drop(&mut self) {
                INSIDE.with(|inside| inside.set(false));
                let slot = lock(&self.0.slot);
                self.1.running.fetch_sub(1, Ordering::Relaxed);
                drop(slot);
                self.0.returned.notify_all();
            }
        }
        let slot = lock(&self.slot);
        let Some(held) = slot.clone() else {
            return;
        };
        held.running.fetch_add(1, Ordering::Relaxed);
        drop(slot);
        let ended = Ended(self, held);
        INSIDE.with(|inside| inside.set(true));
        ended.1.function.call(argument);
    }
}
