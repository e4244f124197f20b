//! A loop is driven here by a protocol that knows nothing of HTTP: it echoes.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::*;
use crate::net::Stream;
use crate::runtime::sockets::{Close, Received};
use crate::runtime::timers::Timer;

/// Echoes what each socket sends; a timer and a count of the turns show the other calls.
#[derive(Default)]
struct Echo {
    timer: Timer,
    fired: bool,
    resumed: u32,
    open: usize,
    stop: bool,
}

enum Mail {
    Socket(TcpStream),
    Stop,
}

impl Protocol for Echo {
    type Owner = ();
    type Message = Mail;

    fn delivered(&mut self, cx: &mut Context<()>, message: Mail) {
        match message {
            Mail::Socket(socket) => {
                let stream = Stream::adopt(socket.into()).unwrap();
                let id = cx.sockets.insert(stream, ()).unwrap();
                self.open += 1;
                cx.timers.arm(&mut self.timer, 7, cx.now, Duration::from_millis(1));
                self.ready(cx, id, ());
            }
            Mail::Stop => self.stop = true,
        }
    }

    fn ready(&mut self, cx: &mut Context<()>, socket: SocketId, (): ()) {
        let mut scratch = std::mem::take(&mut cx.scratch);
        let connection = &mut cx.sockets[socket];
        while connection.is_readable() {
            match connection.read(&mut scratch) {
                Ok(Received::Bytes(count)) => {
                    assert_eq!(connection.write(&scratch[..count], &[]).unwrap(), count)
                }
                Ok(Received::Blocked) => break,
                Ok(Received::End) | Err(_) => {
                    cx.sockets.close(socket, Close::Orderly);
                    self.open -= 1;
                    cx.run_again(1);
                    break;
                }
            }
        }
        cx.scratch = scratch;
    }

    fn resumed(&mut self, _: &mut Context<()>, key: TimerKey) {
        assert_eq!(key, 1);
        self.resumed += 1;
    }

    fn expired(&mut self, cx: &mut Context<()>, due: Due) {
        assert_eq!(due.key, 7);
        self.fired |= cx.timers.fires(&mut self.timer, due);
    }

    fn turn_ended(&mut self, _: &mut Context<()>) -> Turn {
        match self.stop && self.fired && self.open == 0 {
            true => {
                assert!(self.resumed > 0);
                Turn::Stop
            }
            false => Turn::Sleep,
        }
    }
}

#[test]
fn sockets_messages_timers_and_second_turns_reach_the_protocol() {
    let mut event_loop = EventLoop::new(4096).unwrap();
    let outlet = event_loop.mailbox().queue(16);
    let thread = thread::spawn(move || event_loop.run(Echo::default()));

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let clients: Vec<TcpStream> = (0..10)
        .map(|_| {
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            assert!(outlet.send(Mail::Socket(listener.accept().unwrap().0)).is_ok());
            client
        })
        .collect();
    for round in 0..100_u8 {
        for mut client in &clients {
            client.write_all(&[round; 100]).unwrap();
        }
        for mut client in &clients {
            let mut back = [0; 100];
            client.read_exact(&mut back).unwrap();
            assert_eq!(back, [round; 100]);
        }
    }
    drop(clients);
    assert!(outlet.send(Mail::Stop).is_ok());
    thread.join().unwrap();
}

#[test]
fn an_event_for_a_closed_socket_reaches_nobody() {
    let mut event_loop = EventLoop::<(), Mail>::new(4096).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let pair = || {
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (client, Stream::adopt(listener.accept().unwrap().0.into()).unwrap())
    };
    let ((_first_client, first), (mut second_client, second)) = (pair(), pair());
    let cx = &mut event_loop.works.context;
    let first = cx.sockets.insert(first, ()).unwrap();
    cx.sockets.close(first, Close::Orderly);
    // The place is used again, under another id.
    let second = cx.sockets.insert(second, ()).unwrap();
    assert_ne!(first, second);
    assert_eq!(cx.sockets.len(), 1);
    cx.sockets.close(first, Close::Orderly);
    assert_eq!(cx.sockets.len(), 1, "a stale id closes nothing");

    second_client.write_all(b"x").unwrap();
    let mut events = Events::with_capacity(8);
    event_loop.poll.poll(&mut events, None).unwrap();
    let sockets = &mut event_loop.works.context.sockets;
    events.iter().for_each(|event| sockets.note(event.token(), event.into()));
    let owned: Vec<SocketId> =
        events.iter().filter_map(|event| Some(sockets.owner(event.token())?.0)).collect();
    assert_eq!(owned, [second]);
}

/// Notes at the first event whether the other socket's is known already.
struct Looks {
    sockets: Vec<SocketId>,
    all_known: Option<bool>,
}

impl Protocol for Looks {
    type Owner = ();
    type Message = Mail;

    fn delivered(&mut self, _: &mut Context<()>, _: Mail) {}

    fn ready(&mut self, cx: &mut Context<()>, _: SocketId, (): ()) {
        let known = || self.sockets.iter().all(|&socket| cx.sockets[socket].is_readable());
        self.all_known.get_or_insert_with(known);
    }

    fn resumed(&mut self, _: &mut Context<()>, _: TimerKey) {}

    fn expired(&mut self, _: &mut Context<()>, _: Due) {}

    fn turn_ended(&mut self, _: &mut Context<()>) -> Turn {
        assert_eq!(self.all_known, Some(true));
        Turn::Stop
    }
}

#[test]
fn whoever_acts_first_knows_of_all_that_has_happened() {
    let mut event_loop = EventLoop::<(), Mail>::new(4096).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut looks = Looks { sockets: Vec::new(), all_known: None };
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.write_all(b"x").unwrap();
        let stream = Stream::adopt(listener.accept().unwrap().0.into()).unwrap();
        let socket = event_loop.works.context.sockets.insert_connecting(stream, ()).unwrap();
        looks.sockets.push(socket);
        clients.push(client);
    }
    event_loop.run(looks);
}
