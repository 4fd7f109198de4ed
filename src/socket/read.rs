//! Reading a synchronous socket: the host's thread receives for itself.

use super::{
    Socket, State,
    core::Core,
    deadline,
    receive::{Goal, Stopped},
};
use crate::{
    error::{Code, Error, Result},
    protocol::Message,
    sync::{Arc, MutexGuard, lock},
    sys::{self, Bell, Instant, Interest},
};
use std::time::Duration;

/// How long a read waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Not at all.
    No,
    /// So long.
    For(Duration),
    /// Until a message comes or the connection ends.
    Forever,
}

/// What a reader does with the next message once it has seen it.
pub(crate) enum Peek<T> {
    /// Takes it out of the queue.
    Take(T),
    /// Leaves it for the next.
    Leave(T),
}

impl Core {
    /// Wakes a waiting reader for what its socket does not tell: messages, and what was received and not decoded.
    pub(super) fn hand_on(&mut self) {
        if !self.inbox.is_empty() || (self.is_reading() && self.has_received()) {
            self.readers.ring_one();
        }
    }
}

impl Socket {
    /// Looks at the next message, waiting for it if need be, and takes or leaves it.
    ///
    /// Returns `None` where there is none in time.
    pub fn read<T>(
        self: &Arc<Self>,
        wait: Wait,
        peek: impl FnOnce(&Message) -> Peek<T>,
    ) -> Result<Option<T>> {
        self.check_synchronous()?;
        let until = match wait {
            Wait::No => None,
            Wait::For(limit) => deadline(Some(limit)),
            Wait::Forever => None,
        };
        let mut bell: Option<Arc<Bell>> = None;
        let mut core = lock(&self.core);
        let mut tries = core.is_to_come_back(self);
        loop {
            if core.released {
                return Err(core.cancelled(self));
            }
            let now = sys::now();
            if core.inbox.is_empty() {
                // The host has had the time to answer what came before.
                core.fail_now(self);
            }
            let more = core.inbox.is_empty()
                && core.receive(self, Goal::Message) == Stopped::Enough
                && core.inbox.is_empty();
            if core.handover.used(now) {
                self.service.notify_one();
            }
            if !core.inbox.is_empty() {
                return Ok(self.take_message(&mut core, peek));
            }
            core.come_back(self, &mut tries);
            if core.state == State::Closed {
                return Err(core.tell_end(self));
            }
            let expired = match wait {
                Wait::No => true,
                Wait::For(_) => until.is_some_and(|until| now >= until),
                Wait::Forever => false,
            };
            if expired {
                core.hand_on();
                return Ok(None);
            }
            if more {
                // A piece of a large message: let others have the lock in between.
                drop(core);
                core = lock(&self.core);
                continue;
            }
            let bell = match &bell {
                Some(bell) => bell,
                None => bell.insert(self.bell()?),
            };
            core = self.wait_for_message(core, bell, until)?;
        }
    }

    /// Sleeps until the stream has something, or somebody rings.
    fn wait_for_message<'a>(
        self: &'a Arc<Self>,
        mut core: MutexGuard<'a, Core>,
        bell: &Arc<Bell>,
        until: Option<Instant>,
    ) -> Result<MutexGuard<'a, Core>> {
        // While it is being closed by the peer, or before it is open, only the bell tells.
        let socket = match &core.link {
            Some(link) if core.is_reading() => Some(link.stream.socket().clone()),
            _ => None,
        };
        core.readers.push(bell);
        if core.handover.begin_wait(sys::now()) {
            self.service.notify_one();
        }
        drop(core);
        let waited = sys::wait(socket.as_deref(), Interest::Read, bell, until);
        let mut core = lock(&self.core);
        core.readers.remove(bell);
        if core.handover.end_wait(sys::now()) {
            self.service.notify_one();
        }
        if let Err(error) = waited {
            // Somebody may have rung here for a message that the next reader can have.
            core.hand_on();
            return Err(Error::io("cannot wait", &error).of(&self.name));
        }
        Ok(core)
    }

    /// Shows the first message to the reader.
    fn take_message<T>(
        &self,
        core: &mut MutexGuard<'_, Core>,
        peek: impl FnOnce(&Message) -> Peek<T>,
    ) -> Option<T> {
        let message = core.inbox.front()?;
        let result = match peek(message) {
            Peek::Leave(value) => Some(value),
            Peek::Take(value) => {
                let length = message.data.len();
                core.inbox.pop_front();
                if core.inbox.is_empty() && core.inbox.capacity() > 64 {
                    core.inbox.shrink_to(0);
                }
                // The host is reading, so that it will receive for itself; the service task needs
                // no word (see `Handover`).
                self.received.remove(length);
                Some(value)
            }
        };
        core.hand_on();
        result
    }

    fn check_synchronous(&self) -> Result<()> {
        match self.is_callback() {
            false => Ok(()),
            true => Err(Error::new(
                Code::CallbackSocket,
                "its messages go to its callback; SocketRead and SocketAvailable are for \
                 synchronous sockets",
            )
            .of(&self.name)),
        }
    }
}
