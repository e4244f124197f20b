//! [`ROSTER`]: who acts, how many of them there are, and how often.
//!
//! Those in the first part behave, and nothing may ever go wrong for them, whatever the others do.

mod faulty;
mod hostile;
mod leaving;
mod plain;
mod slow;
mod tunnels;

use std::time::Duration;

use crate::stage::Actor;

/// One kind of actor.
pub(crate) struct Role {
    pub(crate) name: &'static str,
    pub(crate) act: fn(&mut Actor),
    /// How many of them.
    pub(crate) count: u8,
    /// How often each acts.
    pub(crate) every: Duration,
}

const fn role(name: &'static str, act: fn(&mut Actor), count: u8, millis: u64) -> Role {
    Role { name, act, count, every: Duration::from_millis(millis) }
}

/// All of them. Together about 150 requests a second, so that two cores have time for other things.
pub(crate) const ROSTER: [Role; 26] = [
    role("keep-alive", plain::keep_alive, 4, 1_500),
    role("short connections", plain::short, 2, 120),
    role("pipelining", plain::pipelining, 2, 800),
    role("uploads", plain::uploads, 2, 400),
    role("downloads", plain::downloads, 2, 400),
    role("side door", plain::side_door, 1, 100),
    role("left connections", plain::left, 1, 300),
    role("tunnels", tunnels::tunnel, 2, 500),
    role("long tunnels", tunnels::long, 2, 100),
    role("websockets", tunnels::websocket, 2, 500),
    role("half-closing", slow::half_closing, 1, 300),
    role("dripping heads", slow::dripping_head, 2, 100),
    role("slow readers", slow::reader, 2, 100),
    role("slow writers", slow::writer, 2, 100),
    role("slow origin", slow::origin, 2, 100),
    // From here on somebody misbehaves.
    role("heads without end", slow::endless_head, 1, 100),
    role("stalled uploads", slow::stalled_upload, 1, 100),
    role("readers that stop", slow::stopped_reader, 1, 100),
    role("silent clients", slow::silent, 1, 100),
    role("hostile clients", hostile::attack, 2, 150),
    role("leaving clients", leaving::leave, 2, 250),
    role("quiet leavers", leaving::quietly, 1, 250),
    role("faulty origins", faulty::ask, 6, 400),
    role("broken uploads", faulty::upload, 2, 500),
    role("deaf origins", faulty::deaf, 1, 500),
    role("broken tunnels", faulty::tunnel, 1, 500),
];
