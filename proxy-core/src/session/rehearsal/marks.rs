//! What tells exchanges apart: a field that the proxy adds to all heads of one, its mark, and tags
//! in what upstreams say.

use std::collections::{HashMap, HashSet};

use super::canonical::{self, Ending, Message, Reading, Upgrade};
use super::peer::Peer;

/// The field that names the exchange a message belongs to, added in both directions. No script
/// knows it.
pub(super) const MARK: &str = "X-Rehearsed-As";

/// These four bytes of what an upstream says become a tag that tells on which connection, and
/// behind which of its requests, it has said it.
pub(super) const TAG: &[u8] = b"~~~~";

/// The tag of what is said on this connection when so many requests have begun to come there.
/// There is none where there are too many of either.
pub(super) fn tag(connection: usize, requests: usize) -> Option<[u8; 4]> {
    const DIGITS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let high = DIGITS.get(requests / DIGITS.len())?;
    let low = DIGITS[requests % DIGITS.len()];
    Some([TAG[0], *DIGITS.get(connection)?, *high, low])
}

/// To which exchange each tag belongs.
pub(super) fn owners(upstreams: &[Peer]) -> HashMap<Tag, u64> {
    let mut owners = HashMap::new();
    for (connection, upstream) in upstreams.iter().enumerate() {
        for (number, id) in marks(&upstream.got).enumerate() {
            owners.extend(tag(connection, number + 1).map(|tag| (tag, id)));
            if number == 0 {
                // What was said before its first request came in is an answer to that, at most.
                owners.extend(tag(connection, 0).map(|tag| (tag, id)));
            }
        }
    }
    owners
}

/// The exchanges that marks name, wherever they stand: no script has any, so that each of them
/// stands for a head that the proxy has written.
pub(super) fn marks(bytes: &[u8]) -> impl Iterator<Item = u64> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let ids: Vec<_> = text
        .split(MARK)
        .skip(1)
        .filter_map(|behind| behind.strip_prefix(": ")?.split_once('\r')?.0.parse().ok())
        .collect();
    ids.into_iter()
}

/// How many requests have come, or begun to come, in these bytes.
pub(super) fn requests_begun(bytes: &[u8]) -> usize {
    // Where an upgrade was refused, more requests come behind the one that asked for it; where it was
    // granted, what comes is no request, most often.
    let reading = canonical::requests(bytes, Upgrade::Refused)
        .or_else(|_| canonical::requests(bytes, Upgrade::Granted));
    match reading {
        Ok(Reading { messages, ending: Ending::Cut(_) }) => messages.len() + 1,
        Ok(Reading { messages, .. }) => messages.len(),
        Err(_) => 0, // the play is objected to for that
    }
}

pub(super) type Tag = [u8; 4];

/// The tags in a message: see [`Peer::lines`].
pub(super) fn tags(message: &Message) -> HashSet<Tag> {
    let fields = message.fields.iter().chain(&message.trailers);
    let texts = fields.flat_map(|(name, value)| [name.as_bytes(), value.as_slice()]);
    texts.chain([message.start.as_bytes(), &message.body]).flat_map(tags_in).collect()
}

pub(super) fn tags_in(text: &[u8]) -> impl Iterator<Item = Tag> {
    let fours = text.windows(4).map(|four| four.try_into().expect("four bytes"));
    fours.filter(|four: &Tag| four[0] == TAG[0] && four[1..].iter().all(u8::is_ascii_alphanumeric))
}
