//! The event loop: polls, and tells a [`Protocol`] what happened.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

use super::buffer::Spares;
use super::listeners::Listeners;
use super::mailbox::Mailbox;
use super::pulse::{Pacemaker, Pulse};
use super::sockets::{Readiness, SocketId, Sockets};
use super::timers::{Due, TimerKey, Timers};

/// What runs on a loop: the forwarding of HTTP, or anything else that reacts to sockets.
///
/// All calls come from the loop's thread. None may block.
pub(crate) trait Protocol {
    /// Whose a socket is.
    type Owner: Copy;
    /// What other threads send.
    type Message: Send;

    /// A message has come.
    fn delivered(&mut self, cx: &mut Context<Self::Owner>, message: Self::Message);
    /// Something happened on a socket; its readiness has been noted.
    fn ready(&mut self, cx: &mut Context<Self::Owner>, socket: SocketId, owner: Self::Owner);
    /// Somebody may wait to be accepted at one of the [listeners](Context::listeners). A protocol
    /// that has put none there is not asked.
    fn acceptable(&mut self, _cx: &mut Context<Self::Owner>) {}
    /// Another thread has called this task: see [`Calls`](super::calls::Calls). It may have ended.
    fn called(&mut self, _cx: &mut Context<Self::Owner>, _key: TimerKey) {}
    /// A task that called [`Context::run_again`] is to go on.
    fn resumed(&mut self, cx: &mut Context<Self::Owner>, key: TimerKey);
    /// An entry of the timers has come up: ask [`Timers::fires`].
    fn expired(&mut self, cx: &mut Context<Self::Owner>, due: Due);
    /// All that happened has been told. Called once for each wake.
    fn turn_ended(&mut self, cx: &mut Context<Self::Owner>) -> Turn;
}

/// What a loop does after a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Sleep until something happens.
    Sleep,
    /// The same, but for so long at most.
    SleepAtMost(Duration),
    /// End the thread.
    Stop,
}

/// What a loop lends to its protocol.
#[derive(Debug)]
pub(crate) struct Context<O> {
    /// The time this wake began. Read once, used by all.
    pub(crate) now: Instant,
    pub(crate) sockets: Sockets<O>,
    pub(crate) listeners: Listeners,
    pub(crate) timers: Timers,
    pub(crate) spares: Spares,
    /// Where bytes are read to. What is not used up within the call is to be copied away.
    pub(crate) scratch: Vec<u8>,
    /// Bytes that are read at once: the length of `scratch`.
    read_bytes: usize,
    again: Vec<TimerKey>,
}

/// How many events are taken from the poller at once.
const EVENTS: usize = 1024;
/// How many messages, and how many calls, are taken in one turn, so that a flood of new connections does not keep
/// the open ones waiting.
const MESSAGES: usize = 256;

impl<O> Context<O> {
    /// Has [`Protocol::resumed`] called with `key` after the other events of this turn: for a
    /// task that could go on, but has had its share.
    pub(crate) fn run_again(&mut self, key: TimerKey) {
        self.again.push(key);
    }

    /// Makes the scratch buffer anew, if somebody who had taken it has panicked.
    pub(crate) fn make_scratch_anew(&mut self) {
        self.scratch.resize(self.read_bytes, 0);
    }

    /// Whether somebody who has had his share is to go on at once.
    fn has_more(&self) -> bool {
        !self.again.is_empty() || self.listeners.ready().next().is_some()
    }

    /// Bytes that are read at once.
    pub(crate) fn read_bytes(&self) -> usize {
        self.read_bytes
    }

    /// Whether a task is to go on at once.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn is_busy(&self) -> bool {
        !self.again.is_empty()
    }
}

/// A loop that is set up and not yet running.
pub(crate) struct EventLoop<O, M> {
    poll: Poll,
    works: Works<O, M>,
    pulse: Option<Arc<Pulse>>,
}

/// Everything of a loop but its poller.
struct Works<O, M> {
    mailbox: Mailbox<M>,
    context: Context<O>,
    /// Empty between turns; they keep their memory.
    due: Vec<Due>,
    again: Vec<TimerKey>,
}

