//! What a proxy counts, and what it tells of it: as numbers, and as text.
//!
//! (That each exchange counts once, whatever becomes of it, is asserted at the end of every story
//! there is: see `Stage::expect_counted`.)

mod support;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use proxy_core::metrics::{
    FAMILIES, FamilyKind, MethodLabel, Metrics, Snapshot, StatusClass, Traffic,
};
use proxy_core::throttle::{Allowance, Rate, Scope, Throttle};
use proxy_core::{
    Action, ConnectionHandler, Exchange, ForwardHandler, NoLog, Proxy, Reason, Response,
};
use support::{Nobody, Origin, PATIENCE, Slow, Stage, until};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn snapshot(stage: &Stage) -> Snapshot {
    stage.handle().metrics().snapshot()
}

fn traffic(stage: &Stage) -> Traffic {
    snapshot(stage).traffic.expect("metrics are on")
}

#[test]
fn exchanges_count_by_method_status_and_reason_and_each_phase_where_it_took_place() {
    let stage = Stage::forward();
    let origin = Origin::always(OK);
    let mut client = stage.client();
    for _ in 0..2 {
        assert_eq!(client.send(origin.get("/")).answer().status, 200);
    }
    let nobody = Nobody::listens();
    let refused = format!("PROPFIND http://{0}/ HTTP/1.1\r\nHost: {0}\r\n\r\n", nobody.address);
    assert_eq!(client.send(refused).answer().status, 502);
    let delete = format!("DELETE {} HTTP/1.1\r\nHost: x\r\n\r\n", origin.url("/"));
    assert_eq!(client.send(delete).answer().status, 200);
    assert_eq!(client.send("nonsense\r\n\r\n").answer().status, 400);
    until(&stage, |all| all.leaving_clients == 1);

    let traffic = traffic(&stage);
    let requests: Vec<_> = traffic.requests.iter().filter(|(_, _, count)| *count > 0).collect();
    assert_eq!(
        requests,
        [
            (MethodLabel::Get, StatusClass::Successful, 2),
            (MethodLabel::Delete, StatusClass::Successful, 1),
            (MethodLabel::Other, StatusClass::ServerError, 1),
            (MethodLabel::None, StatusClass::ClientError, 1),
        ]
    );
    let reasons: Vec<_> = traffic.reasons.iter().filter(|(_, count)| *count > 0).collect();
    assert_eq!(reasons, [(Reason::BadRequestLine, 1), (Reason::ConnectRefused, 1)]);
    assert_eq!(traffic.bytes_in, 0);
    assert_eq!((traffic.duration.count(), traffic.first_byte.count()), (5, 3));
    // All that were understood looked for an upstream; two of them had to dial.
    assert_eq!((traffic.wait.count(), traffic.connect.count(), traffic.resolve.count()), (4, 2, 0));
    assert_eq!((traffic.upstreams_opened, traffic.upstreams_reused), (1, 2));
    assert_eq!((traffic.accepted, traffic.refused, traffic.closed), (1, 0, 0));
    assert_eq!((traffic.tunnels_opened, traffic.records), (0, 5));
}

