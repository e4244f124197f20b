//! [`Subject`]: what rules decide about; and what they find out about it.

use std::cell::{Cell, OnceCell, RefCell};
use std::time::SystemTime;

use super::super::host_name::HostName;
use super::rule::RequestKind;
use super::url::{self, Url};
use super::zone::{LocalTime, Zone};
use crate::handler::Client;
use crate::http1::{RequestHead, ResponseHead, TargetForm};
use crate::policy::users::User;

/// What rules decide about: a request, who sends it, and when. And its response, once there is one.
///
/// ```
/// use std::time::SystemTime;
/// use proxy_core::http1::RequestHead;
/// use proxy_core::rules::{Denial, Rule, RuleSet, Subject, Verdict};
/// use proxy_core::{Client, User};
///
/// let staff = vec!["staff".to_owned()];
/// let rules = RuleSet::new([Rule::new("staff", Verdict::Allow).when(|it| it.groups = staff)])
///     .otherwise(Verdict::deny(Denial::new()))
///     .compile()?;
///
/// let (client, request) = (Client::new(([192, 0, 2, 7], 50412).into(), 0), RequestHead::new());
/// let subject = Subject::new(&client, &request, SystemTime::now());
/// assert_eq!(&**rules.decide(&subject).rule(), "default");
/// let mut ann = User::new("ann");
/// ann.groups = vec!["staff".to_owned()];
/// assert_eq!(&**rules.decide(&subject.with_user(&ann)).rule(), "staff");
/// # Ok::<(), proxy_core::rules::RulesError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    pub(super) client: &'a Client,
    pub(super) request: &'a RequestHead,
    pub(super) response: Option<&'a ResponseHead>,
    pub(super) user: Option<&'a User>,
    pub(super) time: SystemTime,
}

impl<'a> Subject<'a> {
    /// A request of this client at this time.
    pub fn new(client: &'a Client, request: &'a RequestHead, time: SystemTime) -> Subject<'a> {
        Subject { client, request, response: None, user: None, time }
    }

    /// The same of a user who is known.
    pub fn with_user(self, user: &'a User) -> Subject<'a> {
        Subject { user: Some(user), ..self }
    }

    /// The same with its response.
    pub fn with_response(self, response: &'a ResponseHead) -> Subject<'a> {
        Subject { response: Some(response), ..self }
    }
}

/// Lists beyond this many are looked into for each rule that has them: there is a bit for each.
const REMEMBERED: usize = 64;

thread_local! {
    /// The URL of the request that this thread decides about: its memory is used again.
    static URL: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A [`Subject`] in the form in which it is compared. Lives as long as one decision.
pub(super) struct Facts<'a> {
    pub(super) subject: &'a Subject<'a>,
    pub(super) kind: RequestKind,
    pub(super) host: HostName,
    /// A tunnel always names it.
    pub(super) port: u16,
    zone: &'a Zone,
    local: OnceCell<LocalTime>,
    /// Where the path of the URL begins, once that is written.
    url_path_at: Cell<Option<usize>>,
    /// Which lists have been looked into, and which of them have it.
    looked: Cell<u64>,
    listed: Cell<u64>,
}

impl<'a> Facts<'a> {
    pub(super) fn new(subject: &'a Subject<'a>, zone: &'a Zone) -> Facts<'a> {
        let request = subject.request;
        Facts {
            subject,
            kind: kind(request),
            host: HostName::new(request.host()),
            port: port(request),
            zone,
            local: OnceCell::new(),
            url_path_at: Cell::new(None),
            looked: Cell::new(0),
            listed: Cell::new(0),
        }
    }

    pub(super) fn local(&self) -> LocalTime {
        *self.local.get_or_init(|| {
            let local = self.zone.local(self.subject.time);
            // The function of a zone is an embedder's, and may have had rules decide.
            self.url_path_at.set(None);
            local
        })
    }

    /// The scheme of the target. A request for a tunnel has none; one in origin-form came by the
    /// one that is spoken here.
    pub(super) fn scheme(&self) -> Option<&'a str> {
        match self.kind {
            RequestKind::Connect => None,
            _ => Some(self.subject.request.scheme().unwrap_or("http")),
        }
    }

    /// Shows the URL in its one form, if there is one.
    pub(super) fn with_url<R>(&self, look: impl FnOnce(Url<'_>) -> R) -> Option<R> {
        let scheme = self.scheme()?;
        Some(URL.with_borrow_mut(|url| {
            let path_at = self.url_path_at.get().unwrap_or_else(|| {
                let path = self.subject.request.path();
                url::write(scheme, self.host.bytes(), self.port, path, url)
            });
            self.url_path_at.set(Some(path_at));
            look(Url::new(url, path_at))
        }))
    }

    /// Whether it is in one of the lists with these bits, if that is known.
    pub(super) fn known(&self, bits: u64) -> Option<bool> {
        let is_listed = self.listed.get() & bits != 0;
        (is_listed || bits != 0 && self.looked.get() & bits == bits).then_some(is_listed)
    }

    /// What a look-up in the list with this number comes to: it is made once for all rules.
    pub(super) fn listed(&self, list: u8, look_up: impl FnOnce() -> bool) -> bool {
        if usize::from(list) >= REMEMBERED {
            return look_up();
        }
        let bit = 1 << list;
        if self.looked.get() & bit == 0 {
            self.looked.set(self.looked.get() | bit);
            if look_up() {
                self.listed.set(self.listed.get() | bit);
            }
        }
        self.listed.get() & bit != 0
    }
}

fn kind(request: &RequestHead) -> RequestKind {
    match request.form() {
        TargetForm::Authority => RequestKind::Connect,
        _ if request.asks_websocket() => RequestKind::WebSocket,
        _ => RequestKind::Plain,
    }
}

fn port(request: &RequestHead) -> u16 {
    let is_https = request.scheme().is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
    request.port().unwrap_or(if is_https { 443 } else { 80 })
}
