//! The outer half of `--isolate`: starts the [inner one](super::inside), and gets a socket from it.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};

use super::INSIDE;
use super::handing::{self, Message};

/// A process in a network of its own that waits for a word to become the command.
pub struct Isolated {
    child: Child,
    line: UnixStream,
}

/// Why there is no network of its own to be had, and what can be done about it.
#[derive(Debug)]
pub struct NotIsolated {
    why: String,
    advice: &'static str,
}

impl Isolated {
    /// Starts the process. Gives with it the socket on which the proxy is to listen: it is the
    /// namespace's, 127.0.0.1 there.
    ///
    /// # Errors
    /// If the system refuses it.
    pub fn start(command: &[OsString]) -> Result<(Isolated, TcpListener), NotIsolated> {
        let failed = |error: io::Error| NotIsolated { why: error.to_string(), advice: "" };
        let (line, theirs) = UnixStream::pair().map_err(failed)?;
        // This very program, also where its file has been replaced meanwhile.
        let child = Command::new("/proc/self/exe")
            .arg(INSIDE)
            .args(command)
            .stdin(OwnedFd::from(theirs))
            .spawn()
            .map_err(failed)?;
        let mut isolated = Isolated { child, line };
        match isolated.exchange() {
            Ok(listener) => Ok((isolated, listener)),
            Err(error) => {
                // It has failed, or it ends now that nobody speaks to it.
                drop(isolated.line);
                let _ = isolated.child.wait();
                Err(error)
            }
        }
    }

    fn exchange(&mut self) -> Result<TcpListener, NotIsolated> {
        let failed = |error: io::Error| NotIsolated { why: error.to_string(), advice: "" };
        handing::send_file(&self.line, io::stdin().as_fd()).map_err(failed)?;
        match handing::receive(&self.line).map_err(failed)? {
            Message::File(socket) => Ok(socket.into()),
            Message::Failed(why) => Err(NotIsolated { why, advice: advice() }),
            Message::Go => Err(failed(io::ErrorKind::InvalidData.into())),
        }
    }

    /// Has the process become the command.
    pub fn release(self) -> Child {
        // If it is gone, its exit code tells.
        let _ = handing::send_go(&self.line);
        self.child
    }

    /// Has the process end.
    pub fn give_up(mut self) {
        drop(self.line);
        let _ = self.child.wait();
    }
}

/// What keeps users from namespaces here, and what to do about it: by what the system says of
/// itself.
fn advice() -> &'static str {
    let is = |setting: &str, value: &str| {
        fs::read_to_string(format!("/proc/sys/{setting}")).is_ok_and(|text| text.trim() == value)
    };
    if is("kernel/unprivileged_userns_clone", "0") {
        "allow it with: sysctl kernel.unprivileged_userns_clone=1"
    } else if is("user/max_user_namespaces", "0") {
        "allow it with: sysctl user.max_user_namespaces=10000"
    } else if is("user/max_net_namespaces", "0") {
        "allow it with: sysctl user.max_net_namespaces=10000"
    } else if is("user/max_mnt_namespaces", "0") {
        "allow it with: sysctl user.max_mnt_namespaces=10000"
    } else if is("kernel/apparmor_restrict_unprivileged_userns", "1") {
        "AppArmor allows it to programs whose profile says `userns,`; or allow it to all with: \
         sysctl kernel.apparmor_restrict_unprivileged_userns=0"
    } else {
        "in a container, its runtime must allow it (docker run --security-opt seccomp=PROFILE, \
         with `unshare` among what the profile allows)"
    }
}

impl fmt::Display for NotIsolated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no network of its own can be had for the command: {}", self.why)?;
        match self.advice {
            "" => Ok(()),
            advice => write!(f, "\n{advice}"),
        }
    }
}
