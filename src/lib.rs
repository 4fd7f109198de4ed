//! wdsocket: a WebSocket client (RFC 6455, RFC 7692) for C, C++ and WinDev programs.
//!
//! ```text
//! host threads                          one background runtime (tokio, one thread)
//!     │ C calls                              │ waits, timers, connecting
//!     ▼                                      ▼
//!   ffi ──► client ──► Socket ◄─────────── service task of each socket
//!  (unsafe     │       │  one lock, one protocol state machine,
//!   ends here) ▼       │  driven by whoever needs it
//!          registry    ├─► protocol over a stream that never waits
//!         (name →      └─► received messages: its own queue,
//!          Socket)         or the event queue ──► SocketDispatch
//! ```
//!
//! The rooms, and what each may know (`docs/architecture.md` says why):
//!
//! - `ffi`: the C interface; arguments to Rust values, results to C, the panic boundary, the thread's
//!   error, the documentation that becomes the header. No logic.
//! - `client`: what each function does, in Rust.
//! - `registry`: names and the connections behind them.
//! - `runtime`: the background thread.
//! - `connect`: the connection attempt, each step a file.
//! - `socket`: one connection's life. No C types.
//! - `protocol`: frames, messages and their compression, without I/O.
//! - `stream`: what the protocol runs over, TLS included.
//! - `tls`: who is trusted, the handshake, what its errors mean.
//! - `events`: the posted-message queue. Knows nothing of WebSockets.
//! - `line`: how messages wait, there and for a reader.
//! - `host`, `logging`: functions of the host's that the library calls.
//! - `sys`: the operating system, one file for each facility.
//! - `options`, `proxy`, `encoding`, `error`: what can be set, what can go wrong.

#[cfg(any(benching, all(test, not(shuttle))))]
pub mod benching;
#[cfg(not(shuttle))]
mod client;
#[cfg(not(shuttle))]
mod connect;
mod encoding;
mod error;
mod events;
#[cfg(not(shuttle))]
pub mod ffi;
#[cfg(any(fuzzing, all(test, not(shuttle))))]
pub mod fuzzing;
mod host;
mod line;
#[cfg(not(shuttle))]
mod logging;
mod options;
mod protocol;
mod proxy;
#[cfg(not(shuttle))]
mod registry;
mod runtime;
mod socket;
mod stream;
mod sync;
mod sys;
mod tls;

#[cfg(all(test, shuttle))]
mod models;
