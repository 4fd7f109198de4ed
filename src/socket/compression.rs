//! Compressing what is written, and what an idle connection gives back.

use super::{
    Core, Socket, State,
    outbox::{OVERHEAD, Outgoing},
};
use crate::{
    error::Result,
    events,
    protocol::{Kind, deflate::Deflater},
    sync::{Arc, Mutex, MutexGuard, lock, thread_local, try_lock, with_local},
    sys::{self, Instant},
};
use std::{cell::RefCell, time::Duration};

/// How often is looked for what has come out of use.
const REST: Duration = Duration::from_millis(500);
/// A thread keeps a buffer of at most this for what it compresses.
const BUFFER: usize = 64 << 10;

thread_local! {
    static COMPRESSED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// What compresses the messages of one connection.
///
/// Its lock is taken before the connection's and held until the message is sent: the order in which messages
/// are compressed is the order in which they must arrive. Nothing waits for the peer under it.
pub(super) struct Compression(Mutex<Deflater>);

impl Compression {
    pub fn new(deflater: Deflater) -> Self {
        Compression(Mutex::new(deflater))
    }

    /// To compress. A callback does not wait for another thread's large message: `None` there, and its own
    /// goes uncompressed.
    fn lock(&self) -> Option<MutexGuard<'_, Deflater>> {
        match events::in_callback() {
            true => try_lock(&self.0),
            false => Some(lock(&self.0)),
        }
    }
}

impl Socket {
    /// Compresses and sends a message, for which there is room. Without the connection's lock, which others
    /// need meanwhile: the room is reserved. `None`: nothing is sent, because the connection has ended or is
    /// ending.
    pub(super) fn write_compressed(
        self: &Arc<Self>,
        mut core: MutexGuard<'_, Core>,
        compression: &Arc<Compression>,
        kind: Kind,
        message: &[u8],
    ) -> Option<Result<()>> {
        let cost = message.len() + OVERHEAD;
        core.reserved += cost;
        drop(core);
        let mut deflater = compression.lock();
        let compressed = deflater.as_mut().map(|deflater| {
            let mut buffer = with_local(&COMPRESSED, std::mem::take);
            deflater.compress(message, &mut buffer);
            buffer
        });
        let mut core = lock(&self.core);
        core.reserved -= cost;
        let can_send = core.can_send(compression);
        let is_usable = can_send && !core.must_stay_plain();
        let result = match &compressed {
            _ if !can_send => None,
            Some(payload) if is_usable => {
                core.watch_compression(self);
                let outgoing = Outgoing {
                    kind,
                    payload,
                    is_compressed: true,
                    length: message.len(),
                    original: core.may_reconnect().then_some(message),
                };
                Some(self.send(&mut core, &outgoing, false).map(|_| ()))
            }
            _ => {
                let plain = Outgoing::plain(kind, message);
                Some(self.send(&mut core, &plain, false).map(|_| ()))
            }
        };
        // What was reserved and not used is room for others.
        core.tell_room(self);
        drop(core);
        if let (Some(deflater), Some(mut buffer)) = (&mut deflater, compressed) {
            match is_usable {
                true => deflater.sent(message),
                false => deflater.dropped(),
            }
            buffer.clear();
            buffer.shrink_to(BUFFER);
            with_local(&COMPRESSED, |own: &mut Vec<u8>| *own = buffer);
        }
        result
    }
}

impl Core {
    /// What compresses a message of this length, if it is to be compressed.
    pub fn compression(&self, length: usize) -> Option<Arc<Compression>> {
        let link = self.link.as_ref()?;
        let wanted =
            length > 0 && length >= self.settings.compression_min && !self.must_stay_plain();
        link.compression.as_ref().filter(|_| wanted).cloned()
    }

    /// Whether there is room in the send queue.
    pub fn has_room(&self) -> bool {
        self.queued_cost() < self.settings.send_queue
    }

    /// What the messages in the send queue count, and those that are being compressed.
    pub fn queued_cost(&self) -> usize {
        let link = self.link.as_ref();
        link.map_or(0, |link| link.outbox.cost()) + self.again.cost() + self.reserved
    }

    /// Whether a message compressed for this link can still be sent.
    fn can_send(&self, compression: &Arc<Compression>) -> bool {
        let is_same = |link: &super::core::Link| matches!(&link.compression, Some(own) if Arc::ptr_eq(own, compression));
        self.state == State::Open
            && self.broken.is_none()
            && !self.released
            && self.link.as_ref().is_some_and(is_same)
    }

    /// What waits may have to go over another connection, and then cannot be compressed for this one.
    fn must_stay_plain(&self) -> bool {
        !self.is_flushed() && self.may_reconnect()
    }

    /// Messages have been compressed or decompressed: has the service task look later for what has come out
    /// of use.
    pub fn watch_compression(&mut self, socket: &Socket) {
        if self.rest.is_none() {
            self.rest = sys::now().checked_add(REST);
            socket.service.notify_one();
        }
    }

    /// Gives back what has not been used much for a while; plans the next look while there may be something.
    pub fn rest_compression(&mut self, now: Instant) {
        if self.rest.is_none_or(|at| now < at) {
            return;
        }
        self.rest = None;
        let Some(link) = &mut self.link else {
            return;
        };
        let mut again = link.decoder.rest();
        if let Some(compression) = &link.compression {
            // One that is locked is in use. (The other way round from the order of the locks: not waiting.)
            again |= try_lock(&compression.0).is_none_or(|mut own| own.rest());
        }
        if again {
            self.rest = now.checked_add(REST);
        }
    }
}
