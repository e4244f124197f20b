//! Accepting on the loop itself: most clients come in without a word between threads.

use std::io;
use std::sync::Arc;

use crossbeam_channel::Sender;

use super::super::Cx;
use super::super::reception::Reception;
use super::super::settings::ListenerId;
use super::Engine;
use crate::net::Stream;
use crate::runtime::listeners::ListenerKey;

/// A listening socket that a loop is to accept from, for the thread that has it from the listener.
/// When the loop gives it back, by dropping `refused`, that thread goes on: it can wait, and a loop
/// cannot.
pub(crate) struct Loan {
    pub(crate) socket: mio::net::TcpListener,
    pub(crate) listener: ListenerId,
    pub(crate) reception: Arc<Reception>,
    /// Gets a word if the loop could not even begin.
    pub(crate) refused: Sender<()>,
}

/// A socket that is on loan.
pub(super) struct Lent {
    key: ListenerKey,
    listener: ListenerId,
    reception: Arc<Reception>,
    _on_loan: Sender<()>,
}

/// How many are accepted from a socket before others have their turn.
const BATCH: usize = 16;

impl Engine {
    /// Accepts from a socket from now on.
    pub(super) fn borrow(&mut self, cx: &mut Cx, loan: Loan) {
        let Loan { socket, listener, reception, refused } = loan;
        match cx.listeners.insert(socket) {
            Ok(key) => {
                self.lent.push(Lent { key, listener, reception, _on_loan: refused });
            }
            Err(error) => {
                log::debug!("listener {} cannot be polled by an event loop: {error}", listener.0);
                let _ = refused.try_send(());
            }
        }
    }

    /// Accepts from it no more.
    pub(super) fn give_back(&mut self, cx: &mut Cx, listener: ListenerId) {
        self.lent.retain(|lent| {
            let stays = lent.listener != listener;
            if !stays {
                cx.listeners.remove(lent.key);
            }
            stays
        });
    }

    /// Accepts from all sockets at which somebody may wait.
    pub(super) fn accept(&mut self, cx: &mut Cx) {
        let ready: Vec<_> = cx.listeners.ready().collect();
        for key in ready {
            let Some(lent) = self.lent.iter().find(|lent| lent.key == key) else { continue };
            let (listener, reception) = (lent.listener, Arc::clone(&lent.reception));
            if !self.accept_from(cx, key, listener, &reception) {
                self.give_back(cx, listener);
            }
        }
    }

    /// `false` where the loop cannot go on by itself: there is no room, or the system refuses.
    fn accept_from(
        &mut self,
        cx: &mut Cx,
        key: ListenerKey,
        listener: ListenerId,
        reception: &Reception,
    ) -> bool {
        for _ in 0..BATCH {
            if !reception.has_room() {
                return false;
            }
            match cx.listeners.accept(key) {
                Ok((stream, peer)) => {
                    // Where it fails the client has gone already.
                    let Ok(stream) = Stream::accepted(stream) else { continue };
                    let Some(received) = reception.receive(stream, peer, listener) else {
                        continue;
                    };
                    let mine = match received.number == self.env.number() {
                        true => Some(received),
                        // Where the other's inbox is full, it stays here.
                        false => reception.send(received),
                    };
                    if let Some(received) = mine {
                        self.arrive(cx, received.arrival);
                    }
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return true,
                    io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => {}
                    _ => return false,
                },
            }
        }
        true
    }
}