impl<O: Copy, M: Send> EventLoop<O, M> {
    /// `read_bytes`: how much is read at once.
    pub(crate) fn new(read_bytes: usize) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mailbox = Mailbox::new(poll.registry())?;
        let now = Instant::now();
        let context = Context {
            now,
            sockets: Sockets::new(poll.registry().try_clone()?),
            listeners: Listeners::new(poll.registry().try_clone()?),
            timers: Timers::new(now),
            spares: Spares::default(),
            scratch: vec![0; read_bytes],
            read_bytes,
            again: Vec::new(),
        };
        let works = Works { mailbox, context, due: Vec::new(), again: Vec::new() };
        Ok(EventLoop { poll, works, pulse: None })
    }

    /// For adding queues before the loop runs.
    pub(crate) fn mailbox(&mut self) -> &mut Mailbox<M> {
        &mut self.works.mailbox
    }

    /// Has how often it wakes, and how long it works then, told there.
    pub(crate) fn tell_pulse(&mut self, pulse: Arc<Pulse>) {
        self.pulse = Some(pulse);
    }

    /// Runs until the protocol says [`Turn::Stop`].
    pub(crate) fn run<P: Protocol<Owner = O, Message = M>>(self, mut protocol: P) {
        let EventLoop { mut poll, mut works, pulse } = self;
        let mut pacemaker = pulse.map(|pulse| Pacemaker::new(pulse, Instant::now()));
        let mut events = Events::with_capacity(EVENTS);
        let mut turn = Turn::Sleep;
        loop {
            let (mailbox, cx) = (&works.mailbox, &works.context);
            let sleep = match turn {
                Turn::Stop => return,
                _ if cx.has_more() || !mailbox.may_sleep() => Some(Duration::ZERO),
                Turn::Sleep => cx.timers.sleep(cx.now),
                Turn::SleepAtMost(most) => {
                    Some(cx.timers.sleep(cx.now).map_or(most, |sleep| sleep.min(most)))
                }
            };
            let rest = pacemaker.as_mut().and_then(|it| it.rests(Instant::now));
            let polled = poll.poll(&mut events, sleep);
            let now = Instant::now();
            if let Some(pacemaker) = &mut pacemaker {
                pacemaker.wakes(rest, now);
            }
            match polled {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                // The poller itself is broken: nothing can be served any more.
                Err(error) => return log::error!("an event loop ends, its poller failed: {error}"),
                Ok(()) => mailbox.awake(),
            }
            let happened = events.iter().map(|event| (event.token(), Readiness::from(event)));
            turn = works.turn(&mut protocol, now, happened);
        }
    }

    /// One turn at a time that is made up, with events that are made up, too.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn rehearse<P: Protocol<Owner = O, Message = M>>(
        &mut self,
        protocol: &mut P,
        now: Instant,
        happened: impl Iterator<Item = (Token, Readiness)> + Clone,
    ) -> Turn {
        self.works.turn(protocol, now, happened)
    }

    /// What the protocol is lent, to look at between turns.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn context(&self) -> &Context<O> {
        &self.works.context
    }
}

impl<O: Copy, M: Send> Works<O, M> {
    /// Tells the protocol of everything that has happened until `now`.
    fn turn<P: Protocol<Owner = O, Message = M>>(
        &mut self,
        protocol: &mut P,
        now: Instant,
        happened: impl Iterator<Item = (Token, Readiness)> + Clone,
    ) -> Turn {
        let Works { mailbox, context: cx, due, again } = self;
        cx.now = now;
        // All that happened is noted before anybody acts on a part of it. Otherwise an idle
        // connection on which bytes have come that nobody asked for could be used again, just
        // because its event stands behind the client's.
        for (token, event) in happened.clone() {
            cx.sockets.note(token, event);
            cx.listeners.note(token);
        }
        for (token, _) in happened {
            if let Some((id, owner)) = cx.sockets.owner(token) {
                protocol.ready(cx, id, owner);
            }
        }
        std::mem::swap(again, &mut cx.again);
        for key in again.drain(..) {
            protocol.resumed(cx, key);
        }
        for message in std::iter::from_fn(|| mailbox.take()).take(MESSAGES) {
            protocol.delivered(cx, message);
        }
        for key in std::iter::from_fn(|| mailbox.calls().take()).take(MESSAGES) {
            protocol.called(cx, key);
        }
        if cx.listeners.ready().next().is_some() {
            protocol.acceptable(cx);
        }
        cx.timers.advance(cx.now, due);
        for entry in due.drain(..) {
            protocol.expired(cx, entry);
        }
        protocol.turn_ended(cx)
    }
}

#[cfg(test)]
mod tests;
