//! Panics outside of the event loops: in a logger, which costs a record, that is counted; and in a
//! listener, which costs a pause.

mod support;

use std::io;
use std::net::{SocketAddr, TcpListener};

use crossbeam_channel::{Sender, unbounded};
use proxy_core::{Accept, AccessRecord, Intake, Listener, RequestLogger, Socket};
use support::{Client, Origin, PATIENCE, Stage, until};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Panics over some records, whenever it is flushed, and when it is dropped.
struct Clumsy(Sender<String>);

impl RequestLogger for Clumsy {
    fn log(&self, record: &AccessRecord<'_>) {
        assert!(!record.target.ends_with("/bad"), "on purpose");
        self.0.send(record.target.to_owned()).unwrap();
    }

    fn flush(&self) {
        panic!("on purpose");
    }
}

impl Drop for Clumsy {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "on purpose");
    }
}

#[test]
fn a_logger_that_panics_loses_that_record_and_nothing_else() {
    let origin = Origin::always(OK);
    let (tell, told) = unbounded();
    let mut stage = Stage::with(|builder| builder.logger(Clumsy(tell)));
    let mut client = stage.client();
    for path in ["/1", "/bad", "/2", "/bad", "/bad", "/3"] {
        assert_eq!(client.send(origin.get(path)).answer().text(), "ok");
        if path != "/bad" {
            // Each in a batch of its own, with a flush behind it.
            assert_eq!(told.recv_timeout(PATIENCE).unwrap(), origin.url(path));
        }
    }
    // Another logger takes its place: dropping it panics, too.
    let (tell, told_later) = unbounded();
    stage.reload(|builder| builder.logger(Clumsy(tell)));
    assert_eq!(stage.client().send(origin.get("/4")).answer().text(), "ok");
    assert_eq!(told_later.recv_timeout(PATIENCE).unwrap(), origin.url("/4"));
    assert!(told.recv_timeout(PATIENCE).is_err(), "the first one is gone, with nothing more");
    drop(client);
    until(&stage, |all| all.seats == 0);

    let log = stage.take_handle().shutdown(PATIENCE).log;
    assert_eq!((log.logged, log.panicked, log.dropped), (4, 3, 0));
    // Its port is free again: the proxy has come to its end.
    std::net::TcpListener::bind(stage.address).unwrap();
}

/// Accepts from a socket, and panics each second time.
struct Stumbling {
    socket: TcpListener,
    times: usize,
}

impl Accept for Stumbling {
    fn accept(&mut self) -> io::Result<(Socket, SocketAddr)> {
        self.times += 1;
        assert!(self.times.is_multiple_of(2), "on purpose");
        self.socket.accept().map(|(stream, client)| (stream.into(), client))
    }
}

impl Listener for Stumbling {
    fn local_addr(&self) -> Option<SocketAddr> {
        self.socket.local_addr().ok()
    }

    fn open(&self) -> io::Result<Intake> {
        let accept = Stumbling { socket: self.socket.try_clone()?, times: 0 };
        let address = self.socket.local_addr()?;
        let wake = move || drop(std::net::TcpStream::connect(address));
        Ok(Intake::Blocking(Box::new(accept), Box::new(wake)))
    }
}

#[test]
fn a_listener_that_panics_goes_on_listening() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let stage = Stage::with(|builder| builder.listener(Stumbling { socket, times: 0 }));
    let origin = Origin::always(OK);
    for _ in 0..3 {
        assert_eq!(Client::connect(address).send(origin.get("/")).answer().text(), "ok");
        assert_eq!(stage.outcome(), (Some(200), None));
    }
    stage.survives();
}
