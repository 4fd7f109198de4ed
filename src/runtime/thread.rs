//! The runtime and its thread.

use super::{
    MAX_RESOLVERS, RESOLVER_IDLE,
    lead::{Driver, Lead},
    tasks::Tasks,
};
use crate::{
    error::{Code, Error, Result},
    sync,
    sys::{self, Timer},
};
use once_cell::sync::Lazy;
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};
use sync::{Condvar, Mutex};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::Notify,
};

struct State {
    runtime: Option<Arc<Running>>,
    shutting_down: bool,
    /// Whether host threads may lead.
    may_lead: bool,
}

/// A runtime that runs.
struct Running {
    tasks: Arc<Tasks>,
    lead: Lead,
    /// When a host's thread that leads has waited long enough. Kept, for most waits end before.
    expiry: Mutex<Timer>,
    interrupts: Interrupts,
    lives: Arc<Lives>,
    /// Taken by the service thread when it stops: it alone may drop the runtime, in its own way.
    runtime: Mutex<Option<Arc<Runtime>>>,
}

/// What ends a drive of the runtime.
#[derive(Default)]
struct Interrupts {
    service: Notify,
    host: Notify,
}

impl Driver for Interrupts {
    fn interrupt_service(&self) {
        self.service.notify_one();
    }

