//! A socket's place in the runtime's reactor, for as long as the service task waits on it.
//!
//! It watches the socket's own descriptor, so that an idle connection costs one, not two.

use super::Socket;
use crate::sys::Interests;
use std::{
    io,
    os::fd::{AsRawFd, RawFd},
    sync::Arc,
};
use tokio::io::unix::AsyncFd;

pub(super) struct Watched(Arc<Socket>);

impl AsRawFd for Watched {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// The registration; dropping it ends it.
pub(crate) struct Registration {
    pub(super) fd: AsyncFd<Watched>,
    /// What the reactor was asked to watch.
    pub interests: Interests,
}

impl Registration {
    /// Registers the socket. Must be called on the runtime.
    pub fn new(socket: &Arc<Socket>, interests: Interests) -> io::Result<Self> {
        // SAFETY: `Watched` owns a share of the socket, so that its descriptor stays open and the same
        // until the `AsyncFd`, which is never taken apart, has been dropped.
        let fd =
            unsafe { AsyncFd::register_with_interest(Watched(socket.clone()), interests.tokio()) }?;
        Ok(Registration { fd, interests })
    }

    /// Waits until the socket is ready for one of the wanted things, then lets `drive` use it.
    ///
    /// `drive` gets what is ready and says for what it found the socket blocked. The readiness that
    /// was seen *before* it ran is then cleared, so that an arrival in between is not lost.
    pub async fn ready(
        &self,
        wanted: Interests,
        drive: impl FnOnce(Interests) -> Interests,
    ) -> io::Result<()> {
        let mut guard = self.fd.ready(wanted.tokio()).await?;
        let ready = guard.ready();
        let blocked = drive(Interests {
            read: ready.is_readable(),
            write: ready.is_writable(),
        });
        if blocked.read {
            guard.clear_ready_matching(tokio::io::Ready::READABLE);
        }
        if blocked.write {
            guard.clear_ready_matching(tokio::io::Ready::WRITABLE);
        }
        Ok(())
    }
}
