//! Plays that are written down, all seeds of the fuzzer, and plays made up by chance.

use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::scene::{STREAMED, STREAMING};
use super::verdict::judge;
use super::*;
use crate::error::Reason;
use crate::net::memory::Flow;

fn play(script: &[u8]) -> Play {
    let script = Script::read(script).unwrap();
    Rehearsal::new(&script).play(&script)
}

/// A plain exchange, and a request whose upstream cuts the answer.
const TWO_EXCHANGES: &[u8] = b"f\n\xffcGET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n\
    \xffuHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n~~~~\
    \xffcPOST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi\
    \xffuHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n~~~~\r\n\xffE";

#[test]
fn a_play_is_the_same_each_time() {
    let first = play(TWO_EXCHANGES);
    assert_eq!(judge(&first), Ok(()), "{first}");
    assert!(first.clients[0].got.ends_with(b"\r\n\r\n4\r\n~002\r\n"), "{first}");
    assert!(first.upstreams[0].got.starts_with(b"GET / HTTP/1.1\r\n"), "{first}");
    let last = first.records[1].as_record();
    assert_eq!(last.reason, Some(Reason::UpstreamClosedEarly), "{first}");
    let second = play(TWO_EXCHANGES);
    assert_eq!(first.clients[0].got, second.clients[0].got);
    assert_eq!(first.upstreams[0].got, second.upstreams[0].got);
}

#[test]
fn a_client_that_has_just_connected_may_still_ask_when_a_drain_begins() {
    let ask = "\u{ff}cGET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n\
        \u{ff}uHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n~~~~";
    // Letters stand for bytes here, and ff for the separator.
    let play = |acts: String| play(&acts.chars().map(|c| c as u8).collect::<Vec<_>>());
    let got = |play: &Play| String::from_utf8_lossy(&play.clients[0].got).into_owned();

    let new = play(format!("f i\n\u{ff}d\u{ff}p400{ask}"));
    assert_eq!(judge(&new), Ok(()), "{new}");
    assert!(got(&new).starts_with("HTTP/1.1 200 OK\r\n"), "{new}");
    assert!(got(&new).contains("\r\nConnection: close\r\n"), "{new}");

    let late = play(format!("f i\n\u{ff}d\u{ff}p700{ask}"));
    assert_eq!((judge(&late), got(&late).as_str()), (Ok(()), ""), "{late}");

    // One that has been served before can ask again, on another connection.
    let served = play(format!("f i\n{ask}\u{ff}d{ask}"));
    assert_eq!((judge(&served), served.records.len()), (Ok(()), 1), "{served}");
}

#[test]
fn what_must_not_happen_is_objected_to() {
    fn change(bytes: &mut Vec<u8>, from: &str, to: &str) {
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.contains(from), "{text}");
        *bytes = text.replacen(from, to, 1).into();
    }
    type Offence = (&'static str, fn(&mut Play));
    let offences: [Offence; 17] = [
        ("the byte 0x0a in a line", |play| change(&mut play.clients[0].got, "OK\r\n", "OK\n")),
        ("more than one Content-Length", |play| {
            change(&mut play.clients[0].got, "Via:", "Content-Length: 4\r\nVia:");
        }),
        ("what is of another exchange", |play| change(&mut play.clients[0].got, "~001", "~002")),
        ("a cut answer holds what is of", |play| change(&mut play.clients[0].got, "~002", "~001")),
        ("is not what the log says", |play| change(&mut play.clients[0].got, " 200 ", " 201 ")),
        ("was cut and looks whole", |play| play.clients[0].got.extend(b"0\r\n\r\n")),
        ("its answer is not whole", |play| play.clients[0].got.truncate(20)),
        ("a response that nobody has asked for", |play| {
            play.clients[0].got.extend(b"0\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
        }),
        ("the byte 0x0d in a line", |play| {
            change(&mut play.upstreams[0].got, "Via", "X: a\rb\r\nVia");
        }),
        ("is not as long as the log says", |play| {
            change(&mut play.upstreams[0].got, "Length: 2\r\n", "Length: 1\r\n");
            play.upstreams[0].got.pop();
        }),
        ("2, a POST, was sent 2 times", |play| {
            let got = &mut play.upstreams[0].got;
            let post = got.windows(4).position(|four| four == b"POST").unwrap();
            got.extend_from_within(post..got.len() - 2);
        }),
        ("a request that was cut holds another one", |play| {
            change(&mut play.upstreams[0].got, "Length: 2\r\n", "Length: 900\r\n");
            let again = b"GET / HTTP/1.1\r\nHost: a\r\nX-Rehearsed-As: 1\r\n\r\n";
            play.upstreams[0].got.extend(again);
        }),
        ("what came behind a CONNECT", |play| {
            let mut record = play.records[0].as_record();
            record.method = "CONNECT";
            play.records[0] = record.to_owned_record();
        }),
        ("was cut by a reset and ends in order", |play| {
            *play = self::play(
                b"f\n\xffcGET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n\
                \xffuHTTP/1.1 200 OK\r\n\r\nto the end\xffE",
            );
            play.upstreams[0].end = Flow::Reset;
        }),
        ("two records Close", |play| play.records.push(play.records[0].clone())),
        ("has no record of its end", |play| drop(play.records.remove(0))),
        ("a task is left", |play| play.objection = Some("a task is left".to_owned())),
    ];
    for (objection, offend) in offences {
        let mut play = play(TWO_EXCHANGES);
        offend(&mut play);
        let told = judge(&play).expect_err(objection);
        assert!(told.contains(objection), "{told}, not {objection}");
    }
}

#[test]
fn an_upstream_that_says_too_much_is_not_asked_again() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n~~~~";
    let request = "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n";
    for (excess, connections) in [("", 1), ("H", 2), (answer, 2)] {
        let script = ["f\n", request, answer, excess, request, answer].map(str::as_bytes);
        let [settings, first, said, more, second, last] = script;
        let script =
            [settings, b"\xffc", first, b"\xffu", said, more, b"\xffc", second, b"\xffu", last];
        let play = play(&script.concat());
        assert_eq!(judge(&play), Ok(()), "{play}");
        assert_eq!(play.upstreams.len(), connections, "{play}");
        assert_eq!(verdict::answers(&play.clients[0], &play), [(200, 4), (200, 4)], "{play}");
    }
}

