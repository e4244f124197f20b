//! Many proxies, one after another, in one process: when one has stopped, everything it had is
//! free again.
//!
//! One test, alone in its binary: threads, descriptors and memory are those of the whole process.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use peak_alloc::PeakAlloc;
use proxy_core::{Proxy, ProxyHandle};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const STARTS: usize = 1000;
/// What the allocator and the standard library may keep for themselves.
const ALLOWANCE: usize = 64 * 1024;

fn start(address: SocketAddr) -> ProxyHandle {
    Proxy::builder().listen(address).event_loops(1).workers(3).start().unwrap()
}

/// Threads and descriptors.
fn counts() -> (usize, usize) {
    ["/proc/self/task", "/proc/self/fd"].map(|folder| fs::read_dir(folder).unwrap().count()).into()
}

/// Has the proxy answer, so that all of it has been at work, and leaves the connection open.
fn use_it(address: SocketAddr) -> TcpStream {
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let mut start = [0; 12];
    client.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 200");
    client
}

#[test]
fn a_proxy_that_has_stopped_leaves_nothing_behind() {
    // The same port each time: it must be free at once.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut before = None;
    for number in 0..STARTS {
        let proxy = start(address);
        let client = use_it(address);
        // Every other one is dropped, with its client still there.
        if number % 2 == 0 {
            drop(client);
            assert_eq!(proxy.shutdown(Duration::from_secs(10)).cut, 0);
        } else {
            drop(proxy);
            drop(client);
        }
        if number == 9 {
            before = Some((counts(), MEMORY.current_usage()));
        }
    }
    let (counts_before, memory_before) = before.expect("there was a tenth");
    assert_eq!(counts(), counts_before, "threads and descriptors");
    let growth = MEMORY.current_usage().saturating_sub(memory_before);
    assert!(growth < ALLOWANCE, "{growth} bytes more than after ten starts");
}
