//! What a connection costs in each state: the formulas of `docs/limits.md`, measured.
//!
//! One test, alone in its binary: what the allocator has given out is the whole process's. The
//! other ends of all connections are bare sockets, whose memory is the kernel's.

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use peak_alloc::PeakAlloc;
use proxy_core::{Action, ConnectionHandler, Exchange, ForwardHandler, Limits, NoLog};
use support::{PATIENCE, Stage};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Connections that are measured together; each may need four descriptors of this process.
const MANY: usize = 200;
/// Those that keep the kernel's buffers full take long to get there.
const FEW: usize = 4;
/// A read, and so what may be pending in each direction: the default of `buffer_bytes`.
const READ: usize = 63 * 1024;
const HEAD: usize = 1000;

static BLOCK: [u8; 16 * 1024] = [b'x'; 16 * 1024];

/// Makes the kernel's buffer of one end small, so that it is soon full.
fn small(stream: TcpStream) -> TcpStream {
    socket2::SockRef::from(&stream).set_recv_buffer_size(16 * 1024).unwrap();
    stream
}

/// Accepts so many connections and keeps them.
struct Holder {
    address: SocketAddr,
    accepting: JoinHandle<Vec<TcpStream>>,
}

impl Holder {
    fn of(count: usize) -> Holder {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let accepting = thread::spawn(move || {
            let mut streams = Vec::with_capacity(count);
            streams.extend(listener.incoming().take(count).map(|stream| small(stream.unwrap())));
            streams
        });
        Holder { address, accepting }
    }

    fn all(self) -> Vec<TcpStream> {
        self.accepting.join().unwrap()
    }
}

/// Clients that say `says`.
fn clients(stage: &Stage, count: usize, says: &[u8]) -> Vec<TcpStream> {
    let mut clients = Vec::with_capacity(count);
    for _ in 0..count {
        let mut client = small(TcpStream::connect(stage.address).unwrap());
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.write_all(says).unwrap();
        clients.push(client);
    }
    clients
}

/// A request whose head has [`HEAD`] bytes.
fn head(method: &str, address: SocketAddr, fields: &str) -> Vec<u8> {
    let target = if method == "CONNECT" { String::new() } else { "http://".to_owned() };
    let begun = format!("{method} {target}{address} HTTP/1.1\r\nHost: {address}\r\n{fields}X: ");
    format!("{begun}{}\r\n\r\n", "x".repeat(HEAD - 4 - begun.len())).into_bytes()
}

/// Reads exactly what is expected.
fn expect(mut stream: &TcpStream, expected: &[u8]) {
    let mut read = vec![0; expected.len()];
    stream.read_exact(&mut read).unwrap();
    assert_eq!(String::from_utf8_lossy(&read), String::from_utf8_lossy(expected));
}

/// Writes to all of them until nothing is taken any more: the buffers on the way are full.
fn fill<'a>(streams: impl IntoIterator<Item = &'a TcpStream>) {
    thread::scope(|scope| {
        streams.into_iter().for_each(|stream| drop(scope.spawn(|| fill_one(stream))));
    });
}

fn fill_one(mut stream: &TcpStream) {
    stream.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
    loop {
        match stream.write(&BLOCK) {
            Ok(count) => assert_ne!(count, 0),
            Err(error) => {
                assert!([ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()));
                return;
            }
        }
    }
}

fn stage(set: impl FnOnce(&mut Limits)) -> Stage {
    let mut limits = Limits::default();
    set(&mut limits);
    let timeouts = support::timeouts(|timeouts| timeouts.upstream_idle = PATIENCE);
    Stage::with(|builder| {
        builder.limits(limits).timeouts(timeouts).logger(NoLog).handler(Waits).workers(3 + FEW)
    })
}

/// Takes connections over for code that waits for their end.
struct Waits;

impl ConnectionHandler for Waits {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        match exchange.request().method() {
            "WAIT" => Action::take_over(|mut socket, _| drop(socket.read(&mut [0]))),
            _ => ForwardHandler.request(exchange),
        }
    }
}

/// What a formula says.
#[derive(Clone, Copy, Debug)]
enum Formula {
    /// So many bytes, and never a third of it: then the formula would be no use.
    About(usize),
    /// Anything up to so many bytes, as it happens.
    UpTo(usize),
}
use Formula::{About, UpTo};

