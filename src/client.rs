//! What the library does, in Rust: each function of the C interface is its arguments, one of
//! these, and its result.

use crate::{
    connect::{self, address::Target},
    error::{Code, Error, Result},
    events,
    options::{self, Settings},
    registry, runtime,
    socket::{self, Answer, Living, Mode, Socket, Upgraded},
    sync::Arc,
};
use std::{future::Future, time::Duration};

/// A connection that is asked for; its arguments have been checked.
pub(crate) struct Request {
    pub name: String,
    pub target: Target,
    pub protocols: Vec<String>,
}

/// How long a connection attempt may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// What `CONNECT_TIMEOUT_MS` says.
    Default,
    /// So long.
    For(Duration),
    /// As long as it takes.
    None,
}

/// Starts a connection attempt, and makes it if it is a synchronous socket's.
pub(crate) fn connect(request: Request, mode: Mode, limit: Limit) -> Result<Arc<Socket>> {
    let defaults = options::defaults();
    let is_synchronous = matches!(mode, Mode::Synchronous);
    let socket = Socket::new(&request.name, &request.target.url(), mode, defaults);
    registry::insert(&socket)?;
    // From here on options that are set for the name find the connection.
    let settings = socket.apply_options();
    let limit = match limit {
        Limit::Default => Some(settings.connect_timeout),
        Limit::For(limit) => Some(limit),
        Limit::None => None,
    };
    log::info!(
        "{}: connecting to {}",
        request.name,
        request.target.without_query()
    );
    let asked = std::sync::Arc::new(connect::Asked {
        target: request.target,
        protocols: request.protocols,
    });
    let mut limit = Some(limit);
    let attempt = move |settings: &std::sync::Arc<Settings>| {
        // What the call said holds for the first attempt.
        let limit = limit.take().unwrap_or(Some(settings.connect_timeout));
        connect::attempt(asked.clone(), settings.clone(), limit)
    };
    let begun = match is_synchronous {
        true => connect_here(&socket, attempt),
        false => runtime::spawn(|life| Living::new(life, socket.clone(), attempt).live(false)),
    };
    if let Err(error) = begun {
        registry::remove_this(&socket);
        return Err(error.of(socket.name()));
    }
    Ok(socket)
}

/// Has the calling thread make the attempt, since it is to wait for it; the rest of the life is the runtime's.
#[cfg(unix)]
fn connect_here<A, F>(socket: &Arc<Socket>, attempt: A) -> Result<()>
where
    A: FnMut(&std::sync::Arc<Settings>) -> F + Send + 'static,
    F: Future<Output = Result<Upgraded, (Answer, Error)>> + Send + 'static,
{
    use std::panic::{AssertUnwindSafe, catch_unwind};

    let mut living = Living::new(runtime::begin()?, socket.clone(), attempt);
    if runtime::is_behind() {
        // A host that closes what it opens, say, must not have more and more closings under way.
        living.go_on(false);
        return Ok(());
    }
    let connect = move || {
        let is_open = crate::sys::drive_alone(Box::pin(living.connect()));
        (living, is_open)
    };
    match catch_unwind(AssertUnwindSafe(connect)) {
        Ok((living, Some(true))) => living.go_on(true),
        // Nothing can come of it any more.
        Ok((living, Some(false))) => drop(living),
        // The thread cannot.
        Ok((living, None)) => living.go_on(false),
        // The life is gone, and the connection with it: who waits hears of that.
        Err(_) => {}
    }
    Ok(())
}

/// The runtime makes the attempt: `WSAPoll` does not tell, before Windows 10 version 2004, of one that has failed.
#[cfg(not(unix))]
fn connect_here<A, F>(socket: &Arc<Socket>, attempt: A) -> Result<()>
where
    A: FnMut(&std::sync::Arc<Settings>) -> F + Send + 'static,
    F: Future<Output = Result<Upgraded, (Answer, Error)>> + Send + 'static,
{
    Living::new(runtime::begin()?, socket.clone(), attempt).go_on(false);
    Ok(())
}

/// Connects and waits for the outcome. With a failure comes the failed attempt, to be asked about.
pub(crate) fn connect_and_wait(
    request: Request,
    limit: Limit,
) -> Result<(), (Error, Option<Arc<Socket>>)> {
    let socket = connect(request, Mode::Synchronous, limit).map_err(|error| (error, None))?;
    socket.wait_until_open().map_err(|error| {
        registry::remove_this(&socket);
        // The attempt goes on where it was the waiting that failed.
        socket.give_up();
        (error, Some(socket))
    })
}

/// Frees a name; the closing handshake goes on in the background.
pub(crate) fn close(name: &str) -> Result<()> {
    options::forget(name);
    registry::remove(name)?.release(1000);
    Ok(())
}

/// Sets an option, for a live connection at once.
pub(crate) fn set_option(name: Option<&str>, number: i32, value: Option<&str>) -> Result<()> {
    let Some(key) = options::Key::from_number(number) else {
        return Err(Error::invalid(format!("there is no option {number}")));
    };
    options::set(name, key, value)?;
    if let Some(name) = name
        && let Ok(socket) = registry::find(name)
    {
        socket.apply_options();
    }
    Ok(())
}

/// Closes everything with 1001 and stops the runtime. Returns an error if not all closing handshakes
/// had finished in time.
pub(crate) fn shut_down(limit: Option<Duration>) -> Result<()> {
    if events::in_callback() {
        return Err(Error::new(
            Code::Busy,
            "SocketShutdown inside a callback would wait for itself",
        ));
    }
    runtime::begin_shutdown()?;
    for socket in registry::remove_all() {
        socket.release(1001);
    }
    socket::events().discard_all();
    match runtime::finish_shutdown(limit) {
        true => Ok(()),
        false => Err(Error::new(
            Code::Timeout,
            "not all closing handshakes had finished when the time was over",
        )),
    }
}
