//! From a host's name to a TCP connection: all of its addresses, tried as in RFC 8305 ("happy
//! eyeballs").

use super::{Phase, WaitingFor, carrier::Dialed};
use crate::{
    error::{Code, Error, Result, describe},
    runtime,
    sync::lock,
    sys::Timer,
};
use socket2::SockAddr;
use std::{
    future::{Future, poll_fn},
    io,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    pin::Pin,
    task::Poll,
    time::{Duration, Instant},
};
use url::Host;

/// How long an attempt has before the next address is tried beside it (RFC 8305, section 5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// A host and a port.
#[derive(Debug, Clone, Copy)]
pub(super) struct Endpoint<'a> {
    pub host: &'a Host,
    pub port: u16,
}

impl Endpoint<'_> {
    /// Host and port, for people and for HTTP.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The host without brackets.
    pub fn bare_host(&self) -> String {
        match self.literal() {
            Some(ip) => ip.to_string(),
            None => self.host.to_string(),
        }
    }

    /// The address, if the host is one.
    pub fn literal(&self) -> Option<IpAddr> {
        match self.host {
            Host::Domain(_) => None,
            Host::Ipv4(ip) => Some(IpAddr::V4(*ip)),
            Host::Ipv6(ip) => Some(IpAddr::V6(*ip)),
        }
    }
}

/// Connects to the target's host.
pub(super) async fn dial(target: &Endpoint<'_>, phase: &Phase) -> Result<Dialed> {
    let addresses = resolve(target, phase).await?;
    lock(phase).waiting_for = WaitingFor::OneOf(addresses.clone());
    race(target, &addresses).await
}

/// Connects to a Unix socket.
pub(super) async fn local(path: &str) -> Result<Dialed> {
    let failed = |error: io::Error| {
        let code = match error.kind() {
            io::ErrorKind::ConnectionRefused => Code::Refused,
            _ => Code::Io,
        };
        Error::new(
            code,
            format!("cannot connect to {path}: {}", describe(&error)),
        )
    };
    let address = SockAddr::unix(path).map_err(failed)?;
    Dialed::connect(&address, String::new())
        .await
        .map_err(failed)
}

pub(super) async fn resolve(target: &Endpoint<'_>, phase: &Phase) -> Result<Vec<SocketAddr>> {
    if let Some(ip) = target.literal() {
        return Ok(vec![SocketAddr::new(ip, target.port)]);
    }
    let host = target.host.to_string();
    lock(phase).waiting_for = format!("the name {host} was not resolved").into();
    let failed = |why: String| {
        Err(Error::new(
            Code::Resolve,
            format!("cannot resolve {host}: {why}"),
        ))
    };
    let asked = (host.clone(), target.port);
    match runtime::blocking(move || asked.to_socket_addrs()).await? {
        Ok(found) => {
            let addresses = interleave(found.collect());
            match addresses.is_empty() {
                true => failed("it has no address".to_owned()),
                false => Ok(addresses),
            }
        }
        Err(error) => {
            let why = describe(&error);
            let why = why
                .strip_prefix("failed to lookup address information: ")
                .unwrap_or(&why);
            failed(why.to_owned())
        }
    }
}

/// Alternates between the families, beginning with the family of the resolver's first choice
/// (RFC 8305, section 4): the resolver has sorted by RFC 6724.
fn interleave(found: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let mut unique: Vec<SocketAddr> = Vec::new();
    for address in found {
        if !unique.contains(&address) {
            unique.push(address);
        }
    }
    let Some(first) = unique.first().map(SocketAddr::is_ipv6) else {
        return unique;
    };
    let (preferred, other): (Vec<_>, Vec<_>) = unique
        .into_iter()
        .partition(|address| address.is_ipv6() == first);
    let (mut preferred, mut other) = (preferred.into_iter(), other.into_iter());
    let mut sorted = Vec::new();
    loop {
        let pair = [preferred.next(), other.next()];
        if pair == [None, None] {
            return sorted;
        }
        sorted.extend(pair.into_iter().flatten());
    }
}

/// An attempt at one address.
type Attempt = Pin<Box<dyn Future<Output = (SocketAddr, io::Result<Dialed>)> + Send>>;

/// The outcome of the first attempt to have one. Never, where there are none.
async fn first(attempts: &mut Vec<Attempt>) -> (SocketAddr, io::Result<Dialed>) {
    poll_fn(|context| {
        for (index, attempt) in attempts.iter_mut().enumerate() {
            if let Poll::Ready(outcome) = attempt.as_mut().poll(context) {
                drop(attempts.swap_remove(index));
                return Poll::Ready(outcome);
            }
        }
        Poll::Pending
    })
    .await
}

/// Tries the addresses in order, the next when the last has failed or had its time; the first to
/// connect wins.
async fn race(target: &Endpoint<'_>, addresses: &[SocketAddr]) -> Result<Dialed> {
    let mut waiting = addresses.iter().copied();
    let mut attempts: Vec<Attempt> = Vec::new();
    let mut failures = Vec::new();
    let mut next = waiting.next();
    loop {
        if let Some(address) = next.take() {
            attempts.push(Box::pin(async move {
                let dialed = Dialed::connect(&address.into(), address.to_string()).await;
                (address, dialed)
            }));
        } else if attempts.is_empty() {
            return Err(all_failed(target, &failures));
        }
        let delay = (waiting.len() > 0).then(|| Instant::now() + ATTEMPT_DELAY);
        let mut timer = Timer::default();
        tokio::select! {
            biased;
            (address, outcome) = first(&mut attempts) => match outcome {
                Ok(dialed) => return Ok(dialed),
                Err(error) => {
                    log::debug!("{address}: {}", describe(&error));
                    failures.push((address, error));
                    next = waiting.next();
                }
            },
            () = timer.until(delay) => next = waiting.next(),
        }
    }
}

/// One error for all failures: refused if that is what each address said.
fn all_failed(target: &Endpoint<'_>, failures: &[(SocketAddr, io::Error)]) -> Error {
    let refused = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    let code = match failures.iter().all(|(_, error)| refused(error)) {
        true => Code::Refused,
        false => Code::Io,
    };
    let what: Vec<String> = failures
        .iter()
        .map(|(address, error)| match refused(error) {
            true => format!("{address} refused the connection"),
            false => format!("cannot connect to {address}: {}", describe(error)),
        })
        .collect();
    let what = what.join("; ");
    match target.literal() {
        Some(_) => Error::new(code, what),
        None => Error::new(code, format!("{}: {what}", target.host)),
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn families_alternate_beginning_with_the_resolvers_first() {
        let parse = |text: &str| text.parse::<SocketAddr>().unwrap();
        let (a, b, c) = (parse("[::1]:1"), parse("[::2]:1"), parse("[::3]:1"));
        let (x, y) = (parse("1.1.1.1:1"), parse("2.2.2.2:1"));
        assert_eq!(interleave(vec![a, b, a, c, x, y]), [a, x, b, y, c]);
        assert_eq!(interleave(vec![x, y, a]), [x, a, y]);
        assert_eq!(interleave(vec![]), []);
    }
}
