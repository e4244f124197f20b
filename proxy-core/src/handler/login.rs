//! [`Logins`]: who is let in, as far as it does not concern the request.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::Client;
use crate::policy::{
    Authentication, Authenticator, Credentials, Login, LoginFailures, LoginKey, LoginPolicy,
    Network, RecentLogins, User,
};

/// Asks an authenticator, once for all who send the same credentials at the same time, and remembers
/// what it says.
///
/// ```text
/// on a loop         refuse, recent ──▶ enter: a Ticket, with the Check of these credentials
/// on the pool       Ticket::check ──▶ the first asks, the others leave their replies
///                                 ──▶ all get what was Found
/// ```
pub(super) struct Logins {
    authenticator: Arc<dyn Authenticator>,
    pub(super) policy: LoginPolicy,
    pub(super) failures: LoginFailures,
    recent: Mutex<RecentLogins>,
    under_way: Mutex<UnderWay>,
}

/// What was found about credentials.
#[derive(Clone, Debug)]
pub(super) enum Found {
    User(Arc<User>),
    /// They are wrong, which is to be told after a while.
    Wrong(Duration),
    Unavailable,
}

type Reply = Box<dyn FnOnce(Found) + Send>;

#[derive(Default)]
struct UnderWay {
    checks: HashMap<LoginKey, Weak<Check>>,
    of_client: HashMap<Network, usize>,
}

/// The one look at credentials that many may wait for.
#[derive(Default)]
struct Check(Mutex<Progress>);

#[derive(Default)]
enum Progress {
    #[default]
    New,
    Asked(Vec<Reply>),
    Found(Found),
}

/// The right to have credentials looked at. Dropped, it leaves its place to others.
pub(super) struct Ticket {
    logins: Arc<Logins>,
    /// `None` only while it is dropped.
    check: Option<Arc<Check>>,
    key: LoginKey,
    client: Network,
}

/// How many requests of one client may wait for a look at their credentials. Browsers send up to 32
/// at once to a proxy; many people can be behind one address.
const WAITING_PER_CLIENT: usize = 128;

/// How many logins are remembered, and for how long.
const REMEMBERED: usize = 16_384;
const REMEMBERED_FOR: Duration = Duration::from_secs(300);

impl Logins {
    pub(super) fn new(authenticator: Arc<dyn Authenticator>) -> Logins {
        Logins {
            authenticator,
            policy: LoginPolicy::default(),
            failures: LoginFailures::default(),
            recent: Mutex::new(RecentLogins::new(REMEMBERED, REMEMBERED_FOR)),
            under_way: Mutex::default(),
        }
    }

    pub(super) fn remember(&mut self, most: usize, time: Duration) {
        self.recent = Mutex::new(RecentLogins::new(most, time));
    }

    /// The key of what a client sends, and who that is, if it has been found out of late.
    pub(super) fn recent(
        &self,
        client: IpAddr,
        sent: &[u8],
        now: Instant,
    ) -> (LoginKey, Option<Arc<User>>) {
        let recent = lock(&self.recent);
        let key = recent.key(client, sent);
        (key, recent.get(key, now))
    }

    /// A place among those whose credentials are looked at, if this client has not too many.
    pub(super) fn enter(self: &Arc<Self>, key: LoginKey, client: IpAddr) -> Option<Ticket> {
        let client = Network::of_client(client);
        let mut under_way = lock(&self.under_way);
        let count = under_way.of_client.entry(client).or_default();
        if *count >= WAITING_PER_CLIENT {
            return None;
        }
        *count += 1;
        let check = under_way.checks.get(&key).and_then(Weak::upgrade).unwrap_or_else(|| {
            let check = Arc::default();
            under_way.checks.insert(key, Arc::downgrade(&check));
            check
        });
        Some(Ticket { logins: Arc::clone(self), check: Some(check), key, client })
    }

    fn ask(&self, key: LoginKey, credentials: &Credentials, client: &Client) -> Found {
        let login = Login::new(&credentials.user, &credentials.password, client);
        let answer = self.authenticator.check(&login);
        let (user, address) = (&*credentials.user, client.address.ip());
        let now = Instant::now();
        match answer {
            Authentication::Accepted(user) => {
                let user = Arc::new(user);
                lock(&self.recent).insert(key, Arc::clone(&user), now);
                Found::User(user)
            }
            Authentication::Rejected => {
                log::debug!("{address} does not know the password of {user:?}");
                Found::Wrong(self.failures.note(address, Some(user), &self.policy, now))
            }
            Authentication::Unavailable => Found::Unavailable,
        }
    }
}

impl UnderWay {
    /// Who comes from now on with the same credentials has them looked at anew.
    fn close(&mut self, key: LoginKey, check: &Arc<Check>) {
        if self.checks.get(&key).is_some_and(|own| own.as_ptr() == Arc::as_ptr(check)) {
            self.checks.remove(&key);
        }
    }
}

