//! [`Watchers`]: whoever asks the admin address, all the time, while everything else goes on.
//!
//! Two follow `/events` from before the first request to the end of the program, one as fast as
//! events come and one that reads slowly until the load is over. Others ask for `/metrics`, for
//! `/connections` and for `/status.json` again and again, and look at each answer.

use std::collections::HashSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;
use socket2::{Domain, Socket, Type};

use crate::figures::{Figures, Outcomes};
use crate::record::Record;
use crate::stage::Stage;
use crate::wire::{Framing, Wire};

/// How many follow `/events`.
pub(crate) const FOLLOWERS: usize = 2;
/// An address of their own: no client of the proxy has it.
const HERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 1);
/// How often each of the others asks.
const EVERY: Duration = Duration::from_millis(200);
/// What the slow one waits between two pieces, of 8 KiB: it takes less than a tenth of what there is.
const SLOW: Duration = Duration::from_secs(1);
/// The kernel is to keep as little for it as it can, in buffers of this size and in packets of that:
/// else all records of a short run find room there, and it misses none.
const BUFFER: usize = 4096;
#[cfg(target_os = "linux")]
const PACKET: u32 = 536;

/// Those who ask.
pub(crate) struct Watchers {
    admin: SocketAddr,
    followers: [JoinHandle<Followed>; FOLLOWERS],
    askers: Vec<JoinHandle<u64>>,
}

/// What they were told.
pub(crate) struct Watched {
    /// How many answers were right.
    pub(crate) answers: u64,
    /// What each follower saw, the fast one first.
    pub(crate) followed: [Followed; FOLLOWERS],
}

/// What one who follows `/events` saw.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    pub(crate) outcomes: Outcomes,
    /// Events that it was too slow for, as it was told.
    pub(crate) lost: u64,
    /// What is wrong with it.
    findings: Vec<String>,
}

impl Watchers {
    /// Has the followers begin: when it returns, they see each record that is made.
    pub(crate) fn follow(admin: SocketAddr, stage: &Arc<Stage>) -> io::Result<Watchers> {
        let followers = [follow(admin, stage, false)?, follow(admin, stage, true)?];
        Ok(Watchers { admin, followers, askers: Vec::new() })
    }

    /// Has the others begin, until it is over.
    pub(crate) fn ask(&mut self, stage: &Arc<Stage>) -> io::Result<()> {
        for look in [metrics as Look, connections, status] {
            let (stage, admin) = (Arc::clone(stage), self.admin);
            let asker = move || {
                let (mut memory, mut answers) = (Memory::default(), 0);
                while stage.pause(EVERY) {
                    match look(admin, &mut memory) {
                        Ok(()) => answers += 1,
                        Err(why) => stage.ledger.trouble(format!("the admin address: {why}")),
                    }
                }
                answers
            };
            self.askers.push(thread::Builder::new().name("asker".into()).spawn(asker)?);
        }
        Ok(())
    }

    /// Waits for those who ask, and asks for the last time, of a proxy at rest.
    pub(crate) fn last_figures(&mut self) -> (u64, Result<Figures, String>) {
        let asked = self.askers.drain(..).map(|asker| asker.join().unwrap_or_default());
        let answers = asked.sum();
        let figures = get(self.admin, "/metrics").and_then(|text| Figures::parse(&text));
        (answers, figures)
    }

    /// Waits for those who follow: the program has ended, and with it what they read.
    pub(crate) fn end(self, answers: u64) -> Watched {
        let followed = self.followers.map(|follower| {
            follower.join().unwrap_or_else(|_| Followed {
                findings: vec!["it panicked".to_owned()],
                ..Followed::default()
            })
        });
        Watched { answers, followed }
    }
}

impl Watched {
    /// What was wrong with `/events`, where these records were logged.
    pub(crate) fn findings(&self, logged: &Outcomes) -> Vec<String> {
        let mut findings = Vec::new();
        for (name, followed) in ["fast", "slow"].into_iter().zip(&self.followed) {
            let Followed { outcomes, lost, findings: own } = followed;
            let (seen, all) = (outcomes.records(), logged.records());
            let mut find =
                |what: String| findings.push(format!("/events, the {name} reader: {what}"));
            own.iter().for_each(|what| find(what.clone()));
            if seen + lost != all {
                find(format!("{seen} records and {lost} lost, of {all} in the log"));
            } else if *lost == 0 && outcomes != logged {
                find(format!("it saw {outcomes:?}, and the log has {logged:?}"));
            }
        }
        findings
    }
}

