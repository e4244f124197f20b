//! [`Target`]: where an access log goes.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;

use proxy_core::{Facility, LogFile, Syslog};

/// Where an access log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Stdout,
    File(PathBuf),
    /// A server of syslog on this machine.
    Unix(PathBuf),
    Udp(String),
    Tcp(String),
}

/// Where servers of syslog listen on their own machine.
const DEV_LOG: &str = "/dev/log";

impl Target {
    pub fn is_syslog(&self) -> bool {
        matches!(self, Target::Unix(_) | Target::Udp(_) | Target::Tcp(_))
    }

    /// What writes there, if that is a server of syslog.
    pub fn syslog(&self, facility: Option<Facility>, app_name: Option<&str>) -> Option<Syslog> {
        let syslog = match self {
            #[cfg(unix)]
            Target::Unix(path) => Syslog::unix(path),
            Target::Udp(address) => Syslog::udp(&**address),
            Target::Tcp(address) => Syslog::tcp(&**address),
            _ => return None,
        };
        let syslog = facility.into_iter().fold(syslog, Syslog::with_facility);
        Some(syslog.with_app_name(app_name.unwrap_or("proxy-cli")))
    }

    /// The file, opened for appending, if it is one.
    pub fn file(&self) -> io::Result<Option<LogFile>> {
        match self {
            Target::File(path) => LogFile::append(path).map(Some),
            _ => Ok(None),
        }
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Target, String> {
        let unix = |path: &str| match cfg!(unix) {
            true => Ok(Target::Unix(path.into())),
            false => Err("this system has no such socket; there are udp:// and tcp://".to_owned()),
        };
        match text.split_once(':') {
            None if text == "stdout" => Ok(Target::Stdout),
            None if text == "syslog" => unix(DEV_LOG),
            Some(("syslog", path)) if path.starts_with('/') => unix(path),
            Some(("syslog", _)) => Err("the path of a socket is expected, as syslog:/dev/log; \
                                        elsewhere there are udp://HOST:PORT and tcp://HOST:PORT"
                .to_owned()),
            Some(("udp", rest)) if rest.starts_with("//") => server(&rest[2..]).map(Target::Udp),
            Some(("tcp", rest)) if rest.starts_with("//") => server(&rest[2..]).map(Target::Tcp),
            Some((_, rest)) if rest.starts_with("//") => {
                Err("a server of syslog is udp://HOST:PORT or tcp://HOST:PORT".to_owned())
            }
            _ if text.is_empty() => Err("the name of a file is expected".to_owned()),
            _ => Ok(Target::File(text.into())),
        }
    }
}

/// `HOST:PORT`.
fn server(text: &str) -> Result<String, String> {
    let is_right = |(host, port): (&str, &str)| {
        let is_bare_v6 = host.contains(':') && !(host.starts_with('[') && host.ends_with(']'));
        !host.is_empty() && !is_bare_v6 && port.parse::<u16>().is_ok_and(|port| port > 0)
    };
    match text.rsplit_once(':').is_some_and(is_right) {
        true => Ok(text.to_owned()),
        false => Err("HOST:PORT is expected behind the slashes, as tcp://logs.lan:601".to_owned()),
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Stdout => f.write_str("stdout"),
            Target::File(path) => write!(f, "{}", path.display()),
            Target::Unix(path) => write!(f, "syslog:{}", path.display()),
            Target::Udp(address) => write!(f, "udp://{address}"),
            Target::Tcp(address) => write!(f, "tcp://{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn what_is_shown_can_be_read() {
        for (text, shown) in [
            ("stdout", "stdout"),
            ("syslog", "syslog:/dev/log"),
            ("syslog:/run/log", "syslog:/run/log"),
            ("udp://[::1]:514", "udp://[::1]:514"),
            ("tcp://logs.lan:601", "tcp://logs.lan:601"),
            ("access.log", "access.log"),
            ("C:\\log", "C:\\log"),
            ("./stdout", "./stdout"),
        ] {
            let target: Target = text.parse().unwrap();
            assert_eq!(target.to_string(), shown);
            assert_eq!(shown.parse(), Ok(target));
        }
    }

    #[test]
    fn what_is_no_target_is_refused() {
        for (text, expected) in [
            ("", "the name of a file"),
            ("syslog:logs.lan", "elsewhere there are udp://"),
            ("udp://logs.lan", "HOST:PORT is expected"),
            ("udp://:514", "HOST:PORT is expected"),
            ("tcp://::1:514", "HOST:PORT is expected"),
            ("tcp://h:0", "HOST:PORT is expected"),
            ("http://h/", "a server of syslog is"),
        ] {
            assert!(text.parse::<Target>().unwrap_err().contains(expected), "{text}");
        }
    }
}
