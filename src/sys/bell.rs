//! Each thread that waits has a bell of its own.

use super::Bell;
use std::{cell::RefCell, io, sync::Arc};

std::thread_local! {
    static BELL: RefCell<Option<Arc<Bell>>> = const { RefCell::new(None) };
}

impl Bell {
    /// The calling thread's bell, made when it first waits and closed with the thread.
    pub fn mine() -> io::Result<Arc<Bell>> {
        BELL.try_with(|slot| {
            let mut slot = slot.borrow_mut();
            match &*slot {
                Some(bell) => Ok(bell.clone()),
                None => Ok(slot.insert(Arc::new(Bell::new()?)).clone()),
            }
        })
        // The thread is ending and its own has gone already: one for this wait.
        .unwrap_or_else(|_| Ok(Arc::new(Bell::new()?)))
    }
}
