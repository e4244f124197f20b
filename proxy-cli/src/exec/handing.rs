//! Handing open files from one process to another, over a connected Unix socket (`SCM_RIGHTS`).

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

/// What one side tells the other.
#[derive(Debug)]
pub enum Message {
    /// An open file.
    File(OwnedFd),
    /// That it failed, and why.
    Failed(String),
    /// To go on.
    Go,
}

/// The longest message: a reason, in words.
const LONGEST: usize = 2048;

const FILE: u8 = b'f';
const FAILED: u8 = b'x';
const GO: u8 = b'g';

/// Sends an open file.
///
/// # Errors
/// If the other side is gone.
pub fn send_file(line: impl AsFd, file: BorrowedFd<'_>) -> io::Result<()> {
    let files = [file];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&files));
    sendmsg(line, &[IoSlice::new(&[FILE])], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Tells that it failed, and why. The end of a long reason is left out.
///
/// # Errors
/// If the other side is gone.
pub fn send_failure(line: impl AsFd, why: &str) -> io::Result<()> {
    let why = &why.as_bytes()[..why.len().min(LONGEST - 1)];
    send(line, &[IoSlice::new(&[FAILED]), IoSlice::new(why)])
}

/// Tells to go on.
///
/// # Errors
/// If the other side is gone.
pub fn send_go(line: impl AsFd) -> io::Result<()> {
    send(line, &[IoSlice::new(&[GO])])
}

fn send(line: impl AsFd, bytes: &[IoSlice<'_>]) -> io::Result<()> {
    sendmsg(line, bytes, &mut SendAncillaryBuffer::default(), SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Waits for a message. The sides take turns, so there is one at most.
///
/// # Errors
/// If the other side is gone, or says what is not understood.
pub fn receive(line: impl AsFd) -> io::Result<Message> {
    let mut bytes = [0; LONGEST];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let into = &mut [IoSliceMut::new(&mut bytes)];
    let received = recvmsg(line, into, &mut control, RecvFlags::CMSG_CLOEXEC)?.bytes;
    let file = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut files) => files.next(),
        _ => None,
    });
    match (bytes[..received].split_first(), file) {
        (Some((&FILE, [])), Some(file)) => Ok(Message::File(file)),
        (Some((&FAILED, why)), None) => Ok(Message::Failed(String::from_utf8_lossy(why).into())),
        (Some((&GO, [])), None) => Ok(Message::Go),
        (None, None) => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_file_is_the_same_one_on_the_other_side() {
        let (here, there) = UnixStream::pair().unwrap();
        let (mut inside, outside) = UnixStream::pair().unwrap();
        send_file(&here, outside.as_fd()).unwrap();
        drop(outside);
        let Message::File(file) = receive(&there).unwrap() else { panic!("no file came") };
        UnixStream::from(file).write_all(b"hello").unwrap();
        let mut text = String::new();
        inside.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
    }

    #[test]
    fn words_come_as_they_were_sent_and_an_end_is_an_error() {
        let (here, there) = UnixStream::pair().unwrap();
        send_failure(&here, &"long ".repeat(1000)).unwrap();
        match receive(&there).unwrap() {
            Message::Failed(why) => assert!(why.starts_with("long long ") && why.len() == 2047),
            other => panic!("{other:?}"),
        }
        send_go(&here).unwrap();
        assert!(matches!(receive(&there), Ok(Message::Go)));
        drop(here);
        assert_eq!(receive(&there).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
