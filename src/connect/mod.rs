//! The connection attempt: address, resolved, connected, upgraded, each step a file. Nothing here
//! outlives the attempt.

pub(crate) mod address;
mod dial;
mod upgrade;

use self::address::Target;
use crate::{
    error::{Code, Error},
    options::Settings,
    socket::{Answer, Upgraded},
    stream::Stream,
    sync::{Arc, Mutex, lock},
    sys,
};
use std::time::Duration;
use tokio::net::TcpStream;

/// How far an attempt has got, for when the time is over.
#[derive(Default)]
struct Progress {
    /// What is being waited for.
    waiting_for: String,
    /// What the server has refused already: only the rest of its answer is missing.
    refusal: Option<Failure>,
}

type Phase = Mutex<Progress>;
type Failure = (Answer, Error);

/// Connects. `limit`: for the whole attempt (`None`: as long as it takes).
pub(crate) async fn attempt(
    target: Target,
    protocols: Vec<String>,
    settings: Settings,
    limit: Option<Duration>,
) -> Result<Upgraded, Failure> {
    let phase = Phase::default();
    let Some(limit) = limit else {
        return steps(&target, &protocols, &settings, &phase).await;
    };
    match tokio::time::timeout(limit, steps(&target, &protocols, &settings, &phase)).await {
        Ok(outcome) => outcome,
        Err(_) => {
            let mut progress = lock(&phase);
            if let Some(refusal) = progress.refusal.take() {
                return Err(refusal);
            }
            let what = format!(
                "no connection to {} within {} ms: {}",
                target.authority(),
                limit.as_millis(),
                progress.waiting_for
            );
            Err((Answer::default(), Error::new(Code::Timeout, what)))
        }
    }
}

async fn steps(
    target: &Target,
    protocols: &[String],
    settings: &Settings,
    phase: &Phase,
) -> Result<Upgraded, Failure> {
    let before_answer = |error| (Answer::default(), error);
    let mut stream = Dialed(Some(
        dial::dial(target, phase).await.map_err(before_answer)?,
    ));
    lock(phase).waiting_for = "the server did not answer the upgrade request".to_owned();
    let (answer, early) =
        upgrade::upgrade(stream.get(), target, protocols, settings, phase).await?;
    let remote = stream.get().peer_addr().ok();
    // Off the reactor: whoever needs the socket drives it from here on.
    let socket = stream
        .into_std()
        .and_then(sys::Socket::new)
        .map_err(|error| before_answer(Error::io("cannot use the connection", &error)))?;
    Ok(Upgraded {
        stream: Stream::direct(Arc::new(socket)),
        answer,
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

/// A connection that is given up unless it is taken out: a child of `fork` may hold the descriptor too,
/// and closing this one alone would withhold the FIN.
struct Dialed(Option<TcpStream>);

impl Dialed {
    fn get(&mut self) -> &mut TcpStream {
        self.0.as_mut().expect("taken out only by value")
    }

    fn into_std(mut self) -> std::io::Result<std::net::TcpStream> {
        self.0.take().expect("taken out only by value").into_std()
    }
}

impl Drop for Dialed {
    fn drop(&mut self) {
        if let Some(Ok(stream)) = self.0.take().map(TcpStream::into_std) {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }
}
