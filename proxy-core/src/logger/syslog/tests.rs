//! Messages to servers of syslog on this machine, which come and go.

use super::*;
use crate::logger::{AccessRecord, LogfmtLogger, RequestLogger};
use std::io::Read;
use std::net::{TcpListener, TcpStream, UdpSocket};

/// What stands behind the header of a message of ours.
fn told(message: &[u8]) -> String {
    let message = str::from_utf8(message).unwrap();
    let mut words = message.splitn(8, ' ');
    assert_eq!(words.next(), Some("<134>1"), "{message}");
    assert!(words.next().unwrap().ends_with('Z'), "{message}");
    assert_eq!(words.nth(1), Some("test"), "{message}");
    let rest: Vec<_> = words.collect();
    assert_eq!(rest[..3], [&*std::process::id().to_string(), "access", "-"], "{message}");
    rest[3].to_owned()
}

fn ours(syslog: Syslog) -> Syslog {
    syslog.with_facility(Facility::LOCAL0).with_app_name("test")
}

/// Reads messages that are counted in octets.
fn counted(stream: &mut TcpStream) -> String {
    let mut length = String::new();
    loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        match byte[0] {
            b' ' => break,
            digit => length.push(digit.into()),
        }
    }
    let mut message = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut message).unwrap();
    told(&message)
}

#[test]
fn by_udp_each_line_is_a_datagram() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let syslog = ours(Syslog::udp(server.local_addr().unwrap().to_string()));
    let logger = LogfmtLogger::new(syslog);
    for id in [1, 2] {
        let mut record = AccessRecord::new(([127, 0, 0, 1], 5).into());
        record.id = id;
        logger.log(&record);
    }
    logger.flush();
    for id in [1, 2] {
        let mut buffer = [0; 2048];
        let length = server.recv(&mut buffer).unwrap();
        let told = told(&buffer[..length]);
        assert!(told.starts_with(&format!("event=close kind=exchange id={id} ")), "{told}");
    }
}

#[test]
fn by_tcp_octets_are_counted_and_a_connection_that_has_ended_is_made_anew() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut syslog = ours(Syslog::tcp(server.local_addr().unwrap().to_string()));
    syslog.write_all(b"one\ntwo\n").unwrap();
    let (mut first, _) = server.accept().unwrap();
    assert_eq!([counted(&mut first), counted(&mut first)], ["one", "two"]);
    syslog.write_all(b"three\n").unwrap();
    assert_eq!(counted(&mut first), "three");

    drop(first);
    syslog.link.await_end();
    syslog.write_all(b"four\n").unwrap();
    let (mut second, _) = server.accept().unwrap();
    assert_eq!(counted(&mut second), "four");
}

#[test]
fn a_server_that_is_gone_is_an_error_and_not_asked_again_at_once() {
    // Bound, so that nobody else has the port, and not listening.
    let nobody = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    nobody.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = nobody.local_addr().unwrap().as_socket().unwrap().to_string();
    let mut syslog = ours(Syslog::tcp(&*address));
    let error = syslog.write_all(b"lost\n").unwrap_err();
    assert!(error.to_string().starts_with(&format!("syslog at tcp://{address}: ")), "{error}");
    // However often it is tried; far more quickly than the wait is over that begins then.
    let pause = syslog.backoff.pause(Instant::now());
    assert!(pause.is_none_or(|pause| pause.as_millis() <= 250));
    syslog.backoff.failed(Instant::now() + std::time::Duration::from_secs(3600));
    let error = syslog.write_all(b"lost, too\n").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotConnected);
    assert!(error.to_string().contains("no connection, the next attempt is in 3"), "{error}");
}

#[test]
fn a_name_without_a_port_is_an_error_of_writing() {
    let mut syslog = Syslog::udp("127.0.0.1");
    assert!(syslog.write_all(b"x\n").unwrap_err().to_string().starts_with("syslog at udp://"));
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::net::UnixDatagram;

    #[test]
    fn a_server_on_this_machine_may_be_restarted() {
        let name = format!("proxy-core-syslog-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        drop(std::fs::remove_file(&path));
        let receive = |server: &UnixDatagram| {
            let mut buffer = [0; 2048];
            let length = server.recv(&mut buffer).unwrap();
            told(&buffer[..length])
        };
        let mut syslog = ours(Syslog::unix(&path));
        assert!(syslog.write_all(b"lost\n").is_err(), "nobody is there");
        // As if the wait were over.
        syslog.backoff.succeeded();
        let server = UnixDatagram::bind(&path).unwrap();
        syslog.write_all(b"one\ntwo\n").unwrap();
        assert_eq!([receive(&server), receive(&server)], ["one", "two"]);
        drop(server);
        std::fs::remove_file(&path).unwrap();
        let server = UnixDatagram::bind(&path).unwrap();
        syslog.write_all(b"three\n").unwrap();
        assert_eq!(receive(&server), "three", "at once, and no line was lost");
        std::fs::remove_file(&path).unwrap();
    }
}
