//! [`Origin`]: the server behind the proxy. What it does stands in the path:
//! `/NUMBER/WHAT/SIZE/…`, where the number is that of the request in the ledger.

use std::collections::HashSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::content::Content;
use crate::echo;
use crate::fault::FAULTS;
use crate::wire::{Framing, Head, PATIENCE, Wire};

/// What the origin has seen, for those who wait for it and for the end.
#[derive(Default)]
pub(crate) struct Witness {
    seen: Mutex<Seen>,
    more: Condvar,
}

#[derive(Default)]
struct Seen {
    /// Requests that are held.
    held: HashSet<u64>,
    /// Those of them that have been broken off.
    gone: HashSet<u64>,
    /// Requests with content: they must never come a second time.
    posts: HashSet<u64>,
    surprises: Vec<String>,
}

impl Witness {
    /// Waits until a request is held here.
    pub(crate) fn held(&self, number: u64) -> Result<(), String> {
        self.wait(|seen| seen.held.remove(&number)).ok_or("it never came to the origin".into())
    }

    /// Waits until a request that was held has been broken off.
    pub(crate) fn gone(&self, number: u64) -> Result<(), String> {
        self.wait(|seen| seen.gone.remove(&number)).ok_or("the origin was not told".into())
    }

    fn wait(&self, is_so: impl Fn(&mut Seen) -> bool) -> Option<()> {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = self.seen.lock().expect("no holder panics");
        while !is_so(&mut seen) {
            let left = deadline.checked_duration_since(Instant::now())?;
            seen = self.more.wait_timeout(seen, left).expect("no holder panics").0;
        }
        Some(())
    }

    fn note(&self, note: impl FnOnce(&mut Seen)) {
        note(&mut self.seen.lock().expect("no holder panics"));
        self.more.notify_all();
    }

    /// What should not have come.
    pub(crate) fn surprises(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().expect("no holder panics").surprises)
    }
}

/// Starts an origin. Its threads end with their connections, and all with the process.
pub(crate) fn start(witness: &Arc<Witness>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let witness = Arc::clone(witness);
    thread::Builder::new().name("origin".into()).spawn(move || {
        for stream in listener.incoming().flatten() {
            let witness = Arc::clone(&witness);
            // A connection that breaks off is no fault of the origin's.
            thread::spawn(move || serve(stream, &witness));
        }
    })?;
    Ok(address)
}

/// Serves a connection, request by request.
fn serve(stream: TcpStream, witness: &Witness) -> io::Result<()> {
    let mut wire = Wire::over(stream)?;
    while let Some(head) = wire.head()? {
        let Some(request) = Request::of(&head) else {
            // Rows of hostile clients that are passed on in part end here.
            let body = head.framing(Framing::Length(0));
            if wire.body(body, &mut |_| Ok(())).is_ok() {
                witness
                    .note(|seen| seen.surprises.push(format!("a request nobody sent: {head:?}")));
            }
            return Ok(());
        };
        match request.serve(wire, witness)? {
            Some(kept) => wire = kept,
            None => return Ok(()),
        }
    }
    Ok(())
}

/// What is asked for.
struct Request<'a> {
    head: &'a Head,
    method: &'a str,
    number: u64,
    what: &'a str,
    /// Bytes of content, or the number of a fault.
    size: u64,
    framing: &'a str,
}

