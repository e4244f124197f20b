//! [`Snapshot::prometheus`]: a snapshot in the text format of Prometheus.

use super::families::{self as family, Family};
use super::snapshot::{Holdings, Snapshot};
use super::text::{Seconds, Text, unix};
use super::top::{OTHER, Ranked, Top};
use super::traffic::Traffic;

/// For whoever looks for what is missing.
const OFF: &str =
    "Metrics are off: requests are not counted. What there is at this moment is told.";

impl Snapshot {
    /// The text that Prometheus reads: its text format, version 0.0.4. What is not known, or not
    /// counted, is not in it: where [`metrics`](crate::ProxyBuilder::metrics) are off, a comment says so.
    pub fn prometheus(&self) -> String {
        let mut text = Text::default();
        if self.traffic.is_none() {
            text.comment(OFF);
        }
        text.family(&family::BUILD_INFO, |it| it.add(&[self.version], 1));
        text.number(&family::START_TIME, unix(self.started));
        if let Some(traffic) = &self.traffic {
            write_requests(&mut text, traffic);
        }
        self.write_connections(&mut text);
        self.write_upstreams(&mut text);
        self.write_threads(&mut text);
        self.write_names(&mut text);
        self.write_policies(&mut text);
        self.write_log(&mut text);
        if let Some(top) = &self.top {
            write_top(&mut text, top);
        }
        self.write_process(&mut text);
        text.finish()
    }

    fn write_connections(&self, text: &mut Text) {
        let Holdings {
            open,
            limit,
            idle,
            reading,
            waiting,
            relaying,
            tunnels,
            taken_over,
            leaving,
            ..
        } = self.holdings;
        text.family(&family::CONNECTIONS, |it| {
            for (state, count) in [
                ("idle", idle),
                ("reading", reading),
                ("waiting", waiting),
                ("relaying", relaying),
                ("tunnel", tunnels),
                ("taken_over", taken_over),
                ("leaving", leaving),
            ] {
                it.add(&[state], count);
            }
        });
        text.number(&family::CONNECTIONS_OPEN, open);
        text.number(&family::CONNECTIONS_LIMIT, limit);
        if let Some(traffic) = &self.traffic {
            text.number(&family::ACCEPTED, traffic.accepted);
        }
        text.family(&family::REFUSED, |it| {
            if let Some(traffic) = &self.traffic {
                it.add(&["answered"], traffic.refused);
                it.add(&["closed"], traffic.closed);
            }
            it.add(&["banned"], self.turned_away);
        });
    }

    fn write_upstreams(&self, text: &mut Text) {
        let Holdings {
            upstreams_busy,
            upstreams_idle,
            places,
            queued,
            buffers,
            buffered_bytes,
            ..
        } = self.holdings;
        text.family(&family::UPSTREAMS, |it| {
            it.add(&["busy"], upstreams_busy);
            it.add(&["idle"], upstreams_idle);
        });
        if let Some(traffic) = &self.traffic {
            text.number(&family::UPSTREAMS_OPENED, traffic.upstreams_opened);
            text.number(&family::UPSTREAMS_REUSED, traffic.upstreams_reused);
        }
        text.number(&family::PLACES, places);
        text.number(&family::QUEUED, queued);
        text.number(&family::BUFFERS, buffers);
        text.number(&family::BUFFERED_BYTES, buffered_bytes);
    }

    fn write_threads(&self, text: &mut Text) {
        text.family(&family::LOOPS, |it| {
            it.add(&["running"], self.holdings.loops);
            it.add(&["held_up"], self.holdings.held_up);
        });
        text.family(&family::LOOP_BUSY, |it| {
            for (number, work) in self.loops.iter().enumerate() {
                it.add(&[&number.to_string()], Seconds(work.busy));
            }
        });
        text.family(&family::LOOP_WAKES, |it| {
            for (number, work) in self.loops.iter().enumerate() {
                it.add(&[&number.to_string()], work.wakes);
            }
        });
        text.number(&family::WORKERS, self.workers);
        text.family(&family::JOBS_RUNNING, |it| {
            self.lanes.iter().for_each(|lane| it.add(&[lane.name], lane.running));
        });
        text.family(&family::JOBS_QUEUED, |it| {
            self.lanes.iter().for_each(|lane| it.add(&[lane.name], lane.queued));
        });
        text.family(&family::JOBS_LIMIT, |it| {
            self.lanes.iter().for_each(|lane| it.add(&[lane.name], lane.queue_limit));
        });
        text.family(&family::JOBS, |it| {
            for lane in &self.lanes {
                it.add(&[lane.name, "done"], lane.done);
                it.add(&[lane.name, "panicked"], lane.panicked);
                it.add(&[lane.name, "refused"], lane.refused);
                it.add(&[lane.name, "dropped"], lane.dropped);
            }
        });
    }

