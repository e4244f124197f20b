//! [`Door`]: an origin that is played by hand.

use std::io;
use std::net::{SocketAddr, TcpListener};

use super::{Client, PATIENCE};

/// Where the proxy knocks as at an origin, and the story itself opens: it holds both ends, so one
/// thread can play both, and say in which order things happen.
pub struct Door {
    pub address: SocketAddr,
    listener: TcpListener,
}

impl Door {
    pub fn open() -> Door {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        // On Linux that is how long accepting waits.
        socket2::SockRef::from(&listener).set_read_timeout(Some(PATIENCE)).unwrap();
        Door { address: listener.local_addr().unwrap(), listener }
    }

    /// The next connection of the proxy.
    pub fn take(&self) -> Client {
        Client::of(self.listener.accept().expect("the proxy connects").0)
    }

    /// Nobody has connected that was not let in.
    pub fn expect_nobody(&self) {
        self.listener.set_nonblocking(true).unwrap();
        let accepted = self.listener.accept().map_err(|error| error.kind());
        self.listener.set_nonblocking(false).unwrap();
        assert_eq!(accepted.err(), Some(io::ErrorKind::WouldBlock), "nobody connects");
    }

    /// A GET request for this origin, in absolute form.
    pub fn get(&self) -> String {
        format!("GET http://{0}/ HTTP/1.1\r\nHost: {0}\r\n\r\n", self.address)
    }
}
