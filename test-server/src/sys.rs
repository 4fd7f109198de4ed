//! The system calls that the standard library lacks; the only unsafe file.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

/// What `wait` found.
#[derive(Default, Clone, Copy)]
pub struct Ready {
    pub readable: bool,
    pub writable: bool,
    pub command: bool,
}

impl Ready {
    pub fn nothing(self) -> bool {
        !(self.readable || self.writable || self.command)
    }
}

/// Waits until the stream is readable or writable (as asked), a command lies in the pipe, or the
/// deadline has passed, which is when nothing is ready.
pub fn wait(
    stream: Option<(&TcpStream, bool, bool)>,
    commands: Option<RawFd>,
    deadline: Option<Instant>,
) -> Ready {
    let mut fds = [libc::pollfd {
        fd: -1,
        events: 0,
        revents: 0,
    }; 2];
    if let Some((stream, read, write)) = stream {
        fds[0].fd = stream.as_raw_fd();
        fds[0].events = if read { libc::POLLIN } else { 0 } | if write { libc::POLLOUT } else { 0 };
    }
    if let Some(commands) = commands {
        fds[1].fd = commands;
        fds[1].events = libc::POLLIN;
    }
    loop {
        let timeout = deadline.map_or(-1, |deadline| {
            // Rounded up: a wait that ends early would spin until the deadline.
            let left = deadline.saturating_duration_since(Instant::now());
            left.as_micros().div_ceil(1000).min(i32::MAX as u128) as i32
        });
        // SAFETY: `fds` is an array of two, valid for the call.
        let count = unsafe { libc::poll(fds.as_mut_ptr(), 2, timeout) };
        if count < 0 && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted {
            continue;
        }
        let broken = libc::POLLERR | libc::POLLHUP | libc::POLLNVAL;
        return Ready {
            readable: fds[0].revents & (libc::POLLIN | broken) != 0,
            writable: fds[0].revents & (libc::POLLOUT | broken) != 0,
            command: fds[1].revents != 0,
        };
    }
}

/// Sends what fits without waiting.
pub fn send_now(stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    // SAFETY: pointer and length are those of a slice.
    let sent = unsafe {
        libc::send(
            stream.as_raw_fd(),
            bytes.as_ptr().cast(),
            bytes.len(),
            libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
        )
    };
    if sent < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(sent as usize)
    }
}

/// The stream's end will be a reset instead of a FIN.
pub fn reset_on_close(stream: &TcpStream) {
    let linger = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    set(stream, libc::SO_LINGER, &linger);
}

/// A small receive buffer: what the client writes soon stays with it. Not the smallest, 2 KiB: that
/// is less than what the window had promised, and the dropped rest then comes at the client's
/// retransmission times (minutes for 4 MiB).
pub fn shrink_receive_buffer(stream: &TcpStream) {
    set(stream, libc::SO_RCVBUF, &(32i32 << 10));
}

/// A large one again, for the time after the stall.
pub fn widen_receive_buffer(stream: &TcpStream) {
    set(stream, libc::SO_RCVBUF, &(4i32 << 20));
}

fn set<T>(stream: &TcpStream, option: i32, value: &T) {
    // SAFETY: the value is a live object of the size given.
    unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            option,
            std::ptr::from_ref(value).cast(),
            size_of::<T>() as libc::socklen_t,
        );
    }
}

/// Half a close: the client sees the end, and what it still sends is not answered with a reset.
pub fn finish_sending(stream: &TcpStream) {
    let _ = stream.shutdown(Shutdown::Write);
}

/// As many descriptors as the system allows: the benchmarks open tens of thousands of connections.
pub fn raise_descriptor_limit() {
    // SAFETY: plain calls with a live structure.
    unsafe {
        let mut limit = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
}

static CHILD: AtomicI32 = AtomicI32::new(0);

extern "C" fn forward(signal: i32) {
    // SAFETY: kill is async-signal-safe.
    unsafe {
        libc::kill(CHILD.load(Ordering::Relaxed), signal);
    }
}

/// Starts a program that dies with this process and gets the signals that are sent to it.
pub fn spawn_bound(command: &mut Command) -> io::Result<Child> {
    use std::os::unix::process::CommandExt;
    let limit = {
        let mut limit = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        // SAFETY: a live structure.
        unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
        limit
    };
    // SAFETY: only async-signal-safe calls between fork and exec.
    unsafe {
        command.pre_exec(move || {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            // The program under test gets the ordinary limit, not the server's raised one.
            let usual = libc::rlimit {
                rlim_cur: limit.rlim_max.min(1024),
                rlim_max: limit.rlim_max,
            };
            libc::setrlimit(libc::RLIMIT_NOFILE, &usual);
            Ok(())
        });
    }
    let child = command.spawn()?;
    CHILD.store(child.id() as i32, Ordering::Relaxed);
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
        let handler: extern "C" fn(i32) = forward;
        // SAFETY: the handler makes one async-signal-safe call.
        unsafe { libc::signal(signal, handler as libc::sighandler_t) };
    }
    Ok(child)
}

/// The moment `ms` from now.
pub fn in_ms(ms: u64) -> Instant {
    Instant::now() + Duration::from_millis(ms)
}
