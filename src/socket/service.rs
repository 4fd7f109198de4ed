//! The service task: what a connection does without a host's thread.
//!
//! One task on the runtime for each connection. It makes the attempt, then waits: for the stream,
//! as far as it is the one to receive or to send what is queued; for a word from a host's thread;
//! for the next thing that is due.

use super::{
    Socket, State,
    core::{Answer, Core, Ending, Link, Upgraded},
    handover::Turn,
    keepalive::Due,
    receive::{Goal, Stopped},
    reconnect::Failures,
};
use crate::{
    error::{Code, Error},
    options::Settings,
    protocol::Control,
    runtime::{self, Life},
    sync::{Arc, lock},
    sys::{self, Instant, Interests, Registration, Timer},
};
use std::{future::Future, io};

/// So much is received, and dropped, after close frames have been exchanged.
const MOST_AFTER_CLOSE: usize = 1 << 20;

/// What the service task is to wait for.
struct Plan {
    wanted: Interests,
    until: Option<Instant>,
    /// Whether the socket stays registered although nothing is wanted of it.
    keep_registered: bool,
}

/// A connection's life, from the first attempt to the end of the last closing handshake. What lives as long as an idle
/// connection has its room here: rare parts are boxed.
pub(crate) struct Living<A> {
    /// If the runtime stops, or a defect makes the life panic, whoever waits must hear of it.
    abandoned: Abandoned,
    failures: Failures,
    /// Makes an attempt.
    attempt: A,
    /// The socket's place in the reactor.
    registration: Option<Registration>,
    /// Dropped last.
    life: Life,
}

impl<A> Living<A> {
    /// A life that is to begin with an attempt.
    pub fn new<F>(life: Life, socket: Arc<Socket>, attempt: A) -> Self
    where
        A: FnMut(&std::sync::Arc<Settings>) -> F,
        F: Future<Output = Result<Upgraded, (Answer, Error)>>,
    {
        Living {
            abandoned: Abandoned(socket),
            failures: Failures::default(),
            attempt,
            registration: None,
            life,
        }
    }

    /// Makes an attempt. Returns whether the connection is open.
    pub async fn connect<F>(&mut self) -> bool
    where
        A: FnMut(&std::sync::Arc<Settings>) -> F,
        F: Future<Output = Result<Upgraded, (Answer, Error)>>,
    {
        let socket = &self.abandoned.0;
        let settings = lock(&socket.core).settings.clone();
        let outcome = tokio::select! {
            biased;
            outcome = (self.attempt)(&settings) => Some(outcome),
            () = socket.until_final() => None,
        };
        let mut core = lock(&socket.core);
        match outcome {
            Some(Ok(mut upgraded)) if !core.again.is_final => {
                self.failures.opened();
                self.registration = upgraded.registration.take();
                core.open(socket, upgraded);
                return true;
            }
            Some(Err((answer, error))) => {
                core.again.is_final |= core.is_for_good(answer.status, &error);
                core.fail_to_open(socket, answer, error);
            }
            _ => {
                let cancelled = core.cancelled(socket);
                core.fail_to_open(socket, Answer::default(), cancelled);
            }
        }
        false
    }

    /// Goes on on the runtime, with the first attempt if that has not been made: a thread waits for it.
    #[cfg(not(shuttle))]
    pub fn go_on<F>(self, is_connected: bool)
    where
        A: FnMut(&std::sync::Arc<Settings>) -> F + Send + 'static,
        F: Future<Output = Result<Upgraded, (Answer, Error)>> + Send + 'static,
    {
        let runtime = self.life.runtime();
        match is_connected {
            #[cfg(unix)]
            true => runtime.spawn_soon(self.live(true)),
            _ => runtime.spawn(self.live(is_connected)),
        }
    }

    /// Lives. `is_connected`: the first attempt has been made.
    // The parameters of an async function have room twice in its future.
    #[allow(clippy::manual_async_fn)]
    pub fn live<F>(mut self, mut is_connected: bool) -> impl Future<Output = ()>
    where
        A: FnMut(&std::sync::Arc<Settings>) -> F,
        F: Future<Output = Result<Upgraded, (Answer, Error)>>,
    {
        async move {
            // The whole, where it is.
            let living = &mut self;
            loop {
                if !std::mem::take(&mut is_connected) {
                    // Boxed, so that an open connection does not keep the room that connecting takes.
                    Box::pin(living.connect()).await;
                }
                let socket = &living.abandoned.0;
                socket.serve(&mut living.registration).await;
                socket.end_link();
                if !Box::pin(socket.until_next_attempt(&mut living.failures)).await {
                    break;
                }
            }
        }
    }
}

