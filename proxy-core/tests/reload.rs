//! Another configuration, without a stop: what is under way keeps the old one, what begins has the
//! new one, and nothing is lost in between.

mod support;

use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Sender, unbounded};
use proxy_core::{
    AccessRecord, Action, BuildError, ConnectionHandler, Exchange, Limits, Network, NoLog, Proxy,
    ProxyBuilder, ProxyHandle, Response, ResponseAction, Timeouts,
};
use support::{Client, Origin, PATIENCE, Stage, timeouts};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Forwards, says with each response which one it is, and with its own page which listener the
/// client has come by.
struct Version(&'static str);

impl ConnectionHandler for Version {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        match exchange.request().target() {
            "/listener" => Action::Respond(
                Response::new(200).with_body(exchange.client().listener.to_string()),
            ),
            _ => Action::forward(),
        }
    }

    fn response(&self, exchange: &mut Exchange<'_>) -> ResponseAction {
        exchange.response_edits().set("Version", self.0);
        ResponseAction::Pass
    }
}

fn version(name: &'static str) -> ProxyBuilder {
    Proxy::builder().handler(Version(name))
}

/// A proxy with one loop, at its first version.
fn first() -> ProxyHandle {
    version("1").listen("127.0.0.1:0").event_loops(1).start().unwrap()
}

fn client(proxy: &ProxyHandle) -> Client {
    Client::connect(proxy.local_addrs()[0])
}

#[track_caller]
fn answered_by(client: &mut Client, version: &str) {
    let answer = client.answer();
    assert_eq!((answer.status, answer.field("version")), (200, Some(version)), "{answer:?}");
}

fn listener_of(client: &mut Client) -> String {
    client.send("GET /listener HTTP/1.1\r\nHost: x\r\n\r\n").answer().text().to_owned()
}

#[test]
fn what_begins_has_the_new_settings_and_what_has_begun_keeps_the_old() {
    let mut proxy = first();
    let (origin, arrivals, go) = Origin::hesitant();
    let (mut busy, mut idle) = (client(&proxy), client(&proxy));
    busy.send(origin.get("/"));
    arrivals.recv_timeout(PATIENCE).unwrap();

    let report = proxy.reload(version("2").event_loops(1)).unwrap();
    assert_eq!(
        (&*report.added, &*report.removed, &*report.need_restart),
        (&[][..], &[][..], &[][..])
    );
    idle.send(origin.get("/"));
    arrivals.recv_timeout(PATIENCE).unwrap();
    go.send(()).unwrap();
    go.send(()).unwrap();
    answered_by(&mut busy, "1");
    answered_by(&mut idle, "2");
    // The same connection, the next request.
    drop(go);
    busy.send(origin.get("/"));
    answered_by(&mut busy, "2");
}

#[test]
fn half_a_head_becomes_a_request_of_the_new_settings() {
    let mut proxy = first();
    let origin = Origin::always(OK);
    let mut half = client(&proxy);
    let request = origin.get("/");
    half.send(&request[..10]);
    client(&proxy).send(origin.get("/")).answer();
    proxy.reload(version("2")).unwrap();
    half.send(&request[10..]);
    answered_by(&mut half, "2");
}

