//! The origin: a server cheap enough not to be what is measured.
//!
//! It reads any request with or without a body of known length and answers by its path
//! ([`site`](crate::site)), in origin form and in absolute form. It keeps each connection unless
//! it is asked not to. It trusts who asks: it is for this benchmark only.

use crate::listener::listen;
use crate::site::{Response, Site};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use slab::Slab;
use std::io::{self, Read, Write};

const LISTENER: Token = Token(usize::MAX - 1);

/// Serves until it is killed.
pub(crate) fn run() -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1024);
    let mut listener = listen()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;

    let site = Site::new();
    let mut connections = Slab::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            if event.token() == LISTENER {
                accept_all(&listener, &poll, &mut connections)?;
                continue;
            }
            let key = event.token().0;
            let Some(connection) = connections.get_mut(key) else {
                continue;
            };
            let served = Connection::serve(connection, &site, &mut buffer);
            if served.is_err() || event.is_read_closed() {
                connections.remove(key);
            }
        }
    }
}

fn accept_all(
    listener: &TcpListener,
    poll: &Poll,
    connections: &mut Slab<Connection<'_>>,
) -> io::Result<()> {
    loop {
        let mut stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            // A client that has gone again is no reason to end.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(error) => return Err(error),
        };
        stream.set_nodelay(true)?;
        let entry = connections.vacant_entry();
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut stream, Token(entry.key()), interest)?;
        let received = Vec::new();
        entry.insert(Connection { stream, received, body_left: 0, answer: None, close: false });
    }
}

struct Connection<'site> {
    stream: TcpStream,
    /// Bytes of requests that are not answered yet.
    received: Vec<u8>,
    /// What is left of the body of the request under way: it is read and forgotten.
    body_left: u64,
    /// What is left of the response, which is sent when the request is over.
    answer: Option<Response<'site>>,
    /// The request asked for the connection to be closed behind its response.
    close: bool,
}

impl<'site> Connection<'site> {
    /// Answers until there is nothing more to read or no more room to write.
    fn serve(&mut self, site: &'site Site, buffer: &mut [u8]) -> io::Result<()> {
        let mut drained = false;
        loop {
            self.skip_body();
            if self.body_left == 0 && self.answer.is_some() {
                if !self.send()? {
                    return Ok(());
                }
                // The next request may have come with this one.
                continue;
            }
            if self.body_left == 0 && self.begin(site) {
                continue;
            }
            if drained {
                return Ok(());
            }
            match self.stream.read(buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    // A body need not be kept to be forgotten.
                    let of_body = self.body_left.min(count as u64) as usize;
                    self.body_left -= of_body as u64;
                    self.received.extend_from_slice(&buffer[of_body..count]);
                    // A short read has drained the socket: epoll will tell of what comes later.
                    drained = count < buffer.len();
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn skip_body(&mut self) {
        let skipped = self.body_left.min(self.received.len() as u64) as usize;
        self.received.drain(..skipped);
        self.body_left -= skipped as u64;
    }

    /// Reads the head of the next request. `false` if it is not there yet, or has no answer.
    fn begin(&mut self, site: &'site Site) -> bool {
        let end = self.received.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        let Some(end) = end else { return false };
        let head = &self.received[..end];
        self.close = field(head, b"connection").is_some_and(|value| value == b"close");
        let length = field(head, b"content-length").and_then(|value| value.utf8_chunks().next());
        self.body_left = length.map_or(0, |length| length.valid().parse().unwrap_or(0));
        self.answer = site.answer(head, self.close);
        self.received.drain(..end + 4);
        true
    }

    /// Sends what is left of the response. `false` when there is no room for all of it.
    fn send(&mut self) -> io::Result<bool> {
        while let Some(piece) = self.answer.as_ref().and_then(Response::next) {
            match self.stream.write(piece) {
                Ok(count) => self.answer.as_mut().expect("it has a next piece").sent(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        self.answer = None;
        if self.close { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(true) }
    }
}

/// The value of a field, in small letters as the proxies here send the ones we look for.
fn field<'head>(head: &'head [u8], name: &[u8]) -> Option<&'head [u8]> {
    head.split(|byte| *byte == b'\n').skip(1).find_map(|line| {
        let (found, value) = line.split_at_checked(name.len())?;
        let value = value.strip_prefix(b":")?;
        found.eq_ignore_ascii_case(name).then_some(value.trim_ascii())
    })
}
