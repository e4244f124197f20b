//! Rows over real sockets: whole, in pieces, and with another message behind them.

use std::net::{Shutdown, TcpStream};

use super::canonical::{self, Ending, Upgrade};
use super::recorder::{NEXT_ANSWER, Recorder, Script};
use super::rows::{After, End, Reached, Received, RequestRow, ResponseRow, Then};
use super::search::{find, placed, replaced};
use super::support::{PATIENCE, Stage};
use super::wire::{Manner, anonymous, answers, connect, count, pieces, read, send, told};

const NEXT: &[u8] = b"GET http://{origin}/next HTTP/1.1\r\nHost: {origin}\r\n\r\n";
const NEXT_ON: &[u8] = b"GET /next HTTP/1.1\r\nHost: {origin}\r\nVia: 1.1 PROXY\r\n\r\n";
/// What stands behind a response that nobody has asked for.
const EXTRA: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nX: poison\r\n\r\npoison";

/// A proxy's client beside its origin: one row after another.
pub struct Bench<'a> {
    stage: &'a Stage,
    origin: Recorder,
    fence: TcpStream,
}

impl Bench<'_> {
    pub fn new(stage: &Stage, origin: Recorder) -> Bench<'_> {
        Bench { stage, origin, fence: connect(stage) }
    }

    fn placed(&self, bytes: &[u8]) -> Vec<u8> {
        placed(bytes, &self.origin.address.to_string())
    }

    /// Runs a row, and says what is wrong.
    pub fn request(&mut self, row: &RequestRow, manner: Manner) -> Result<(), String> {
        if row.ends && manner == Manner::Followed {
            return Ok(()); // nothing follows an end
        }
        self.origin.set(Script::Answers);
        let before = self.origin.visits();
        let mut client = connect(self.stage);
        let mut sent = self.placed(&row.sent);
        let goes_on = match row.outcome.after {
            After::Open | After::Tunnel => true,
            After::OpenIfAlone => manner != Manner::Followed,
            After::Closed => false,
        };
        if manner == Manner::Followed {
            sent.extend_from_slice(&self.placed(NEXT));
        }
        send(&mut client, &sent, manner);
        if row.ends {
            let _ = client.shutdown(Shutdown::Write);
        }
        let mut answers = row.outcome.answers.clone();
        let mut received = Vec::new();
        if goes_on {
            read(&mut client, &mut received, |bytes| count(bytes) >= answers.len());
            if manner != Manner::Followed {
                send(&mut client, &self.placed(NEXT), Manner::Whole);
            }
            answers.push(200);
            read(&mut client, &mut received, |bytes| count(bytes) >= answers.len());
        } else {
            read(&mut client, &mut received, |_| false);
        }
        drop(client);
        self.judge_answers(row, &answers, &received)?;
        self.judge_origin(row, goes_on, before)
    }

    fn judge_answers(
        &self,
        row: &RequestRow,
        expected: &[u16],
        received: &[u8],
    ) -> Result<(), String> {
        let shown = || format!("the client got: {}", received.escape_ascii());
        let (statuses, reasons) =
            answers(received, "GET").map_err(|what| format!("{what}; {}", shown()))?;
        if statuses != expected {
            return Err(format!("answered with {statuses:?}, not {expected:?}; {}", shown()));
        }
        let Some(reason) = row.outcome.reason else { return Ok(()) };
        let at = row.outcome.answers.len() - 1;
        match reasons[at].contains(&told(reason)) {
            true => Ok(()),
            false => Err(format!("the reason is not {reason}; {}", shown())),
        }
    }

    fn judge_origin(&mut self, row: &RequestRow, goes_on: bool, from: usize) -> Result<(), String> {
        // Whatever was on its way to the origin has been connected before this.
        let fence = self.placed(&replaced(NEXT, b"/next", b"/fence"));
        send(&mut self.fence, &fence, Manner::Whole);
        let mut fenced = Vec::new();
        read(&mut self.fence, &mut fenced, |bytes| count(bytes) >= 1);
        let Some(mut visits) = self.origin.recorded(from, PATIENCE) else {
            return Err("a connection to the origin is not closed".to_owned());
        };
        if !visits.pop().is_some_and(|last| last.starts_with(b"GET /fence ")) {
            return Err("the last connection to the origin is another one".to_owned());
        }
        let got = anonymous(&visits.concat());
        let shown = format!("the origin got: {}", got.escape_ascii());
        let mut expected = match &row.outcome.origin {
            Reached::Nothing => Vec::new(),
            Reached::Exactly(bytes) => self.placed(bytes),
            Reached::Unfinished => {
                for visit in &visits {
                    match canonical::requests(visit, Upgrade::Refused) {
                        Ok(reading) if reading.messages.is_empty() => {}
                        Ok(_) => return Err(format!("it looks whole; {shown}")),
                        Err(problem) => return Err(format!("{problem:?}; {shown}")),
                    }
                }
                return Ok(());
            }
        };
        if goes_on && row.outcome.after == After::Tunnel {
            expected.extend_from_slice(&self.placed(NEXT));
        } else if goes_on {
            expected.extend_from_slice(&self.placed(NEXT_ON));
        }
        if got != expected {
            return Err(format!("expected: {}; {shown}", expected.escape_ascii()));
        }
        if row.outcome.after != After::Tunnel {
            for visit in &visits {
                match canonical::requests(visit, Upgrade::Refused) {
                    Ok(reading) if reading.ending == Ending::Whole => {}
                    other => return Err(format!("not canonical: {other:?}; {shown}")),
                }
            }
        }
        Ok(())
    }

    /// Runs a row, and says what is wrong.
    pub fn response(&mut self, row: &ResponseRow, manner: Manner) -> Result<(), String> {
        let mut sent = self.placed(&row.sent);
        let is_until_close =
            matches!(row.received, Received::Relayed(_, End::Closed) | Received::Spoilt(..));
        let mut end = match &row.received {
            Received::Refused(..) => End::Dropped,
            Received::Spoilt(..) => End::Closed,
            Received::Relayed(_, end) => *end,
        };
        if manner == Manner::Followed {
            if is_until_close || row.then != Then::Stays {
                return Ok(()); // what follows would be the body, or could not follow
            }
            sent.extend_from_slice(EXTRA);
            end = End::Dropped;
        }
        let pieces = match manner {
            Manner::Pieces => pieces(&sent).iter().map(|piece| piece.to_vec()).collect(),
            _ => vec![sent],
        };
        let first = self.origin.visits();
        let before = first.saturating_sub(1);
        let (ends, early) = (row.then == Then::Ends, row.then == Then::Early);
        self.origin.set(Script::Plays { pieces, ends, early });
        let mut client = connect(self.stage);
        send(&mut client, &self.placed(&row.request), Manner::Whole);
        let mut received = Vec::new();
        let goes_on = matches!(end, End::Kept | End::Dropped);
        let method = String::from_utf8_lossy(&row.request);
        let method = method.split(' ').next().unwrap_or_default();
        let is_refusal = |bytes: &[u8], status, reason: &str| {
            answers(bytes, method).is_ok_and(|(statuses, reasons)| {
                statuses == [status] && reasons[0].contains(&told(reason))
            })
        };
        let was_reset = read(&mut client, &mut received, |bytes| match &row.received {
            Received::Refused(status, reason) => is_refusal(bytes, *status, reason),
            Received::Spoilt(_, reason) => is_refusal(bytes, 502, reason),
            Received::Relayed(expected, _) => {
                goes_on && anonymous(bytes).len() >= self.placed(expected).len()
            }
        });
        let got = anonymous(&received);
        let shown = format!("the client got: {}", got.escape_ascii());
        let is_as_expected = match &row.received {
            Received::Refused(status, reason) => is_refusal(&received, *status, reason),
            // Where nothing but the end tells that it is not whole, the end is a reset.
            Received::Spoilt(most, reason) => {
                let has_chunks = find(&got, b"Transfer-Encoding").is_some();
                is_refusal(&received, 502, reason)
                    || most.starts_with(&got) && was_reset != has_chunks
            }
            Received::Relayed(expected, _) => got == self.placed(expected) && !was_reset,
        };
        if !is_as_expected {
            let expected = match &row.received {
                Received::Relayed(bytes, _) | Received::Spoilt(bytes, _) => {
                    bytes.escape_ascii().to_string()
                }
                refused => format!("{refused:?}"),
            };
            return Err(format!("{shown}; reset: {was_reset}; expected: {expected}"));
        }
        self.judge_canonical(row, &received)?;
        if row.then == Then::Early {
            return self.judge_cut(first);
        }
        if !goes_on {
            return Ok(());
        }
        if manner == Manner::Pieces && end == End::Dropped {
            // What comes behind the answer may come later than it: the proxy has to see it.
            self.origin.wait_until_played(PATIENCE);
            self.stage.settle();
        }
        self.judge_next(row, client, end, before)
    }

    /// The origin got no request that looks whole, and its connection has ended.
    fn judge_cut(&self, from: usize) -> Result<(), String> {
        let visits = self.origin.recorded(from, PATIENCE).ok_or("its connection is not closed")?;
        for visit in &visits {
            match canonical::requests(visit, Upgrade::Refused) {
                Ok(reading) if reading.messages.is_empty() => {}
                other => return Err(format!("the origin got {other:?}")),
            }
        }
        Ok(())
    }

    /// What the client got is canonical as far as it goes.
    fn judge_canonical(&self, row: &ResponseRow, received: &[u8]) -> Result<(), String> {
        let method = String::from_utf8_lossy(&row.request);
        let method = method.split(' ').next().unwrap_or_default();
        match canonical::responses(received, &[method]) {
            Ok(_) => Ok(()),
            Err(problem) => Err(format!("{problem:?}: {}", received.escape_ascii())),
        }
    }

    fn judge_next(
        &self,
        row: &ResponseRow,
        mut client: TcpStream,
        end: End,
        from: usize,
    ) -> Result<(), String> {
        let row_visit = self.origin.visit_of(from, "/").ok_or("the row's request is not there")?;
        if let Then::Adds(bytes) = row.then {
            self.origin.add(row_visit, bytes);
            self.stage.settle();
        }
        send(&mut client, &self.placed(NEXT), Manner::Whole);
        let mut received = Vec::new();
        read(&mut client, &mut received, |bytes| count(bytes) >= 1);
        let expected = replaced(NEXT_ANSWER, b"\r\n\r\n", b"\r\nVia: 1.1 PROXY\r\n\r\n");
        let got = anonymous(&received);
        if got != expected {
            return Err(format!("the next answer is: {}", got.escape_ascii()));
        }
        let next_visit = self.origin.visit_of(row_visit, "/next").ok_or("no next request")?;
        match (end == End::Kept, next_visit == row_visit) {
            (true, true) | (false, false) => Ok(()),
            (true, false) => Err("the origin's connection was not used again".to_owned()),
            (false, true) => Err("the origin's connection was used again".to_owned()),
        }
    }
}
