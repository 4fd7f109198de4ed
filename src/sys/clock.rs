//! Time, behind a few names so that the model checker can have its own.

pub(crate) use std::time::Instant;
use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::Sleep;

/// The time.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// A timer of the runtime's, or of the thread that drives a future alone. It is set again and again, mostly to later times:
/// it then stays as it is and fires early, which costs less than moving it at every message.
#[derive(Default)]
pub(crate) struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    /// Waits until `at` at the latest (`None`: until it fires for an earlier `at`, or for ever).
    pub async fn until(&mut self, at: Option<Instant>) {
        let Some(at) = at else {
            return std::future::pending().await;
        };
        // Set again where the wait for another time was given up, not each time that it is polled.
        let mut is_set = false;
        poll_fn(|context| {
            #[cfg(unix)]
            if let Some(outcome) = super::unix::poll_until(at) {
                return outcome;
            }
            self.poll_sleep(context, at.into(), std::mem::replace(&mut is_set, true))
        })
        .await;
    }

    fn poll_sleep(
        &mut self,
        context: &mut Context<'_>,
        at: tokio::time::Instant,
        is_set: bool,
    ) -> Poll<()> {
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        if !is_set && (sleep.is_elapsed() || sleep.deadline() > at) {
            sleep.as_mut().reset(at);
        }
        sleep.as_mut().poll(context)
    }
}

/// What the future gives, if it does within this time (`None`: without limit).
pub(crate) async fn within<T>(
    limit: Option<Duration>,
    future: impl Future<Output = T>,
) -> Option<T> {
    let mut timer = Timer::default();
    tokio::select! {
        biased;
        outcome = future => Some(outcome),
        () = timer.until(limit.and_then(|limit| now().checked_add(limit))) => None,
    }
}
