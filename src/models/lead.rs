//! Who drives the runtime. The runtime itself is a token here that one thread at a time holds, and
//! that only its holder does work with.

use super::check;
use crate::{
    runtime::lead::{Driver, Lead},
    sync::{Arc, AtomicUsize, Condvar, Mutex, Ordering, lock, wait},
};
use shuttle::thread;

/// Stands for the runtime: work arrives, whoever drives does it.
#[derive(Default)]
struct Runtime {
    state: Mutex<State>,
    changed: Condvar,
    done: AtomicUsize,
}

#[derive(Default)]
struct State {
    driven: bool,
    work: usize,
    interrupt_service: bool,
    interrupt_host: bool,
}

impl Runtime {
    fn post(&self) {
        lock(&self.state).work += 1;
        self.changed.notify_all();
    }

    /// Drives, as `block_on` does: waits for the token, keeps it while there is nothing to do, and
    /// returns when it is to, with or without it.
    fn drive(&self, returns: impl Fn(&mut State, bool) -> bool) {
        let mut state = lock(&self.state);
        let mut holds = false;
        let mut worked = false;
        while !returns(&mut state, worked) {
            if !holds && !state.driven {
                state.driven = true;
                holds = true;
            } else if holds && state.work > 0 {
                state.work -= 1;
                drop(state);
                self.done.fetch_add(1, Ordering::SeqCst);
                worked = true;
                state = lock(&self.state);
            } else {
                state = wait(&self.changed, &self.state, state, None);
            }
        }
        if holds {
            state.driven = false;
            drop(state);
            self.changed.notify_all();
        }
    }
}

impl Driver for Runtime {
    fn interrupt_service(&self) {
        lock(&self.state).interrupt_service = true;
        self.changed.notify_all();
    }

    fn interrupt_host(&self) {
        lock(&self.state).interrupt_host = true;
        self.changed.notify_all();
    }
}

fn start() -> (Arc<Runtime>, Arc<Lead>, thread::JoinHandle<()>) {
    let runtime = Arc::new(Runtime::default());
    let lead = Arc::new(Lead::new(true));
    let service = thread::spawn({
        let (runtime, lead) = (runtime.clone(), lead.clone());
        move || {
            lead.serve(&*runtime, || {
                runtime.drive(|state, _| std::mem::take(&mut state.interrupt_service));
            });
        }
    });
    (runtime, lead, service)
}

#[test]
fn work_is_always_done_whoever_leads() {
    check(|| {
        let (runtime, lead, service) = start();
        let host = thread::spawn({
            let (runtime, lead) = (runtime.clone(), lead.clone());
            move || {
                for _ in 0..2 {
                    // Like a dispatch: until there was something, or it is told to return.
                    lead.lead(&*runtime, || {
                        runtime.drive(|state, worked| {
                            worked || std::mem::take(&mut state.interrupt_host)
                        });
                    });
                }
            }
        });
        for _ in 0..4 {
            runtime.post();
        }
        // Without a host's thread, and without its claim, the service thread must do it.
        while runtime.done.load(Ordering::SeqCst) < 4 {
            thread::yield_now();
        }
        lead.stop(&*runtime);
        service.join().unwrap();
        host.join().unwrap();
    });
}

#[test]
fn stopping_and_forbidding_get_a_waiting_host_out() {
    check(|| {
        let (runtime, lead, service) = start();
        let host = thread::spawn({
            let (runtime, lead) = (runtime.clone(), lead.clone());
            move || {
                while lead.lead(&*runtime, || {
                    runtime.drive(|state, _| std::mem::take(&mut state.interrupt_host));
                }) {}
            }
        });
        lead.allow(&*runtime, false);
        runtime.post();
        while runtime.done.load(Ordering::SeqCst) < 1 {
            thread::yield_now();
        }
        lead.allow(&*runtime, true);
        lead.stop(&*runtime);
        service.join().unwrap();
        host.join().unwrap();
    });
}
