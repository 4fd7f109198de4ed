//! The operating system's facilities, one file each; where `unsafe` is needed outside `ffi/`, it
//! is here. In a build for the model checker, `model` stands in for all of them.

#[cfg(all(unix, not(shuttle)))]
mod bell;
#[cfg(all(unix, not(shuttle)))]
mod clock;
#[cfg(all(unix, not(shuttle)))]
mod flag;
#[cfg(all(unix, not(shuttle)))]
mod fork;
#[cfg(all(unix, not(shuttle)))]
mod pin;
#[cfg(all(unix, not(shuttle)))]
mod registration;
#[cfg(all(unix, not(shuttle)))]
mod signals;
#[cfg(all(unix, not(shuttle)))]
mod socket;

#[cfg(all(unix, not(shuttle)))]
pub(crate) use self::{
    bell::{Bell, Interest, wait},
    clock::{Instant, Timer, now},
    flag::Flag,
    fork::{is_forked, watch_for_fork},
    pin::pin_library,
    registration::{Interests, Registration},
    signals::{block_signals, without_signals},
    socket::Socket,
};

#[cfg(shuttle)]
pub(crate) mod model;
#[cfg(shuttle)]
pub(crate) use model::*;