#[test]
fn connections_are_told_by_what_they_do_and_bytes_of_tunnels_as_they_go_by() {
    let stage = Stage::limited(8, 8, PATIENCE);
    let _idle = stage.client();
    let mut half = stage.client();
    half.send("GET http://a.test/ HT");
    let slow = Slow::new();
    let mut waiting = slow.asks(&stage, "/");
    slow.next();
    let upload = Origin::new(|visit| {
        visit.head();
        let _ = visit.rest();
    });
    let mut relaying = stage.client();
    relaying.send(format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf",
        upload.url("/")
    ));
    let echo = Origin::new(|visit| {
        assert_eq!(visit.bytes(4), b"ping");
        visit.send("pong!");
        let _ = visit.rest();
    });
    let mut tunnel = stage.client();
    tunnel.send(format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", echo.address)).head();
    assert_eq!(tunnel.send("ping").bytes(5), b"pong!");
    until(&stage, |all| {
        (all.idle_clients, all.reading_clients, all.waiting_clients, all.relaying_clients)
            == (1, 1, 1, 1)
            && (all.tunnels, all.busy_clients, all.buffers) == (1, 3, 1)
    });

    let now = snapshot(&stage);
    let held = now.holdings;
    assert_eq!((held.loops, held.held_up, held.open), (1, 0, 5));
    assert_eq!((held.idle, held.reading, held.waiting, held.relaying), (1, 1, 1, 1));
    assert_eq!((held.tunnels, held.taken_over, held.leaving), (1, 0, 0));
    assert_eq!((held.upstreams_busy, held.upstreams_idle, held.places), (3, 0, 3));
    assert_eq!((held.buffers, held.buffered_bytes), (1, "GET http://a.test/ HT".len()));
    let traffic = now.traffic.unwrap();
    assert_eq!(traffic.requests.total(), 0, "nothing is over");
    assert_eq!((traffic.bytes_in, traffic.bytes_out), (4 + 4, 5), "and yet bytes have gone by");
    assert_eq!((traffic.tunnels_opened, traffic.records), (1, 1));
    assert!(now.loops[0].wakes > 0);

    slow.answer(OK);
    assert_eq!(waiting.answer().text(), "ok");
    drop((half, waiting, relaying));
    tunnel.end().expect_end();
    stage.finish();
}

#[test]
fn loops_count_apart_and_are_told_of_together() {
    let stage = Stage::with(|builder| builder.event_loops(2));
    let origin = Origin::always(OK);
    // Each goes to the loop that has the fewest: both have some.
    let mut clients: Vec<_> = (0..6).map(|_| stage.client()).collect();
    for client in &mut clients {
        assert_eq!(client.send(origin.get("/")).answer().text(), "ok");
    }
    let now = snapshot(&stage);
    let traffic = now.traffic.unwrap();
    assert_eq!((traffic.requests.total(), traffic.bytes_out, traffic.accepted), (6, 12, 6));
    assert_eq!((now.holdings.loops, now.loops.len(), now.holdings.idle), (2, 2, 6));
    assert!(now.loops.iter().all(|work| work.wakes > 0), "{:?}", now.loops);
    drop(clients);
    stage.finish();
}

#[test]
fn where_they_are_off_nothing_is_counted_and_what_there_is_is_told_nevertheless() {
    let stage = Stage::with(|builder| builder.metrics(false));
    let origin = Origin::always(OK);
    let mut client = stage.client();
    assert_eq!(client.send(origin.get("/")).answer().text(), "ok");
    let now = snapshot(&stage);
    assert_eq!((now.traffic, now.loops.len(), now.log_queued), (None, 0, None));
    assert_eq!((now.holdings.open, now.holdings.idle), (1, 1));
    let text = stage.handle().metrics().prometheus();
    assert!(!text.contains("proxy_requests_total") && text.contains("proxy_connections_open 1\n"));
    let (comment, told) = text.split_once('\n').unwrap();
    assert!(comment.starts_with("# Metrics are off: "), "{comment}");
    families(told);
}

#[test]
fn who_is_served_most_is_told_where_that_is_asked_for_also_without_a_log() {
    let origin = Origin::always(OK);
    let proxy = Proxy::builder()
        .listen("127.0.0.1:0")
        .event_loops(1)
        .logger(NoLog)
        .metrics_top(2)
        .start()
        .unwrap();
    let metrics = proxy.metrics();
    let mut client = support::Client::connect(proxy.local_addrs()[0]);
    for _ in 0..3 {
        assert_eq!(client.send(origin.get("/")).answer().text(), "ok");
    }
    drop(client);
    let log = proxy.shutdown(PATIENCE).log;
    assert_eq!(log.logged, 3, "records are made for it");
    let top = metrics.snapshot().top.unwrap();
    assert_eq!(top.hosts.requests.entries, [("127.0.0.1".to_owned(), 3)]);
    let clients = top.clients.unwrap();
    assert_eq!(clients.bytes.entries, [("127.0.0.1".to_owned(), 6)]);
    assert_eq!((top.users.requests.entries.len(), top.hosts.requests.other), (0, 0));
    let text = metrics.prometheus();
    assert!(text.contains("proxy_host_requests{host=\"127.0.0.1\"} 3\n"), "{text}");
    assert!(text.contains("proxy_host_requests{host=\"other\"} 0\n"), "{text}");

    let unnamed = Stage::forward();
    assert_eq!(unnamed.client().send(origin.get("/")).answer().text(), "ok");
    assert_eq!(snapshot(&unnamed).top, None);
    assert!(!unnamed.handle().metrics().prometheus().contains("127.0.0.1"));
}

