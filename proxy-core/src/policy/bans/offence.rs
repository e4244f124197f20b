//! [`Offence`]: what clients are banned for.

use crate::error::Reason;

/// What a client can be banned for, if it does it often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Offence {
    /// It sent what is no HTTP, or not what is spoken here.
    Malformed,
    /// It asked for what is refused to it.
    Refused,
    /// It did not know a password.
    FailedLogin,
    /// It asked for more than it may have.
    RateExceeded,
}

impl Offence {
    /// All of them.
    pub const ALL: [Offence; 4] =
        [Offence::Malformed, Offence::Refused, Offence::FailedLogin, Offence::RateExceeded];

    /// The stable word for it, in `snake_case`.
    pub const fn word(self) -> &'static str {
        match self {
            Offence::Malformed => "malformed",
            Offence::Refused => "refused",
            Offence::FailedLogin => "failed_login",
            Offence::RateExceeded => "rate_exceeded",
        }
    }

    /// What an exchange that ended for this reason was, if it was one.
    pub fn of(reason: Reason) -> Option<Offence> {
        match reason {
            Reason::BadRequestLine
            | Reason::BadRequestField
            | Reason::BadTarget
            | Reason::BadHost
            | Reason::BadRequestLength
            | Reason::BadRequestBody
            | Reason::UnknownTransferCoding
            | Reason::RequestHeadTooLarge
            | Reason::TooManyRequestFields
            | Reason::TargetTooLong
            | Reason::NotAProxyRequest
            | Reason::TlsToPlainPort
            | Reason::Http2ToPlainPort
            | Reason::UnsupportedVersion => Some(Offence::Malformed),
            Reason::Denied
            | Reason::DeniedByRule
            | Reason::DestinationNotAllowed
            | Reason::PortNotAllowed
            | Reason::UserNotAllowed
            | Reason::ClientNotAllowed => Some(Offence::Refused),
            Reason::ProxyAuthenticationFailed
            | Reason::AuthenticationFailed
            | Reason::TooManyFailedLogins => Some(Offence::FailedLogin),
            Reason::TooManyConnections
            | Reason::RateLimited
            | Reason::QuotaExceeded
            | Reason::ConnectionsLimited => Some(Offence::RateExceeded),
            _ => None,
        }
    }
}
