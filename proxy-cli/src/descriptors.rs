//! [`Descriptors`]: how many connections the system lets this process have.

/// The limit of open descriptors, and the connection limit that follows from it.
pub struct Descriptors {
    limit: u64,
}

/// Descriptors for everything but connections: listeners, pollers, wakers, standard streams,
/// the resolver's files and sockets.
const RESERVED: u64 = 128;
/// A client's connection may need one to its upstream.
const PER_CONNECTION: u64 = 2;
/// So many the system has room for from the beginning: half a megabyte of its memory.
#[cfg(target_os = "linux")]
const ROOM: u64 = 65_536;
/// What to count with where the system does not say.
const UNKNOWN: u64 = 1024;

impl Descriptors {
    /// Raises the soft limit to the hard one: the soft one is kept low for programs that use
    /// `select`, which this one does not. To be called before there is a second thread.
    pub fn raise() -> Descriptors {
        let limit = rlimit::increase_nofile_limit(u64::MAX).unwrap_or_else(|error| {
            log::warn!("the descriptor limit could not be raised: {error}");
            UNKNOWN
        });
        #[cfg(target_os = "linux")]
        make_room(limit.min(ROOM));
        Descriptors { limit }
    }

    #[cfg(test)]
    pub fn of(limit: u64) -> Descriptors {
        Descriptors { limit }
    }

    /// How many descriptors there are.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// How many clients may be connected at once.
    pub fn connections(&self) -> usize {
        let connections = self.limit.saturating_sub(RESERVED) / PER_CONNECTION;
        usize::try_from(connections).unwrap_or(usize::MAX).max(1)
    }
}

/// Has the system make its table of descriptors large at once. By itself it doubles it, from 64 on, and
/// waits each time until no processor looks at the old one, if the program has more than one thread:
/// milliseconds in which an event loop stands still that has just accepted a client.
#[cfg(target_os = "linux")]
fn make_room(descriptors: u64) {
    let highest = i32::try_from(descriptors).unwrap_or(i32::MAX) - 1;
    // It is closed again; the table stays as it is. Without it all goes as it would have gone.
    drop(rustix::io::fcntl_dupfd_cloexec(std::io::stderr(), highest));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn there_is_room_from_the_beginning() {
        let room = || {
            let status = std::fs::read_to_string("/proc/self/status").unwrap();
            let size = status.lines().find_map(|line| line.strip_prefix("FDSize:")).unwrap();
            size.trim().parse::<u64>().unwrap()
        };
        // A soft limit is 1,024 at least nearly everywhere.
        assert!(room() < 1000);
        make_room(1000);
        assert!(room() >= 1000);
    }

    #[test]
    fn two_descriptors_for_each_connection_and_some_for_the_rest() {
        assert_eq!(Descriptors::of(20_128).connections(), 10_000);
        assert_eq!(Descriptors::of(10).connections(), 1);
    }
}
