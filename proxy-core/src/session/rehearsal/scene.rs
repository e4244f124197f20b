//! [`Scene`]: the handler and the connector of a rehearsal, the upstreams they lead to, and what
//! else the proxy is set to.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::marks::MARK;
use super::peer::Peer;
use super::script::{Role, Script};
use crate::error::Reason;
use crate::handler::{
    Action, BodySender, ConnectionHandler, Exchange, FixedUpstreamHandler, ForwardHandler, Plan,
    Response, ResponseAction, body_stream,
};
use crate::limits::{Limits, Timeouts};
use crate::net::Socket;
use crate::net::memory::connection;
use crate::policy::throttle::{Allowance, Rate, Scope, Throttle, Throttles, Volume};
use crate::policy::{Bans, Clients, ConnectPorts, DestinationGuard, ForwardingPolicy};
use crate::runtime::WorkerPool;
use crate::session::{Lanes, ListenerId, Settings, Work};
use crate::upstream::{Authority, ConnectError, Destination, Dialing, UpstreamConnector, Vouched};

/// What goes on behind the proxy.
#[derive(Clone)]
pub(super) struct Scene(Arc<Mutex<Backstage>>);

struct Backstage {
    room: usize,
    upstreams: Vec<Peer>,
    exchanges: Vec<u64>,
    refuse_next: bool,
    /// Of bodies that are open until an act ends them.
    streams: Vec<BodySender>,
    /// There are to be no more of these.
    is_over: bool,
}

/// This host's answers are streams of the handler's own: `/kept` stays open, `/cut` and `/lost` do
/// not come to their end, any other path has [`STREAMED`].
pub(super) const STREAMING: &str = "stream.test";

/// What is streamed, in pieces.
pub(super) const STREAMED: [&str; 4] = ["one ", "", "two ", "and a longer one"];

/// What the proxy is set to.
pub(super) fn settings(scene: &Scene, script: &Script) -> Settings {
    Settings {
        handler: scene.handler(script.role),
        connector: scene.connector(),
        limits: Limits {
            connections_per_upstream: script.connections,
            waiting_per_upstream: 2,
            min_rate: script.least_rate,
            ..limits()
        },
        timeouts: Timeouts::default(),
        pseudonym: "rehearsal".to_owned(),
        forwarding: ForwardingPolicy::off(),
        privacy: None,
        guard: DestinationGuard::on_loopback(),
        connect_ports: ConnectPorts::any(),
        clients: Clients::Unsaid,
        bans: Bans::default(),
        throttles: throttles(script.most_rate),
        listeners: vec![ListenerId(0)],
        own_addresses: Vec::new(),
        kept_away: Vec::new(),
    }
}

/// A rate each way, and a count of all of it; or nothing at all.
fn throttles(rate: u64) -> Throttles {
    let throttles = match rate {
        0 => Vec::new(),
        rate => vec![
            Throttle::new("up", Scope::client(), Allowance::Upload(Rate::per_second(rate))),
            Throttle::new("down", Scope::All, Allowance::Download(Rate::per_second(rate))),
            Throttle::new("all", Scope::Host, Allowance::Volume(Volume::daily(u64::MAX))),
        ],
    };
    Throttles::begin(throttles, &Throttles::default()).expect("they are well-formed")
}

/// Small enough for a short script to get there.
fn limits() -> Limits {
    Limits {
        head_bytes: 2048,
        fields: 24,
        target_bytes: 256,
        trailer_bytes: 256,
        chunk_line_bytes: 48,
        request_body: 8192,
        interim_responses: 3,
        lane_queue: 1,
        idle_upstreams: 4,
        idle_per_upstream: 2,
        discarded_body: 64,
        ..Limits::default()
    }
}

/// No job is ever given to it: the connector answers at once and nothing is deferred.
pub(super) fn lanes() -> Lanes {
    static LANES: OnceLock<Lanes> = OnceLock::new();
    let build = || {
        let mut builder = WorkerPool::builder();
        let lanes = Work::ALL.map(|(_, name)| builder.lane(name, 1, 1));
        Lanes { pool: Arc::new(builder.build().expect("three threads can be had")), lanes }
    };
    LANES.get_or_init(build).clone()
}

impl Scene {
    pub(super) fn new(room: usize) -> Scene {
        let (upstreams, exchanges) = (Vec::new(), Vec::new());
        let (streams, refuse_next, is_over) = (Vec::new(), false, false);
        let backstage = Backstage { room, upstreams, exchanges, refuse_next, streams, is_over };
        Scene(Arc::new(Mutex::new(backstage)))
    }

