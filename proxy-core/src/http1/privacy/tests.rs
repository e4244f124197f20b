use super::*;
use crate::Limits;
use crate::http1::{Claims, FieldEdits, Forwarding, ForwardingFields, RequestRewrite};

/// The fields that go on, of a request for `target` with these, in which lines end with LF.
fn told(privacy: &Privacy, forwarding: Option<Forwarding>, target: &str, fields: &str) -> String {
    let mut request = RequestHead::new();
    let head = format!("GET {target} HTTP/1.1\nHost: news.example\n{fields}\n");
    request.parse(head.replace('\n', "\r\n").as_bytes(), &Limits::default()).unwrap();
    let mut out = Vec::new();
    let rewrite = RequestRewrite {
        via: "me",
        host: "",
        forwarding,
        privacy: Some(privacy),
        edits: &FieldEdits::default(),
    };
    request.write_upstream(&mut out, &rewrite);
    let text = String::from_utf8(out).unwrap().replace("\r\n", "\n");
    let (_, fields) = text.split_once("Host: news.example\n").unwrap();
    fields.strip_suffix("\n").unwrap().replace("Via: 1.1 me\n", "")
}

const BROWSER: &str = "\
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0
Accept: text/html
Referer: http://search.example/find?q=secret
From: me@mail.example
Sec-CH-UA: \"Browser\";v=\"140\"
sec-ch-ua-model: \"Phone 12\"
Sec-CH-Device-Memory: 8
DPR: 2
Save-Data: on
X-Forwarded-For: 192.0.2.7
X_Forwarded_Proto: https
Forwarded: for=192.0.2.7
X-Real-IP: 192.0.2.7
True-Client-IP: 192.0.2.7
x-uidh: 0123456789
Via: 1.0 laptop.home.example (proxy, of mine), HTTP/1.1 gateway:3128
Cookie: a=b
";

#[test]
fn off_changes_nothing() {
    assert_eq!(told(&Privacy::off(), None, "http://news.example/", BROWSER), BROWSER);
    assert!(Privacy::default().is_off() && !Privacy::standard().is_off());
}

#[test]
fn the_standard_is_what_nobody_misses() {
    assert_eq!(
        told(&Privacy::standard(), None, "http://news.example/", BROWSER),
        "\
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0
Accept: text/html
Referer: http://search.example/
Sec-CH-UA: \"Browser\";v=\"140\"
Save-Data: on
Via: 1.0 hidden, 1.1 hidden
Cookie: a=b
"
    );
}

#[test]
fn strict_leaves_what_an_answer_needs() {
    assert_eq!(
        told(&Privacy::strict(), None, "http://news.example/", BROWSER),
        "User-Agent: Mozilla/5.0\nAccept: text/html\nVia: 1.0 hidden, 1.1 hidden\nCookie: a=b\n"
    );
}

#[test]
fn each_field_has_a_switch_of_its_own() {
    type Switch = fn(&mut Privacy);
    let cases: [(Switch, &str); 8] = [
        (
            |it| it.claims = Telling::Hide,
            "X-Forwarded-For,X_Forwarded_Proto,Forwarded,X-Real-IP,True-Client-IP,x-uidh",
        ),
        (|it| it.hops = Telling::Hide, "Via"),
        (|it| it.from = Telling::Hide, "From"),
        (|it| it.referer = Referer::Origin, "Referer"),
        (|it| it.referer = Referer::Hide, "Referer"),
        (|it| it.user_agent = UserAgent::Hide, "User-Agent"),
        (|it| it.client_hints = ClientHints::Basic, "sec-ch-ua-model,Sec-CH-Device-Memory,DPR"),
        (
            |it| it.client_hints = ClientHints::Hide,
            "Sec-CH-UA,sec-ch-ua-model,Sec-CH-Device-Memory,DPR,Save-Data",
        ),
    ];
    for (switch, changed) in cases {
        let mut privacy = Privacy::off();
        switch(&mut privacy);
        let told = told(&privacy, None, "http://news.example/", BROWSER);
        let missing: Vec<_> = BROWSER
            .lines()
            .filter(|line| !told.lines().any(|other| other == *line))
            .filter_map(|line| line.split_once(':').map(|(name, _)| name))
            .collect();
        assert_eq!(missing.join(","), changed);
    }
}

#[test]
fn a_referer_is_told_to_its_own_site_and_no_other() {
    let mut privacy = Privacy::off();
    privacy.referer = Referer::Origin;
    let absolute = "http://news.example/";
    for (target, referer, expected) in [
        (absolute, "http://news.example/a?b", "Referer: http://news.example/a?b\n"),
        (absolute, "HTTP://News.Example/a?b", "Referer: HTTP://News.Example/a?b\n"),
        (
            absolute,
            "http://news.example.evil.example/a",
            "Referer: http://news.example.evil.example/\n",
        ),
        (absolute, "http://news.example:81/a", "Referer: http://news.example:81/\n"),
        // What was read on a secure way is not for one that is not.
        (absolute, "https://news.example/a?b", "Referer: https://news.example/\n"),
        // In front of a fixed upstream, the client may well have come by `https`.
        ("/", "https://news.example/a?b", "Referer: https://news.example/a?b\n"),
        (absolute, "http://other.example", "Referer: http://other.example\n"),
        (absolute, "http://other.example?q=1", "Referer: http://other.example\n"),
        (absolute, "http://me:secret@other.example/a", ""),
        (absolute, "http://me:secret@news.example/a", ""),
        (absolute, "android-app://org.example.reader/", ""),
        (absolute, "/a/b", ""),
        (absolute, "http:///a", ""),
        (absolute, "", ""),
    ] {
        let field = format!("Referer: {referer}\n");
        assert_eq!(told(&privacy, None, target, &field), expected, "{referer} at {target}");
    }
}

#[test]
fn what_forwarding_tells_is_told_all_the_same() {
    let forwarding = |claims| {
        let client = "198.51.100.1".parse().unwrap();
        Some(Forwarding { fields: ForwardingFields::XForwardedFor, client, claims })
    };
    let claims = "X-Forwarded-For: 192.0.2.7\nX-Forwarded-Proto: https\nClient-IP: 192.0.2.7\n";
    for (forwarding, expected) in [
        (forwarding(Claims::Drop), "X-Forwarded-For: 198.51.100.1\n"),
        (
            forwarding(Claims::Keep),
            "X-Forwarded-Proto: https\nX-Forwarded-For: 192.0.2.7, 198.51.100.1\n",
        ),
    ] {
        assert_eq!(told(&Privacy::strict(), forwarding, "/", claims), expected);
    }
}

#[test]
fn hops_lose_their_names_and_comments() {
    for (via, expected) in [
        ("1.1 a", "Via: 1.1 hidden\n"),
        ("1.1 a, 1.0 b (c), HTTP/2 d", "Via: 1.1 hidden, 1.0 hidden, 2 hidden\n"),
        ("1.1 a (on 10.0.0.5, 10.0.0.6, laptop), 1.1 b", "Via: 1.1 hidden, 1.1 hidden\n"),
        (",", ""),
        ("", ""),
    ] {
        let field = format!("Via: {via}\n");
        assert_eq!(told(&Privacy::standard(), None, "/", &field), expected, "{via:?}");
    }
}
