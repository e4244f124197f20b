//! Keeping new connections from a socket that listens and is about to be closed.
//!
//! There is no safe moment to close a socket that others share an address with: between the last
//! look into its queue and the close another connection can be completed, and would be reset. Two
//! things that Linux has make one, both by a classic BPF program, which needs no privilege:
//!
//! - A *filter* of the socket drops whatever would begin a connection. It alone is enough for no
//!   connection to be lost, but who is dropped waits: clients send their first packet again after a
//!   second (RFC 6298 §2).
//! - A program of the *group*, the sockets that share the address, gives new connections to
//!   another one from the beginning, so that nobody waits. It is here with the feature
//!   `steering`.
//!
//! In one run of 20 restarts with four clients that connected all the time, each on two cores, the
//! filter alone let 110 connections through between one restart and the next, and both together
//! 10,000 (`tests/restart.rs` is such a run).

use std::io;

/// Has the system begin no new connection on `socket`; those whose handshake has begun still arrive.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn keep_away(socket: &mio::net::TcpListener) -> io::Result<()> {
    #[cfg(all(feature = "steering", target_os = "linux"))]
    steering::to_the_newest(socket)?;
    drop_first_packets(socket)
}

/// There is no means for it on this system.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn keep_away(_: &mio::net::TcpListener) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// "Return the constant": the only instruction that both programs have.
#[cfg(any(target_os = "linux", target_os = "android"))]
const RETURN: u16 = 0x06;

#[cfg(any(target_os = "linux", target_os = "android"))]
fn drop_first_packets(socket: &mio::net::TcpListener) -> io::Result<()> {
    use socket2::{SockFilter, SockRef};

    // Filters of TCP sockets see the packet from its TCP header on, which has the flags in byte 13
    // (RFC 9293 §3.1).
    const LOAD_BYTE: u16 = 0x30;
    const AND: u16 = 0x54;
    const JUMP_IF_EQUAL: u16 = 0x15;
    const FLAGS: u32 = 13;
    const SYN: u32 = 0x02;
    const ACK: u32 = 0x10;
    let program = [
        SockFilter::new(LOAD_BYTE, 0, 0, FLAGS),
        SockFilter::new(AND, 0, 0, SYN | ACK),
        // SYN without ACK is what only a first packet has: the others skip the next line.
        SockFilter::new(JUMP_IF_EQUAL, 0, 1, SYN),
        SockFilter::new(RETURN, 0, 0, 0),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
    ];
    SockRef::from(socket).attach_filter(&program)
}

#[cfg(all(feature = "steering", target_os = "linux"))]
mod steering {
    use std::io;

    use nix::libc::{sock_filter, sock_fprog};
    use nix::sys::socket::setsockopt;
    use nix::sys::socket::sockopt::AttachReusePortCbpf;

    /// The kernel numbers the sockets of a group from 0, in the order in which they began to
    /// listen; when one is closed, the last takes its number. So where a process that stops has
    /// one successor, that is number 1.
    ///
    /// Where there is no number 1 the kernel deals connections out as it does without a program,
    /// and that is what becomes of this one, which stays with the group, once the socket is closed.
    /// Where there are more than two, the one that is meant may be another one; then the filter
    /// keeps new connections away, and some wait.
    pub(super) fn to_the_newest(socket: &mio::net::TcpListener) -> io::Result<()> {
        const SUCCESSOR: u32 = 1;
        let mut program = [sock_filter { code: super::RETURN, jt: 0, jf: 0, k: SUCCESSOR }];
        let program = sock_fprog { len: 1, filter: program.as_mut_ptr() };
        Ok(setsockopt(socket, AttachReusePortCbpf, &program)?)
    }
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
mod tests {
    use super::*;
    use crate::net::{Intake, Listener, TcpListener};

    #[test]
    fn new_connections_are_kept_from_a_socket_and_others_of_its_address_get_theirs() {
        const CLIENTS: usize = 64;
        let listen = |address: &str| TcpListener::bind_shared(address).unwrap();
        let polled = |listener: &TcpListener| match listener.open().unwrap() {
            Intake::Socket(socket) => {
                socket.set_nonblocking(true).unwrap();
                mio::net::TcpListener::from_std(socket)
            }
            Intake::Blocking(..) => unreachable!("it is a socket"),
        };
        let one = listen("127.0.0.1:0");
        let address = one.local_addr().unwrap();
        let other = listen(&address.to_string());
        let (one, other) = (polled(&one), polled(&other));
        let count = |socket: &mio::net::TcpListener| {
            std::iter::from_fn(|| socket.accept().ok()).take(2 * CLIENTS).count()
        };
        // On loopback a handshake is over when the call returns.
        let crowd = || -> Vec<_> {
            (0..CLIENTS).map(|_| mio::net::TcpStream::connect(address).unwrap()).collect()
        };
        let _first = crowd();
        keep_away(&one).unwrap();
        let _second = crowd();
        let (of_one, of_other) = (count(&one), count(&other));
        // Those of before still arrive. Each socket gets a client with a probability of one half.
        assert!(of_one > 0 && of_one < CLIENTS, "{of_one}");
        let least = if cfg!(feature = "steering") { CLIENTS } else { 1 };
        assert!(of_other >= CLIENTS - of_one + least, "{of_one}, {of_other}");
        let _third = crowd();
        assert_eq!(count(&one), 0);
        assert!(count(&other) >= least);
    }
}
