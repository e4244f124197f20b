//! Throttles of users who have logged in: whose count it is, through keep-alive, tunnels and several
//! connections.

mod support;

use std::time::Duration;

use proxy_core::throttle::{Allowance, Members, Rate, Scope, Throttle, Volume};
use proxy_core::{AuthHandler, Authentication, Authenticator, Login, Reason, User};
use support::{Client, Origin, Stage};

const NOTHING: &str = "HTTP/1.1 204 No Content\r\n\r\n";
/// `ann:right`, of the staff.
const ANN: &str = "Basic YW5uOnJpZ2h0";
/// `bob:right`, a guest.
const BOB: &str = "Basic Ym9iOnJpZ2h0";

struct Right;

impl Authenticator for Right {
    fn check(&self, login: &Login<'_>) -> Authentication {
        let mut user = User::new(login.user);
        user.groups = vec![if login.user == "ann" { "staff" } else { "guests" }.to_owned()];
        match login.password.expose() {
            "right" => Authentication::Accepted(user),
            _ => Authentication::Rejected,
        }
    }
}

/// Who comes from here need not say who they are, but can.
fn stage(throttles: impl IntoIterator<Item = Throttle>) -> Stage {
    let handler = AuthHandler::new(Right).sparing(["127.0.0.0/8".parse().unwrap()]);
    Stage::with(|builder| builder.handler(handler).throttles(throttles))
}

fn of_users(allowance: Allowance) -> Throttle {
    Throttle::new("own", Scope::User, allowance)
}

/// So many, and no test lasts so long that another one would come.
fn only(requests: u64) -> Allowance {
    Allowance::Requests(Rate::new(requests, Duration::from_secs(36_000)).with_burst(requests))
}

fn guests() -> Members {
    let mut guests = Members::default();
    guests.groups = vec!["guests".to_owned()];
    guests
}

fn by(request: &str, credentials: &str) -> String {
    request.replacen("\r\n\r\n", &format!("\r\nProxy-Authorization: {credentials}\r\n\r\n"), 1)
}

fn ask(client: &mut Client, origin: &Origin, credentials: &str) -> u16 {
    client.send(by(&origin.get("/"), credentials)).answer().status
}

fn connect(origin: &Origin, credentials: &str) -> String {
    by(&format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", origin.address), credentials)
}

#[test]
fn a_user_has_one_count_on_all_connections_and_others_have_their_own() {
    let origin = Origin::always(NOTHING);
    let stage = stage([of_users(only(3))]);
    let (mut one, mut other) = (stage.client(), stage.client());
    assert_eq!([ask(&mut one, &origin, ANN), ask(&mut one, &origin, ANN)], [204, 204]);
    assert_eq!([ask(&mut other, &origin, ANN), ask(&mut other, &origin, ANN)], [204, 429]);
    // The same connection, and somebody else.
    assert_eq!(ask(&mut one, &origin, BOB), 204);
    assert_eq!(ask(&mut one, &origin, ANN), 429);
    // Nobody in particular.
    for _ in 0..5 {
        assert_eq!(one.send(origin.get("/")).answer().status, 204);
    }
    assert_eq!(stage.client().send(connect(&origin, ANN)).answer().status, 429);
    let states = stage.handle().throttles().states();
    assert_eq!((states[0].over, states[0].entries), (3, 2));
    for _ in 0..3 {
        drop(stage.closed());
    }
    let refused = stage.closed();
    let refused = refused.as_record();
    assert_eq!((refused.reason, refused.user), (Some(Reason::RateLimited), Some("ann")));
    assert_eq!(refused.rule, Some("own"));
}

#[test]
fn a_user_has_so_many_requests_and_tunnels_at_once() {
    let holder = Origin::new(|visit| drop(visit.rest()));
    let origin = Origin::always(NOTHING);
    let stage = stage([of_users(Allowance::Connections(1))]);
    let mut tunnel = stage.client();
    assert!(tunnel.send(connect(&holder, ANN)).head().starts_with("HTTP/1.1 200"));
    let mut client = stage.client();
    assert_eq!(ask(&mut client, &origin, ANN), 429);
    assert_eq!(ask(&mut client, &origin, BOB), 204);
    // One after the other is one at a time, however many connections are open meanwhile.
    assert_eq!(ask(&mut stage.client(), &origin, BOB), 204);
    tunnel.end().expect_end();
    stage.settle();
    assert_eq!(ask(&mut client, &origin, ANN), 204);
}

#[test]
fn what_goes_through_tunnels_is_the_users_and_a_tunnel_ends_with_the_volume() {
    let holder = Origin::new(|visit| drop(visit.rest()));
    let origin = Origin::always(NOTHING);
    let stage = stage([of_users(Allowance::Volume(Volume::monthly(1000)))]);
    let mut tunnel = stage.client();
    assert!(tunnel.send(connect(&holder, ANN)).head().starts_with("HTTP/1.1 200"));
    assert_eq!(stage.record().as_record().reason, None, "it is open");
    tunnel.send("x".repeat(1000));
    tunnel.expect_reset();
    let closed = stage.closed();
    let closed = closed.as_record();
    assert_eq!((closed.reason, closed.user), (Some(Reason::QuotaExceeded), Some("ann")));
    let mut client = stage.client();
    assert_eq!(ask(&mut client, &origin, ANN), 429);
    assert_eq!(ask(&mut client, &origin, BOB), 204);
    // Bytes are counted when they have been passed on, and the record comes behind that.
    assert_eq!([stage.outcome().0, stage.outcome().0], [Some(429), Some(204)]);
    let usage = stage.handle().throttles().usage();
    let whose: Vec<_> = usage.iter().map(|used| used.whose()).collect();
    assert!(whose.contains(&"ann".to_owned()) && whose.contains(&"bob".to_owned()), "{whose:?}");
}

#[test]
fn a_throttle_can_be_about_some_users_only() {
    let origin = Origin::always(NOTHING);
    let mut named = Members::default();
    named.users = vec!["ann".to_owned()];
    let stage = stage([
        of_users(only(1)).only_for(guests()),
        Throttle::new("named", Scope::User, only(2)).only_for(named),
    ]);
    let mut client = stage.client();
    let mut asks = |who| [(); 3].map(|()| ask(&mut client, &origin, who));
    assert_eq!(asks(BOB), [204, 429, 429]);
    assert_eq!(asks(ANN), [204, 204, 429]);
    let rules: Vec<_> =
        (0..6).map(|_| stage.closed().as_record().rule.map(str::to_owned)).collect();
    let [own, named] = ["own", "named"].map(|name| Some(name.to_owned()));
    assert_eq!(rules, [None, own.clone(), own, None, None, named]);
}
