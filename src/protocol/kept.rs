//! Who may keep a compressor or decompressor between two messages.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// So many of each kind are kept in a process. What is not kept is built anew for each message from the
/// connection's history: slower, and the memory does not grow with the number of connections. (Freeing
/// alone would not do: allocators do not give pieces of this size back to the system reliably.)
const MOST: usize = 8;

/// The places of one kind.
pub struct Places(AtomicUsize);

impl Places {
    /// All are free.
    pub const fn new() -> Self {
        Places(AtomicUsize::new(0))
    }

    /// Something that is kept, if there is a place for it.
    pub fn keep<T>(&'static self, value: T) -> Option<Kept<T>> {
        self.0
            .fetch_update(Relaxed, Relaxed, |taken| {
                (taken < MOST).then_some(taken + 1)
            })
            .ok()
            .map(|_| Kept {
                value,
                _place: Place(self),
            })
    }
}

struct Place(&'static Places);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Relaxed);
    }
}

/// What has a place.
pub struct Kept<T> {
    value: T,
    _place: Place,
}

impl<T> Kept<T> {
    /// Takes it out. The place is free again.
    pub fn into_inner(self) -> T {
        self.value
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn there_are_so_many_places_and_they_become_free_again() {
        static PLACES: Places = Places::new();
        let mut kept: Vec<_> = (0..MOST).map(|n| PLACES.keep(n).unwrap()).collect();
        assert!(PLACES.keep(0).is_none());
        assert_eq!(kept.pop().map(Kept::into_inner), Some(MOST - 1));
        assert!(PLACES.keep(0).is_some());
        drop(kept);
        assert_eq!(PLACES.0.load(Relaxed), 0);
    }
}
