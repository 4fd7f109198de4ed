//! Reading a synchronous socket: the host's thread receives for itself.

use super::{
    Socket, State,
    core::Core,
    deadline,
    receive::{Goal, IN_PLACE, Offer, Stopped},
};
use crate::{
    error::{Code, Error, Result},
    line::Entry,
    protocol::Kind,
    sync::{Arc, MutexGuard, lock},
    sys::{self, Bell, Instant, Interest},
};
use std::{io, time::Duration};

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

/// A reader does not wait in the system's receive call when it has less time than this: that call ends late.
const LEAST_TO_SIT: Duration = Duration::from_millis(50);

/// A reader that looks again and again does so by itself for so long at a time.
const SPIN_MOMENT: Duration = Duration::from_millis(10);

impl Core {
    /// Wakes a waiting reader for what its socket does not tell: messages, what was received and not decoded, and that
    /// nobody receives any more where it has left that to another.
    #[inline]
    pub(super) fn hand_on(&mut self) {
        if !self.readers.is_empty() {
            let is_left_alone = self.bell_only > 0 && !self.receiving;
            let has_received = self.is_reading() && self.has_received();
            if is_left_alone || has_received || !self.inbox.is_empty() {
                self.readers.ring_one();
            }
        }
    }

    /// Whether a message can be taken without a look at anything else: one waits, and the service task has not gone
    /// to sleep, so that it sees for itself when the host stops reading.
    fn has_message_at_hand(&self) -> bool {
        !self.inbox.is_empty() && !self.released && !self.stalled && !self.handover.is_asleep()
    }

    /// The socket in which a reader may wait by itself: nobody else is receiving or wants to, and there is nothing to
    /// do before. (With TLS more than the socket has to be asked.)
    fn seat(&mut self, socket: &Socket) -> Option<Arc<sys::Socket>> {
        let is_alone = !self.receiving && !self.receiver_awaited && self.readers.is_empty();
        if !is_alone || self.broken.is_some() || self.has_undecoded() || self.is_full(socket) {
            return None;
        }
        if !self.is_reading() {
            return None;
        }
        self.link.as_mut()?.stream.seat()
    }
}