#[test]
fn they_outlive_their_proxy_and_then_say_what_it_has_done() {
    let mut stage = Stage::forward();
    let origin = Origin::always(OK);
    assert_eq!(stage.client().send(origin.get("/")).answer().text(), "ok");
    let metrics = stage.handle().metrics();
    drop(stage.take_handle());
    let now = metrics.clone().snapshot();
    assert_eq!(now.traffic.unwrap().requests.total(), 1);
    assert_eq!((now.holdings.open, now.holdings.loops, now.log.logged), (0, 0, 1));
    families(&metrics.prometheus());
}

#[test]
fn a_reload_with_another_logger_leaves_all_counts_as_they_are() {
    let origin = Origin::always(OK);
    let builder = || Proxy::builder().event_loops(1).metrics_top(1);
    let mut proxy = builder().listen("127.0.0.1:0").start().unwrap();
    let metrics = proxy.metrics();
    let mut client = support::Client::connect(proxy.local_addrs()[0]);
    for _ in 0..2 {
        assert_eq!(client.send(origin.get("/")).answer().text(), "ok");
        let report = proxy.reload(builder().logger(NoLog)).unwrap();
        assert!(report.need_restart.is_empty());
    }
    proxy.reload(builder().metrics_clients(false)).unwrap();
    drop(client);
    proxy.shutdown(PATIENCE);
    let now = metrics.snapshot();
    assert_eq!(now.top.as_ref().unwrap().clients, None);
    assert!(!now.prometheus().contains("proxy_client_"));
    assert_eq!(now.traffic.unwrap().requests.total(), 2);
    assert_eq!(now.top.unwrap().hosts.requests.entries, [("127.0.0.1".to_owned(), 2)]);
}

#[test]
fn a_handle_can_be_anywhere() {
    fn is<T: Clone + Send + Sync + 'static>() {}
    is::<Metrics>();
    is::<Snapshot>();
}

/// Asks for the numbers of its own proxy, on its own loop.
struct Curious(Arc<OnceLock<Metrics>>);

impl ConnectionHandler for Curious {
    fn request(&self, _: &mut Exchange<'_>) -> Action {
        let now = self.0.get().unwrap().snapshot();
        let held = now.holdings;
        Action::Respond(Response::new(200).with_body(format!(
            "{} {} {}",
            held.held_up,
            held.open,
            now.traffic.unwrap().accepted
        )))
    }
}

#[test]
fn a_loop_does_not_wait_for_itself() {
    let metrics = Arc::new(OnceLock::new());
    let stage = Stage::with(|builder| builder.handler(Curious(Arc::clone(&metrics))));
    metrics.set(stage.handle().metrics()).unwrap();
    let mut client = stage.client();
    let told = client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").answer();
    assert_eq!(told.text(), "1 1 1");
}

