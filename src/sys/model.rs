//! The operating system for the model checker: sockets that are queues, time that passes when
//! somebody looks, readiness that is cached and edge-triggered as tokio's is.
//!
//! Everything is in one world behind one lock, so that a thread can wait for a socket and a bell at
//! once. What waits without a time limit is only ever woken for a reason: a lost wake-up becomes a
//! deadlock, which the checker reports.

use crate::sync::{Arc, AtomicBool, AtomicUsize, Condvar, Mutex, Ordering, lock, thread_local};
use std::{
    cell::RefCell,
    collections::VecDeque,
    future::poll_fn,
    io::{self, IoSlice},
    task::{Poll, Waker},
    time::Duration,
};

pub(crate) use std::time::Instant;

shuttle::lazy_static! {
    static ref WORLD: World = World { changed: Condvar::new(), clock: Mutex::new(0), lock: Mutex::new(()) };
    static ref BEGINNING: Instant = Instant::now();
}

struct World {
    lock: Mutex<()>,
    changed: Condvar,
    /// Milliseconds since the beginning.
    clock: Mutex<u64>,
}

impl World {
    /// Tells everyone who waits.
    fn change(&self) {
        drop(lock(&self.lock));
        self.changed.notify_all();
    }
}

/// The time: passes by chance, now and then by more than any grace period.
pub(crate) fn now() -> Instant {
    use shuttle::rand::Rng;
    let mut clock = lock(&WORLD.clock);
    *clock += match shuttle::rand::thread_rng().gen_range(0..4) {
        0 => 40,
        _ => 0,
    };
    *BEGINNING + Duration::from_millis(*clock)
}

/// A timer that fires after others have had a chance, and takes the time with it.
#[derive(Default)]
pub(crate) struct Timer;

impl Timer {
    pub async fn until(&mut self, at: Option<Instant>) {
        let Some(at) = at else {
            return std::future::pending().await;
        };
        let mut patience = 3;
        poll_fn(|context| {
            if patience == 0 {
                return Poll::Ready(());
            }
            patience -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        let mut clock = lock(&WORLD.clock);
        let at = at.saturating_duration_since(*BEGINNING).as_millis() as u64;
        *clock = at.max(*clock);
    }
}

/// One end of a connection; the model's peer has the other in its hands.
#[derive(Default)]
pub(crate) struct Socket {
    pipe: Mutex<Pipe>,
}

#[derive(Default)]
struct Pipe {
    inbound: VecDeque<u8>,
    ended: bool,
    outbound: Vec<u8>,
    /// How many bytes the system still takes; `None`: any number.
    room: Option<usize>,
    /// Every further send fails.
    broken: bool,
    registrations: Vec<Arc<Mutex<Ready>>>,
}

/// A registration's cached readiness.
#[derive(Default)]
struct Ready {
    interests: Interests,
    read: bool,
    write: bool,
    /// Counts what has happened, so that a late clearing does not lose what came in between.
    ticks: (u64, u64),
    waker: Option<Waker>,
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Socket")
    }
}

impl Pipe {
    fn tell(&mut self, read: bool, write: bool) {
        for ready in &self.registrations {
            let mut ready = lock(ready);
            if read && ready.interests.read {
                ready.read = true;
                ready.ticks.0 += 1;
            }
            if write {
                ready.write = true;
                ready.ticks.1 += 1;
            }
            if let Some(waker) = ready.waker.take() {
                waker.wake();
            }
        }
    }
}

impl Socket {
    /// The peer sends.
    pub fn peer_sends(&self, bytes: &[u8]) {
        let mut pipe = lock(&self.pipe);
        pipe.inbound.extend(bytes);
        pipe.tell(true, false);
        drop(pipe);
        WORLD.change();
    }

    /// The peer closes its side.
    pub fn peer_ends(&self) {
        let mut pipe = lock(&self.pipe);
        pipe.ended = true;
        pipe.tell(true, false);
        drop(pipe);
        WORLD.change();
    }

    /// The system takes so many bytes more; to begin with it takes any number.
    pub fn set_room(&self, room: usize) {
        let mut pipe = lock(&self.pipe);
        pipe.room = Some(room);
        pipe.tell(false, true);
    }

    /// From now on every send fails.
    pub fn break_sending(&self) {
        lock(&self.pipe).broken = true;
    }

    /// What has been sent to the peer.
    pub fn sent(&self) -> Vec<u8> {
        lock(&self.pipe).outbound.clone()
    }

    pub fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut pipe = lock(&self.pipe);
        if pipe.inbound.is_empty() && !pipe.ended {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let length = pipe.inbound.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(pipe.inbound.drain(..length)) {
            *to = from;
        }
        Ok(length)
    }

    pub const CAN_WAIT: bool = true;

    pub fn prepare_to_wait(&self) -> io::Result<()> {
        Ok(())
    }

    /// The moment may pass at any time.
    pub fn recv_waiting(&self, buffer: &mut [u8]) -> io::Result<usize> {
        for _ in 0..3 {
            match self.recv(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return result,
            }
            shuttle::thread::yield_now();
        }
        self.recv(buffer)
    }

    /// The moment may pass at any time.
    pub fn send_waiting(&self, bytes: &[u8], more: bool) -> io::Result<usize> {
        shuttle::thread::yield_now();
        self.send_one(bytes, more)
    }

