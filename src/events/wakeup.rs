//! The host's wake-up function: called from the runtime's thread, coalesced.

use super::Queue;
use crate::{
    host::{Hook, HostCall},
    runtime,
    sync::{Arc, AtomicBool, Mutex, Ordering, lock},
};

/// The wake-up function and whether a call of it is on its way.
#[derive(Default)]
pub(crate) struct Wakeup {
    /// Held while the function is exchanged.
    exchange: Mutex<()>,
    hook: Arc<Hook>,
    pending: Arc<AtomicBool>,
}

impl Wakeup {
    /// Has the function called soon, unless it is on its way already. Called under the queue's lock:
    /// only asks for it.
    pub(super) fn call(&self) {
        if !self.hook.is_set() || self.pending.swap(true, Ordering::SeqCst) {
            return;
        }
        let (hook, asked) = (self.hook.clone(), Asked(self.pending.clone()));
        runtime::spawn_detached(async move {
            // First: what arrives while the function runs asks for another call.
            drop(asked);
            hook.call(());
        });
    }
}

/// A call that is on its way, until it begins or the runtime drops it.
struct Asked(Arc<AtomicBool>);

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl<E> Queue<E> {
    /// Sets or removes the wake-up function. When this returns, the old one is not running and will
    /// not be called again.
    pub fn set_wakeup(&self, function: Option<Box<dyn HostCall>>) {
        // The function must not run inside a host's call: with one, no host's thread may drive the
        // runtime.
        let _exchange = lock(&self.wakeup.exchange);
        let is_set = function.is_some();
        if is_set {
            runtime::allow_lead(false);
        }
        self.wakeup.hook.set(function);
        if !is_set {
            runtime::allow_lead(true);
        }
        let state = lock(&self.state);
        if !state.ready.is_empty() {
            self.wakeup.call();
        }
    }
}
