//! The host's signals are for the host's threads.

/// Blocks all signals in the calling thread, so that no signal handler of the host's runs on it.
pub(crate) fn block_signals() {
    replace_mask(None);
}

/// Runs `start` with all signals blocked in the calling thread: a thread that it starts inherits
/// that.
pub(crate) fn without_signals<T>(start: impl FnOnce() -> T) -> T {
    let before = replace_mask(None);
    let result = start();
    replace_mask(Some(&before));
    result
}

/// Sets the calling thread's signal mask (`None`: all signals blocked); returns what it was.
fn replace_mask(mask: Option<&libc::sigset_t>) -> libc::sigset_t {
    // SAFETY: all-zero `sigset_t`s are valid; the calls fill them in and read them.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, mask.unwrap_or(&all), &mut before);
        before
    }
}
