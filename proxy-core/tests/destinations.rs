//! Where the proxy makes no connections to, and whom it does not serve. Looked at is the address
//! that is dialled, whatever it was found by.

mod support;

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use proxy_core::{
    Action, AddressClass, ConnectError, ConnectPorts, ConnectionHandler, Destination,
    DestinationGuard, Destinations, Dialing, DirectConnector, Exchange, Limits, Plan, ProxyBuilder,
    Reason, Resolve, UpstreamConnector, Vouched,
};
use support::{Origin, PATIENCE, Stage, timeouts};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn get(authority: &str) -> String {
    format!("GET http://{authority}/ HTTP/1.1\r\nHost: {authority}\r\n\r\n")
}

fn connect(authority: &str) -> String {
    format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n")
}

/// As if it could be reached from anywhere, which tests must not open.
fn exposed(builder: ProxyBuilder) -> ProxyBuilder {
    builder.guard(|_| DestinationGuard::beyond_loopback())
}

/// Expects to be refused for where it leads to, and that a new client is served after it.
#[track_caller]
fn is_refused(stage: &Stage, request: &str, reason: Reason) {
    let answer = stage.client().send(request).answer();
    assert_eq!(answer.status, 403, "{request}");
    let told = format!("details=\"{reason}\"");
    assert!(answer.field("proxy-status").unwrap().ends_with(&told), "{request}");
    assert_eq!(stage.outcome(), (Some(403), Some(reason)), "{request}");
}

/// Leads every name to these addresses, one after the other, and stays with the last.
struct Rebinding {
    answers: Vec<Vec<SocketAddr>>,
    asked: Arc<AtomicUsize>,
}

impl Rebinding {
    fn to(answers: Vec<Vec<SocketAddr>>) -> (Rebinding, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        (Rebinding { answers, asked: Arc::clone(&asked) }, asked)
    }
}

impl Resolve for Rebinding {
    fn resolve(&self, _: &str) -> io::Result<Vec<SocketAddr>> {
        let time = self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(self.answers[time.min(self.answers.len() - 1)].clone())
    }
}

fn allowing(address: IpAddr) -> impl FnOnce(DestinationGuard) -> DestinationGuard {
    let network: Destinations = address.to_string().parse().unwrap();
    move |_| DestinationGuard::beyond_loopback().allow(network)
}

/// A listener on another loopback address than 127.0.0.1, which not every system has.
fn another_loopback() -> Option<(TcpListener, IpAddr)> {
    let listener = TcpListener::bind("127.0.0.2:0").ok()?;
    let ip = listener.local_addr().unwrap().ip();
    Some((listener, ip))
}

#[test]
fn on_loopback_the_secrets_of_clouds_and_link_local_addresses_are_out_of_reach() {
    let stage = Stage::forward();
    for host in [
        "169.254.169.254",
        "169.254.0.1",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "100.100.100.200",
        "[::ffff:169.254.169.254]",
        "[::169.254.169.254]",
        "[64:ff9b::169.254.169.254]",
        "[2002:a9fe:a9fe::1]",
        "[2001:0:a9fe:a9fe::1]",
    ] {
        is_refused(&stage, &get(host), Reason::DestinationNotAllowed);
        is_refused(&stage, &get(&format!("{host}:8080")), Reason::DestinationNotAllowed);
        is_refused(&stage, &connect(&format!("{host}:443")), Reason::DestinationNotAllowed);
    }
    stage.survives();
}

#[test]
fn beyond_loopback_there_is_no_way_inside() {
    let origin = Origin::always(OK);
    let port = origin.address.port();
    let stage = Stage::with(exposed);
    for host in [
        "127.0.0.1",
        "localhost",
        "LOCALHOST.",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "[fd00::1]",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "198.18.0.1",
        // What the system's resolver takes for an address, though no RFC does.
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
    ] {
        let authority = format!("{host}:{port}");
        // A name that is none may be unknown instead: it leads nowhere in any case.
        let answer = stage.client().send(get(&authority)).answer();
        let (_, reason) = stage.outcome();
        let is_name = !host.starts_with('[') && host.parse::<IpAddr>().is_err();
        match reason {
            Some(Reason::DestinationNotAllowed) => assert_eq!(answer.status, 403, "{host}"),
            Some(Reason::DnsFailed) if is_name => assert_eq!(answer.status, 502, "{host}"),
            other => panic!("{host}: {other:?}"),
        }
    }
    is_refused(&stage, &connect(&origin.address.to_string()), Reason::DestinationNotAllowed);
    assert_eq!(origin.visits(), 0);
    assert_eq!(stage.finish(), []);
}

