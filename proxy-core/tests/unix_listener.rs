//! Clients that come by a Unix domain socket.

#![cfg(unix)]

mod support;

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use proxy_core::{ConnectionState, UnixListener};
use support::{Origin, PATIENCE, Stage, until};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A directory of the test's own, with a short name: that of a socket may not be long.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let place = std::env::temp_dir().join(format!("pc-{name}-{}", std::process::id()));
        fs::create_dir(&place).unwrap();
        Place(place)
    }

    fn socket(&self) -> PathBuf {
        self.0.join("s")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn connect(path: &PathBuf) -> UnixStream {
    let client = UnixStream::connect(path).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client
}

#[test]
fn clients_are_served_like_others() {
    let place = Place::new("served");
    let listener = UnixListener::bind(place.socket(), 0o600).unwrap();
    assert_eq!(listener.path(), place.socket());
    let mut stage = Stage::with(|builder| builder.listener(listener));
    let mode = fs::metadata(place.socket()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let origin = Origin::always(OK);
    let mut client = connect(&place.socket());
    for _ in 0..2 {
        client.write_all(origin.get("/").as_bytes()).unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"ok") {
            let mut byte = [0];
            client.read_exact(&mut byte).unwrap();
            answer.push(byte[0]);
        }
        let record = stage.closed();
        assert_eq!(record.as_record().client, UnixListener::CLIENT);
    }
    let control = stage.handle().control();
    let list = control.connections(10).connections;
    assert_eq!((list.len(), list[0].listener, list[0].requests), (1, 1, 2));
    assert_eq!(list[0].state, ConnectionState::Idle);

    // Beside it, the other one serves, too; and both end.
    let answer = stage.client().send(origin.get("/")).answer();
    assert_eq!(answer.text(), "ok");
    stage.take_handle().shutdown(Duration::ZERO);
    assert_eq!(client.read(&mut [0]).unwrap_or(0), 0);
    assert!(!place.socket().exists(), "its file is gone");
}

#[test]
fn a_client_that_ends_is_seen_to_end() {
    let place = Place::new("ends");
    let listener = UnixListener::bind(place.socket(), 0o600).unwrap();
    let stage = Stage::with(|builder| builder.listener(listener));
    let client = connect(&place.socket());
    until(&stage, |all| all.idle_clients == 1);
    drop(client);
    until(&stage, |all| all.seats == 0);
}

#[test]
fn what_was_left_behind_is_replaced_and_nothing_else() {
    let place = Place::new("stale");
    let path = place.socket();
    // Nobody listens any more, but the file is there.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let listener = UnixListener::bind(&path, 0o660).unwrap();

    let refused = UnixListener::bind(&path, 0o600).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);
    drop(connect(&path));
    drop(listener);
    assert!(!path.exists());

    fs::write(&path, "a file of somebody's").unwrap();
    let refused = UnixListener::bind(&path, 0o600).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&path).unwrap(), b"a file of somebody's");
}

#[test]
fn a_file_that_somebody_has_put_in_its_place_stays() {
    let place = Place::new("other");
    let path = place.socket();
    let listener = UnixListener::bind(&path, 0o600).unwrap();
    fs::remove_file(&path).unwrap();
    let another = UnixListener::bind(&path, 0o600).unwrap();
    drop(listener);
    assert!(path.exists());
    drop(connect(&path));
    drop(another);
    assert!(!path.exists());
}
