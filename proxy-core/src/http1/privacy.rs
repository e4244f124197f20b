//! [`Privacy`]: what a request may tell of its client.

use super::RequestHead;
use super::field::FieldKind;
use super::list;
use super::target::TargetForm;

/// How much of what a request tells of its client goes on to the upstream. What a browser says is
/// seldom asked for and adds up: to who somebody is, where they come from, and which of thousands of
/// devices they hold.
///
/// [`off`](Self::off), the default, changes nothing. Each field can be set on its own:
///
/// ```
/// use proxy_core::{Privacy, UserAgent};
///
/// let mut privacy = Privacy::standard();
/// privacy.user_agent = UserAgent::General;
/// ```
///
/// It reaches what the proxy can read: requests in the clear, not those in a tunnel, and no bodies
/// and cookies. What [`ForwardingPolicy`](crate::ForwardingPolicy) tells is told all the same: it
/// has been asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Privacy {
    /// Fields in which an address of the client, or the number of a subscriber, is claimed:
    /// `Forwarded`, `X-Forwarded-For` and their like, `X-Real-IP`, `True-Client-IP`, `X-UIDH`.
    pub claims: Telling,
    /// The names of proxies between the client and this one, in `Via`. Hidden, they are called
    /// `hidden`; that there were some, and which versions they spoke, is told all the same (RFC 9110
    /// §7.6.3). The name of this one is a pseudonym in any case, another one after each start.
    pub hops: Telling,
    /// `From`, an address for mail (RFC 9110 §10.1.2).
    pub from: Telling,
    /// `Referer`, the page that led here (RFC 9110 §10.1.3).
    pub referer: Referer,
    /// `User-Agent` (RFC 9110 §10.1.5).
    pub user_agent: UserAgent,
    /// Client hints: `Sec-CH-…` and their older kin, which describe the device.
    pub client_hints: ClientHints,
}

/// Whether something goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// As it came.
    Keep,
    /// It does not.
    Hide,
}

/// What becomes of `Referer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Referer {
    /// It goes on as it came.
    Keep,
    /// Only the site that it names goes on, to another site; to the same, all of it, unless the way
    /// there is less secure than the way it came. Browsers do so by default, other clients do not.
    Origin,
    /// It ends here.
    Hide,
}

/// What becomes of `User-Agent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserAgent {
    /// It goes on as it came.
    Keep,
    /// [`GENERAL`](Self::GENERAL) goes on in its place. Sites that look for a certain program may
    /// show another page.
    General,
    /// It ends here. Some sites refuse requests without it.
    Hide,
}

/// What becomes of client hints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientHints {
    /// They go on as they came.
    Keep,
    /// Those go on that browsers send unasked: the brand, the name of the system, whether it is a
    /// mobile device, and the wish for less data. Those that tell devices apart end here.
    Basic,
    /// They end here.
    Hide,
}

/// What becomes of a field.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told<'v> {
    Whole,
    Instead(&'v [u8]),
    /// A `Via` without the names of those who were there before.
    WithoutNames,
    Nothing,
}

impl UserAgent {
    /// What is told in place of any program's name: what nearly all of them begin with.
    pub const GENERAL: &'static str = "Mozilla/5.0";
}

impl Default for Privacy {
    fn default() -> Privacy {
        Privacy::off()
    }
}

impl Privacy {
    /// Everything goes on.
    pub const fn off() -> Privacy {
        Privacy {
            claims: Telling::Keep,
            hops: Telling::Keep,
            from: Telling::Keep,
            referer: Referer::Keep,
            user_agent: UserAgent::Keep,
            client_hints: ClientHints::Keep,
        }
    }

    /// What nobody misses: claims, hops and `From` end here, other sites get the
    /// [origin](Referer::Origin) of a `Referer`, and of client hints those that are
    /// [sent unasked](ClientHints::Basic) go on.
    pub const fn standard() -> Privacy {
        Privacy {
            claims: Telling::Hide,
            hops: Telling::Hide,
            from: Telling::Hide,
            referer: Referer::Origin,
            user_agent: UserAgent::Keep,
            client_hints: ClientHints::Basic,
        }
    }

    /// All that can end here does, and a [general](UserAgent::General) name stands for the program's.
    /// Some sites show another page then, and a few refuse.
    pub const fn strict() -> Privacy {
        Privacy {
            referer: Referer::Hide,
            user_agent: UserAgent::General,
            client_hints: ClientHints::Hide,
            ..Privacy::standard()
        }
    }

    /// Whether everything goes on.
    pub fn is_off(&self) -> bool {
        *self == Privacy::off()
    }

