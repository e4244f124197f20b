//! [`tell!`]: words for people, on standard error.

/// What `eprintln!` does, but for its panic where nobody reads standard error any more: that the
/// other end of a pipe has gone is no reason to stop serving.
macro_rules! tell {
    ($($words:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), $($words)*);
    }};
}

pub(crate) use tell;
