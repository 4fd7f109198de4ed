//! The tasks of the runtime: tokio supplies the reactor and the timers, the tasks are run here, inside the one future
//! that whoever drives the runtime drives.
//!
//! Tasks of tokio's own would cost a system call more for each event: when a task has woken that one future, tokio looks
//! at the reactor once more before it comes back to it.
//!
//! Nothing here may leave a wake-up for when tokio next looks at the reactor, as `tokio::task::yield_now` and an exhausted
//! budget (`tokio::task::coop`) do: a drive may end before, and tokio forgets it then.

use crate::{
    sync::{self, Mutex},
    sys::{self, Instant},
};
use async_task::Runnable;
use pin_project_lite::pin_project;
use std::{
    collections::{HashMap, VecDeque},
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Waker},
};

/// So many run at most before the reactor is looked at.
const BATCH: usize = 64;

/// The tasks of one runtime.
#[derive(Default)]
pub(super) struct Tasks {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Those that are to run.
    queue: VecDeque<Runnable>,
    /// Wakes whoever drives.
    driver: Option<Waker>,
    /// Every task that has begun, to be woken at the end.
    begun: HashMap<u64, Waker>,
    next: u64,
    closed: bool,
}

impl Tasks {
    /// Has a task run. It is dropped where the runtime has ended.
    pub fn spawn(self: &Arc<Self>, future: impl Future<Output = ()> + Send + 'static) {
        let task = Task {
            future,
            begun: None,
            tasks: self.clone(),
        };
        let tasks = self.clone();
        let (runnable, task) = async_task::spawn(task, move |runnable| tasks.schedule(runnable));
        task.detach();
        runnable.schedule();
    }

    fn schedule(&self, runnable: Runnable) {
        let mut state = sync::lock(&self.state);
        if state.closed {
            // Not under the lock: this runs destructors.
            drop(state);
            return;
        }
        state.queue.push_back(runnable);
        let driver = state.driver.clone();
        drop(state);
        if let Some(driver) = driver {
            driver.wake();
        }
    }

    /// Runs tasks until `until` is ready; until `spin` it does not sleep.
    pub async fn run(&self, until: impl Future<Output = ()>, mut spin: Option<Instant>) {
        let mut until = pin!(until);
        let drive = poll_fn(|context| {
            if until.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            for _ in 0..BATCH {
                let Some(runnable) = self.next(context) else {
                    if spin.take_if(|until| sys::now() >= *until).is_none() && spin.is_some() {
                        // The reactor is looked at, without waiting.
                        context.waker().wake_by_ref();
                    }
                    return Poll::Pending;
                };
                // A task that panics has ended; what it stood for hears of it when it is dropped.
                let _ = catch_unwind(AssertUnwindSafe(|| runnable.run()));
                if until.as_mut().poll(context).is_ready() {
                    return Poll::Ready(());
                }
            }
            context.waker().wake_by_ref();
            Poll::Pending
        });
        tokio::task::unconstrained(drive).await;
    }

    /// The next task; where there is none, the driver is woken for the next.
    fn next(&self, context: &Context<'_>) -> Option<Runnable> {
        let mut state = sync::lock(&self.state);
        let next = state.queue.pop_front();
        if next.is_none() {
            match &mut state.driver {
                Some(driver) => driver.clone_from(context.waker()),
                none => *none = Some(context.waker().clone()),
            }
        }
        next
    }

    /// Drops all tasks. Nobody drives any more.
    pub fn close(&self) {
        let mut state = sync::lock(&self.state);
        // Each begun one once more, to be dropped.
        let begun: Vec<Waker> = state.begun.drain().map(|(_, waker)| waker).collect();
        drop(state);
        for waker in begun {
            waker.wake();
        }
        state = sync::lock(&self.state);
        state.closed = true;
        state.driver = None;
        let queue = std::mem::take(&mut state.queue);
        drop(state);
        drop(queue);
    }
}

pin_project! {
    /// A task that can be found, to be ended, until it has finished.
    struct Task<F> {
        #[pin]
        future: F,
        begun: Option<Begun>,
        tasks: Arc<Tasks>,
    }
}

impl<F: Future<Output = ()>> Future for Task<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let task = self.project();
        task.begun
            .get_or_insert_with(|| Begun::new(task.tasks, context.waker()));
        task.future.poll(context)
    }
}

/// A task that has begun, for as long as it exists.
struct Begun {
    tasks: Arc<Tasks>,
    number: u64,
}

impl Begun {
    fn new(tasks: &Arc<Tasks>, waker: &Waker) -> Self {
        let mut state = sync::lock(&tasks.state);
        let number = state.next;
        state.next += 1;
        state.begun.insert(number, waker.clone());
        Begun {
            tasks: tasks.clone(),
            number,
        }
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        let waker = sync::lock(&self.tasks.state).begun.remove(&self.number);
        drop(waker);
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn block_on(future: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread();
        { runtime }.build().unwrap().block_on(future);
    }

    #[test]
    fn tasks_run_also_when_one_panics() {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let tasks = Arc::new(Tasks::default());
        let (sender, receiver) = mpsc::channel();
        for number in 0..200 {
            let sender = sender.clone();
            tasks.spawn(async move {
                crate::runtime::yield_now().await;
                assert!(number % 3 != 0, "on purpose");
                sender.send(number).unwrap();
            });
        }
        drop(sender);
        let mut got = Vec::new();
        block_on(tasks.run(
            poll_fn(|context| {
                loop {
                    match receiver.try_recv() {
                        Ok(number) => got.push(number),
                        Err(mpsc::TryRecvError::Disconnected) => return Poll::Ready(()),
                        Err(mpsc::TryRecvError::Empty) => break,
                    }
                }
                context.waker().wake_by_ref();
                Poll::Pending
            }),
            None,
        ));
        std::panic::set_hook(hook);
        let expected: Vec<i32> = (0..200).filter(|number| number % 3 != 0).collect();
        assert_eq!(got, expected);
        assert!(sync::lock(&tasks.state).begun.is_empty());
    }

    #[test]
    fn closing_drops_what_waits_and_what_has_not_begun() {
        struct Dropped(mpsc::Sender<()>);
        impl Drop for Dropped {
            fn drop(&mut self) {
                self.0.send(()).unwrap();
            }
        }
        let tasks = Arc::new(Tasks::default());
        let (sender, receiver) = mpsc::channel();
        let spawn = || {
            let dropped = Dropped(sender.clone());
            tasks.spawn(async move {
                std::future::pending::<()>().await;
                drop(dropped);
            });
        };
        (0..3).for_each(|_| spawn());
        block_on(tasks.run(crate::runtime::yield_now(), None));
        spawn();
        assert!(receiver.try_recv().is_err());
        tasks.close();
        assert_eq!(receiver.try_iter().count(), 4);
        spawn();
        assert_eq!(receiver.try_iter().count(), 1);
        assert_eq!(Arc::strong_count(&tasks), 1);
    }
}
