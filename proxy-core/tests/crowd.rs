//! Everything that waits, waits without a thread: a crowd of clients that wait, dawdle or say
//! nothing holds up nobody else.

mod support;

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Instant;

use crossbeam_channel::Receiver;
use proxy_core::{Event, Kind};
use socket2::{Domain, Socket, Type};
use support::{Client, Origin, PATIENCE, Stage};

/// How many of each kind there are when the system allows it: both ends of all connections
/// are in this process.
const WAITING: usize = 500;
const DAWDLING: usize = 300;
const IDLE: usize = 5000;
const TUNNELS: usize = 1000;
/// Descriptors of all of them: a client has two ends, and so has an upstream connection.
const DESCRIPTORS: usize = 4 * WAITING + 2 * DAWDLING + 2 * IDLE + 4 * TUNNELS;
/// Descriptors for everything else.
const OTHERS: usize = 256;
const REQUESTS: usize = 200;

/// Accepts so many connections and does nothing with them, until it is asked for them all.
struct Holder {
    address: SocketAddr,
    held: Receiver<Vec<TcpStream>>,
}

impl Holder {
    fn of(count: usize) -> Holder {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        socket.listen(4096).unwrap();
        let listener = std::net::TcpListener::from(socket);
        let address = listener.local_addr().unwrap();
        let (hand_over, held) = crossbeam_channel::bounded(1);
        thread::spawn(move || {
            let streams: Vec<TcpStream> =
                listener.incoming().take(count).map(Result::unwrap).collect();
            let _ = hand_over.send(streams);
        });
        Holder { address, held }
    }

    /// All connections, as soon as all are there.
    fn all(&self) -> Vec<TcpStream> {
        let held = self.held.recv_timeout(PATIENCE).expect("all connections come");
        for stream in &held {
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
        }
        held
    }
}

/// The path a request asks for.
fn path(stream: &TcpStream) -> String {
    let mut head = String::new();
    let mut reader = BufReader::new(stream);
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).unwrap(), 0, "a request is there");
    }
    head.split(' ').nth(1).unwrap().to_owned()
}

/// So many clients, each of which has said what `says` gives for its number.
fn clients(stage: &Stage, count: usize, says: impl Fn(usize) -> String) -> Vec<Client> {
    let mut clients: Vec<Client> = Vec::new();
    for number in 0..count {
        clients.push(stage.client());
        clients[number].send(says(number));
    }
    clients
}

#[test]
fn a_crowd_that_waits_holds_up_nobody_else() {
    let limit = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024);
    let room = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(OTHERS).min(DESCRIPTORS);
    let scaled = |count: usize| count * room / DESCRIPTORS;
    if room < DESCRIPTORS {
        eprintln!(
            "{limit} descriptors: the crowd is {} % of what it should be",
            100 * room / DESCRIPTORS
        );
    }
    // One loop for each core, as is the default.
    let loops = thread::available_parallelism().map_or(1, usize::from);
    let stage = Stage::with(|builder| builder.event_loops(loops));
    let quick = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nquick");
    let slow = Holder::of(scaled(WAITING));
    let far_ends = Holder::of(scaled(TUNNELS));

    let mut idle = clients(&stage, scaled(IDLE), |_| String::new());
    let mut tunnels = clients(&stage, scaled(TUNNELS), |_| {
        format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", far_ends.address)
    });
    let mut waiting = clients(&stage, scaled(WAITING), |number| {
        format!("GET http://{}/slow/{number} HTTP/1.1\r\nHost: x\r\n\r\n", slow.address)
    });
    let mut dawdling = clients(&stage, scaled(DAWDLING), |number| {
        format!("GET {} HTTP/1.1\r\nHost: x\r\nUser-Ag", quick.url(&format!("/half/{number}")))
    });
    for tunnel in &mut tunnels {
        assert_eq!(tunnel.head(), "HTTP/1.1 200 Connection established");
    }
    let far_ends = far_ends.all();
    let slow = slow.all();

    // All of them are here. Now for the others.
    let began = Instant::now();
    let mut regular = stage.client();
    for number in 0..REQUESTS / 2 {
        assert_eq!(regular.send(quick.get(&format!("/regular/{number}"))).answer().text(), "quick");
        assert_eq!(
            stage.client().send(quick.get(&format!("/new/{number}"))).answer().text(),
            "quick"
        );
    }
    assert!(began.elapsed() < PATIENCE, "{REQUESTS} requests took {:?}", began.elapsed());
    for client in [&mut idle, &mut tunnels, &mut waiting, &mut dawdling].into_iter().flatten() {
        client.expect_silence();
    }

    // And nobody in the crowd was forgotten.
    for mut stream in slow {
        let path = path(&stream);
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{path}", path.len()).unwrap();
    }
    for (number, client) in waiting.iter_mut().enumerate() {
        assert_eq!(client.answer().text(), format!("/slow/{number}"));
    }
    for client in &mut dawdling {
        assert_eq!(client.send("ent: me\r\n\r\n").answer().text(), "quick");
    }
    for tunnel in &mut tunnels {
        tunnel.send("over?").end();
    }
    for mut stream in far_ends {
        let mut heard = String::new();
        stream.read_to_string(&mut heard).unwrap();
        assert_eq!(heard, "over?");
        stream.write_all(b"out").unwrap();
    }
    for tunnel in &mut tunnels {
        assert_eq!(tunnel.rest().unwrap(), b"out");
    }
    for client in &mut idle {
        client.end().expect_end();
    }

    // Everything is in the log once, and only tunnels have an opening, too.
    let mut ids = HashSet::new();
    let (mut opened, mut closed, mut targets) = (0, 0, HashSet::new());
    for record in stage.finish() {
        let record = record.as_record();
        assert_eq!((record.status, record.reason), (Some(200), None), "{record:?}");
        match (record.kind, record.event) {
            (Kind::Tunnel, Event::Open) => opened += 1,
            (kind, _) => {
                assert!(ids.insert(record.id), "twice: {record:?}");
                match kind {
                    Kind::Tunnel => closed += 1,
                    _ => assert!(targets.insert(record.target.to_owned()), "twice: {record:?}"),
                }
            }
        }
    }
    assert_eq!((opened, closed), (tunnels.len(), tunnels.len()));
    assert_eq!(targets.len(), waiting.len() + dawdling.len() + REQUESTS);
}
