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
/// What to count with where the system does not say.
const UNKNOWN: u64 = 1024;

impl Descriptors {
    /// Raises the soft limit to the hard one: the soft one is kept low for programs that use
    /// `select`, which this one does not.
    pub fn raise() -> Descriptors {
        let limit = rlimit::increase_nofile_limit(u64::MAX).unwrap_or_else(|error| {
            log::warn!("the descriptor limit could not be raised: {error}");
            UNKNOWN
        });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_descriptors_for_each_connection_and_some_for_the_rest() {
        assert_eq!(Descriptors::of(20_128).connections(), 10_000);
        assert_eq!(Descriptors::of(10).connections(), 1);
    }
}