    /// What becomes of a field of this request.
    pub(super) fn of<'v>(
        &self,
        kind: FieldKind,
        name: &[u8],
        value: &'v [u8],
        request: &RequestHead,
    ) -> Told<'v> {
        let keep_or =
            |telling, instead| if telling == Telling::Keep { Told::Whole } else { instead };
        match kind {
            kind if kind.is_forwarding() => keep_or(self.claims, Told::Nothing),
            FieldKind::Via => keep_or(self.hops, Told::WithoutNames),
            FieldKind::Other => match Subject::of(name) {
                Some(Subject::Claim) => keep_or(self.claims, Told::Nothing),
                Some(Subject::From) => keep_or(self.from, Told::Nothing),
                Some(Subject::Referer) => match self.referer {
                    Referer::Keep => Told::Whole,
                    Referer::Origin => trimmed(value, request),
                    Referer::Hide => Told::Nothing,
                },
                Some(Subject::UserAgent) => match self.user_agent {
                    UserAgent::Keep => Told::Whole,
                    UserAgent::General => Told::Instead(UserAgent::GENERAL.as_bytes()),
                    UserAgent::Hide => Told::Nothing,
                },
                Some(Subject::Hint { unasked }) => match self.client_hints {
                    ClientHints::Keep => Told::Whole,
                    ClientHints::Basic if unasked => Told::Whole,
                    ClientHints::Basic | ClientHints::Hide => Told::Nothing,
                },
                None => Told::Whole,
            },
            _ => Told::Whole,
        }
    }
}

/// What a field tells of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Claim,
    From,
    Referer,
    UserAgent,
    Hint { unasked: bool },
}

/// Fields that proxies, hosters and phone companies add: the client's address, or a number that stays
/// with its subscriber. In small letters.
const CLAIMS: [&str; 18] = [
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "client-ip",
    "fastly-client-ip",
    "true-client-ip",
    "x-acr",
    "x-att-deviceid",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-msisdn",
    "x-nokia-msisdn",
    "x-originating-ip",
    "x-proxyuser-ip",
    "x-remote-addr",
    "x-remote-ip",
    "x-uidh",
    "x-up-subno",
    "x-wap-profile",
];

/// Hints that came before the others and do not begin as they do.
const OLD_HINTS: [&str; 8] =
    ["content-dpr", "device-memory", "downlink", "dpr", "ect", "rtt", "viewport-width", "width"];

/// Hints that a browser sends without being asked.
const UNASKED: [&str; 4] = ["save-data", "sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform"];

impl Subject {
    fn of(name: &[u8]) -> Option<Subject> {
        let is = |known: &&str| name.eq_ignore_ascii_case(known.as_bytes());
        let begins = |with: &[u8]| {
            name.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
        };
        Some(match name {
            _ if is(&"from") => Subject::From,
            _ if is(&"referer") => Subject::Referer,
            _ if is(&"user-agent") => Subject::UserAgent,
            _ if UNASKED.iter().any(is) => Subject::Hint { unasked: true },
            _ if begins(b"sec-ch-") || OLD_HINTS.iter().any(is) => Subject::Hint { unasked: false },
            _ if CLAIMS.iter().any(is) => Subject::Claim,
            _ => return None,
        })
    }
}

/// What another site, or one on a less secure way, may know of a `Referer`.
fn trimmed<'v>(referer: &'v [u8], request: &RequestHead) -> Told<'v> {
    let (secure, behind) = match referer {
        _ if starts(referer, b"https://") => (true, 8),
        _ if starts(referer, b"http://") => (false, 7),
        // A program's name, a reference without a site, or nothing that is a page's.
        _ => return Told::Nothing,
    };
    let rest = &referer[behind..];
    let end = rest.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(rest.len());
    let authority = &rest[..end];
    // No client may send userinfo (RFC 9110 §10.1.3), and no upstream is to read it here.
    if authority.is_empty() || authority.contains(&b'@') {
        return Told::Nothing;
    }
    // In front of a fixed upstream nobody knows here which way the request began.
    let less_secure = secure && request.form() == TargetForm::Absolute;
    let same_site = authority.eq_ignore_ascii_case(request.authority().as_bytes());
    if same_site && !less_secure {
        Told::Whole
    } else if rest.get(end) == Some(&b'/') {
        Told::Instead(&referer[..behind + end + 1])
    } else {
        Told::Instead(&referer[..behind + end])
    }
}

fn starts(value: &[u8], with: &[u8]) -> bool {
    value.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
}

/// Writes a `Via` without the names in it, `Via: 1.0 hidden, 1.1 hidden` (RFC 9110 §7.6.3).
pub(super) fn write_via_without_names(value: &[u8], out: &mut Vec<u8>) {
    let mut separator: &[u8] = b"Via: ";
    for hop in list::members(value) {
        let protocol = hop.split(|byte| matches!(byte, b' ' | b'\t')).next().unwrap_or_default();
        let version = if starts(protocol, b"HTTP/") { &protocol[5..] } else { protocol };
        // Another one is not HTTP's; or it is no protocol, but the rest of a comment with a comma
        // in it, which may hold any name.
        if matches!(version, [b'0'..=b'9'] | [b'0'..=b'9', b'.', b'0'..=b'9']) {
            for part in [separator, version, b" hidden"] {
                out.extend_from_slice(part);
            }
            separator = b", ";
        }
    }
    if separator == b", " {
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests;
