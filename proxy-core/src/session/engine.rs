//! [`Engine`]: all tasks of one loop, and who gets which event.

mod accepting;
mod connections;
mod endings;
mod inventory;
mod task;

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use slab::Slab;

use super::client::Session;
use super::env::{Env, Granted, Work, guarded};
use super::message::{Arrival, Message};
use super::taken_over::TakenOver;
use super::tunnel::Tunnel;
use super::{Cx, Owner, Step, TaskKey};
use crate::handler::{Admission, Client};
use crate::metrics::Welcome;
use crate::runtime::event_loop::{Protocol, Turn};
use crate::runtime::sockets::{Close, SocketId};
use crate::runtime::timers::Due;
use accepting::Lent;
pub(crate) use accepting::Loan;
pub(crate) use connections::Listing;
use endings::Cut;
pub use inventory::Inventory;
use task::Task;

/// The forwarding of HTTP, as a [`Protocol`] of an event loop.
pub(crate) struct Engine {
    env: Env,
    tasks: Slab<Entry>,
    next_generation: u32,
    /// The listening sockets that it accepts from.
    lent: Vec<Lent>,
    /// What has been cut because a deadline of the drain is over.
    cut: Cut,
}

struct Entry {
    generation: u32,
    /// It is to go on after the events of this turn: once, however many events come for it.
    again: bool,
    task: Task,
}

/// What became of all that could be given to those who wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HandedOut {
    All,
    /// There may be more, in the next turn.
    Part,
}

/// How many places are given to those who wait before others have their turn.
const GRANTS: usize = 64;

/// How long records may wait for company on their way to the logger.
const LOG_DELAY: Duration = Duration::from_millis(50);
/// Records that do not wait.
const LOG_BATCH: usize = 512;

impl Engine {
    pub(crate) fn new(env: Env) -> Engine {
        Engine {
            env,
            tasks: Slab::new(),
            next_generation: 0,
            lent: Vec::new(),
            cut: Cut::default(),
        }
    }