    pub fn send_one(&self, bytes: &[u8], _more: bool) -> io::Result<usize> {
        self.send(&[IoSlice::new(bytes)])
    }

    pub fn recv_append_waiting(&self, buffer: &mut Vec<u8>, limit: usize) -> io::Result<usize> {
        shuttle::thread::yield_now();
        self.recv_append(buffer, limit)
    }

    pub fn recv_append(&self, buffer: &mut Vec<u8>, limit: usize) -> io::Result<usize> {
        let mut bytes = vec![0; limit];
        let length = self.recv(&mut bytes)?;
        buffer.extend_from_slice(&bytes[..length]);
        Ok(length)
    }

    pub fn send(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut pipe = lock(&self.pipe);
        if pipe.broken {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let wanted: usize = buffers.iter().map(|buffer| buffer.len()).sum();
        let length = wanted.min(pipe.room.unwrap_or(wanted));
        if length == 0 && wanted > 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if let Some(room) = &mut pipe.room {
            *room -= length;
        }
        let bytes = buffers.iter().flat_map(|buffer| buffer.iter().copied());
        let bytes: Vec<u8> = bytes.take(length).collect();
        pipe.outbound.extend(bytes);
        Ok(length)
    }

    fn is_readable(&self) -> bool {
        let pipe = lock(&self.pipe);
        pipe.ended || !pipe.inbound.is_empty()
    }
}

#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: AtomicBool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interest {
    Read,
    Nothing,
}

thread_local! {
    static BELL: RefCell<Option<Arc<Bell>>> = RefCell::new(None);
}

impl Bell {
    pub fn mine() -> io::Result<Arc<Bell>> {
        Ok(BELL.with(|slot| slot.borrow_mut().get_or_insert_with(Arc::default).clone()))
    }

    pub fn ring(&self) {
        self.rung.store(true, Ordering::SeqCst);
        WORLD.change();
    }
}

/// As poll(2). With a time limit it may return at any moment.
pub(crate) fn wait(
    socket: Option<&Socket>,
    interest: Interest,
    bell: &Bell,
    deadline: Option<Instant>,
) -> io::Result<()> {
    let mut world = lock(&WORLD.lock);
    loop {
        if bell.rung.swap(false, Ordering::SeqCst) {
            return Ok(());
        }
        if interest == Interest::Read && socket.is_some_and(Socket::is_readable) {
            return Ok(());
        }
        if deadline.is_some_and(|deadline| now() >= deadline) {
            return Ok(());
        }
        world = match deadline {
            None => crate::sync::wait(&WORLD.changed, &WORLD.lock, world, None),
            Some(_) => {
                drop(world);
                shuttle::thread::yield_now();
                lock(&WORLD.lock)
            }
        };
    }
}

/// The flag for the host's loop.
#[derive(Debug, Default)]
pub(crate) struct Flag {
    raised: AtomicUsize,
}

impl Flag {
    pub fn new() -> io::Result<Self> {
        Ok(Flag::default())
    }

    pub fn handle(&self) -> isize {
        self.raised.load(Ordering::SeqCst) as isize
    }

    pub fn raise(&self) {
        self.raised.store(1, Ordering::SeqCst);
    }

    pub fn lower(&self) {
        self.raised.store(0, Ordering::SeqCst);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Interests {
    pub read: bool,
    pub write: bool,
}

/// A registration as tokio's: what was ready when it was made, then what happens.
pub(crate) struct Registration {
    socket: Arc<Socket>,
    ready: Arc<Mutex<Ready>>,
    pub interests: Interests,
}

impl Registration {
    pub fn new(socket: &Arc<Socket>, interests: Interests) -> io::Result<Self> {
        let ready = Arc::new(Mutex::new(Ready {
            interests,
            read: interests.read && socket.is_readable(),
            write: true,
            ..Ready::default()
        }));
        let mut pipe = lock(&socket.pipe);
        // An arrival between the look above and here.
        lock(&ready).read = interests.read && (pipe.ended || !pipe.inbound.is_empty());
        pipe.registrations.push(ready.clone());
        drop(pipe);
        Ok(Registration {
            socket: socket.clone(),
            ready,
            interests,
        })
    }

    pub async fn ready(
        &self,
        wanted: Interests,
        drive: impl FnOnce(Interests) -> Interests,
    ) -> io::Result<()> {
        let (seen, ticks) = poll_fn(|context| {
            let mut ready = lock(&self.ready);
            if (wanted.read && ready.read) || (wanted.write && ready.write) {
                let seen = Interests {
                    read: ready.read,
                    write: ready.write,
                };
                return Poll::Ready((seen, ready.ticks));
            }
            ready.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
        let blocked = drive(Interests {
            read: seen.read && wanted.read,
            write: seen.write && wanted.write,
        });
        let mut ready = lock(&self.ready);
        if blocked.read && ready.ticks.0 == ticks.0 {
            ready.read = false;
        }
        if blocked.write && ready.ticks.1 == ticks.1 {
            ready.write = false;
        }
        Ok(())
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut pipe = lock(&self.socket.pipe);
        pipe.registrations
            .retain(|ready| !Arc::ptr_eq(ready, &self.ready));
    }
}
