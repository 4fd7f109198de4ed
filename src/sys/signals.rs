//! The host's signals are for the host's threads.

/// Runs `start` with all signals blocked in this thread, so that a thread that it starts never runs
/// a signal handler of the host's.
pub(crate) fn without_signals<T>(start: impl FnOnce() -> T) -> T {
    // SAFETY: an all-zero `sigset_t` is valid; the calls fill it in and read it.
    let old = unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        let mut old: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut old);
        old
    };
    let result = start();
    // SAFETY: `old` is what the call above filled in.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &old, std::ptr::null_mut()) };
    result
}