    fn write_names(&self, text: &mut Text) {
        let Some(names) = &self.names else { return };
        text.number(&family::NAMES, names.known);
        text.number(&family::NAMES_LIMIT, names.limit);
        text.number(&family::NAMES_UNDER_WAY, names.under_way);
        text.number(&family::NAME_HITS, names.hits);
        text.family(&family::NAME_LOOKUPS, |it| {
            it.add(&["found"], names.found);
            it.add(&["failed"], names.failed);
        });
    }

    fn write_policies(&self, text: &mut Text) {
        let all = &self.throttles;
        text.number(&family::BANS, self.bans);
        text.family(&family::THROTTLE_OVER, |it| {
            all.iter().for_each(|one| it.add(&[&one.name], one.over));
        });
        text.family(&family::THROTTLE_ENTRIES, |it| {
            all.iter().for_each(|one| it.add(&[&one.name], one.entries));
        });
        text.family(&family::THROTTLE_FORGOTTEN, |it| {
            all.iter().for_each(|one| it.add(&[&one.name], one.forgotten));
        });
        text.family(&family::THROTTLE_MEMORY, |it| {
            all.iter().for_each(|one| it.add(&[&one.name], one.bytes));
        });
    }

    fn write_log(&self, text: &mut Text) {
        text.family(&family::LOG_RECORDS, |it| {
            it.add(&["logged"], self.log.logged);
            it.add(&["panicked"], self.log.panicked);
            it.add(&["dropped"], self.log.dropped);
        });
        text.number(&family::LOG_LOST, self.log.lost);
        if let Some(queued) = self.log_queued {
            text.number(&family::LOG_QUEUED, queued);
        }
        text.number(&family::LOG_LIMIT, self.log_limit);
    }

    fn write_process(&self, text: &mut Text) {
        let Some(process) = &self.process else { return };
        text.number(&family::PROCESS_START, unix(process.started));
        text.number(&family::PROCESS_CPU, Seconds(process.cpu));
        text.number(&family::PROCESS_FDS, process.open_descriptors);
        if let Some(most) = process.most_descriptors {
            text.number(&family::PROCESS_MAX_FDS, most);
        }
        text.number(&family::PROCESS_RESIDENT, process.resident_memory);
        text.number(&family::PROCESS_VIRTUAL, process.virtual_memory);
    }
}

fn write_requests(text: &mut Text, traffic: &Traffic) {
    text.family(&family::REQUESTS, |it| {
        for (method, class, count) in traffic.requests.iter() {
            it.add(&[method.label(), class.label()], count);
        }
    });
    text.family(&family::FAILURES, |it| {
        for (reason, count) in traffic.reasons.iter() {
            it.add(&[reason.code(), &reason.side().to_string()], count);
        }
    });
    text.family(&family::CONTENT_BYTES, |it| {
        it.add(&["in"], traffic.bytes_in);
        it.add(&["out"], traffic.bytes_out);
    });
    text.histogram(&family::WAIT, &traffic.wait);
    text.histogram(&family::RESOLVE, &traffic.resolve);
    text.histogram(&family::CONNECT, &traffic.connect);
    text.histogram(&family::FIRST_BYTE, &traffic.first_byte);
    text.histogram(&family::DURATION, &traffic.duration);
    text.number(&family::TUNNELS_OPENED, traffic.tunnels_opened);
}

fn write_top(text: &mut Text, top: &Top) {
    let all: [(&'static Family, Option<&Ranked>); 6] = [
        (&family::HOST_REQUESTS, Some(&top.hosts.requests)),
        (&family::HOST_BYTES, Some(&top.hosts.bytes)),
        (&family::CLIENT_REQUESTS, top.clients.as_ref().map(|clients| &clients.requests)),
        (&family::CLIENT_BYTES, top.clients.as_ref().map(|clients| &clients.bytes)),
        (&family::USER_REQUESTS, Some(&top.users.requests)),
        (&family::USER_BYTES, Some(&top.users.bytes)),
    ];
    let told = || all.into_iter().filter_map(|(family, ranked)| Some((family, ranked?)));
    for (family, ranked) in told() {
        text.family(family, |it| {
            for (name, count) in &ranked.entries {
                it.add(&[name], count);
            }
            it.add(&[OTHER], ranked.other);
        });
    }
    text.family(&family::OVERESTIMATE, |it| {
        for (family, ranked) in told() {
            it.add(&[family.name], ranked.overestimate);
        }
    });
}
