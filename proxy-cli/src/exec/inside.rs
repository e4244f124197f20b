//! The inner half of `--isolate`: a process that gives up the network, and becomes the command.
//!
//! ```text
//! proxy-cli exec                       this process
//!  │ ── starts it, its standard input a socket between the two ──▶ │
//!  │ ── the standard input of the command ───────────────────────▶ │
//!  │                  covers Unix sockets; a network of its own, lo up; listens there
//!  │ ◀────────────────────────────────────── the listening socket ─│
//!  │ proxy accepts from it                                         │
//!  │ ── go ───────────────────────────────────────────────────────▶│ exec: becomes the command
//! ```
//!
//! A socket belongs to the network namespace it was made in, whoever holds it. So the proxy
//! accepts inside and connects outside, there is no file that others could find, and nothing is
//! left in the namespace that the command could turn into something else.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::sched::{CloneFlags, unshare};
use rustix::process::{getegid, geteuid};

use super::handing::{self, Message};
use super::{child, covered, environment, loopback};
use crate::tell::tell;

/// Becomes the command. Where it cannot, the process that has started this one is told, or the
/// user, and the exit code is given.
pub fn run(command: &[OsString]) -> i32 {
    let line = io::stdin();
    let (listener, input) = match prepare(&line) {
        Ok(prepared) => prepared,
        Err(why) => {
            // Without anybody who listens there is nobody to be told.
            let _ = handing::send_failure(&line, &why);
            return super::FAILED;
        }
    };
    let address = listener.local_addr().and_then(|address| {
        handing::send_file(&line, listener.as_fd())?;
        // It is the other process's alone.
        drop(listener);
        match handing::receive(&line)? {
            Message::Go => Ok(address),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    });
    // The other process has told why it does not want to go on.
    let Ok(address) = address else { return super::FAILED };
    let [program, arguments @ ..] = command else { return super::FAILED };
    let mut command = Command::new(program);
    command.args(arguments).stdin(input);
    environment::lead_to(address, &mut command);
    let error = command.exec();
    tell!("proxy-cli: cannot run {}: {error}", program.display());
    child::code_of_failure(&error)
}

/// Gives a listening socket in a network of its own, and the command's standard input.
fn prepare(line: &io::Stdin) -> Result<(TcpListener, OwnedFd), String> {
    let input = match handing::receive(line) {
        Ok(Message::File(file)) => file,
        Ok(_) | Err(_) => return Err("no standard input was handed over".to_owned()),
    };
    let sockets = covered::sockets()
        .map_err(|error| format!("the system's Unix sockets are not told: {error}"))?;
    enter(CloneFlags::CLONE_NEWNS)?;
    covered::cover(&sockets)?;
    // Once more, so that what has been mounted is another user namespace's: there, root cannot
    // take it away either (mount_namespaces(7)).
    enter(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET)?;
    loopback::bring_up().map_err(|error| format!("its loopback interface stays down: {error}"))?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .map_err(|error| format!("cannot listen inside: {error}"))?;
    Ok((listener, input))
}

/// Enters namespaces of its own, those of `flags` and one of users, which has the say over them.
fn enter(flags: CloneFlags) -> Result<(), String> {
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    unshare(CloneFlags::CLONE_NEWUSER | flags)
        .map_err(|error| format!("namespaces are refused: {}", error.desc()))?;
    // Whoever it is outside, it is inside; there is nobody else. That takes the means from
    // programs that would become root, too. A group may be mapped without a privilege only
    // where no process can leave its groups any more (user_namespaces(7)).
    let map = |file: &str, text: &str| {
        fs::write(format!("/proc/self/{file}"), text)
            .map_err(|error| format!("{file} is refused: {error}"))
    };
    map("setgroups", "deny")?;
    map("uid_map", &format!("{user} {user} 1"))?;
    map("gid_map", &format!("{group} {group} 1"))
}
