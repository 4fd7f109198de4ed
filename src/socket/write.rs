//! Writing: the host's thread sends for itself.

use super::{Socket, State, deadline, outbox::Outgoing};
use crate::{
    error::{Code, Error, Result},
    events,
    protocol::Kind,
    sync::{Arc, Ordering, lock},
    sys::{self, Bell, Interest},
};

impl Socket {
    /// Whether a message of this length may be sent. Asked before the message is looked at: the
    /// length may be nonsense.
    pub fn check_length(&self, length: usize) -> Result<()> {
        let limit = self.max_message.load(Ordering::Relaxed);
        match length <= limit {
            true => Ok(()),
            false => Err(Error::new(
                Code::TooBig,
                format!(
                    "a message of {length} bytes is larger than MAX_MESSAGE_BYTES ({limit}) allows"
                ),
            )
            .of(&self.name)),
        }
    }

    /// Sends a message, or queues it where the system takes no more. Waits for room up to
    /// `WRITE_TIMEOUT_MS`, but never inside a callback.
    ///
    /// The caller has checked its length, and that a text message is valid UTF-8.
    pub fn write(self: &Arc<Self>, kind: Kind, payload: &[u8]) -> Result<()> {
        let mut until = None;
        let mut bell: Option<Arc<Bell>> = None;
        let mut core = self.come_back(lock(&self.core))?;
        loop {
            if core.released {
                return Err(core.cancelled(self));
            }
            match core.state {
                State::Connecting if core.is_coming_back() => {}
                State::Connecting => {
                    return Err(
                        Error::new(Code::NotOpen, "the connection is not open yet").of(&self.name)
                    );
                }
                State::Open if core.broken.is_none() => {}
                _ => {
                    core.again.is_told = true;
                    return Err(core.ended(self, Code::Closed));
                }
            }
            if !core.has_room() {
                core.flush(self);
            }
            if core.has_room() && core.state == State::Connecting {
                core.keep(kind, payload);
                return Ok(());
            }
            if core.has_room() {
                return match core.compression(payload.len()) {
                    None => self.send(&mut core, &Outgoing::plain(kind, payload)),
                    Some(compression) => self.write_compressed(core, &compression, kind, payload),
                };
            }
            if core.broken.is_some() || !(core.state == State::Open || core.is_coming_back()) {
                continue;
            }
            if !core.is_flushed() {
                self.service.notify_one();
            }
            let expired = events::in_callback() || {
                let until =
                    *until.get_or_insert_with(|| deadline(Some(core.settings.write_timeout)));
                until.is_some_and(|until| sys::now() >= until)
            };
            if expired {
                core.tell_writable = self.is_callback();
                let limit = core.settings.send_queue;
                let what =
                    format!("the send queue is full ({limit} bytes) and the server is not reading");
                return Err(Error::new(Code::SendQueueFull, what).of(&self.name));
            }
            let bell = match &bell {
                Some(bell) => bell,
                None => bell.insert(self.bell()?),
            };
            core.writers.push(bell);
            drop(core);
            let waited = sys::wait(None, Interest::Nothing, bell, until.flatten());
            core = lock(&self.core);
            core.writers.remove(bell);
            waited.map_err(|error| Error::io("cannot wait", &error).of(&self.name))?;
        }
    }

    /// Hands the message to the system or the queue.
    pub(super) fn send(self: &Arc<Self>, core: &mut super::Core, message: &Outgoing) -> Result<()> {
        let Some(link) = &mut core.link else {
            return Err(core.ended(self, Code::Closed));
        };
        let was_flushed = link.is_flushed();
        let result = link.outbox.message(&mut link.stream, message);
        let is_flushed = link.is_flushed();
        if core.check_sent(self, result).is_none() {
            return Err(core.ended(self, Code::Closed));
        }
        core.counters.messages_out += 1;
        core.counters.bytes_out += message.length as u64;
        if was_flushed && !is_flushed {
            // From here on the service task waits for the system to take more.
            self.service.notify_one();
        }
        Ok(())
    }
}
