//! tokio-tungstenite as it is: the plain asynchronous stream on a runtime of one thread. The line protocol and the
//! scenarios are those of `../bench.h`.

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Failure = Box<dyn std::error::Error>;

/// Messages of a corked burst.
const BURST: usize = 100;

#[derive(Default)]
struct Bench {
    parameters: HashMap<String, String>,
    scenario: String,
    message: Option<Message>,
    sockets: Vec<Socket>,
}

fn cpu_us() -> f64 {
    // SAFETY: zeroes are a valid rusage, which the call fills.
    let usage = unsafe {
        let mut usage = std::mem::zeroed::<libc::rusage>();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let us = |time: libc::timeval| time.tv_sec as f64 * 1e6 + time.tv_usec as f64;
    us(usage.ru_utime) + us(usage.ru_stime)
}

impl Bench {
    fn text(&self, key: &str) -> &str {
        self.parameters.get(key).map_or("", String::as_str)
    }

    fn number(&self, key: &str) -> usize {
        self.text(key).parse().unwrap_or(0)
    }

    async fn open(&mut self, path: &str) -> Result<(), Failure> {
        let url = format!("ws://127.0.0.1:{}{path}", self.text("port"));
        let config = WebSocketConfig::default()
            .max_message_size(None)
            .max_frame_size(None);
        let (socket, _) = connect_async_with_config(url, Some(config), true).await?;
        self.sockets.push(socket);
        Ok(())
    }

    async fn open_many(&mut self) -> Result<(), Failure> {
        for i in 0..self.number("count") {
            let path = match self.text("sink") {
                "" => "/idle".to_owned(),
                sink => format!("/sink?{sink}{}", if i == 0 { ",tell" } else { "" }),
            };
            self.open(&path).await?;
        }
        Ok(())
    }

    /// The next message, of the length that is expected.
    async fn take(&mut self, length: usize) -> Result<Message, Failure> {
        let message = self.sockets[0]
            .next()
            .await
            .ok_or("the connection has ended")??;
        if message.len() != length {
            return Err(format!(
                "a message of {} bytes, {length} were expected",
                message.len()
            )
            .into());
        }
        Ok(message)
    }

    async fn give(&mut self, i: usize) -> Result<(), Failure> {
        let message = self.message.clone().ok_or("nothing to send")?;
        Ok(self.sockets[i].send(message).await?)
    }

    async fn give_corked(&mut self, count: usize) -> Result<(), Failure> {
        let message = self.message.clone().ok_or("nothing to send")?;
        for i in 1..=count {
            self.sockets[0].feed(message.clone()).await?;
            if i % BURST == 0 || i == count {
                self.sockets[0].flush().await?;
            }
        }
        Ok(())
    }

    async fn prepare(&mut self) -> Result<String, Failure> {
        let size = self.number("size");
        let letters = || {
            (0..size)
                .map(|i| char::from(b'a' + (i % 26) as u8))
                .collect::<String>()
        };
        self.message = Some(match self.text("kind") {
            "text" => Message::text(letters()),
            "cjk" => Message::text("漢".repeat(size / 3) + &".".repeat(size % 3)),
            _ => Message::binary(letters()),
        });
        match self.scenario.as_str() {
            "echo" => {
                self.open("/echo").await?;
                self.give(0).await?;
                if Some(self.take(size).await?) != self.message {
                    return Err("other bytes than were expected".into());
                }
            }
            "receive" | "send" => {
                let path = self.text("path").to_owned();
                self.open(&path).await?;
            }
            "broadcast" | "idle" => self.open_many().await?,
            _ => {}
        }
        Ok("\"ready\": true".into())
    }

    async fn round(&mut self) -> Result<String, Failure> {
        let (count, size) = (self.number("count"), self.number("size"));
        let mut times = Vec::with_capacity(count);
        let (begin, cpu) = (Instant::now(), cpu_us());
        match self.scenario.as_str() {
            "echo" => {
                for _ in 0..count {
                    let start = Instant::now();
                    self.give(0).await?;
                    self.take(size).await?;
                    times.push(start.elapsed().as_nanos() as f64 / 1e3);
                }
            }
            "receive" => {
                self.sockets[0].send(Message::text("go")).await?;
                for _ in 0..count {
                    self.take(size).await?;
                }
            }
            "send" => {
                if self.text("way") == "cork" {
                    self.give_corked(count).await?;
                } else {
                    for _ in 0..count {
                        self.give(0).await?;
                    }
                }
                self.take(0).await?;
            }
            "broadcast" => {
                for i in 0..self.sockets.len() {
                    self.give(i).await?;
                }
                self.take(0).await?;
            }
            "open" => self.open_many().await?,
            other => return Err(format!("no scenario '{other}'").into()),
        }
        let wall = begin.elapsed().as_nanos() as f64 / 1e3;
        let cpu = cpu_us() - cpu;
        if self.scenario == "open" {
            self.sockets.clear();
        }
        let times = if times.is_empty() {
            String::new()
        } else {
            format!(", \"times\": {times:?}")
        };
        let bytes = count * size;
        Ok(format!(
            "\"wall_us\": {wall:.1}, \"cpu_us\": {cpu:.0}, \"messages\": {count}, \"bytes\": {bytes}{times}"
        ))
    }

    async fn finish(&mut self) -> Result<String, Failure> {
        if let [socket] = self.sockets.as_mut_slice() {
            socket.close(None).await?;
        }
        self.sockets.clear();
        Ok("\"finished\": true".into())
    }

    async fn answer(&mut self, line: &str) -> Result<String, Failure> {
        let mut words = line.split_whitespace();
        let word = words.next().unwrap_or("");
        if word == "prepare" {
            self.scenario = words.next().unwrap_or("").to_owned();
            let pairs = words.filter_map(|word| word.split_once('='));
            self.parameters = pairs
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect();
        }
        match word {
            "prepare" => self.prepare().await,
            "round" => self.round().await,
            "rest" => {
                let seconds = line
                    .split_once("seconds=")
                    .map_or(Ok(0.0), |(_, text)| text.parse())?;
                let cpu = cpu_us();
                tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
                Ok(format!("\"cpu_us\": {:.0}", cpu_us() - cpu))
            }
            "finish" => self.finish().await,
            _ => Err(format!("unknown command: {line}").into()),
        }
    }
}

fn main() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut bench = Bench::default();
    let (input, mut output) = (std::io::stdin(), std::io::stdout());
    let can = "echo receive send open idle broadcast cork one-by-one";
    writeln!(
        output,
        "{{\"version\": \"{}\", \"can\": \"{can}\"}}",
        env!("TUNGSTENITE_VERSION")
    )?;
    for line in input.lock().lines() {
        let answer = runtime.block_on(bench.answer(&line?))?;
        writeln!(output, "{{{answer}}}")?;
        output.flush()?;
    }
    Ok(())
}