/// Begins to follow, and goes on in a thread.
fn follow(
    admin: SocketAddr,
    stage: &Arc<Stage>,
    is_slow: bool,
) -> io::Result<JoinHandle<Followed>> {
    let mut wire = if is_slow { connect_slowly(admin)? } else { Wire::connect(HERE, admin, None)? };
    wire.send(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let head = wire.head()?.ok_or(io::ErrorKind::UnexpectedEof)?;
    if head.status() != Some(200) || head.field("content-type") != Some("text/event-stream") {
        return Err(io::Error::other(format!("/events: {head:?}")));
    }
    let stage = Arc::clone(stage);
    thread::Builder::new().name("follower".into()).spawn(move || {
        let (mut followed, mut text) = (Followed::default(), Vec::new());
        let end = wire.body(head.framing(Framing::Close), &mut |piece| {
            text.extend_from_slice(piece);
            while let Some(at) = text.windows(2).position(|two| two == b"\n\n") {
                let event: Vec<u8> = text.drain(..at + 2).collect();
                followed.take(&String::from_utf8_lossy(&event));
            }
            if is_slow {
                stage.pause(SLOW);
            }
            Ok(())
        });
        if let Err(error) = end {
            followed.findings.push(format!("it did not end as a whole: {error}"));
        }
        followed
    })
}

/// A connection on which little is under way.
fn connect_slowly(admin: SocketAddr) -> io::Result<Wire> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_recv_buffer_size(BUFFER)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_mss(PACKET)?;
    socket.connect(&admin.into())?;
    Wire::over(socket.into())
}

impl Followed {
    /// Takes one event.
    fn take(&mut self, event: &str) {
        let read = match event.trim_end().split_once("data: ") {
            // A comment, to begin with.
            None if event.starts_with(':') => return,
            Some(("", record)) => Record::parse(record).map(|record| self.outcomes.add(&record)),
            Some(("event: lost\n", lost)) => match serde_json::from_str::<Value>(lost) {
                Ok(lost) => lost["lost"]
                    .as_u64()
                    .map(|lost| self.lost += lost)
                    .ok_or("no number".to_owned()),
                Err(error) => Err(error.to_string()),
            },
            _ => Err("no such event".to_owned()),
        };
        if let Err(why) = read {
            self.findings.push(format!("{why}: {event:?}"));
        }
    }
}

/// What an asker remembers of the last answer.
#[derive(Default)]
struct Memory {
    figures: Option<Figures>,
}

/// Asks once, and looks at the answer.
type Look = fn(SocketAddr, &mut Memory) -> Result<(), String>;

fn metrics(admin: SocketAddr, memory: &mut Memory) -> Result<(), String> {
    let wrong = |why: String| format!("/metrics: {why}");
    let figures = get(admin, "/metrics").and_then(|text| Figures::parse(&text)).map_err(wrong)?;
    let shrunk = memory.figures.as_ref().and_then(|before| figures.shrunk_since(before));
    memory.figures = Some(figures);
    shrunk.map_or(Ok(()), |what| Err(wrong(what)))
}

fn connections(admin: SocketAddr, _: &mut Memory) -> Result<(), String> {
    let answer = object(admin, "/connections")?;
    let list = answer["connections"].as_array().ok_or("/connections: no list")?;
    let mut ids = HashSet::new();
    let is_right = |one: &Value| {
        let client = one["client"].as_str().and_then(|it| it.parse::<SocketAddr>().ok());
        let is_ours = client.is_some_and(|client| client.ip().is_loopback());
        let request = &one["request"];
        let has_request = request["target"].is_string() && request["bytes_in"].is_u64();
        is_ours && one["state"].is_string() && (request.is_null() || has_request)
    };
    let is_new = |one: &Value| one["id"].as_str().is_some_and(|id| ids.insert(id.to_owned()));
    if let Some(wrong) = list.iter().find(|one| !is_right(one)) {
        return Err(format!("/connections: {wrong}"));
    }
    let is_complete = answer["total"].as_u64() == Some(list.len() as u64);
    match is_complete && list.iter().all(is_new) {
        true => Ok(()),
        false => Err(format!("/connections: {answer}")),
    }
}

fn status(admin: SocketAddr, _: &mut Memory) -> Result<(), String> {
    let answer = object(admin, "/status.json")?;
    let is_right = answer["draining"] == false
        && answer["metrics"] == true
        && answer["watching"] == FOLLOWERS
        && answer["connections"]["open"].is_u64();
    if is_right { Ok(()) } else { Err(format!("/status.json: {answer}")) }
}

fn object(admin: SocketAddr, path: &str) -> Result<Value, String> {
    let text = get(admin, path).map_err(|why| format!("{path}: {why}"))?;
    serde_json::from_str(&text).map_err(|error| format!("{path}: {error}: {text}"))
}

/// What is at a path, asked for on a connection of its own.
fn get(admin: SocketAddr, path: &str) -> Result<String, String> {
    let answer = || {
        let mut wire = Wire::connect(HERE, admin, None)?;
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        wire.send(head.as_bytes())?;
        let head = wire.head()?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut body = Vec::new();
        wire.body(head.framing(Framing::Close), &mut |piece| {
            body.extend_from_slice(piece);
            Ok(())
        })?;
        Ok((head.status(), String::from_utf8_lossy(&body).into_owned()))
    };
    match answer() {
        Ok((Some(200), text)) => Ok(text),
        Ok((status, text)) => Err(format!("status {status:?}: {text}")),
        Err(error) => Err(io::Error::to_string(&error)),
    }
}
