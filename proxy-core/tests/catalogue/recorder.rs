//! [`Recorder`]: an origin that keeps every byte it gets, and answers as it is told. Knows
//! nothing of the library: the comparison with other proxies uses it, too.

// Each of the programs that include this uses a part of it.
#![allow(dead_code)]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use crate::search::find;

/// What it answers with unless told otherwise. It closes behind each answer's request, so that
/// whatever the proxy sends on a connection belongs to one request.
pub const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
    Content-Length: 0\r\nConnection: close\r\n\r\n";

/// The answer to the request that tells whether all is well behind a row.
pub const NEXT_ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
    Content-Length: 4\r\nX: next\r\n\r\nnext";

/// The origin.
pub struct Recorder {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

/// What it does with the requests that come.
#[derive(Clone, Default)]
pub enum Script {
    /// Answers each with [`ANSWER`].
    #[default]
    Answers,
    /// Answers with these pieces; `/next` with [`NEXT_ANSWER`].
    Plays {
        pieces: Vec<Vec<u8>>,
        /// Whether it ends its side behind them.
        ends: bool,
        /// Whether it answers once it has the head of a request.
        early: bool,
    },
}

/// One connection to it.
pub struct Visit {
    /// All that came.
    pub bytes: Vec<u8>,
    /// Whether the other side has closed.
    pub closed: bool,
    stream: TcpStream,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    visits: Vec<Visit>,
    script: Script,
    /// How often the script has been set, and whether this one has been played to its end.
    scripts: usize,
    played: bool,
}

impl Recorder {
    pub fn start() -> Recorder {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let visited = Arc::clone(&shared);
        // The thread ends with the process: a listener cannot be interrupted portably.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                stream.set_nodelay(true).unwrap();
                let stream_too = stream.try_clone().unwrap();
                let number = visited.with(|state| {
                    let visit = Visit { bytes: Vec::new(), closed: false, stream: stream_too };
                    state.visits.push(visit);
                    state.visits.len() - 1
                });
                let visited = Arc::clone(&visited);
                thread::spawn(move || visited.serve(number, stream));
            }
        });
        Recorder { address, shared }
    }

    /// Sets what is done with the requests that come from now on.
    pub fn set(&self, script: Script) {
        self.shared.with(|state| {
            state.script = script;
            state.scripts += 1;
            state.played = false;
        });
    }

    /// Waits until the script has been played to its end.
    pub fn wait_until_played(&self, patience: Duration) {
        let state = self.shared.lock();
        let _ = self.shared.changed.wait_timeout_while(state, patience, |state| !state.played);
    }

    /// How many connections there have been.
    pub fn visits(&self) -> usize {
        self.shared.with(|state| state.visits.len())
    }

    /// Which of the connections the first request with this path came on.
    pub fn visit_of(&self, from: usize, path: &str) -> Option<usize> {
        let line = format!(" {path} HTTP/1.1\r\n");
        self.shared.with(|state| {
            let visits = state.visits[from..].iter();
            visits
                .rev()
                .position(|visit| find(&visit.bytes, line.as_bytes()).is_some())
                .map(|at| state.visits.len() - 1 - at)
        })
    }

    /// Sends something on one of the connections that nobody has asked for.
    pub fn add(&self, number: usize, bytes: &[u8]) {
        let stream = self.shared.with(|state| state.visits[number].stream.try_clone().unwrap());
        // The proxy may have closed it, which is as well.
        let _ = (&stream).write_all(bytes);
    }

    /// What came on the connections from this one on, once all of them are closed. `None`: they
    /// are not, after so long.
    pub fn recorded(&self, from: usize, patience: Duration) -> Option<Vec<Vec<u8>>> {
        let until = Instant::now() + patience;
        let mut state = self.shared.lock();
        while !state.visits[from..].iter().all(|visit| visit.closed) {
            let left = until.checked_duration_since(Instant::now())?;
            state = self.shared.changed.wait_timeout(state, left).unwrap().0;
        }
        Some(state.visits[from..].iter().map(|visit| visit.bytes.clone()).collect())
    }

    /// What has come so far on the connections from this one on.
    pub fn so_far(&self, from: usize) -> Vec<Vec<u8>> {
        self.shared.with(|state| state.visits[from..].iter().map(|v| v.bytes.clone()).collect())
    }

    /// Closes its side of all connections from this one on.
    pub fn hang_up(&self, from: usize) {
        self.shared.with(|state| {
            for visit in &state.visits[from..] {
                let _ = visit.stream.shutdown(Shutdown::Both);
            }
        });
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let done = change(&mut self.lock());
        self.changed.notify_all();
        done
    }

    fn serve(&self, number: usize, mut stream: TcpStream) {
        let mut buffer = [0; 16 * 1024];
        // What of the bytes has been answered, and for which script the last time.
        let (mut answered, mut spent) = (0, 0);
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            let (script, number_of_script, bytes) = self.with(|state| {
                state.visits[number].bytes.extend_from_slice(&buffer[..count]);
                (state.script.clone(), state.scripts, state.visits[number].bytes.clone())
            });
            // Behind an early answer comes the request's body, which is not looked at.
            let early = matches!(script, Script::Plays { early: true, .. });
            let next = |answered: usize, spent: usize| match early {
                true if spent == number_of_script => None,
                true => find(&bytes[answered..], b"\r\n\r\n").map(|_| bytes.len() - answered),
                false => whole(&bytes[answered..]),
            };
            while let Some(length) = next(answered, spent) {
                spent = number_of_script;
                let is_next = bytes[answered..].starts_with(b"GET /next ");
                answered += length;
                let (pieces, ends) = match &script {
                    Script::Answers => (&[ANSWER.to_vec()][..], false),
                    Script::Plays { .. } if is_next => (&[NEXT_ANSWER.to_vec()][..], false),
                    Script::Plays { pieces, ends, .. } => (&pieces[..], *ends),
                };
                for piece in pieces {
                    // An error shows on the other side.
                    let _ = stream.write_all(piece);
                    thread::yield_now();
                }
                if ends {
                    let _ = stream.shutdown(Shutdown::Write);
                }
                self.with(|state| state.played |= !is_next && state.scripts == number_of_script);
            }
        }
        self.with(|state| state.visits[number].closed = true);
    }
}

/// The length of the message that the bytes begin with, if it is whole, for who is not strict.
pub fn whole(bytes: &[u8]) -> Option<usize> {
    let head = find(bytes, b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim().to_owned())
    };
    if value("transfer-encoding:").is_some_and(|coding| coding.contains("chunked")) {
        let mut at = head;
        loop {
            let line = at + find(&bytes[at..], b"\r\n")?;
            let digits = bytes[at..line].iter().take_while(|byte| byte.is_ascii_hexdigit());
            let digits = String::from_utf8(digits.copied().collect()).unwrap();
            let size = usize::from_str_radix(&digits, 16).ok()?;
            if size == 0 {
                // The line end of the last chunk may be that of an empty trailer section's.
                return Some(line + find(&bytes[line..], b"\r\n\r\n")? + 4);
            }
            at = line.checked_add(size)?.checked_add(4)?;
            bytes.get(..at)?;
        }
    }
    let length = value("content-length:").and_then(|length| length.parse().ok()).unwrap_or(0);
    let end = head.checked_add(length)?;
    (bytes.len() >= end).then_some(end)
}
