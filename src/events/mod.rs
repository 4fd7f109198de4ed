//! Posted messages: what connections tell callback sockets waits here until the host's thread
//! dispatches it.
//!
//! The queue is the truth; condition variable, descriptor and wake-up function are coalesced
//! hints that it is not empty. All of the queue's state is behind one lock, which is never held
//! while host code runs. This room knows nothing of WebSockets: an event is something that a
//! [`Recipient`] delivers.

mod dispatch;
#[cfg(windows)]
mod posts;
mod queue;
mod wakeup;

pub(crate) use queue::{Batch, Delivery, Posted, Queue, Recipient, SourceId};

/// Whether the calling thread is inside a callback.
pub(crate) fn in_callback() -> bool {
    dispatch::IN_CALLBACK.with(std::cell::Cell::get)
}
