//! Telling a service manager what this process is doing: the protocol of systemd's `Type=notify`.
//!
//! A datagram to the socket that `NOTIFY_SOCKET` names; where it names none, nobody is told. A word
//! that cannot be delivered is no reason not to serve, and becomes a warning.

/// It listens; or goes on after a reload.
pub fn ready() {
    tell("READY=1");
}

/// It reads its configuration anew. To be followed by [`ready`], also if nothing has come of it.
pub fn reloading() {
    // The time is how the manager tells this reload from an earlier one.
    #[cfg(target_os = "linux")]
    match linux::monotonic_microseconds() {
        Ok(now) => tell(&format!("RELOADING=1\nMONOTONIC_USEC={now}")),
        Err(error) => log::warn!("the service manager is not told of the reload: {error}"),
    }
}

/// It has been asked to stop, and drains.
pub fn stopping() {
    tell("STOPPING=1");
}

/// What it does, in words that the manager shows to people: one line.
pub fn status(text: &str) {
    tell(&format!("STATUS={}", text.replace(['\r', '\n'], " ")));
}

#[cfg_attr(not(target_os = "linux"), expect(unused_variables, reason = "there is no manager"))]
fn tell(words: &str) {
    #[cfg(target_os = "linux")]
    if let Some(manager) = std::env::var_os("NOTIFY_SOCKET")
        && let Err(error) = linux::send(words, &manager)
    {
        log::warn!("the service manager cannot be told: {error}");
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::OsStr;
    use std::io;
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    use std::time::Duration;

    use nix::time::{ClockId, clock_gettime};

    pub(super) fn send(words: &str, manager: &OsStr) -> io::Result<()> {
        let socket = UnixDatagram::unbound()?;
        // A manager that does not read must not hold up for long who only tells it something.
        socket.set_write_timeout(Some(Duration::from_secs(1)))?;
        match manager.as_bytes().strip_prefix(b"@") {
            // A name that is no file's: containers have those.
            Some(name) => {
                socket.send_to_addr(words.as_bytes(), &SocketAddr::from_abstract_name(name)?)?;
            }
            None => drop(socket.send_to(words.as_bytes(), manager)?),
        }
        Ok(())
    }

    /// As the manager counts them. The standard library has this clock, but does not tell numbers.
    pub(super) fn monotonic_microseconds() -> io::Result<i64> {
        let now = clock_gettime(ClockId::CLOCK_MONOTONIC)?;
        Ok(now.tv_sec() * 1_000_000 + now.tv_nsec() / 1_000)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_manager_is_told_by_a_file_or_by_an_abstract_name() {
            let name = format!("proxy-cli-told-{}", std::process::id());
            let file = std::env::temp_dir().join(&name);
            let by_file = UnixDatagram::bind(&file).unwrap();
            let abstract_name = SocketAddr::from_abstract_name(&name).unwrap();
            let by_name = UnixDatagram::bind_addr(&abstract_name).unwrap();
            send("READY=1", file.as_os_str()).unwrap();
            send("READY=1", format!("@{name}").as_ref()).unwrap();
            std::fs::remove_file(&file).unwrap();
            for socket in [by_file, by_name] {
                socket.set_nonblocking(true).unwrap();
                let mut word = [0; 32];
                let length = socket.recv(&mut word).unwrap();
                assert_eq!(&word[..length], b"READY=1");
            }
            assert!(send("READY=1", file.as_os_str()).is_err(), "nobody is there");
        }

        #[test]
        fn the_time_of_a_reload_is_that_since_the_start_of_the_machine() {
            let (one, two) = (monotonic_microseconds().unwrap(), monotonic_microseconds().unwrap());
            assert!(0 < one && one <= two);
            let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
            let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
            // That one counts sleep, too.
            assert!(one as f64 <= (uptime + 1.0) * 1e6, "{one} {uptime}");
        }
    }
}
