//! [`Client`]: a connection that says exactly what it is told to say.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use super::PATIENCE;

/// A client's connection to the proxy.
pub struct Client {
    reader: BufReader<TcpStream>,
}

/// A response as the client received it.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Status line and fields, without the empty line.
    pub head: String,
    /// The content; chunks are put together.
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// All values of a field.
    pub fn fields(&self, name: &str) -> Vec<&str> {
        fields(&self.head, name)
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields(name).first().copied()
    }
}

/// All values of a field in a head.
pub fn fields<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    head.lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .filter(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .collect()
}

/// Reads a chunked body: its content and its trailers.
pub fn chunks(reader: &mut impl BufRead) -> io::Result<(Vec<u8>, String)> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let size = usize::from_str_radix(line.trim_end_matches("\r\n"), 16).expect("a chunk size");
        if size == 0 {
            let mut trailers = String::new();
            while !trailers.ends_with("\r\n\r\n") && trailers != "\r\n" {
                if reader.read_line(&mut trailers)? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            return Ok((body, trailers));
        }
        let start = body.len();
        body.resize(start + size + 2, 0);
        reader.read_exact(&mut body[start..])?;
        assert!(body.ends_with(b"\r\n"));
        body.truncate(start + size);
    }
}

impl Client {
    pub fn connect(address: SocketAddr) -> Client {
        Client::of(TcpStream::connect(address).unwrap())
    }

    /// The same on a connection that is there already.
    pub fn of(stream: TcpStream) -> Client {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Client { reader: BufReader::new(stream) }
    }

    pub fn stream(&self) -> &TcpStream {
        self.reader.get_ref()
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.reader.get_mut().write_all(bytes.as_ref()).unwrap();
        self
    }

    /// The same to somebody who may have closed the connection: whether so, is looked at later.
    pub fn say(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.reader.get_mut().write_all(bytes.as_ref());
    }

    /// Sends FIN.
    pub fn end(&mut self) -> &mut Self {
        self.stream().shutdown(Shutdown::Write).unwrap();
        self
    }

    /// Closes with RST.
    pub fn reset(self) {
        socket2::SockRef::from(self.stream()).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    }

    /// Reads a head: everything up to an empty line, without it.
    pub fn head(&mut self) -> String {
        self.try_head().expect("a head comes")
    }

    fn try_head(&mut self) -> io::Result<String> {
        let mut head = String::new();
        loop {
            let start = head.len();
            if self.reader.read_line(&mut head)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            assert!(head.ends_with("\r\n"), "a line ends with CR LF: {head:?}");
            if &head[start..] == "\r\n" {
                head.truncate(start.saturating_sub(2));
                return Ok(head);
            }
        }
    }

    /// Reads a response to a request that was not HEAD.
    pub fn answer(&mut self) -> Answer {
        self.try_answer().expect("an answer comes")
    }

    pub fn try_answer(&mut self) -> io::Result<Answer> {
        let head = self.try_head()?;
        let status: u16 = head[9..12].parse().unwrap();
        let body = if status < 200 || matches!(status, 204 | 304) {
            Vec::new()
        } else if let Some(length) = fields(&head, "content-length").first() {
            let mut body = vec![0; length.parse().unwrap()];
            self.reader.read_exact(&mut body)?;
            body
        } else if fields(&head, "transfer-encoding") == ["chunked"] {
            self.chunks()?.0
        } else {
            let mut body = Vec::new();
            self.reader.read_to_end(&mut body)?;
            body
        };
        Ok(Answer { status, head, body })
    }

    /// Reads a chunked body: its content and its trailers.
    pub fn chunks(&mut self) -> io::Result<(Vec<u8>, String)> {
        chunks(&mut self.reader)
    }

    /// Reads what is there, at least a byte.
    pub fn some(&mut self, into: &mut [u8]) -> usize {
        self.reader.read(into).unwrap()
    }

    /// Reads exactly so many bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.reader.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// Reads to the end of the connection.
    pub fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        self.reader.read_to_end(&mut rest)?;
        Ok(rest)
    }

    /// Reads until the connection is reset, which must not come as an end. Gives what came before.
    #[track_caller]
    pub fn expect_reset(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let end = self.reader.read_to_end(&mut bytes).map_err(|error| error.kind());
        assert_eq!(end, Err(io::ErrorKind::ConnectionReset));
        bytes
    }

    /// Nothing has come that was not read yet, not even an end.
    pub fn expect_silence(&mut self) {
        assert_eq!(String::from_utf8_lossy(self.reader.buffer()), "");
        self.stream().set_nonblocking(true).unwrap();
        let peeked = self.stream().peek(&mut [0]).map_err(|error| error.kind());
        self.stream().set_nonblocking(false).unwrap();
        assert_eq!(peeked, Err(io::ErrorKind::WouldBlock));
    }

    /// Waits until the proxy has closed the connection, and nothing came before.
    pub fn expect_end(&mut self) {
        assert_eq!(String::from_utf8_lossy(&self.rest().unwrap()), "");
    }
}
