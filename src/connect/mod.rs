//! The connection attempt: address, resolved, connected, upgraded, each step a file. Nothing here
//! outlives the attempt.

pub(crate) mod address;
mod carrier;
mod dial;
mod proxy;
mod redirect;
mod upgrade;

use self::{address::Target, carrier::Carrier, dial::Endpoint};
use crate::{
    error::{Code, Error},
    options::Settings,
    socket::{Answer, Upgraded},
    sync::{Mutex, lock},
    sys, tls,
};
use std::{borrow::Cow, fmt, net::SocketAddr, sync::Arc, time::Duration};

/// How far an attempt has got, for when the time is over.
#[derive(Default)]
struct Progress {
    /// What is being waited for.
    waiting_for: WaitingFor,
    /// What the server has refused already: only the rest of its answer is missing.
    refusal: Option<Failure>,
}

/// Said only when the time is over: most attempts do not get there.
enum WaitingFor {
    /// This.
    This(Cow<'static, str>),
    /// One of these addresses.
    OneOf(Vec<SocketAddr>),
}

impl Default for WaitingFor {
    fn default() -> Self {
        WaitingFor::This(Cow::Borrowed(""))
    }
}

impl<T: Into<Cow<'static, str>>> From<T> for WaitingFor {
    fn from(this: T) -> Self {
        WaitingFor::This(this.into())
    }
}

impl fmt::Display for WaitingFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WaitingFor::This(this) => f.write_str(this),
            WaitingFor::OneOf(addresses) => {
                let list: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
                write!(f, "{} did not answer", list.join(" and "))
            }
        }
    }
}

/// So many answers that only announce another (status 100 to 199, but for 101) are read.
const MOST_INTERIM: usize = 16;

type Phase = Mutex<Progress>;
type Failure = (Answer, Error);

/// What the host has asked for, the same for each attempt.
pub(crate) struct Asked {
    pub target: Target,
    pub protocols: Vec<String>,
}

/// Connects. `limit`: for the whole attempt (`None`: as long as it takes).
pub(crate) async fn attempt(
    asked: Arc<Asked>,
    settings: Arc<Settings>,
    limit: Option<Duration>,
) -> Result<Upgraded, Failure> {
    let Asked { target, protocols } = &*asked;
    let phase = Phase::default();
    let steps = steps(target, protocols, &settings, &phase);
    if let Some(outcome) = sys::within(limit, steps).await {
        return outcome;
    }
    let mut progress = lock(&phase);
    if let Some(refusal) = progress.refusal.take() {
        return Err(refusal);
    }
    let what = format!(
        "no connection to {} within {} ms: {}",
        target.authority(),
        limit.unwrap_or_default().as_millis(),
        progress.waiting_for
    );
    Err((Answer::default(), Error::new(Code::Timeout, what)))
}

/// The attempt, redirections included.
async fn steps(
    target: &Target,
    protocols: &[String],
    settings: &Settings,
    phase: &Phase,
) -> Result<Upgraded, Failure> {
    let mut target = Cow::Borrowed(target);
    let mut settings = Cow::Borrowed(settings);
    for _ in 0..redirect::MOST {
        let url = other_url(&target);
        let (answer, error) = match once(&target, url, protocols, &settings, phase).await {
            Ok(upgraded) => return Ok(upgraded),
            Err(failure) => failure,
        };
        let Some(location) = redirect::location(&answer) else {
            return Err((answer, error));
        };
        let next = match redirect::follow(&target, location) {
            Ok(next) => next,
            Err(error) => return Err((answer, error)),
        };
        log::info!(
            "{} redirects to {}",
            target.without_query(),
            next.without_query()
        );
        if (&next.host, next.port, &next.unix) != (&target.host, target.port, &target.unix) {
            settings = Cow::Owned(redirect::without_authorisation(&settings));
        }
        target = Cow::Owned(next);
    }
    let url = other_url(&target);
    let (answer, error) = match once(&target, url, protocols, &settings, phase).await {
        Ok(upgraded) => return Ok(upgraded),
        Err(failure) => failure,
    };
    Err(match redirect::location(&answer) {
        None => (answer, error),
        Some(_) => {
            let what = format!("the server redirects more than {} times", redirect::MOST);
            (answer, Error::new(Code::Handshake, what))
        }
    })
}

/// The URL after a redirection; empty without one: the connection knows what the host has asked for.
#[allow(clippy::ptr_arg)] // whether it is borrowed is the question
fn other_url(target: &Cow<'_, Target>) -> String {
    match target {
        Cow::Borrowed(_) => String::new(),
        Cow::Owned(target) => target.url(),
    }
}

/// One address: reached, secured, upgraded.
async fn once(
    target: &Target,
    url: String,
    protocols: &[String],
    settings: &Settings,
    phase: &Phase,
) -> Result<Upgraded, Failure> {
    let before_answer = |error| (Answer::default(), error);
    let (mut carrier, proxy) = reach(target, settings, phase)
        .await
        .map_err(before_answer)?;
    if let Some(versions) = target.tls {
        lock(phase).waiting_for = "the server did not finish the TLS handshake".into();
        let stream = tls::connect(carrier, &target.host, &settings.tls, versions)
            .await
            .map_err(before_answer)?;
        carrier = Carrier::Tls(Box::new(stream));
    }
    // What a proxy has is its own.
    let (tls, certificate) = match target.tls {
        Some(_) => carrier.session(),
        None => Default::default(),
    };
    let about = |answer| Answer {
        url: url.clone(),
        tls: tls.clone(),
        certificate: certificate.clone(),
        proxy: proxy.clone(),
        ..answer
    };
    lock(phase).waiting_for = "the server did not answer the upgrade request".into();
    let (answer, early) = upgrade::upgrade(&mut carrier, target, protocols, settings, phase)
        .await
        .map_err(|(answer, error)| (about(answer), error))?;
    let remote = match &target.unix {
        Some(path) => path.clone(),
        None => carrier.remote(),
    };
    let (stream, registration) = carrier.into_stream();
    Ok(Upgraded {
        stream,
        registration,
        answer: about(answer),
        remote,
        early,
    })
}

/// The last step alone, over any stream.
#[cfg(fuzzing)]
pub(crate) async fn upgrade_alone(
    stream: &mut (impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin),
    target: &Target,
    protocols: &[String],
    settings: &Settings,
) -> Result<(Answer, Vec<u8>), Failure> {
    upgrade::upgrade(stream, target, protocols, settings, &Phase::default()).await
}

/// A connection to the server, through a proxy or not; and that proxy's name.
async fn reach(
    target: &Target,
    settings: &Settings,
    phase: &Phase,
) -> Result<(Carrier, String), Error> {
    if let Some(path) = &target.unix {
        lock(phase).waiting_for = format!("{path} did not answer").into();
        return Ok((Carrier::Plain(dial::local(path).await?), String::new()));
    }
    let endpoint = Endpoint {
        host: &target.host,
        port: target.port,
    };
    match proxy::choose(settings, &endpoint, target.tls.is_some())? {
        None => {
            let dialed = dial::dial(&endpoint, phase).await?;
            Ok((Carrier::Plain(dialed), String::new()))
        }
        Some(server) => {
            let carrier = proxy::connect(&server, &endpoint, settings, phase).await?;
            Ok((carrier, server.to_string()))
        }
    }
}
