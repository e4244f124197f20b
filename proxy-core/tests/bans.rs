//! Clients that are kept out for a while.

mod support;

use std::time::Duration;

use proxy_core::{
    Action, BanPolicy, Cause, ConnectionHandler, Exchange, ForwardHandler, Limits, Network,
    Offence, Reason, Threshold,
};
use support::{Client, Origin, Stage};

const MINUTE: Duration = Duration::from_secs(60);
const MALFORMED: &str = "GET / HTTP/9.9\r\n\r\n";

fn network(text: &str) -> Network {
    text.parse().unwrap()
}

fn loopback() -> Network {
    network("127.0.0.1")
}

fn hello() -> Origin {
    Origin::new(|visit| {
        while visit.head().is_some() {
            visit.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
        }
    })
}

fn get(client: &mut Client, origin: &Origin) -> u16 {
    let address = origin.address;
    client.send(format!("GET http://{address}/ HTTP/1.1\r\nHost: {address}\r\n\r\n"));
    client.answer().status
}

/// Refuses `/no`.
struct SayNo;

impl ConnectionHandler for SayNo {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        match exchange.request().path() {
            "/no" => Action::Reject(Reason::Denied),
            _ => ForwardHandler.request(exchange),
        }
    }
}

/// Whether a client that comes now is turned away without a word.
fn is_turned_away(stage: &Stage) -> bool {
    let before = stage.handle().bans().turned_away();
    let mut client = stage.client();
    // Whoever is served is told that this is no request.
    client.say("x\r\n\r\n");
    let is_silent = client.try_answer().is_err();
    assert_eq!(is_silent, stage.handle().bans().turned_away() > before);
    is_silent
}

#[test]
fn too_many_malformed_requests_are_a_ban() {
    let policy = BanPolicy::default().after(Offence::Malformed, Threshold::new(3, MINUTE));
    let stage = Stage::with(|builder| builder.ban_policy(policy));
    for _ in 0..3 {
        assert!(stage.handle().bans().list().is_empty());
        assert_eq!(stage.client().send(MALFORMED).answer().status, 505);
        assert_eq!(stage.closed().as_record().reason, Some(Reason::UnsupportedVersion));
    }
    let [ban] = stage.handle().bans().list()[..] else { panic!("one ban") };
    assert_eq!(ban.network, loopback());
    assert_eq!((ban.times, ban.cause), (1, Cause::Offence(Offence::Malformed)));
    assert!(is_turned_away(&stage));
    assert!(stage.handle().bans().lift(loopback()));
    assert!(!is_turned_away(&stage));
}

#[test]
fn too_many_refusals_are_a_ban_and_answers_are_none() {
    let origin = hello();
    let policy = BanPolicy::default().after(Offence::Refused, Threshold::new(2, MINUTE));
    let stage = Stage::with(|builder| builder.ban_policy(policy).handler(SayNo));
    let mut client = stage.client();
    for _ in 0..10 {
        assert_eq!(get(&mut client, &origin), 200);
    }
    for _ in 0..2 {
        client.send("GET http://h/no HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(client.answer().status, 403);
    }
    // It has been banned since it came: it is told so, once.
    assert_eq!(get(&mut client, &origin), 403);
    client.expect_end();
    assert!(is_turned_away(&stage));
    let records = stage.finish();
    assert_eq!(records.last().unwrap().as_record().reason, Some(Reason::Banned));
}

#[test]
fn one_who_is_on_a_connection_is_told_and_the_others_are_not() {
    let origin = hello();
    let stage = Stage::forward();
    let mut client = stage.client();
    assert_eq!(get(&mut client, &origin), 200);
    stage.handle().bans().ban(network("192.0.2.0/24"), MINUTE);
    assert_eq!(get(&mut client, &origin), 200);
    stage.handle().bans().ban(network("127.0.0.0/8"), MINUTE);
    assert_eq!(get(&mut client, &origin), 403);
    client.expect_end();
}

#[test]
fn bans_outlast_a_reload_and_follow_its_policy() {
    let mut stage = Stage::forward();
    stage.handle().bans().ban(loopback(), MINUTE);
    let mut policy = BanPolicy::default();
    policy.always = vec![network("127.0.0.0/8")];
    stage.reload(|builder| builder.ban_policy(policy.clone()));
    assert!(is_turned_away(&stage));
    stage.handle().bans().lift(loopback());
    assert!(is_turned_away(&stage), "for good");
    policy.never = vec![loopback()];
    stage.reload(|builder| builder.ban_policy(policy));
    assert!(!is_turned_away(&stage));
}

#[test]
fn what_a_handler_reports_is_an_offence() {
    let policy = BanPolicy::default().after(Offence::FailedLogin, Threshold::new(2, MINUTE));
    let stage = Stage::with(|builder| builder.ban_policy(policy));
    let client = "127.0.0.1".parse().unwrap();
    assert!(!stage.handle().bans().report(client, Offence::FailedLogin));
    assert!(!is_turned_away(&stage));
    assert!(stage.handle().bans().report(client, Offence::FailedLogin));
    assert!(is_turned_away(&stage));
}

#[test]
fn a_banned_client_takes_no_place_of_others() {
    let origin = hello();
    let policy = BanPolicy::default().after(Offence::RateExceeded, Threshold::new(1, MINUTE));
    let mut limits = Limits::default();
    (limits.connections, limits.connections_per_client) = (4, 1);
    let stage = Stage::with(|builder| builder.ban_policy(policy).limits(limits));
    let mut first = stage.client();
    assert_eq!(get(&mut first, &origin), 200);
    assert_eq!(stage.client().answer().status, 503);
    // It has asked for more than it may have: now it gets nothing, however often it comes.
    for _ in 0..20 {
        assert!(is_turned_away(&stage));
    }
    assert_eq!(stage.handle().bans().turned_away(), 20);
    assert_eq!(get(&mut first, &origin), 403);
}