#[test]
fn a_name_with_a_good_and_a_bad_address_leads_to_the_good_one_only() {
    let Some((_listener, good)) = another_loopback() else { return };
    let inside = Origin::always(OK);
    let addresses = vec![SocketAddr::new(good, 0), inside.address];
    let (resolver, _) = Rebinding::to(vec![addresses]);
    let stage = Stage::with(|builder| {
        builder.guard(allowing(good)).connector(DirectConnector::with_resolver(resolver))
    });
    // Nobody listens at the good address on this port: the bad one would answer.
    let authority = format!("both.test:{}", inside.address.port());
    assert_eq!(stage.client().send(get(&authority)).answer().status, 502);
    assert_eq!(stage.outcome(), (Some(502), Some(Reason::ConnectRefused)));
    assert_eq!(inside.visits(), 0);
}

#[test]
fn a_name_that_leads_outside_first_and_inside_next_gains_nothing() {
    let Some((listener, good)) = another_loopback() else { return };
    // One on each, with the same port: the name alone decides.
    let port = listener.local_addr().unwrap().port();
    let Ok(inside) = TcpListener::bind(("127.0.0.1", port)) else { return };
    let inside = Origin::on(inside, |visit| {
        visit.send(OK);
    });
    // It answers once. Then its connection goes stale, which sends the proxy to the resolver
    // again, for the same request.
    let outside = Origin::on(listener, |visit| {
        visit.head();
        visit.send(OK);
        visit.head();
    });
    let (resolver, asked) = Rebinding::to(vec![
        vec![SocketAddr::new(good, 0)],
        vec![SocketAddr::from(([127, 0, 0, 1], 0))],
    ]);
    let stage = Stage::with(|builder| {
        let limits = Default::default();
        let forgetful = timeouts(|timeouts| timeouts.name_ttl = std::time::Duration::ZERO);
        let connector = DirectConnector::with_resolver(resolver).with_settings(&limits, &forgetful);
        builder.guard(allowing(good)).connector(connector)
    });
    let request = get(&format!("rebinding.test:{port}"));
    let mut client = stage.client();
    assert_eq!(client.send(&request).answer().text(), "ok");
    assert_eq!(client.send(&request).answer().status, 403);
    assert_eq!(stage.outcome(), (Some(200), None));
    assert_eq!(stage.outcome(), (Some(403), Some(Reason::DestinationNotAllowed)));
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert_eq!((outside.visits(), inside.visits()), (1, 0));
}

#[test]
fn what_is_allowed_is_reached_and_what_is_denied_is_not() {
    let origin = Origin::always(OK);
    let loopback: Destinations = AddressClass::Loopback.into();
    let allowing = Stage::with(|builder| {
        builder.guard(move |_| DestinationGuard::beyond_loopback().allow(loopback))
    });
    assert_eq!(allowing.client().send(origin.get("/")).answer().text(), "ok");
    let denying = Stage::with(|builder| builder.guard(move |default| default.deny(loopback)));
    is_refused(&denying, &origin.get("/"), Reason::DestinationNotAllowed);
    assert_eq!(origin.visits(), 1);
}

/// Brings connections of its own, or addresses, and vouches or not.
struct Brings {
    to: SocketAddr,
    vouches: bool,
}

impl UpstreamConnector for Brings {
    fn plan(&self, to: &Destination<'_>) -> Result<Dialing, ConnectError> {
        let why = || Vouched::because("it is a test");
        Ok(match to.host() {
            "socket.test" => Dialing::connected(TcpStream::connect(self.to).unwrap(), why()),
            _ if self.vouches => Dialing::vouched_addresses([self.to], why()),
            _ => Dialing::addresses([self.to]),
        })
    }
}

#[test]
fn every_connector_is_guarded_unless_it_vouches() {
    let origin = Origin::always(OK);
    for vouches in [true, false] {
        let stage = Stage::with(|builder| {
            exposed(builder).connector(Brings { to: origin.address, vouches })
        });
        if vouches {
            assert_eq!(stage.client().send(get("addresses.test")).answer().text(), "ok");
        } else {
            is_refused(&stage, &get("addresses.test"), Reason::DestinationNotAllowed);
            is_refused(&stage, &connect("addresses.test:443"), Reason::DestinationNotAllowed);
        }
        assert_eq!(stage.client().send(get("socket.test")).answer().text(), "ok");
    }
}

