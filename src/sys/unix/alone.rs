//! A future that a host's thread drives by itself, without the runtime: the thread waits in `poll(2)` for the sockets and
//! times that the future waits for.
//!
//! A connection attempt is such a future: no other thread has to be woken for it, nor told of its socket, and threads that
//! connect at the same time have nothing to share. What the future waits for has to know that it is polled here
//! ([`super::Watch`], [`crate::sys::Timer`]): each time that it is polled, all of it notes anew what it waits for.

use super::{Bell, Socket, bell::poll, has_room};
use crate::sys::{Instant, now};
use std::{
    cell::RefCell,
    future::Future,
    io,
    os::fd::{AsRawFd, RawFd},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

/// What the future of one thread waits for.
#[derive(Default)]
struct Waits {
    /// What is to be waited for, as noted since the future was last polled.
    sockets: Vec<libc::pollfd>,
    until: Option<Instant>,
    /// What the last wait has found.
    ready: Vec<libc::pollfd>,
}

std::thread_local! {
    static WAITS: RefCell<Option<Waits>> = const { RefCell::new(None) };
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ring();
    }
}

/// Uses the thread's waits; `None` where it drives no future alone.
fn with<T>(function: impl FnOnce(&mut Waits) -> T) -> Option<T> {
    let used = WAITS.try_with(|waits| waits.borrow_mut().as_mut().map(function));
    used.ok().flatten()
}

/// Whether the calling thread drives a future alone.
pub(super) fn is_alone() -> bool {
    with(|_| ()).is_some()
}

/// A socket that the calling thread waits for alone.
pub(crate) struct Alone(Arc<Socket>);

impl Alone {
    /// For as long as the attempt has the socket.
    pub fn new(socket: &Arc<Socket>) -> Self {
        Alone(socket.clone())
    }

    /// Whether the socket is ready to send, or else to receive, as the last wait has found; if not, that will be waited
    /// for.
    pub fn is_ready(&self, write: bool) -> bool {
        let wanted = if write { libc::POLLOUT } else { libc::POLLIN };
        let fd: RawFd = self.0.as_raw_fd();
        let is_same = |entry: &libc::pollfd| entry.fd == fd && entry.events == wanted;
        let is_ready = |waits: &mut Waits| {
            if let Some(index) = waits.ready.iter().position(is_same) {
                waits.ready.swap_remove(index);
                return true;
            }
            // The future may be polled again before it waits.
            if !waits.sockets.iter().any(is_same) {
                waits.sockets.push(libc::pollfd {
                    fd,
                    events: wanted,
                    revents: 0,
                });
            }
            false
        };
        with(is_ready).unwrap_or_default()
    }
}

impl Drop for Alone {
    /// The descriptor's number may soon be another socket's.
    fn drop(&mut self) {
        let fd = self.0.as_raw_fd();
        with(|waits| {
            waits.sockets.retain(|entry| entry.fd != fd);
            waits.ready.retain(|entry| entry.fd != fd);
        });
    }
}

/// Whether that time has come; if not, it will be waited for. `None` where the thread drives no future alone.
pub(in crate::sys) fn poll_until(at: Instant) -> Option<Poll<()>> {
    with(|waits| {
        if now() >= at {
            return Poll::Ready(());
        }
        waits.until = Some(waits.until.map_or(at, |until| until.min(at)));
        Poll::Pending
    })
}

/// Ends what [`drive_alone`] has begun, however that ends.
struct Ending;

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = WAITS.try_with(|waits| waits.take());
    }
}

/// Drives the future on the calling thread, which waits for it. `None`, with the future as it was, where that cannot be: the
/// thread drives one already, is ending, has too small a stack, or cannot wait.
pub(crate) fn drive_alone<T>(future: impl Future<Output = T>) -> Option<T> {
    let bell = Bell::mine().ok()?;
    let is_free = |waits: &RefCell<Option<Waits>>| {
        let mut waits = waits.borrow_mut();
        let is_free = waits.is_none();
        waits.get_or_insert_default();
        is_free
    };
    if !has_room() || !WAITS.try_with(is_free).unwrap_or_default() {
        return None;
    }
    let ending = Ending;
    let waker = Waker::from(bell.clone());
    let mut context = Context::from_waker(&waker);
    // No budget of a runtime's that the thread happens to be in.
    let mut future = pin!(tokio::task::unconstrained(future));
    let mut entries = Vec::new();
    let outcome = loop {
        if let Poll::Ready(outcome) = future.as_mut().poll(&mut context) {
            break Some(outcome);
        }
        if wait(&bell, &mut entries).is_err() {
            break None;
        }
    };
    drop(ending);
    outcome
}

