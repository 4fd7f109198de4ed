//! Writing: the host's thread sends for itself.

use super::{
    Core, Socket, State,
    core::Link,
    deadline,
    gather::ROUNDS,
    outbox::{MUCH, Outgoing, Rest},
};
use crate::{
    error::{Code, Error, Result},
    events,
    protocol::Kind,
    sync::{Arc, Ordering, lock, try_lock},
    sys::{self, Bell, Interest},
};
use std::{io, time::Duration};

/// A thread stays with its large message for so long at most; then the rest is queued. Meanwhile nothing else goes
/// out, and that the ping before it has not been sent cannot be seen.
const LONGEST_SEAT: Duration = Duration::from_millis(100);

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
        let mut compresses = true;
        let mut core = match try_lock(&self.core) {
            Some(core) => core,
            None if self.combining.leave(kind, payload) => return Ok(()),
            None => lock(&self.core),
        };
        let mut tries = core.is_to_come_back(self);
        loop {
            if core.released {
                return Err(core.cancelled(self));
            }
            if tries && core.broken.is_some() && core.end_broken(self) {
                drop(core);
                core = lock(&self.core);
                continue;
            }
            core.come_back(self, &mut tries);
            let comes_back = core.is_coming_back(self);
            match core.state {
                _ if comes_back => {}
                State::Connecting => {
                    return Err(
                        Error::new(Code::NotOpen, "the connection is not open yet").of(&self.name)
                    );
                }
                State::Open if core.broken.is_none() => {}
                _ => return Err(core.tell_end(self)),
            }
            if !comes_back && !core.has_room() {
                core.flush(self);
                if core.broken.is_some() {
                    continue;
                }
            }
            // For a synchronous socket nobody else waits until it has come back.
            let waits = comes_back && !self.is_callback() && !events::in_callback();
            if core.has_room() && !waits {
                if comes_back {
                    core.keep(kind, payload);
                    return Ok(());
                }
                let Some(compression) = core.compression(payload.len()).filter(|_| compresses)
                else {
                    let seat = core.seat_for_sending(payload.len());
                    let message = Outgoing::plain(kind, payload);
                    let rest = self.send(&mut core, &message, seat.is_some())?;
                    drop(core);
                    return match (seat, rest) {
                        (Some(seat), Some(rest)) => self.send_rest(&seat, rest),
                        _ => Ok(()),
                    };
                };
                if let Some(result) = self.write_compressed(core, &compression, kind, payload) {
                    return result;
                }
                // The connection for which it was compressed is gone. Not twice: there may be another by now.
                compresses = false;
                core = lock(&self.core);
                continue;
            }
            if !waits {
                if !core.is_flushed() {
                    self.service.notify_one();
                }
                let expired = events::in_callback() || {
                    let until =
                        *until.get_or_insert_with(|| deadline(Some(core.settings.write_timeout)));
                    until.is_some_and(|until| sys::now() >= until)
                };
                if expired {
                    return Err(core.tell_full(self));
                }
            }
            let bell = match &bell {
                Some(bell) => bell,
                None => bell.insert(self.bell()?),
            };
            core.writers.push(bell);
            drop(core);
            let until = until.flatten().filter(|_| !waits);
            let waited = sys::wait(None, Interest::Nothing, bell, until);
            core = lock(&self.core);
            core.writers.remove(bell);
            waited.map_err(|error| Error::io("cannot wait", &error).of(&self.name))?;
        }
    }

    /// Hands the message to the system or the queue. With `may_leave` the caller may get what the system does not take
    /// at once, for [`Socket::send_rest`].
    pub(super) fn send<'a>(
        self: &Arc<Self>,
        core: &mut Core,
        message: &Outgoing<'a>,
        may_leave: bool,
    ) -> Result<Option<Rest<'a>>> {
        let gathers = core.gathers(self);
        let combines = !gathers && core.combines();
        let Some(link) = &mut core.link else {
            return Err(core.tell_end(self));
        };
        let was_flushed = link.is_flushed();
        if gathers {
            link.outbox.cork();
        } else if combines {
            self.combining.open();
        }
        let result = link.outbox.message(&mut link.stream, message, may_leave);
        link.outbox.uncork();
        let is_flushed = link.is_flushed();
        if combines {
            self.send_left(core, result.is_ok() && is_flushed);
        }
        let Some(rest) = core.check_sent(self, result) else {
            // The system has not taken all of it, so the peer cannot have it.
            return match core.is_coming_back(self) {
                true => {
                    core.keep(message.kind, message.original.unwrap_or(message.payload));
                    Ok(None)
                }
                false => Err(core.tell_end(self)),
            };
        };
        core.counters.messages_out += 1;
        core.counters.bytes_out += message.length as u64;
        if gathers {
            core.note_gathered(self);
        } else if core.gathered_until.is_some() {
            // This one does not wait, and so neither do those before it.
            core.send_gathered(self);
        } else if was_flushed && !is_flushed && rest.is_none() {
            // From here on the service task waits for the system to take more.
            self.service.notify_one();
        }
        Ok(rest)
    }

    /// Sends the rest of a large message as the system takes it, without the lock: it is not copied, and the cache still
    /// has it. What the system does not take in a moment is queued. Meanwhile others queue what they write.
    fn send_rest(self: &Arc<Self>, seat: &Arc<sys::Socket>, mut rest: Rest<'_>) -> Result<()> {
        let until = sys::now() + LONGEST_SEAT;
        let mut sent = 0;
        let result = loop {
            let bytes = rest.next();
            if bytes.is_empty() {
                break Ok(());
            }
            match seat.send_waiting(bytes) {
                Ok(length) => {
                    rest.sent(length);
                    sent += length;
                    if sys::now() >= until {
                        break Ok(());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        let mut core = lock(&self.core);
        let is_broken = core.broken.is_some();
        let is_same = |link: &&mut Link| Arc::ptr_eq(link.stream.socket(), seat);
        let outcome = match core.link.as_mut().filter(is_same) {
            Some(link) if is_broken || result.is_err() => {
                link.outbox.forget_rest();
                core.check_sent(self, result);
                Err(core.tell_end(self))
            }
            Some(link) => {
                link.outbox.take_back(sent, &mut rest);
                core.uncork(self);
                Ok(())
            }
            None if rest.remaining() == 0 => Ok(()),
            None => Err(core.tell_end(self)),
        };
        drop(core);
        rest.put_back();
        outcome
    }
}

impl Socket {
    /// Sends what other threads have left meanwhile, as long as the system takes it.
    fn send_left(self: &Arc<Self>, core: &mut Core, can_send: bool) {
        let mut rounds = if can_send { ROUNDS } else { 0 };
        loop {
            let batch = match rounds {
                0 => self.combining.close(),
                _ => match self.combining.next() {
                    Some(batch) => batch,
                    None => return,
                },
            };
            if let Some(link) = core.link.as_mut().filter(|_| !batch.messages.is_empty()) {
                let (count, size) = link.outbox.adopt(batch);
                core.counters.messages_out += count;
                core.counters.bytes_out += size;
                if can_send && !core.flush(self) {
                    // From here on the service task waits for the system to take more.
                    self.service.notify_one();
                    rounds = rounds.min(1);
                }
            }
            if rounds == 0 {
                return;
            }
            rounds -= 1;
        }
    }
}

impl Core {
    /// Whether other threads may leave their messages to this one: they get no word of what becomes of them, so that
    /// nothing may be to be done but to send them.
    fn combines(&self) -> bool {
        /// A send queue that has more room than threads leave.
        const LEAST: usize = 1 << 20;

        let is_plain = |link: &Link| link.compression.is_none() && link.is_flushed();
        self.link.as_ref().is_some_and(is_plain)
            && self.settings.send_queue >= LEAST
            && !self.may_reconnect()
    }

    /// The socket in whose send call the thread of a large message may wait, by itself: not in a callback, and not
    /// where another connection may have to send the message.
    fn seat_for_sending(&mut self, length: usize) -> Option<Arc<sys::Socket>> {
        if length < MUCH || events::in_callback() || self.may_reconnect() {
            return None;
        }
        self.link.as_mut()?.stream.seat()
    }

    /// There is no room for a message, and will be none in time.
    fn tell_full(&mut self, socket: &Socket) -> Error {
        self.tell_writable = socket.is_callback();
        let limit = self.settings.send_queue;
        let what = format!("the send queue is full ({limit} bytes) and the server is not reading");
        Error::new(Code::SendQueueFull, what).of(&socket.name)
    }
}
