//! The one background thread: started by the first connection, stopped by `SocketShutdown`.
//!
//! A tokio runtime of the current-thread kind, driven by a thread of ours. Everything that needs
//! the network without a host's thread runs there: connecting, the service task of each
//! connection, timers, the wake-up function. Nothing here is ever joined or dropped while the
//! process ends: a process may simply exit.

use crate::error::{Code, Error, Result};
use std::{future::Future, time::Duration};

/// At most so many name resolutions at a time: `getaddrinfo` blocks a thread each.
#[cfg(not(shuttle))]
const MAX_RESOLVERS: usize = 16;
/// Threads that resolved names end after so long without work.
#[cfg(not(shuttle))]
const RESOLVER_IDLE: Duration = Duration::from_millis(500);

/// Runs a connection's life on the runtime. `SocketShutdown` waits for it.
///
/// # Errors
/// While the runtime shuts down, or when it cannot be started.
pub(crate) fn spawn(life: impl Future<Output = ()> + Send + 'static) -> Result<()> {
    imp::spawn(life)
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

#[cfg(not(shuttle))]
mod imp {
    use super::*;
    use crate::{sync, sys};
    use once_cell::sync::Lazy;
    use std::sync::{Arc, Condvar, Mutex};
    use tokio::runtime::{Builder, Handle};

    #[derive(Default)]
    struct State {
        runtime: Option<Running>,
        shutting_down: bool,
    }

    struct Running {
        handle: Handle,
        lives: Arc<Lives>,
        stop: Arc<tokio::sync::Notify>,
    }

    /// Counts the connections that are alive on one runtime, background closings included.
    #[derive(Default)]
    struct Lives {
        state: Mutex<LivesState>,
        changed: Condvar,
    }

    #[derive(Default)]
    struct LivesState {
        count: usize,
        thread_ended: bool,
    }

    static STATE: Lazy<Mutex<State>> = Lazy::new(Mutex::default);

    /// Counts one life, from its spawning to the end of its future, whatever ends it.
    struct Life(Arc<Lives>);

    impl Life {
        fn new(lives: &Arc<Lives>) -> Self {
            sync::lock(&lives.state).count += 1;
            Life(lives.clone())
        }
    }

    impl Drop for Life {
        fn drop(&mut self) {
            sync::lock(&self.0.state).count -= 1;
            self.0.changed.notify_all();
        }
    }

    pub(super) fn spawn(life: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let mut state = sync::lock(&STATE);
        if state.shutting_down {
            return Err(Error::new(
                Code::Cancelled,
                "the library is shutting down (SocketShutdown)",
            ));
        }
        let running = match &mut state.runtime {
            Some(running) => running,
            none => none.insert(start_thread()?),
        };
        let counted = Life::new(&running.lives);
        running.handle.spawn(async move {
            let _counted = counted;
            life.await;
        });
        Ok(())
    }

    pub(super) fn spawn_detached(task: impl Future<Output = ()> + Send + 'static) {
        // The handle is taken out first: dropping a refused task runs its destructors.
        let state = sync::lock(&STATE);
        let handle = state.runtime.as_ref().map(|running| running.handle.clone());
        drop(state);
        if let Some(handle) = handle {
            handle.spawn(task);
        }
    }

    fn start_thread() -> Result<Running> {
        let failed = |error: &std::io::Error| Error::io("cannot start the background thread", error);
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .max_blocking_threads(MAX_RESOLVERS)
            .thread_keep_alive(RESOLVER_IDLE)
            .thread_name("wdsocket-dns")
            .build()
            .map_err(|error| failed(&error))?;
        let running = Running {
            handle: runtime.handle().clone(),
            lives: Arc::default(),
            stop: Arc::default(),
        };
        let (stop, lives) = (running.stop.clone(), running.lives.clone());
        sys::without_signals(|| {
            std::thread::Builder::new()
                .name("wdsocket".to_owned())
                .spawn(move || {
                    runtime.block_on(stop.notified());
                    // Drops what still lives, without waiting for a slow name resolution.
                    runtime.shutdown_background();
                    sync::lock(&lives.state).thread_ended = true;
                    lives.changed.notify_all();
                })
        })
        .map_err(|error| failed(&error))?;
        Ok(running)
    }

    pub(super) fn begin_shutdown() -> Result<()> {
        let mut state = sync::lock(&STATE);
        if state.shutting_down {
            return Err(Error::new(
                Code::Busy,
                "another thread is inside SocketShutdown",
            ));
        }
        state.shutting_down = true;
        Ok(())
    }

    pub(super) fn finish_shutdown(limit: Option<Duration>) -> bool {
        /// How long the thread may take to end once it was told to: it may be inside a wake-up.
        const LAST_CALL: Duration = Duration::from_secs(1);

        let running = sync::lock(&STATE).runtime.take();
        let mut finished = true;
        if let Some(running) = running {
            let wait_until = |limit: Option<Duration>, done: &dyn Fn(&LivesState) -> bool| {
                let deadline = limit.and_then(|limit| sys::now().checked_add(limit));
                let mut lives = sync::lock(&running.lives.state);
                while !done(&lives) {
                    let left = deadline.map(|at| at.saturating_duration_since(sys::now()));
                    if left.is_some_and(|left| left.is_zero()) {
                        return false;
                    }
                    lives = sync::wait(&running.lives.changed, lives, left);
                }
                true
            };
            finished = wait_until(limit, &|lives| lives.count == 0);
            running.stop.notify_one();
            finished &= wait_until(Some(LAST_CALL), &|lives| lives.thread_ended);
        }
        sync::lock(&STATE).shutting_down = false;
        finished
    }
}

/// The model's runtime: the model checker's own executor, without shutdown.
#[cfg(shuttle)]
mod imp {
    use super::*;

    pub(super) fn spawn(life: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        shuttle::future::spawn(life);
        Ok(())
    }

    pub(super) fn spawn_detached(task: impl Future<Output = ()> + Send + 'static) {
        shuttle::future::spawn(task);
    }

    pub(super) fn begin_shutdown() -> Result<()> {
        Err(Error::new(Code::Unsupported, "not modelled"))
    }

    pub(super) fn finish_shutdown(_limit: Option<Duration>) -> bool {
        false
    }
}
