//! Windows.

mod bell;
mod flag;
mod module;
mod registration;
mod socket;
mod window;

pub(crate) use self::{
    bell::{Bell, wait},
    flag::Flag,
    module::pin_library,
    registration::{Registration, Watch},
    socket::Socket,
    window::{Posted, Window, Work, has_message_queue, is_window, post_message},
};

/// There is no `fork`.
pub(crate) fn is_forked() -> bool {
    false
}

/// There is no `fork`.
pub(crate) fn watch_for_fork() {}

/// Threads have a mebibyte unless somebody wants less.
pub(crate) fn has_room() -> bool {
    true
}

/// There are no signals that run on just any thread.
pub(crate) fn block_signals() {}

/// There are no signals that run on just any thread.
pub(crate) fn without_signals<T>(start: impl FnOnce() -> T) -> T {
    start()
}
