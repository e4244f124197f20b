//! Sockets (L2): where clients come from, and connected streams of bytes.

mod listener;
#[cfg(any(test, fuzzing))]
pub(crate) mod memory;
mod newcomers;
mod pipe;
mod socket;
mod stream;
mod transfer;
#[cfg(unix)]
mod unix_listener;

pub use listener::{Accept, Intake, Listener, Parting, TcpListener, Wake};
pub(crate) use newcomers::{WAYS, keep_away};
pub(crate) use pipe::Pipe;
pub use socket::Socket;
pub(crate) use socket::is_this_machines;
pub(crate) use stream::{Stream, pass_options_on};
#[cfg(unix)]
pub use unix_listener::UnixListener;
