//! Connectors and listeners of an embedder.

mod support;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use proxy_core::{
    Accept, ConnectError, Destination, Dialing, Intake, Listener, Reason, Retry, Socket,
    UpstreamConnector, Vouched, Wake,
};
use support::{Nobody, Origin, PATIENCE, Stage, timeouts};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A connector that plans on the worker pool in this way.
struct Plans<F>(F);

impl<F> UpstreamConnector for Plans<F>
where
    F: Fn(&Destination<'_>) -> Result<Dialing, ConnectError> + Send + Sync + 'static,
{
    fn plan(&self, destination: &Destination<'_>) -> Result<Dialing, ConnectError> {
        (self.0)(destination)
    }
}

/// A forward proxy that plans in this way.
fn planning(
    plan: impl Fn(&Destination<'_>) -> Result<Dialing, ConnectError> + Send + Sync + 'static,
) -> Stage {
    Stage::with(|builder| builder.connector(Plans(plan)))
}

fn get(host: &str) -> String {
    format!("GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n")
}

#[test]
fn a_connector_says_where_a_name_leads() {
    let origin = Origin::new(|visit| {
        while let Some((head, _)) = visit.request() {
            assert!(head.contains("\r\nHost: Service.Test:8080"), "{head}");
            visit.send(OK);
        }
    });
    let (asked, questions) = unbounded();
    let nobody = Nobody::listens();
    let addresses = [nobody.address, origin.address];
    let stage = planning(move |to| {
        asked.send((to.host().to_owned(), to.port(), to.attempt())).unwrap();
        Ok(Dialing::addresses(addresses))
    });
    let mut client = stage.client();
    for _ in 0..2 {
        assert_eq!(client.send(get("Service.Test:8080")).answer().text(), "ok");
    }
    let records: Vec<_> = (0..2).map(|_| stage.closed()).collect();
    assert!(records.iter().all(|record| record.as_record().upstream == Some(origin.address)));
    let expected = [("service.test".to_owned(), 8080, 1)];
    assert_eq!(
        questions.try_iter().collect::<Vec<_>>(),
        expected,
        "an idle connection needs no plan"
    );
}

#[test]
fn the_reason_of_a_connector_is_the_one_the_client_is_told() {
    let origin = Origin::always(OK);
    let address = origin.address;
    let stage = planning(move |to| match to.host() {
        "denied.test" => Err(ConnectError::new(Reason::Denied)),
        "unknown.test" => {
            Err(ConnectError::new(Reason::DnsFailed).with_source(io::ErrorKind::NotFound.into()))
        }
        "nowhere.test" => Ok(Dialing::addresses([])),
        _ => Ok(Dialing::addresses([address])),
    });
    let mut client = stage.client();
    for (host, status, reason) in [
        ("denied.test", 403, Reason::Denied),
        ("unknown.test", 502, Reason::DnsFailed),
        ("nowhere.test", 502, Reason::ConnectFailed),
    ] {
        let answer = client.send(get(host)).answer();
        assert_eq!(answer.status, status);
        assert!(answer.text().contains(reason.code()), "{}", answer.text());
        assert_eq!(stage.outcome(), (Some(status), Some(reason)));
        assert_eq!(client.send(get("ok.test")).answer().text(), "ok");
        assert_eq!(stage.outcome(), (Some(200), None));
    }
}

#[test]
fn a_connector_that_may_do_better_is_asked_once_more() {
    let origin = Origin::always(OK);
    let (address, asked) = (origin.address, Arc::new(AtomicU32::new(0)));
    let count = Arc::clone(&asked);
    let stage = planning(move |to| {
        count.fetch_add(1, Ordering::SeqCst);
        match (to.host(), to.attempt()) {
            ("second.test", 2) => Ok(Dialing::addresses([address])),
            ("never.test", _) => Err(ConnectError::new(Reason::DnsFailed)),
            _ => Err(ConnectError::new(Reason::DnsFailed).with_retry(Retry::Same)),
        }
    });
    for (host, status, attempts) in
        [("second.test", 200, 2), ("third.test", 502, 2), ("never.test", 502, 1)]
    {
        asked.store(0, Ordering::SeqCst);
        assert_eq!(stage.client().send(get(host)).answer().status, status, "{host}");
        assert_eq!(
            (stage.closed().as_record().attempts, asked.load(Ordering::SeqCst)),
            (attempts, attempts)
        );
    }
}

#[test]
fn a_connector_that_panics_costs_that_exchange_and_nothing_else() {
    struct Panics(SocketAddr);
    impl UpstreamConnector for Panics {
        fn fast(&self, destination: &Destination<'_>) -> Option<Result<Dialing, ConnectError>> {
            match destination.host() {
                "fast.test" => panic!("on purpose"),
                "plan.test" => None,
                _ => Some(Ok(Dialing::addresses([self.0]))),
            }
        }

        fn plan(&self, _: &Destination<'_>) -> Result<Dialing, ConnectError> {
            panic!("on purpose")
        }
    }
    let origin = Origin::always(OK);
    let stage = Stage::with(|builder| builder.connector(Panics(origin.address)));
    let mut client = stage.client();
    for host in ["fast.test", "plan.test"] {
        assert_eq!(client.send(get(host)).answer().status, 500);
        assert_eq!(stage.outcome(), (Some(500), Some(Reason::ConnectorFailed)));
        assert_eq!(client.send(get("ok.test")).answer().text(), "ok");
        assert_eq!(stage.outcome(), (Some(200), None));
    }
}

#[test]
fn a_plan_that_comes_too_late_is_not_used_for_the_next_request() {
    let wrong = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong");
    let right = Origin::always(OK);
    let (waits, plans) = unbounded::<Sender<SocketAddr>>();
    let plan = Plans(move |_: &Destination<'_>| {
        let (decide, address) = bounded(1);
        waits.send(decide).unwrap();
        Ok(Dialing::addresses([address.recv_timeout(PATIENCE).unwrap()]))
    });
    let patience = timeouts(|timeouts| timeouts.resolve = Duration::from_millis(100));
    let stage = Stage::with(|builder| builder.connector(plan).timeouts(patience));
    let mut client = stage.client();
    client.send(get("first.test"));
    let first = plans.recv_timeout(PATIENCE).unwrap();
    assert_eq!(client.answer().status, 504);
    assert_eq!(stage.outcome(), (Some(504), Some(Reason::DnsTimeout)));
    client.send(get("second.test"));
    let second = plans.recv_timeout(PATIENCE).unwrap();
    first.send(wrong.address).unwrap();
    while stage.handle().worker_stats().lanes.iter().all(|lane| lane.done == 0) {
        thread::yield_now();
    }
    stage.settle();
    second.send(right.address).unwrap();
    // On a slow machine the time of the second one, too, may be over before.
    assert_ne!(client.answer().text(), "wrong");
    assert_eq!(wrong.visits(), 0);
}

#[test]
fn a_connector_can_bring_a_connection() {
    let origin = Origin::always(OK);
    let address = origin.address;
    let stage = planning(move |_| {
        Ok(Dialing::connected(
            TcpStream::connect(address).unwrap(),
            Vouched::because("it is a test"),
        ))
    });
    let mut client = stage.client();
    for reused in [false, true] {
        assert_eq!(client.send(get("a.test")).answer().text(), "ok");
        let record = stage.closed();
        let record = record.as_record();
        assert_eq!((record.upstream, record.upstream_reused), (Some(address), reused));
    }
    assert_eq!(origin.visits(), 1);
}

#[cfg(unix)]
#[test]
fn a_connection_that_a_connector_brings_can_be_a_unix_socket() {
    use std::os::unix::net::UnixStream;

    let (inside, outside) = UnixStream::pair().unwrap();
    outside.set_read_timeout(Some(PATIENCE)).unwrap();
    let ends = unbounded();
    ends.0.send(inside).unwrap();
    let stage = planning(move |_| match ends.1.try_recv() {
        Ok(inside) => Ok(Dialing::connected(inside, Vouched::because("it is a test"))),
        Err(_) => Err(ConnectError::new(Reason::ConnectRefused)),
    });
    let mut client = stage.client();
    client.send("POST http://a.test/x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n\r\nbody");
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\nbody") {
        let mut byte = [0];
        (&outside).read_exact(&mut byte).unwrap();
        request.push(byte[0]);
    }
    assert!(request.starts_with(b"POST /x HTTP/1.1\r\nHost: a.test\r\n"));
    (&outside).write_all(OK.as_bytes()).unwrap();
    assert_eq!(client.answer().text(), "ok");
    let record = stage.closed();
    let record = record.as_record();
    assert_eq!((record.status, record.upstream, record.bytes_in), (Some(200), None, 4));

    drop(outside);
    stage.settle();
    assert_eq!(client.send(get("a.test")).answer().status, 502);
    assert_eq!(stage.outcome(), (Some(502), Some(Reason::ConnectRefused)));
}

