//! [`Endpoint`]: what there is at the admin address.

use crate::session::ConnectionId;

/// What a path stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// `/`: a page for people.
    Page,
    /// `/live.js`: what brings it to life.
    Script,
    /// `/healthz`: that it runs.
    Health,
    /// `/readyz`: that it takes new connections.
    Readiness,
    /// `/metrics`: for Prometheus.
    Metrics,
    /// `/status.json`: how it does.
    Status,
    /// `/config`: what is in effect.
    Config,
    /// `/connections`: all of them.
    Connections,
    /// `/connections/ID`: one.
    Connection(ConnectionId),
    /// `/bans`.
    Bans,
    /// `/events`: records as they are made.
    Events,
    /// `/reload`.
    Reload,
    /// `/drain`.
    Drain,
    /// `/loglevel`.
    LogLevel,
}

impl Endpoint {
    /// What is there.
    pub(super) fn at(path: &str) -> Option<Endpoint> {
        Some(match path {
            "/" => Endpoint::Page,
            "/live.js" => Endpoint::Script,
            "/healthz" => Endpoint::Health,
            "/readyz" => Endpoint::Readiness,
            "/metrics" => Endpoint::Metrics,
            "/status.json" => Endpoint::Status,
            "/config" => Endpoint::Config,
            "/connections" => Endpoint::Connections,
            "/bans" => Endpoint::Bans,
            "/events" => Endpoint::Events,
            "/reload" => Endpoint::Reload,
            "/drain" => Endpoint::Drain,
            "/loglevel" => Endpoint::LogLevel,
            _ => Endpoint::Connection(path.strip_prefix("/connections/")?.parse().ok()?),
        })
    }

    /// What can be done there: the value of `Allow`, too.
    pub(super) fn methods(&self) -> &'static str {
        match self {
            Endpoint::Reload | Endpoint::Drain => "POST",
            Endpoint::Connection(_) => "DELETE",
            Endpoint::Bans => "GET, HEAD, POST, DELETE",
            Endpoint::LogLevel => "GET, HEAD, POST, PUT",
            _ => "GET, HEAD",
        }
    }

    pub(super) fn takes(&self, method: &str) -> bool {
        self.methods().split(", ").any(|own| own == method)
    }

    /// What anybody may be told who reaches it: nothing but that there is something. So that who
    /// only looks whether it lives need not be given the token.
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Endpoint::Page | Endpoint::Script | Endpoint::Health | Endpoint::Readiness)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_exact() {
        let id = "0-17-3".parse().unwrap();
        assert_eq!(Endpoint::at("/connections/0-17-3"), Some(Endpoint::Connection(id)));
        for path in [
            "",
            "*",
            "/x",
            "/status",
            "/Status.json",
            "/status.json/",
            "//status.json",
            "/connections/",
            "/connections/x",
            "/connections/7",
            "/connections/0-17-3/8",
            "/%62ans",
        ] {
            assert_eq!(Endpoint::at(path), None, "{path}");
        }
    }

    #[test]
    fn what_changes_something_is_not_done_by_looking() {
        for (path, method, takes) in [
            ("/reload", "POST", true),
            ("/reload", "GET", false),
            ("/drain", "GET", false),
            ("/connections/0-17-3", "GET", false),
            ("/connections/0-17-3", "DELETE", true),
            ("/connections", "DELETE", false),
            ("/bans", "POST", true),
            ("/loglevel", "POST", true),
            ("/loglevel", "PUT", true),
            ("/status.json", "HEAD", true),
            ("/status.json", "POST", false),
            ("/status.json", "GET, HEAD", false),
        ] {
            assert_eq!(Endpoint::at(path).unwrap().takes(method), takes, "{method} {path}");
        }
    }
}
