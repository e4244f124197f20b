//! [`AdminSettings`]: all that is set about the admin address.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use proxy_core::admin::AdminToken;

use crate::complaint::Complaint;
use crate::listen_address;

/// All that is set about the admin address, as plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdminSettings {
    /// Where it is; nowhere unless it is said.
    pub address: Option<String>,
    /// By which names it may be asked for.
    pub hosts: Vec<String>,
    /// Where the token stands.
    pub token_file: Option<PathBuf>,
}

impl AdminSettings {
    /// What cannot work: the setting, and why.
    pub fn problem(&self) -> Option<(&'static str, String)> {
        let vain = "it has no effect: there is no address for administration without `admin`";
        match &self.address {
            None if self.token_file.is_some() => Some(("admin_token_file", vain.to_owned())),
            None if !self.hosts.is_empty() => Some(("admin_host", vain.to_owned())),
            Some(address) if self.token_file.is_none() && !is_on_loopback(address) => Some((
                "admin",
                format!(
                    "whoever can reach {address} could see all requests and stop the proxy: name a \
                     file with a token to be asked for, with --admin-token-file, or choose an \
                     address on loopback, such as 127.0.0.1:9901"
                ),
            )),
            _ => None,
        }
    }

    /// The token, if one is to be asked for.
    ///
    /// # Errors
    /// The file cannot be read, or holds none.
    pub fn token(&self) -> Result<Option<AdminToken>, Complaint> {
        self.token_file.as_deref().map(read_token).transpose()
    }
}

/// What stands before the path of a socket that is a file.
pub const UNIX: &str = "unix:";

/// Says what is wrong with an address.
///
/// # Errors
/// What is expected.
pub fn check_address(address: &str) -> Result<(), &'static str> {
    match address.strip_prefix(UNIX) {
        Some(_) if cfg!(not(unix)) => Err("this system has no such sockets"),
        Some("") => Err("the path of the socket is missing, as in \"unix:/run/proxy.sock\""),
        Some(_) => Ok(()),
        None => listen_address::check(address, &[]),
    }
}

/// The token in a file: all of its text but for white space around it.
///
/// # Errors
/// It cannot be read, or holds none. What it holds is not told.
pub fn read_token(path: &Path) -> Result<AdminToken, Complaint> {
    AdminToken::new(&read_word(path)?).map_err(|error| {
        let note = "`head -c 24 /dev/urandom | base64` makes one";
        Complaint::about(path.display().to_string(), error.to_string()).note(Some(note.to_owned()))
    })
}

/// The text of a file, but for white space around it.
///
/// # Errors
/// It cannot be read, or is not UTF-8.
pub fn read_word(path: &Path) -> Result<String, Complaint> {
    let text = fs::read_to_string(path).map_err(|error| {
        Complaint::about(path.display().to_string(), format!("cannot be read: {error}"))
    })?;
    Ok(text.trim().to_owned())
}

/// Whether nobody but this machine can reach an address, as far as it tells.
fn is_on_loopback(address: &str) -> bool {
    if address.starts_with(UNIX) {
        return true;
    }
    match address.parse::<SocketAddr>() {
        Ok(address) => address.ip().to_canonical().is_loopback(),
        Err(_) => address.rsplit_once(':').is_some_and(|(host, _)| host == "localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> AdminSettings {
        AdminSettings { address: Some(address.to_owned()), ..AdminSettings::default() }
    }

    #[test]
    fn beyond_loopback_there_must_be_a_token() {
        for address in
            ["127.0.0.1:9901", "[::1]:9901", "localhost:9901", "[::ffff:127.0.0.1]:1", "unix:/a"]
        {
            assert_eq!(at(address).problem(), None, "{address}");
        }
        for address in ["0.0.0.0:9901", "[::]:9901", "192.0.2.1:9901", "proxy.example:9901"] {
            let (setting, problem) = at(address).problem().unwrap();
            assert_eq!(setting, "admin");
            assert!(problem.contains("--admin-token-file"), "{problem}");
            let with_token = AdminSettings { token_file: Some("t".into()), ..at(address) };
            assert_eq!(with_token.problem(), None);
        }
    }

    #[test]
    fn what_has_no_effect_is_not_accepted() {
        let settings = AdminSettings { token_file: Some("t".into()), ..AdminSettings::default() };
        assert_eq!(settings.problem().unwrap().0, "admin_token_file");
        let settings = AdminSettings { hosts: vec!["a".into()], ..AdminSettings::default() };
        assert_eq!(settings.problem().unwrap().0, "admin_host");
        assert_eq!(AdminSettings::default().problem(), None);
    }

    #[test]
    fn a_token_is_the_text_of_its_file_and_is_not_told() {
        let path = std::env::temp_dir().join(format!("proxy-cli-token-{}", std::process::id()));
        fs::write(&path, "\n 0123456789abcdef \n").unwrap();
        assert!(read_token(&path).is_ok());
        fs::write(&path, "secret").unwrap();
        let told = read_token(&path).unwrap_err().to_string();
        assert!(told.contains("at least 16") && !told.contains("secret"), "{told}");
        fs::remove_file(&path).unwrap();
        assert!(read_token(&path).unwrap_err().to_string().contains("cannot be read"));
    }
}