/// Hands over sockets that the test has made.
struct Given(Receiver<(Socket, SocketAddr)>);

impl Listener for Given {
    fn local_addr(&self) -> Option<SocketAddr> {
        None
    }

    fn open(&self) -> io::Result<Intake> {
        let (stop, stopped) = bounded(1);
        let wake: Wake = Box::new(move || _ = stop.try_send(()));
        Ok(Intake::Blocking(Box::new(Waiting(self.0.clone(), stopped)), wake))
    }
}

struct Waiting(Receiver<(Socket, SocketAddr)>, Receiver<()>);

impl Accept for Waiting {
    fn accept(&mut self) -> io::Result<(Socket, SocketAddr)> {
        crossbeam_channel::select! {
            recv(self.0) -> given => given.map_err(|_| io::ErrorKind::UnexpectedEof.into()),
            recv(self.1) -> _ => Err(io::ErrorKind::Interrupted.into()),
        }
    }
}

#[cfg(unix)]
#[test]
fn a_listener_can_hand_over_connections_of_any_kind() {
    use std::os::unix::net::UnixStream;

    let (give, given) = bounded(1);
    let stage = Stage::with(|builder| builder.listener(Given(given)));
    assert_eq!(
        stage.handle().local_addrs(),
        [stage.address],
        "one of the two listeners has an address"
    );
    let origin = Origin::always(OK);
    let someone: SocketAddr = "192.0.2.7:7".parse().unwrap();
    for _ in 0..2 {
        let (mut client, inside) = UnixStream::pair().unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        give.send((Socket::from(inside), someone)).unwrap();
        client
            .write_all(
                origin.get("/").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n").as_bytes(),
            )
            .unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nok"),
            "{answer}"
        );
        assert_eq!(stage.closed().as_record().client, someone);
    }
    // A listener that has come to its end takes no other with it.
    drop(give);
    assert_eq!(stage.client().send(origin.get("/")).answer().text(), "ok");
    assert_eq!(stage.finish().len(), 1);
}
