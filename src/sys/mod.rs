//! The operating system's facilities, one file each; where `unsafe` is needed outside `ffi/`, it
//! is here. `unix` and `windows` have the same names. In a build for the model checker, `model`
//! stands in for all of them.

#[cfg(not(shuttle))]
mod bell;
#[cfg(not(shuttle))]
mod clock;
#[cfg(windows)]
mod code_page;
#[cfg(all(unix, not(shuttle)))]
mod unix;
#[cfg(all(windows, not(shuttle)))]
mod windows;

#[cfg(not(shuttle))]
pub(crate) use self::clock::{Instant, Timer, now, within};
#[cfg(windows)]
pub(crate) use self::code_page::ansi_code_page;
#[cfg(all(unix, not(shuttle)))]
pub(crate) use self::unix::*;
#[cfg(all(windows, not(shuttle)))]
pub(crate) use self::windows::*;

#[cfg(shuttle)]
pub(crate) mod model;
#[cfg(shuttle)]
pub(crate) use model::*;

/// What to wait for on a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg(not(shuttle))]
pub(crate) enum Interest {
    /// Bytes, or the end of the stream.
    Read,
    /// Nothing: only the bell.
    Nothing,
}

/// What a registration with the runtime's reactor watches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg(not(shuttle))]
pub(crate) struct Interests {
    /// Bytes, or the end of the stream.
    pub read: bool,
    /// Room in the kernel's send buffer.
    pub write: bool,
}

#[cfg(not(shuttle))]
impl Interests {
    /// Both.
    pub const BOTH: Self = Interests {
        read: true,
        write: true,
    };

    fn tokio(self) -> tokio::io::Interest {
        match (self.read, self.write) {
            (true, true) => tokio::io::Interest::READABLE | tokio::io::Interest::WRITABLE,
            (false, true) => tokio::io::Interest::WRITABLE,
            _ => tokio::io::Interest::READABLE,
        }
    }
}

/// What is left until then, in milliseconds as the waits of the systems take them (-1: no limit). Rounded up: waking
/// early would be a busy loop for the last millisecond.
#[cfg(not(shuttle))]
fn milliseconds_until(deadline: Option<Instant>) -> i32 {
    let Some(deadline) = deadline else {
        return -1;
    };
    let left = deadline.saturating_duration_since(Instant::now());
    i32::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX)
}
