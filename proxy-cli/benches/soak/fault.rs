//! [`Fault`]: how an origin goes wrong, and what must come of it.

use std::io;
use std::time::Duration;

use crate::ledger::Expected;
use crate::wire::Wire;

/// A way to go wrong.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    /// What is sent in answer to a request.
    sent: &'static [u8],
    then: Then,
    /// What the client is told: the status. What has begun as 200 can only be cut.
    pub(crate) status: u16,
    /// Why, as the log has it.
    reasons: &'static [&'static str],
}

/// What an origin does behind it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Close,
    Reset,
    /// It says nothing more until the other end goes away.
    Stall,
}

const CUT: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nhello";
const CHUNK: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";

/// All of them; a refused connection and slow bytes come besides.
#[rustfmt::skip] // a table: a row to a line
pub(crate) const FAULTS: [Fault; 14] = [
    fault("closes without an answer", b"", Then::Close, 502, &["upstream_closed"]),
    fault("resets without an answer", b"", Then::Reset, 502, &["upstream_closed"]),
    fault("says nothing", b"", Then::Stall, 504, &["response_head_timeout"]),
    fault("stalls in the head", b"HTTP/1.1 200 OK\r\nContent-Le", Then::Stall, 504, &["response_head_timeout"]),
    fault("closes in the head", b"HTTP/1.1 200 OK\r\nContent-Le", Then::Close, 502, &["upstream_closed"]),
    fault("sends garbage", b"\x00\xffnot HTTP at all\r\n\r\n", Then::Close, 502, &["bad_response"]),
    fault("greets as a mail server", b"220 mail.example ESMTP\r\n", Then::Close, 502, &["upstream_closed"]),
    fault("sends two lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", Then::Close, 502, &["bad_response_length"]),
    fault("sends interim responses only", concat_interim(), Then::Stall, 502, &["too_many_interim"]),
    fault("closes in the body", CUT, Then::Close, 200, &["upstream_closed_early"]),
    fault("resets in the body", CUT, Then::Reset, 200, &["upstream_closed_early"]),
    fault("stalls in the body", CUT, Then::Stall, 200, &["response_body_timeout"]),
    fault("closes between chunks", CHUNK, Then::Close, 200, &["upstream_closed_early"]),
    fault("stalls between chunks", CHUNK, Then::Stall, 200, &["response_body_timeout"]),
];

const fn fault(
    name: &'static str,
    sent: &'static [u8],
    then: Then,
    status: u16,
    reasons: &'static [&'static str],
) -> Fault {
    Fault { name, sent, then, status, reasons }
}

/// More than one request may have.
const fn concat_interim() -> &'static [u8] {
    const ONE: &[u8] = b"HTTP/1.1 103 Early Hints\r\n\r\n";
    const ALL: [u8; ONE.len() * 20] = {
        let mut all = [0; ONE.len() * 20];
        let mut at = 0;
        while at < all.len() {
            all[at] = ONE[at % ONE.len()];
            at += 1;
        }
        all
    };
    &ALL
}

impl Fault {
    /// What the log must say.
    pub(crate) fn expected(&self) -> Expected {
        Expected::ending(Some(self.status), self.reasons)
    }

    /// Plays the origin that goes wrong so.
    pub(crate) fn play(&self, mut wire: Wire) -> io::Result<()> {
        wire.send(self.sent)?;
        match self.then {
            Then::Close => {}
            Then::Reset => {
                // What was sent before a reset may be thrown away with it: the other end is given
                // a moment to take it. Either way the outcome is one that is expected.
                std::thread::sleep(Duration::from_millis(20));
                return wire.reset();
            }
            Then::Stall => {
                wire.rest();
            }
        }
        Ok(())
    }
}