impl Request<'_> {
    fn of(head: &Head) -> Option<Request<'_>> {
        let mut words = head.start.split(' ');
        let (method, path) = (words.next()?, words.next()?);
        let mut parts = path.strip_prefix('/')?.split('/');
        let number = parts.next()?.parse().ok()?;
        let (what, size) = (parts.next()?, parts.next()?.parse().ok()?);
        let framing = parts.next().unwrap_or_default();
        Some(Request { head, method, number, what, size, framing })
    }

    /// Returns the connection if it can be used again.
    fn serve(&self, mut wire: Wire, witness: &Witness) -> io::Result<Option<Wire>> {
        match self.what {
            "down" => self.download(wire, None),
            "drip" => self.download(wire, Some(Duration::from_millis(20))),
            "up" => self.upload(wire, witness),
            "hold" => {
                witness.note(|seen| seen.held.extend([self.number]));
                wire.rest();
                witness.note(|seen| seen.gone.extend([self.number]));
                Ok(None)
            }
            "flood" => {
                let flooded = self.download(wire, None).map(drop);
                witness.note(|seen| seen.gone.extend([self.number]));
                flooded.map(|()| None)
            }
            "early" => {
                wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly")?;
                // If all of it comes nevertheless, the connection is as good as before.
                wire.body(self.head.framing(Framing::Length(0)), &mut |_| Ok(()))?;
                Ok(Some(wire))
            }
            "quit" => wire.exactly(1_000, &mut |_| Ok(())).map(|()| None),
            "deaf" => {
                wire.until_reset();
                Ok(None)
            }
            "half" => {
                let head = format!(
                    "HTTP/1.1 200 OK\r\nSoak: {}\r\nContent-Length: 100000\r\n\r\nhello",
                    self.number
                );
                wire.send(head.as_bytes())?;
                wire.rest();
                Ok(None)
            }
            "upgrade" => {
                let head = format!(
                    "HTTP/1.1 101 Switching Protocols\r\nSoak: {}\r\nConnection: upgrade\r\n\
                     Upgrade: websocket\r\n\r\n",
                    self.number
                );
                wire.send(head.as_bytes())?;
                echo::serve(wire).map(|()| None)
            }
            "fault" => FAULTS[self.size as usize % FAULTS.len()].play(wire).map(|()| None),
            // It leaves with its answer, and without a word: the connection may lie idle in the
            // proxy by then.
            "leave" => self.download(wire, None).map(|_| None),
            _ => {
                witness
                    .note(|seen| seen.surprises.push(format!("not understood: {:?}", self.head)));
                Ok(None)
            }
        }
    }

    /// Sends content, all at once or in pieces with a pause between them.
    fn download(&self, mut wire: Wire, pause: Option<Duration>) -> io::Result<Option<Wire>> {
        let is_head = self.method == "HEAD";
        let framing = match self.framing {
            "chunked" => "Transfer-Encoding: chunked\r\n".to_owned(),
            "close" => "Connection: close\r\n".to_owned(),
            _ => format!("Content-Length: {}\r\n", self.size),
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\nSoak: {}\r\nContent-Type: application/octet-stream\r\n{framing}\r\n",
            self.number
        );
        let mut message = Vec::new();
        if self.number.is_multiple_of(16) {
            message.extend_from_slice(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
        }
        message.extend_from_slice(head.as_bytes());
        let mut content = Content::of(self.number);
        let most: u64 = if pause.is_some() { 50 } else { 32 * 1024 };
        while !is_head && content.position() < self.size {
            let count = most.min(self.size - content.position());
            put(&mut message, &mut content, count, self.framing == "chunked");
            wire.send(&message)?;
            message.clear();
            if let Some(pause) = pause {
                thread::sleep(pause);
            }
        }
        if self.framing == "chunked" && !is_head {
            message.extend_from_slice(b"0\r\n");
            if self.number.is_multiple_of(8) {
                message.extend_from_slice(b"Server-Timing: total\r\n");
            }
            message.extend_from_slice(b"\r\n");
        }
        wire.send(&message)?;
        Ok((self.framing != "close").then_some(wire))
    }

    /// Takes content, compares it, and says what became of it.
    fn upload(&self, mut wire: Wire, witness: &Witness) -> io::Result<Option<Wire>> {
        let mut is_new = false;
        witness.note(|seen| {
            is_new = seen.posts.insert(self.number);
            if !is_new {
                seen.surprises.push(format!("request {} came twice", self.number));
            }
        });
        if self.head.field("expect").is_some() {
            wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        if self.framing == "held" {
            witness.note(|seen| seen.held.extend([self.number]));
        }
        let mut content = Content::of(self.number);
        let mut wrong = None;
        wire.body(self.head.framing(Framing::Length(0)), &mut |piece| {
            if wrong.is_none() {
                wrong = content.check(piece).err();
            }
            Ok(())
        })?;
        let verdict = match wrong {
            None => whole(content.position()),
            Some(at) => format!("wrong at {at}"),
        };
        let answer = format!(
            "HTTP/1.1 200 OK\r\nSoak: {}\r\nContent-Length: {}\r\n\r\n{verdict}",
            self.number,
            verdict.len()
        );
        wire.send(answer.as_bytes())?;
        Ok(Some(wire))
    }
}

/// What the origin says of an upload that came whole.
pub(crate) fn whole(bytes: u64) -> String {
    format!("whole, {bytes} bytes")
}

/// Puts the next so many bytes of content behind a message, as a chunk or as they are.
pub(crate) fn put(message: &mut Vec<u8>, content: &mut Content, count: u64, chunked: bool) {
    if chunked {
        message.extend_from_slice(format!("{count:x}\r\n").as_bytes());
    }
    let start = message.len();
    message.resize(start + count as usize, 0);
    content.fill(&mut message[start..]);
    if chunked {
        message.extend_from_slice(b"\r\n");
    }
}
