//! [`Config::check`]: whether settings can work together, and here.

use std::io;
use std::net::SocketAddr;

use proxy_core::{BuildError, Intake, Listener};

use super::{Config, LogFormat};
use crate::descriptors::Descriptors;

/// A setting that is right by itself and cannot work with the others, or on this system.
#[derive(Debug, PartialEq, Eq)]
pub struct Impossible {
    /// The field, as the library names it.
    pub setting: &'static str,
    pub problem: String,
}

impl Config {
    /// Looks at the settings together. Nothing is bound for it.
    ///
    /// # Errors
    /// If they cannot work: here, or because the library says so.
    pub fn check(&self, descriptors: &Descriptors) -> Result<(), Impossible> {
        if self.connections.is_some_and(|connections| connections > descriptors.connections()) {
            return Err(Impossible {
                setting: "connections",
                problem: format!(
                    "the system's {} descriptors, two for each, are enough for {}; raise them \
                     (ulimit -n), or set fewer connections",
                    descriptors.limit(),
                    descriptors.connections()
                ),
            });
        }
        if let Some(upstream) = &self.upstream
            && (self.listen.iter().any(|address| address == upstream.as_str())
                || self.passed.iter().any(|address| address.to_string() == upstream.as_str()))
        {
            return Err(Impossible {
                setting: "upstream",
                problem: "the proxy itself listens there".to_owned(),
            });
        }
        if self.reuse_port && cfg!(not(unix)) {
            return Err(Impossible {
                setting: "reuse_port",
                problem: "this system has no such thing".to_owned(),
            });
        }
        if self.reuse_port && self.listen.is_empty() {
            return Err(Impossible {
                setting: "reuse_port",
                problem: "it has no effect: all sockets were passed (LISTEN_FDS), and whoever \
                          passes them shares them"
                    .to_owned(),
            });
        }
        if !self.logs.is_empty() {
            let set = [
                ("log_file", self.log_file.is_some()),
                ("log_format", self.log_format != LogFormat::Text),
            ];
            if let Some((setting, _)) = set.into_iter().find(|(_, is_set)| *is_set) {
                let problem = "each [[log]] of the file says so itself: set one or the other";
                return Err(Impossible { setting, problem: problem.to_owned() });
            }
        }
        if self.allow_open_proxy && !self.allow_client.is_empty() {
            return Err(Impossible {
                setting: "allow_open_proxy",
                problem: "it serves everybody, and allow-client only some: set one of them"
                    .to_owned(),
            });
        }
        if let Some(setting) = self.upstream.as_ref().and_then(|_| self.set_for_forwarding()) {
            return Err(Impossible {
                setting,
                problem: "it has no effect beside an upstream: nothing else is connected to"
                    .to_owned(),
            });
        }
        if let Some((setting, problem)) = self.admin.problem() {
            return Err(Impossible { setting, problem });
        }
        if let Some(address) = &self.admin.address
            && !address.ends_with(":0")
            && self.listeners().contains(address)
        {
            return Err(Impossible {
                setting: "admin",
                problem: "the proxy itself listens there".to_owned(),
            });
        }
        if self.logins.users.is_some() && !self.logins.command.is_empty() {
            return Err(Impossible {
                setting: "authenticator",
                problem: "there is a file of users, too: set one of them".to_owned(),
            });
        }
        if let Some(setting) = self.logins.set_in_vain() {
            return Err(Impossible {
                setting,
                problem: "it has no effect: nobody is asked for a password without `users` or \
                          `authenticator`"
                    .to_owned(),
            });
        }
        let builder = self.builder(descriptors).listener(Nowhere(None));
        let places = self.listen.iter().filter_map(|address| address.parse().ok());
        let places = places.chain(self.passed.iter().copied());
        let builder = places.fold(builder, |builder, at| builder.listener(Nowhere(Some(at))));
        match builder.build() {
            Err(BuildError::Setting { setting, problem }) => {
                Err(Impossible { setting, problem: problem.to_owned() })
            }
            Err(BuildError::OpenProxy { address }) => Err(Impossible {
                setting: "listen",
                problem: format!(
                    "anybody who can reach {address} could go anywhere through it; {WHO_IS_SERVED}"
                ),
            }),
            // Whatever else goes wrong goes wrong when it starts.
            _ => Ok(()),
        }
    }

    /// A setting that only a forward proxy heeds: most are of where to connect to.
    fn set_for_forwarding(&self) -> Option<&'static str> {
        let set = [
            ("allow_destination", !self.allow_destination.is_empty()),
            ("deny_destination", !self.deny_destination.is_empty()),
            ("connect_port", self.connect_port.is_some()),
            ("pac", self.pac),
        ];
        set.into_iter().find(|(_, is_set)| *is_set).map(|(name, _)| name)
    }
}

/// What to do about an open proxy.
pub const WHO_IS_SERVED: &str = "say whom it serves, with --allow-client 192.168.0.0/16 for \
                                 example, or that it serves everybody, with --allow-open-proxy";

/// What a proxy listens on that is built to be looked at only: perhaps an address.
struct Nowhere(Option<SocketAddr>);

impl Listener for Nowhere {
    fn local_addr(&self) -> Option<SocketAddr> {
        self.0
    }