/// Waits for what has been noted, or for the bell.
fn wait(bell: &Bell, entries: &mut Vec<libc::pollfd>) -> io::Result<()> {
    entries.clear();
    entries.push(libc::pollfd {
        fd: bell.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    });
    let take = |waits: &mut Waits| {
        waits.ready.clear();
        entries.append(&mut waits.sockets);
        waits.until.take()
    };
    let until = with(take).flatten();
    poll(entries, bell, until)?;
    let found = entries[1..].iter().filter(|entry| entry.revents != 0);
    with(|waits| waits.ready.extend(found));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::Timer;
    use std::{
        net::{TcpListener, TcpStream},
        time::Duration,
    };

    fn ends() -> (TcpStream, Socket) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (listener.accept().unwrap().0, Socket::new(near).unwrap())
    }

    async fn readable(socket: Socket) {
        let alone = Alone::new(&Arc::new(socket));
        std::future::poll_fn(|_| match alone.is_ready(false) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }

    #[test]
    fn sockets_times_and_other_threads_end_a_wait() {
        use std::io::Write;
        let (mut far, near) = ends();
        far.write_all(b"x").unwrap();
        let never = || async { std::future::pending::<()>().await };
        let outcome = drive_alone(async {
            let (_other_far, other) = ends();
            tokio::select! {
                biased;
                () = readable(other) => "the other one",
                () = readable(near) => "this one",
                () = never() => "never",
            }
        });
        assert_eq!(outcome, Some("this one"));
        let begun = crate::sys::now();
        let later = begun + Duration::from_millis(20);
        let (mut late, mut soon) = (Timer::default(), Timer::default());
        drive_alone(async {
            tokio::select! {
                biased;
                () = late.until(Some(later + Duration::from_secs(60))) => panic!("too late"),
                () = soon.until(Some(later)) => {}
            }
        });
        assert!(crate::sys::now() >= later);
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let other = std::thread::spawn(move || sender.send(5).unwrap());
        assert_eq!(drive_alone(receiver), Some(Ok(5)));
        other.join().unwrap();
    }

    #[test]
    fn what_is_dropped_is_no_longer_waited_for() {
        use std::io::Write;
        let outcome = drive_alone(async {
            let (mut far, near) = ends();
            let number = near.as_raw_fd();
            let mut first = Box::pin(readable(near));
            std::future::poll_fn(|context| {
                assert!(first.as_mut().poll(context).is_pending());
                assert!(first.as_mut().poll(context).is_pending());
                Poll::Ready(())
            })
            .await;
            assert_eq!(with(|waits| waits.sockets.len()), Some(1));
            far.write_all(b"x").unwrap();
            // The wait finds the first readable, but nobody asks again before it is dropped.
            let mut timer = Timer::default();
            timer.until(Some(now() + Duration::from_millis(20))).await;
            drop(first);
            assert_eq!(
                with(|waits| waits.sockets.len() + waits.ready.len()),
                Some(0)
            );
            number
        });
        assert!(outcome.is_some());
    }

    #[test]
    fn a_small_stack_is_left_alone() {
        let drive = || drive_alone(async { 1 });
        let on_a_stack_of = |size| {
            let builder = std::thread::Builder::new().stack_size(size);
            builder.spawn(drive).unwrap().join().unwrap()
        };
        assert_eq!(on_a_stack_of(128 << 10), None);
        assert_eq!(on_a_stack_of(1 << 20), Some(1));
    }

    #[test]
    fn one_at_a_time_also_after_a_panic() {
        let inside = drive_alone(async { drive_alone(async {}) });
        assert_eq!(inside, Some(None));
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let panicked = std::panic::catch_unwind(|| drive_alone(async { panic!("on purpose") }));
        std::panic::set_hook(hook);
        assert!(panicked.is_err() && !is_alone());
        assert_eq!(drive_alone(async { 1 }), Some(1));
    }
}
