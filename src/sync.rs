//! The synchronization primitives that the rest is built from: parking_lot's, or, in a build with
//! `--cfg shuttle`, those of the model checker that runs the same code under many schedules
//! (`docs/models.md`).
//!
//! parking_lot's mutex is fair in the long run: a service task that receives a flood takes the
//! connection's lock again and again, and the standard library's would let a host's thread wait
//! for seconds. It does not poison either: every panic is caught at the boundary and ends what it
//! hit.

#[cfg(not(shuttle))]
pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};
#[cfg(not(shuttle))]
pub(crate) use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU64, AtomicUsize},
    },
    thread::LocalKey,
    thread_local,
};

#[cfg(shuttle)]
pub(crate) use shuttle::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, AtomicUsize},
    },
    thread::LocalKey,
    thread_local,
};

pub(crate) use std::sync::atomic::Ordering;
use std::{cell::RefCell, time::Duration};

/// Locks.
#[cfg(not(shuttle))]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}

/// Locks.
#[cfg(shuttle)]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Locks unless it is locked.
#[cfg(not(shuttle))]
pub(crate) fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    mutex.try_lock()
}

/// Locks unless it is locked.
#[cfg(shuttle)]
pub(crate) fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    mutex.try_lock().ok()
}

/// Waits on a condition variable for at most `limit` (`None`: as long as it takes). Returns
/// spuriously, as condition variables do.
#[cfg(not(shuttle))]
pub(crate) fn wait<'a, T>(
    condition: &Condvar,
    _mutex: &'a Mutex<T>,
    mut guard: MutexGuard<'a, T>,
    limit: Option<Duration>,
) -> MutexGuard<'a, T> {
    match limit {
        None => condition.wait(&mut guard),
        Some(limit) => {
            condition.wait_for(&mut guard, limit);
        }
    }
    guard
}

/// The same for the model checker, whose time limits never pass: here one may pass at once.
#[cfg(shuttle)]
pub(crate) fn wait<'a, T>(
    condition: &Condvar,
    mutex: &'a Mutex<T>,
    guard: MutexGuard<'a, T>,
    limit: Option<Duration>,
) -> MutexGuard<'a, T> {
    match limit {
        None => condition
            .wait(guard)
            .unwrap_or_else(std::sync::PoisonError::into_inner),
        Some(_) => {
            drop(guard);
            shuttle::thread::yield_now();
            lock(mutex)
        }
    }
}

/// Uses what a thread has for itself; something new where the thread is ending and has it no more,
/// since hosts call from destructors that run then.
pub(crate) fn with_local<T: Default, R>(
    local: &'static LocalKey<RefCell<T>>,
    function: impl FnOnce(&mut T) -> R,
) -> R {
    let mut function = Some(function);
    let mut call = |value: &mut T| function.take().map(|function| function(value));
    let called = local.try_with(|value| call(&mut value.borrow_mut()));
    match called.unwrap_or_else(|_| call(&mut T::default())) {
        Some(result) => result,
        None => unreachable!("called once"),
    }
}

/// Has a destructor, so that it is gone when the thread is ending.
#[cfg(not(shuttle))]
struct Presence;

#[cfg(not(shuttle))]
impl Drop for Presence {
    fn drop(&mut self) {}
}

#[cfg(not(shuttle))]
std::thread_local! {
    static PRESENCE: Presence = const { Presence };
}

/// Takes note of a thread that begins to use what threads have of their own. Called where one first does.
#[cfg(not(shuttle))]
pub(crate) fn note_thread() {
    let _ = PRESENCE.try_with(|_| ());
}

/// Whether the calling thread is ending, so that it has no more of its own what has a destructor, the standard library's
/// handle of the thread included.
#[cfg(not(shuttle))]
pub(crate) fn is_thread_ending() -> bool {
    PRESENCE.try_with(|_| ()).is_err()
}