/// The samples of a text by the names of their families. Everything in it is as the format has it:
/// families once each and in order, with all labels that they have, and numbers behind them.
fn families(text: &str) -> BTreeMap<&'static str, Vec<&str>> {
    let (mut found, mut lines) = (BTreeMap::new(), text.lines().peekable());
    assert!(text.ends_with('\n'));
    let mut order = FAMILIES.iter();
    while let Some(help) = lines.next() {
        let (name, meaning) =
            help.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')).expect(help);
        let family = order.find(|family| family.name == name).expect("known, and in order");
        assert_eq!(meaning, family.help);
        assert_eq!(lines.next(), Some(&*format!("# TYPE {name} {}", family.kind.word())));
        let mut samples = Vec::new();
        while let Some(sample) = lines.next_if(|line| !line.starts_with('#')) {
            let (series, value) = sample.rsplit_once(' ').expect(sample);
            assert!(value.parse::<f64>().is_ok(), "{sample}");
            let (base, labels) = match series.split_once('{') {
                Some((base, labels)) => (base, labels.strip_suffix('}').expect(sample)),
                None => (series, ""),
            };
            if family.kind == FamilyKind::Histogram {
                assert!(base.starts_with(name), "{sample}");
            } else {
                assert_eq!(base, name);
                let named: Vec<_> = labels
                    .split("\",")
                    .filter(|label| !label.is_empty())
                    .map(|label| label.split_once("=\"").expect(sample).0)
                    .collect();
                assert_eq!(named, family.labels, "{sample}");
            }
            assert!(!samples.iter().any(|(other, _)| *other == series), "{series} twice");
            samples.push((series, sample));
        }
        assert!(!samples.is_empty(), "{name} has samples");
        found.insert(family.name, samples.into_iter().map(|(_, sample)| sample).collect());
    }
    found
}

#[test]
fn the_text_has_each_metric_that_is_documented_and_in_its_form() {
    let many = Rate::per_second(1 << 40);
    let throttle = Throttle::new("rate", Scope::client(), Allowance::Requests(many));
    let stage = Stage::with(|builder| builder.metrics_top(3).throttles([throttle]));
    let origin = Origin::always(OK);
    let named = format!(
        "GET http://localhost:{0}/ HTTP/1.1\r\nHost: localhost:{0}\r\n\r\n",
        origin.address.port()
    );
    let mut client = stage.client();
    for request in [origin.get("/"), named] {
        assert_eq!(client.send(request).answer().text(), "ok");
    }
    let text = stage.handle().metrics().prometheus();
    let found = families(&text);
    for family in FAMILIES {
        // Only Linux tells of processes.
        let is_due = cfg!(target_os = "linux") || !family.name.starts_with("process_");
        assert!(found.contains_key(family.name) || !is_due, "{} is missing", family.name);
    }
    for line in [
        "proxy_requests_total{method=\"GET\",status=\"2xx\"} 2",
        "proxy_failures_total{reason=\"dns_failed\",side=\"client\"} 0",
        "proxy_content_bytes_total{direction=\"out\"} 4",
        "proxy_request_duration_seconds_count 2",
        "proxy_request_resolve_seconds_count 1",
        "proxy_connections{state=\"idle\"} 1",
        "proxy_connections_refused_total{how=\"banned\"} 0",
        "proxy_event_loops{state=\"running\"} 1",
        "proxy_worker_jobs_total{lane=\"names\",outcome=\"refused\"} 0",
        "proxy_name_lookups_total{outcome=\"found\"} 1",
        "proxy_throttle_entries{throttle=\"rate\"} 1",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} is not in\n{text}");
    }
    drop(client);
    stage.finish();
}

#[test]
fn who_is_not_served_counts_by_how_it_was_told() {
    let stage = Stage::with(|builder| {
        builder.handler(ForwardHandler).allow_clients(["192.0.2.0/24".parse().unwrap()])
    });
    assert_eq!(stage.client().answer().status, 403);
    stage.handle().bans().ban("127.0.0.0/8".parse().unwrap(), PATIENCE);
    stage.client().expect_end();
    let now = snapshot(&stage);
    let traffic = now.traffic.as_ref().unwrap();
    assert_eq!((traffic.accepted, traffic.refused, traffic.closed), (0, 1, 0));
    assert_eq!((now.turned_away, now.bans), (1, 1));
    assert_eq!(traffic.reasons.get(Reason::ClientNotAllowed), 1);
    let text = now.prometheus();
    assert!(text.contains("proxy_connections_refused_total{how=\"answered\"} 1\n"), "{text}");
}
