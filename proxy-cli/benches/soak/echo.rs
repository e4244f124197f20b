//! [`serve`]: the far end of tunnels, which gives back what it gets.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread;

use crate::wire::Wire;

/// Starts it. Its threads end with their connections, and all with the process.
pub(crate) fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    thread::Builder::new().name("echo".into()).spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(Wire::over(stream)?));
        }
    })?;
    Ok(address)
}

/// What has it break the connection off, where it comes first.
pub(crate) const BREAK_OFF: &[u8] = b"break it off";

/// Gives back what comes, and the end for the end.
pub(crate) fn serve(mut wire: Wire) -> io::Result<()> {
    loop {
        let mut piece = Vec::new();
        let count = wire.some(&mut |bytes| {
            piece.extend_from_slice(bytes);
            Ok(())
        })?;
        if count == 0 {
            return wire.finish();
        }
        if piece == BREAK_OFF {
            return wire.reset();
        }
        wire.send(&piece)?;
    }
}
