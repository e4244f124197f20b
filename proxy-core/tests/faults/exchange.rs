//! Faults while a request is sent and answered.

use std::io::ErrorKind;

use crate::case::{Case, Flooding, LAST, flood, serves};
use crate::phase::{Framing, Phase, message};
use crate::rule::Verdict;
use crate::support::{Client, Crowd, Door, Fault, Nobody, Stage, garbage, until};

/// A body that no buffers between two ends can hold.
const ENDLESS: usize = 1 << 40;

impl Case {
    /// There is no connection yet.
    pub fn connecting(self, stage: &Stage) {
        let get = |address| format!("GET http://{address}/ HTTP/1.1\r\nHost: x\r\n\r\n");
        let mut client = stage.client();
        match (self.fault, self.verdict) {
            (Fault::Refusal, Verdict::Told(reason)) => {
                let nobody = Nobody::listens();
                client.send(get(nobody.address)).expect_told(reason);
            }
            (Fault::Blackhole, Verdict::Told(reason)) => {
                let crowd = Crowd::new();
                client.send(get(crowd.address)).expect_told(reason);
            }
            (fault, Verdict::Closed) => {
                // At once: whether the proxy has accepted the connection yet is its own affair.
                if let Some(mut client) = client.misbehave(fault, &[]) {
                    client.expect_end();
                }
            }
            other => unreachable!("the rule says nothing of {other:?}"),
        }
        self.expect_records(stage);
    }

    /// The upstream misbehaves in its response. Gives the client, if its connection is to go on.
    pub fn response(self, stage: &Stage) -> Option<Client> {
        let (at, framing) = self.phase.in_message().expect("a message is sent");
        let pieces = message("HTTP/1.1 200 OK", framing);
        let (door, mut client) = (Door::open(), stage.client());
        let mut flooding = match self.fault {
            Fault::Blackhole => Some(upload(&door, &mut client)),
            _ => {
                client.send(door.get());
                None
            }
        };
        let mut upstream = door.take();
        if flooding.is_none() {
            upstream.head();
        }
        upstream.say(pieces[..at].concat());
        // An end must be seen behind what came before it, but a reset would overtake that.
        let at_once = self.phase == Phase::AtEnd(Framing::Length) && self.fault != Fault::Reset;
        if at >= 2 && !at_once {
            expect_begun(&mut client, &pieces[2..at]);
        }
        if self.fault == Fault::Latency {
            stage.settle();
            client.expect_silence();
        }
        let mut upstream = upstream.misbehave(self.fault, &pieces[at..]);
        if let Some(upstream) = &mut upstream
            && framing == Framing::Close
            && self.verdict == Verdict::Served
            && !self.fault.ends()
        {
            // That is due, too: the response has no other end.
            upstream.end();
        }
        if at >= 2 && at_once {
            expect_begun(&mut client, &pieces[2..at]);
        }
        match self.verdict {
            Verdict::Served => {
                if at < 2 {
                    assert!(client.head().starts_with("HTTP/1.1 200 "));
                }
                client.expect_bytes(&self.rest(&pieces, at));
                if framing == Framing::Close {
                    client.expect_end();
                }
            }
            Verdict::Told(reason) => client.expect_told(reason),
            Verdict::Cut(_) => self.expect_cut(&mut client, &pieces, flooding.take()),
            other => unreachable!("the rule does not say {other:?} of a response"),
        }
        self.expect_records(stage);
        let is_told_all = !matches!(self.verdict, Verdict::Cut(_));
        let goes_on = is_told_all && framing != Framing::Close && self.fault != Fault::Blackhole;
        let client = goes_on.then_some(client);
        if let Some(flooding) = flooding {
            flooding.join().unwrap();
        }
        // The upstream's connection is over, unless all was well. If it was in the middle of a
        // request, that must not look whole.
        if let Some(mut upstream) = upstream {
            if self.fault == Fault::Blackhole {
                upstream.expect_reset();
            } else if self.is_upstream_over() {
                let _ = upstream.rest();
            }
        }
        client
    }

    /// The client got a part of the body, and an end that shows that it is one.
    fn expect_cut(self, client: &mut Client, pieces: &[Vec<u8>], flooding: Option<Flooding>) {
        let (at, framing) = self.phase.in_message().expect("a message is sent");
        // Of a sender and a reader of one connection, the first to look is told of a reset.
        let told_before = flooding.map(|flooding| flooding.join().unwrap());
        match client.rest().map_err(|error| error.kind()) {
            Ok(_) if told_before == Some(ErrorKind::ConnectionReset) => {}
            Ok(rest) => {
                let body = [pieces[2..at].concat(), rest].concat();
                assert!(!is_whole(&body, pieces, framing), "the response looks whole");
            }
            // Where there is no other way to tell; and who is cut while it sends may find its
            // connection reset, too.
            Err(error) => {
                assert!(framing == Framing::Close || self.fault == Fault::Blackhole, "{error}");
                assert_eq!(error, ErrorKind::ConnectionReset);
            }
        }
    }

    /// Whether the upstream's connection must have been closed by the proxy, since it cannot be
    /// used for another request.
    fn is_upstream_over(self) -> bool {
        let has_too_much =
            (self.phase, self.fault) == (Phase::AtEnd(Framing::Length), Fault::Garbage);
        self.verdict != Verdict::Served || self.fault.ends() || has_too_much
    }

