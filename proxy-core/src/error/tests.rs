use std::collections::HashSet;

use super::*;

/// The error types of RFC 9209 §2.3, and the status that is recommended with each: that of the
/// response, where there is none.
const REGISTERED: [(&str, Option<u16>); 32] = [
    ("dns_timeout", Some(504)),
    ("dns_error", Some(502)),
    ("destination_not_found", Some(500)),
    ("destination_unavailable", Some(503)),
    ("destination_ip_prohibited", Some(502)),
    ("destination_ip_unroutable", Some(502)),
    ("connection_refused", Some(502)),
    ("connection_terminated", Some(502)),
    ("connection_timeout", Some(504)),
    ("connection_read_timeout", Some(504)),
    ("connection_write_timeout", Some(504)),
    ("connection_limit_reached", Some(503)),
    ("tls_protocol_error", Some(502)),
    ("tls_certificate_error", Some(502)),
    ("tls_alert_received", Some(502)),
    ("http_request_error", None),
    ("http_request_denied", Some(403)),
    ("http_response_incomplete", Some(502)),
    ("http_response_header_section_size", Some(502)),
    ("http_response_header_size", Some(502)),
    ("http_response_body_size", Some(502)),
    ("http_response_trailer_section_size", Some(502)),
    ("http_response_trailer_size", Some(502)),
    ("http_response_transfer_coding", Some(502)),
    ("http_response_content_coding", Some(502)),
    ("http_response_timeout", Some(504)),
    ("http_upgrade_failed", Some(502)),
    ("http_protocol_error", Some(502)),
    ("proxy_internal_response", None),
    ("proxy_internal_error", Some(500)),
    ("proxy_configuration_error", Some(500)),
    ("proxy_loop_detected", Some(502)),
];

/// Reasons whose status is another one than RFC 9209 recommends: it says more.
const DEVIATING: [Reason; 15] = [
    Reason::ConnectNotAllowed,  // 501, for the method, not 403
    Reason::ClientWriteTimeout, // the client's timeout is no gateway's
    Reason::TooManyConnections, // 503 says that it passes, 403 does not
    Reason::RateLimited,        // 429 says when it passes (RFC 6585 §4); so the next two
    Reason::QuotaExceeded,
    Reason::ConnectionsLimited,
    Reason::ConnectFailed, // 502, as other proxies say; 503 would call it passing
    Reason::DestinationNotAllowed, // 403: it was decided here, no gateway has failed
    Reason::ClosedByHandler, // only logged
    Reason::LoopDetected,  // 508 has a name that tells it, 502 has not
    Reason::WorkersBusy,   // 503 says that it passes, 500 does not; so the next three
    Reason::OutOfDescriptors,
    Reason::ShutDown,
    Reason::AuthenticatorUnavailable,
    Reason::ClosedByOperator, // only logged
];

#[test]
fn codes_are_distinct_snake_case_words() {
    let mut seen = HashSet::new();
    for reason in Reason::ALL {
        let code = reason.code();
        assert!(seen.insert(code), "{code} stands twice");
        assert!(code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
    }
}

#[test]
fn statuses_are_errors_and_texts_are_sentences() {
    for reason in Reason::ALL {
        assert!((400..600).contains(&reason.status()), "{reason}");
        for text in [reason.explanation(), reason.remedy()] {
            assert!(text.starts_with(|c: char| c.is_ascii_uppercase()), "{reason}: {text}");
            assert!(text.ends_with('.') && !text.contains("  "), "{reason}: {text}");
        }
    }
}

#[test]
fn error_types_are_registered_and_go_with_the_status() {
    for reason in Reason::ALL {
        let (name, status) = (reason.error_type(), reason.status());
        let registered = REGISTERED.iter().find(|(registered, _)| *registered == name);
        let (_, recommended) = registered.unwrap_or_else(|| panic!("{reason}: no {name}"));
        let deviates = recommended.is_some_and(|recommended| recommended != status);
        assert_eq!(deviates, DEVIATING.contains(reason), "{reason}: {status} with {name}");
        // RFC 9209 §2.3.16: for 4xx responses only.
        assert!(name != "http_request_error" || status < 500, "{reason}");
    }
}

#[test]
fn a_misdirected_request_is_known_by_its_own_status() {
    let misdirected = Reason::ALL.iter().filter(|reason| reason.status() == 421);
    assert_eq!(misdirected.collect::<Vec<_>>(), [&Reason::Misdirected]);
}
