//! A child of `fork` has this library's locks in whatever state they were, and none of its
//! threads: it must be kept out before it takes the first lock.

use std::sync::atomic::{AtomicBool, Ordering};

static FORKED: AtomicBool = AtomicBool::new(false);

/// Whether this process is a child of `fork` that got the library from its parent.
pub(crate) fn is_forked() -> bool {
    FORKED.load(Ordering::Relaxed)
}

extern "C" fn in_child() {
    FORKED.store(true, Ordering::Relaxed);
}

/// Has the system mark every child. Called once.
pub(crate) fn watch_for_fork() {
    // SAFETY: the handler is async-signal-safe (one store to an atomic), and stays loaded, since
    // the library is pinned before this is called.
    unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
}
