//! Time, behind a few names so that the model checker can have its own.

use std::pin::Pin;
pub(crate) use std::time::Instant;
use tokio::time::Sleep;

/// The time.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// A timer of the runtime's that is set again and again, mostly to later times: it then stays as it
/// is and fires early, which costs less than moving it at every message.
#[derive(Default)]
pub(crate) struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    /// Waits until `at` at the latest (`None`: until it fires for an earlier `at`, or for ever).
    pub async fn until(&mut self, at: Option<Instant>) {
        let Some(at) = at.map(tokio::time::Instant::from_std) else {
            return std::future::pending().await;
        };
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        if sleep.is_elapsed() || sleep.deadline() > at {
            sleep.as_mut().reset(at);
        }
        sleep.as_mut().await;
    }
}