/// Measures what each of `count` connections costs in the state that `reach` brings them to.
#[track_caller]
fn costs<T>(
    state: &str,
    stage: &Stage,
    count: usize,
    formula: Formula,
    reach: impl Fn(usize) -> T,
) {
    // What the first one needs is needed once.
    drop(reach(1));
    stage.settle();
    let before = MEMORY.current_usage();
    let reached = reach(count);
    stage.settle();
    let each = MEMORY.current_usage().saturating_sub(before) / count;
    drop(reached);
    stage.settle();
    println!("{state}: {each} bytes of {formula:?}");
    let (About(most) | UpTo(most)) = formula;
    assert!(each <= most, "{state}: {each} bytes, more than {most}");
    if let About(bytes) = formula {
        assert!(3 * each >= bytes, "{state}: {each} bytes, far less than {bytes}");
    }
}

#[test]
fn a_connection_costs_what_the_document_says() {
    // The terms of the formulas.
    let (client, transaction, upstream, tunnel) = (600, 1100, 300, 1400);

    let proxy = stage(|_| {});
    costs("an idle client", &proxy, MANY, About(client), |count| clients(&proxy, count, b""));
    costs("half a head", &proxy, MANY, About(client + HEAD), |count| {
        clients(&proxy, count, &head("GET", proxy.address, "")[..HEAD - 1])
    });
    let waiting = client + transaction + HEAD + upstream;
    costs("waiting for the answer", &proxy, MANY, About(waiting), |count| {
        let holder = Holder::of(count);
        let clients = clients(&proxy, count, &head("GET", holder.address, ""));
        (holder.all(), clients)
    });
    costs("an idle tunnel", &proxy, MANY, About(tunnel), |count| {
        let holder = Holder::of(count);
        let clients = clients(&proxy, count, &head("CONNECT", holder.address, ""));
        for client in &clients {
            expect(client, b"HTTP/1.1 200 Connection established\r\n\r\n");
        }
        (holder.all(), clients)
    });
    costs("an idle upstream connection", &proxy, MANY, About(upstream + 200), |count| {
        let holder = Holder::of(count);
        let clients = clients(&proxy, count, &head("GET", holder.address, ""));
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        let mut upstreams = holder.all();
        proxy.settle();
        upstreams.iter_mut().for_each(|upstream| upstream.write_all(answer).unwrap());
        clients.iter().for_each(|client| expect(client, b"HTTP/1.1 200 OK\r\n"));
        upstreams
    });
    let queued = client + transaction + HEAD + 100;
    let limited = stage(|limits| limits.connections_per_upstream = 1);
    let busy = Holder::of(1);
    let first = clients(&limited, 1, &head("GET", busy.address, ""));
    let busy_address = busy.address;
    let busy = busy.all();
    costs("queued for an upstream", &limited, MANY, About(queued), |count| {
        clients(&limited, count, &head("GET", busy_address, ""))
    });
    drop((first, busy, limited));

    let body = waiting + 2 * READ;
    costs("a body for a slow upstream", &proxy, FEW, UpTo(body), |count| {
        let holder = Holder::of(count);
        let head = head("PUT", holder.address, "Content-Length: 1000000000000\r\n");
        let clients = clients(&proxy, count, &head);
        fill(&clients);
        (holder.all(), clients)
    });
    costs("a body for a slow client", &proxy, FEW, UpTo(body), |count| {
        let holder = Holder::of(count);
        let clients = clients(&proxy, count, &head("GET", holder.address, ""));
        let mut upstreams = holder.all();
        for upstream in &mut upstreams {
            upstream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
                .unwrap();
        }
        fill(&upstreams);
        (upstreams, clients)
    });
    costs("a tunnel that is blocked both ways", &proxy, FEW, UpTo(tunnel + 4 * READ), |count| {
        let holder = Holder::of(count);
        let clients = clients(&proxy, count, &head("CONNECT", holder.address, ""));
        let upstreams = holder.all();
        fill(clients.iter().chain(&upstreams));
        (upstreams, clients)
    });
    costs("taken over", &proxy, FEW, About(1500), |count| {
        clients(&proxy, count, b"WAIT / HTTP/1.1\r\nHost: x\r\n\r\n")
    });
}
