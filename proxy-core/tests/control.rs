//! A running proxy seen from other threads, and its connections closed from there.

mod support;

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use proxy_core::{
    Action, BodySender, ConnectionHandler, ConnectionList, ConnectionState, ConnectionStatus,
    Exchange, ForwardHandler, ProxyControl, Reason, RequestStatus, Response, User, body_stream,
};
use support::{Client, Origin, PATIENCE, Slow, Stage, until};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// All connections, as soon as there are `count` of them and all are as they `should` be.
#[track_caller]
fn listed(
    control: &ProxyControl,
    count: usize,
    should: impl Fn(&ConnectionStatus) -> bool,
) -> Vec<ConnectionStatus> {
    let patience = Instant::now() + PATIENCE;
    loop {
        let ConnectionList { connections, total, .. } = control.connections(1000);
        if total == count && connections.len() == count && connections.iter().all(&should) {
            return connections;
        }
        assert!(Instant::now() < patience, "it does not come to be so: {connections:#?}");
        thread::yield_now();
    }
}

/// The only connection, as soon as it is in that state.
#[track_caller]
fn only(control: &ProxyControl, state: ConnectionState) -> ConnectionStatus {
    listed(control, 1, |one| one.state == state).remove(0)
}

fn request(status: &ConnectionStatus) -> &RequestStatus {
    status.request.as_ref().expect("it has a request")
}

#[test]
fn a_connection_is_told_of_in_whatever_state_it_is() {
    let stage = Stage::forward();
    let control = stage.handle().control();
    assert_eq!(control.connections(10).total, 0);
    assert_eq!(control.local_addrs(), [stage.address]);

    let mut client = stage.client();
    let idle = only(&control, ConnectionState::Idle);
    assert_eq!(idle.client, client.stream().local_addr().unwrap());
    assert_eq!((idle.listener, idle.requests, idle.request.is_none()), (0, 0, true));

    let slow = Slow::new();
    let address = slow.origin.address;
    let (head, body) = (format!("PUT http://{address}/a HTTP/1.1\r\n"), "hello");
    client.send(&head);
    let reading = only(&control, ConnectionState::Reading);
    assert_eq!((reading.id, reading.request), (idle.id, None));

    client.send("Host: x\r\nContent-Length: 5\r\n\r\n");
    assert_eq!(slow.next(), "/a");
    let sending = only(&control, ConnectionState::Sending);
    assert_eq!((sending.requests, request(&sending).bytes_in), (1, 0));

    client.send(body);
    let waiting = only(&control, ConnectionState::Waiting);
    let asked = request(&waiting);
    assert_eq!((&*asked.method, &*asked.target), ("PUT", &*format!("http://{address}/a")));
    assert_eq!((&*asked.host, asked.upstream), ("127.0.0.1", Some(address)));
    assert_eq!((asked.bytes_in, asked.bytes_out, asked.status), (5, 0, None));

    slow.answer("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha");
    client.head();
    assert_eq!(client.bytes(2), b"ha");
    let relaying = only(&control, ConnectionState::Relaying);
    let asked = request(&relaying);
    assert_eq!((asked.bytes_in, asked.bytes_out, asked.status), (5, 2, Some(200)));
    let id = asked.id;
    client.reset();
    assert_eq!(stage.closed().as_record().id, id);
    assert_eq!(control.connections(10).total, 0);
    stage.survives();
}

#[test]
fn a_tunnel_is_told_of_with_what_flows() {
    let stage = Stage::forward();
    let control = stage.handle().control();
    let origin = Origin::new(|visit| {
        visit.send("hello");
        _ = visit.rest();
    });
    let mut client = stage.client();
    client.send(format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", origin.address)).head();
    client.send("hi");
    assert_eq!(client.bytes(5), b"hello");
    let flows =
        |one: &ConnectionStatus| one.state == ConnectionState::Tunnel && request(one).bytes_in == 2;
    let tunnel = listed(&control, 1, flows).remove(0);
    let asked = request(&tunnel);
    assert_eq!((&*asked.method, &*asked.target), ("CONNECT", &*origin.address.to_string()));
    assert_eq!((asked.bytes_out, asked.upstream), (5, Some(origin.address)));
    assert_eq!((tunnel.requests, tunnel.client), (1, client.stream().local_addr().unwrap()));
}

/// Streams, hands over, delays, or holds its loop up, as the host says.
struct Various {
    senders: Sender<BodySender>,
    arrived: Sender<()>,
    hold: Receiver<()>,
}

impl ConnectionHandler for Various {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        let hold = self.hold.clone();
        match exchange.request().host() {
            "streamed.test" => {
                exchange.set_user(User::new("ada"));
                let (sender, stream) = body_stream(1024);
                self.senders.send(sender).unwrap();
                Action::Respond(Response::new(200).with_stream(stream))
            }
            "taken.test" => Action::take_over(move |_, _| _ = hold.recv()),
            "later.test" => exchange.after(PATIENCE, Action::Close),
            "deferred.test" => exchange.defer(move |_, _| {
                let _ = hold.recv();
                Action::Close
            }),
            "held.test" => {
                self.arrived.send(()).unwrap();
                let _ = hold.recv();
                Action::Respond(Response::new(204))
            }
            _ => ForwardHandler.request(exchange),
        }
    }
}

