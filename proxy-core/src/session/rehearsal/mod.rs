//! A [`Rehearsal`]: whole sessions in memory, for tests and fuzzers.
//!
//! The real [`Engine`] plays on the real loop's works, but every socket is one end of a
//! [connection in memory](crate::net::memory), the clock stands until it is told to go on, and
//! no thread and no system has a say: the same [`Script`] gives the same play.
//!
//! ```text
//!                 ┌──────────────── Rehearsal ────────────────┐
//!   Script ─acts─▶│ clients ══▶ Engine on the loop ══▶ Scene  │─▶ Play ─▶ verdict::judge
//!                 │  (far ends)      │            (upstreams) │
//!                 └──────────────────┼────────────────────────┘
//!                                    └─▶ access records
//! ```
//!
//! | file | holds |
//! |---|---|
//! | [`script`] | what clients and upstreams do, and its form in bytes |
//! | [`scene`] | the settings, the handler, the connector, and the upstreams they lead to |
//! | [`peer`] | a far end and what came of it |
//! | [`marks`] | what tells exchanges apart |
//! | [`counted`] | whether what was counted is what was recorded |
//! | [`verdict`] | what must hold of every play, whatever the script |

#[path = "../../../tests/support/canonical.rs"]
#[allow(unreachable_pub)]
mod canonical;
mod counted;
mod marks;
mod peer;
mod scene;
mod script;
#[cfg(test)]
mod tests;
mod verdict;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::peer::Peer;
use self::scene::Scene;
use self::script::{Act, Last, Script};
use super::env::Env;
use super::message::{Arrival, Counted, Drain, Message, Seat, Seats, Tally};
use super::{Engine, ListenerId, Newest, Owner, Work};
use crate::logger::{Collected, OwnedRecord, collected};
use crate::metrics::{LoopMeter, Meter};
use crate::net::{Socket, Stream};
use crate::runtime::event_loop::{EventLoop, Turn};
use crate::runtime::mailbox::Outlet;

/// Plays the script that these bytes are, and judges the play.
///
/// # Panics
/// If something happened that must not happen.
pub(crate) fn rehearse(bytes: &[u8]) {
    if let Some(script) = Script::read(bytes) {
        let play = Rehearsal::new(&script).play(&script);
        if let Err(objection) = verdict::judge(&play) {
            panic!("{objection}\n\n{play}");
        }
    }
}

/// What is played on.
struct Rehearsal {
    event_loop: EventLoop<Owner, Message>,
    engine: Engine,
    arrivals: Outlet<Message>,
    control: Outlet<Message>,
    records: Collected,
    meter: Arc<LoopMeter>,
    now: Instant,
    scene: Scene,
    clients: Vec<Peer>,
    /// Which client and which upstream act, counted from the newest.
    actor: usize,
    speaker: usize,
    room: usize,
    /// How many connections each upstream may have.
    connections: usize,
    /// There is a throttle.
    is_throttled: bool,
    open: Arc<Seats>,
    /// It has been told to come to an end.
    is_draining: bool,
    /// It has.
    has_stopped: bool,
    objection: Option<String>,
}

/// What became of a script.
struct Play {
    clients: Vec<Peer>,
    upstreams: Vec<Peer>,
    /// The ids of the requests the handler was asked about.
    exchanges: Vec<u64>,
    records: Vec<OwnedRecord>,
    /// Something was seen to go wrong on the way.
    objection: Option<String>,
}

/// Turns after which a play that goes on by itself has gone on for too long.
const MOST_TURNS: usize = 100_000;

impl Rehearsal {
    fn new(script: &Script) -> Rehearsal {
        let mut event_loop = EventLoop::new(script.read_bytes).expect("a poller can be had");
        let scene = Scene::new(script.room);
        let newest = Arc::new(Newest::new(Arc::new(scene::settings(&scene, script))));
        let (log, records) = collected(100_000);
        let results = event_loop.mailbox().queue(Work::ALL.len());
        let arrivals = event_loop.mailbox().queue(1);
        let control = event_loop.mailbox().queue(1);
        let calls = Arc::clone(event_loop.mailbox().calls());
        let meter = Arc::new(LoopMeter::new());
        let env = Env::new(newest, scene::lanes(), (results, calls), log, (0, 1))
            .counting(Meter::new(Some(Arc::clone(&meter))));
        Rehearsal {
            event_loop,
            engine: Engine::new(env),
            arrivals,
            control,
            records,
            meter,
            now: Instant::now(),
            scene,
            clients: Vec::new(),
            actor: 0,
            speaker: 0,
            room: script.room,
            connections: script.connections,
            is_throttled: script.most_rate > 0,
            open: Arc::new(Seats::new()),
            is_draining: false,
            has_stopped: false,
            objection: None,
        }
    }