impl Ticket {
    /// Looks at the credentials, or leaves `reply` with the one who does. On the pool.
    pub(super) fn check(
        self,
        credentials: &Credentials,
        client: &Client,
        reply: impl FnOnce(Found) + Send + 'static,
    ) {
        let Some(check) = &self.check else { return };
        let mut progress = lock(&check.0);
        match &mut *progress {
            Progress::Found(found) => {
                let found = found.clone();
                drop(progress);
                reply(found);
            }
            Progress::Asked(replies) => {
                replies.push(Box::new(reply));
                drop(progress);
                // Its place is with the reply from now on, in a bound of its own: that of connections.
            }
            Progress::New => {
                *progress = Progress::Asked(vec![Box::new(reply)]);
                drop(progress);
                // Whatever happens, a panic included, those who wait are told something.
                let mut asked = Asked { ticket: &self, check, found: Found::Unavailable };
                asked.found = self.logins.ask(self.key, credentials, client);
            }
        }
    }
}

/// An authenticator is being asked. Dropped, everybody is told what was found.
struct Asked<'a> {
    ticket: &'a Ticket,
    check: &'a Arc<Check>,
    found: Found,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        let Ticket { logins, key, .. } = self.ticket;
        lock(&logins.under_way).close(*key, self.check);
        let found = Progress::Found(self.found.clone());
        let before = std::mem::replace(&mut *lock(&self.check.0), found);
        if let Progress::Asked(replies) = before {
            replies.into_iter().for_each(|reply| reply(self.found.clone()));
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut under_way = lock(&self.logins.under_way);
        // Only here do they become fewer, one at a time. Of a check that was never looked at the last
        // one must leave nothing behind.
        let check = self.check.take();
        if let Some(check) = check.filter(|check| Arc::strong_count(check) == 1) {
            under_way.close(self.key, &check);
        }
        if let Some(count) = under_way.of_client.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                under_way.of_client.remove(&self.client);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logins").field("policy", &self.policy).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Takes `right`, and counts how often it is asked. It panics at `panic`.
    #[derive(Default)]
    struct Counts(AtomicUsize);

    impl Authenticator for Counts {
        fn check(&self, login: &Login<'_>) -> Authentication {
            self.0.fetch_add(1, Ordering::Relaxed);
            match login.password.expose() {
                "right" => Authentication::Accepted(User::new(login.user)),
                "panic" => panic!("on purpose"),
                _ => Authentication::Rejected,
            }
        }
    }

    fn client() -> Client {
        Client::new("192.0.2.1:1".parse().unwrap(), 0)
    }

    fn credentials(password: &str) -> Credentials {
        let password = crate::policy::Password::new(password.to_owned());
        Credentials { user: "ann".to_owned(), password }
    }

    fn enter(logins: &Arc<Logins>, sent: &str) -> Option<Ticket> {
        let address = client().address.ip();
        let (key, _) = logins.recent(address, sent.as_bytes(), Instant::now());
        logins.enter(key, address)
    }

    fn set_up() -> (Arc<Counts>, Arc<Logins>) {
        let counts = Arc::new(Counts::default());
        (Arc::clone(&counts), Arc::new(Logins::new(counts)))
    }

    /// What each of these tickets leads to, and nothing may be left behind.
    fn check(logins: &Arc<Logins>, tickets: Vec<Ticket>, password: &str) -> Vec<Found> {
        let found = Arc::new(Mutex::new(Vec::new()));
        for ticket in tickets {
            let found = Arc::clone(&found);
            let reply = move |it| lock(&found).push(it);
            let checks = || ticket.check(&credentials(password), &client(), reply);
            drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(checks)));
        }
        let under_way = lock(&logins.under_way);
        assert!(under_way.checks.is_empty() && under_way.of_client.is_empty());
        std::mem::take(&mut lock(&found))
    }

    #[test]
    fn one_asks_for_all_who_came_meanwhile() {
        let (counts, logins) = set_up();
        let tickets = (0..5).map(|_| enter(&logins, "a").unwrap()).collect();
        let found = check(&logins, tickets, "wrong");
        assert_eq!((found.len(), counts.0.load(Ordering::Relaxed)), (5, 1));
        assert!(found.iter().all(|it| matches!(it, Found::Wrong(wait) if wait.is_zero())));
        // Who comes later is looked at anew, and what was right is remembered.
        let ticket = enter(&logins, "a").unwrap();
        assert!(matches!(check(&logins, vec![ticket], "right")[..], [Found::User(_)]));
        assert_eq!(counts.0.load(Ordering::Relaxed), 2);
        let (_, known) = logins.recent(client().address.ip(), b"a", Instant::now());
        assert_eq!(known.unwrap().name, "ann");
    }

    #[test]
    fn a_panic_is_told_as_unavailable_to_all_who_wait() {
        let (_, logins) = set_up();
        let tickets = (0..3).map(|_| enter(&logins, "a").unwrap()).collect();
        let found = check(&logins, tickets, "panic");
        assert!(matches!(found[..], [Found::Unavailable, Found::Unavailable, Found::Unavailable]));
    }

    #[test]
    fn a_client_has_so_many_at_once_and_gets_its_places_back() {
        let (_, logins) = set_up();
        let tickets: Vec<_> =
            (0..WAITING_PER_CLIENT).map(|n| enter(&logins, &n.to_string()).unwrap()).collect();
        assert!(enter(&logins, "one more").is_none());
        drop(tickets);
        assert_eq!(check(&logins, vec![enter(&logins, "a").unwrap()], "right").len(), 1);
    }
}