#[test]
fn no_connector_leads_back_to_the_proxy() {
    struct Back(Arc<OnceLock<SocketAddr>>);

    impl UpstreamConnector for Back {
        fn plan(&self, to: &Destination<'_>) -> Result<Dialing, ConnectError> {
            Brings { to: *self.0.wait(), vouches: true }.plan(to)
        }
    }

    let own = Arc::new(OnceLock::new());
    let stage = Stage::with(|builder| builder.connector(Back(Arc::clone(&own))));
    own.set(stage.address).unwrap();
    for host in ["socket.test", "addresses.test"] {
        assert_eq!(stage.client().send(get(host)).answer().status, 508, "{host}");
    }
}

/// Chooses an upstream for some hosts itself.
struct Chooses(Arc<proxy_core::Authority>);

impl ConnectionHandler for Chooses {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        let plan = Plan::to(Arc::clone(&self.0));
        match exchange.request().host() {
            "vouched.test" => Action::Forward(plan.vouched()),
            "chosen.test" => Action::Forward(plan),
            _ => Action::forward(),
        }
    }
}

#[test]
fn a_connection_that_was_vouched_for_is_not_used_by_those_that_are_guarded() {
    let origin = Origin::always(OK);
    let upstream = Arc::new(origin.address.to_string().parse().unwrap());
    let stage = Stage::with(|builder| exposed(builder).handler(Chooses(upstream)));
    let mut client = stage.client();
    for _ in 0..2 {
        assert_eq!(client.send(get("vouched.test")).answer().text(), "ok");
        stage.outcome();
        // An idle connection to this very upstream is there by now.
        is_refused(&stage, &get("chosen.test"), Reason::DestinationNotAllowed);
        is_refused(&stage, &origin.get("/"), Reason::DestinationNotAllowed);
    }
    assert_eq!(origin.visits(), 1);
}

#[test]
fn tunnels_lead_to_permitted_ports_only() {
    let origin = Origin::always(OK);
    let address = origin.address;
    let stage = Stage::with(|builder| builder.connect_ports(ConnectPorts::https()));
    is_refused(&stage, &connect(&address.to_string()), Reason::PortNotAllowed);
    is_refused(&stage, &connect("mail.test:25"), Reason::PortNotAllowed);
    // Other requests are not bound to them.
    assert_eq!(stage.client().send(origin.get("/")).answer().text(), "ok");
    let port = address.port().to_string().parse().unwrap();
    let stage = Stage::with(|builder| builder.connect_ports(ConnectPorts::only([port])));
    let mut client = stage.client();
    client.send(connect(&address.to_string()));
    assert!(client.head().starts_with("HTTP/1.1 200 "));
    assert_eq!(client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").answer().text(), "ok");
}

#[test]
fn who_is_not_served_is_told_so_at_once() {
    let stage = Stage::with(|builder| builder.allow_clients(["192.0.2.0/24".parse().unwrap()]));
    let mut client = stage.client();
    let answer = client.answer();
    assert_eq!((answer.status, answer.field("connection")), (403, Some("close")));
    assert!(answer.text().contains("\nreason: client_not_allowed\n"), "{}", answer.text());
    client.expect_end();
    assert_eq!(stage.outcome(), (Some(403), Some(Reason::ClientNotAllowed)));
    let stage = Stage::with(|builder| builder.allow_clients(["127.0.0.0/8".parse().unwrap()]));
    stage.survives();
}

#[test]
fn who_is_not_served_does_not_take_the_seats_of_others() {
    let mut limits = Limits::default();
    limits.connections = 4;
    // Whoever stays after the answer would keep a seat for longer than this test waits.
    let timeouts = timeouts(|timeouts| timeouts.linger = 2 * PATIENCE);
    let stage = Stage::with(|builder| {
        builder.allow_clients(["192.0.2.0/24".parse().unwrap()]).limits(limits).timeouts(timeouts)
    });
    let staying: Vec<_> = (0..10)
        .map(|_| {
            let mut client = stage.client();
            assert_eq!(client.answer().status, 403);
            client
        })
        .collect();
    drop(staying);
    assert_eq!(stage.finish().len(), 10);
}
