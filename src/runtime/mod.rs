//! The one background runtime: started by the first connection, stopped by `SocketShutdown`.
//!
//! A tokio runtime of the current-thread kind, driven by a thread of ours, or by a host's thread
//! while that waits in `SocketDispatch` ([`lead`]). Everything that needs the network without a
//! host's thread runs there: connecting, the service task of each connection, timers, the wake-up
//! function. Nothing here is ever joined or dropped while the process ends: a process may simply
//! exit.

pub(crate) mod lead;
#[cfg(not(shuttle))]
mod tasks;

pub(crate) use self::imp::Life;
use crate::error::Result;
use std::{
    future::{Future, poll_fn},
    task::Poll,
    time::Duration,
};

/// At most so many name resolutions at a time: `getaddrinfo` blocks a thread each.
#[cfg(not(shuttle))]
const MAX_RESOLVERS: usize = 16;
/// Threads that resolved names end after so long without work.
#[cfg(not(shuttle))]
const RESOLVER_IDLE: Duration = Duration::from_millis(500);

/// Runs a connection's life on the runtime, for which nobody waits. `SocketShutdown` waits until the life has dropped what it is given
/// here. (It takes that along itself: a future around it would have room for it twice.)
///
/// # Errors
/// While the runtime shuts down, or when it cannot be started.
pub(crate) fn spawn<L>(live: impl FnOnce(Life) -> L) -> Result<()>
where
    L: Future<Output = ()> + Send + 'static,
{
    imp::spawn(live)
}

/// Whether the runtime has much to do. Who makes work for it is to wait for it then, not to get ever further ahead.
#[cfg(all(unix, not(shuttle)))]
pub(crate) fn is_behind() -> bool {
    /// More than come one by one in the time that they may wait.
    const MUCH: usize = 128;

    imp::backlog() > MUCH
}

/// Counts a connection's life from here on, for a thread that waits for its beginning or makes that by itself
/// ([`Life::runtime`] runs the rest).
///
/// # Errors
/// As for [`spawn`].
#[cfg(not(shuttle))]
pub(crate) fn begin() -> Result<Life> {
    imp::begin()
}

/// What the function returns, which may take long and runs where names are resolved.
///
/// # Errors
/// Where the runtime has been stopped, or the function panics.
pub(crate) async fn blocking<T: Send + 'static>(
    function: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    imp::blocking(function).await
}

/// Runs something short on the runtime, if there is one. `SocketShutdown` does not wait for it.
/// Where there is none, the task is dropped. May be called under any lock.
pub(crate) fn spawn_detached(task: impl Future<Output = ()> + Send + 'static) {
    imp::spawn_detached(task);
}

/// Begins a shutdown: from now on no connection begins.
pub(crate) fn begin_shutdown() -> Result<()> {
    imp::begin_shutdown()
}

/// Waits until every connection's life has ended, at most so long (`None`: no limit), then stops the
/// runtime. Returns whether all had ended. The library can be used again afterwards.
pub(crate) fn finish_shutdown(limit: Option<Duration>) -> bool {
    imp::finish_shutdown(limit)
}

/// For how long a thread that leads looks for its event before it sleeps.
pub(crate) fn set_spin(limit: Duration) {
    imp::set_spin(limit);
}

/// Lets the calling thread drive the runtime until `until` is ready, or for at most so long
/// (`None`: no limit). False where it may not: it then waits by other means.
pub(crate) fn lead(until: impl Future<Output = ()>, limit: Option<Duration>) -> bool {
    imp::lead(until, limit)
}

/// Lets other tasks run first. (tokio's own yields until the reactor has been looked at, which whoever drives the runtime
/// may never do: it returns as soon as its event has come.)
pub(crate) async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Whether host threads may drive the runtime. When this returns after `false`, none does.
pub(crate) fn allow_lead(allowed: bool) {
    imp::allow_lead(allowed);
}

#[cfg(not(shuttle))]
#[path = "thread.rs"]
mod imp;

/// The model's runtime: the model checker's own executor, without shutdown.
#[cfg(shuttle)]
mod imp {
    use super::*;
    use crate::error::{Code, Error};

    pub(crate) struct Life;

    pub(super) fn spawn<L>(live: impl FnOnce(Life) -> L) -> Result<()>
    where
        L: Future<Output = ()> + Send + 'static,
    {
        shuttle::future::spawn(live(Life));
        Ok(())
    }

    pub(super) async fn blocking<T>(function: impl FnOnce() -> T) -> Result<T> {
        Ok(function())
    }

    pub(super) fn spawn_detached(task: impl Future<Output = ()> + Send + 'static) {
        shuttle::future::spawn(task);
    }

    pub(super) fn lead(_until: impl Future<Output = ()>, _limit: Option<Duration>) -> bool {
        false
    }

    pub(super) fn allow_lead(_allowed: bool) {}

    pub(super) fn set_spin(_limit: Duration) {}

    pub(super) fn begin_shutdown() -> Result<()> {
        Err(Error::new(Code::Unsupported, "not modelled"))
    }

    pub(super) fn finish_shutdown(_limit: Option<Duration>) -> bool {
        false
    }
}
