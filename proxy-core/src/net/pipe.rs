//! [`Pipe`]: bytes from one socket to another that no copy is made of (`splice`, Linux).
//!
//! Only with the feature `splice`. Without it, and elsewhere, there is no pipe, and bytes are read
//! and written.

#[cfg(all(feature = "splice", target_os = "linux"))]
pub(crate) use linux::Pipe;
#[cfg(not(all(feature = "splice", target_os = "linux")))]
pub(crate) use none::Pipe;

#[cfg(all(feature = "splice", target_os = "linux"))]
mod linux {
    use std::io::{self, PipeReader, PipeWriter};

    use rustix::pipe::{SpliceFlags, fcntl_setpipe_size, splice};

    use crate::net::Stream;

    /// Where bytes are between two sockets. They are pages that the system has, and stay so.
    #[derive(Debug)]
    pub(crate) struct Pipe {
        reader: PipeReader,
        writer: PipeWriter,
    }

    /// As large as a pipe may be without a privilege. In one of 64 KiB as many bytes move for each
    /// call as by copying, and nothing is gained.
    const BYTES: usize = 1024 * 1024;

    impl Pipe {
        /// `None` where the system has none to give: then bytes are copied.
        pub(crate) fn open() -> Option<Pipe> {
            let (reader, writer) = io::pipe().ok()?;
            fcntl_setpipe_size(&writer, BYTES).ok()?;
            Some(Pipe { reader, writer })
        }

        /// Moves up to `most` bytes of a socket into the pipe, which is empty.
        pub(crate) fn fill(&self, from: &Stream, most: usize) -> io::Result<usize> {
            match from {
                Stream::Tcp(from) => Ok(splice(from, None, &self.writer, None, most, flags())?),
                Stream::Unix(from) => Ok(splice(from, None, &self.writer, None, most, flags())?),
                #[cfg(any(test, fuzzing))]
                Stream::Memory(_) => Err(io::ErrorKind::Unsupported.into()),
            }
        }

        /// Moves up to `count` bytes, which are in the pipe, to a socket.
        pub(crate) fn drain(&self, to: &Stream, count: usize) -> io::Result<usize> {
            match to {
                Stream::Tcp(to) => Ok(splice(&self.reader, None, to, None, count, flags())?),
                Stream::Unix(to) => Ok(splice(&self.reader, None, to, None, count, flags())?),
                #[cfg(any(test, fuzzing))]
                Stream::Memory(_) => Err(io::ErrorKind::Unsupported.into()),
            }
        }
    }

    fn flags() -> SpliceFlags {
        SpliceFlags::MOVE | SpliceFlags::NONBLOCK
    }

    impl Stream {
        /// Whether it can be at the end of a pipe.
        pub(crate) fn is_spliceable(&self) -> bool {
            match self {
                Stream::Tcp(_) | Stream::Unix(_) => true,
                #[cfg(any(test, fuzzing))]
                Stream::Memory(_) => false,
            }
        }
    }
}

#[cfg(not(all(feature = "splice", target_os = "linux")))]
mod none {
    use std::convert::Infallible;
    use std::io;

    use crate::net::Stream;

    /// There is none.
    #[derive(Debug)]
    pub(crate) struct Pipe(Infallible);

    impl Pipe {
        pub(crate) fn open() -> Option<Pipe> {
            None
        }

        pub(crate) fn fill(&self, _: &Stream, _: usize) -> io::Result<usize> {
            match self.0 {}
        }

        pub(crate) fn drain(&self, _: &Stream, _: usize) -> io::Result<usize> {
            match self.0 {}
        }
    }

    impl Stream {
        pub(crate) fn is_spliceable(&self) -> bool {
            false
        }
    }
}
