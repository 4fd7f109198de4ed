//! The synchronization primitives that the rest is built from: the standard library's, or, in a
//! build with `--cfg shuttle`, those of the model checker that runs the same code under many
//! schedules (`docs/models.md`).

#[cfg(not(shuttle))]
pub(crate) use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, Weak,
        atomic::{AtomicBool, AtomicU64, AtomicUsize},
    },
    thread_local,
};

#[cfg(shuttle)]
pub(crate) use shuttle::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, Weak,
        atomic::{AtomicBool, AtomicU64, AtomicUsize},
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
pub(crate) fn wait<'a, T>(
    condition: &Condvar,
    guard: MutexGuard<'a, T>,
    limit: Option<Duration>,
) -> MutexGuard<'a, T> {
    match limit {
        None => condition
            .wait(guard)
            .unwrap_or_else(std::sync::PoisonError::into_inner),
        Some(limit) => {
            condition
                .wait_timeout(guard, limit)
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .0
        }
    }
}
