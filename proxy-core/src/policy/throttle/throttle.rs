//! [`Throttle`]: how much of what, for whom, and what becomes of more.

use std::sync::Arc;
use std::time::Duration;

use super::key::Who;
use super::{Asking, Mode, Rate, Volume};
use crate::policy::User;

/// How much of something there may be, and what becomes of more.
///
/// ```
/// use std::time::Duration;
/// use proxy_core::Proxy;
/// use proxy_core::throttle::{Allowance, Excess, Rate, Scope, Throttle, Volume};
///
/// let clients = Scope::client();
/// let proxy = Proxy::builder().listen("127.0.0.1:0").throttles([
///     // Ten requests a second from each client, twenty at once; of more, each waits for its turn,
///     // five seconds at most.
///     Throttle::new("requests", clients, Allowance::Requests(Rate::per_second(10).with_burst(20)))
///         .over(Excess::Delay(Duration::from_secs(5))),
///     // A megabyte a second for each, and fifty gigabytes a month for all.
///     Throttle::new("down", clients, Allowance::Download(Rate::per_second(1_000_000))),
///     Throttle::new("uplink", Scope::All, Allowance::Volume(Volume::monthly(50_000_000_000))),
/// ]);
/// # proxy.build()?;
/// # Ok::<(), proxy_core::BuildError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Throttle {
    /// What the log calls it. One word, and no other throttle has it: by it, its counts are found
    /// again after a reload or a restart.
    pub name: Arc<str>,
    /// Whose count it is.
    pub scope: Scope,
    /// How much there may be.
    pub allowance: Allowance,
    /// What becomes of more. Bytes of an upload or a download always wait.
    pub over: Excess,
    /// Whether it is enforced.
    pub mode: Mode,
    /// How many counts there are at most. Default 65,536.
    pub entries: usize,
    /// Whom it concerns, where it is one of users. Default: all of them.
    pub members: Members,
}

/// Which users a [`Throttle`] concerns: those of these names, and those in these groups. Where there are
/// neither, all.
///
/// ```
/// use proxy_core::throttle::{Allowance, Members, Rate, Scope, Throttle};
///
/// let mut guests = Members::default();
/// guests.groups = vec!["guests".to_owned()];
/// let slow = Allowance::Download(Rate::per_second(100_000));
/// let throttle = Throttle::new("guests", Scope::User, slow).only_for(guests);
/// # throttle.check()?;
/// # Ok::<(), proxy_core::throttle::ThrottleError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Members {
    /// By their names.
    pub users: Vec<String>,
    /// By their groups.
    pub groups: Vec<String>,
}

/// Whose count it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// There is one count, for all together.
    All,
    /// Each client has its own: those whose addresses begin with the same bits are one.
    Client {
        /// How many bits, of IPv4: 32 is one address.
        v4: u8,
        /// How many bits, of IPv6.
        v6: u8,
    },
    /// Each host that is asked for has its own, whatever the port.
    Host,
    /// Each user who is [known](crate::Exchange::user) has their own, wherever they come from. Where it
    /// is not known who asks, nothing is counted.
    User,
    /// Each rule that lets requests pass has its own. Where no rule has decided, nothing is counted.
    Rule,
}

/// How much there may be.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Allowance {
    /// So many at once: connections of all or of a client; of a host, a user or a rule, requests under
    /// way and tunnels.
    Connections(u64),
    /// Requests, `CONNECT` among them, that no rule or handler refuses.
    Requests(Rate),
    /// Bytes from clients to upstreams.
    Upload(Rate),
    /// Bytes from upstreams to clients.
    Download(Rate),
    /// Bytes in a day or a month, both ways together.
    Volume(Volume),
}

/// What becomes of what is too much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Excess {
    /// The client is told so: 429, and when to ask again (RFC 6585 §4, RFC 9110 §10.2.3).
    #[default]
    Refuse,
    /// A request waits for its turn. Where that would take longer than this, it is refused.
    Delay(Duration),
    /// The connection is closed without an answer.
    Drop,
}

/// A throttle that cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ThrottleError {
    /// Its name could not be told from others in a line of words.
    #[error("a throttle's name is one word of letters, digits, `-`, `_` and `.`")]
    Name,
    /// There are two of that name.
    #[error("two throttles have the same name")]
    Twice,
    /// A prefix is longer than the address.
    #[error("the prefix of a throttle is longer than an address: 32 bits, and 128 of IPv6")]
    Prefix,
    /// None may come, ever: rules are there for that.
    #[error("a throttle allows nothing at all")]
    Nothing,
    /// Only requests can wait for their turn.
    #[error("only requests can be delayed: there is no telling when a connection ends")]
    Delay,
    /// A count could not be kept.
    #[error("a throttle has no room for a single count")]
    Entries,
    /// Of clients and hosts it is not known who they are.
    #[error("only a throttle of users can be confined to some of them")]
    Members,
}

/// How many counts there are by default.
const ENTRIES: usize = 65_536;

impl Scope {
    /// Each client has its own count: one address of IPv4, and of IPv6 a network of 64 bits, all of
    /// which one client may use.
    pub const fn client() -> Scope {
        Scope::Client { v4: 32, v6: 64 }
    }

    /// Whether it is known when a client connects.
    pub(super) fn is_known_at_once(self) -> bool {
        matches!(self, Scope::All | Scope::Client { .. })
    }
}