#[test]
fn a_tunnel_keeps_its_timeouts() {
    let short = || timeouts(|timeouts| timeouts.tunnel_idle = Duration::from_millis(1));
    let mut proxy = first();
    let origin = Origin::new(|visit| {
        let text = visit.bytes(4);
        visit.send(text);
    });
    let mut tunnel = client(&proxy);
    tunnel.send(format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", origin.address));
    tunnel.head();
    proxy.reload(version("2").timeouts(short())).unwrap();
    let mut brief = client(&proxy);
    brief.send(format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", origin.address));
    brief.head();
    brief.expect_end();
    tunnel.send("ping");
    assert_eq!(tunnel.bytes(4), b"ping");
}

#[test]
fn listeners_come_and_go_and_those_that_stay_are_not_touched() {
    let mut proxy = version("1").listen("127.0.0.1:0").listen("localhost:0").start().unwrap();
    let (stays, goes) = (proxy.local_addrs()[0], proxy.local_addrs()[1]);
    let (origin, arrivals, go) = Origin::hesitant();
    let (mut idle, mut busy) = (Client::connect(goes), Client::connect(goes));
    let (mut half, mut kept) = (Client::connect(goes), Client::connect(stays));
    let mut tunnel = Client::connect(goes);
    let echo = Origin::new(|visit| {
        let text = visit.bytes(4);
        visit.send(text);
    });
    tunnel.send(format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", echo.address));
    tunnel.head();
    for (client, place) in [(&mut idle, "1"), (&mut half, "1"), (&mut kept, "0")] {
        assert_eq!(listener_of(client), place);
    }
    let request = origin.get("/");
    half.send(&request[..10]);
    busy.send(&request);
    arrivals.recv_timeout(PATIENCE).unwrap();
    let mut new = Client::connect(goes);
    listener_of(&mut Client::connect(goes));

    let report = proxy.reload(version("2").listen("127.0.0.2:0").listen("127.0.0.1:0")).unwrap();
    let added = proxy.local_addrs()[0];
    assert_eq!(proxy.local_addrs(), [added, stays]);
    assert_eq!((report.added, report.removed), (vec![added], vec![goes]));
    TcpListener::bind(goes).expect("its port is free");
    // It is the second now, and the handler that knows it as that is asked.
    assert_eq!(listener_of(&mut kept), "1");
    assert_eq!(listener_of(&mut Client::connect(added)), "0");
    idle.expect_end();
    // It has connected in order to ask.
    assert_eq!(listener_of(&mut new), "1");
    new.end().expect_end();
    drop(go);
    half.send(&request[10..]);
    for last in [&mut busy, &mut half] {
        let answer = last.answer();
        assert_eq!(
            (answer.field("version"), answer.field("connection")),
            (Some("1"), Some("close"))
        );
        last.end().expect_end();
    }
    tunnel.send("ping");
    assert_eq!(tunnel.bytes(4), b"ping");
}

#[test]
fn an_address_given_twice_is_two_listeners() {
    let mut proxy = Proxy::builder().listen("127.0.0.1:0").listen("127.0.0.1:0").start().unwrap();
    let before = proxy.local_addrs().to_vec();
    let twice = Proxy::builder().listen("127.0.0.1:0").listen("127.0.0.1:0");
    assert_eq!(proxy.reload(twice).unwrap().added, []);
    assert_eq!(proxy.local_addrs(), before);
    let once = Proxy::builder().listen("127.0.0.1:0");
    assert_eq!(proxy.reload(once).unwrap().removed, before[1..]);
    assert_eq!(proxy.local_addrs(), &before[..1]);
}

#[test]
fn listeners_that_are_no_addresses_stay_and_new_ones_come_behind_them() {
    let bound = || proxy_core::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut proxy = version("1").listen("127.0.0.1:0").listener(bound()).start().unwrap();
    let [_, given] = *proxy.local_addrs() else { panic!("there are two") };
    proxy.reload(version("2").listen("127.0.0.2:0").listener(bound())).unwrap();
    assert_eq!((proxy.local_addrs().len(), proxy.local_addrs()[1]), (3, given));
    for (place, &address) in proxy.local_addrs().iter().enumerate() {
        assert_eq!(listener_of(&mut Client::connect(address)), place.to_string());
    }
}

#[test]
fn what_cannot_work_changes_nothing() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut proxy = first();
    let before = proxy.local_addrs().to_vec();
    let mut idle = client(&proxy);
    let origin = Origin::always(OK);
    let mut limits = Limits::default();
    limits.fields = 1_000_000;
    // A free port, as far as can be told.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let beside = || version("2").listen(free);
    let wrong = [
        beside().listen(taken.local_addr().unwrap()),
        beside().limits(limits),
        beside().workers(1),
        beside().listen("0.0.0.0:0"),
    ];
    let errors = wrong.map(|builder| proxy.reload(builder).unwrap_err());
    assert!(matches!(errors[0], BuildError::Listen { .. }));
    assert!(matches!(errors[1], BuildError::Setting { setting: "fields", .. }));
    assert!(matches!(errors[2], BuildError::Setting { setting: "workers", .. }));
    assert!(matches!(errors[3], BuildError::OpenProxy { .. }));
    assert_eq!(proxy.local_addrs(), before);
    assert!(TcpStream::connect(free).is_err(), "nothing is left of what went well");
    for client in [&mut idle, &mut client(&proxy)] {
        client.send(origin.get("/"));
        answered_by(client, "1");
    }
}

#[test]
fn clients_that_are_not_served_any_more_get_what_is_under_way_and_no_more() {
    let mut proxy = first();
    let (origin, arrivals, go) = Origin::hesitant();
    let (mut busy, mut idle, mut half) = (client(&proxy), client(&proxy), client(&proxy));
    let request = origin.get("/");
    half.send(&request[..10]);
    busy.send(&request).send(&request);
    arrivals.recv_timeout(PATIENCE).unwrap();
    listener_of(&mut idle);
    let elsewhere: Network = "192.0.2.0/24".parse().unwrap();
    let mut new = client(&proxy);
    // It is accepted before the next one is served.
    listener_of(&mut client(&proxy));
    proxy.reload(version("2").allow_clients([elsewhere])).unwrap();
    idle.expect_end();
    assert_eq!((half.answer().status, new.answer().status), (403, 403));
    assert_eq!(client(&proxy).answer().status, 403);
    drop(go);
    let answer = busy.answer();
    assert_eq!((answer.status, answer.field("connection")), (200, Some("close")));
    busy.end().expect_end();
    assert!(arrivals.is_empty(), "the second request was not begun");
}

#[test]
fn the_new_logger_gets_what_comes_and_the_old_one_is_let_go() {
    let (one, two) = (unbounded(), unbounded());
    let log = |sender: &Sender<u64>| {
        let sender = sender.clone();
        move |record: &AccessRecord<'_>| sender.send(record.id).unwrap()
    };
    let mut proxy = version("1").listen("127.0.0.1:0").logger(log(&one.0)).start().unwrap();
    drop(one.0);
    let mut client = client(&proxy);
    listener_of(&mut client);
    proxy.reload(version("2").logger(log(&two.0))).unwrap();
    assert_eq!(one.1.iter().count(), 1, "all of its own, and then it is dropped");
    listener_of(&mut client);
    proxy.reload(version("3")).unwrap();
    listener_of(&mut client);
    proxy.shutdown(PATIENCE);
    assert_eq!(two.1.try_iter().count(), 2, "it stays where there is no other");
}

#[test]
fn a_logger_that_is_off_costs_no_records_and_another_one_begins_with_the_next() {
    let (sender, records) = unbounded();
    let log = move |record: &AccessRecord<'_>| sender.send(record.id).unwrap();
    let mut proxy = version("1").listen("127.0.0.1:0").logger(NoLog).start().unwrap();
    let mut client = client(&proxy);
    listener_of(&mut client);
    proxy.reload(version("2").logger(log)).unwrap();
    assert_eq!(proxy.log_counts(), Default::default(), "none was made");
    listener_of(&mut client);
    proxy.reload(version("3").logger(NoLog)).unwrap();
    listener_of(&mut client);
    assert_eq!(proxy.shutdown(PATIENCE).log.logged, 1);
    assert_eq!(records.iter().count(), 1);
}

#[test]
fn connections_to_upstreams_are_not_used_by_what_comes_after() {
    let mut proxy = first();
    let origin = Origin::always(OK);
    let mut client = client(&proxy);
    for _ in 0..2 {
        client.send(origin.get("/")).answer();
    }
    assert_eq!(origin.visits(), 1);
    proxy.reload(version("2")).unwrap();
    client.send(origin.get("/")).answer();
    assert_eq!(origin.visits(), 2);
}

#[test]
fn a_connection_that_was_in_use_ends_with_its_response() {
    let mut proxy = first();
    let (origin, arrivals, go) = Origin::hesitant();
    let mut client = client(&proxy);
    client.send(origin.get("/"));
    arrivals.recv_timeout(PATIENCE).unwrap();
    proxy.reload(version("2")).unwrap();
    drop(go);
    client.answer();
    client.send(origin.get("/")).answer();
    assert_eq!(origin.visits(), 2);
}

#[test]
fn whoever_waits_for_a_place_has_it_when_there_are_more() {
    let limited = |connections| {
        let mut limits = Limits::default();
        limits.connections_per_upstream = connections;
        version("1").event_loops(1).limits(limits).timeouts(timeouts(|timeouts: &mut Timeouts| {
            timeouts.upstream_wait = 2 * PATIENCE;
        }))
    };
    for more in [2, usize::MAX] {
        let mut proxy = limited(1).listen("127.0.0.1:0").start().unwrap();
        let (origin, arrivals, go) = Origin::hesitant();
        let (mut first, mut second) = (client(&proxy), client(&proxy));
        first.send(origin.get("/"));
        arrivals.recv_timeout(PATIENCE).unwrap();
        second.send(origin.get("/"));
        listener_of(&mut client(&proxy));
        proxy.reload(limited(more)).unwrap();
        arrivals.recv_timeout(PATIENCE).unwrap();
        drop(go);
        assert_eq!((first.answer().text(), second.answer().text()), ("ok", "ok"));
    }
}

#[test]
fn a_limit_that_was_not_there_counts_from_then_on() {
    let mut proxy = first();
    let (origin, arrivals, _go) = Origin::hesitant();
    let mut limits = Limits::default();
    (limits.connections_per_upstream, limits.waiting_per_upstream) = (1, 0);
    proxy.reload(version("2").limits(limits)).unwrap();
    let mut first = client(&proxy);
    first.send(origin.get("/"));
    arrivals.recv_timeout(PATIENCE).unwrap();
    assert_eq!(client(&proxy).send(origin.get("/")).answer().status, 503);
}

#[test]
fn fewer_connections_let_nobody_in_until_enough_have_ended() {
    let mut proxy = first();
    let mut open = [client(&proxy), client(&proxy)];
    open.iter_mut().for_each(|client| _ = listener_of(client));
    let mut limits = Limits::default();
    limits.connections = 2;
    proxy.reload(version("2").limits(limits)).unwrap();
    let mut third = client(&proxy);
    third.send("GET /listener HTTP/1.1\r\nHost: x\r\n\r\n");
    for client in &mut open {
        assert_eq!(listener_of(client), "0", "nobody is closed");
    }
    drop(open);
    assert_eq!(third.answer().text(), "0");
}

#[test]
fn what_is_about_threads_waits_for_the_next_start() {
    let mut proxy = first();
    let mut limits = Limits::default();
    (limits.lane_queue, limits.log_queue, limits.loop_inbox) = (1, 1, 1);
    limits.buffer_bytes *= 2;
    let report = proxy
        .reload(
            version("2")
                .event_loops(2)
                .workers(9)
                .metrics(false)
                .metrics_top(5)
                .share_addresses()
                .limits(limits),
        )
        .unwrap();
    assert_eq!(
        report.need_restart,
        [
            "event_loops",
            "workers",
            "metrics",
            "metrics_top",
            "share_addresses",
            "buffer_bytes",
            "loop_inbox",
            "lane_queue",
            "log_queue"
        ]
    );
}

/// Reloads as fast as it goes, with listeners that come and go beside the one that stays, while
/// clients of all kinds are at work: none of them notices.
#[test]
fn nobody_under_load_notices() {
    const REQUESTS: usize = 400;
    const PIECE: usize = 64 * 1024;
    let stage = Stage::with(|builder| builder.event_loops(2));
    let address = stage.address;
    let origin = Arc::new(Origin::always(OK));
    // It sends as long as there are reloads, and then so much more.
    let pieces = Arc::new(AtomicUsize::new(0));
    let over = Arc::new(AtomicBool::new(false));
    let long = {
        let (pieces, over) = (Arc::clone(&pieces), Arc::clone(&over));
        Origin::new(move |visit| {
            assert!(visit.request().is_some());
            visit.send("HTTP/1.1 200 OK\r\n\r\n");
            while !over.load(Ordering::SeqCst) {
                visit.send([7; PIECE]);
                pieces.fetch_add(1, Ordering::SeqCst);
            }
        })
    };
    let echo = Origin::new(|visit| {
        let mut byte = [0];
        while visit.stream().read_exact(&mut byte).is_ok() {
            visit.send(byte);
        }
    });

    let mut clients = Vec::new();
    for _ in 0..2 {
        let origin = Arc::clone(&origin);
        clients.push(thread::spawn(move || {
            let mut kept = Client::connect(address);
            for _ in 0..REQUESTS {
                assert_eq!(kept.send(origin.get("/")).answer().text(), "ok");
            }
        }));
        let origin = Arc::new(Origin::always(OK));
        clients.push(thread::spawn(move || {
            for _ in 0..REQUESTS {
                assert_eq!(Client::connect(address).send(origin.get("/")).answer().text(), "ok");
            }
        }));
    }
    let mut download = Client::connect(address);
    let request = long.get("/");
    let download = thread::spawn(move || {
        let answer = download.send(request).answer();
        assert!(answer.body.iter().all(|&byte| byte == 7));
        answer.body.len()
    });
    let ended = Arc::clone(&over);
    let mut tunnel = Client::connect(address);
    tunnel.send(format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", echo.address));
    tunnel.head();
    let tunnel = thread::spawn(move || {
        while !ended.load(Ordering::SeqCst) {
            tunnel.send("x");
            assert_eq!(tunnel.bytes(1), b"x");
        }
    });

    let mut stage = stage;
    let mut proxy = stage.take_handle();
    let mut reloads = 0;
    while !clients.iter().all(thread::JoinHandle::is_finished) {
        let beside: SocketAddr = ([127, 0, 0, 1], 0).into();
        let mut builder = Proxy::builder().listen("127.0.0.1:0").event_loops(2);
        if reloads % 2 == 0 {
            builder = builder.listen(beside);
        }
        proxy.reload(builder).unwrap();
        reloads += 1;
    }
    clients.into_iter().for_each(|client| client.join().unwrap());
    over.store(true, Ordering::SeqCst);
    tunnel.join().unwrap();
    assert_eq!(download.join().unwrap(), pieces.load(Ordering::SeqCst) * PIECE);
    assert_eq!(proxy.local_addrs()[0], address);
    assert!(reloads > 2, "{reloads}");
    assert_eq!(proxy.shutdown(PATIENCE).cut, 0);
    let records = stage.finish();
    assert!(records.iter().all(|record| record.as_record().reason.is_none()));
}
