//! [`Origin`]: a web server that does exactly what a story wants.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use socket2::{Domain, Socket, Type};

use super::PATIENCE;

/// A server. It runs a script for each connection, on a thread of its own.
pub struct Origin {
    pub address: SocketAddr,
    visits: Arc<AtomicUsize>,
}

/// One connection to an [`Origin`].
pub struct Visit {
    reader: BufReader<TcpStream>,
    /// Which connection it is, from 0.
    pub number: usize,
    /// Dropped when the connection is closed, as fields are dropped in order.
    closing: Option<Closing>,
}

/// Tells when it is dropped.
struct Closing(Sender<()>);

impl Drop for Closing {
    fn drop(&mut self) {
        // The story may be over.
        let _ = self.0.send(());
    }
}

impl Origin {
    /// Runs `script` for each connection; when it returns, the connection is closed.
    pub fn new(script: impl Fn(&mut Visit) + Send + Sync + 'static) -> Origin {
        Origin::on(TcpListener::bind("127.0.0.1:0").unwrap(), script)
    }

    /// The same on a listener of the story's own.
    pub fn on(
        listener: TcpListener,
        script: impl Fn(&mut Visit) + Send + Sync + 'static,
    ) -> Origin {
        let address = listener.local_addr().unwrap();
        let visits = Arc::new(AtomicUsize::new(0));
        let (count, script) = (Arc::clone(&visits), Arc::new(script));
        // The thread ends with the process: a listener cannot be interrupted portably.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else {
                    // One story takes all descriptors away: the next attempt may find some.
                    thread::park_timeout(Duration::from_millis(10));
                    continue;
                };
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                stream.set_nodelay(true).unwrap();
                let number = count.fetch_add(1, Ordering::SeqCst);
                let script = Arc::clone(&script);
                thread::spawn(move || {
                    script(&mut Visit { reader: BufReader::new(stream), number, closing: None })
                });
            }
        });
        Origin { address, visits }
    }

    /// Answers every request of every connection with `response`, whatever it is. Bodies are
    /// read as far as their Content-Length goes.
    pub fn always(response: &'static str) -> Origin {
        Origin::new(move |visit| {
            while visit.request().is_some() {
                visit.send(response);
            }
        })
    }

    /// The same, and tells the heads of the requests.
    pub fn observed(response: &'static str) -> (Origin, Receiver<String>) {
        let (tell, told) = crossbeam_channel::unbounded();
        let origin = Origin::new(move |visit| {
            while let Some((head, _)) = visit.request() {
                // The story may be over.
                let _ = tell.send(super::anonymous(&head));
                visit.send(response);
            }
        });
        (origin, told)
    }

    /// Tells of each request, and answers it with `ok` when it is told to, or when the sender is
    /// dropped.
    pub fn hesitant() -> (Origin, Receiver<()>, Sender<()>) {
        let (arrived, arrivals) = crossbeam_channel::unbounded();
        let (go, may_go) = crossbeam_channel::bounded(0);
        let origin = Origin::new(move |visit| {
            while visit.request().is_some() {
                arrived.send(()).unwrap();
                let _ = may_go.recv();
                visit.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            }
        });
        (origin, arrivals, go)
    }

    /// How many connections have come.
    pub fn visits(&self) -> usize {
        self.visits.load(Ordering::SeqCst)
    }

    /// `http://address` and a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A GET request for a path here, in absolute form.
    pub fn get(&self, path: &str) -> String {
        format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", self.url(path), self.address)
    }
}

/// A listener whose backlog is full: whoever connects waits. So it is on Linux.
pub struct Crowd {
    pub address: SocketAddr,
    _listener: Socket,
    _waiting: Vec<TcpStream>,
}

impl Crowd {
    pub fn new() -> Crowd {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        listener.listen(1).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok();
        Crowd { address, _waiting: std::iter::from_fn(connect).collect(), _listener: listener }
    }
}

impl Visit {
    /// Reads the head of a request, without its empty line. `None` at the end.
    pub fn head(&mut self) -> Option<String> {
        let mut head = String::new();
        loop {
            let start = head.len();
            match self.reader.read_line(&mut head) {
                Ok(0) | Err(_) => return None,
                Ok(_) if &head[start..] == "\r\n" => {
                    head.truncate(start.saturating_sub(2));
                    return Some(head);
                }
                Ok(_) => {}
            }
        }
    }

    /// Reads a request: head, and a body of Content-Length.
    pub fn request(&mut self) -> Option<(String, Vec<u8>)> {
        let head = self.head()?;
        let length = super::client::fields(&head, "content-length")
            .first()
            .map_or(0, |l| l.parse().unwrap());
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body).ok()?;
        Some((head, body))
    }

    /// Reads exactly so many bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.reader.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// Reads a chunked body.
    pub fn chunks(&mut self) -> Vec<u8> {
        super::client::chunks(&mut self.reader).unwrap().0
    }

    pub fn stream(&self) -> &TcpStream {
        self.reader.get_ref()
    }

    /// Reads to the end of the connection.
    pub fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        self.reader.read_to_end(&mut rest)?;
        Ok(rest)
    }

    /// Reads exactly so many bytes and forgets them.
    pub fn skip(&mut self, count: u64) {
        let skipped = io::copy(&mut self.reader.by_ref().take(count), &mut io::sink()).unwrap();
        assert_eq!(skipped, count);
    }

    /// Sends; an error means that the proxy has closed the connection, which stories check on
    /// the other side.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let _ = self.reader.get_mut().write_all(bytes.as_ref());
        self
    }

    /// Sends FIN.
    pub fn end(&mut self) -> &mut Self {
        let _ = self.reader.get_ref().shutdown(Shutdown::Write);
        self
    }

    /// Makes the close at the end of the script a reset.
    pub fn reset(&mut self) {
        socket2::SockRef::from(self.reader.get_ref())
            .set_linger(Some(std::time::Duration::ZERO))
            .unwrap();
    }

    /// Has a word sent when the connection is closed, after the end of the script.
    pub fn tell_when_closed(&mut self, tell: &Sender<()>) {
        self.closing = Some(Closing(tell.clone()));
    }
}