impl Throttle {
    /// A throttle that is enforced, and refuses what is too much.
    pub fn new(name: impl Into<Arc<str>>, scope: Scope, allowance: Allowance) -> Throttle {
        Throttle {
            name: name.into(),
            scope,
            allowance,
            over: Excess::default(),
            mode: Mode::default(),
            entries: ENTRIES,
            members: Members::default(),
        }
    }

    /// Says what becomes of what is too much.
    pub fn over(self, over: Excess) -> Throttle {
        Throttle { over, ..self }
    }

    /// Says whether it is enforced.
    pub fn in_mode(self, mode: Mode) -> Throttle {
        Throttle { mode, ..self }
    }

    /// Says how many counts there are at most.
    pub fn with_entries(self, entries: usize) -> Throttle {
        Throttle { entries, ..self }
    }

    /// Says which users it concerns.
    pub fn only_for(self, members: Members) -> Throttle {
        Throttle { members, ..self }
    }

    /// Whose count it is that somebody adds to, as lines of [`Usage`](super::Usage) have it: `-` for all
    /// together, or the first address of a network, a host, a user or a rule. `None` if nobody's.
    ///
    /// ```
    /// use proxy_core::throttle::{Allowance, Asking, Scope, Throttle};
    ///
    /// let throttle = Throttle::new("few", Scope::Host, Allowance::Connections(10));
    /// let asking = Asking::client([192, 0, 2, 7].into());
    /// assert_eq!(throttle.whose(&asking.to("Example.com.")).as_deref(), Some("example.com"));
    /// assert_eq!(throttle.whose(&asking), None);
    /// ```
    pub fn whose(&self, asking: &Asking<'_>) -> Option<String> {
        self.with(asking, |who| who.to_key().to_string())
    }

    /// Does something with whose count it is. `None` if nobody's.
    pub(super) fn with<R>(&self, asking: &Asking<'_>, act: impl FnOnce(Who<'_>) -> R) -> Option<R> {
        if self.scope == Scope::User && !asking.user.is_some_and(|it| self.members.include(it)) {
            return None;
        }
        asking.with(self.scope, act)
    }

    /// Whether it can work.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self) -> Result<(), ThrottleError> {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if self.name.is_empty() || !self.name.bytes().all(is_part) {
            return Err(ThrottleError::Name);
        }
        if matches!(self.scope, Scope::Client { v4, v6 } if v4 > 32 || v6 > 128) {
            return Err(ThrottleError::Prefix);
        }
        if self.entries == 0 {
            return Err(ThrottleError::Entries);
        }
        if self.scope != Scope::User && !self.members.are_all() {
            return Err(ThrottleError::Members);
        }
        match &self.allowance {
            Allowance::Connections(0) => return Err(ThrottleError::Nothing),
            Allowance::Volume(volume) if volume.bytes() == 0 => return Err(ThrottleError::Nothing),
            _ => {}
        }
        let can_delay = matches!(self.allowance, Allowance::Requests(_));
        match self.over {
            Excess::Delay(_) if !can_delay => Err(ThrottleError::Delay),
            _ => Ok(()),
        }
    }
}

impl Members {
    /// Whether this user is one of them.
    pub fn include(&self, user: &User) -> bool {
        self.are_all()
            || self.users.contains(&user.name)
            || self.groups.iter().any(|group| user.is_in(group))
    }

    fn are_all(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_is_told() {
        let new = |name: &str, allowance| Throttle::new(name, Scope::All, allowance);
        let delay = Excess::Delay(Duration::from_secs(1));
        let ten = Allowance::Connections(10);
        assert_eq!(new("a", ten.clone()).check(), Ok(()));
        assert_eq!(new("", ten.clone()).check(), Err(ThrottleError::Name));
        assert_eq!(new("two words", ten.clone()).check(), Err(ThrottleError::Name));
        assert_eq!(new("a", ten.clone()).over(delay).check(), Err(ThrottleError::Delay));
        assert_eq!(new("a", ten.clone()).with_entries(0).check(), Err(ThrottleError::Entries));
        assert_eq!(new("a", Allowance::Connections(0)).check(), Err(ThrottleError::Nothing));
        let none = Allowance::Volume(Volume::daily(0));
        assert_eq!(new("a", none).check(), Err(ThrottleError::Nothing));
        let prefix = Scope::Client { v4: 33, v6: 64 };
        assert_eq!(Throttle::new("a", prefix, ten).check(), Err(ThrottleError::Prefix));
        let members = Members { users: vec!["ann".to_owned()], groups: Vec::new() };
        let of =
            |scope| Throttle::new("a", scope, Allowance::Connections(1)).only_for(members.clone());
        assert_eq!(of(Scope::User).check(), Ok(()));
        assert_eq!(of(Scope::client()).check(), Err(ThrottleError::Members));
        let requests = Allowance::Requests(Rate::per_second(1));
        assert_eq!(new("a", requests).over(delay).check(), Ok(()));
    }

    #[test]
    fn members_are_named_or_in_a_group() {
        let mut bob = User::new("bob");
        bob.groups = vec!["guests".to_owned()];
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        for (users, groups, expected) in [
            (&[][..], &[][..], true),
            (&["ann", "bob"], &[], true),
            (&["ann"], &["guests"], true),
            (&["ann"], &["staff"], false),
            (&["guests"], &["bob"], false),
        ] {
            let members = Members { users: words(users), groups: words(groups) };
            assert_eq!(members.include(&bob), expected, "{members:?}");
        }
    }
}