#[test]
fn the_seeds_of_the_fuzzer_still_pass() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    if !fuzz.exists() {
        return; // this is the crate as it is published, which has no fuzzers
    }
    let folder = fuzz.join("seeds/session");
    let seeds: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(seeds.len() >= 50, "some are missing");
    for seed in seeds {
        println!("{}", seed.display()); // is shown if it does not
        rehearse(&fs::read(seed).unwrap());
    }
}

#[test]
fn what_an_upstream_says_unasked_is_no_answer_to_a_request_of_the_same_turn() {
    let (request, answer) = (
        "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n~~~~",
    );
    // The poller tells of the client first, and of the idle upstream in the same breath.
    let script = ["f\n", request, answer, answer, request, answer].map(str::as_bytes);
    let [settings, first, said, unasked, second, last] = script;
    let script = [
        settings, b"\xffc", first, b"\xffu", said, b"\xffU", unasked, b"\xffc", second, b"\xffu",
        last,
    ];
    let play = play(&script.concat());
    assert_eq!(judge(&play), Ok(()), "{play}");
    assert_eq!(play.upstreams.len(), 2, "{play}");
    assert!(play.clients[0].got.ends_with(b"~101"), "{play}");
}

/// One-byte chunks are mostly framing: who takes it has taken it.
#[test]
fn a_reader_is_as_fast_as_all_that_it_takes() {
    let head = "http://a/ HTTP/1.1\r\nHost: a\r\n";
    let chunked = "Transfer-Encoding: chunked\r\n\r\n";
    let chunks = "1\r\nx\r\n".repeat(1000) + "0\r\n\r\n";
    for (acts, reason) in [
        (
            format!("cGET {head}\r\n|w|t64|uHTTP/1.1 200 OK\r\n{chunked}{chunks}"),
            Reason::ClientTooSlow,
        ),
        (format!("cPUT {head}{chunked}|w|T64|c{chunks}"), Reason::UpstreamTooSlow),
    ] {
        // So much is on its way at most, and is taken each time; that is what must be enough.
        for (pause, expected) in [("p600", None), ("p800", Some(reason))] {
            let script = format!("f v100 m64\n|{acts}") + &format!("|{pause}").repeat(200);
            let bytes = script.bytes().map(|byte| if byte == b'|' { 0xff } else { byte });
            let play = play(&bytes.collect::<Vec<_>>());
            let ended = play.records[0].as_record().reason;
            assert_eq!(ended.filter(|it| *it == reason), expected, "{pause}\n{play}");
        }
    }
}

fn get_stream(path: &str) -> String {
    format!("GET http://{STREAMING}{path} HTTP/1.1\r\nHost: {STREAMING}\r\n\r\n")
}

