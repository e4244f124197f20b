//! What there is to tell of a proxy, as JSON. The keys are told in `docs/admin-api.md`, and stable.

use std::time::{Duration, SystemTime};

use super::answer::{json, words, wrong};
use super::query::{Query, duration};
use crate::handler::Response;
use crate::logger::JsonText;
use crate::policy::{Ban, Network};
use crate::proxy::ProxyControl;
use crate::session::{ConnectionId, ConnectionStatus, RequestStatus};

/// How many connections are listed, unless it is said.
const LISTED: usize = 1000;
/// How many can be asked for: the answer is in memory as a whole.
const MOST_LISTED: usize = 10_000;
/// How long a ban by hand lasts, unless it is said.
const BAN_TIME: Duration = Duration::from_secs(600);

/// `/connections`.
pub(super) fn connections(control: &ProxyControl, query: &Query) -> Response {
    let most = match query.only(&["most"]).and_then(|()| most(query)) {
        Ok(most) => most,
        Err(problem) => return wrong(problem),
    };
    let listed = control.connections(most);
    json(200, |json| {
        json.key("total").number(listed.total as u64);
        json.key("missing_loops").number(listed.missing_loops as u64);
        json.key("connections").list(&listed.connections, one_connection);
    })
}

fn one_connection(json: &mut JsonText, one: &ConnectionStatus) {
    json.map(|json| {
        json.key("id").text(&one.id.to_string());
        json.key("client").address(one.client);
        json.key("listener").number(one.listener as u64);
        json.key("state").text(one.state.word());
        json.key("elapsed_ms").milliseconds(one.elapsed);
        json.key("requests").number(one.requests);
        json.key("request").optional(one.request.as_ref(), one_request);
    });
}

fn one_request(json: &mut JsonText, one: &RequestStatus) {
    json.map(|json| {
        json.key("id").number(one.id);
        json.key("method").text(&one.method);
        json.key("target").text(&one.target);
        json.key("host").text(&one.host);
        json.key("user").optional(one.user.as_deref(), JsonText::text);
        json.key("status").optional(one.status, |json, status| json.number(status.into()));
        json.key("upstream").optional(one.upstream, JsonText::address);
        json.key("bytes_in").number(one.bytes_in);
        json.key("bytes_out").number(one.bytes_out);
    });
}

/// `DELETE /connections/ID`.
pub(super) fn close(control: &ProxyControl, id: ConnectionId) -> Response {
    match control.close_connection(id) {
        true => json(200, |json| json.key("closed").text(&id.to_string())),
        false => words(404, &format!("there is no connection {id}, or it cannot be closed now")),
    }
}

fn most(query: &Query) -> Result<usize, String> {
    let Some(text) = query.get("most") else { return Ok(LISTED) };
    let number = text.parse().ok().filter(|number| (1..=MOST_LISTED).contains(number));
    number.ok_or_else(|| format!("most: expected a number from 1 to {MOST_LISTED}"))
}

/// `/bans`.
pub(super) fn bans(control: &ProxyControl) -> Response {
    let bans = control.bans();
    let (listed, now) = (bans.list(), SystemTime::now());
    json(200, |json| {
        json.key("turned_away").number(bans.turned_away());
        json.key("bans").list(&listed, |json, ban| one_ban(json, ban, now));
    })
}

fn one_ban(json: &mut JsonText, ban: &Ban, now: SystemTime) {
    json.map(|json| {
        json.key("network").text(&ban.network.to_string());
        json.key("until").time(ban.until);
        json.key("seconds_left")
            .number(ban.until.duration_since(now).unwrap_or_default().as_secs());
        json.key("times").number(ban.times.into());
        json.key("cause").text(ban.cause.word());
    });
}

/// `POST /bans`.
pub(super) fn ban(control: &ProxyControl, query: &Query) -> Response {
    let asked = query.only(&["network", "time"]).and_then(|()| {
        let time = query.get("time").map_or(Ok(BAN_TIME), duration)?;
        Ok((network(query)?, time))
    });
    match asked {
        Ok((network, time)) => {
            control.bans().ban(network, time);
            json(201, |json| {
                json.key("network").text(&network.to_string());
                json.key("seconds_left").number(time.as_secs());
            })
        }
        Err(problem) => wrong(problem),
    }
}

/// `DELETE /bans`.
pub(super) fn lift(control: &ProxyControl, query: &Query) -> Response {
    match query.only(&["network"]).and_then(|()| network(query)) {
        Ok(network) if control.bans().lift(network) => json(200, |json| {
            json.key("lifted").text(&network.to_string());
        }),
        Ok(network) => words(404, &format!("there is no ban of {network}")),
        Err(problem) => wrong(problem),
    }
}

fn network(query: &Query) -> Result<Network, String> {
    let text = query.get("network").ok_or("network: whom it is about must be said")?;
    text.parse().map_err(|error| format!("network: {error}"))
}
