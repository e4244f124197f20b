//! [`BodyLength`]: where a body ends, decided once for each message (RFC 9112 §6).

use super::field::FieldKind;
use super::list;
use super::{Error, Version};

/// How the end of a message's body is found (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BodyLength {
    /// There is no body, and nothing said of its length.
    #[default]
    None,
    /// This many bytes, as `Content-Length` says. May be 0.
    Exact(u64),
    /// Chunks, the last of which is empty (RFC 9112 §7.1).
    Chunked,
    /// All that comes until the connection is closed. Responses only.
    UntilClose,
}

/// What the fields of one head say about the length of its body.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Framing {
    content_length: Option<u64>,
    coding: Option<TransferCoding>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TransferCoding {
    Chunked,
    /// Well-formed, ends a message in a way that could be known, but not here.
    Unknown,
    /// Anything else: who reads it otherwise finds another end.
    Malformed,
}

/// Whether `Content-Length` may be said more than once, as long as it says the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeats {
    /// In requests: no client does it, attackers do.
    Refuse,
    /// In responses: RFC 9110 §8.6 allows it, servers behind gateways do it.
    Collapse,
}

/// What sort of answer a response is: its length depends on it (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResponseTo {
    Head,
    Connect,
    Other,
}

impl Framing {
    /// Takes note of a field. Most say nothing about length.
    pub(crate) fn note(
        &mut self,
        kind: FieldKind,
        value: &[u8],
        repeats: Repeats,
    ) -> Result<(), Error> {
        match kind {
            FieldKind::ContentLength => self.note_content_length(value, repeats),
            FieldKind::TransferEncoding => {
                self.coding = Some(match self.coding {
                    None => TransferCoding::of(value),
                    // Lines of one list, RFC 9110 §5.3; but chunked must not be applied twice,
                    // and nothing else is understood.
                    Some(_) => TransferCoding::Malformed,
                });
                Ok(())
            }
            FieldKind::FramingLookalike => Err(Error::Length),
            _ => Ok(()),
        }
    }

    fn note_content_length(&mut self, value: &[u8], repeats: Repeats) -> Result<(), Error> {
        let mut note = |digits: &[u8]| {
            let length = list::decimal(digits).ok_or(Error::Length)?;
            match self.content_length.replace(length) {
                None => Ok(()),
                Some(before) if before == length && repeats == Repeats::Collapse => Ok(()),
                Some(_) => Err(Error::Length),
            }
        };
        match repeats {
            Repeats::Refuse => note(value),
            // Not `members`: an empty member is no number.
            Repeats::Collapse => {
                value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).try_for_each(note)
            }
        }
    }

    /// RFC 9112 §6.1 and §6.3, what is common to both directions.
    fn transfer_encoding(self, version: Version) -> Result<Option<BodyLength>, Error> {
        let Some(coding) = self.coding else {
            return Ok(None);
        };
        // §6.3 (3): Transfer-Encoding would override Content-Length, and "ought to be handled
        // as an error" is what it is.
        if self.content_length.is_some() {
            return Err(Error::Length);
        }
        // §6.1: in a 1.0 message the framing is to be treated as faulty.
        if version == Version::Http10 {
            return Err(Error::Length);
        }
        match coding {
            TransferCoding::Chunked => Ok(Some(BodyLength::Chunked)),
            TransferCoding::Unknown => Err(Error::TransferCoding),
            TransferCoding::Malformed => Err(Error::Length),
        }
    }

    /// The length of a request's body.
    pub(crate) fn of_request(self, method: &str, version: Version) -> Result<BodyLength, Error> {
        let length = match (self.transfer_encoding(version)?, self.content_length) {
            // §6.3 (4), chunked.
            (Some(chunked), _) => chunked,
            // §6.3 (6).
            (None, Some(length)) => BodyLength::Exact(length),
            // §6.3 (7).
            (None, None) => BodyLength::None,
        };
        match (method, length) {
            // RFC 9110 §9.3.6: a CONNECT has no content, what follows is the tunnel's. Old
            // Windows clients say so with "Content-Length: 0".
            ("CONNECT", BodyLength::None | BodyLength::Exact(0)) => Ok(BodyLength::None),
            ("CONNECT", _) => Err(Error::Length),
            // RFC 9110 §9.3.8: a TRACE must have no content.
            ("TRACE", BodyLength::Chunked | BodyLength::Exact(1..)) => Err(Error::Length),
            (_, length) => Ok(length),
        }
    }

    /// The length of a response's body.
    pub(crate) fn of_response(
        self,
        to: ResponseTo,
        status: u16,
        version: Version,
    ) -> Result<BodyLength, Error> {
        // Malformed framing is refused even where it does not matter: an upstream that is
        // wrong about it here is wrong about where its next response begins.
        let chunked = self.transfer_encoding(version)?;
        match (to, status) {
            // RFC 9110 §8.6, §6.1: a 1xx must not say so. Who believes it reads the beginning of
            // the final response as its content.
            // (Behind a 101 comes no response that it could be taken for.)
            (_, 100 | 102..=199) if self.announces_content() => Err(Error::Length),
            // §6.3 (1).
            (ResponseTo::Head, _) | (_, 100..=199 | 204 | 304) => Ok(BodyLength::None),
            // §6.3 (2): the tunnel begins.
            (ResponseTo::Connect, 200..=299) => Ok(BodyLength::None),
            _ => Ok(match (chunked, self.content_length) {
                // §6.3 (4).
                (Some(chunked), _) => chunked,
                // §6.3 (5), (6).
                (None, Some(length)) => BodyLength::Exact(length),
                // §6.3 (8).
                (None, None) => BodyLength::UntilClose,
            }),
        }
    }

    /// Whether the head announces content, though the message may have none (as to `HEAD`).
    pub(crate) fn announces_content(self) -> bool {
        self.coding.is_some() || self.content_length.is_some_and(|length| length > 0)
    }
}

impl TransferCoding {
    /// "Exactly `chunked`" is all that is understood. Of the rest, a list of tokens with an
    /// unknown one in it is told from plain nonsense; `chunked` before the end, or twice, is
    /// nonsense (RFC 9112 §6.1, §7.1).
    fn of(value: &[u8]) -> TransferCoding {
        if value.eq_ignore_ascii_case(b"chunked") {
            return TransferCoding::Chunked;
        }
        let mut codings =
            value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).rev().enumerate();
        let is_well_formed = codings.all(|(place, coding)| {
            list::is_token(coding) && (place == 0 || !coding.eq_ignore_ascii_case(b"chunked"))
        });
        if is_well_formed { TransferCoding::Unknown } else { TransferCoding::Malformed }
    }
}

#[cfg(test)]
mod tests;
