//! [`Selection`]: which records stand in an access log.

use std::time::Duration;

use proxy_core::AccessRecord;

use crate::word::{Word, words};

/// Which records stand in a log. Everything that is said must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// One of these; empty: all.
    pub only: Vec<Only>,
    pub slower_than: Option<Duration>,
    /// One request in so many.
    pub one_in: u64,
}

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Only {
    /// What the proxy has refused.
    Refusals,
    /// What has not ended plainly, refusals among it.
    Errors,
    Informational,
    Successful,
    Redirections,
    ClientErrors,
    ServerErrors,
}

words!(Only: "refusals" => Only::Refusals, "errors" => Only::Errors,
    "1xx" => Only::Informational, "2xx" => Only::Successful, "3xx" => Only::Redirections,
    "4xx" => Only::ClientErrors, "5xx" => Only::ServerErrors);

impl Only {
    fn includes(self, record: &AccessRecord<'_>) -> bool {
        let class = |class| record.status.is_some_and(|status| status / 100 == class);
        match self {
            Only::Refusals => record.is_refusal(),
            Only::Errors => record.reason.is_some(),
            Only::Informational => class(1),
            Only::Successful => class(2),
            Only::Redirections => class(3),
            Only::ClientErrors => class(4),
            Only::ServerErrors => class(5),
        }
    }
}

impl Selection {
    pub fn is_everything(&self) -> bool {
        self.only.is_empty() && self.slower_than.is_none() && self.one_in == 1
    }

    pub fn includes(&self, record: &AccessRecord<'_>) -> bool {
        (self.only.is_empty() || self.only.iter().any(|only| only.includes(record)))
            && self.slower_than.is_none_or(|least| record.duration >= least)
            && self.draws(record.id)
    }

    /// Whether a request is among those that are drawn. Both records of a tunnel have its number.
    fn draws(&self, id: u64) -> bool {
        /// 2^64 divided by the golden ratio: numbers that follow each other go far apart. Each loop
        /// deals out every n-th number, so that a plain remainder could prefer one loop.
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        (id.wrapping_mul(SPREAD) >> 32).is_multiple_of(self.one_in)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proxy_core::Reason;

    fn selection(only: &[Only], slower_than: Option<Duration>, one_in: u64) -> Selection {
        Selection { only: only.to_vec(), slower_than, one_in }
    }

    fn record(status: Option<u16>, reason: Option<Reason>) -> AccessRecord<'static> {
        let mut record = AccessRecord::new(([127, 0, 0, 1], 5).into());
        record.status = status;
        record.reason = reason;
        record
    }

    #[test]
    fn one_of_several_is_enough() {
        let records = [
            record(Some(200), None),
            record(Some(403), Some(Reason::DeniedByRule)),
            record(Some(502), Some(Reason::ConnectRefused)),
            record(Some(404), None),
            record(None, Some(Reason::ClientClosed)),
        ];
        for (only, expected) in [
            (&[][..], &[0, 1, 2, 3, 4][..]),
            (&[Only::Refusals], &[1]),
            (&[Only::Errors], &[1, 2, 4]),
            (&[Only::ClientErrors], &[1, 3]),
            (&[Only::Refusals, Only::ServerErrors], &[1, 2]),
            (&[Only::Successful, Only::Redirections, Only::Informational], &[0]),
        ] {
            let selection = selection(only, None, 1);
            let kept = (0..5).filter(|&at| selection.includes(&records[at]));
            assert!(kept.eq(expected.iter().copied()), "{only:?}");
        }
    }

    #[test]
    fn everything_that_is_said_must_hold() {
        let selection = selection(&[Only::Errors], Some(Duration::from_secs(1)), 1);
        let mut slow = record(Some(504), Some(Reason::ConnectTimeout));
        assert!(!selection.includes(&slow));
        slow.duration = Duration::from_secs(1);
        assert!(selection.includes(&slow));
        slow.reason = None;
        assert!(!selection.includes(&slow));
    }

    #[test]
    fn about_one_in_so_many_of_each_loop_is_drawn() {
        for (loops, one_in) in [(1, 10), (2, 10), (4, 100), (8, 2)] {
            let selection = selection(&[], None, one_in);
            for first in 1..=loops {
                let ids = (0..100_000).map(|turn| first + turn * loops);
                let drawn = ids.filter(|&id| selection.draws(id)).count() as u64;
                let expected = 100_000 / one_in;
                assert!(drawn.abs_diff(expected) <= expected / 10, "{loops} {one_in}: {drawn}");
            }
        }
    }
}
