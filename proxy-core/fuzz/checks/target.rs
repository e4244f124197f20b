//! Targets of requests, `METHOD SP TARGET`: the parts make the whole again, and where the
//! `http` crate finds a host, it is the same one.

use proxy_core::http1::{RequestHead, TargetForm};
use proxy_core::{Authority, Limits};

pub fn check(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input)
        && let Ok(authority) = text.parse::<Authority>()
    {
        assert_ne!(authority.port(), 0);
        assert_eq!(authority.as_str().parse::<Authority>().ok().as_ref(), Some(&authority));
        is_host(authority.host());
    }
    let line_end = input.iter().position(|byte| b"\r\n".contains(byte)).unwrap_or(input.len());
    let head = [&input[..line_end], b" HTTP/1.1\r\nHost: other.test\r\n\r\n"].concat();
    let mut request = RequestHead::new();
    let Ok(()) = request.parse(&head, &Limits::default()) else { return };
    let (method, target, path) = (request.method(), request.target(), request.path());
    assert_eq!(&head[..line_end], format!("{method} {target}").as_bytes());
    assert!(target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'), "{target}");
    assert_eq!(request.form() == TargetForm::Authority, method == "CONNECT");
    assert_ne!(request.port(), Some(0));
    if !request.host().is_empty() {
        is_host(request.host());
    }
    match request.form() {
        TargetForm::Origin => assert_eq!(path, target),
        TargetForm::Asterisk => assert_eq!((method, path), ("OPTIONS", "*")),
        TargetForm::Authority => assert!(request.port().is_some(), "{target}"),
        TargetForm::Absolute => {
            let scheme = request.scheme().expect("an absolute target has one");
            let (_, behind) = target.split_at(scheme.len());
            let rest = behind.strip_prefix("://").expect("it is followed by its authority");
            let authority = rest.split(['/', '?']).next().unwrap_or_default();
            assert!(!authority.contains('@'), "userinfo: {target}");
            let made =
                path.strip_prefix('/').filter(|path| path.starts_with('?') || path.is_empty());
            let behind = &rest[authority.len()..];
            assert!(path == behind || made == Some(behind) || path == "*" && behind.is_empty());
        }
    }
    #[cfg(fuzzing)]
    compare(&request);
}

/// Another parser's view. It takes more than we do, and what it takes as well is the same.
#[cfg(fuzzing)]
fn compare(request: &RequestHead) {
    let (target, path) = (request.target(), request.path());
    if let Ok(uri) = target.parse::<ureq_proto::http::Uri>()
        && let Some(host) = uri.host()
        && request.form() != TargetForm::Origin
    {
        assert!(host.eq_ignore_ascii_case(request.host()), "{host} {}", request.host());
        assert_eq!(uri.port_u16(), request.port(), "{target}");
        if request.form() == TargetForm::Absolute && path != "*" {
            let theirs = uri.path_and_query().map_or("/", |both| both.as_str());
            assert!(theirs == path || path.strip_prefix('/') == Some(theirs), "{theirs} {path}");
        }
    }
}

/// A host that cannot be mistaken for more than one.
fn is_host(host: &str) {
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match bracketed {
        Some(address) => assert!(address.parse::<std::net::Ipv6Addr>().is_ok(), "{host}"),
        None => assert!(
            host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)),
            "{host}"
        ),
    }
}
