//! Bytes to and from a socket: the calls that each request makes.
//!
//! With the feature `splice`, on Linux, the system itself is called; elsewhere its library.

#[cfg(all(feature = "splice", target_os = "linux"))]
pub(super) use linux::{receive, send, send_vectored};
#[cfg(not(all(feature = "splice", target_os = "linux")))]
pub(super) use portable::{receive, send, send_vectored};

/// The C library makes a point of cancellation of each of these calls, for whoever ends threads
/// from without: two locked instructions around it, once a program has more than one. Nobody does
/// so here, and the system can be called without it.
#[cfg(all(feature = "splice", target_os = "linux"))]
mod linux {
    use std::io::{self, IoSlice};
    use std::os::fd::AsFd;

    use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, recv, send as send_to, sendmsg};

    pub(in crate::net) fn receive(socket: impl AsFd, into: &mut [u8]) -> io::Result<usize> {
        let (count, _) = recv(socket, into, RecvFlags::empty())?;
        Ok(count)
    }

    pub(in crate::net) fn send(socket: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
        Ok(send_to(socket, bytes, SendFlags::NOSIGNAL)?)
    }

    pub(in crate::net) fn send_vectored(
        socket: impl AsFd,
        slices: &[IoSlice<'_>],
    ) -> io::Result<usize> {
        let mut nothing_else = SendAncillaryBuffer::default();
        Ok(sendmsg(socket, slices, &mut nothing_else, SendFlags::NOSIGNAL)?)
    }
}

#[cfg(not(all(feature = "splice", target_os = "linux")))]
mod portable {
    use std::io::{self, IoSlice, Read, Write};

    pub(in crate::net) fn receive(mut socket: impl Read, into: &mut [u8]) -> io::Result<usize> {
        socket.read(into)
    }

    pub(in crate::net) fn send(mut socket: impl Write, bytes: &[u8]) -> io::Result<usize> {
        socket.write(bytes)
    }

    pub(in crate::net) fn send_vectored(
        mut socket: impl Write,
        slices: &[IoSlice<'_>],
    ) -> io::Result<usize> {
        socket.write_vectored(slices)
    }
}
