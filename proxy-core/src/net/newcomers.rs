//! Keeping new connections from a socket that listens and is about to be closed.
//!
//! There is no safe moment to close a socket that others share an address with: between the last
//! look into its queue and the close another connection can be completed, and would be reset. Two
//! things that Linux has make one, both by a classic BPF program:
//!
//! - A program of the *group*, the sockets that share the address, gives new connections to
//!   another one from the beginning, so that nobody waits. It is here with the feature
//!   `steering`.
//! - A *filter* of the socket drops whatever would begin a connection. Who is dropped waits:
//!   clients send their first packet again after a second (RFC 6298 §2). On current kernels it
//!   needs the capability `CAP_NET_ADMIN`; 6.18 does.
//!
//! In 20 restarts with four clients that connected all the time, on two cores, the filter let 110
//! connections through between one restart and the next, and the program of the group 10,000
//! (`tests/restart.rs` is such a run).

use std::io;

/// How new connections are kept away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// They go to the socket with this number in the group.
    ///
    /// The kernel numbers them from 0, in the order in which they began to listen; when one is
    /// closed, the last takes its number. Where there is no such number the kernel deals
    /// connections out as it does without a program. So what is said last stays without effect when
    /// the socket that said it is gone, and one is left.
    To(u32),
    /// The first packet of each is dropped.
    Drop,
}

/// What is to be tried, until nobody comes any more. Where a process that stops has one successor,
/// that has the number 1. Where connections still come, this socket has it itself, since it is the
/// successor that stops, or there are several: then 0 is another one. Those that took very long
/// to come may have made it look so; hence 1 once more.
pub(crate) const WAYS: &[Way] = if cfg!(not(any(target_os = "linux", target_os = "android"))) {
    &[]
} else if cfg!(all(feature = "steering", target_os = "linux")) {
    &[Way::To(1), Way::To(0), Way::To(1), Way::Drop]
} else {
    &[Way::Drop]
};

/// Has the system begin no new connection on `socket`; those whose handshake has begun still arrive.
///
/// # Errors
/// The system has no such means, or refuses it to this process.
#[cfg_attr(
    not(any(target_os = "linux", target_os = "android")),
    expect(unused_variables, reason = "there is no such means")
)]
pub(crate) fn keep_away(socket: &mio::net::TcpListener, way: Way) -> io::Result<()> {
    match way {
        #[cfg(all(feature = "steering", target_os = "linux"))]
        Way::To(number) => steering::to(number, socket),
        #[cfg(any(target_os = "linux", target_os = "android"))]
        Way::Drop => drop_first_packets(socket),
        #[allow(unreachable_patterns, reason = "all are known on one system, none on another")]
        _ => Err(io::ErrorKind::Unsupported.into()),
    }
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

    pub(super) fn to(number: u32, socket: &mio::net::TcpListener) -> io::Result<()> {
        let mut program = [sock_filter { code: super::RETURN, jt: 0, jf: 0, k: number }];
        let program = sock_fprog { len: 1, filter: program.as_mut_ptr() };
        Ok(setsockopt(socket, AttachReusePortCbpf, &program)?)
    }
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
mod tests {
    use mio::net::{TcpListener as Polled, TcpStream};

    use super::*;
    use crate::net::{Intake, Listener, TcpListener};

    const CLIENTS: usize = 64;

    fn listen(address: &str) -> Polled {
        let Intake::Socket(socket) = TcpListener::bind_shared(address).unwrap().open().unwrap()
        else {
            unreachable!("it is a socket")
        };
        socket.set_nonblocking(true).unwrap();
        Polled::from_std(socket)
    }

    /// Two sockets of one address.
    fn group() -> (Polled, Polled) {
        let one = listen("127.0.0.1:0");
        let other = listen(&one.local_addr().unwrap().to_string());
        (one, other)
    }

    /// Many that come at once. On loopback a handshake is over when the call returns.
    fn crowd(socket: &Polled) -> Vec<TcpStream> {
        let address = socket.local_addr().unwrap();
        (0..CLIENTS).map(|_| TcpStream::connect(address).unwrap()).collect()
    }

    /// How many wait.
    fn count(socket: &Polled) -> usize {
        std::iter::from_fn(|| socket.accept().ok()).take(2 * CLIENTS).count()
    }

    #[test]
    fn what_would_begin_a_connection_is_dropped_and_who_waits_is_not() {
        let (one, other) = group();
        let _before = crowd(&one);
        match keep_away(&one, Way::Drop) {
            // Nothing can be tried then.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return,
            result => result.unwrap(),
        }
        // Each socket gets a client with a probability of one half.
        let of_one = count(&one);
        assert!(of_one > 0 && of_one < CLIENTS, "{of_one}");
        assert_eq!(count(&other), CLIENTS - of_one);
        let _after = crowd(&one);
        assert_eq!(count(&one), 0);
        let of_other = count(&other);
        assert!(of_other > 0 && of_other < CLIENTS, "{of_other}");
    }

    #[test]
    #[cfg(all(feature = "steering", target_os = "linux"))]
    fn connections_go_to_the_number_that_is_meant_and_anywhere_where_there_is_none() {
        let (first, second) = group();
        let mut clients = Vec::new();
        for (number, expected) in [(1, [0, CLIENTS]), (0, [CLIENTS, 0])] {
            // Either may say it.
            for says in [&first, &second] {
                keep_away(says, Way::To(number)).unwrap();
                clients.extend(crowd(&first));
                assert_eq!([count(&first), count(&second)], expected);
            }
        }
        keep_away(&first, Way::To(1)).unwrap();
        drop(first);
        clients.extend(crowd(&second));
        assert_eq!(count(&second), CLIENTS, "it has taken the number 0");
        let third = listen(&second.local_addr().unwrap().to_string());
        clients.extend(crowd(&second));
        assert_eq!([count(&second), count(&third)], [0, CLIENTS]);
    }
}
