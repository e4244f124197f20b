//! A log that cannot be written costs its lines and nothing else: requests are answered, it is told
//! once, and that it is over is told, too.
//!
//! One test, alone in its binary: the logger of the `log` crate is the whole process's.

mod support;

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use crossbeam_channel::{Receiver, Sender, unbounded};
use proxy_core::TextLogger;
use support::{Origin, PATIENCE, Stage};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Keeps what the library says.
struct Heard(Sender<String>);

impl log::Log for Heard {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Warn
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            self.0.send(record.args().to_string()).unwrap();
        }
    }

    fn flush(&self) {}
}

/// Tells how much it is given each time, and fails while it is said to be full.
struct Disk {
    is_full: Arc<AtomicBool>,
    attempts: Sender<usize>,
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // First: whoever hears of the attempt may make room.
        let is_full = self.is_full.load(SeqCst);
        self.attempts.send(bytes.len()).unwrap();
        match is_full {
            true => Err(io::ErrorKind::StorageFull.into()),
            false => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_log_that_cannot_be_written_is_told_of_once_and_stops_nobody() {
    let (sender, heard) = unbounded();
    log::set_logger(Box::leak(Box::new(Heard(sender)))).unwrap();
    log::set_max_level(log::LevelFilter::Warn);
    a_disk_that_is_full_for_a_while(&heard);
    #[cfg(target_os = "linux")]
    a_disk_that_is_always_full(&heard);
    assert_eq!(heard.try_recv().ok(), None);
}

fn a_disk_that_is_full_for_a_while(heard: &Receiver<String>) {
    let origin = Origin::always(OK);
    let is_full = Arc::new(AtomicBool::new(true));
    let (attempts, attempted) = unbounded();
    let disk = Disk { is_full: Arc::clone(&is_full), attempts };
    let mut stage = Stage::with(|builder| builder.logger(TextLogger::new(disk)));
    let mut client = stage.client();
    let mut ask = || {
        assert_eq!(client.send(origin.get("/")).answer().text(), "ok");
        attempted.recv_timeout(PATIENCE).unwrap()
    };
    for _ in 0..3 {
        ask();
    }
    is_full.store(false, SeqCst);
    ask();
    drop(client);
    let log = stage.take_handle().shutdown(PATIENCE).log;
    assert_eq!((log.logged, log.panicked, log.dropped), (4, 0, 0));
    let told = heard.recv_timeout(PATIENCE).unwrap();
    assert!(told.starts_with("the access log cannot be written, its lines are lost: "), "{told}");
    let told = heard.recv_timeout(PATIENCE).unwrap();
    assert!(
        told.starts_with("the access log can be written again, up to 3 of its lines"),
        "{told}"
    );
    assert_eq!(heard.try_recv().ok(), None, "each is told once");
}

#[cfg(target_os = "linux")]
fn a_disk_that_is_always_full(heard: &Receiver<String>) {
    let origin = Origin::always(OK);
    let file = proxy_core::LogFile::append("/dev/full").unwrap();
    let mut stage = Stage::with(|builder| builder.logger(TextLogger::new(file)));
    let mut client = stage.client();
    for _ in 0..20 {
        assert_eq!(client.send(origin.get("/")).answer().text(), "ok");
    }
    drop(client);
    assert_eq!(stage.take_handle().shutdown(PATIENCE).log.logged, 20);
    let told = heard.recv_timeout(PATIENCE).unwrap();
    assert!(
        told.starts_with("the access log cannot be written, its lines are lost: /dev/full: "),
        "{told}"
    );
}
