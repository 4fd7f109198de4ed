//! Where compressors and decompressors are between two messages.

// Not `crate::sync`'s: nothing that the models look at depends on it.
use parking_lot::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// So many of each kind stay, in the whole process, with connections that use them often. What does not stay is
/// built anew for each message from the connection's history: slower, and the memory does not grow with the
/// number of connections.
const MOST: usize = 8;
/// So many wait for whoever needs one next. Allocating and freeing pieces of this size for each message would
/// leave holes everywhere that allocators do not give back to the system.
const SPARE: usize = 2;

/// A connection uses one often that has had so many messages within a period of rest.
const BUSY: u32 = 4;

/// How many messages a connection has had lately.
#[derive(Default)]
pub struct Use(u32);

impl Use {
    /// One more.
    pub fn add(&mut self) {
        self.0 = self.0.saturating_add(1);
    }

    /// Whether there were any.
    pub fn is_any(&self) -> bool {
        self.0 > 0
    }

    /// Whether it is worth a place.
    pub fn is_busy(&self) -> bool {
        self.0 >= BUSY
    }

    /// Begins to count anew.
    pub fn take(&mut self) -> Use {
        std::mem::take(self)
    }
}

/// All of one kind in the process.
pub struct Pool<T: 'static> {
    taken: AtomicUsize,
    spare: Mutex<Vec<T>>,
}

impl<T> Pool<T> {
    /// Nothing is there yet.
    pub const fn new() -> Self {
        Pool {
            taken: AtomicUsize::new(0),
            spare: Mutex::new(Vec::new()),
        }
    }

    /// Something that stays with its connection, if there is a place for it; else it becomes a spare one.
    pub fn keep(&'static self, value: T) -> Option<Kept<T>> {
        let place = self.taken.fetch_update(Relaxed, Relaxed, |taken| {
            (taken < MOST).then_some(taken + 1)
        });
        match place {
            Ok(_) => Some(Kept {
                value: Some(value),
                pool: self,
            }),
            Err(_) => {
                self.put(value);
                None
            }
        }
    }

    /// A spare one that fits.
    pub fn get(&self, fits: impl Fn(&T) -> bool) -> Option<T> {
        let mut spare = self.spare.lock();
        let index = spare.iter().position(fits)?;
        Some(spare.swap_remove(index))
    }

    /// A spare one more, or in the place of the oldest.
    pub fn put(&self, value: T) {
        let mut spare = self.spare.lock();
        let oldest = (spare.len() >= SPARE).then(|| spare.remove(0));
        spare.push(value);
        drop(spare);
        drop(oldest);
    }
}

/// What has a place.
pub struct Kept<T: 'static> {
    value: Option<T>,
    pool: &'static Pool<T>,
}

impl<T> Kept<T> {
    /// Takes it out. The place is free again.
    pub fn into_inner(mut self) -> Option<T> {
        self.value.take()
    }
}

impl<T> Drop for Kept<T> {
    fn drop(&mut self) {
        self.pool.taken.fetch_sub(1, Relaxed);
        if let Some(value) = self.value.take() {
            self.pool.put(value);
        }
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn there_are_so_many_places_and_they_become_free_again() {
        static POOL: Pool<usize> = Pool::new();
        let mut kept: Vec<_> = (0..MOST).map(|n| POOL.keep(n).unwrap()).collect();
        assert!(POOL.keep(100).is_none());
        assert_eq!(POOL.get(|n| *n == 100), Some(100));
        assert_eq!(kept.pop().and_then(Kept::into_inner), Some(MOST - 1));
        assert!(POOL.keep(0).is_some());
        drop(kept);
        assert_eq!(POOL.taken.load(Relaxed), 0);
    }

    #[test]
    fn the_newest_spare_ones_stay() {
        static POOL: Pool<usize> = Pool::new();
        for n in 0..5 {
            POOL.put(n);
        }
        assert_eq!(*POOL.spare.lock(), [3, 4]);
        assert_eq!(POOL.get(|n| *n == 0), None);
        assert_eq!(POOL.get(|n| *n == 3), Some(3));
    }
}
