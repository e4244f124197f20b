//! Whether what was counted is what was recorded: each exchange once, whatever has become of it.

use crate::logger::{Event, OwnedRecord};
use crate::metrics::{LoopMeter, Traffic};

/// What was counted other than it was recorded.
pub(super) fn difference(meter: &LoopMeter, records: &[OwnedRecord]) -> Option<String> {
    let mut counted = Traffic::default();
    meter.add_to(&mut counted);
    let records: Vec<_> = records.iter().map(OwnedRecord::as_record).collect();
    let ends = || records.iter().filter(|record| record.event == Event::Close);
    let [bytes_in, bytes_out] =
        [ends().map(|it| it.bytes_in).sum::<u64>(), ends().map(|it| it.bytes_out).sum()];
    [
        ("records", counted.records, records.len() as u64),
        ("exchanges", counted.requests.total(), ends().count() as u64),
        (
            "reasons",
            counted.reasons.total(),
            ends().filter(|it| it.reason.is_some()).count() as u64,
        ),
        ("bytes from clients", counted.bytes_in, bytes_in),
        ("bytes to clients", counted.bytes_out, bytes_out),
    ]
    .into_iter()
    .find(|(_, counted, recorded)| counted != recorded)
    .map(|(what, counted, recorded)| format!("{counted} {what} counted, {recorded} recorded"))
}