impl Socket {
    /// Begins the end of TCP.
    fn end_link(&self) {
        let link = lock(&self.core).ended_link.take();
        if let Some(mut ended) = link {
            // Now, because the runtime may be about to stop.
            let _ = finish(&mut ended.0);
            // The end of TCP needs nobody's attention, and no one waits for it. Without a close frame there is
            // nothing to wait for: the connection is lost.
            if let Some(until) = ended.1 {
                runtime::spawn_detached(take_down(ended, until));
            }
        }
    }

    /// Until the host lets go of a connection that is not open yet.
    async fn until_final(&self) {
        while !lock(&self.core).again.is_final {
            self.service.notified().await;
        }
    }

    /// The system cannot say when the stream is ready: that is the end, if another thread has not come to it.
    fn cannot_wait(self: &Arc<Self>, error: &io::Error) {
        let mut core = lock(&self.core);
        if core.link.is_some() {
            core.lose(self, Error::io("cannot wait for the socket", error));
        }
    }

    /// Serves the open connection until it has ended, and takes its socket off the reactor.
    async fn serve(self: &Arc<Self>, registration: &mut Option<Registration>) {
        self.serve_registered(registration).await;
        *registration = None;
    }

    async fn serve_registered(self: &Arc<Self>, registration: &mut Option<Registration>) {
        let mut timer = Timer::default();
        loop {
            let next = {
                let mut core = lock(&self.core);
                let now = sys::now();
                core.receiver_awaited = false;
                core.rest_compression(now);
                let again = core.tick(self, now);
                let plan = core.plan(self, now);
                match &core.link {
                    None => return,
                    _ if again => None,
                    // The stream says nothing of what has been taken from it already.
                    _ if plan.wanted.read && core.has_received() => {
                        if plan.wanted.write {
                            core.flush(self);
                        }
                        core.receive(self, Goal::All, &mut None);
                        None
                    }
                    Some(link) => {
                        let stream = link.stream.socket().clone();
                        // What this task has received in part is for the host's thread that waits.
                        core.hand_on();
                        Some((plan, stream))
                    }
                }
            };
            let Some((plan, socket)) = next else {
                runtime::yield_now().await;
                continue;
            };
            if let Err(error) = register(registration, &socket, &plan) {
                return self.cannot_wait(&error);
            }
            drop(socket);
            let mut more = false;
            let stream_ready = async {
                match &*registration {
                    Some(registration) if plan.wanted.read || plan.wanted.write => {
                        registration
                            .ready(plan.wanted, |ready| self.drive(ready, &mut more))
                            .await
                    }
                    _ => std::future::pending().await,
                }
            };
            let result = tokio::select! {
                biased;
                result = stream_ready => result,
                () = self.service.notified() => Ok(()),
                () = timer.until(plan.until) => Ok(()),
            };
            if let Err(error) = result {
                return self.cannot_wait(&error);
            }
            if more {
                // Other connections first: this one could go on for ever.
                runtime::yield_now().await;
            }
        }
    }

    /// Does what the stream is ready for. Returns what it blocked on; `more` where it did not
    /// because there may be more.
    fn drive(self: &Arc<Self>, ready: Interests, more: &mut bool) -> Interests {
        let mut core = lock(&self.core);
        let mut blocked = Interests {
            read: false,
            write: false,
        };
        if ready.write {
            blocked.write = !core.flush(self);
        }
        // The host may have taken over since the plan was made.
        if ready.read && core.wants_service_to_read(self, sys::now()) == Turn::Read {
            match core.receive(self, Goal::All, &mut None) {
                Stopped::Blocked => blocked.read = true,
                Stopped::Enough => *more = true,
                Stopped::Unwanted => {}
            }
        }
        blocked
    }
}

