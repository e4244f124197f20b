//! [`Ask`]: a request of a client that behaves, and the answer it must get.

use std::io;
use std::thread;
use std::time::Duration;

use crate::content::{Chance, Content};
use crate::ledger::Expected;
use crate::origin::{put, whole};
use crate::record::AGENT;
use crate::stage::Actor;
use crate::wire::{Framing, Head, Wire};

/// A request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    method: &'static str,
    /// What the origin is to do.
    what: &'static str,
    /// Bytes of content: of the request with `up`, of the response with all others.
    pub(crate) size: u64,
    /// How its end is told, `length`, `chunked` or, of a response, `close`.
    framing: &'static str,
    expects: bool,
    host: Host,
    /// The client says that it is its last one on this connection.
    pub(crate) is_last: bool,
}

/// Whom it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Host {
    /// The origin that keeps its connections, by its address or by its name.
    Keeping,
    /// The one that leaves now and then.
    Leaving,
}

impl Ask {
    /// A small one of any kind.
    pub(crate) fn small(chance: &mut Chance) -> Ask {
        match chance.below(8) {
            0 => Ask { method: "HEAD", ..Ask::download(chance.size(20_000), "length") },
            1 => Ask::upload(chance.size(4_000), chance),
            _ => Ask::download(chance.size(20_000), chance.one(&["length", "chunked"])),
        }
    }

    /// One for content.
    pub(crate) fn download(size: u64, framing: &'static str) -> Ask {
        let what = "down";
        let host = Host::Keeping;
        Ask { method: "GET", what, size, framing, expects: false, host, is_last: false }
    }

    /// One with content.
    pub(crate) fn upload(size: u64, chance: &mut Chance) -> Ask {
        let method = chance.one(&["POST", "PUT"]);
        let framing = chance.one(&["length", "chunked"]);
        let expects = chance.below(4) == 0 && size > 0;
        let host = Host::Keeping;
        Ask { method, what: "up", size, framing, expects, host, is_last: false }
    }

    /// The same, of which the origin makes something else.
    pub(crate) fn doing(self, what: &'static str) -> Ask {
        Ask { what, ..self }
    }

    /// The same, for the origin that leaves now and then.
    ///
    /// It is one of its own: where it leaves at the moment at which a request with content comes
    /// on the same connection, that request fails, since it must not be sent twice (RFC 9110
    /// §9.2.2). Nobody else is to meet with that.
    pub(crate) fn of_the_leaving(self) -> Ask {
        Ask { host: Host::Leaving, ..self }
    }

    /// The same, as the last one on its connection.
    pub(crate) fn last(self) -> Ask {
        Ask { is_last: true, ..self }
    }

    /// Puts it into the ledger.
    pub(crate) fn begin(&self, actor: &Actor, wire: &Wire) -> u64 {
        let what = format!("{} {} {} {}", self.method, self.what, self.size, self.framing);
        let expected = match (self.what, self.method) {
            ("up", _) => Expected::plain(200).bytes(self.size, whole(self.size).len() as u64),
            (_, "HEAD") => Expected::plain(200).bytes(0, 0),
            _ => Expected::plain(200).bytes(0, self.size),
        };
        actor.stage.ledger.begin(actor.name, what, wire.from, expected)
    }

    /// Its head.
    pub(crate) fn head(&self, actor: &Actor, number: u64) -> String {
        let &Ask { method, what, size, framing, .. } = self;
        let origin = match self.host {
            Host::Keeping if number.is_multiple_of(4) => actor.stage.origin_by_name.clone(),
            Host::Keeping => actor.stage.origin.to_string(),
            Host::Leaving => actor.stage.leaving.to_string(),
        };
        let mut head = format!(
            "{method} http://{origin}/{number}/{what}/{size}/{framing} HTTP/1.1\r\n\
             Host: {origin}\r\nUser-Agent: {AGENT}{number}\r\n"
        );
        match (what, framing) {
            ("up", "chunked") => head.push_str("Transfer-Encoding: chunked\r\n"),
            ("up", _) => head.push_str(&format!("Content-Length: {size}\r\n")),
            _ => {}
        }
        if self.expects {
            head.push_str("Expect: 100-continue\r\n");
        }
        if self.is_last {
            head.push_str("Connection: close\r\n");
        }
        head.push_str("\r\n");
        head
    }

