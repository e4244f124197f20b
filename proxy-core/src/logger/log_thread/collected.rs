//! [`Collected`]: records without a log thread, for whoever wants to look at all of them.

use crossbeam_channel::Receiver;

use super::{
    Account, Arc, AtomicU64, Batch, EMPTIED, HANDED_OVER, LogOverflow, LogSender, Message, Parcel,
    Totals,
};
use crate::logger::OwnedRecord;

/// Where the records of one sender go.
pub(crate) struct Collected {
    parcels: Receiver<Message>,
    records: Vec<OwnedRecord>,
}

/// A sender, and what becomes of its records.
pub(crate) fn collected(limit: usize) -> (LogSender, Collected) {
    let (queue, parcels) = crossbeam_channel::bounded(HANDED_OVER);
    let (give_back, emptied) = crossbeam_channel::bounded(EMPTIED);
    let account = Account {
        settled: AtomicU64::new(0),
        settled_text: AtomicU64::new(0),
        totals: Arc::new(Totals::default()),
        give_back,
    };
    let sender = LogSender {
        batch: Batch::default(),
        queue,
        emptied,
        account: Arc::new(account),
        is_off: Arc::default(),
        limit: limit as u64,
        overflow: LogOverflow::Drop,
        pushed: Arc::default(),
    };
    (sender, Collected { parcels, records: Vec::new() })
}

impl Collected {
    /// Takes what has been handed over.
    pub(crate) fn gather(&mut self) {
        while let Ok(Message::Records(parcel)) = self.parcels.try_recv() {
            self.keep(parcel);
        }
    }

    fn keep(&mut self, parcel: Parcel) {
        self.records.extend(parcel.batch.iter().map(|record| record.to_owned_record()));
        parcel.settle();
    }

    /// All of them.
    pub(crate) fn into_records(mut self) -> Vec<OwnedRecord> {
        self.gather();
        self.records
    }
}
