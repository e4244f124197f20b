//! [`Script`]: what clients and upstreams do, and its form in bytes.
//!
//! A script is a line of settings and then acts. An act begins with the byte 0xFF and a letter;
//! what follows up to the next 0xFF belongs to it. So HTTP stands in a script as it is on the
//! wire, and a fuzzer that knows nothing of scripts still makes new ones.
//!
//! ```text
//! f p7 q3 m64 b100␤␀cGET http://a/ HTTP/1.1␍␤Host: a␍␤␍␤␀uHTTP/1.1 204 No Content␍␤␍␤␀e
//! │ │  │  │   │     └ the client sends   (␀ is 0xFF)       └ its upstream answers        └ FIN
//! │ │  │  │   └ the loop reads so much at once
//! │ │  │  └ so much may be on its way from the proxy to a far end
//! │ │  └ an upstream's bytes come in pieces of this size
//! │ └ a client's bytes come in pieces of this size
//! │   (also: l2, two connections to each upstream at most; v100, a hundred bytes a second at least;
//! │    t900, nine hundred bytes a second each way at most)
//! └ f: forward proxy; r: in front of one upstream; with ` i` behind, nobody ends at the end
//! ```

use std::time::Duration;

use super::marks::{MARK, TAG};

/// What is played.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) role: Role,
    pub(super) room: usize,
    pub(super) read_bytes: usize,
    pub(super) last: Last,
    /// How many connections each upstream may have.
    pub(super) connections: usize,
    /// How many bytes a second everybody must move, or 0.
    pub(super) least_rate: u64,
    /// How many bytes a second may go each way, or 0.
    pub(super) most_rate: u64,
    pub(super) acts: Vec<Act>,
}

/// What the proxy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Forward,
    Reverse,
}

/// How everything comes to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    /// All clients and upstreams end.
    Ends,
    /// Nobody does anything any more: time alone has to do it.
    Silence,
}

/// What happens next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    ClientArrives,
    ClientSends {
        bytes: Vec<u8>,
        piece: usize,
    },
    ClientFinishes,
    ClientResets,
    /// It takes so much in each turn from now on.
    ClientTakes(usize),
    UpstreamSends {
        bytes: Vec<u8>,
        piece: usize,
    },
    /// It sends what is not noticed before something else happens, too.
    UpstreamMutters(Vec<u8>),
    UpstreamFinishes,
    UpstreamResets,
    UpstreamTakes(usize),
    /// From now on this client acts, counted from the newest.
    Client(usize),
    /// From now on this upstream acts, counted from the newest.
    Speaker(usize),
    ConnectFails,
    TimePasses(Duration),
    /// The handler says this to all bodies that it has open.
    HandlerSays(Vec<u8>),
    /// They come to their end.
    HandlerFinishes,
    /// The proxy is told to come to an end, within ten seconds.
    Drain,
    /// The loop goes on until nothing moves.
    Settle,
    /// The poller tells of things that did not happen.
    FalseAlarm,
}

const SEPARATOR: u8 = 0xff;

/// A longer script finds nothing that a shorter one does not.
const MOST_BYTES: usize = 64 * 1024;

impl Script {
    /// Reads any bytes as a script, but for those that could be mistaken for marks.
    pub(super) fn read(bytes: &[u8]) -> Option<Script> {
        let marked =
            bytes.windows(MARK.len()).any(|part| part.eq_ignore_ascii_case(MARK.as_bytes()));
        if marked || bytes.len() > MOST_BYTES {
            return None;
        }
        let line_end = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len());
        let settings = String::from_utf8_lossy(&bytes[..line_end]).into_owned();
        let setting = |name: char, least: usize, otherwise: usize| {
            let given = settings.split(' ').find_map(|word| word.strip_prefix(name)?.parse().ok());
            usize::max(given.unwrap_or(otherwise), least)
        };
        let (client, upstream) = (setting('p', 1, 1 << 20), setting('q', 1, 1 << 20));
        let acts = bytes.get(line_end + 1..).unwrap_or_default();
        Some(Script {
            role: if settings.starts_with('r') { Role::Reverse } else { Role::Forward },
            last: if settings.split(' ').any(|word| word == "i") {
                Last::Silence
            } else {
                Last::Ends
            },
            connections: setting('l', 1, usize::MAX),
            least_rate: setting('v', 0, 0) as u64,
            most_rate: setting('t', 0, 0) as u64,
            room: setting('m', 1, 1 << 20),
            read_bytes: setting('b', 1, 4096).min(1 << 16),
            acts: acts
                .split(|&byte| byte == SEPARATOR)
                .filter(|act| !act.is_empty())
                .map(|act| Act::read(act, client, upstream))
                .collect(),
        })
    }
}

impl Act {
    fn read(act: &[u8], client: usize, upstream: usize) -> Act {
        let (&letter, rest) = act.split_first().expect("empty acts are left out");
        let number = || String::from_utf8_lossy(rest).trim().parse::<u32>().unwrap_or(0);
        match letter {
            b'n' => Act::ClientArrives,
            b'e' => Act::ClientFinishes,
            b'x' => Act::ClientResets,
            b't' => Act::ClientTakes(number() as usize),
            b'u' => Act::UpstreamSends { bytes: rest.to_vec(), piece: upstream },
            b'U' => Act::UpstreamMutters(rest.to_vec()),
            b'E' => Act::UpstreamFinishes,
            b'X' => Act::UpstreamResets,
            b'T' => Act::UpstreamTakes(number() as usize),
            b'k' => Act::Client(number() as usize % 4),
            b's' => Act::Speaker(number() as usize % 8),
            b'f' => Act::ConnectFails,
            b'p' => Act::TimePasses(Duration::from_millis(number().into())),
            b'd' => Act::Drain,
            b'w' => Act::Settle,
            b'a' => Act::FalseAlarm,
            b'h' => Act::HandlerSays(untagged(rest)),
            b'H' => Act::HandlerFinishes,
            b'c' => Act::client_sends(rest, client),
            _ => Act::client_sends(act, client),
        }
    }

    /// A client cannot know how upstreams tag what they say.
    fn client_sends(bytes: &[u8], piece: usize) -> Act {
        Act::ClientSends { bytes: untagged(bytes), piece }
    }
}

fn untagged(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|&byte| if byte == TAG[0] { b'-' } else { byte }).collect()
}
