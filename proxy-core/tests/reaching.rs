//! From a name to a connection: look-ups that are shared and remembered, and addresses that are
//! tried beside each other.

mod support;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use proxy_core::{
    ConnectError, Destination, Dialing, DirectConnector, PlanReply, Reason, Resolve,
    UpstreamConnector,
};
use support::{Client, Origin, PATIENCE, Stage, timeouts};

const OK: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";

/// Every name leads here, but those that begin with `no`; those that begin with `slow` only
/// when they are released. Tells what it is asked.
struct Names {
    asked: Sender<String>,
    released: Receiver<()>,
}

impl Resolve for Names {
    fn resolve(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        self.asked.send(name.to_owned()).unwrap();
        match name.split('.').next() {
            Some("no") => return Err(io::ErrorKind::NotFound.into()),
            Some("panics") => panic!("on purpose"),
            Some("slow") => _ = self.released.recv_timeout(PATIENCE),
            _ => {}
        }
        Ok(vec![(IpAddr::from([127, 0, 0, 1]), 0).into()])
    }
}

/// Such a resolver, what it was asked, and what releases it when it is dropped.
fn names() -> (Names, Receiver<String>, Sender<()>) {
    let (asked, questions) = unbounded();
    let (release, released) = bounded(0);
    (Names { asked, released }, questions, release)
}

/// Asks for `name`, on the port of `origin`.
fn get(name: &str, origin: &Origin) -> String {
    format!("GET http://{name}:{}/ HTTP/1.1\r\nHost: {name}\r\n\r\n", origin.address.port())
}

#[test]
fn a_name_is_looked_up_once_and_remembered() {
    let (names, questions, _release) = names();
    let stage = Stage::with(|builder| builder.connector(DirectConnector::with_resolver(names)));
    let (one, two) = (Origin::always(OK), Origin::always(OK));
    let mut client = stage.client();
    for origin in [&one, &one, &two] {
        assert_eq!(client.send(get("A.test", origin)).answer().text(), "ok");
        assert_eq!(stage.closed().as_record().upstream, Some(origin.address));
    }
    assert_eq!(questions.try_iter().collect::<Vec<_>>(), ["a.test"]);
}

#[test]
fn a_failure_is_remembered_too() {
    let (names, questions, _release) = names();
    let stage = Stage::with(|builder| builder.connector(DirectConnector::with_resolver(names)));
    let origin = Origin::always(OK);
    let mut client = stage.client();
    for _ in 0..3 {
        assert_eq!(client.send(get("no.test", &origin)).answer().status, 502);
        assert_eq!(stage.outcome(), (Some(502), Some(Reason::DnsFailed)));
    }
    assert_eq!(questions.try_iter().collect::<Vec<_>>(), ["no.test"]);
}

#[test]
fn a_crowd_that_asks_for_one_slow_name_shares_its_look_up_and_holds_nobody_up() {
    let (names, questions, release) = names();
    let stage = Stage::with(|builder| {
        let connector = DirectConnector::with_resolver(names);
        builder.connector(connector).event_loops(2)
    });
    let origin = Origin::always(OK);
    let mut crowd: Vec<Client> = (0..40).map(|_| stage.client()).collect();
    for client in &mut crowd {
        client.send(get("slow.test", &origin));
    }
    // Another name finds a thread, however many there are in front of it.
    assert_eq!(stage.client().send(get("quick.test", &origin)).answer().text(), "ok");
    drop(release);
    for client in &mut crowd {
        assert_eq!(client.answer().text(), "ok");
    }
    let mut asked: Vec<String> = questions.try_iter().collect();
    asked.sort_unstable();
    assert_eq!(asked, ["quick.test", "slow.test"]);
}

