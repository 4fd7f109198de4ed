//! Writing: the host's thread sends for itself.

use super::{
    Core, Socket, State,
    core::Link,
    deadline,
    gather::ROUNDS,
    outbox::{MUCH, Outgoing, Rest, SHORT},
};
use crate::{
    error::{Code, Error, Result},
    events,
    protocol::Kind,
    sync::{Arc, MutexGuard, Ordering, lock, try_lock},
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
        let Some(mut core) = try_lock(&self.core) else {
            return self.write_in_company(kind, payload);
        };
        if !self.combining.is_wanted() && core.takes_at_once(payload.len()) {
            return self.write_short(&mut core, kind, payload);
        }
        self.write_message(core, kind, payload)
    }

    /// Another thread has the lock: it may be sending.
    #[cold]
    fn write_in_company(self: &Arc<Self>, kind: Kind, payload: &[u8]) -> Result<()> {
        /// Sleeping, and being woken, takes longer than a system call of the other's.
        const TRIES: usize = 100;

        for _ in 0..TRIES {
            if self.combining.leave(kind, payload) {
                return Ok(());
            }
            if let Some(core) = try_lock(&self.core) {
                return self.write_message(core, kind, payload);
            }
            std::hint::spin_loop();
        }
        self.write_message(lock(&self.core), kind, payload)
    }

    /// Sends a short message where there is nothing to think about: what most calls do.
    fn write_short(self: &Arc<Self>, core: &mut Core, kind: Kind, payload: &[u8]) -> Result<()> {
        let Some(link) = &mut core.link else {
            return Err(core.tell_end(self));
        };
        let result = link.outbox.short(&mut link.stream, kind, payload);
        let is_flushed = matches!(result, Ok(true));
        if core.check_sent(self, result).is_none() {
            return core.tell_unsent(self, kind, payload);
        }
        core.counters.messages_out += 1;
        core.counters.bytes_out += payload.len() as u64;
        if !is_flushed {
            core.note_full(self);
        }
        Ok(())
    }

    fn write_message<'a>(
        self: &'a Arc<Self>,
        mut core: MutexGuard<'a, Core>,
        kind: Kind,
        payload: &[u8],
    ) -> Result<()> {
        let mut until = None;
        let mut bell: Option<Arc<Bell>> = None;
        let mut compresses = true;
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
        let combines = !gathers && self.combining.is_wanted() && core.combines();
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
            let original = message.original.unwrap_or(message.payload);
            return core
                .tell_unsent(self, message.kind, original)
                .map(|()| None);
        };
        core.counters.messages_out += 1;
        core.counters.bytes_out += message.length as u64;
        if gathers {
            core.note_gathered(self);
        } else if core.gathered_until.is_some() {
            // This one does not wait, and so neither do those before it.
            core.send_gathered(self);
        } else if was_flushed && !is_flushed && rest.is_none() {
            core.note_full(self);
        }
        Ok(rest)
    }

    /// Sends the rest of a large message as the system takes it, without the lock: it is not copied, and the cache still
    /// has it. What the system does not take in a moment is queued. Meanwhile others queue what they write.
    fn send_rest(self: &Arc<Self>, seat: &Arc<sys::Socket>, mut rest: Rest<'_>) -> Result<()> {
        let until = sys::now() + LONGEST_SEAT;
        let mut sent = 0;
        let result = loop {
            let (bytes, more) = rest.next();
            if bytes.is_empty() {
                break Ok(());
            }
            match seat.send_waiting(bytes, more) {
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
    /// Whether a short message goes to the system, whatever the options say and whoever writes: the connection is open,
    /// nothing waits, and nothing is to be done but to send.
    #[inline]
    fn takes_at_once(&self, length: usize) -> bool {
        let is_plain = |link: &Link| {
            let is_compressed =
                link.compression.is_some() && length >= self.settings.compression_min;
            !is_compressed && link.is_flushed()
        };
        length <= SHORT
            && self.state == State::Open
            && self.broken.is_none()
            && !self.released
            && !self.corked
            && self.link.as_ref().is_some_and(is_plain)
            && !events::in_callback()
    }

    /// The system has not taken all of a message, so that the peer cannot have it.
    #[cold]
    fn tell_unsent(&mut self, socket: &Arc<Socket>, kind: Kind, payload: &[u8]) -> Result<()> {
        match self.is_coming_back(socket) {
            true => {
                self.keep(kind, payload);
                Ok(())
            }
            false => Err(self.tell_end(socket)),
        }
    }

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