    fn interrupt_host(&self) {
        self.host.notify_one();
    }
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

static STATE: Lazy<Mutex<State>> = Lazy::new(|| {
    Mutex::new(State {
        runtime: None,
        shutting_down: false,
        may_lead: true,
    })
});

/// For how long a thread that leads looks for its event before it sleeps, in microseconds.
static SPIN_US: AtomicU32 = AtomicU32::new(0);

/// The host's thread that has led last.
static LAST_LEADER: AtomicUsize = AtomicUsize::new(0);

std::thread_local! {
    static HERE: u8 = const { 0 };
}

/// A number that no other thread has while this one lives.
fn this_thread() -> usize {
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

/// The runtime that runs now.
fn running() -> Option<Arc<Running>> {
    sync::lock(&STATE).runtime.clone()
}

/// Counts one life, to the end of its future, whatever ends it.
pub(crate) struct Life(Arc<Running>);

impl Life {
    fn new(running: &Arc<Running>) -> Self {
        sync::lock(&running.lives.state).count += 1;
        Life(running.clone())
    }

    /// The runtime that it is counted on.
    pub fn runtime(&self) -> Rest {
        Rest(self.0.clone())
    }
}

/// Where a life, or the rest of it, is to run.
pub(crate) struct Rest(Arc<Running>);

impl Rest {
    /// Runs it at once: a thread waits for it.
    pub fn spawn(self, live: impl Future<Output = ()> + Send + 'static) {
        self.0.tasks.spawn(live);
        self.0.lead.end_claim();
    }

    /// Runs it within some milliseconds, so that connections which come one by one do not wake the runtime each.
    #[cfg(unix)]
    pub fn spawn_soon(self, live: impl Future<Output = ()> + Send + 'static) {
        self.0.tasks.spawn_soon(live);
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        let lives = &self.0.lives;
        sync::lock(&lives.state).count -= 1;
        lives.changed.notify_all();
    }
}

pub(super) fn spawn<L>(live: impl FnOnce(Life) -> L) -> Result<()>
where
    L: Future<Output = ()> + Send + 'static,
{
    let life = begin()?;
    let running = life.0.clone();
    running.tasks.spawn(live(life));
    // A thread that connects between two dispatches drives the runtime on with the next.
    if LAST_LEADER.load(Ordering::Relaxed) != this_thread() {
        running.lead.end_claim();
    }
    Ok(())
}

#[cfg(unix)]
pub(super) fn backlog() -> usize {
    running().map_or(0, |running| running.tasks.backlog())
}

pub(super) fn begin() -> Result<Life> {
    let mut state = sync::lock(&STATE);
    if state.shutting_down {
        return Err(stopped());
    }
    let may_lead = state.may_lead;
    let running = match &mut state.runtime {
        Some(running) => running,
        none => none.insert(start(may_lead)?),
    };
    Ok(Life::new(running))
}

fn stopped() -> Error {
    Error::new(
        Code::Cancelled,
        "the library is shutting down (SocketShutdown)",
    )
}

pub(super) async fn blocking<T: Send + 'static>(
    function: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let task = match Handle::try_current() {
        Ok(handle) => handle.spawn_blocking(function),
        // On a host's thread.
        Err(_) => {
            let running = running().ok_or_else(stopped)?;
            let runtime = sync::lock(&running.runtime);
            let runtime = runtime.as_ref().ok_or_else(stopped)?;
            // It may start a thread.
            sys::without_signals(|| runtime.spawn_blocking(function))
        }
    };
    task.await
        .map_err(|error| Error::new(Code::Internal, error.to_string()))
}

pub(super) fn spawn_detached(task: impl Future<Output = ()> + Send + 'static) {
    // Not under the lock: dropping a refused task runs its destructors.
    if let Some(running) = running() {
        running.tasks.spawn(task);
    }
}

/// Makes a runtime and its thread.
fn start(may_lead: bool) -> Result<Arc<Running>> {
    // Starting a thread leaves something of the standard library's with this one.
    sync::note_thread();
    let failed = |error: &std::io::Error| Error::io("cannot start the background thread", error);
    let runtime = Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .max_blocking_threads(MAX_RESOLVERS)
        .thread_keep_alive(RESOLVER_IDLE)
        .thread_name("wdsocket-dns")
        // They may be started by a host's thread that leads.
        .on_thread_start(sys::block_signals)
        .build()
        .map_err(|error| failed(&error))?;
    let running = Arc::new(Running {
        tasks: Arc::default(),
        lead: Lead::new(may_lead),
        expiry: Mutex::default(),
        interrupts: Interrupts::default(),
        lives: Arc::default(),
        runtime: Mutex::new(Some(Arc::new(runtime))),
    });
    let served = running.clone();
    sys::without_signals(|| {
        std::thread::Builder::new()
            .name("wdsocket".to_owned())
            .spawn(move || serve(&served))
    })
    .map_err(|error| failed(&error))?;
    Ok(running)
}

/// The service thread.
fn serve(running: &Running) {
    let runtime = sync::lock(&running.runtime).clone();
    if let Some(runtime) = runtime {
        running.lead.serve(&running.interrupts, || {
            let interrupted = running.interrupts.service.notified();
            runtime.block_on(running.tasks.run(interrupted, None));
        });
        // Drops what still lives.
        running.tasks.close();
        drop(std::mem::take(&mut *sync::lock(&running.expiry)));
        // No host's thread holds it any more.
        drop(sync::lock(&running.runtime).take());
        if let Some(runtime) = Arc::into_inner(runtime) {
            // Without waiting for a slow name resolution.
            runtime.shutdown_background();
        }
    }
    sync::lock(&running.lives.state).thread_ended = true;
    running.lives.changed.notify_all();
}

pub(super) fn lead(until: impl Future<Output = ()>, limit: Option<Duration>) -> bool {
    let Some(running) = running() else {
        return false;
    };
    // tokio needs thread-locals, and a thread that is ending has them no more; what connects needs stack.
    if sync::is_thread_ending() || !sys::has_room() {
        return false;
    }
    running.lead.lead(&running.interrupts, || {
        let Some(runtime) = sync::lock(&running.runtime).clone() else {
            return;
        };
        let at = limit.and_then(|limit| sys::now().checked_add(limit));
        let mut timer = sync::lock(&running.expiry);
        let done = async {
            tokio::select! {
                biased;
                () = until => {}
                () = running.interrupts.host.notified() => {}
                // Or earlier: the caller looks for itself.
                () = timer.until(at) => {}
            }
        };
        let spin = match SPIN_US.load(Ordering::Relaxed) {
            0 => None,
            spin => sys::now().checked_add(Duration::from_micros(spin.into())),
        };
        runtime.block_on(running.tasks.run(done, spin));
        LAST_LEADER.store(this_thread(), Ordering::Relaxed);
    })
}

pub(super) fn set_spin(limit: Duration) {
    let microseconds = u32::try_from(limit.as_micros()).unwrap_or(u32::MAX);
    SPIN_US.store(microseconds, Ordering::Relaxed);
}

pub(super) fn allow_lead(allowed: bool) {
    let mut state = sync::lock(&STATE);
    state.may_lead = allowed;
    let running = state.runtime.clone();
    drop(state);
    if let Some(running) = running {
        running.lead.allow(&running.interrupts, allowed);
    }
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
                lives = sync::wait(&running.lives.changed, &running.lives.state, lives, left);
            }
            true
        };
        // Nobody may be driving it, for the moment that a host's thread still has its claim.
        running.lead.end_claim();
        finished = wait_until(limit, &|lives| lives.count == 0);
        running.lead.stop(&running.interrupts);
        finished &= wait_until(Some(LAST_CALL), &|lives| lives.thread_ended);
    }
    sync::lock(&STATE).shutting_down = false;
    finished
}