    /// The client misbehaves in its request, or while it has none.
    pub fn request(self, stage: &Stage) {
        let (at, framing) = self.phase.in_message().unwrap_or((0, Framing::Length));
        let (door, mut client) = (Door::open(), stage.client());
        if self.phase == Phase::Idle {
            serves(stage, &mut client);
        }
        let pieces =
            message(&format!("POST http://{}/ HTTP/1.1\r\nHost: x", door.address), framing);
        client.say(pieces[..at].concat());
        if at == 0 && self.fault.ends() {
            until(stage, |all| all.idle_clients == 1);
        }
        let mut upstream = (at >= 2).then(|| {
            let mut upstream = door.take();
            upstream.head();
            upstream.expect_bytes(&pieces[2..at].concat());
            upstream
        });
        if at == 1 && self.fault == Fault::Reset {
            // A reset overtakes what was sent before.
            until(stage, |all| all.busy_clients == 1);
        }
        if self.fault == Fault::Latency {
            stage.settle();
            match &mut upstream {
                Some(upstream) => upstream.expect_silence(),
                None => door.expect_nobody(),
            }
        }
        let mut client = client.misbehave(self.fault, &pieces[at..]);
        match self.verdict {
            Verdict::Served | Verdict::ServedThen(_) => {
                let mut upstream = upstream.unwrap_or_else(|| {
                    let mut upstream = door.take();
                    upstream.head();
                    upstream
                });
                upstream.expect_bytes(&self.rest(&pieces, at));
                if self.fault.ends() {
                    // The answer comes when the client's end has been seen.
                    stage.settle();
                }
                let is_last = !matches!(self.verdict, Verdict::ServedThen(_));
                upstream.send(if is_last {
                    LAST
                } else {
                    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
                });
                if let Some(client) = &mut client {
                    assert_eq!(client.answer().text(), "ok");
                    if let Verdict::ServedThen(reason) = self.verdict {
                        client.expect_told(reason);
                    }
                }
                self.expect_records(stage);
            }
            Verdict::Cut(_) => {
                let upstream = upstream.as_mut().expect("the request has been sent on");
                upstream.say(format!("HTTP/1.1 200 OK\r\nContent-Length: {ENDLESS}\r\n\r\n"));
                let flooding = flood(upstream.stream());
                self.expect_records(stage);
                flooding.join().unwrap();
            }
            Verdict::Told(_) | Verdict::Left(_) | Verdict::Closed => {
                // A client that does not read is told nevertheless, and finds it when it does.
                self.expect_records(stage);
                match (&mut client, self.verdict) {
                    (Some(client), Verdict::Told(reason)) => client.expect_told(reason),
                    (Some(client), Verdict::Closed) => client.expect_end(),
                    (Some(client), _) => assert_eq!(client.rest().unwrap_or_default(), b""),
                    (None, _) => {}
                }
                match upstream {
                    Some(mut upstream) => {
                        let body = [pieces[2..at].concat(), upstream.expect_reset()].concat();
                        let was_whole = self.phase == Phase::AtEnd(Framing::Length);
                        assert_eq!(is_whole(&body, &pieces, framing), was_whole, "the request");
                    }
                    None => door.expect_nobody(),
                }
            }
            other => unreachable!("the rule does not say {other:?} of a request"),
        }
    }

    /// The upstream misbehaves while its connection is kept for the next request.
    pub fn idle_upstream(self, stage: &Stage) {
        let (door, mut client) = (Door::open(), stage.client());
        client.send(door.get());
        let mut upstream = door.take();
        upstream.answer_with("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        assert_eq!(client.answer().text(), "ok");
        assert_eq!(stage.outcome(), (Some(200), None));
        until(stage, |all| all.idle_upstreams == 1);
        let upstream = upstream.misbehave(self.fault, &[]);
        match self.verdict {
            Verdict::Served => {
                until(stage, |all| all.idle_upstreams == 0);
                client.send(door.get());
                door.take().answer_with(LAST);
                assert_eq!(client.answer().text(), "ok");
                self.expect_records(stage);
            }
            Verdict::Told(reason) => {
                let flooding = upload(&door, &mut client);
                client.expect_told(reason);
                self.expect_records(stage);
                drop(client);
                flooding.join().unwrap();
                upstream.expect("it is still there").expect_reset();
            }
            other => unreachable!("the rule does not say {other:?} of an idle connection"),
        }
    }

    /// What the other end is to get behind the piece `at`: of a head nothing, since that is
    /// written anew.
    fn rest(self, pieces: &[Vec<u8>], at: usize) -> Vec<u8> {
        let is_message = self.phase != Phase::AtEnd(Framing::Length);
        match (self.fault, &pieces[at.max(2)..]) {
            (Fault::Garbage, [next, behind @ ..]) if is_message => {
                [garbage(next), behind.concat()].concat()
            }
            (Fault::Truncation, [_, behind @ ..]) => behind.concat(),
            (fault, _) if fault.ends() => Vec::new(),
            (_, due) => due.concat(),
        }
    }
}

/// Whether a receiver of `body` takes it for all of the message in `pieces`, where the connection
/// ends behind it.
fn is_whole(body: &[u8], pieces: &[Vec<u8>], framing: Framing) -> bool {
    match framing {
        Framing::Length => body.len() >= pieces[2..].concat().len(),
        Framing::Chunked => body.ends_with(b"0\r\n\r\n"),
        Framing::Close => true,
    }
}

/// The client has got the head, and these pieces of the body.
fn expect_begun(client: &mut Client, body: &[Vec<u8>]) {
    assert!(client.head().starts_with("HTTP/1.1 200 "));
    client.expect_bytes(&body.concat());
}

/// The client sends what has no end.
fn upload(door: &Door, client: &mut Client) -> Flooding {
    client.send(format!(
        "POST http://{}/ HTTP/1.1\r\nHost: x\r\nContent-Length: {ENDLESS}\r\n\r\n",
        door.address
    ));
    flood(client.stream())
}
