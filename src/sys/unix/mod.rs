//! Linux and its relatives.

mod alone;
mod bell;
mod flag;
mod fork;
mod pin;
mod registration;
mod signals;
mod socket;
mod stack;
mod watch;

pub(crate) use self::{
    alone::drive_alone,
    bell::{Bell, wait},
    flag::Flag,
    fork::{is_forked, watch_for_fork},
    pin::pin_library,
    registration::Registration,
    signals::{block_signals, without_signals},
    socket::Socket,
    stack::has_room,
    watch::Watch,
};

pub(in crate::sys) use self::alone::poll_until;
