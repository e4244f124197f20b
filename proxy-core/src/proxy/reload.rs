//! [`ProxyHandle::reload`]: another configuration, without a stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::build::{Bound, BuildError, Threads};
use super::builder::ProxyBuilder;
use super::entrance::Entrance;
use super::handle::ProxyHandle;
use crate::session::{ListenerId, Message, Settings};

/// What a reload has changed beyond the settings of new requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReloadReport {
    /// Where it listens now and did not before.
    pub added: Vec<SocketAddr>,
    /// Where it listened before and does not now.
    pub removed: Vec<SocketAddr>,
    /// Settings with another value than before that were not taken over, since they are about
    /// threads and the queues between them: they wait for the next start.
    pub need_restart: Vec<&'static str>,
}

/// How long a loop that a handler holds up, or a logger, may hold up a reload.
const PATIENCE: Duration = Duration::from_secs(5);

impl ProxyHandle {
    /// Goes on as if it had been started with `builder`, without a stop.
    ///
    /// When it returns, requests that begin are served by the new settings. Those that have begun
    /// keep the old ones to their end, handler, connector and timeouts; so do tunnels. On a
    /// connection that is kept alive the next request is a new one.
    ///
    /// - **Listeners** are compared by the address as it was given to
    ///   [`listen`](ProxyBuilder::listen). One that is there again is not touched, and no
    ///   connection to it is lost. Others are opened, or closed: a client that came by a closed
    ///   one gets the response that is under way, as the last on its connection; or, if it has only
    ///   just connected, has half a second for its first request. Those that were
    ///   given as [`listener`](ProxyBuilder::listener)s stay, behind the addresses, and new ones
    ///   are added behind them. A builder without any leaves all as they are.
    /// - **Clients** that are not served any more get the response that is under way, and no other.
    ///   Tunnels stay.
    /// - **Connections to upstreams** are not used for later requests: the new settings may lead
    ///   elsewhere. Names that the default connector has resolved stay known, unless the bounds for
    ///   them change.
    /// - **Throttles** keep their counts by their names, where they count the same for the same.
    /// - **The logger** is replaced if the builder has one. The new one may get records of requests
    ///   that began before, and the old one gets none any more: it is flushed and dropped.
    /// - **Limits** hold for what comes: nothing is closed because there are more than there may be
    ///   now. A limit for clients or upstreams that was not there before counts from now on.
    /// - **Threads** and the queues between them stay as they are: see
    ///   [`ReloadReport::need_restart`].
    ///
    /// Waits until all event loops are there, which takes no longer than their current turn; 5
    /// seconds at most, if a handler holds one up: then that loop follows as soon as it can.
    ///
    /// # Errors
    /// Those of [`ProxyBuilder::build`] and [`Proxy::start`](super::Proxy::start). Nothing has
    /// changed then.
    ///
    /// ```
    /// use proxy_core::{FixedUpstreamHandler, Proxy};
    ///
    /// let mut proxy = Proxy::builder().listen("127.0.0.1:0").start()?;
    ///
    /// // It was a forward proxy, and is in front of an upstream from now on; on the same port.
    /// let upstream = FixedUpstreamHandler::new("localhost:8080".parse()?);
    /// let report = proxy.reload(Proxy::builder().handler(upstream))?;
    /// assert!(report.added.is_empty() && report.removed.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reload(&mut self, mut builder: ProxyBuilder) -> Result<ReloadReport, BuildError> {
        let threads = builder.check()?;
        let need_restart = self.keep_what_is_fixed(threads, &mut builder);
        let has_default_connector = builder.connector.is_none();
        if has_default_connector && self.has_default_connector && self.knows_names_like(&builder) {
            builder.connector = Some(Arc::clone(&self.settings.connector));
        }
        let logger = builder.logger.take();
        let names_clients = builder.metrics_clients;
        let Plan { order, mut added } = self.plan(&mut builder)?;
        let addresses = |entrances: &[Entrance]| -> Vec<SocketAddr> {
            entrances.iter().filter_map(|entrance| entrance.address).collect()
        };
        let find = |id: &ListenerId| {
            self.entrances.iter().chain(&added).find(|entrance| entrance.id == *id)
        };
        let own = order.iter().filter_map(find).filter_map(|entrance| entrance.address).collect();
        let (pseudonym, bans) = (self.settings.pseudonym.clone(), self.settings.bans.clone());
        let before = &self.settings.throttles;
        let settings = Arc::new(builder.settle(order.clone(), own, pseudonym, bans, before)?);

        // From here on nothing can fail.
        let (kept, mut removed): (Vec<_>, Vec<_>) =
            self.entrances.drain(..).partition(|entrance| order.contains(&entrance.id));
        let report =
            ReloadReport { added: addresses(&added), removed: addresses(&removed), need_restart };
        // What a closed listener has accepted is with the loops before they hear that it is gone.
        removed.iter_mut().for_each(|entrance| entrance.shut(PATIENCE));
        drop(removed);
        self.newest.set(Arc::clone(&settings));
        self.counters.name_clients(names_clients);
        if !self.put_into_effect(PATIENCE) {
            log::error!(
                "an event loop is held up, most likely by a handler: it follows the reload as \
                 soon as it can"
            );
        }
        if let Some(logger) = logger
            && !self.log.replace(self.counters.observe(logger), PATIENCE)
        {
            log::error!("the logger hangs: records go on to it, and not to the new one");
        }
        added.iter_mut().for_each(Entrance::open);
        self.listeners += added.len();
        self.entrances = kept.into_iter().chain(added).collect();
        self.entrances.sort_by_key(|entrance| order.iter().position(|id| *id == entrance.id));
        self.settings = settings;
        self.has_default_connector = has_default_connector;
        Ok(report)
    }
}