#[test]
fn a_look_up_that_comes_too_late_is_of_use_to_the_next_one() {
    let (names, questions, release) = names();
    let stage = Stage::with(|builder| {
        builder
            .connector(DirectConnector::with_resolver(names))
            .timeouts(timeouts(|timeouts| timeouts.resolve = Duration::from_millis(50)))
    });
    let origin = Origin::always(OK);
    let mut client = stage.client();
    for _ in 0..2 {
        assert_eq!(client.send(get("slow.test", &origin)).answer().status, 504);
        assert_eq!(stage.outcome(), (Some(504), Some(Reason::DnsTimeout)));
    }
    drop(release);
    while stage.handle().worker_stats().lanes.iter().map(|lane| lane.done).sum::<u64>() < 2 {
        std::thread::yield_now();
    }
    assert_eq!(client.send(get("slow.test", &origin)).answer().text(), "ok");
    assert_eq!(questions.try_iter().collect::<Vec<_>>(), ["slow.test"]);
}

#[test]
fn a_resolver_that_panics_costs_those_who_asked_and_nobody_else() {
    let (names, _questions, _release) = names();
    let stage = Stage::with(|builder| builder.connector(DirectConnector::with_resolver(names)));
    let origin = Origin::always(OK);
    let mut client = stage.client();
    for _ in 0..2 {
        assert_eq!(client.send(get("panics.test", &origin)).answer().status, 500);
        assert_eq!(stage.outcome(), (Some(500), Some(Reason::ConnectorFailed)));
    }
    assert_eq!(client.send(get("a.test", &origin)).answer().text(), "ok");
}

/// Keeps all replies until there are so many, and sends them together.
struct Together(AtomicUsize, Mutex<Vec<PlanReply>>, SocketAddr);

impl UpstreamConnector for Together {
    fn plan(&self, _: &Destination<'_>) -> Result<Dialing, ConnectError> {
        unreachable!("plan_for() answers")
    }

    fn plan_for(&self, destination: &Destination<'_>, reply: PlanReply) {
        if destination.host() == "dropped.test" {
            return;
        }
        let mut replies = self.1.lock().unwrap();
        replies.push(reply);
        if replies.len() == self.0.load(Ordering::SeqCst) {
            for reply in replies.drain(..) {
                reply.send(Ok(Dialing::addresses([self.2])));
            }
        }
    }
}

#[test]
fn a_connector_can_answer_later_and_must_answer() {
    let origin = Origin::always(OK);
    let connector = Together(AtomicUsize::new(20), Mutex::default(), origin.address);
    let stage = Stage::with(|builder| builder.connector(connector).event_loops(2));
    let mut crowd: Vec<Client> = (0..20).map(|_| stage.client()).collect();
    for client in &mut crowd {
        client.send(get("a.test", &origin));
    }
    for client in &mut crowd {
        assert_eq!(client.answer().text(), "ok");
    }
    for _ in 0..20 {
        assert_eq!(stage.outcome(), (Some(200), None));
    }
    assert_eq!(stage.client().send(get("dropped.test", &origin)).answer().status, 500);
    assert_eq!(stage.outcome(), (Some(500), Some(Reason::ConnectorFailed)));
}

/// Plans these addresses, whatever is asked for.
struct To(Arc<[SocketAddr]>);

impl UpstreamConnector for To {
    fn fast(&self, _: &Destination<'_>) -> Option<Result<Dialing, ConnectError>> {
        Some(Ok(Dialing::addresses(self.0.to_vec())))
    }

    fn plan(&self, _: &Destination<'_>) -> Result<Dialing, ConnectError> {
        unreachable!("fast() answers")
    }
}

// Elsewhere a full backlog refuses.
#[cfg(target_os = "linux")]
#[test]
fn an_address_that_does_not_answer_is_overtaken_by_the_next_one() {
    let (crowd, nobody) = (support::Crowd::new(), support::Nobody::listens());
    let origin = Origin::always(OK);
    let connector = To([crowd.address, nobody.address, crowd.address, origin.address].into());
    let patient = timeouts(|timeouts| {
        timeouts.connect = PATIENCE;
        timeouts.connect_stagger = Duration::from_millis(10);
    });
    let stage = Stage::with(|builder| builder.connector(connector).timeouts(patient));
    assert_eq!(stage.client().send(get("a.test", &origin)).answer().text(), "ok");
    let record = stage.closed();
    let record = record.as_record();
    assert_eq!((record.upstream, record.attempts), (Some(origin.address), 1));
}