/// What a handler sends piece by piece, to clients of all kinds.
#[test]
fn a_stream_comes_to_the_end_that_it_should() {
    let got = |play: &Play| String::from_utf8_lossy(&play.clients[0].got).into_owned();
    let whole: usize = STREAMED.iter().map(|piece| piece.len()).sum();
    // However little room there is, and however slowly it is taken.
    for settings in ["f", "f m1", "f m7 p1 b3", "f m100 i"] {
        for (path, acts, reason) in [
            ("/whole", "|w|t3|w|p10|a", None),
            ("/kept", "|w|hevent|w|hevent|H|w", None),
            ("/kept", "|w|p900000|hevent|w|p900000|H", None),
            ("/kept", "|w|x|w|hevent", Some(Reason::ClientClosed)),
            ("/kept", "|w|d|w|p11000|w|hevent", Some(Reason::ShutDown)),
            ("/cut", "|w", Some(Reason::ClosedByHandler)),
            ("/lost", "|w", Some(Reason::HandlerFailed)),
        ] {
            let script = format!("{settings}\n|c{}{acts}", get_stream(path));
            let bytes = script.bytes().map(|byte| if byte == b'|' { 0xff } else { byte });
            let play = play(&bytes.collect::<Vec<_>>());
            assert_eq!(judge(&play), Ok(()), "{settings} {path} {acts}\n{play}");
            let record = play.records[0].as_record();
            assert_eq!((record.reason, play.records.len()), (reason, 1), "{acts}\n{play}");
            if reason.is_none() {
                let events = acts.matches("event").count() * "event".len();
                let answers = verdict::answers(&play.clients[0], &play);
                assert_eq!(answers, [(200, whole + events)], "{settings} {acts}\n{play}");
                assert_eq!(record.bytes_out, (whole + events) as u64, "{play}");
            } else {
                assert!(!got(&play).contains("\r\n0\r\n"), "{play}");
            }
        }
    }
}

/// A request and its answer, both as they should be.
#[derive(Clone, Debug)]
struct Turnout {
    request: Vec<u8>,
    answer: Vec<u8>,
    /// What the client must find, by status and length.
    expected: (u16, usize),
}

fn turnout() -> impl Strategy<Value = Turnout> {
    (0..6_u8, 0..6_u8, vec(1..90_usize, 0..5), vec(1..90_usize, 0..5)).prop_map(
        |(kind, answer, up, down)| {
            if kind == 5 {
                let length = STREAMED.iter().map(|piece| piece.len()).sum();
                let request = get_stream("/whole").into_bytes();
                return Turnout { request, answer: Vec::new(), expected: (200, length) };
            }
            let method = ["GET", "HEAD", "POST", "PUT", "POST"][usize::from(kind)];
            let mut request =
                format!("{method} http://a.test/ HTTP/1.1\r\nHost: a.test\r\n").into_bytes();
            match kind {
                0 | 1 => request.extend(b"\r\n"),
                2 => body(&up, true, &mut request),
                _ => body(&up, false, &mut request),
            }
            let mut said = Vec::new();
            if answer == 4 {
                said.extend(b"HTTP/1.1 103 Early Hints\r\nLink: ~~~~\r\n\r\n");
            }
            let (status, length) = match answer {
                2 => (204, 0),
                3 => (304, 0),
                _ if method == "HEAD" => (200, 0),
                _ => (200, down.iter().sum()),
            };
            said.extend(format!("HTTP/1.1 {status} X\r\nX-A:  ~~~~ \r\n").bytes());
            match answer {
                _ if method == "HEAD" || status == 304 => {
                    said.extend(b"Content-Length: 77\r\n\r\n");
                }
                2 => said.extend(b"\r\n"),
                0 | 4 => body(&down, true, &mut said),
                _ => body(&down, false, &mut said),
            }
            Turnout { request, answer: said, expected: (status, length) }
        },
    )
}

/// The last fields of a head, and a body in chunks of these sizes, or all at once.
fn body(sizes: &[usize], chunked: bool, out: &mut Vec<u8>) {
    if !chunked {
        let length: usize = sizes.iter().sum();
        out.extend(format!("Content-Length: {length:04}\r\n\r\n").bytes());
        out.extend(b"0123~~~~89".iter().cycle().take(length));
        return;
    }
    out.extend(b"Transfer-Encoding: chunked\r\n\r\n");
    for (number, size) in sizes.iter().enumerate() {
        let line = if number % 2 == 0 { format!("{size:x}") } else { format!("0{size:X};a=\"b\"") };
        out.extend(line.bytes().chain(*b"\r\n"));
        out.extend(b"~~~~456789".iter().cycle().take(*size).chain(b"\r\n"));
    }
    out.extend(if sizes.len().is_multiple_of(2) {
        &b"0\r\n\r\n"[..]
    } else {
        b"0\r\nX-T: ~~~~\r\n\r\n"
    });
}

