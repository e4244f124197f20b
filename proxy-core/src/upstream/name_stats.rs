//! [`NameStats`]: what is told of names that were resolved.

/// What a connector remembers of names, and how often that was of use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NameStats {
    /// Names of which an answer, or a failure, is remembered. Some may be out of date.
    pub known: usize,
    /// How many there may be: [`Limits::names`](crate::Limits).
    pub limit: usize,
    /// Names that are being looked up.
    pub under_way: usize,
    /// How often a name was known when it was asked for, and no job was needed.
    pub hits: u64,
    /// Look-ups that found addresses.
    pub found: u64,
    /// Look-ups that found none.
    pub failed: u64,
}
