//! How a host's thread sleeps until a socket or another thread has something for it.
//!
//! `WSAPoll` waits for sockets only, and events wait for sockets only through `WSAEventSelect`, of which a socket has
//! one while several threads may wait. So what wakes a thread is a socket, too: a UDP socket on the loopback address
//! that is connected to itself, so that nobody else can send to it.

use super::Socket;
use crate::sys::{Instant, Interest, milliseconds_until};
use std::{
    io,
    net::{Ipv4Addr, UdpSocket},
    os::windows::io::AsRawSocket,
};
use windows_sys::Win32::Networking::WinSock::{
    INVALID_SOCKET, POLLRDNORM, SOCKET, SOCKET_ERROR, WSAEINTR, WSAGetLastError, WSAPOLLFD, WSAPoll,
};

/// What wakes one thread. Ringing is remembered until the thread next waits.
#[derive(Debug)]
pub(crate) struct Bell {
    socket: UdpSocket,
}

impl Bell {
    /// A bell that nobody has rung.
    pub(in crate::sys) fn new() -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.connect(socket.local_addr()?)?;
        socket.set_nonblocking(true)?;
        Ok(Bell { socket })
    }

    /// Wakes the thread, now or when it next waits.
    pub fn ring(&self) {
        // Fails only if the buffer is full, and then the bell has rung.
        let _ = self.socket.send(&[1]);
    }

    fn silence(&self) {
        while self.socket.recv(&mut [0; 8]).is_ok() {}
    }
}

/// Waits until the socket is ready, the bell rings, or the time has come (`None`: no limit).
/// May return early: the caller looks for itself.
pub(crate) fn wait(
    socket: Option<&Socket>,
    interest: Interest,
    bell: &Bell,
    deadline: Option<Instant>,
) -> io::Result<()> {
    let entry = |fd: SOCKET| WSAPOLLFD {
        fd,
        events: POLLRDNORM,
        revents: 0,
    };
    let mut entries = [
        entry(bell.socket.as_raw_socket() as SOCKET),
        entry(INVALID_SOCKET),
    ];
    let mut count = 1;
    if let (Some(socket), Interest::Read) = (socket, interest) {
        entries[1].fd = socket.as_raw_socket() as SOCKET;
        count = 2;
    }
    // SAFETY: the pointer and count describe a part of `entries`, which outlives the call.
    let result = unsafe { WSAPoll(entries.as_mut_ptr(), count, milliseconds_until(deadline)) };
    if result == SOCKET_ERROR {
        // SAFETY: takes nothing.
        let code = unsafe { WSAGetLastError() };
        return match code {
            WSAEINTR => Ok(()),
            _ => Err(io::Error::from_raw_os_error(code)),
        };
    }
    if entries[0].revents != 0 {
        bell.silence();
    }
    Ok(())
}