    /// Plays the script to its end, and then until everything has ended.
    fn play(mut self, script: &Script) -> Play {
        self.arrive();
        for act in &script.acts {
            self.act(act);
        }
        self.settle();
        self.rouse();
        self.end(script.last);
        let Rehearsal { engine, clients, scene, mut objection, records, meter, event_loop, .. } =
            self;
        let left = [
            ("a task", engine.tasks()),
            ("a socket", event_loop.context().sockets.len()),
            ("a buffer", event_loop.context().spares.lent),
            ("a seat", self.open.taken()),
        ];
        for (what, count) in left.iter().filter(|(_, count)| *count > 0) {
            objection.get_or_insert(format!("{what} is left at the end ({count})"));
        }
        drop(engine); // hands over its last records
        let (upstreams, exchanges) = scene.into_parts();
        let records = records.into_records();
        if let Some(difference) = counted::difference(&meter, &records) {
            objection.get_or_insert(difference);
        }
        Play { clients, upstreams, exchanges, records, objection }
    }

    /// A client connects.
    fn arrive(&mut self) {
        let (near, far) = crate::net::memory::connection(self.room);
        let arrival = Arrival {
            stream: Stream::adopt(Socket::Memory(near)).expect("in memory nothing fails"),
            peer: client_address(self.clients.len()),
            listener: ListenerId(0),
            seat: Seat::take(&self.open, &Arc::default(), Counted::default()),
            refused: None,
            reported: None,
        };
        self.clients.push(Peer::new(far));
        assert!(self.arrivals.send(Message::Arrived(arrival)).is_ok(), "each arrival has its turn");
        self.turn();
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::ClientSends { bytes, piece } => {
                for piece in bytes.chunks(*piece) {
                    self.client().send(piece);
                    self.turn();
                }
                return;
            }
            Act::UpstreamSends { bytes, piece } => {
                let mut text = bytes.as_slice();
                while !text.is_empty() {
                    let Some(index) = self.scene.index(self.speaker) else { return };
                    self.scene.with_upstream(self.speaker, |upstream| {
                        let said = upstream.lines(index, &mut text, *piece);
                        upstream.send(&said);
                    });
                    self.turn();
                }
                return;
            }
            Act::UpstreamMutters(bytes) => {
                let Some(index) = self.scene.index(self.speaker) else { return };
                self.scene.with_upstream(self.speaker, |upstream| {
                    let said = upstream.lines(index, &mut bytes.as_slice(), usize::MAX);
                    upstream.send(&said);
                });
                return;
            }
            Act::ClientArrives => {
                // A proxy that comes to an end accepts nobody.
                if self.clients.len() < CLIENTS && !self.is_draining {
                    self.arrive();
                }
            }
            Act::ClientFinishes => self.client().finish(),
            Act::ClientResets => self.client().reset(),
            Act::ClientTakes(most) => self.client().pace = *most,
            Act::UpstreamFinishes => self.scene.with_upstream(self.speaker, Peer::finish),
            Act::UpstreamResets => self.scene.with_upstream(self.speaker, Peer::reset),
            Act::UpstreamTakes(most) => {
                self.scene.with_upstream(self.speaker, |upstream| upstream.pace = *most);
            }
            Act::Client(number) => self.actor = *number,
            Act::Speaker(number) => self.speaker = *number,
            Act::ConnectFails => self.scene.refuse_next(),
            Act::TimePasses(duration) => self.now += *duration,
            Act::HandlerSays(text) => self.scene.say(text),
            Act::HandlerFinishes => self.scene.finish_streams(),
            Act::Drain => self.drain(),
            Act::Settle => return self.settle(),
            Act::FalseAlarm => self.false_alarm(),
        }
        self.turn();
    }

    /// The client that acts.
    fn client(&mut self) -> &mut Peer {
        let newest = self.clients.len() - 1; // the first came before the first act
        &mut self.clients[newest.saturating_sub(self.actor)]
    }

    /// One turn of the loop; then the far ends take what has come for them, at their pace.
    fn turn(&mut self) -> Turn {
        let mut news: Vec<_> = self.clients.iter().filter_map(|peer| peer.far.news()).collect();
        self.scene.each_upstream(|peer| {
            news.extend(peer.far.news());
        });
        let turn = match self.has_stopped {
            true => Turn::Stop,
            false => self.event_loop.rehearse(&mut self.engine, self.now, news.into_iter()),
        };
        self.has_stopped |= turn == Turn::Stop;
        let open = self.scene.most_open();
        if open > self.connections {
            self.objection.get_or_insert(format!("{open} connections to one upstream"));
        }
        self.records.gather();
        self.clients.iter_mut().for_each(Peer::take);
        self.scene.each_upstream(Peer::take);
        turn
    }

    /// Takes turns until nothing moves.
    fn settle(&mut self) {
        for _ in 0..MOST_TURNS {
            let mut busy = self.event_loop.context().is_busy();
            self.clients.iter().for_each(|peer| busy |= peer.far.has_news());
            self.scene.each_upstream(|peer| busy |= peer.far.has_news());
            self.turn();
            if !busy || self.has_stopped {
                return;
            }
        }
        self.objection.get_or_insert("it goes on and on without anything coming in".to_owned());
    }

    fn false_alarm(&self) {
        self.clients.iter().for_each(|peer| peer.far.cry_wolf());
        self.scene.each_upstream(|peer| peer.far.cry_wolf());
    }

    /// Everybody takes all there is. Then nothing may be left to do: what a false alarm brings
    /// to light had been waiting for an event that would never have come.
    fn rouse(&mut self) {
        self.clients.iter_mut().for_each(Peer::hurry);
        self.scene.each_upstream(Peer::hurry);
        self.turn();
        self.settle();
        if self.is_throttled {
            self.let_throttled_go();
        }
        let before = self.amounts();
        self.false_alarm();
        self.turn();
        self.settle();
        if self.amounts() != before {
            self.objection.get_or_insert("something was ready to go on, and did not".to_owned());
        }
    }

    /// Who waits for a throttle goes on a little after the time has come, since timers are coarse: until
    /// then an event, a false alarm too, has it go on earlier, and that is as it should be. Time
    /// passes until nobody is about to go on.
    fn let_throttled_go(&mut self) {
        const COARSE: Duration = Duration::from_millis(3 * 16);
        for _ in 0..1000 {
            let sleep = self.event_loop.context().timers.sleep(self.now);
            let Some(sleep) = sleep.filter(|sleep| *sleep <= COARSE) else { return };
            self.now += sleep;
            self.turn();
            self.settle();
        }
    }

    fn amounts(&self) -> Vec<usize> {
        let mut amounts: Vec<_> = self.clients.iter().map(|peer| peer.got.len()).collect();
        self.scene.each_upstream(|peer| amounts.push(peer.got.len()));
        amounts
    }

    /// Everybody ends or nobody, time passes, and the loop is told to come to an end.
    fn end(&mut self, last: Last) {
        if last == Last::Ends {
            self.clients.iter_mut().for_each(Peer::finish);
            self.scene.each_upstream(Peer::finish);
        } else {
            // Nobody else knows an end of them.
            self.scene.open_no_more();
        }
        self.turn();
        self.settle();
        for _ in 0..1000 {
            let Some(sleep) = self.event_loop.context().timers.sleep(self.now) else { break };
            self.now += sleep.max(Duration::from_secs(1));
            self.turn();
            self.settle();
        }
        // A loop that has stopped before leaves behind the timers of those it has cut.
        if !self.has_stopped && self.event_loop.context().timers.sleep(self.now).is_some() {
            self.objection.get_or_insert("a timer is left".to_owned());
        }
        let left = self.engine.tasks();
        if left > 0 {
            self.objection.get_or_insert(format!("{left} tasks have no timer to end them"));
        }
        self.drain();
        if self.turn() != Turn::Stop {
            self.objection.get_or_insert("a loop without anybody does not end".to_owned());
        }
    }

    fn drain(&mut self) {
        if std::mem::replace(&mut self.is_draining, true) {
            return;
        }
        let until = self.now + Duration::from_secs(10);
        let tally = Arc::new(Tally::default());
        let drain = Drain { exchanges_until: until, tunnels_until: until, tally };
        assert!(self.control.send(Message::Drain(drain)).is_ok(), "it is told once");
    }
}

/// So many clients come at most.
const CLIENTS: usize = 4;

/// Of the client with this number: from the addresses for documentation (RFC 5737).
fn client_address(number: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, number as u8 + 1], 50_000))
}
