//! [`Wire`]: a connection and the HTTP/1.1 messages on it, as either end reads them.
//!
//! It is no careful parser: it stands behind or before a proxy that writes canonical messages, and
//! takes whatever is not as expected for a failure.

use socket2::{Domain, Socket, Type};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// Nobody waits longer than that for anything: longer than twice the timeouts of the proxy, which it
/// may need to find out that somebody does not read, and than any pause of a machine that is busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A head longer than that is none of ours.
const LONGEST_HEAD: usize = 64 * 1024;

/// A connection.
pub(crate) struct Wire {
    reader: BufReader<TcpStream>,
    /// The address of this end.
    pub(crate) from: SocketAddr,
}

/// The head of a request or a response.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) start: String,
    fields: Vec<(String, String)>,
}

/// Where a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Length(u64),
    Chunked,
    Close,
}

impl Wire {
    /// Connects from an address of one's own: all of 127.0.0.0/8 is this machine, and so the log
    /// tells who it was. Who wants a small receive buffer says so: not to read fills it soon.
    pub(crate) fn connect(
        from: Ipv4Addr,
        to: SocketAddr,
        buffer: Option<usize>,
    ) -> io::Result<Wire> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        if let Some(bytes) = buffer {
            socket.set_recv_buffer_size(bytes)?;
        }
        socket.bind(&SocketAddr::from((from, 0)).into())?;
        socket.connect_timeout(&to.into(), PATIENCE)?;
        Wire::over(socket.into())
    }

    /// Over a connection that was accepted.
    pub(crate) fn over(stream: TcpStream) -> io::Result<Wire> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let from = stream.local_addr()?;
        Ok(Wire { reader: BufReader::new(stream), from })
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.reader.get_mut().write_all(bytes)
    }

    /// Ends this direction.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.reader.get_mut().shutdown(Shutdown::Write)
    }

    /// Breaks the connection off.
    pub(crate) fn reset(self) -> io::Result<()> {
        socket2::SockRef::from(self.reader.get_ref()).set_linger(Some(Duration::ZERO))
    }

    /// Reads a head, or `None` at the end of the connection.
    pub(crate) fn head(&mut self) -> io::Result<Option<Head>> {
        let mut start = String::new();
        if self.line(&mut start)? == 0 {
            return Ok(None);
        }
        let mut fields = Vec::new();
        let mut length = start.len();
        loop {
            let mut line = String::new();
            length += self.line(&mut line)?;
            if line.is_empty() {
                return Ok(Some(Head { start, fields }));
            }
            if length > LONGEST_HEAD {
                return Err(io::Error::other("a head without end"));
            }
            let (name, value) = line.split_once(':').ok_or_else(|| strange(&line))?;
            fields.push((name.to_owned(), value.trim().to_owned()));
        }
    }

    /// Reads a line without its end; returns how many bytes that were, 0 at the end.
    fn line(&mut self, line: &mut String) -> io::Result<usize> {
        let count = (&mut self.reader).take(LONGEST_HEAD as u64).read_line(line)?;
        if count > 0 {
            let whole = line.strip_suffix("\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
            line.truncate(whole.len());
        }
        Ok(count)
    }

    /// Reads a body to its end and hands it over piece by piece.
    pub(crate) fn body(
        &mut self,
        framing: Framing,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        match framing {
            Framing::Length(bytes) => self.exactly(bytes, take),
            Framing::Close => loop {
                let count = self.some(take)?;
                if count == 0 {
                    return Ok(());
                }
            },
            Framing::Chunked => loop {
                let mut line = String::new();
                self.line(&mut line)?;
                let size = line.split(';').next().unwrap_or_default();
                let size = u64::from_str_radix(size, 16).map_err(|_| strange(&line))?;
                self.exactly(size, take)?;
                line.clear();
                if self.line(&mut line)? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                // Trailers are of no interest, but for their end.
                while size == 0 && !line.is_empty() {
                    line.clear();
                    self.line(&mut line)?;
                }
                if size == 0 {
                    return Ok(());
                }
                if !line.is_empty() {
                    return Err(strange(&line));
                }
            },
        }
    }

    /// Reads so many bytes.
    pub(crate) fn exactly(
        &mut self,
        mut bytes: u64,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        while bytes > 0 {
            let piece = self.reader.fill_buf()?;
            if piece.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let count = piece.len().min(usize::try_from(bytes).unwrap_or(usize::MAX));
            take(&piece[..count])?;
            self.reader.consume(count);
            bytes -= count as u64;
        }
        Ok(())
    }

    /// Reads what there is, at least a byte, or 0 at the end.
    pub(crate) fn some(
        &mut self,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<usize> {
        let piece = self.reader.fill_buf()?;
        let count = piece.len();
        if count > 0 {
            take(piece)?;
        }
        self.reader.consume(count);
        Ok(count)
    }

    /// Reads everything up to the end, however it comes, and tells how much it was.
    pub(crate) fn rest(&mut self) -> u64 {
        let mut bytes = 0;
        while let Ok(count @ 1..) = self.some(&mut |_| Ok(())) {
            bytes += count as u64;
        }
        bytes
    }

    /// Waits, without reading anything, until the other end breaks the connection off.
    pub(crate) fn until_reset(&self) {
        let deadline = Instant::now() + PATIENCE;
        while matches!(self.reader.get_ref().take_error(), Ok(None)) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Whether the other end has ended, and nothing comes before that.
    pub(crate) fn ends(&mut self) -> Result<(), String> {
        match self.some(&mut |_| Ok(())) {
            Ok(0) => Ok(()),
            Ok(count) => Err(format!("{count} bytes more than there should be")),
            Err(error) => Err(format!("no orderly end: {error}")),
        }
    }
}

impl Head {
    /// The value of a field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(&field.1)
    }

    /// The status of a response.
    pub(crate) fn status(&self) -> Option<u16> {
        self.start.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
    }

    /// Whether the connection ends behind this message.
    pub(crate) fn is_last(&self) -> bool {
        self.field("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }

    /// Where the body ends that the fields announce; without any, `otherwise`.
    pub(crate) fn framing(&self, otherwise: Framing) -> Framing {
        if self.field("transfer-encoding").is_some() {
            return Framing::Chunked;
        }
        let length = self.field("content-length").and_then(|length| length.parse().ok());
        length.map_or(otherwise, Framing::Length)
    }
}

fn strange(line: &str) -> io::Error {
    io::Error::other(format!("a strange line: {line:?}"))
}