    /// How many tasks there are.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn tasks(&self) -> usize {
        self.tasks.len()
    }

    fn arrive(&mut self, cx: &mut Cx, arrival: Arrival) {
        let Some(place) = self.env.newest.place_of(arrival.listener) else {
            self.env.meter.welcomed(Welcome::Closed);
            return log::debug!(
                "the connection of {} is closed at once: its listener is gone",
                arrival.peer
            );
        };
        let client = Client { address: arrival.peer, listener: place };
        let admission =
            guarded("ConnectionHandler::connected", || self.env.newest.handler.connected(&client));
        if admission != Some(Admission::Accept) || self.env.draining.is_some() {
            self.env.meter.welcomed(Welcome::Closed);
            return log::debug!("the connection of {} is closed at once", client.address);
        }
        self.next_generation = self.next_generation.wrapping_add(1);
        let key = self.tasks.vacant_key() as u64 | u64::from(self.next_generation) << 32;
        match cx.sockets.insert(arrival.stream, Owner::Task(key)) {
            Ok(socket) => {
                let is_served = arrival.refused.is_none();
                let welcome = if is_served { Welcome::Accepted } else { Welcome::Refused };
                self.env.meter.welcomed(welcome);
                let mut session = Session::new(
                    key,
                    socket,
                    (client, arrival.listener),
                    arrival.seat,
                    &self.env,
                    cx,
                );
                session.client.reported = arrival.reported;
                let task = Task::Session(Box::new(session));
                self.tasks.insert(Entry { generation: self.next_generation, again: false, task });
                match arrival.refused {
                    None => self.run(key, cx, Task::advance),
                    Some(refusal) => self.run(key, cx, |task, env, cx| match task {
                        Task::Session(session) => session.turn_away(refusal, env, cx),
                        _ => Step::Wait,
                    }),
                }
            }
            Err(error) => {
                self.env.meter.welcomed(Welcome::Closed);
                log::warn!("the connection of {} could not be taken over: {error}", client.address)
            }
        }
    }

    fn entry(&mut self, key: TaskKey) -> Option<&mut Entry> {
        self.tasks.get_mut(index(key)).filter(|entry| entry.has(key))
    }

    /// Has a task do something, and does what it asks for then.
    fn run(
        &mut self,
        key: TaskKey,
        cx: &mut Cx,
        act: impl FnOnce(&mut Task, &mut Env, &mut Cx) -> Step,
    ) {
        match catch_unwind(AssertUnwindSafe(|| self.step(key, cx, act))) {
            Ok(()) => {}
            // Fuzzers and property tests are to see it.
            Err(panic) if cfg!(any(test, fuzzing)) => resume_unwind(panic),
            Err(panic) => {
                // Not dropped: any type can be thrown, also one that panics when it is.
                mem::forget(panic);
                self.give_up(key, cx);
            }
        }
    }

    /// The same, as long as nothing panics. All of it may: `act` brings things of the embedder's,
    /// which are dropped here if they come too late, and so does a task that ends.
    fn step(
        &mut self,
        key: TaskKey,
        cx: &mut Cx,
        act: impl FnOnce(&mut Task, &mut Env, &mut Cx) -> Step,
    ) {
        let index = index(key);
        let Some(entry) = self.tasks.get_mut(index).filter(|entry| entry.has(key)) else {
            return; // what comes late finds nobody
        };
        match act(&mut entry.task, &mut self.env, cx) {
            Step::Wait | Step::Again => {}
            Step::Later => {
                if !mem::replace(&mut entry.again, true) {
                    cx.run_again(key);
                }
            }
            Step::End(how) => match self.tasks.remove(index).task {
                Task::Session(session) => session.close(how, cx),
                Task::Tunnel(tunnel) => tunnel.close(how, cx),
                Task::TakenOver(_) => {}
            },
            Step::Tunnel(transaction) => {
                self.transform(index, |session, env| {
                    Task::Tunnel(Box::new(Tunnel::new(session, transaction, env, cx)))
                });
                match self.cut.tunnels {
                    false => self.run(key, cx, Task::advance),
                    true => self.end_now(&[key], cx),
                }
            }
            Step::TakenOver(transaction) => self.transform(index, |mut session, env| {
                session.unpin(cx);
                Task::TakenOver(Box::new(TakenOver::new(session, transaction, env, cx)))
            }),
        }
    }

    /// A task has panicked: by a bug of ours, or of something that the embedder has left with it,
    /// such as a value that panics when it is dropped. That costs its connection and nothing else.
    /// What it was about to do is unknown: all its sockets are closed, and what it had on loan is
    /// made anew.
    fn give_up(&mut self, key: TaskKey, cx: &mut Cx) {
        if self.entry(key).is_some() {
            let Entry { task, .. } = self.tasks.remove(index(key));
            let ended = catch_unwind(AssertUnwindSafe(|| task.fail(&mut self.env, cx)));
            if let Err(panic) = ended {
                mem::forget(panic);
                log::error!("what a connection has left behind panicked when it was given up");
            }
        } else {
            log::error!("what came late for a connection, or was left by it, panicked");
        }
        cx.sockets.close_all(|owner| *owner == Owner::Task(key), Close::Abruptly);
        cx.make_scratch_anew();
        self.env.out.clear();
    }

    /// Makes another task of a session, in its place: sockets, timers and jobs know it by that.
    fn transform(&mut self, index: usize, make: impl FnOnce(Session, &mut Env) -> Task) {
        let Entry { generation, again, task } = self.tasks.remove(index);
        let Task::Session(session) = task else {
            unreachable!("only a session becomes something else")
        };
        let task = make(*session, &mut self.env);
        let index_again = self.tasks.insert(Entry { generation, again, task });
        debug_assert_eq!(index, index_again, "a slab fills the place that became free last");
    }

    /// Gives the connections and places that have become free to those who wait. Where all of
    /// them fail at once, and have more requests behind those that failed, there is no end to it:
    /// others have their turn in between. Says whether there may be more to give.
    fn hand_out(&mut self, cx: &mut Cx) -> HandedOut {
        let mut places = 0;
        while let Some((called, granted)) = self.env.granted() {
            // A connection that has become idle goes on at once, and there are no more of them than
            // have ended an exchange in this turn.
            if matches!(granted, Granted::Place(_)) {
                places += 1;
            }
            let mut granted = Some(granted);
            self.run(called.task, cx, |task, env, cx| match task {
                Task::Session(session) => session.admitted(called, &mut granted, env, cx),
                _ => Step::Wait,
            });
            // Whoever it was for has gone, or waits for something else, since this very turn. The
            // place is free again.
            if let Some(Granted::Connection(idle)) = granted {
                cx.sockets.close(idle.socket, Close::Orderly);
            }
            if places >= GRANTS {
                return HandedOut::Part;
            }
        }
        HandedOut::All
    }

    fn keys(&self) -> Vec<TaskKey> {
        self.tasks
            .iter()
            .map(|(index, entry)| index as u64 | u64::from(entry.generation) << 32)
            .collect()
    }
}