/// Drops, makes or keeps the registration that the plan needs.
fn register(
    registration: &mut Option<Registration>,
    socket: &Arc<sys::Socket>,
    plan: &Plan,
) -> io::Result<()> {
    let needed = match plan.wanted {
        Interests { read: true, .. } => Some(true),
        Interests { write: true, .. } => Some(false),
        _ if plan.keep_registered => return Ok(()),
        _ => None,
    };
    let Some(read) = needed else {
        *registration = None;
        return Ok(());
    };
    // Without `read` a host's thread receives, and each arrival would wake the runtime for nothing.
    let have = registration.as_ref().map(|have| have.interests.read);
    if have == Some(read) || (have == Some(true) && plan.keep_registered) {
        return Ok(());
    }
    // A descriptor can be registered once.
    *registration = None;
    *registration = Some(Registration::new(socket, Interests { read, write: true })?);
    Ok(())
}

impl Core {
    /// Does what is due. True if it is to be called again at once.
    fn tick(&mut self, socket: &Arc<Socket>, now: Instant) -> bool {
        if self.state == State::Closed {
            return false;
        }
        if self.gathered_until.is_some_and(|until| now >= until) {
            self.send_gathered(socket);
        }
        // Room was made, also where nothing had been left behind that would be decoded now.
        if self.stalled && !socket.received.is_paused() {
            self.stalled = false;
            self.resumed();
        }
        if let Some((_, until)) = &self.violation {
            // A synchronous socket's host may be about to answer what it has read: not before it has
            // been busy with something else for a while.
            let is_taken =
                socket.received.is_taken() && (socket.is_callback() || self.handover.is_idle(now));
            if is_taken || self.released || until.is_some_and(|until| now >= until) {
                self.fail_now(socket);
                return false;
            }
        }
        if self.close_deadline().is_some_and(|at| now >= at) {
            let limit = self.settings.close_timeout.as_millis();
            let what = match self.closing.received {
                Some(_) => "what was written before the close frame could not be sent",
                None => "the server did not answer the close frame",
            };
            let what = format!("{what} within {limit} ms");
            self.lose(socket, Error::new(Code::Timeout, what));
            return false;
        }
        if self.broken.is_some() {
            return self.end_broken(socket);
        }
        self.state == State::Open && self.is_reading() && self.keep_alive(socket, now)
    }

    /// When the closing handshake has taken too long. While the host does not make room for what was
    /// received, the peer's answer cannot be seen.
    fn close_deadline(&self) -> Option<Instant> {
        self.closing
            .deadline
            .filter(|_| !self.stalled || self.released)
    }

    /// A send has failed: what had arrived before is still received, then the connection ends.
    pub fn end_broken(&mut self, socket: &Arc<Socket>) -> bool {
        if self.is_received_elsewhere() {
            return false;
        }
        match self.receive(socket, Goal::All, &mut None) {
            Stopped::Enough => return true,
            // When the host has made room.
            Stopped::Unwanted if self.stalled && self.is_reading() => return false,
            // When the host has taken what came before.
            Stopped::Unwanted if self.violation.is_some() => return false,
            _ => {}
        }
        if let Some(error) = self.broken.take() {
            self.lose(socket, error);
        }
        false
    }

    fn keep_alive(&mut self, socket: &Arc<Socket>, now: Instant) -> bool {
        match self.keepalive.due(now, &self.settings, !self.stalled) {
            Due::Nothing(_) => return false,
            Due::Ping => {
                log::debug!("{}: sending a ping", socket.name);
                let outbox = self.link.as_ref().map(|link| &link.outbox);
                let (sent, queued) = outbox.map_or((0, 0), |out| (out.sent(), out.queued()));
                let payload = self.keepalive.ping(now, sent, queued);
                self.send_control(socket, Control::Ping, &payload);
                return false;
            }
            Due::PongMissing => {}
        }
        if self.is_received_elsewhere() {
            return false;
        }
        // It may have arrived and nobody has looked; or the ping may still be waiting.
        let before = self.counters.wire_in;
        let stopped = self.receive(socket, Goal::All, &mut None);
        let sent = self.link.as_ref().map_or(0, |link| link.outbox.sent());
        if self.state != State::Open
            || self.keepalive.due(now, &self.settings, !self.stalled) != Due::PongMissing
            || self.keepalive.is_delayed(now, sent)
        {
            return false;
        }
        // What was received already, and takes long to decompress, is looked through to its end.
        let received = self.counters.wire_in;
        if stopped == Stopped::Enough && self.keepalive.look_again(before, received) {
            return true;
        }
        let what = format!(
            "the server did not answer a ping within {} ms",
            self.settings.pong_timeout.as_millis()
        );
        self.lose(socket, Error::new(Code::Timeout, what));
        false
    }

