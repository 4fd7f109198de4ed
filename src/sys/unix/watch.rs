//! How a connection attempt waits for its socket: with the runtime's reactor, or on a host's thread that drives the
//! attempt alone.

use super::{
    Registration, Socket,
    alone::{Alone, is_alone},
};
use crate::sys::Interests;
use std::{
    io,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// Says when the socket is ready.
pub(crate) enum Watch {
    Reactor(Registration),
    Alone(Alone),
}

impl Watch {
    /// Begins to watch. Must be called on the runtime, or where the attempt is driven alone.
    pub fn new(socket: &Arc<Socket>) -> io::Result<Self> {
        match is_alone() {
            true => Ok(Watch::Alone(Alone::new(socket))),
            false => Registration::new(socket, Interests::BOTH).map(Watch::Reactor),
        }
    }

    /// Calls `connected` once it can be.
    pub fn poll_connected(
        &self,
        context: &mut Context<'_>,
        connected: impl FnOnce() -> io::Result<()>,
    ) -> Poll<io::Result<()>> {
        match self {
            Watch::Reactor(registration) => {
                ready!(registration.fd.poll_write_ready(context))?.retain_ready();
            }
            Watch::Alone(alone) if alone.is_ready(true) => {}
            Watch::Alone(_) => return Poll::Pending,
        }
        Poll::Ready(connected())
    }

    /// Calls `recv` when it can be, until it does not block. `room`: so much it can take.
    pub fn poll_recv(
        &self,
        context: &mut Context<'_>,
        room: usize,
        mut recv: impl FnMut() -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            match self {
                Watch::Reactor(registration) => {
                    let mut guard = ready!(registration.fd.poll_read_ready(context))?;
                    if let Ok(result) = guard.try_io(|_| recv()) {
                        // Less than there was room for is all that there was.
                        if result
                            .as_ref()
                            .is_ok_and(|length| (1..room).contains(length))
                        {
                            guard.clear_ready();
                        }
                        return Poll::Ready(result);
                    }
                }
                Watch::Alone(alone) => {
                    if !alone.is_ready(false) {
                        return Poll::Pending;
                    }
                    match recv() {
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        result => return Poll::Ready(result),
                    }
                }
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
            match self {
                Watch::Reactor(registration) => {
                    let mut guard = ready!(registration.fd.poll_write_ready(context))?;
                    if let Ok(result) = guard.try_io(|_| send()) {
                        return Poll::Ready(result);
                    }
                }
                // There is room, nearly always.
                Watch::Alone(alone) => match send() {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        if !alone.is_ready(true) {
                            return Poll::Pending;
                        }
                    }
                    result => return Poll::Ready(result),
                },
            }
        }
    }

    /// The place in the reactor, for who goes on with the socket there.
    pub fn into_registration(self) -> Option<Registration> {
        match self {
            Watch::Reactor(registration) => Some(registration),
            Watch::Alone(_) => None,
        }
    }
}
