//! [`Stage`] and [`Actor`]: what all actors have in common, and what each has for itself.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::content::Chance;
use crate::ledger::Ledger;
use crate::origin::Witness;
use crate::wire::Wire;

/// Where the play takes place. Shared by all actors.
pub(crate) struct Stage {
    pub(crate) proxy: SocketAddr,
    pub(crate) origin: SocketAddr,
    /// The same by a name, for which the proxy has to look.
    pub(crate) origin_by_name: String,
    /// Another one, which leaves now and then.
    pub(crate) leaving: SocketAddr,
    /// The far end of tunnels.
    pub(crate) echo: SocketAddr,
    /// An address where nobody listens.
    pub(crate) nobody: SocketAddr,
    pub(crate) ledger: Ledger,
    pub(crate) witness: Arc<Witness>,
    /// A listener of the proxy that comes and goes.
    side_door: Mutex<Option<SocketAddr>>,
    pub(crate) is_over: AtomicBool,
    crowd: AtomicUsize,
    largest_crowd: AtomicUsize,
}

impl Stage {
    pub(crate) fn new(
        proxy: SocketAddr,
        origin: SocketAddr,
        leaving: SocketAddr,
        echo: SocketAddr,
        nobody: SocketAddr,
        witness: Arc<Witness>,
    ) -> Stage {
        Stage {
            proxy,
            origin,
            origin_by_name: format!("localhost:{}", origin.port()),
            leaving,
            echo,
            nobody,
            ledger: Ledger::default(),
            witness,
            side_door: Mutex::new(None),
            is_over: AtomicBool::new(false),
            crowd: AtomicUsize::new(0),
            largest_crowd: AtomicUsize::new(0),
        }
    }

    /// The proxy has begun or ceased to listen there.
    pub(crate) fn set_side_door(&self, address: Option<SocketAddr>) {
        *self.side_door.lock().expect("no holder panics") = address;
    }

    /// How many clients are connected, and how many were at most.
    pub(crate) fn crowd(&self) -> (usize, usize) {
        (self.crowd.load(Relaxed), self.largest_crowd.load(Relaxed))
    }

    /// Waits for so long, or until it is over. Returns whether it goes on.
    pub(crate) fn pause(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        while !self.is_over.load(Relaxed) {
            let Some(left) = until.checked_duration_since(Instant::now()) else { return true };
            thread::sleep(left.min(Duration::from_millis(50)));
        }
        false
    }
}

/// One who acts, on a thread of its own.
pub(crate) struct Actor {
    pub(crate) name: &'static str,
    pub(crate) stage: Arc<Stage>,
    pub(crate) chance: Chance,
    /// Its own address.
    from: Ipv4Addr,
}

/// A client's connection, which is counted.
pub(crate) struct Visit {
    pub(crate) wire: Wire,
    _here: Here,
}

struct Here(Arc<Stage>);

impl Here {
    fn new(stage: &Arc<Stage>) -> Here {
        let crowd = stage.crowd.fetch_add(1, Relaxed) + 1;
        stage.largest_crowd.fetch_max(crowd, Relaxed);
        Here(Arc::clone(stage))
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        self.0.crowd.fetch_sub(1, Relaxed);
    }
}

impl Visit {
    /// Breaks it off.
    pub(crate) fn reset(self) {
        // It fails only on what is closed already.
        let _ = self.wire.reset();
    }
}

impl Actor {
    pub(crate) fn new(name: &'static str, number: u8, seed: u64, stage: Arc<Stage>) -> Actor {
        let chance = Chance::of(seed, u64::from(number));
        Actor { name, stage, chance, from: Ipv4Addr::new(127, 0, 1, number) }
    }

    /// Connects to the proxy.
    pub(crate) fn visit(&self) -> Option<Visit> {
        self.visit_taking(None)
    }

    /// Connects to the listener that comes and goes, if it is there.
    pub(crate) fn visit_by_the_side_door(&self) -> Option<Visit> {
        let address = *self.stage.side_door.lock().expect("no holder panics");
        let here = Here::new(&self.stage);
        // It may have been closed meanwhile.
        let wire = Wire::connect(self.from, address?, None).ok()?;
        Some(Visit { wire, _here: here })
    }

    /// The same with a receive buffer of that size.
    pub(crate) fn visit_taking(&self, buffer: Option<usize>) -> Option<Visit> {
        let here = Here::new(&self.stage);
        match Wire::connect(self.from, self.stage.proxy, buffer) {
            Ok(wire) => Some(Visit { wire, _here: here }),
            Err(error) => {
                self.stage.ledger.trouble(format!("{} could not connect: {error}", self.name));
                // Not to fill the memory with a proxy that is gone.
                self.stage.pause(Duration::from_secs(1));
                None
            }
        }
    }

    /// Acts once in each such time, a quarter more or less, until it is over. Whoever needs longer
    /// does not catch up.
    pub(crate) fn run(mut self, every: Duration, act: fn(&mut Actor)) {
        loop {
            let turn = every * (75 + self.chance.below(51) as u32) / 100;
            let began = Instant::now();
            act(&mut self);
            if !self.stage.pause(turn.saturating_sub(began.elapsed())) {
                return;
            }
        }
    }
}
