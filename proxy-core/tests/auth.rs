//! Only those who say who they are: passwords asked for by a proxy and by a server.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use proxy_core::rules::{Denial, Rule, RuleSet, StatusRange, Verdict};
use proxy_core::{
    Action, AuthHandler, Authentication, Authenticator, BanPolicy, ConnectionHandler, Exchange,
    FixedUpstreamHandler, ForwardHandler, Login, LoginFailures, LoginPolicy, Offence, Reason,
    RulesHandler, Threshold, User,
};
use support::{Client, Origin, PATIENCE, Stage};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
/// `ann:right`
const ANN: &str = "Basic YW5uOnJpZ2h0";
/// `ann:wrong`
const WRONG: &str = "Basic YW5uOndyb25n";
/// `bob:right`
const BOB: &str = "Basic Ym9iOnJpZ2h0";

/// `cy:right`
const CY: &str = "Basic Y3k6cmlnaHQ=";

/// Takes the password `right` of anybody. Bob may come from and go to where no test does, and Cy is
/// of the staff.
#[derive(Default)]
struct Right {
    asked: AtomicUsize,
}

impl Authenticator for Right {
    fn check(&self, login: &Login<'_>) -> Authentication {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mut user = User::new(login.user);
        if login.user == "bob" {
            user.to = vec![".example.com".parse().unwrap()];
        }
        if login.user == "cy" {
            user.groups = vec!["staff".to_owned()];
        }
        match login.password.expose() {
            "right" => Authentication::Accepted(user),
            _ => Authentication::Rejected,
        }
    }
}

/// Everybody is answered at once, unless the policy of a test has it otherwise.
fn at_once() -> LoginPolicy {
    let mut policy = LoginPolicy::default();
    policy.longest_wait = Duration::ZERO;
    policy
}

fn handler() -> AuthHandler {
    AuthHandler::new(Right::default()).with_realm("the \"office\"").with_policy(at_once())
}

fn stage(handler: impl ConnectionHandler) -> Stage {
    Stage::with(|builder| builder.handler(handler))
}

/// A request with one more line.
fn with(request: &str, line: &str) -> String {
    request.replacen("\r\n\r\n", &format!("\r\n{line}\r\n\r\n"), 1)
}

fn as_user(request: &str, credentials: &str) -> String {
    with(request, &format!("Proxy-Authorization: {credentials}"))
}

/// Asks an origin that answers, and gives the status.
fn ask(client: &mut Client, origin: &Origin, credentials: &str) -> u16 {
    client.send(as_user(&origin.get("/"), credentials)).answer().status
}

#[test]
fn a_proxy_asks_with_407_and_passes_nothing_on_that_was_for_it() {
    let (origin, seen) = Origin::observed(OK);
    let stage = stage(handler());
    let mut client = stage.client();
    let answer = client.send(origin.get("/")).answer();
    assert_eq!(answer.status, 407);
    let challenge = r#"Basic realm="the \"office\"", charset="UTF-8""#;
    assert_eq!(answer.fields("proxy-authenticate"), [challenge]);
    assert!(answer.text().contains("proxy_authentication_required"));
    // The connection stays, and is served.
    let request = with(&as_user(&origin.get("/"), ANN), "Authorization: Basic b3RoZXI6eA==");
    assert_eq!(client.send(request).answer().text(), "ok");
    let head = seen.recv_timeout(PATIENCE).unwrap().to_ascii_lowercase();
    assert!(!head.contains("proxy-authorization"), "{head}");
    assert!(head.contains("authorization: basic b3roZxi6ea==".to_ascii_lowercase().as_str()));
    let asked = stage.closed();
    assert_eq!(asked.as_record().reason, Some(Reason::ProxyAuthenticationRequired));
    assert_eq!(asked.as_record().user, None);
    let served = stage.closed();
    assert_eq!((served.as_record().reason, served.as_record().user), (None, Some("ann")));
    assert!(served.as_record().client_reused);
}

