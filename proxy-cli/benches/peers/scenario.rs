//! [`Scenario`]: what is asked of every contestant.

/// How a proxy learns where the origin is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// From its configuration: it fronts one fixed upstream.
    Fixed,
    /// From each request: an absolute-form target (RFC 9112 §3.2.2), as to a forward proxy.
    Forward,
}

/// One kind of load.
pub(crate) struct Scenario {
    /// Its name, for `--only` and the table.
    pub(crate) name: &'static str,
    /// How the proxies find the origin.
    pub(crate) mode: Mode,
    /// The path that is fetched.
    pub(crate) path: &'static str,
    /// The size of the body there.
    pub(crate) body_bytes: usize,
    /// Client connections at once, each with one request under way, all kept alive.
    pub(crate) connections: u32,
}

impl Scenario {
    /// All of them, the ones with a target in the documentation first.
    pub(crate) const ALL: &[Scenario] = &[
        Scenario::fixed("1k-c32", "/1k", 1024, 32),
        Scenario::fixed("1k-c256", "/1k", 1024, 256),
        Scenario::fixed("16k-c32", "/16k", 16 * 1024, 32),
        Scenario::fixed("100k-c32", "/100k", 100 * 1024, 32),
        Scenario { mode: Mode::Forward, ..Scenario::fixed("forward-c32", "/1k", 1024, 32) },
    ];

    const fn fixed(
        name: &'static str,
        path: &'static str,
        body_bytes: usize,
        connections: u32,
    ) -> Scenario {
        Scenario { name, mode: Mode::Fixed, path, body_bytes, connections }
    }
}