/// Where a proxy is to listen.
struct Plan {
    order: Vec<ListenerId>,
    /// Those of them that were not there before. They do not accept yet.
    added: Vec<Entrance>,
}

impl ProxyHandle {
    /// Opens the listeners that are not there yet.
    fn plan(&self, builder: &mut ProxyBuilder) -> Result<Plan, BuildError> {
        let (mut order, mut added) = (Vec::new(), Vec::new());
        let addresses = std::mem::take(&mut builder.addresses);
        let listeners = std::mem::take(&mut builder.listeners);
        let says_where = !addresses.is_empty() || !listeners.is_empty();
        let mut add = |bound: Bound| -> Result<ListenerId, BuildError> {
            let id = ListenerId(self.listeners + added.len());
            added.push(Entrance::prepare(bound, id, &self.reception)?);
            Ok(id)
        };
        for address in addresses {
            let same = |entrance: &&Entrance| {
                entrance.given.as_ref() == Some(&address) && !order.contains(&entrance.id)
            };
            let id = match self.entrances.iter().find(same) {
                Some(entrance) => entrance.id,
                None => add(Bound::to(address, builder.shares_addresses)?)?,
            };
            order.push(id);
        }
        let stays = |entrance: &&Entrance| entrance.given.is_none() || !says_where;
        order.extend(self.entrances.iter().filter(stays).map(|entrance| entrance.id));
        for listener in listeners {
            order.push(add(listener.into())?);
        }
        Ok(Plan { order, added })
    }

    /// Puts the running values of what cannot be changed into `builder`. Says which it wanted to
    /// be different.
    fn keep_what_is_fixed(&self, wanted: Threads, builder: &mut ProxyBuilder) -> Vec<&'static str> {
        let (running, limits) = (&self.settings.limits, &mut builder.limits);
        let queues = [
            ("buffer_bytes", &mut limits.buffer_bytes, running.buffer_bytes),
            ("loop_inbox", &mut limits.loop_inbox, running.loop_inbox),
            ("lane_queue", &mut limits.lane_queue, running.lane_queue),
            ("log_queue", &mut limits.log_queue, running.log_queue),
        ];
        let mut others = Vec::new();
        if wanted.event_loops != self.threads.event_loops {
            others.push("event_loops");
        }
        if wanted.workers != self.threads.workers {
            others.push("workers");
        }
        if wanted.metrics != self.threads.metrics {
            others.push("metrics");
        }
        if wanted.metrics_top != self.threads.metrics_top {
            others.push("metrics_top");
        }
        if builder.shares_addresses != self.shares_addresses {
            others.push("share_addresses");
        }
        if builder.log_overflow != self.log_overflow {
            others.push("log_overflow");
        }
        for (name, wanted, running) in queues {
            if std::mem::replace(wanted, running) != running {
                others.push(name);
            }
        }
        others
    }

    /// Whether a default connector for `builder` would keep names as the running one does.
    fn knows_names_like(&self, builder: &ProxyBuilder) -> bool {
        let Settings { limits, timeouts, .. } = &*self.settings;
        limits.names == builder.limits.names
            && timeouts.name_ttl == builder.timeouts.name_ttl
            && timeouts.name_failure_ttl == builder.timeouts.name_failure_ttl
    }

    /// Tells the loops, and waits until they have heard. `false` if one has not within `patience`.
    fn put_into_effect(&self, patience: Duration) -> bool {
        let (in_effect, answers) = crossbeam_channel::bounded(self.loops.len());
        let until = Instant::now() + patience;
        for event_loop in &self.loops {
            // A loop that has not heard the last one until then gets the newest settings by that.
            drop(event_loop.reload.send_by(until, Message::Reload(in_effect.clone())));
        }
        drop(in_effect);
        self.loops.iter().all(|_| answers.recv_deadline(until).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;
    use crate::handler::{Action, ConnectionHandler, Exchange, Response};
    use crate::proxy::Proxy;

    /// Holds its loop up until it is let go.
    struct Holding(crossbeam_channel::Sender<()>, crossbeam_channel::Receiver<()>);

    impl ConnectionHandler for Holding {
        fn request(&self, _: &mut Exchange<'_>) -> Action {
            self.0.send(()).unwrap();
            let _ = self.1.recv();
            Action::Respond(Response::new(204))
        }
    }

    #[test]
    fn a_loop_that_is_held_up_follows_when_it_can() {
        let (arrived, arrivals) = crossbeam_channel::unbounded();
        let (let_go, hold) = crossbeam_channel::bounded(0);
        let builder = Proxy::builder().listen("127.0.0.1:0").event_loops(1);
        let mut proxy = builder.handler(Holding(arrived, hold)).start().unwrap();
        let mut client = TcpStream::connect(proxy.local_addrs()[0]).unwrap();
        let mut ask = || client.write_all(b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        ask();
        arrivals.recv().unwrap();
        // The first is not heard, and keeps the second from its place in the queue.
        for _ in 0..2 {
            assert!(!proxy.put_into_effect(Duration::from_millis(1)));
        }
        drop(let_go);
        assert!(proxy.put_into_effect(PATIENCE));
        drop(proxy.reload(Proxy::builder()).unwrap());
        let mut answer = [0; 12];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 204");
    }
}
