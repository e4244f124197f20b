//! `CONNECT` (RFC 9110 §9.3.6) and WebSocket (RFC 6455): bytes both ways, unseen.

mod support;

use std::io::{ErrorKind, Write};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};
use proxy_core::{ConnectError, Destination, Dialing, Event, Kind, Reason, UpstreamConnector};
use support::{Client, Nobody, Origin, PATIENCE, Stage, timeouts};

const CONNECTED: &str = "HTTP/1.1 200 Connection established";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn connect_to(origin: &Origin) -> String {
    format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", origin.address)
}

/// A client whose tunnel to `origin` is open.
fn tunnel(stage: &Stage, origin: &Origin) -> Client {
    let mut client = stage.client();
    assert_eq!(client.send(connect_to(origin)).head(), CONNECTED);
    client
}

/// Another client is served.
fn is_alive(stage: &Stage) {
    assert_eq!(stage.client().send(Origin::always(OK).get("/")).answer().text(), "ok");
    assert_eq!(stage.outcome(), (Some(200), None));
}

#[test]
fn a_tunnel_carries_what_both_sides_say_and_is_logged_when_it_opens_and_when_it_closes() {
    let stage = Stage::forward();
    let origin = Origin::new(|visit| {
        assert_eq!(visit.bytes(4), b"ping");
        visit.send("pong!");
        assert_eq!(visit.rest().unwrap(), b"");
    });
    let mut client = tunnel(&stage, &origin);
    {
        let record = stage.record();
        let record = record.as_record();
        assert_eq!(
            (record.event, record.kind, record.status),
            (Event::Open, Kind::Tunnel, Some(200))
        );
        assert_eq!((record.method, record.target), ("CONNECT", &*origin.address.to_string()));
        assert_eq!((record.host, record.upstream), ("127.0.0.1", Some(origin.address)));
    }
    assert_eq!(client.send("ping").bytes(5), b"pong!");
    client.end().expect_end();
    let record = stage.record();
    let record = record.as_record();
    assert_eq!((record.event, record.kind, record.status), (Event::Close, Kind::Tunnel, Some(200)));
    assert_eq!((record.reason, record.bytes_in, record.bytes_out), (None, 4, 5));
    assert_eq!(stage.finish(), []);
}

/// Knows the way only when it is told that it may.
struct Hesitant(Receiver<()>);

impl UpstreamConnector for Hesitant {
    fn plan(&self, destination: &Destination<'_>) -> Result<Dialing, ConnectError> {
        let _ = self.0.recv_timeout(PATIENCE);
        Ok(Dialing::addresses([format!("{}:{}", destination.host(), destination.port())
            .parse()
            .unwrap()]))
    }
}

#[test]
fn success_is_told_only_once_the_upstream_is_connected() {
    let (go, may_go) = bounded(0);
    let stage = Stage::with(|builder| builder.connector(Hesitant(may_go)));
    let origin = Origin::new(|visit| _ = visit.rest());
    let mut client = stage.client();
    client.send(connect_to(&origin));
    stage.settle();
    client.expect_silence();
    assert_eq!(origin.visits(), 0);
    go.send(()).unwrap();
    assert_eq!(client.head(), CONNECTED);
    client.end().expect_end();
    assert_eq!(stage.logged_one_tunnel().as_record().reason, None);
}

#[test]
fn bytes_sent_early_are_not_lost_on_either_side() {
    let stage = Stage::forward();
    let origin = Origin::new(|visit| {
        // A server that speaks first, as those of SSH and SMTP do.
        visit.send("220 hello");
        assert_eq!(visit.bytes(5), b"early");
        visit.send("!");
    });
    let mut client = stage.client();
    client.send(connect_to(&origin) + "early");
    assert_eq!(client.head(), CONNECTED);
    assert_eq!(client.bytes(10), b"220 hello!");
    client.end().expect_end();
    let record = stage.logged_one_tunnel();
    assert_eq!((record.as_record().bytes_in, record.as_record().bytes_out), (5, 10));
}

