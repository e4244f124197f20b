//! An HTTP proxy to embed.
//!
//! ```
//! use proxy_core::Proxy;
//!
//! let proxy = Proxy::builder().listen("127.0.0.1:0").start()?;
//! println!("http_proxy=http://{}", proxy.local_addrs()[0]);
//! let report = proxy.shutdown(std::time::Duration::from_secs(1));
//! assert_eq!(report.cut, 0);
//! # Ok::<(), proxy_core::BuildError>(())
//! ```
//!
//! That is a forward proxy: it sends absolute-form requests on and opens `CONNECT` tunnels.
//! Four traits make it yours; each has a default that is used where nothing else is given:
//!
//! | trait | says | default |
//! |---|---|---|
//! | [`Listener`] | where clients come from | [`TcpListener`] |
//! | [`ConnectionHandler`] | what becomes of them | [`ForwardHandler`] |
//! | [`UpstreamConnector`] | how a destination becomes a connection | [`DirectConnector`] |
//! | [`RequestLogger`] | what is done with the record of each exchange | [`NoLog`] |
//!
//! Connections live on event loops, one for each core; what may block runs on a bounded
//! [`WorkerPool`]. A proxy starts no other threads than those, an acceptor for each listener
//! and one for the log. It never ends the process and installs no signal handler and no
//! global logger; many proxies can run in one process; [`ProxyHandle::shutdown`] stops one
//! completely.
//!
//! Diagnostics go to the [`log`] facade.
//!
//! # Features
//!
//! All are off. One costs nothing:
//!
//! - `admin`: the `admin` module, to look at a running proxy and tell it what to do over HTTP.
//!
//! Two are for Linux, and cost the crate `rustix` and the crate `nix`:
//!
//! - `splice`: long bodies and tunnels are moved by the system, without a copy. A third of the CPU
//!   time for each byte, and a pipe for each event loop. And sockets are read and written without the
//!   C library, which saves 1 % of the CPU time for each request.
//! - `steering`: restarts on a shared address ([`TcpListener::bind_shared`]) are free of waits.
//!
//! One costs the crate `regex`:
//!
//! - `regex`: [rules] about URLs can be regular expressions, `UrlPattern::regex`.
//!
//! And one costs 26 crates, those of three password hashes:
//!
//! - `htpasswd`: users from files, `PasswordFile` and `GroupFile`.

#![forbid(unsafe_code)]
#![warn(unreachable_pub)]

mod decimal;
mod error;
mod limits;

pub mod http1;

mod net;
mod runtime;

mod handler;
mod logger;
pub mod metrics;
mod policy;
mod upstream;

mod session;

mod proxy;

#[cfg(feature = "admin")]
pub mod admin;

pub use error::{Reason, Side};
pub use handler::{
    Action, Admission, AuthHandler, BodySender, BodyStream, Client, ConnectionHandler, Decision,
    DecisionReply, Delay, Exchange, Extensions, FixedUpstreamHandler, ForwardHandler, PacHandler,
    Plan, Reach, Refusal, Response, ResponseAction, Route, RulesHandler, TakeOver, TrySendError,
    body_stream,
};
pub use http1::{ClientHints, FieldEdits, ForwardingFields, Privacy, Referer, Telling, UserAgent};
pub use limits::{Limits, Timeouts};
pub use logger::{
    AccessRecord, ApacheLogger, Background, Event, Facility, Filter, JsonLogger, Kind, LogCounts,
    LogFile, LogOverflow, LogfmtLogger, NoLog, OwnedRecord, Redacted, RequestLogger, SquidLogger,
    Syslog, Tee, Template, TemplateError, TemplateLogger, TextLogger, Veiled,
};
#[cfg(unix)]
pub use net::UnixListener;
pub use net::{Accept, Intake, Listener, Parting, Socket, TcpListener, Wake};
pub use policy::{
    AddressClass, Authentication, Authenticator, Ban, BanError, BanPolicy, Bans, Cause,
    ConnectPorts, DestinationGuard, Destinations, DestinationsError, ForwardingPolicy, Login,
    LoginFailures, LoginPolicy, Network, NetworkError, Offence, Password, PortRange,
    PortRangeError, Threshold, User, UserLimit,
};
#[cfg(feature = "htpasswd")]
pub use policy::{
    GroupFile, GroupFileError, HashProblem, LineError, PasswordFile, PasswordLineError,
    hash_password,
};
pub use policy::{rules, throttle};
pub use proxy::{
    BuildError, ConnectionList, Proxy, ProxyBuilder, ProxyControl, ProxyHandle, ReloadReport,
    ShutdownReport,
};
pub use runtime::{
    Lane, LaneStats, PoolShutdown, PoolStats, SubmitError, WorkerPool, WorkerPoolBuilder,
};
pub use session::{
    ConnectionId, ConnectionIdError, ConnectionState, ConnectionStatus, Inventory, RequestStatus,
};
pub use upstream::{
    Authority, AuthorityError, ConnectError, Destination, Dial, Dialing, DirectConnector,
    NameStats, PlanReply, Resolve, Retry, SystemResolver, UpstreamConnector, Vouched,
};

/// What the fuzzers in `fuzz/` get to see beyond the public API. Not part of it.
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing {
    /// Plays a script in memory and judges the play; panics over what must not happen.
    pub fn session(script: &[u8]) {
        crate::session::rehearsal::rehearse(script);
    }

    /// Reads the value of an `Authorization` field; panics over what must not happen.
    pub fn credentials(value: &[u8]) {
        crate::policy::rehearse_credentials(value);
    }

    /// Makes messages of syslog of lines; panics if they are not the lines.
    pub fn syslog(lines: &[u8]) {
        crate::logger::rehearse_syslog(lines);
    }

    /// Reads the value of an `Accept` field as for an error page.
    pub fn accept(value: &[u8]) {
        let offers = [("text", "html"), ("application", "json")];
        let favourite = crate::http1::favourite(&[value], &offers);
        assert!(offers.contains(&favourite));
    }
}
