//! Rules at work: [every condition](conditions), [the order](decisions), and
//! [decisions](properties) against what rules are by definition.

mod conditions;
mod decisions;
mod properties;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::*;
use crate::handler::Client;
use crate::http1::{RequestHead, ResponseHead};
use crate::limits::Limits;
use crate::policy::users::User;

/// 2026-11-25, a Wednesday, at noon.
fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_564_800 + 12 * 3600)
}

fn request(head: &str) -> RequestHead {
    let mut request = RequestHead::new();
    request.parse(format!("{head}\r\n\r\n").as_bytes(), &Limits::default()).unwrap();
    request
}

fn get(url: &str) -> RequestHead {
    request(&format!("GET {url} HTTP/1.1\r\nHost: h.test"))
}

fn connect(authority: &str) -> RequestHead {
    request(&format!("CONNECT {authority} HTTP/1.1\r\nHost: h.test"))
}

fn response(to: &RequestHead, head: &str) -> ResponseHead {
    let mut response = ResponseHead::new();
    response.parse(format!("{head}\r\n\r\n").as_bytes(), to, &Limits::default()).unwrap();
    response
}

fn client(address: &str) -> Client {
    Client::new((address.parse::<std::net::IpAddr>().unwrap(), 50412).into(), 1)
}

fn deny() -> Verdict {
    Verdict::deny(Denial::new())
}

/// Whether a rule with these conditions matches.
fn matches(request: &RequestHead, set: impl FnOnce(&mut Conditions)) -> bool {
    let rules = RuleSet::new([Rule::new("it", deny()).when(set)]).compile().unwrap();
    let client = client("10.1.2.3");
    let subject = Subject::new(&client, request, noon());
    let decision = rules.decide(&subject);
    let explanation = rules.explain(&subject);
    assert_eq!(
        (&**decision.rule(), decision.verdict()),
        (&*explanation.rule, &explanation.verdict)
    );
    &**decision.rule() == "it"
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(texts: &[&str]) -> Vec<T> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn words(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}
