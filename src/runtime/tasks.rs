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
    time::Duration,
};
use tokio::time::{Sleep, sleep};

/// So many run at most before the reactor is looked at.
const BATCH: usize = 64;

/// So many run at most when a drive is over: with none, threads that dispatch for a moment each, and wake each other, would
/// pass the lead on without anything being done.
const LAST: usize = 8;

/// After so many drives that have ended without a look at the reactor, it is looked at: whoever floods one connection must not
/// hide what comes on the others, nor stop the clock.
const BLIND: u32 = 16;

/// For so long tasks that may wait are gathered.
const SOON: Duration = Duration::from_millis(5);

/// When whoever drives looks at the tasks that may wait.
type Again = Option<Pin<Box<Sleep>>>;

/// The tasks of one runtime.
#[derive(Default)]
pub(super) struct Tasks {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Those that are to run.
    queue: VecDeque<Runnable>,
    /// Those that may wait for a moment.
    soon: Vec<Runnable>,
    /// Whoever drives looks at `soon` again by itself.
    looks_again: bool,
    /// So many drives have ended since the reactor was last looked at.
    blind: u32,
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
        self.task(future).schedule();
    }

    /// The same, for a task that may wait for a moment: the driver is woken once for all that come within it.
    #[cfg(unix)]
    pub fn spawn_soon(self: &Arc<Self>, future: impl Future<Output = ()> + Send + 'static) {
        let runnable = self.task(future);
        let mut state = sync::lock(&self.state);
        if state.closed {
            drop(state);
            return;
        }
        state.soon.push(runnable);
        if state.looks_again {
            return;
        }
        let driver = state.driver.clone();
        drop(state);
        if let Some(driver) = driver {
            driver.wake();
        }
    }

    /// How many are to run.
    #[cfg(unix)]
    pub fn backlog(&self) -> usize {
        let state = sync::lock(&self.state);
        state.queue.len() + state.soon.len()
    }

    fn task(self: &Arc<Self>, future: impl Future<Output = ()> + Send + 'static) -> Runnable {
        let task = Task {
            future,
            begun: None,
            tasks: self.clone(),
        };
        let tasks = self.clone();
        let (runnable, task) = async_task::spawn(task, move |runnable| tasks.schedule(runnable));
        task.detach();
        runnable
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

    /// Runs tasks until `until` is ready, and a few of those that wait then; until `spin` it does not sleep.
    pub async fn run(&self, until: impl Future<Output = ()>, mut spin: Option<Instant>) {
        let mut until = pin!(until);
        let mut again = None;
        let mut is_over = false;
        let drive = poll_fn(|context| {
            for _ in 0..BATCH {
                if !is_over && until.as_mut().poll(context).is_ready() {
                    is_over = true;
                    if self.run_last() {
                        // The reactor is looked at, without waiting.
                        context.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                }
                if is_over {
                    return Poll::Ready(());
                }
                let Some(runnable) = self.next(context, &mut again) else {
                    if spin.take_if(|until| sys::now() >= *until).is_none() && spin.is_some() {
                        // The reactor is looked at, without waiting.
                        context.waker().wake_by_ref();
                    }
                    return Poll::Pending;
                };
                run(runnable);
            }
            context.waker().wake_by_ref();
            Poll::Pending
        });
        tokio::task::unconstrained(drive).await;
    }

    /// For one whose drive is over: runs a few of the tasks that wait. Another may drive already, and is not disturbed.
    /// True if it is time to look at the reactor: many drives have ended before they came to that.
    fn run_last(&self) -> bool {
        let mut state = sync::lock(&self.state);
        let soon = std::mem::take(&mut state.soon);
        state.queue.extend(soon);
        // Not those that come meanwhile: a task that always has more to do would be one of them.
        let count = state.queue.len().min(LAST);
        let last: Vec<Runnable> = state.queue.drain(..count).collect();
        state.blind += 1;
        let is_time = state.blind >= BLIND;
        if is_time {
            state.blind = 0;
        }
        drop(state);
        last.into_iter().for_each(run);
        is_time
    }

    /// The next task; where there is none, the driver is woken for the next. `again`: when to look at those that may wait.
    fn next(&self, context: &mut Context<'_>, again: &mut Again) -> Option<Runnable> {
        let mut state = sync::lock(&self.state);
        state.take_soon(context, again);
        let next = state.queue.pop_front();
        if next.is_none() {
            state.blind = 0;
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
        let soon = std::mem::take(&mut state.soon);
        drop(state);
        drop((queue, soon));
    }
}

impl State {
    /// Takes the tasks that may wait: the first at once, those that come after it together.
    fn take_soon(&mut self, context: &mut Context<'_>, again: &mut Again) {
        let is_due = match again {
            Some(sleep) => sleep.as_mut().poll(context).is_ready(),
            // Whoever was to look again may have ended its drive.
            None => self.looks_again || !self.soon.is_empty(),
        };
        if is_due {
            self.looks_again = !self.soon.is_empty();
            self.queue.extend(self.soon.drain(..));
            *again = self.looks_again.then(|| Box::pin(sleep(SOON)));
            if let Some(sleep) = again {
                // Not over yet: this is how it comes to wake the driver.
                let _ = sleep.as_mut().poll(context);
            }
        }
    }
}

/// Runs a task. One that panics has ended; what it stood for hears of it when it is dropped.
fn run(runnable: Runnable) {
    let _ = catch_unwind(AssertUnwindSafe(|| runnable.run()));
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
    fn a_drive_that_is_over_before_it_begins_gets_something_done() {
        let tasks = Arc::new(Tasks::default());
        let (sender, receiver) = mpsc::channel();
        for number in 0..20 {
            let sender = sender.clone();
            tasks.spawn(async move { sender.send(number).unwrap() });
        }
        for _ in 0..3 {
            block_on(tasks.run(async {}, None));
        }
        assert_eq!(
            receiver.try_iter().collect::<Vec<_>>(),
            Vec::from_iter(0..20)
        );
    }

    #[test]
    #[cfg(unix)]
    fn a_task_that_never_rests_hides_nothing() {
        let tasks = Arc::new(Tasks::default());
        let (sender, receiver) = mpsc::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        tasks.spawn(async {
            loop {
                crate::runtime::yield_now().await;
            }
        });
        let timer = sender.clone();
        tasks.spawn(async move {
            sleep(Duration::from_millis(1)).await;
            timer.send("time").unwrap();
        });
        tasks.spawn_soon(async move { sender.send("soon").unwrap() });
        // Drives that are over before they begin, as a flood makes them.
        let begun = sys::now();
        let mut got = Vec::new();
        while got.len() < 2 && sys::now() - begun < Duration::from_secs(20) {
            runtime.block_on(tasks.run(async {}, None));
            got.extend(receiver.try_iter());
        }
        assert_eq!(got, ["soon", "time"]);
        // And one that goes on.
        let (sender, receiver) = tokio::sync::oneshot::channel();
        tasks.spawn_soon(async move { sender.send(()).unwrap() });
        runtime.block_on(tasks.run(async { receiver.await.unwrap() }, None));
        tasks.close();
    }

    #[test]
    #[cfg(unix)]
    fn tasks_that_may_wait_begin_together() {
        let tasks = Arc::new(Tasks::default());
        let (sender, receiver) = mpsc::channel();
        let spawn = |number| {
            let sender = sender.clone();
            tasks.spawn_soon(async move { sender.send(number).unwrap() });
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let run = |until: Pin<Box<dyn Future<Output = ()>>>| {
            runtime.block_on(tasks.run(until, None));
        };
        spawn(1);
        run(Box::pin(async {
            crate::runtime::yield_now().await;
            crate::runtime::yield_now().await;
            // The first has begun; from now on they wait.
            assert_eq!(receiver.try_recv(), Ok(1));
            spawn(2);
            spawn(3);
            crate::runtime::yield_now().await;
            assert!(receiver.try_recv().is_err());
            sleep(10 * SOON).await;
            assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [2, 3]);
            spawn(4);
        }));
        // The next drive takes what the last one has left.
        run(Box::pin(async { sleep(Duration::ZERO).await }));
        run(Box::pin(crate::runtime::yield_now()));
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [4]);
        assert!(sync::lock(&tasks.state).soon.is_empty());
        spawn(5);
        tasks.close();
        spawn(6);
        assert_eq!(Arc::strong_count(&tasks), 1);
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