    /// Whether a host's thread is receiving. It will say so when it has left, which is soon.
    fn is_received_elsewhere(&mut self) -> bool {
        self.receiver_awaited |= self.receiving;
        self.receiving
    }

    /// What to wait for now.
    fn plan(&mut self, socket: &Socket, now: Instant) -> Plan {
        let mut until = self.close_deadline();
        let mut no_later = |at: Option<Instant>| {
            until = match (until, at) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        };
        if self.state == State::Open
            && self.is_reading()
            && let Due::Nothing(at) = self.keepalive.due(now, &self.settings, !self.stalled)
        {
            no_later(at);
        }
        if let Some((_, at)) = self.violation {
            no_later(at);
        }
        no_later(self.rest);
        no_later(self.gathered_until);
        let turn = self.wants_service_to_read(socket, now);
        if let Turn::LookAgain(at) = turn {
            no_later(Some(at));
        }
        Plan {
            wanted: Interests {
                read: turn == Turn::Read,
                write: self.wants_to_send(),
            },
            until,
            keep_registered: socket.is_callback(),
        }
    }

    /// Whether the service task is to receive.
    fn wants_service_to_read(&mut self, socket: &Socket, now: Instant) -> Turn {
        let can_read = self.is_reading()
            && (self.released || !socket.received.is_paused())
            && !(self.released && self.is_received_elsewhere());
        // Nobody else receives for a callback socket, nor for a name that is gone.
        if socket.is_callback() || self.released {
            return match can_read {
                true => Turn::Read,
                false => Turn::Sleep,
            };
        }
        self.handover.service_turn(now, can_read)
    }
}

/// Ends a connection whose service task ends without it.
struct Abandoned(Arc<Socket>);

impl Drop for Abandoned {
    fn drop(&mut self) {
        let mut core = lock(&self.0.core);
        core.again.is_final = true;
        if core.state == State::Closed {
            return;
        }
        let error = match std::thread::panicking() {
            true => Error::new(
                Code::Internal,
                "a defect in the library ended the connection",
            ),
            false => Error::new(Code::Cancelled, "the library was shut down"),
        };
        core.finish(
            &self.0,
            Ending {
                code: 1006,
                reason: String::new(),
                what: error.message.to_string(),
                error: Some(error),
            },
        );
        drop(core.ended_link.take());
    }
}

/// Sends what is left, and behind it that this was all. True once the system has everything.
fn finish(link: &mut Link) -> io::Result<bool> {
    if !link.outbox.flush(&mut link.stream)? {
        return Ok(false);
    }
    link.stream.finish();
    link.stream.flush()
}

/// The end of TCP (RFC 6455, section 7.1.1): sends what is left, lets the server close first, so
/// that the TIME_WAIT is the server's, and closes when it has taken too long.
async fn take_down(mut ended: Box<(Link, Option<Instant>)>, until: Instant) {
    let link = &mut ended.0;
    let mut timer = Timer::default();
    let both = Interests {
        read: true,
        write: true,
    };
    let Ok(registration) = Registration::new(&link.stream.socket().clone(), both) else {
        return;
    };
    let mut ended = false;
    let mut flushed = false;
    let mut received = 0;
    // A peer that goes on sending is not listened to for long, nor without a pause for others.
    while !ended && received < MOST_AFTER_CLOSE {
        runtime::yield_now().await;
        let has_received = link.stream.has_received();
        let wanted = Interests {
            read: true,
            write: !flushed,
        };
        let mut drive = |ready: Interests| {
            let mut blocked = Interests {
                read: false,
                write: false,
            };
            if ready.write && !flushed {
                match finish(link) {
                    Ok(done) => {
                        flushed = done;
                        blocked.write = !done;
                    }
                    Err(_) => ended = true,
                }
            }
            if ready.read {
                match link.stream.recv(&mut [0; 4096]) {
                    Ok(0) => ended = true,
                    Ok(length) => received += length,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => blocked.read = true,
                    Err(_) => ended = true,
                }
            }
            blocked
        };
        let step = async {
            // The socket says nothing of what has been taken from it already.
            if has_received {
                drive(both);
                return Ok(());
            }
            registration.ready(wanted, drive).await
        };
        tokio::select! {
            biased;
            result = step => ended |= result.is_err(),
            () = timer.until(Some(until)) => return,
        }
        if sys::now() >= until {
            return;
        }
    }
}
