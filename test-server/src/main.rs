//! The WebSocket server of the tests; README.md says what it does.
//!
//! ```text
//! main ─► upgrade ─► behaviour, misbehaviour, hostile ─► peer ─► frame, deflate
//!                    (the path chooses)                    │
//!                                                        diary ◄─ /report, /control
//! ```
//! A blocking thread per connection: the simplest thing that is fast, and free to misbehave.

#![deny(unsafe_op_in_unsafe_fn)]

mod behaviour;
mod deflate;
mod diary;
mod frame;
mod hostile;
mod misbehaviour;
mod peer;
mod query;
mod sys;
mod upgrade;

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode};
use std::thread;

/// Small, because a benchmark has ten thousand of them.
const STACK: usize = 256 << 10;

const USAGE: &str = "usage: wdsocket-test-server [--port N] [--ipv6] [--run PROGRAM [ARG...]]";

fn main() -> ExitCode {
    let mut port = 0;
    let mut ipv6 = false;
    let mut program = Vec::new();
    let mut args = std::env::args_os().skip(1);
    while let Some(arg) = args.next() {
        match arg.to_str() {
            Some("--port") => match args.next().and_then(|port| port.to_str()?.parse().ok()) {
                Some(number) => port = number,
                None => return usage(),
            },
            Some("--ipv6") => ipv6 = true,
            Some("--run") => program = args.by_ref().collect(),
            _ => return usage(),
        }
    }
    sys::raise_descriptor_limit();
    let (port, ipv6) = match listen(port, ipv6) {
        Ok(listening) => listening,
        Err(error) => {
            eprintln!("wdsocket-test-server: cannot listen: {error}");
            return ExitCode::FAILURE;
        }
    };
    if let [program, args @ ..] = &program[..] {
        let mut command = Command::new(program);
        command
            .args(args)
            .env("WDSOCKET_TEST_PORT", port.to_string());
        if ipv6 {
            command.env("WDSOCKET_TEST_IPV6", "1");
        }
        return run(&mut command);
    }
    println!("port {port}");
    let _ = io::stdout().flush();
    let _ = io::stdin().read_to_end(&mut Vec::new());
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}

/// Runs the program and ends as it ends; 128 + the signal's number if a signal killed it.
fn run(command: &mut Command) -> ExitCode {
    let status = sys::spawn_bound(command).and_then(|mut child| child.wait());
    match status {
        Ok(status) => {
            if let Some(signal) = status.signal() {
                eprintln!(
                    "wdsocket-test-server: {:?} was killed by signal {signal}",
                    command.get_program()
                );
            }
            let code = status
                .code()
                .or(status.signal().map(|signal| 128 + signal))
                .unwrap_or(1);
            ExitCode::from(code as u8)
        }
        Err(error) => {
            eprintln!(
                "wdsocket-test-server: cannot run {:?}: {error}",
                command.get_program()
            );
            ExitCode::from(127)
        }
    }
}

/// Listens on loopback, in both families if asked: then on one port that is free in both. Returns
/// the port, and whether the system has IPv6.
fn listen(port: u16, ipv6: bool) -> io::Result<(u16, bool)> {
    for attempt in 0.. {
        let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let chosen = v4.local_addr()?.port();
        let mut both = false;
        if ipv6 {
            match TcpListener::bind((Ipv6Addr::LOCALHOST, chosen)) {
                Ok(v6) => {
                    accept_on(v6);
                    both = true;
                }
                Err(error)
                    if error.kind() == io::ErrorKind::AddrInUse && port == 0 && attempt < 20 =>
                {
                    continue;
                }
                Err(error) => eprintln!("wdsocket-test-server: no IPv6: {error}"),
            }
        }
        accept_on(v4);
        return Ok((chosen, both));
    }
    unreachable!("the loop ends with a port or an error")
}

fn accept_on(listener: TcpListener) {
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let started = thread::Builder::new()
                .stack_size(STACK)
                .spawn(move || serve(stream));
            if let Err(error) = started {
                eprintln!("wdsocket-test-server: no thread for a connection: {error}");
            }
        }
    });
}

fn serve(mut stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let Some(request) = upgrade::Request::read(&mut stream) else {
        return;
    };
    // Reports and commands name the diary that they are about: they write none themselves.
    let about_another = matches!(request.query.path.as_str(), "/report" | "/control");
    let id = request.query.text("id").filter(|_| !about_another);
    let pen = id.and_then(|id| diary::Pen::new(id).ok());
    let mut peer = peer::Peer::new(stream, pen);
    peer.note(|| {
        format!(
            "open {}",
            request.text.split(' ').nth(1).unwrap_or_default()
        )
    });
    let _ = behaviour::serve(&mut peer, &request);
}
