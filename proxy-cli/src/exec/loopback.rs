//! The loopback interface of a new network namespace, which is down at first.

use std::io;

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with,
};

/// `RTM_NEWLINK`, with `NLM_F_REQUEST | NLM_F_ACK` (rtnetlink(7), netlink(7)).
const NEW_LINK: u16 = 16;
const REQUEST_AND_ACKNOWLEDGE: u16 = 0x5;
/// `NLMSG_ERROR`: the answer, an error number, 0 for success.
const ERROR: u16 = 2;
/// The first interface of a namespace is `lo`.
const LOOPBACK: i32 = 1;
/// `IFF_UP`.
const UP: u32 = 1;

/// Both headers, of the message and of what it says of the interface.
const HEADER: usize = 16;
const LENGTH: usize = HEADER + 16;

/// Sets it up: then it has 127.0.0.1 and ::1.
///
/// # Errors
/// If this process may not do that here.
pub fn bring_up() -> io::Result<()> {
    // Without a protocol it is NETLINK_ROUTE, and without an address the kernel is spoken to.
    let netlink = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    send(&netlink, &request(), SendFlags::empty())?;
    let mut answer = [0; 256];
    let (_, length) = recv(&netlink, &mut answer[..], RecvFlags::empty())?;
    outcome(&answer[..length.min(answer.len())])
}

fn request() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(0, &(LENGTH as u32).to_ne_bytes());
    put(4, &NEW_LINK.to_ne_bytes());
    put(6, &REQUEST_AND_ACKNOWLEDGE.to_ne_bytes());
    put(8, &1_u32.to_ne_bytes()); // the number of the message
    put(HEADER + 4, &LOOPBACK.to_ne_bytes());
    put(HEADER + 8, &UP.to_ne_bytes());
    put(HEADER + 12, &UP.to_ne_bytes()); // what of the flags is to change
    bytes
}

fn outcome(answer: &[u8]) -> io::Result<()> {
    let kind = answer.get(4..6).and_then(|kind| kind.try_into().ok()).map(u16::from_ne_bytes);
    let error = answer.get(HEADER..HEADER + 4).and_then(|error| error.try_into().ok());
    match (kind, error.map(i32::from_ne_bytes)) {
        (Some(ERROR), Some(0)) => Ok(()),
        (Some(ERROR), Some(error)) => Err(io::Error::from_raw_os_error(error.saturating_neg())),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_an_error_number() {
        let answer = |kind: u16, error: i32| {
            let mut bytes = [0; 36];
            bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
            bytes[16..20].copy_from_slice(&error.to_ne_bytes());
            bytes
        };
        assert!(outcome(&answer(ERROR, 0)).is_ok());
        let refused = outcome(&answer(ERROR, -1)).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
        for odd in [&answer(3, 0)[..], &answer(ERROR, 0)[..10], &[]] {
            assert_eq!(outcome(odd).unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }
}
