//! The origin: a server with three bodies, cheap enough not to be what is measured.
//!
//! It answers `GET` for `/1k`, `/16k` and `/100k`, in origin form and in absolute form, and
//! keeps every connection. It trusts who asks: it is for this benchmark only.

use crate::listener::listen;
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
    let mut buffer = vec![0; 16 * 1024];
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
            Err(error) => return Err(error),
        };
        stream.set_nodelay(true)?;
        let entry = connections.vacant_entry();
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut stream, Token(entry.key()), interest)?;
        entry.insert(Connection { stream, received: Vec::new(), unsent: &[] });
    }
}

/// The finished responses, head and body.
struct Site {
    responses: [(&'static [u8], Vec<u8>); 3],
    not_found: Vec<u8>,
}

impl Site {
    fn new() -> Site {
        Site {
            responses: [
                (b"/1k", response("200 OK", 1024)),
                (b"/16k", response("200 OK", 16 * 1024)),
                (b"/100k", response("200 OK", 100 * 1024)),
            ],
            not_found: response("404 Not Found", 0),
        }
    }

    /// The answer to a request, given its head.
    fn answer(&self, head: &[u8]) -> &[u8] {
        let target = head.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        // In absolute form the path begins at the third slash.
        let path = match target.strip_prefix(b"http://") {
            Some(rest) => &rest[rest.iter().position(|byte| *byte == b'/').unwrap_or(0)..],
            None => target,
        };
        let response = self.responses.iter().find(|(known, _)| *known == path);
        response.map_or(&self.not_found, |(_, response)| response)
    }
}

/// A response with the fields that every server sends, so that there is something to parse.
fn response(status: &str, body_bytes: usize) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\n\
         Server: origin\r\n\
         Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
         Content-Type: application/octet-stream\r\n\
         Content-Length: {body_bytes}\r\n\r\n"
    );
    let mut response = head.into_bytes();
    response.resize(response.len() + body_bytes, b'x');
    response
}

struct Connection<'site> {
    stream: TcpStream,
    /// Bytes of requests that are not answered yet.
    received: Vec<u8>,
    /// What is left of the response under way.
    unsent: &'site [u8],
}

impl<'site> Connection<'site> {
    /// Answers until there is nothing more to read or no more room to write.
    fn serve(&mut self, site: &'site Site, buffer: &mut [u8]) -> io::Result<()> {
        let mut drained = false;
        loop {
            while !self.unsent.is_empty() {
                match self.stream.write(self.unsent) {
                    Ok(count) => self.unsent = &self.unsent[count..],
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
            if let Some(end) = self.received.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                self.unsent = site.answer(&self.received[..end]);
                self.received.drain(..end + 4);
                continue;
            }
            if drained {
                return Ok(());
            }
            match self.stream.read(buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    self.received.extend_from_slice(&buffer[..count]);
                    // A short read has drained the socket: epoll will tell of what comes later.
                    drained = count < buffer.len();
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}
