//! [`Entrant`]: a program, and the form in which it takes part.

/// Which program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The program of this package.
    Ours,
    /// `relay.rs`.
    Relay,
    /// HAProxy, from one of its configurations here.
    Haproxy,
    /// nginx, from `nginx.conf`.
    Nginx,
    /// Squid, from `squid.conf`.
    Squid,
    /// tinyproxy, from `tinyproxy.conf`.
    Tinyproxy,
}

/// What is not as usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Nothing.
    Plain,
    /// It writes a log of JSON lines to a file. The others never log.
    Logging,
    /// All that tells of what it does is on: that log, metrics, and an address for administration.
    Observed,
    /// Of all that, only the log.
    LogOnly,
    /// Nothing of it.
    Silent,
    /// It is told to splice.
    Splicing,
    /// It has two event loops, threads or workers.
    Two,
}

/// Who takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entrant {
    /// What the tables call it.
    pub(crate) name: &'static str,
    /// Which program.
    pub(crate) kind: Kind,
    /// What is not as usual.
    pub(crate) form: Form,
}

impl Entrant {
    /// Ours is first wherever it takes part: the report compares the others with the first.
    pub(crate) const OURS: Entrant = Entrant::plain("proxy-cli", Kind::Ours);
    pub(crate) const OURS_LOGGING: Entrant = Entrant { form: Form::Logging, ..Entrant::OURS };
    pub(crate) const OURS_TWO: Entrant = Entrant { form: Form::Two, ..Entrant::OURS };
    /// The same with one loop, where it is compared with itself.
    pub(crate) const OURS_ONE: Entrant = Entrant { name: "proxy-cli, one", ..Entrant::OURS };
    pub(crate) const OURS_OBSERVED: Entrant = Entrant { form: Form::Observed, ..Entrant::OURS };
    pub(crate) const OURS_SILENT: Entrant =
        Entrant { name: "proxy-cli, silent", form: Form::Silent, ..Entrant::OURS };
    pub(crate) const OURS_LOG_ONLY: Entrant =
        Entrant { name: "proxy-cli, log only", form: Form::LogOnly, ..Entrant::OURS };
    /// As usual: metrics are on unless they are turned off.
    pub(crate) const OURS_METRICS_ONLY: Entrant =
        Entrant { name: "proxy-cli, metrics only", ..Entrant::OURS };
    pub(crate) const RELAY: Entrant = Entrant::plain("null relay", Kind::Relay);
    pub(crate) const HAPROXY: Entrant = Entrant::plain("haproxy", Kind::Haproxy);
    pub(crate) const HAPROXY_SPLICING: Entrant =
        Entrant { name: "haproxy, splicing", form: Form::Splicing, ..Entrant::HAPROXY };
    pub(crate) const HAPROXY_TWO: Entrant = Entrant { form: Form::Two, ..Entrant::HAPROXY };
    pub(crate) const NGINX: Entrant = Entrant::plain("nginx", Kind::Nginx);
    pub(crate) const NGINX_TWO: Entrant = Entrant { form: Form::Two, ..Entrant::NGINX };
    pub(crate) const SQUID: Entrant = Entrant::plain("squid", Kind::Squid);
    pub(crate) const TINYPROXY: Entrant = Entrant::plain("tinyproxy", Kind::Tinyproxy);

    const fn plain(name: &'static str, kind: Kind) -> Entrant {
        Entrant { name, kind, form: Form::Plain }
    }

    /// Whether it is this project's.
    pub(crate) fn is_ours(self) -> bool {
        self.kind == Kind::Ours
    }

    /// Whether it is somebody's product: not ours and not the measuring stick.
    pub(crate) fn is_peer(self) -> bool {
        !matches!(self.kind, Kind::Ours | Kind::Relay)
    }
}
