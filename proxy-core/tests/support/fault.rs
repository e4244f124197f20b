//! [`Fault`]: the ways in which an end of a connection can misbehave, each on command.

use super::Client;

/// What an end of a connection does wrong, from a moment on that the story chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Latency,
    Slicing,
    Stall,
    Blackhole,
    Truncation,
    Garbage,
    HalfClose,
    EarlyClose,
    Reset,
    Refusal,
}

impl Fault {
    pub const ALL: [Fault; 10] = [
        Fault::Latency,
        Fault::Slicing,
        Fault::Stall,
        Fault::Blackhole,
        Fault::Truncation,
        Fault::Garbage,
        Fault::HalfClose,
        Fault::EarlyClose,
        Fault::Reset,
        Fault::Refusal,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Fault::Latency => "latency",
            Fault::Slicing => "slicing",
            Fault::Stall => "stall",
            Fault::Blackhole => "blackhole",
            Fault::Truncation => "truncation",
            Fault::Garbage => "garbage",
            Fault::HalfClose => "half-close",
            Fault::EarlyClose => "early close",
            Fault::Reset => "reset",
            Fault::Refusal => "refusal",
        }
    }

    pub fn meaning(self) -> &'static str {
        match self {
            Fault::Latency => "pauses until the test says so, and then goes on",
            Fault::Slicing => "sends the rest byte by byte, each in a segment of its own",
            Fault::Stall => "sends nothing more, and still reads",
            Fault::Blackhole => {
                "neither sends nor reads any more, while the other end sends all it can"
            }
            Fault::Truncation => "leaves the next piece out, and goes on with what comes behind it",
            Fault::Garbage => "sends control bytes in the place of the next piece, and goes on",
            Fault::HalfClose => "ends its own direction (FIN), and still reads",
            Fault::EarlyClose => "closes the connection (FIN)",
            Fault::Reset => "breaks the connection off (RST)",
            Fault::Refusal => "does not let itself be connected to",
        }
    }

    /// Whether it ends the direction it sends in.
    pub fn ends(self) -> bool {
        matches!(self, Fault::HalfClose | Fault::EarlyClose | Fault::Reset)
    }
}

/// What is sent in the place of a piece: as long, and, where a head would end with it, with the
/// end of one. A place where nothing is due gets something nevertheless.
pub fn garbage(piece: &[u8]) -> Vec<u8> {
    const END: &[u8] = b"\r\n\r\n";
    let length = if piece.is_empty() { END.len() } else { piece.len() };
    let mut garbage = vec![1; length];
    if piece.is_empty() || piece.ends_with(END) {
        garbage.extend_from_slice(END);
    }
    garbage
}

impl Client {
    /// Misbehaves, now that `due` is what is left to say, in pieces. Gives the connection back,
    /// if it is still open at this end. Who sends without regard for errors may find that the
    /// other end has had enough: stories look at what that one does.
    ///
    /// The pause of [`Fault::Latency`] is the time before the call. A blackhole is one as long as
    /// the story does not read. A refusal has to come earlier: see [`Nobody`](super::Nobody).
    pub fn misbehave(mut self, fault: Fault, due: &[Vec<u8>]) -> Option<Client> {
        let (next, behind) = match due {
            [next, behind @ ..] => (next.as_slice(), behind.concat()),
            [] => (&b""[..], Vec::new()),
        };
        match fault {
            Fault::Latency => self.say([next, &behind].concat()),
            Fault::Slicing => due.concat().chunks(1).for_each(|byte| self.say(byte)),
            Fault::Truncation => self.say(behind),
            Fault::Garbage => self.say([garbage(next), behind].concat()),
            Fault::Stall | Fault::Blackhole => {}
            Fault::HalfClose => drop(self.stream().shutdown(std::net::Shutdown::Write)),
            Fault::EarlyClose => return None,
            Fault::Reset => {
                self.reset();
                return None;
            }
            Fault::Refusal => unreachable!("what is connected was not refused"),
        }
        Some(self)
    }
}