struct Held {
    stage: Stage,
    streams: Receiver<BodySender>,
    arrivals: Receiver<()>,
    /// Dropped, what is held goes on.
    hold: Sender<()>,
}

fn various(event_loops: usize) -> Held {
    let ((senders, streams), (arrived, arrivals)) = (unbounded(), unbounded());
    let (hold, held) = bounded(0);
    let handler = Various { senders, arrived, hold: held };
    let stage = Stage::with(|builder| builder.handler(handler).event_loops(event_loops));
    Held { stage, streams, arrivals, hold }
}

fn get(host: &str) -> String {
    format!("GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n")
}

#[test]
fn what_the_handler_does_is_told() {
    let Held { stage, streams, hold, .. } = various(1);
    let control = stage.handle().control();
    let ask = |host: &str| -> Client {
        let mut client = stage.client();
        client.send(get(host));
        client
    };
    for (host, state) in [
        ("later.test", ConnectionState::Delayed),
        ("deferred.test", ConnectionState::Deciding),
        ("taken.test", ConnectionState::TakenOver),
    ] {
        let client = ask(host);
        assert_eq!(request(&only(&control, state)).host, host);
        if state == ConnectionState::TakenOver {
            break; // it is held until the end
        }
        client.reset();
        listed(&control, 0, |_| true);
    }
    let taken = only(&control, ConnectionState::TakenOver);
    assert!(!control.close_connection(taken.id), "nobody can interrupt its code");
    drop(hold);
    listed(&control, 0, |_| true);

    let mut client = ask("streamed.test");
    let sender = streams.recv_timeout(PATIENCE).unwrap();
    client.head();
    sender.try_send("event").unwrap();
    client.bytes(10);
    let streaming = only(&control, ConnectionState::Streaming);
    let asked = request(&streaming);
    assert_eq!((asked.status, asked.bytes_out, asked.user.as_deref()), (Some(200), 5, Some("ada")));
    assert!(control.close_connection(streaming.id));
    assert!(sender.is_closed());
    assert!(client.chunks().is_err());
}

