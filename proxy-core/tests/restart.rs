//! Stopping while clients come: none of them is refused or reset.

mod support;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use proxy_core::{Action, ConnectionHandler, Exchange, Proxy, ProxyBuilder, Response};
use support::PATIENCE;

/// Answers everything itself.
struct Answers;

impl ConnectionHandler for Answers {
    fn request(&self, _: &mut Exchange<'_>) -> Action {
        Action::Respond(Response::new(200).with_body("ok"))
    }
}

fn answering() -> ProxyBuilder {
    Proxy::builder().handler(Answers).event_loops(1)
}

const REQUEST: &[u8] = b"GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n";

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Asks on a connection of its own, and gets the answer.
fn ask(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(REQUEST)?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    match &answer {
        b"HTTP/1.1 200" => Ok(()),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Has clients ask without a pause while `meanwhile` happens; gives how many were answered.
#[track_caller]
fn nobody_notices(address: SocketAddr, meanwhile: impl FnOnce(&dyn Fn(usize))) -> usize {
    const CLIENTS: usize = 4;
    let (over, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        ask(address)?;
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                    io::Result::Ok(())
                })
            })
            .collect();
        // So many more have been answered since, or a client has ended with an error.
        meanwhile(&|more| {
            let before = answered.load(Ordering::Relaxed);
            while answered.load(Ordering::Relaxed) < before + more
                && !clients.iter().all(thread::ScopedJoinHandle::is_finished)
            {
                thread::yield_now();
            }
        });
        over.store(true, Ordering::Relaxed);
        for client in clients {
            client.join().unwrap().expect("every client is answered");
        }
    });
    answered.into_inner()
}

/// Nothing less keeps new connections away whatever the privileges of whoever runs this. With all
/// packages of the workspace the feature is on.
#[cfg(all(target_os = "linux", feature = "steering"))]
mod shared {
    use proxy_core::ProxyHandle;

    use super::*;

    fn shared(address: SocketAddr) -> ProxyHandle {
        answering().listen(address).share_addresses().start().unwrap()
    }

    #[test]
    fn a_proxy_that_takes_over_a_shared_address_loses_no_connection() {
        let mut current = shared(SocketAddr::from(([127, 0, 0, 1], 0)));
        let address = current.local_addrs()[0];
        let answered = nobody_notices(address, |ask_more| {
            for _ in 0..2 {
                ask_more(50);
                let next = shared(address);
                ask_more(50);
                std::mem::replace(&mut current, next).shutdown(PATIENCE);
            }
            ask_more(50);
        });
        assert!(answered >= 250, "{answered}");
    }

    #[test]
    fn neither_does_a_successor_that_is_stopped_in_the_place_of_the_old_one() {
        let first = shared(SocketAddr::from(([127, 0, 0, 1], 0)));
        let address = first.local_addrs()[0];
        nobody_notices(address, |ask_more| {
            ask_more(50);
            let second = shared(address);
            ask_more(50);
            second.shutdown(PATIENCE);
            ask_more(50);
        });
    }
}

#[test]
fn who_waits_in_a_queue_is_served_before_its_socket_is_closed() {
    let proxy = answering().listen("127.0.0.1:0").build().unwrap();
    let address = proxy.local_addrs()[0];
    // All are in the queue before anybody accepts.
    let mut clients: Vec<_> = (0..200).map(|_| connect(address)).collect();
    for client in &mut clients {
        client.write_all(REQUEST).unwrap();
    }
    let report = proxy.start().unwrap().shutdown(PATIENCE);
    assert_eq!((report.drained, report.cut), (200, 0));
    for mut client in clients {
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
}

#[test]
fn who_waits_at_an_inherited_socket_is_left_to_the_next_proxy() {
    // It stays open here, as with a service manager.
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let inherits = || {
        let socket = socket.try_clone().unwrap();
        answering().listener(proxy_core::TcpListener::inherited(socket)).start().unwrap()
    };
    let mut current = Some(inherits());
    let answered = nobody_notices(address, |ask_more| {
        for _ in 0..5 {
            ask_more(50);
            current.take().unwrap().shutdown(PATIENCE);
            // Nobody accepts now, and nobody is refused.
            current = Some(inherits());
        }
        ask_more(50);
    });
    assert!(answered >= 300, "{answered}");
}
