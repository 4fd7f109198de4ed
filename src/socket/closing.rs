//! The host closes.

use super::{Socket, State};
use crate::{
    error::{Code, Error, Result},
    protocol::Close,
    sync::{Arc, lock},
};

impl Socket {
    /// Starts the closing handshake and keeps the connection: messages still arrive, then its end.
    pub fn close_with(self: &Arc<Self>, code: u16, reason: &str) -> Result<()> {
        let mut core = lock(&self.core);
        match core.state {
            State::Connecting => {
                Err(Error::new(Code::NotOpen, "the connection is not open yet").of(&self.name))
            }
            State::Open if core.broken.is_none() => {
                core.again.is_final = true;
                core.send_close(self, &Close::new(code, reason));
                drop(core);
                self.service.notify_one();
                Ok(())
            }
            _ => Err(core.ended(self, Code::Closed)),
        }
    }

    /// The host lets go of the name: nothing is told to it any more, calls that wait end, and the
    /// closing handshake goes on in the background. When this returns no callback of this
    /// connection, or of those that had its name before, starts any more.
    pub fn release(self: &Arc<Self>, code: u16) {
        let mut core = lock(&self.core);
        core.released = true;
        core.again.is_final = true;
        // What was promised comes before what may fail.
        core.inbox = Default::default();
        core.openers.ring_all();
        core.readers.ring_all();
        core.writers.ring_all();
        for source in std::mem::take(&mut core.predecessors) {
            super::events().discard(source);
        }
        super::events().discard(self.id);
        self.service.notify_one();
        if core.state == State::Open && core.broken.is_none() {
            core.send_close(self, &Close::new(code, ""));
        }
    }

    /// This connection takes the name of one that has ended: what was not read there is dropped.
    /// Events that were not delivered stay, and come before this one's.
    pub fn succeed(&self, ended: &Socket) {
        let mut old = lock(&ended.core);
        old.inbox = Default::default();
        old.again.is_final = true;
        ended.service.notify_one();
        let mut predecessors = std::mem::take(&mut old.predecessors);
        drop(old);
        predecessors.push(ended.id);
        predecessors.retain(|source| super::events().has_events(*source));
        lock(&self.core).predecessors = predecessors;
    }

    /// The attempt has failed and leaves no name behind: events of those that had the name before are
    /// still delivered, unless it was the host who closed it.
    pub fn give_up(self: &Arc<Self>) {
        let mut core = lock(&self.core);
        if !core.released {
            core.predecessors.clear();
        }
        drop(core);
        self.release(1000);
    }
}