    /// Sends it, begins it and waits for its answer, all in one. Returns whether the connection
    /// can be used again, or `None` if it went wrong, which is in the ledger.
    pub(crate) fn whole(&self, actor: &mut Actor, wire: &mut Wire) -> Option<bool> {
        let number = self.begin(actor, wire);
        let seen = self.send(actor, wire, number).and_then(|()| self.receive(wire, number));
        let kept = seen.as_ref().ok().copied();
        actor.stage.ledger.settle(number, &seen.map(drop));
        kept
    }

    /// Sends it.
    pub(crate) fn send(
        &self,
        actor: &mut Actor,
        wire: &mut Wire,
        number: u64,
    ) -> Result<(), String> {
        let most = 1 + actor.chance.below(64 * 1024);
        self.send_slowly(actor, wire, number, (most, Duration::ZERO))
    }

    /// Sends it, so many bytes of content at once, with a pause behind them.
    pub(crate) fn send_slowly(
        &self,
        actor: &Actor,
        wire: &mut Wire,
        number: u64,
        (most, pause): (u64, Duration),
    ) -> Result<(), String> {
        let sending = |error: io::Error| format!("while it sent: {error}");
        let mut message = self.head(actor, number).into_bytes();
        if self.what != "up" {
            return wire.send(&message).map_err(sending);
        }
        if self.expects {
            wire.send(&message).map_err(sending)?;
            message.clear();
            let head = answered(wire)?;
            if head.status() != Some(100) {
                return Err(format!("instead of 100: {head:?}"));
            }
        }
        let mut content = Content::of(number);
        let chunked = self.framing == "chunked";
        while content.position() < self.size {
            let count = most.min(self.size - content.position());
            put(&mut message, &mut content, count, chunked);
            wire.send(&message).map_err(sending)?;
            message.clear();
            thread::sleep(pause);
        }
        if chunked {
            message.extend_from_slice(b"0\r\n\r\n");
        }
        wire.send(&message).map_err(sending)
    }

    /// Reads its answer. Returns whether the connection can be used again.
    pub(crate) fn receive(&self, wire: &mut Wire, number: u64) -> Result<bool, String> {
        self.receive_slowly(wire, number, &mut || {})
    }

    /// The same, with a pause after each piece of content.
    pub(crate) fn receive_slowly(
        &self,
        wire: &mut Wire,
        number: u64,
        pause: &mut dyn FnMut(),
    ) -> Result<bool, String> {
        let mut head = answered(wire)?;
        if head.status() == Some(103) {
            head = answered(wire)?;
        }
        if head.status() != Some(200) {
            return Err(format!("instead of 200: {head:?}"));
        }
        if head.field("soak").and_then(|it| it.parse().ok()) != Some(number) {
            return Err(format!("an answer of another request: {head:?}"));
        }
        let framing = match self.method {
            "HEAD" => Framing::Length(0),
            _ => head.framing(Framing::Close),
        };
        let reading = |error| format!("in the content: {error}");
        if self.what == "up" {
            let mut said = Vec::new();
            let mut take = |piece: &[u8]| {
                said.extend_from_slice(piece);
                Ok(())
            };
            wire.body(framing, &mut take).map_err(reading)?;
            if said != whole(self.size).as_bytes() {
                return Err(format!("the origin says: {}", said.escape_ascii()));
            }
        } else {
            let mut content = Content::of(number);
            let mut take = |piece: &[u8]| {
                pause();
                let checked = content.check(piece);
                checked.map_err(|at| io::Error::other(format!("wrong at {at}")))
            };
            wire.body(framing, &mut take).map_err(reading)?;
            let is_whole = self.method == "HEAD" || content.position() == self.size;
            if !is_whole {
                return Err(format!("{} bytes instead of {}", content.position(), self.size));
            }
        }
        let is_last = self.is_last || head.is_last();
        if is_last && framing != Framing::Close {
            wire.ends()?;
        }
        Ok(!is_last && framing != Framing::Close)
    }
}

/// The next head.
pub(crate) fn answered(wire: &mut Wire) -> Result<Head, String> {
    match wire.head() {
        Ok(Some(head)) => Ok(head),
        Ok(None) => Err("the connection was closed instead of an answer".into()),
        Err(error) => Err(format!("instead of an answer: {error}")),
    }
}