fn is_blocked(received: &io::Result<usize>) -> bool {
    matches!(received, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

impl Socket {
    /// Looks at the next message, waiting for it if need be, and takes or leaves it.
    ///
    /// Returns `None` where there is none in time.
    pub fn read<T>(
        self: &Arc<Self>,
        wait: Wait,
        peek: impl FnOnce(Kind, &[u8]) -> Peek<T>,
    ) -> Result<Option<T>> {
        self.check_synchronous()?;
        let mut core = lock(&self.core);
        if core.has_message_at_hand() {
            return Ok(self.take_message(&mut core, peek));
        }
        self.receive_message(core, wait, peek)
    }

    fn receive_message<'a, T>(
        self: &'a Arc<Self>,
        mut core: MutexGuard<'a, Core>,
        wait: Wait,
        peek: impl FnOnce(Kind, &[u8]) -> Peek<T>,
    ) -> Result<Option<T>> {
        let until = match wait {
            Wait::No => None,
            Wait::For(limit) => deadline(Some(limit)),
            Wait::Forever => None,
        };
        let mut bell: Option<Arc<Bell>> = None;
        let mut peek = Some(peek);
        let mut sits = wait != Wait::No;
        let mut tries = core.is_to_come_back(self);
        // The host waits for an answer, perhaps.
        core.send_gathered(self);
        let mut spin = match core.settings.spin {
            Duration::ZERO => None,
            spin => deadline(Some(spin)),
        };
        loop {
            if core.released {
                return Err(core.cancelled(self));
            }
            let mut seen = None;
            let mut length = None;
            // A message that is received while it is waited for need not wait in the queue.
            let mut offer =
                |kind: Kind, bytes: &[u8]| match peek.take().map(|peek| peek(kind, bytes)) {
                    Some(Peek::Take(value)) => {
                        length = Some(bytes.len());
                        seen = Some(value);
                        true
                    }
                    Some(Peek::Leave(value)) => {
                        seen = Some(value);
                        false
                    }
                    None => false,
                };
            let mut offer: Offer<'_> = Some(&mut offer);
            let mut more = false;
            if core.inbox.is_empty() {
                // The host has had the time to answer what came before.
                core.fail_now(self);
                sits &= until.is_none_or(|until| {
                    until.saturating_duration_since(sys::now()) >= LEAST_TO_SIT
                });
                match core.seat(self).filter(|_| sits) {
                    Some(seat) => {
                        (core, sits) = self.sit(core, &seat, &mut offer, spin);
                        // The socket says nothing of what was too much for one time.
                        more = core.is_reading() && core.has_undecoded();
                    }
                    None => {
                        let stopped = core.receive(self, Goal::Message, &mut offer);
                        more = stopped == Stopped::Enough;
                    }
                }
            }
            if core.handover.used(sys::now()) {
                self.service.notify_one();
            }
            if let Some(length) = length {
                self.received.remove(length);
            }
            if let Some(value) = seen {
                core.hand_on();
                return Ok(Some(value));
            }
            if !core.inbox.is_empty()
                && let Some(peek) = peek.take()
            {
                return Ok(self.take_message(&mut core, peek));
            }
            core.come_back(self, &mut tries);
            // This thread may be the one that has received the answer to the close frame.
            if core.released {
                return Err(core.cancelled(self));
            }
            if core.state == State::Closed {
                return Err(core.tell_end(self));
            }
            let expired = match wait {
                Wait::No => true,
                Wait::For(_) => until.is_some_and(|until| sys::now() >= until),
                Wait::Forever => false,
            };
            if expired {
                core.hand_on();
                return Ok(None);
            }
            more |= spin.take_if(|until| sys::now() >= *until).is_none() && spin.is_some();
            if more {
                // A piece of a large message, or looking again: let others have the lock in between.
                drop(core);
                core = lock(&self.core);
                continue;
            }
            if sits && core.seat(self).is_some() {
                continue;
            }
            let bell = match &bell {
                Some(bell) => bell,
                None => bell.insert(self.bell()?),
            };
            core = self.wait_for_message(core, bell, until)?;
        }
    }

    /// Waits in the system's receive call, without the lock and for a moment only, and takes what comes: two system
    /// calls fewer than asking, waiting and asking again. Until this returns nobody else receives. Also says whether
    /// the moment had not passed. Until `spin` it does not wait there, but asks all the time.
    fn sit<'a>(
        self: &'a Arc<Self>,
        mut core: MutexGuard<'a, Core>,
        seat: &Arc<sys::Socket>,
        offer: &mut Offer<'_>,
        spin: Option<Instant>,
    ) -> (MutexGuard<'a, Core>, bool) {
        core.receiving = true;
        if core.handover.begin_wait() {
            self.service.notify_one();
        }
        // Much of a message that is to come goes to its place at once.
        let mut place = core
            .link
            .as_mut()
            .and_then(|link| link.decoder.take_place(IN_PLACE));
        drop(core);
        super::receive::with_buffer(|buffer| {
            let received = match spin {
                _ if place.is_some() => match &mut place {
                    Some((data, room)) => seat.recv_append_waiting(data, *room),
                    None => unreachable!("it is there"),
                },
                // For a moment as well: others must not wait for this thread for long.
                Some(spin) => {
                    let until = spin.min(sys::now() + SPIN_MOMENT);
                    loop {
                        let received = seat.recv(buffer);
                        if !is_blocked(&received) || sys::now() >= until {
                            break received;
                        }
                    }
                }
                None => seat.recv_waiting(buffer),
            };
            let mut core = lock(&self.core);
            core.receiving = false;
            if core.receiver_awaited {
                self.service.notify_one();
            }
            if core.handover.end_wait(sys::now()) {
                self.service.notify_one();
            }
            let is_over = is_blocked(&received) && spin.is_none();
            // The connection may have ended meanwhile, and another may have come up.
            let is_same = |link: &super::core::Link| Arc::ptr_eq(link.stream.socket(), seat);
            if core.link.as_ref().is_some_and(is_same) {
                let in_place = place.is_some();
                if let (Some(link), Some((data, _))) = (&mut core.link, place) {
                    link.decoder.give_back_place(data);
                }
                core.take_received(self, received, in_place, buffer, offer);
            }
            // Whoever has come since could not receive.
            core.readers.ring_one();
            (core, !is_over)
        })
    }

    /// Sleeps until the stream has something, or somebody rings.
    fn wait_for_message<'a>(
        self: &'a Arc<Self>,
        mut core: MutexGuard<'a, Core>,
        bell: &Arc<Bell>,
        until: Option<Instant>,
    ) -> Result<MutexGuard<'a, Core>> {
        // While it is being closed by the peer, before it is open, or while another thread receives, only the bell
        // tells.
        let another_receives = core.receiving;
        let socket = match &core.link {
            Some(link) if core.is_reading() && !another_receives => {
                Some(link.stream.socket().clone())
            }
            _ => None,
        };
        core.bell_only += usize::from(another_receives);
        core.readers.push(bell);
        if core.handover.begin_wait() {
            self.service.notify_one();
        }
        drop(core);
        let waited = sys::wait(socket.as_deref(), Interest::Read, bell, until);
        let mut core = lock(&self.core);
        core.readers.remove(bell);
        core.bell_only -= usize::from(another_receives);
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
        peek: impl FnOnce(Kind, &[u8]) -> Peek<T>,
    ) -> Option<T> {
        let (kind, data) = match core.inbox.first()? {
            Entry::Packed(kind, data) => (Kind::from_number(kind), data),
            Entry::Other(message) => (message.kind, &message.data[..]),
        };
        let length = data.len();
        let result = match peek(kind, data) {
            Peek::Leave(value) => Some(value),
            Peek::Take(value) => {
                core.inbox.drop_first();
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