/// How bytes come through: the first line of a script.
/// `throttled`: with a throttle, by which a good deal of time may pass.
fn settings(throttled: &'static str) -> impl Strategy<Value = String> {
    let size = || prop_oneof![1..8_usize, 8..64_usize, Just(5000_usize)];
    let last = prop_oneof![Just(""), Just(" i"), Just(" l1"), Just(" l2 i v50"), Just(throttled)];
    (size(), size(), size(), size(), last).prop_map(|(client, upstream, room, read, last)| {
        format!("f p{client} q{upstream} m{room} b{read}{last}\n")
    })
}

/// All requests one behind the other, or each when the one before it has its answer.
fn script(settings: &str, turnouts: &[Turnout], pipelined: bool) -> Vec<u8> {
    let mut bytes = settings.as_bytes().to_vec();
    let mut act = |letter: u8, rest: &[u8]| {
        bytes.extend([0xff, letter]);
        bytes.extend_from_slice(rest);
    };
    if pipelined {
        turnouts.iter().for_each(|turnout| act(b'c', &turnout.request));
    }
    for turnout in turnouts {
        if !pipelined {
            act(b'c', &turnout.request);
        }
        act(b'w', b"");
        act(b'u', &turnout.answer);
        act(b'w', b"");
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, ..ProptestConfig::default() })]

    /// However the bytes are cut and however little room there is: each request gets its answer,
    /// whole, and no time needs to pass for it.
    #[test]
    fn proper_traffic_goes_through(
        settings in settings(" t1000000"),
        turnouts in vec(turnout(), 1..5),
        pipelined in any::<bool>(),
    ) {
        let play = play(&script(&settings, &turnouts, pipelined));
        prop_assert_eq!(judge(&play), Ok(()), "{}", play);
        let expected: Vec<_> = turnouts.iter().map(|turnout| turnout.expected).collect();
        prop_assert_eq!(verdict::answers(&play.clients[0], &play), expected, "{}", play);
        let unplain = play.records.iter().find(|record| record.as_record().reason.is_some());
        prop_assert!(unplain.is_none(), "{}", play);
    }

    /// The same traffic with something wrong in it: whatever becomes of it, nothing that must
    /// not.
    #[test]
    fn improper_traffic_harms_nobody(
        settings in settings(" i t500"),
        turnouts in vec(turnout(), 1..5),
        pipelined in any::<bool>(),
        faults in vec((any::<Index>(), fault()), 1..5),
    ) {
        let mut bytes = script(&settings, &turnouts, pipelined);
        for (place, fault) in faults {
            if bytes.len() == settings.len() {
                break; // nothing is left to be wrong
            }
            let at = settings.len() + place.index(bytes.len() - settings.len());
            match fault {
                Fault::Byte(byte) => bytes[at] = byte,
                Fault::Insert(text) => drop(bytes.splice(at..at, text)),
                Fault::Erase(count) => drop(bytes.drain(at..(at + count).min(bytes.len()))),
            }
        }
        let play = play(&bytes);
        prop_assert_eq!(judge(&play), Ok(()), "{}\n{}", bytes.escape_ascii(), play);
    }
}

#[derive(Clone, Debug)]
enum Fault {
    Byte(u8),
    Insert(Vec<u8>),
    Erase(usize),
}

fn fault() -> impl Strategy<Value = Fault> {
    const TEXTS: [&[u8]; 25] = [
        b"\r\n",
        b"\n",
        b"\r",
        b"0\r\n\r\n",
        b"Content-Length: 4\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Connection: close\r\n",
        b"Connection: upgrade\r\nUpgrade: websocket\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"GET http://b.test/ HTTP/1.1\r\nHost: b.test\r\n\r\n",
        b"GET http://stream.test/kept HTTP/1.1\r\nHost: stream.test\r\n\r\n",
        b"GET http://stream.test/cut HTTP/1.0\r\n\r\n",
        b"\xffhevent",
        b"\xffH",
        b"\xffe",
        b"\xffE",
        b"\xffx",
        b"\xffX",
        b"\xffn",
        b"\xfff",
        b"\xfft0",
        b"\xffT0",
        b"\xffp61000",
        b"\xffa",
        b"\xffd",
    ];
    prop_oneof![
        any::<u8>().prop_map(Fault::Byte),
        any::<Index>().prop_map(|index| Fault::Insert(index.get(&TEXTS).to_vec())),
        (1..40_usize).prop_map(Fault::Erase),
    ]
}
