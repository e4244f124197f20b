//! What upstreams are told of clients.

mod support;

use proxy_core::{FixedUpstreamHandler, ForwardingFields, ForwardingPolicy};
use support::{Origin, Stage, fields};

/// The values of a field at the origin, behind a proxy with this policy, of a client that
/// claims to be somebody else.
fn told(policy: ForwardingPolicy, field: &str) -> Vec<String> {
    let (sender, heads) = crossbeam_channel::bounded(1);
    let origin = Origin::new(move |visit| {
        let head = visit.head().unwrap();
        visit.send("HTTP/1.1 204 No Content\r\n\r\n");
        sender.send(head).unwrap();
    });
    let upstream = origin.address.to_string().parse().unwrap();
    let stage = Stage::with(|builder| {
        builder.handler(FixedUpstreamHandler::new(upstream)).forwarding(policy)
    });
    let mut client = stage.client();
    client.send("GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 198.51.100.1\r\n\r\n");
    assert_eq!(client.answer().status, 204);
    let head = heads.recv().unwrap();
    fields(&head, field).into_iter().map(str::to_owned).collect()
}

#[test]
fn by_default_a_client_stays_private_and_its_own_words_go_on() {
    assert_eq!(told(ForwardingPolicy::off(), "x-forwarded-for"), ["198.51.100.1"]);
    assert!(told(ForwardingPolicy::off(), "forwarded").is_empty());
}

#[test]
fn what_anybody_claims_is_replaced_by_what_is_true() {
    let policy = ForwardingPolicy::tell(ForwardingFields::Both);
    assert_eq!(told(policy.clone(), "x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(told(policy, "forwarded"), ["for=127.0.0.1;proto=http"]);
}

#[test]
fn what_a_trusted_proxy_claims_is_kept_in_front() {
    let policy = ForwardingPolicy::tell(ForwardingFields::XForwardedFor)
        .trusting(["127.0.0.0/8".parse().unwrap()]);
    assert_eq!(told(policy, "x-forwarded-for"), ["198.51.100.1, 127.0.0.1"]);
}
