//! Starting and stopping: where a proxy listens, how much it takes on, and how it ends.

mod support;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use proxy_core::{
    ConnectError, Destination, Dialing, Event, FixedUpstreamHandler, Kind, Limits, NoLog, Proxy,
    Reason, UpstreamConnector,
};
use support::{Client, Origin, PATIENCE, Stage};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const SOON: Duration = Duration::from_millis(50);

/// A tunnel whose other end never says anything.
fn tunnel(stage: &Stage) -> Client {
    let origin = Origin::new(|visit| _ = visit.rest());
    let mut client = stage.client();
    client.send(format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", origin.address));
    assert_eq!(client.head(), "HTTP/1.1 200 Connection established");
    client
}

fn limited(connections: usize) -> Stage {
    let mut limits = Limits::default();
    limits.connections = connections;
    Stage::with(|builder| builder.limits(limits))
}

#[test]
fn each_listener_has_a_port_of_its_own_and_clients() {
    let proxy = Proxy::builder().listen("127.0.0.1:0").listen("127.0.0.1:0").build().unwrap();
    let addresses = proxy.local_addrs().to_vec();
    assert!(addresses.iter().all(|address| address.port() != 0) && addresses[0] != addresses[1]);
    let handle = proxy.start().unwrap();
    assert_eq!(handle.local_addrs(), addresses);
    let origin = Origin::always(OK);
    for address in addresses {
        assert_eq!(Client::connect(address).send(origin.get("/")).answer().text(), "ok");
    }
}

#[test]
fn clients_that_come_before_the_start_are_served_after_it() {
    let proxy = Proxy::builder().listen("127.0.0.1:0").build().unwrap();
    let origin = Origin::always(OK);
    let mut client = Client::connect(proxy.local_addrs()[0]);
    client.send(origin.get("/"));
    let _handle = proxy.start().unwrap();
    assert_eq!(client.answer().text(), "ok");
}

#[test]
fn proxies_in_one_process_know_nothing_of_each_other() {
    let origin = Origin::always(OK);
    let inner = Stage::in_front_of(&origin);
    let upstream = inner.address.to_string().parse().unwrap();
    let outer = Stage::with(|builder| builder.handler(FixedUpstreamHandler::new(upstream)));
    let other = Stage::forward();
    // Two proxies in a chain are no loop.
    assert_eq!(outer.client().send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").answer().text(), "ok");
    assert_eq!(other.finish(), []);
    assert_eq!(outer.client().send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").answer().text(), "ok");
    assert_eq!((outer.finish().len(), inner.finish().len()), (2, 2));
}

#[test]
fn a_shutdown_lets_exchanges_end_and_closes_what_is_idle_at_once() {
    let mut stage = Stage::forward();
    let (origin, arrivals, go) = Origin::hesitant();
    let (mut busy, mut half, mut idle) = (stage.client(), stage.client(), stage.client());
    busy.send(origin.get("/"));
    arrivals.recv_timeout(PATIENCE).unwrap();
    let request = origin.get("/");
    half.send(&request[..20]);
    stage.settle();

    let handle = stage.take_handle();
    let shutdown = thread::spawn(move || handle.shutdown(PATIENCE));
    idle.expect_end();
    assert!(TcpStream::connect(stage.address).is_err(), "nobody is let in any more");
    drop(go);
    half.send(&request[20..]);
    for client in [&mut busy, &mut half] {
        let answer = client.answer();
        assert_eq!((answer.text(), answer.fields("connection")), ("ok", vec!["close"]));
        client.end().expect_end();
    }
    let report = shutdown.join().unwrap();
    assert_eq!((report.drained, report.cut), (3, 0));
    TcpListener::bind(stage.address).expect("the port is free again");
    assert_eq!((stage.outcome(), stage.outcome()), ((Some(200), None), (Some(200), None)));
}

#[test]
fn a_shutdown_cuts_what_has_not_ended_in_time() {
    let mut stage = Stage::forward();
    let (origin, arrivals, go) = Origin::hesitant();
    let (mut waiting, mut half, mut tunnel) = (stage.client(), stage.client(), tunnel(&stage));
    waiting.send(origin.get("/"));
    arrivals.recv_timeout(PATIENCE).unwrap();
    half.send(&origin.get("/")[..20]);
    stage.settle();
    let report = stage.take_handle().shutdown(SOON);
    assert_eq!((report.drained, report.cut), (0, 3));
    for client in [&mut waiting, &mut half, &mut tunnel] {
        assert!(client.rest().is_err(), "it must not look like an end");
    }
    let records = stage.finish();
    let mut ends: Vec<_> = records
        .iter()
        .map(|record| record.as_record())
        .filter(|r| r.event == Event::Close)
        .collect();
    assert!(ends.iter().all(|end| end.reason == Some(Reason::ShutDown)), "{ends:#?}");
    ends.sort_by_key(|end| (end.status, end.method));
    let ends: Vec<_> = ends.iter().map(|end| (end.kind, end.method, end.status)).collect();
    // Nothing is known of the request that was not there in full.
    let (half, waiting) = ((Kind::Exchange, "-", None), (Kind::Exchange, "GET", None));
    assert_eq!(ends, [half, waiting, (Kind::Tunnel, "CONNECT", Some(200))]);
    drop(go);
}

#[test]
fn tunnels_have_a_deadline_of_their_own() {
    let mut stage = Stage::forward();
    let (origin, arrivals, go) = Origin::hesitant();
    let (mut tunnel, mut busy) = (tunnel(&stage), stage.client());
    busy.send(origin.get("/"));
    arrivals.recv_timeout(PATIENCE).unwrap();
    let handle = stage.take_handle();
    let shutdown = thread::spawn(move || handle.shutdown_tunnels(PATIENCE, SOON));
    assert!(tunnel.rest().is_err());
    drop(go);
    assert_eq!(busy.answer().text(), "ok");
    busy.end().expect_end();
    let report = shutdown.join().unwrap();
    assert_eq!((report.drained, report.cut), (1, 1));
    assert_eq!(stage.outcome(), (Some(200), Some(Reason::ShutDown)));
    assert_eq!(stage.outcome(), (Some(200), None));
}

#[test]
fn a_tunnel_may_end_by_itself_during_a_shutdown() {
    let mut stage = Stage::forward();
    let (mut tunnel, mut idle) = (tunnel(&stage), stage.client());
    stage.settle();
    let handle = stage.take_handle();
    let shutdown = thread::spawn(move || handle.shutdown(PATIENCE));
    idle.expect_end();
    tunnel.end().expect_end();
    let report = shutdown.join().unwrap();
    assert_eq!((report.drained, report.cut), (2, 0));
    assert_eq!(stage.outcome(), (Some(200), None));
}

#[test]
fn a_shutdown_closes_idle_upstream_connections() {
    let mut stage = Stage::forward();
    let (ended, has_ended) = bounded(1);
    let origin = Origin::new(move |visit| {
        visit.request();
        visit.send(OK);
        ended.send(visit.rest().unwrap()).unwrap();
    });
    let mut client = stage.client();
    assert_eq!(client.send(origin.get("/")).answer().text(), "ok");
    let report = stage.take_handle().shutdown(PATIENCE);
    assert_eq!((report.drained, report.cut), (1, 0));
    assert_eq!(has_ended.recv_timeout(PATIENCE).unwrap(), b"");
    client.expect_end();
}

#[test]
fn a_handle_that_is_dropped_stops_its_proxy() {
    let mut stage = Stage::forward();
    let mut client = stage.client();
    assert_eq!(client.send(Origin::always(OK).get("/")).answer().text(), "ok");
    drop(stage.take_handle());
    client.expect_end();
    TcpListener::bind(stage.address).expect("the port is free again");
    assert_eq!(stage.outcome(), (Some(200), None));
}

#[test]
fn a_proxy_that_was_built_and_not_started_lets_go_of_its_port() {
    let proxy = Proxy::builder().listen("127.0.0.1:0").logger(NoLog).build().unwrap();
    let address = proxy.local_addrs()[0];
    drop(proxy);
    TcpListener::bind(address).expect("the port is free again");
}

#[test]
fn at_the_limit_of_connections_the_next_client_waits_until_one_ends() {
    let (stage, origin) = (limited(2), Origin::always(OK));
    let (mut one, mut two) = (stage.client(), stage.client());
    for client in [&mut one, &mut two] {
        assert_eq!(client.send(origin.get("/")).answer().text(), "ok");
    }
    let mut three = stage.client();
    three.send(origin.get("/"));
    for _ in 0..2 {
        assert_eq!(one.send(origin.get("/")).answer().text(), "ok");
        assert_eq!(two.send(origin.get("/")).answer().text(), "ok");
    }
    three.expect_silence();
    one.end().expect_end();
    assert_eq!(three.answer().text(), "ok");
    assert_eq!(stage.finish().len(), 7);
}

#[test]
fn a_proxy_at_its_limit_can_be_shut_down() {
    let mut stage = limited(1);
    let mut tunnel = tunnel(&stage);
    let mut waiting = stage.client();
    let report = stage.take_handle().shutdown(Duration::ZERO);
    assert_eq!((report.drained, report.cut), (0, 1));
    assert!(tunnel.rest().is_err());
    // It was never accepted: its connection ends with the listener.
    assert!(waiting.try_answer().is_err());
    assert_eq!(stage.outcome(), (Some(200), Some(Reason::ShutDown)));
}

#[test]
fn a_look_up_that_hangs_does_not_hold_up_a_shutdown() {
    struct Hangs(Sender<()>, Receiver<()>);
    impl UpstreamConnector for Hangs {
        fn plan(&self, _: &Destination<'_>) -> Result<Dialing, ConnectError> {
            self.0.send(()).unwrap();
            let _ = self.1.recv();
            Err(ConnectError::new(Reason::DnsFailed))
        }
    }
    let (hangs, is_hanging) = bounded(1);
    let (done, is_done) = bounded(0);
    let mut stage = Stage::with(|builder| builder.connector(Hangs(hangs, is_done)));
    let mut client = stage.client();
    client.send("GET http://slow.test/ HTTP/1.1\r\nHost: slow.test\r\n\r\n");
    is_hanging.recv_timeout(PATIENCE).unwrap();
    let report = stage.take_handle().shutdown(SOON);
    assert_eq!((report.drained, report.cut), (0, 1));
    assert!(client.rest().is_err());
    assert_eq!(stage.outcome(), (None, Some(Reason::ShutDown)));
    drop(done);
}

#[test]
fn when_a_shutdown_returns_every_record_is_with_the_logger() {
    let (stage, origin) = (Stage::with(|builder| builder.event_loops(2)), Origin::always(OK));
    let address = stage.address;
    thread::scope(|scope| {
        for _ in 0..5 {
            let origin = &origin;
            scope.spawn(move || {
                let mut client = Client::connect(address);
                for _ in 0..20 {
                    assert_eq!(client.send(origin.get("/")).answer().text(), "ok");
                }
            });
        }
    });
    let records = stage.finish();
    let mut ids: Vec<u64> = records.iter().map(|record| record.as_record().id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((records.len(), ids.len()), (100, 100));
}

/// A connector that knows the way when it is told to.
struct Late(Receiver<()>, SocketAddr);

impl UpstreamConnector for Late {
    fn plan(&self, _: &Destination<'_>) -> Result<Dialing, ConnectError> {
        self.0.recv_timeout(PATIENCE).expect("it is told");
        Ok(Dialing::addresses([self.1]))
    }
}

#[test]
fn a_tunnel_that_opens_after_the_time_of_tunnels_is_cut() {
    let origin = Origin::new(|visit| _ = visit.rest());
    let (tell, told) = bounded(0);
    let connector = Late(told, origin.address);
    let mut stage = Stage::with(|builder| builder.connector(connector));
    let mut idle = stage.client();
    let mut late = stage.client();
    late.send("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n");
    stage.settle();
    let handle = stage.take_handle();
    let stopping = thread::spawn(move || handle.shutdown_tunnels(PATIENCE, Duration::ZERO));
    idle.expect_end();
    // Now tunnels have no more time, and exchanges have.
    tell.send(()).unwrap();
    assert!(late.rest().is_err(), "reset");
    let report = stopping.join().unwrap();
    assert_eq!((report.drained, report.cut), (1, 1));
    assert_eq!(stage.logged_one_tunnel().as_record().reason, Some(Reason::ShutDown));
}
