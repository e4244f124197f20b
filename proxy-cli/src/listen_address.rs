//! Addresses to listen on, looked at before anything is bound.

use std::io;
use std::net::SocketAddr;

/// Says what is wrong with `address`, beside those that are listened on already.
pub fn check(address: &str, others: &[String]) -> Result<(), &'static str> {
    let Some((host, port)) = address.rsplit_once(':') else {
        return Err("an address and a port are expected, such as \"127.0.0.1:8888\"");
    };
    let Ok(port) = port.parse::<u16>() else {
        return Err("the port must be a number from 0 to 65535");
    };
    if address.parse::<SocketAddr>().is_err() {
        if host.contains(':') && !host.contains('/') {
            return Err("an IPv6 address is written in brackets, such as \"[::1]:8888\"");
        }
        if host.is_empty() {
            return Err("the address is missing; \"0.0.0.0\" stands for all of IPv4");
        }
        if host.contains(|c: char| !c.is_alphanumeric() && !"-._".contains(c)) {
            return Err("an address and a port are expected, such as \"127.0.0.1:8888\"");
        }
    }
    if port != 0 && others.iter().any(|other| other == address) {
        return Err("the same address is there already");
    }
    Ok(())
}

/// What can be done when the system refuses an address.
pub fn advice(error: io::ErrorKind) -> Option<&'static str> {
    match error {
        io::ErrorKind::AddrInUse => {
            Some("another program listens there: choose another port with --listen, or stop it")
        }
        io::ErrorKind::AddrNotAvailable => {
            Some("this machine does not have that address: choose one of its own with --listen")
        }
        io::ErrorKind::PermissionDenied => Some(
            "ports below 1024 need a privilege (CAP_NET_BIND_SERVICE on Linux): choose a higher \
             one with --listen",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_ports() {
        for address in ["127.0.0.1:0", "[::1]:8888", "[fe80::1%2]:80", "localhost:80", "0.0.0.0:1"]
        {
            assert_eq!(check(address, &[]), Ok(()), "{address}");
        }
        for (address, expected) in [
            ("127.0.0.1", "an address and a port"),
            ("8888", "an address and a port"),
            ("http://localhost:80", "an address and a port"),
            ("127.0.0.1:http", "the port"),
            ("127.0.0.1:65536", "the port"),
            ("::1:80", "brackets"),
            (":80", "missing"),
        ] {
            assert!(check(address, &[]).unwrap_err().contains(expected), "{address}");
        }
    }

    #[test]
    fn only_free_ports_can_be_taken_twice() {
        let others = ["127.0.0.1:80", "127.0.0.1:0"].map(str::to_owned);
        assert!(check("127.0.0.1:80", &others).is_err());
        assert_eq!(check("127.0.0.1:0", &others), Ok(()));
    }
}
