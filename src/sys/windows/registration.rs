//! A socket's place in the runtime's reactor, for as long as the service task waits on it.
//!
//! tokio takes a stream of its own here, so it gets a second handle of the socket, which is closed with the
//! registration.

use super::Socket;
use crate::sys::Interests;
use std::{
    io,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::{
    io::{Interest, Ready},
    net::TcpStream,
};

/// The registration; dropping it ends it.
pub(crate) struct Registration {
    stream: TcpStream,
    /// What the reactor was asked to watch.
    pub interests: Interests,
}

impl Registration {
    /// Registers the socket. Must be called on the runtime.
    pub fn new(socket: &Arc<Socket>, interests: Interests) -> io::Result<Self> {
        let stream = TcpStream::from_std(socket.duplicate()?)?;
        Ok(Registration { stream, interests })
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
        let ready = self.stream.ready(wanted.tokio()).await?;
        self.drive(ready, drive);
        Ok(())
    }

    /// Inside `try_io`, which notes the readiness before and clears that, and asks the system for the next, where the
    /// closure says that it was blocked.
    fn drive(&self, ready: Ready, drive: impl FnOnce(Interests) -> Interests) {
        let ready = Interests {
            read: ready.is_readable(),
            write: ready.is_writable(),
        };
        let mut drive = Some(drive);
        let mut blocked = Interests {
            read: false,
            write: false,
        };
        let mut run = || {
            if let Some(drive) = drive.take() {
                blocked = drive(ready);
            }
            blocked
        };
        match (ready.read, ready.write) {
            (true, true) => {
                let _ = self.stream.try_io(Interest::READABLE, || {
                    let _ = self
                        .stream
                        .try_io(Interest::WRITABLE, || would_block(run().write));
                    would_block(run().read)
                });
            }
            (true, false) => {
                let _ = self
                    .stream
                    .try_io(Interest::READABLE, || would_block(run().read));
            }
            (false, true) => {
                let _ = self
                    .stream
                    .try_io(Interest::WRITABLE, || would_block(run().write));
            }
            (false, false) => {}
        }
    }
}

/// How a connection attempt waits for its socket.
pub(crate) struct Watch(Registration);

impl Watch {
    /// Begins to watch. Must be called on the runtime.
    pub fn new(socket: &Arc<Socket>) -> io::Result<Self> {
        Registration::new(socket, Interests::BOTH).map(Watch)
    }

    /// Calls `connected` once it can be.
    pub fn poll_connected(
        &self,
        context: &mut Context<'_>,
        connected: impl FnOnce() -> io::Result<()>,
    ) -> Poll<io::Result<()>> {
        ready!(self.0.stream.poll_write_ready(context))?;
        Poll::Ready(connected())
    }

    /// Calls `recv` when it can be, until it does not block. (The system tells of no arrival before a call has blocked: how
    /// much room there was does not matter.)
    pub fn poll_recv(
        &self,
        context: &mut Context<'_>,
        _room: usize,
        mut recv: impl FnMut() -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.stream.poll_read_ready(context))?;
            match self.0.stream.try_io(Interest::READABLE, &mut recv) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }

    /// Calls `send` when it can be, until it does not block.
    pub fn poll_send(
        &self,
        context: &mut Context<'_>,
        mut send: impl FnMut() -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.stream.poll_write_ready(context))?;
            match self.0.stream.try_io(Interest::WRITABLE, &mut send) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }

    /// The place in the reactor, for who goes on with the socket there.
    pub fn into_registration(self) -> Option<Registration> {
        Some(self.0)
    }
}

fn would_block(is_blocked: bool) -> io::Result<()> {
    match is_blocked {
        true => Err(io::ErrorKind::WouldBlock.into()),
        false => Ok(()),
    }
}
