use std::thread;

use mio::Poll;

use super::*;
use crate::runtime::mailbox::Mailbox;

const HANGS: Duration = Duration::from_secs(20);

fn mailbox() -> Mailbox<()> {
    Mailbox::new(Poll::new().unwrap().registry()).unwrap()
}

fn begun(limit: usize) -> (BodySender, Reading, Mailbox<()>) {
    let mailbox = mailbox();
    let (sender, stream) = body_stream(limit);
    let reading = stream.begin(mailbox.calls().caller(1)).unwrap();
    (sender, reading, mailbox)
}

fn full(piece: &'static [u8]) -> Result<(), TrySendError> {
    Err(TrySendError::Full(Bytes::from_static(piece)))
}

fn closed(piece: &'static [u8]) -> Result<(), TrySendError> {
    Err(TrySendError::Closed(Bytes::from_static(piece)))
}

#[test]
fn bytes_wait_until_the_next_look_shows_that_they_were_sent() {
    let (sender, mut reading, _mailbox) = begun(8);
    assert_eq!(reading.look(), Look::Nothing);
    sender.try_send("12345").unwrap();
    assert_eq!(sender.try_send("6789"), full(b"6789"));
    sender.try_send("678").unwrap();
    assert_eq!(reading.look(), Look::Ready);
    assert_eq!(reading.piece(3).unwrap(), "123");
    assert_eq!(reading.piece(99).unwrap(), "45");
    assert_eq!(sender.try_send("x"), full(b"x"));
    assert_eq!(reading.look(), Look::Ready);
    sender.try_send("9abcd").unwrap();
    assert_eq!(sender.try_send("x"), full(b"x"));
}

#[test]
fn a_piece_that_is_longer_than_the_limit_goes_alone() {
    let (sender, mut reading, _mailbox) = begun(4);
    sender.try_send("").unwrap();
    sender.try_send("123456").unwrap();
    assert_eq!(sender.try_send("7"), full(b"7"));
    sender.finish();
    assert_eq!(reading.look(), Look::Ready);
    assert!(!reading.is_over());
    assert_eq!(reading.piece(99).unwrap(), "123456");
    assert!(reading.is_over());
}

#[test]
fn the_loop_is_called_once_for_what_it_has_not_seen() {
    let (sender, mut reading, mailbox) = begun(100);
    let calls = || mailbox.calls_taken();
    sender.try_send("before it has looked").unwrap();
    assert_eq!(calls(), 0);
    assert_eq!(reading.look(), Look::Ready);
    drop(reading.piece(99));
    sender.try_send("while it sends").unwrap();
    assert_eq!((reading.look(), calls()), (Look::Ready, 0));
    drop(reading.piece(99));
    assert_eq!(reading.look(), Look::Nothing);
    sender.try_send("a").unwrap();
    sender.try_send("b").unwrap();
    assert_eq!(calls(), 1);
    drop(sender);
    assert_eq!((calls(), reading.look()), (0, Look::Cut(Reason::HandlerFailed)));
}

#[test]
fn what_is_cut_is_told_at_once() {
    let (sender, mut reading, mailbox) = begun(100);
    sender.try_send("a").unwrap();
    assert_eq!(reading.look(), Look::Ready);
    sender.abort();
    assert_eq!(mailbox.calls_taken(), 1, "although it is still sending");
    assert_eq!(reading.cut(), Some(Reason::ClosedByHandler));
    assert_eq!(reading.look(), Look::Cut(Reason::ClosedByHandler));
}

#[test]
fn whoever_waits_for_room_is_told_of_it_and_of_the_end() {
    let (sender, mut reading, _mailbox) = begun(4);
    sender.try_send("1234").unwrap();
    assert_eq!(sender.send("5", Duration::from_millis(1)), full(b"5"));
    let sending = thread::spawn(move || {
        sender.send("5678", HANGS).unwrap();
        sender.send("9", HANGS)
    });
    let mut got = Vec::new();
    while got.len() < 8 {
        if reading.look() == Look::Ready {
            got.extend(reading.piece(99).unwrap());
        }
        thread::yield_now();
    }
    assert_eq!(got, b"12345678");
    drop(reading);
    assert_eq!(sending.join().unwrap(), closed(b"9"));
}

#[test]
fn a_stream_is_closed_when_nobody_will_send_it() {
    let mailbox = mailbox();
    let (sender, stream) = body_stream(4);
    sender.try_send("1").unwrap();
    let another = stream.clone();
    drop(stream);
    assert!(!sender.is_closed());
    let reading = another.begin(mailbox.calls().caller(1)).unwrap();
    assert!(another.begin(mailbox.calls().caller(2)).is_none(), "it is sent once");
    drop(another);
    assert!(!sender.is_closed());
    drop(reading);
    assert!(sender.is_closed());
    assert_eq!(sender.try_send("2"), closed(b"2"));

    let (sender, stream) = body_stream(4);
    drop(stream);
    assert!(sender.is_closed());
}
