//! `/status.json`: how a proxy does, in one object.

use std::time::{Duration, SystemTime};

use super::answer::json;
use super::handler::Parts;
use crate::handler::Response;
use crate::logger::JsonText;
use crate::policy::throttle::ThrottleState;
use crate::runtime::LaneStats;
use crate::session::Inventory;

/// How long is waited for event loops: whoever asks wants to know that one is held up, and soon.
const PATIENCE: Duration = Duration::from_secs(1);

/// The object.
pub(super) fn status(parts: &Parts) -> Response {
    let control = &parts.control;
    let inventory = control.inventory(PATIENCE);
    let (log, workers, bans) = (control.log_counts(), control.worker_stats(), control.bans());
    let uptime = SystemTime::now().duration_since(parts.started).unwrap_or_default();
    json(200, |json| {
        json.key("version").text(env!("CARGO_PKG_VERSION"));
        json.key("started").time(parts.started);
        json.key("uptime_ms").milliseconds(uptime);
        json.key("draining").truth(control.is_draining());
        json.key("listeners").list(control.local_addrs(), JsonText::address);
        connections(json, &inventory);
        json.key("metrics").truth(control.metrics().are_on());
        json.key("log").map(|json| {
            json.key("logged").number(log.logged);
            json.key("dropped").number(log.dropped);
            json.key("lost").number(log.lost);
            json.key("panicked").number(log.panicked);
        });
        json.key("workers").map(|json| {
            json.key("threads").number(workers.threads as u64);
            json.key("lanes").list(&workers.lanes, lane);
        });
        json.key("bans").map(|json| {
            json.key("in_force").number(bans.list().len() as u64);
            json.key("turned_away").number(bans.turned_away());
        });
        json.key("throttles").list(&control.throttles().states(), throttle);
        json.key("watching").optional(parts.events.as_ref(), |json, events| {
            json.number(events.watching() as u64);
        });
    })
}

fn connections(json: &mut JsonText, inventory: &Inventory) {
    json.key("loops").map(|json| {
        json.key("answered").number(inventory.loops as u64);
        json.key("missing").number(inventory.missing_loops as u64);
    });
    json.key("connections").map(|json| {
        for (key, count) in [
            ("open", inventory.seats),
            ("idle", inventory.idle_clients),
            ("busy", inventory.busy_clients),
            ("leaving", inventory.leaving_clients),
            ("tunnels", inventory.tunnels),
            ("taken_over", inventory.taken_over),
        ] {
            json.key(key).number(count as u64);
        }
    });
    json.key("upstreams").map(|json| {
        json.key("busy").number(inventory.busy_upstreams as u64);
        json.key("idle").number(inventory.idle_upstreams as u64);
        json.key("waiting").number(inventory.waiting as u64);
    });
    json.key("memory").map(|json| {
        json.key("buffers").number(inventory.buffers as u64);
        json.key("buffered_bytes").number(inventory.buffered_bytes as u64);
    });
}

fn lane(json: &mut JsonText, lane: &LaneStats) {
    json.map(|json| {
        json.key("name").text(lane.name);
        json.key("queued").number(lane.queued as u64);
        json.key("queue_limit").number(lane.queue_limit as u64);
        json.key("running").number(lane.running);
        json.key("done").number(lane.done);
        json.key("panicked").number(lane.panicked);
        json.key("refused").number(lane.refused);
    });
}

fn throttle(json: &mut JsonText, state: &ThrottleState) {
    json.map(|json| {
        json.key("name").text(&state.name);
        json.key("over").number(state.over);
        json.key("entries").number(state.entries as u64);
        json.key("forgotten").number(state.forgotten);
        json.key("bytes").number(state.bytes as u64);
    });
}
