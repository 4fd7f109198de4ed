//! The synchronization primitives that the rest is built from: the standard library's, or, in a
//! build with `--cfg shuttle`, those of the model checker that runs the same code under many
//! schedules (`docs/models.md`).

#[cfg(not(shuttle))]
pub(crate) use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, Weak,
        atomic::{AtomicBool, AtomicUsize},
    },
    thread_local,
};

#[cfg(shuttle)]
pub(crate) use shuttle::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, Weak,
        atomic::{AtomicBool, AtomicUsize},
    },
    thread_local,
};

pub(crate) use std::sync::atomic::Ordering;
use std::time::Duration;

/// Locks, whatever a panic may have left behind: every panic is caught at the boundary and ends
/// what it hit, so that the state behind the lock stays usable for the others.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Waits on a condition variable for at most `limit` (`None`: as long as it takes). Returns
/// spuriously, as condition variables do.
#[cfg(not(shuttle))]
pub(crate) fn wait<'a, T>(
    condition: &Condvar,
    _mutex: &'a Mutex<T>,
    guard: MutexGuard<'a, T>,
    limit: Option<Duration>,
) -> MutexGuard<'a, T> {
    use std::sync::PoisonError;
    match limit {
        None => condition
            .wait(guard)
            .unwrap_or_else(PoisonError::into_inner),
        Some(limit) => {
            let waited = condition.wait_timeout(guard, limit);
            waited.unwrap_or_else(PoisonError::into_inner).0
        }
    }
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