    fn lock(&self) -> MutexGuard<'_, Backstage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn handler(&self, role: Role) -> Arc<dyn ConnectionHandler> {
        let inner: Box<dyn ConnectionHandler> = match role {
            Role::Forward => Box::new(ForwardHandler),
            Role::Reverse => {
                let upstream = "upstream.test:8080".parse().expect("well-formed");
                Box::new(FixedUpstreamHandler::new(upstream))
            }
        };
        Arc::new(Marking { inner, scene: self.clone() })
    }

    pub(super) fn connector(&self) -> Arc<dyn UpstreamConnector> {
        Arc::new(Leading(self.clone()))
    }

    /// The next attempt to connect fails.
    pub(super) fn refuse_next(&self) {
        self.lock().refuse_next = true;
    }

    /// Sends this to all bodies that are open, where there is room.
    pub(super) fn say(&self, text: &[u8]) {
        for stream in &self.lock().streams {
            drop(stream.try_send(text.to_vec()));
        }
    }

    /// All bodies that are open come to their end.
    pub(super) fn finish_streams(&self) {
        std::mem::take(&mut self.lock().streams).into_iter().for_each(BodySender::finish);
    }

    /// The same, and none is open any more.
    pub(super) fn open_no_more(&self) {
        self.lock().is_over = true;
        self.finish_streams();
    }

    /// A response that is streamed.
    fn stream(&self, path: &str) -> Response {
        let (sender, body) = body_stream(64);
        for piece in STREAMED {
            sender.try_send(piece).expect("there is room");
        }
        let mut backstage = self.lock();
        match path {
            "/kept" if !backstage.is_over => backstage.streams.push(sender),
            "/cut" => sender.abort(),
            "/lost" => drop(sender),
            _ => sender.finish(),
        }
        Response::new(200).with_stream(body)
    }

    /// Has an upstream do something, if there is one: `number` counts from the newest.
    pub(super) fn with_upstream(&self, number: usize, act: impl FnOnce(&mut Peer)) {
        if let Some(index) = self.index(number) {
            act(&mut self.lock().upstreams[index]);
        }
    }

    /// Its number, counted from the oldest.
    pub(super) fn index(&self, number: usize) -> Option<usize> {
        self.lock().upstreams.len().checked_sub(number + 1)
    }

    pub(super) fn each_upstream(&self, act: impl FnMut(&mut Peer)) {
        self.lock().upstreams.iter_mut().for_each(act);
    }

    /// The most connections that are open to one upstream.
    pub(super) fn most_open(&self) -> usize {
        let backstage = self.lock();
        let open = || backstage.upstreams.iter().filter(|peer| !peer.far.is_closed());
        let to_same =
            |peer: &Peer| open().filter(|other| other.authority == peer.authority).count();
        open().map(to_same).max().unwrap_or(0)
    }

    pub(super) fn into_parts(self) -> (Vec<Peer>, Vec<u64>) {
        let mut backstage = self.lock();
        (std::mem::take(&mut backstage.upstreams), std::mem::take(&mut backstage.exchanges))
    }
}

/// Does as its inner handler does, and marks what goes through its hands.
struct Marking {
    inner: Box<dyn ConnectionHandler>,
    scene: Scene,
}

impl ConnectionHandler for Marking {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        let id = exchange.id();
        self.scene.lock().exchanges.push(id);
        exchange.request_edits().set(MARK, &id.to_string());
        exchange.response_edits().set(MARK, &id.to_string());
        if exchange.request().host() == STREAMING {
            return Action::Respond(self.scene.stream(exchange.request().path()));
        }
        match self.inner.request(exchange) {
            // So the connector can tell its connections from those for requests.
            Action::Tunnel(_) => {
                let end = Authority::new(MARK, 443).expect("a mark is a name, too");
                Action::Tunnel(Plan::to(Arc::new(end)))
            }
            action => action,
        }
    }

    fn response(&self, exchange: &mut Exchange<'_>) -> ResponseAction {
        self.inner.response(exchange)
    }
}

/// Leads to a new upstream, whatever is asked for.
struct Leading(Scene);

impl UpstreamConnector for Leading {
    fn fast(&self, destination: &Destination<'_>) -> Option<Result<Dialing, ConnectError>> {
        let mut backstage = self.0.lock();
        if std::mem::take(&mut backstage.refuse_next) {
            return Some(Err(ConnectError::new(Reason::ConnectRefused)));
        }
        let (near, far) = connection(backstage.room);
        let is_tunnel = destination.host().eq_ignore_ascii_case(MARK);
        let authority = format!("{}:{}", destination.host(), destination.port());
        backstage.upstreams.push(Peer { authority, is_tunnel, ..Peer::new(far) });
        Some(Ok(Dialing::connected(Socket::Memory(near), Vouched::because("it is a rehearsal"))))
    }

    fn plan(&self, _: &Destination<'_>) -> Result<Dialing, ConnectError> {
        unreachable!("fast() always knows")
    }
}