#[test]
fn a_server_asks_with_401_and_passes_nothing_on_that_was_for_it() {
    let (origin, seen) = Origin::observed(OK);
    let upstream = origin.address.to_string().parse().unwrap();
    let stage = stage(handler().in_front_of(FixedUpstreamHandler::new(upstream)));
    let mut client = stage.client();
    let plain = "GET /a HTTP/1.1\r\nHost: a.test\r\n\r\n";
    let answer = client.send(plain).answer();
    assert_eq!(answer.status, 401);
    assert_eq!(answer.fields("www-authenticate").len(), 1);
    assert!(answer.fields("proxy-authenticate").is_empty());
    assert_eq!(client.send(with(plain, &format!("Authorization: {WRONG}"))).answer().status, 401);
    let answer = client.send(with(plain, &format!("aUTHORIZATION: {ANN}"))).answer();
    assert_eq!(answer.text(), "ok");
    let head = seen.recv_timeout(PATIENCE).unwrap().to_ascii_lowercase();
    assert!(!head.contains("authorization"), "{head}");
    let reasons: Vec<_> = (0..3).map(|_| stage.outcome().1).collect();
    let expected = [Some(Reason::AuthenticationRequired), Some(Reason::AuthenticationFailed), None];
    assert_eq!(reasons, expected);
}