impl Entry {
    fn has(&self, key: TaskKey) -> bool {
        u64::from(self.generation) == key >> 32
    }
}

fn index(key: TaskKey) -> usize {
    (key & u64::from(u32::MAX)) as usize
}

impl Protocol for Engine {
    type Owner = Owner;
    type Message = Message;

    fn delivered(&mut self, cx: &mut Cx, message: Message) {
        match message {
            Message::Arrived(arrival) => self.arrive(cx, arrival),
            Message::Planned(asker, planned) => {
                self.env.reply_taken(Work::Names);
                self.run(asker.task, cx, |task, env, cx| match task {
                    Task::Session(session) => session.planned(asker, planned, env, cx),
                    _ => Step::Wait,
                });
            }
            Message::Decided(asker, action) => {
                self.env.reply_taken(Work::Decisions);
                self.run(asker.task, cx, |task, env, cx| match task {
                    Task::Session(session) => session.decided(asker, action, env, cx),
                    _ => Step::Wait,
                });
            }
            Message::Returned(asker, returned) => {
                self.env.reply_taken(Work::Connections);
                self.run(asker.task, cx, |task, env, cx| match task {
                    Task::TakenOver(taken) => taken.returned(asker, returned, env, cx),
                    _ => Step::Wait,
                });
            }
            Message::Listen(loan) => self.borrow(cx, loan),
            Message::GiveBack(listener) => self.give_back(cx, listener),
            Message::Reload(in_effect) => {
                self.reload(cx);
                // It fails only where nobody waits any more.
                let _ = in_effect.try_send(());
            }
            // Whoever has asked may have gone.
            Message::Count(answer) => drop(answer.try_send(self.inventory(cx))),
            Message::List(listing) => self.list(cx, listing),
            Message::Close(key, answer) => {
                let _ = answer.try_send(self.close_by_operator(cx, key));
            }
            Message::Drain(drain) => self.drain(cx, drain),
        }
    }

    fn acceptable(&mut self, cx: &mut Cx) {
        self.accept(cx);
    }

    fn ready(&mut self, cx: &mut Cx, socket: SocketId, owner: Owner) {
        match owner {
            // One that has had its share in this turn goes on after the others.
            Owner::Task(key) if self.entry(key).is_some_and(|entry| entry.again) => {}
            Owner::Task(key) => self.run(key, cx, Task::advance),
            // Bytes that nobody asked for, or the end: either way it is of no more use.
            Owner::Idle(id) if cx.sockets[socket].is_readable() => {
                let idle = self.env.idle.remove(id);
                debug_assert_eq!(idle.socket, socket, "an idle connection knows its entry");
                cx.sockets.close(socket, Close::Orderly);
            }
            Owner::Idle(_) => {}
        }
    }

    fn called(&mut self, cx: &mut Cx, key: TaskKey) {
        // One that has had its share in this turn goes on after the others.
        if self.entry(key).is_some_and(|entry| !entry.again) {
            self.run(key, cx, Task::advance);
        }
    }

    fn resumed(&mut self, cx: &mut Cx, key: TaskKey) {
        if let Some(entry) = self.entry(key) {
            entry.again = false;
        }
        self.run(key, cx, Task::advance);
    }

    fn expired(&mut self, cx: &mut Cx, due: Due) {
        self.run(due.key, cx, |task, env, cx| task.expired(due, env, cx));
    }

    fn turn_ended(&mut self, cx: &mut Cx) -> Turn {
        let mut handed_out = self.hand_out(cx);
        let mut sleep =
            self.env.idle.sweep(cx.now, false, |socket| cx.sockets.close(socket, Close::Orderly));
        if let Some(drain) = self.env.draining.clone() {
            self.cut(cx, &drain);
            handed_out = self.hand_out(cx);
            if self.tasks.is_empty() {
                self.env.log.flush();
                return Turn::Stop;
            }
            let next = [drain.exchanges_until, drain.tunnels_until]
                .into_iter()
                .filter(|&at| at > cx.now)
                .min();
            sleep = [sleep, next.map(|at| at - cx.now)].into_iter().flatten().min();
        }
        if let Some(delay) = self.env.flush_log(cx.now, LOG_BATCH, LOG_DELAY) {
            sleep = Some(sleep.map_or(delay, |sleep| sleep.min(delay)));
        }
        if handed_out == HandedOut::Part {
            sleep = Some(Duration::ZERO);
        }
        sleep.map_or(Turn::Sleep, Turn::SleepAtMost)
    }
}