#[test]
fn the_end_of_a_client_reaches_the_upstream_which_may_go_on() {
    let stage = Stage::forward();
    let origin = Origin::new(|visit| {
        assert_eq!(visit.rest().unwrap(), b"all I have");
        visit.send("still here").send(", and done");
    });
    let mut client = tunnel(&stage, &origin);
    client.send("all I have").end();
    assert_eq!(client.rest().unwrap(), b"still here, and done");
    let record = stage.logged_one_tunnel();
    assert_eq!((record.as_record().reason, record.as_record().bytes_in), (None, 10));
}

#[test]
fn the_end_of_an_upstream_reaches_the_client_which_may_go_on() {
    let stage = Stage::forward();
    let (heard, was_heard) = bounded(1);
    let origin = Origin::new(move |visit| {
        visit.send("bye").end();
        heard.send(visit.rest().unwrap()).unwrap();
    });
    let mut client = tunnel(&stage, &origin);
    assert_eq!(client.rest().unwrap(), b"bye");
    client.send("one more ").send("thing").end();
    assert_eq!(was_heard.recv_timeout(PATIENCE).unwrap(), b"one more thing");
    let record = stage.logged_one_tunnel();
    assert_eq!((record.as_record().reason, record.as_record().bytes_out), (None, 3));
}

#[test]
fn a_client_that_resets_is_a_reset_to_the_upstream() {
    let stage = Stage::forward();
    let (ended, how) = bounded(1);
    let origin = Origin::new(move |visit| {
        visit.send("x");
        ended.send(visit.rest().map_err(|error| error.kind())).unwrap();
    });
    let mut client = tunnel(&stage, &origin);
    client.bytes(1);
    client.reset();
    assert_eq!(how.recv_timeout(PATIENCE).unwrap(), Err(ErrorKind::ConnectionReset));
    is_alive_after(&stage, Reason::ClientClosed);
}

#[test]
fn an_upstream_that_resets_is_a_reset_to_the_client() {
    let stage = Stage::forward();
    let origin = Origin::new(|visit| {
        visit.bytes(1);
        visit.reset();
    });
    let mut client = tunnel(&stage, &origin);
    let error = client.send("x").rest().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    is_alive_after(&stage, Reason::TunnelReset);
}

/// A tunnel has ended for this reason, and others are served.
fn is_alive_after(stage: &Stage, reason: Reason) {
    assert_eq!(stage.outcome(), (Some(200), Some(reason)));
    is_alive(stage);
}

#[test]
fn a_client_that_resets_while_the_upstream_sends_is_the_one_that_left() {
    let stage = Stage::forward();
    let origin = Origin::new(|visit| {
        // More than all buffers on the way hold: the proxy is in the middle of sending.
        for _ in 0..4096 {
            visit.send([0; 4096]);
        }
    });
    let mut client = tunnel(&stage, &origin);
    client.bytes(1);
    client.reset();
    is_alive_after(&stage, Reason::ClientClosed);
}

#[test]
fn a_client_that_resets_is_noticed_though_the_upstream_takes_nothing_more() {
    let stage = Stage::forward();
    let (done, is_done) = bounded::<()>(0);
    let origin = Origin::new(move |_| _ = is_done.recv());
    let client = tunnel(&stage, &origin);
    client.stream().set_nonblocking(true).unwrap();
    let mut pieces_at_once = usize::MAX;
    while pieces_at_once > 0 {
        pieces_at_once = std::iter::repeat_with(|| client.stream().write(&[0; 4096]))
            .take_while(Result::is_ok)
            .count();
        stage.settle();
    }
    client.reset();
    is_alive_after(&stage, Reason::ClientClosed);
    drop(done);
}