#[test]
fn tunnels_need_a_password_too() {
    let origin = Origin::always(OK);
    let stage = stage(handler());
    let connect = format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", origin.address);
    let answer = stage.client().send(&connect).answer();
    assert_eq!((answer.status, answer.fields("proxy-authenticate").len()), (407, 1));
    assert_eq!(stage.client().send(as_user(&connect, WRONG)).answer().status, 407);
    let mut client = stage.client();
    assert!(client.send(as_user(&connect, ANN)).head().starts_with("HTTP/1.1 200 "));
    assert_eq!(client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").answer().text(), "ok");
    assert_eq!(stage.outcome(), (Some(407), Some(Reason::ProxyAuthenticationRequired)));
    assert_eq!(stage.outcome(), (Some(407), Some(Reason::ProxyAuthenticationFailed)));
    assert_eq!(stage.record().as_record().user, Some("ann"), "when it is opened");
}

#[test]
fn old_clients_are_asked_too() {
    let origin = Origin::always(OK);
    let stage = stage(handler());
    let old = origin.get("/").replace("HTTP/1.1", "HTTP/1.0");
    let mut client = stage.client();
    let answer = client.send(&old).answer();
    assert_eq!((answer.status, answer.fields("proxy-authenticate").len()), (407, 1));
    client.expect_end();
    assert_eq!(stage.client().send(as_user(&old, ANN)).answer().text(), "ok");
}

#[test]
fn what_is_no_password_is_not_taken_for_one() {
    let origin = Origin::always(OK);
    let stage = stage(handler());
    let mut client = stage.client();
    for (credentials, expected) in [
        ("Bearer abc", Reason::ProxyAuthenticationRequired),
        ("NTLM TlRMTVNTUAAB", Reason::ProxyAuthenticationRequired),
        ("Basic YW5u", Reason::ProxyAuthenticationFailed),
        ("Basic YW5uOnJpZ2h0, Basic YW5uOnJpZ2h0", Reason::ProxyAuthenticationFailed),
        (WRONG, Reason::ProxyAuthenticationFailed),
    ] {
        assert_eq!(ask(&mut client, &origin, credentials), 407);
        assert_eq!(stage.outcome(), (Some(407), Some(expected)), "{credentials}");
    }
    // Which of two would be the right one, and for whom?
    let twice = as_user(&as_user(&origin.get("/"), ANN), WRONG);
    assert_eq!(client.send(twice).answer().status, 407);
    assert_eq!(stage.outcome(), (Some(407), Some(Reason::ProxyAuthenticationFailed)));
    assert_eq!(origin.visits(), 0);
    // A body that comes with it is no request.
    let posted = as_user(&origin.get("/"), WRONG).replacen("GET", "POST", 1);
    let posted = with(&posted, "Content-Length: 4") + "GET ";
    assert_eq!(client.send(posted).answer().status, 407);
    assert_eq!(ask(&mut client, &origin, ANN), 200);
}

#[test]
fn what_is_right_is_asked_about_once_and_after_a_while_again() {
    let origin = Origin::always(OK);
    for (time, expected) in [(Duration::from_secs(3600), 1), (Duration::ZERO, 3)] {
        let right = Arc::new(Right::default());
        let stage = stage(AuthHandler::new(Arc::clone(&right)).remembering(10, time));
        for _ in 0..3 {
            assert_eq!(ask(&mut stage.client(), &origin, ANN), 200);
        }
        assert_eq!(right.asked.load(Ordering::Relaxed), expected);
    }
}

#[test]
fn a_failure_is_answered_later_and_later() {
    let wait = Duration::from_millis(100);
    let mut policy = LoginPolicy::default();
    (policy.free, policy.longest_wait) = (1, wait);
    let stage = stage(AuthHandler::new(Right::default()).with_policy(policy));
    let origin = Origin::always(OK);
    let mut client = stage.client();
    assert_eq!(ask(&mut client, &origin, WRONG), 407);
    let begun = Instant::now();
    assert_eq!(ask(&mut client, &origin, WRONG), 407);
    assert!(begun.elapsed() >= wait);
    let begun = Instant::now();
    assert_eq!(ask(&mut client, &origin, "Basic malformed"), 407);
    assert!(begun.elapsed() >= wait);
    assert_eq!(ask(&mut client, &origin, ANN), 200);
}

#[test]
fn who_guesses_too_often_is_refused_whatever_comes_then_also_after_a_reload() {
    let origin = Origin::always(OK);
    let failures = LoginFailures::default();
    let guarded = || {
        let mut policy = at_once();
        (policy.per_client, policy.interval) = (3, Duration::from_secs(36_000));
        AuthHandler::new(Right::default()).with_policy(policy).counting(failures.clone())
    };
    let mut stage = stage(guarded());
    let mut client = stage.client();
    assert_eq!(ask(&mut client, &origin, ANN), 200);
    for _ in 0..3 {
        assert_eq!(ask(&mut client, &origin, WRONG), 407);
    }
    // The right one, too: or it could be found by trying.
    let answer = client.send(as_user(&origin.get("/"), ANN)).answer();
    assert_eq!(answer.status, 429);
    // When the first of them is forgotten, and not when all are.
    let after: u64 = answer.field("retry-after").unwrap().parse().unwrap();
    assert!((30_000..=36_000).contains(&after), "{after}");
    stage.reload(|builder| builder.handler(guarded()));
    assert_eq!(ask(&mut client, &origin, ANN), 429);
    failures.forgive_client(client.stream().local_addr().unwrap().ip());
    assert_eq!(ask(&mut client, &origin, ANN), 200);
    let (served, wrong) = ((Some(200), None), (Some(407), Some(Reason::ProxyAuthenticationFailed)));
    let refused = (Some(429), Some(Reason::TooManyFailedLogins));
    for outcome in [served, wrong, wrong, wrong, refused, refused, served] {
        assert_eq!(stage.outcome(), outcome);
    }
}

#[test]
fn a_user_whom_others_try_goes_on_and_nobody_logs_in_as_them() {
    let origin = Origin::always(OK);
    let mut policy = at_once();
    (policy.per_user, policy.interval) = (2, Duration::from_secs(36_000));
    let stage = stage(AuthHandler::new(Right::default()).with_policy(policy));
    let mut client = stage.client();
    assert_eq!(ask(&mut client, &origin, ANN), 200);
    assert_eq!(ask(&mut client, &origin, WRONG), 407);
    assert_eq!(ask(&mut client, &origin, WRONG), 407);
    let answer = client.send(as_user(&origin.get("/"), WRONG)).answer();
    assert_eq!(answer.status, 429);
    let after: u64 = answer.field("retry-after").unwrap().parse().unwrap();
    assert!((30_000..=36_000).contains(&after), "{after}");
    assert_eq!(ask(&mut client, &origin, ANN), 200, "she is known already");
    assert_eq!(ask(&mut client, &origin, "Basic Y3k6cmlnaHQ="), 200, "and so is anybody else");
}

#[test]
fn failed_logins_lead_to_bans_where_bans_are_wanted() {
    let origin = Origin::always(OK);
    let policy =
        BanPolicy::default().after(Offence::FailedLogin, Threshold::new(2, PATIENCE * 1000));
    let stage = Stage::with(|builder| builder.handler(handler()).ban_policy(policy));
    let mut client = stage.client();
    for banned in [0, 1] {
        assert_eq!(ask(&mut client, &origin, WRONG), 407);
        // It is counted behind the answer, and before the record.
        assert_eq!(stage.outcome().0, Some(407));
        assert_eq!(stage.handle().bans().list().len(), banned);
    }
}

#[test]
fn a_user_has_limits() {
    let origin = Origin::always(OK);
    let stage = stage(handler());
    let mut client = stage.client();
    assert_eq!(ask(&mut client, &origin, BOB), 403);
    let record = stage.closed();
    assert_eq!(record.as_record().reason, Some(Reason::UserNotAllowed));
    assert_eq!(record.as_record().user, Some("bob"));
}

#[test]
fn rules_know_who_the_user_is() {
    let origin = Origin::always(OK);
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let deny = || Verdict::deny(Denial::new());
    let rules = RuleSet::new([
        Rule::new("staff", Verdict::Allow).when(|it| it.groups = names(&["staff"])),
        // Rules about responses are asked later, and know her still.
        Rule::new("late", deny()).when(|it| {
            it.users = names(&["ann"]);
            it.statuses = vec![StatusRange { first: 200, last: 200 }];
        }),
        Rule::new("tunnels", deny()).when(|it| {
            it.users = names(&["ann"]);
            it.methods = names(&["CONNECT"]);
        }),
    ]);
    let rules = RulesHandler::new(rules.compile().unwrap());
    let handler = handler().in_front_of(rules).sparing(["127.0.0.0/8".parse().unwrap()]);
    let stage = stage(handler);
    let connect = format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", origin.address);
    for (credentials, plain, tunnel, decide) in [
        (Some(ANN), 403, 403, ["late", "tunnels"]),
        (Some(CY), 200, 200, ["staff"; 2]),
        (None, 200, 200, ["default"; 2]),
    ] {
        let as_they_are = |request: &str| match credentials {
            Some(credentials) => as_user(request, credentials),
            None => request.to_owned(),
        };
        assert_eq!(stage.client().send(as_they_are(&origin.get("/"))).answer().status, plain);
        let record = stage.closed();
        assert_eq!(record.as_record().rule, Some(decide[0]));
        let head = stage.client().send(as_they_are(&connect)).head();
        assert!(head.starts_with(&format!("HTTP/1.1 {tunnel} ")), "{head}");
        let record = stage.closed();
        assert_eq!(record.as_record().rule, Some(decide[1]));
    }
}

#[test]
fn who_is_spared_may_still_say_who_they_are() {
    let origin = Origin::always(OK);
    let stage = stage(handler().sparing(["127.0.0.0/8".parse().unwrap()]));
    let mut client = stage.client();
    assert_eq!(client.send(origin.get("/")).answer().status, 200);
    assert_eq!(ask(&mut client, &origin, WRONG), 407);
    assert_eq!(ask(&mut client, &origin, ANN), 200);
    assert_eq!(stage.closed().as_record().user, None);
    assert_eq!(stage.outcome().0, Some(407));
    assert_eq!(stage.closed().as_record().user, Some("ann"));
}

/// Tells of each that asks, and says what it is told to.
struct Told(Sender<()>, Receiver<Authentication>);

impl Authenticator for Told {
    fn check(&self, _: &Login<'_>) -> Authentication {
        self.0.send(()).unwrap();
        self.1.recv_timeout(PATIENCE).expect("on purpose, or nobody says anything")
    }
}

fn told() -> (Receiver<()>, Sender<Authentication>, Told) {
    let ((asks, asked), (say, said)) = (unbounded(), bounded(1));
    (asked, say, Told(asks, said))
}

#[test]
fn what_cannot_be_told_is_nobodys_fault() {
    let (asked, say, told) = told();
    let origin = Origin::always(OK);
    let stage = stage(AuthHandler::new(told));
    let mut client = stage.client();
    say.send(Authentication::Unavailable).unwrap();
    let answer = client.send(as_user(&origin.get("/"), ANN)).answer();
    assert_eq!((answer.status, answer.field("retry-after")), (503, Some("1")));
    assert_eq!(stage.outcome(), (Some(503), Some(Reason::AuthenticatorUnavailable)));
    say.send(Authentication::Accepted(User::new("ann"))).unwrap();
    assert_eq!(ask(&mut client, &origin, ANN), 200);
    assert_eq!(asked.len(), 2);
    // Nobody answers any more: it panics.
    drop(say);
    assert_eq!(ask(&mut client, &origin, BOB), 503);
}

#[test]
fn a_crowd_with_one_password_has_it_looked_at_once() {
    const CROWD: usize = 40;
    let (asked, say, told) = told();
    let origin = Origin::always(OK);
    let stage = stage(AuthHandler::new(told));
    let mut clients: Vec<_> = (0..CROWD).map(|_| stage.client()).collect();
    for client in &mut clients {
        client.send(as_user(&origin.get("/"), ANN));
    }
    asked.recv_timeout(PATIENCE).unwrap();
    stage.settle();
    say.send(Authentication::Accepted(User::new("ann"))).unwrap();
    assert!(clients.iter_mut().all(|client| client.answer().status == 200));
    assert!(asked.is_empty());
    let users: Vec<_> = (0..CROWD).map(|_| stage.closed()).collect();
    assert!(users.iter().all(|record| record.as_record().user == Some("ann")));
}

#[test]
fn a_client_that_goes_meanwhile_takes_nothing_with_it() {
    let (asked, say, told) = told();
    let origin = Origin::always(OK);
    let stage = stage(AuthHandler::new(told));
    let mut client = stage.client();
    client.send(as_user(&origin.get("/"), ANN));
    asked.recv_timeout(PATIENCE).unwrap();
    client.reset();
    assert_eq!(stage.outcome(), (None, Some(Reason::ClientClosed)));
    say.send(Authentication::Accepted(User::new("ann"))).unwrap();
    assert_eq!(ask(&mut stage.client(), &origin, ANN), 200);
}

/// An embedder who asks in its own way, and does not say how.
struct Asks;

impl ConnectionHandler for Asks {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        match exchange.request().field("x-badge") {
            Some(_) => {
                exchange.set_user(User::new("badge"));
                ForwardHandler.request(exchange)
            }
            None => Action::Reject(Reason::ProxyAuthenticationRequired),
        }
    }
}

#[test]
fn nobody_is_told_407_without_being_told_how() {
    let origin = Origin::always(OK);
    let stage = stage(Asks);
    let mut client = stage.client();
    let answer = client.send(origin.get("/")).answer();
    assert_eq!((answer.status, answer.fields("proxy-authenticate").len()), (407, 1));
    assert_eq!(client.send(with(&origin.get("/"), "X-Badge: 1")).answer().status, 200);
    stage.closed();
    assert_eq!(stage.closed().as_record().user, Some("badge"));
}