    fn open(&self) -> io::Result<Intake> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(test)]
mod tests {
    use proxy_core::ConnectPorts;

    use super::*;
    use crate::users::Logins;

    fn impossible(config: &Config) -> &'static str {
        config.check(&Descriptors::of(20_128)).unwrap_err().setting
    }

    #[test]
    fn the_defaults_are_possible() {
        assert_eq!(Config::default().check(&Descriptors::of(20_128)), Ok(()));
    }

    #[test]
    fn connections_follow_from_the_descriptors_unless_set() {
        let descriptors = Descriptors::of(20_128);
        let config = Config::default();
        assert_eq!(config.connections(&descriptors), 10_000);
        let config = Config { connections: Some(5), ..config };
        assert_eq!(config.connections(&descriptors), 5);
    }

    #[test]
    fn what_cannot_work_together_is_found() {
        let config = Config { connections: Some(10_001), ..Config::default() };
        assert_eq!(impossible(&config), "connections");
        let upstream = Some("http://127.0.0.1:8888".parse().unwrap());
        assert_eq!(impossible(&Config { upstream, ..Config::default() }), "upstream");
    }

    #[test]
    fn what_has_no_effect_is_not_accepted() {
        let upstream = Some("http://127.0.0.1:3000".parse().unwrap());
        let config = Config { upstream, ..Config::default() };
        let private = || vec!["private".parse().unwrap()];
        let port = Some(ConnectPorts::https());
        for (config, setting) in [
            (Config { allow_destination: private(), ..config.clone() }, "allow_destination"),
            (Config { deny_destination: private(), ..config.clone() }, "deny_destination"),
            (Config { connect_port: port, ..config.clone() }, "connect_port"),
            (Config { pac: true, ..config }, "pac"),
        ] {
            assert_eq!(impossible(&config), setting);
        }
        let logins = Logins { realm: Some("a".to_owned()), ..Logins::default() };
        assert_eq!(impossible(&Config { logins, ..Config::default() }), "realm");
        let (users, command) = (Some("u".into()), vec!["helper".to_owned()]);
        let logins = Logins { users, command, ..Logins::default() };
        assert_eq!(impossible(&Config { logins, ..Config::default() }), "authenticator");
    }

    #[test]
    fn logs_are_described_in_one_way() {
        let mut config = Config::default();
        let file = crate::config_file::ConfigFile::new("f", "[[log]]\nto = 'stdout'\n");
        file.apply(&mut config).unwrap();
        assert_eq!(config.check(&Descriptors::of(20_128)), Ok(()));
        let file = Config { log_file: Some("a".into()), ..config.clone() };
        assert_eq!(impossible(&file), "log_file");
        let format = Config { log_format: LogFormat::Json, ..config };
        assert_eq!(impossible(&format), "log_format");
    }

    #[test]
    fn an_open_proxy_is_not_made_of_a_passed_socket_either() {
        let passed = |address: &str| Config {
            listen: Vec::new(),
            passed: vec![address.parse().unwrap()],
            ..Config::default()
        };
        assert_eq!(impossible(&passed("0.0.0.0:3128")), "listen");
        assert_eq!(passed("127.0.0.1:3128").check(&Descriptors::of(20_128)), Ok(()));
        let allow_client = vec!["10.0.0.0/8".parse().unwrap()];
        let served = Config { allow_client, ..passed("[::]:3128") };
        assert_eq!(served.check(&Descriptors::of(20_128)), Ok(()));
    }

    #[test]
    #[cfg(unix)]
    fn a_passed_socket_is_shared_by_whoever_passes_it() {
        let passed = vec!["127.0.0.1:3128".parse().unwrap()];
        let config = Config { reuse_port: true, passed, ..Config::default() };
        assert_eq!(config.check(&Descriptors::of(20_128)), Ok(()), "there is another one");
        assert_eq!(impossible(&Config { listen: Vec::new(), ..config }), "reuse_port");
    }

    #[test]
    fn an_open_proxy_is_not_made_by_accident() {
        let listen = |address: &str| vec!["127.0.0.1:8888".to_owned(), address.to_owned()];
        let exposed = Config { listen: listen("0.0.0.0:8888"), ..Config::default() };
        assert_eq!(impossible(&exposed), "listen");
        let upstream = Some("http://127.0.0.1:3000".parse().unwrap());
        let allow_client = vec!["10.0.0.0/8".parse().unwrap()];
        for config in [
            Config { listen: listen("[::1]:8888"), ..Config::default() },
            Config { upstream, ..exposed.clone() },
            Config { allow_client: allow_client.clone(), ..exposed.clone() },
            Config { allow_open_proxy: true, ..exposed.clone() },
        ] {
            assert_eq!(config.check(&Descriptors::of(20_128)), Ok(()));
        }
        let both = Config { allow_client, allow_open_proxy: true, ..exposed };
        assert_eq!(impossible(&both), "allow_open_proxy");
    }

    #[test]
    fn what_the_library_refuses_is_refused() {
        assert_eq!(impossible(&Config { workers: 0, ..Config::default() }), "workers");
        let mut config = Config::default();
        config.limits.fields = 1000;
        assert_eq!(impossible(&config), "fields");
    }
}