#[test]
fn a_connection_is_closed_whatever_it_does_and_the_log_says_by_whom() {
    let stage = Stage::forward();
    let control = stage.handle().control();
    let close = |state: ConnectionState| {
        let id = only(&control, state).id;
        // As another program would name it.
        let named = id.to_string().parse().unwrap();
        assert!(control.close_connection(named));
        assert!(!control.close_connection(named), "there is none any more");
        assert_eq!(control.connections(10).total, 0);
    };

    // Nothing was asked, so there is no record.
    let mut idle = stage.client();
    close(ConnectionState::Idle);
    idle.expect_end();

    let mut reading = stage.client();
    reading.send("GET http://a.te");
    close(ConnectionState::Reading);
    reading.expect_reset();
    stage.logs("- - closed_by_operator", 0, 0);

    let slow = Slow::new();
    let mut waiting = slow.asks(&stage, "/");
    slow.next();
    close(ConnectionState::Waiting);
    waiting.expect_reset();
    stage.logs("GET - closed_by_operator", 0, 0);

    let (cut, was_cut) = unbounded();
    let origin = Origin::new(move |visit| {
        visit.send("hello");
        cut.send(visit.rest().is_err()).unwrap();
    });
    let mut tunnel = stage.client();
    tunnel.send(format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", origin.address)).head();
    assert_eq!(tunnel.bytes(5), b"hello");
    close(ConnectionState::Tunnel);
    tunnel.expect_reset();
    assert_eq!(was_cut.recv_timeout(PATIENCE), Ok(true));
    let closed = stage.closed();
    let record = closed.as_record();
    assert_eq!((record.reason, record.bytes_out), (Some(Reason::ClosedByOperator), 5));
    stage.survives();
}

#[test]
fn an_id_is_not_taken_for_that_of_whoever_has_its_place_now() {
    let stage = Stage::forward();
    let control = stage.handle().control();
    let first = stage.client();
    let id = only(&control, ConnectionState::Idle).id;
    drop(first);
    listed(&control, 0, |_| true);
    let mut second = stage.client();
    assert_ne!(only(&control, ConnectionState::Idle).id, id);
    assert!(!control.close_connection(id));
    let answer = second.send(Origin::always(OK).get("/")).answer();
    assert_eq!(answer.text(), "ok");
    for nobody in ["0-0-0", "7-1-0", "0-1-4294967295"] {
        assert!(!control.close_connection(nobody.parse().unwrap()), "{nobody}");
    }
}

#[test]
fn however_many_there_are_no_more_are_told_of_than_were_asked_for() {
    const MANY: usize = 600;
    let stage = Stage::with(|builder| builder.event_loops(2));
    let control = stage.handle().control();
    let clients: Vec<_> = (0..MANY).map(|_| stage.client()).collect();
    until(&stage, |all| all.seats == MANY && all.idle_clients == MANY);
    for most in [0, 1, 255, 256, 257, 599, 600, 1000] {
        let list = control.connections(most);
        assert_eq!((list.connections.len(), list.total), (most.min(MANY), MANY), "{most}");
        assert_eq!(list.missing_loops, 0);
        let ids: HashSet<_> = list.connections.iter().map(|one| one.id).collect();
        assert_eq!(ids.len(), list.connections.len(), "none is there twice");
    }
    let told: HashSet<_> =
        control.connections(MANY).connections.iter().map(|one| one.client).collect();
    let there: HashSet<_> =
        clients.iter().map(|client| client.stream().local_addr().unwrap()).collect();
    assert_eq!(told, there);
}

#[test]
fn a_loop_that_is_held_up_is_missing_and_the_others_tell() {
    let Held { stage, arrivals, hold, .. } = various(2);
    let control = stage.handle().control();
    // One on each loop: each client goes to the one with the fewest.
    let other = stage.client();
    only(&control, ConnectionState::Idle);
    let mut held = stage.client();
    listed(&control, 2, |_| true);
    held.send(get("held.test"));
    arrivals.recv_timeout(PATIENCE).unwrap();
    let list = control.connections(10);
    assert_eq!((list.connections.len(), list.total, list.missing_loops), (1, 1, 1));
    assert_eq!(list.connections[0].client, other.stream().local_addr().unwrap());
    drop(hold);
    assert_eq!(held.answer().status, 204);
    assert_eq!(listed(&control, 2, |_| true).len(), 2);
}

#[test]
fn a_control_alone_reads_the_numbers() {
    let stage = Stage::with(|builder| builder.event_loops(2));
    let control = stage.handle().control();
    let origin = Origin::always(OK);
    let mut client = stage.client();
    assert_eq!(client.send(origin.get("/")).answer().text(), "ok");
    assert!(control.metrics().are_on());
    let now = control.metrics().snapshot();
    assert_eq!(now.traffic.unwrap().requests.total(), 1);
    assert_eq!((now.holdings.loops, now.holdings.held_up, now.holdings.idle), (2, 0, 1));
    let silent = Stage::with(|builder| builder.metrics(false)).handle().control();
    assert!(!silent.metrics().are_on());
}

#[test]
fn when_its_proxy_has_ended_it_has_nothing_to_tell() {
    fn for_all_threads(control: impl Send + Sync + Clone + 'static) {
        drop(control);
    }
    let mut stage = Stage::forward();
    let control = stage.handle().control();
    for_all_threads(control.clone());
    let client = stage.client();
    let id = only(&control, ConnectionState::Idle).id;
    assert!(!control.is_draining());
    stage.take_handle().shutdown(Duration::ZERO);
    assert!(control.is_draining());
    let list = control.connections(10);
    assert_eq!((list.connections.len(), list.total, list.missing_loops), (0, 0, 0));
    assert!(!control.close_connection(id));
    assert!(control.inventory(PATIENCE).is_empty());
    // A loop that has ended is not one that is held up, also while the control keeps the settings.
    let held = control.metrics().snapshot().holdings;
    assert_eq!((held.loops, held.held_up, held.open), (0, 0, 0));
    assert_eq!(control.local_addrs(), []);
    assert_eq!(control.log_counts().logged, 0);
    assert_eq!(control.worker_stats().lanes.len(), 3);
    assert!(control.bans().list().is_empty());
    drop(client);
}

#[test]
fn it_knows_the_newest_settings() {
    let mut stage = Stage::forward();
    let control = stage.handle().control();
    assert_eq!(control.local_addrs(), [stage.address]);
    stage.reload(|builder| builder.listen("127.0.0.1:0").listen("127.0.0.1:0"));
    assert_eq!(control.local_addrs(), stage.handle().local_addrs());
    assert_eq!(control.local_addrs().len(), 2);
}