#[test]
fn a_tunnel_without_a_byte_is_closed_in_its_time_and_a_half_closed_one_in_another() {
    let stage = Stage::with(|builder| {
        builder.timeouts(timeouts(|timeouts| timeouts.tunnel_idle = Duration::from_millis(100)))
    });
    let origin = Origin::new(|visit| _ = visit.rest());
    tunnel(&stage, &origin).expect_end();
    is_alive_after(&stage, Reason::TunnelIdle);

    let stage = Stage::with(|builder| {
        builder
            .timeouts(timeouts(|timeouts| timeouts.tunnel_half_closed = Duration::from_millis(100)))
    });
    let (done, is_done) = bounded::<()>(0);
    let origin = Origin::new(move |visit| {
        assert_eq!(visit.rest().unwrap(), b"");
        let _ = is_done.recv();
    });
    tunnel(&stage, &origin).end().expect_end();
    is_alive_after(&stage, Reason::TunnelIdle);
    drop(done);
}

#[test]
fn an_idle_tunnel_whose_end_has_not_taken_all_is_reset_and_not_ended() {
    let stage = Stage::with(|builder| {
        builder.timeouts(timeouts(|timeouts| timeouts.tunnel_idle = Duration::from_millis(500)))
    });
    let (tell, ended) = bounded(1);
    let (read, may_read) = bounded::<()>(0);
    let origin = Origin::new(move |visit| {
        let _ = may_read.recv();
        tell.send(visit.rest().map_err(|error| error.kind())).unwrap();
    });
    let client = tunnel(&stage, &origin);
    let mut sending = client.stream();
    while sending.write_all(&[b'x'; 65536]).is_ok() {}
    assert_eq!(stage.outcome(), (Some(200), Some(Reason::TunnelIdle)));
    drop(read);
    assert_eq!(ended.recv_timeout(PATIENCE).unwrap(), Err(ErrorKind::ConnectionReset));
}

#[test]
fn a_refused_connection_is_told_and_closes_the_clients() {
    let stage = Stage::forward();
    let nobody = Nobody::listens();
    let mut client = stage.client();
    let answer =
        client.send(format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", nobody.address)).answer();
    assert_eq!(answer.status, 502);
    assert!(answer.text().contains("connect_refused"), "{}", answer.text());
    let record = stage.record();
    let record = record.as_record();
    assert_eq!(
        (record.event, record.kind),
        (Event::Close, Kind::Exchange),
        "it was never a tunnel"
    );
    assert_eq!((record.method, record.reason), ("CONNECT", Some(Reason::ConnectRefused)));

    client.expect_end();
}

#[test]
fn many_megabytes_go_both_ways_at_once() {
    const SIZE: usize = 16 * 1024 * 1024;
    const PIECE: usize = 64 * 1024;
    let stage = Stage::forward();
    let echo = Origin::new(|visit| {
        for _ in 0..SIZE / PIECE {
            let piece = visit.bytes(PIECE);
            visit.send(piece);
        }
    });
    let mut client = tunnel(&stage, &echo);
    let sent: Vec<u8> = (0..SIZE as u32 / 4)
        .flat_map(|number| number.wrapping_mul(0x9E37_79B9).to_le_bytes())
        .collect();
    let mut sending = client.stream().try_clone().unwrap();
    let received = thread::scope(|scope| {
        scope.spawn(|| sending.write_all(&sent).unwrap());
        client.bytes(SIZE)
    });
    assert!(received == sent, "what came back is what was sent");
    client.end().expect_end();
    let record = stage.logged_one_tunnel();
    assert_eq!(
        (record.as_record().bytes_in, record.as_record().bytes_out),
        (SIZE as u64, SIZE as u64)
    );
}

#[test]
fn a_fixed_upstream_opens_no_tunnels() {
    let origin = Origin::always(OK);
    let stage = Stage::in_front_of(&origin);
    let mut client = stage.client();
    assert_eq!(client.send(connect_to(&origin)).answer().status, 501);
    assert_eq!(stage.outcome(), (Some(501), Some(Reason::ConnectNotAllowed)));
    client.expect_end();
    assert_eq!(origin.visits(), 0);
}
