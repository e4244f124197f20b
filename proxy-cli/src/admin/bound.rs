//! [`Admin`]: the admin address as it is served.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

#[cfg(unix)]
use proxy_core::UnixListener;
use proxy_core::admin::{AdminHandler, EventsLogger};
use proxy_core::{Listener, ProxyBuilder, ProxyHandle, RequestLogger, TcpListener, Tee, Veiled};

use super::actions::{Actions, Wishes};
#[cfg(unix)]
use super::settings::UNIX;
use super::shown;
use crate::config::Config;
use crate::fail;
use crate::listen_address;
use crate::privacy::LogAddresses;
use crate::tell::tell;

/// An address that is bound, and not served yet: what it is about is to be started first.
pub struct Bound {
    socket: BoundSocket,
    place: Place,
    events: EventsLogger,
}

enum BoundSocket {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener),
}

/// Where it is.
#[derive(Clone, Debug)]
pub enum Place {
    Tcp(SocketAddr),
    /// A socket that is a file: `unix:` and its path.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there are no such sockets"))]
    File(String),
}

/// An address that is served.
pub struct Admin {
    proxy: ProxyHandle,
    /// As it is before it is said who is let in.
    handler: AdminHandler,
    place: Place,
    events: EventsLogger,
    shown: Arc<Mutex<String>>,
}

/// For answers that are under way when all else has come to its end.
const GRACE: Duration = Duration::from_secs(1);
/// The user that the proxy runs as, and nobody else.
#[cfg(unix)]
const MODE: u32 = 0o600;

impl Bound {
    /// Binds the address that is set, if one is.
    ///
    /// # Errors
    /// It cannot be bound; that has been told.
    pub fn bind(config: &Config) -> Result<Option<Bound>, ExitCode> {
        let Some(address) = &config.admin.address else { return Ok(None) };
        match bind(address) {
            Ok((socket, place)) => Ok(Some(Bound { socket, place, events: EventsLogger::new() })),
            Err(error) => {
                tell!("proxy-cli: cannot listen on {address} for --admin: {error}");
                if let Some(advice) = listen_address::advice(error.kind()) {
                    tell!("{}", advice.replace("--listen", "--admin"));
                }
                Err(ExitCode::FAILURE)
            }
        }
    }

    /// What the proxy that it is about has to know of it.
    pub fn prepare(&self, builder: ProxyBuilder) -> ProxyBuilder {
        self.place.kept_from(builder)
    }

    /// Has records told here, too, as the configuration says that addresses may be shown.
    pub fn beside(&self, logger: Arc<dyn RequestLogger>, config: &Config) -> Tee {
        beside(&self.events, logger, config)
    }

    /// Serves it.
    ///
    /// # Errors
    /// The system refuses; that has been told.
    pub fn start(
        self,
        config: &Config,
        about: &ProxyHandle,
        wishes: Wishes,
    ) -> Result<Admin, ExitCode> {
        let Bound { socket, place, events } = self;
        let shown = Arc::new(Mutex::new(shown::shown(config)));
        let handler = AdminHandler::new(about.control())
            .with_events(events.clone())
            .with_actions(Actions::new(wishes, Arc::clone(&shown)));
        let builder = let_in(handler.clone(), config).into_builder();
        let builder = match socket {
            BoundSocket::Tcp(listener) => builder.listener(listener),
            #[cfg(unix)]
            BoundSocket::Unix(listener) => builder.listener(listener),
        };
        let proxy = builder.start().map_err(|error| fail(&error))?;
        Ok(Admin { proxy, handler, place, events, shown })
    }
}

impl Place {
    /// Has a proxy that serves others not connect to it. To a file it never does.
    fn kept_from(&self, builder: ProxyBuilder) -> ProxyBuilder {
        match self {
            Place::Tcp(address) => builder.keep_away_from(*address),
            Place::File(_) => builder,
        }
    }
}

impl Admin {
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// As [`Bound::prepare`] has it.
    pub fn prepare(&self, builder: ProxyBuilder) -> ProxyBuilder {
        self.place.kept_from(builder)
    }

    /// As [`Bound::beside`] has it.
    pub fn beside(&self, logger: Arc<dyn RequestLogger>, config: &Config) -> Tee {
        beside(&self.events, logger, config)
    }

    /// Goes on by another configuration: another token and other names. The address stays.
    pub fn follow(&mut self, config: &Config) {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = shown::shown(config);
        let handler = let_in(self.handler.clone(), config);
        if let Err(error) = self.proxy.reload(handler.into_builder()) {
            fail(&error);
        }
    }

    /// Ends all of it. To be called when the proxy that it is about has come to its end.
    pub fn end(self) {
        self.events.end();
        self.proxy.shutdown(GRACE);
    }
}

fn bind(address: &str) -> io::Result<(BoundSocket, Place)> {
    #[cfg(unix)]
    if let Some(path) = address.strip_prefix(UNIX) {
        let listener = UnixListener::bind(path, MODE)?;
        return Ok((BoundSocket::Unix(listener), Place::File(address.to_owned())));
    }
    let listener = TcpListener::bind(address)?;
    let place = listener.local_addr().map(Place::Tcp).ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok((BoundSocket::Tcp(listener), place))
}

fn beside(events: &EventsLogger, logger: Arc<dyn RequestLogger>, config: &Config) -> Tee {
    let tee = Tee::new().with(logger);
    match config.log_addresses {
        LogAddresses::Whole => tee.with(events.clone()),
        LogAddresses::Truncated => tee.with(Veiled::truncated(events.clone())),
        LogAddresses::Pseudonyms => tee.with(Veiled::pseudonyms(events.clone())),
    }
}

/// The handler, which lets in whom the configuration says.
fn let_in(handler: AdminHandler, config: &Config) -> AdminHandler {
    let handler = match &config.admin_token {
        Some(token) => handler.with_token(token.clone()),
        None => handler,
    };
    config.admin.hosts.iter().fold(handler, AdminHandler::with_host)
}
