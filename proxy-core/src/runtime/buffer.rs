//! [`Buffer`]: bytes that must wait, on loan from their loop.
//!
//! Most bytes never wait: they are read into the loop's scratch buffer and leave from there.
//! Only what cannot go on at once — half a head, a body whose receiver is slow — is copied
//! into a buffer, and when the last byte has left, the memory goes back to the loop's
//! [`Spares`]. So an idle connection owns none.
//!
//! What was on its way through a [`Pipe`] waits there, without a copy.

use crate::net::Pipe;

/// Bytes in the order they came, taken from the front.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    /// Those that come before all others. Few have any.
    piped: Option<Box<Piped>>,
    bytes: Vec<u8>,
    taken: usize,
    /// All bytes here were looked at, and more are needed to go on.
    starved: bool,
}

/// Bytes that are in a pipe.
#[derive(Debug)]
pub(crate) struct Piped {
    pub(crate) pipe: Pipe,
    pub(crate) count: usize,
}

/// Memory for buffers, and pipes, ready to be lent out again.
#[derive(Debug, Default)]
pub(crate) struct Spares {
    memory: Vec<Vec<u8>>,
    /// An empty one: where everybody takes what is passed on, one is enough for a loop.
    pipe: Option<Pipe>,
    /// Pipes that are lent out.
    pipes: usize,
    /// Lent out and not given back.
    #[cfg(any(test, fuzzing))]
    pub(crate) lent: usize,
}

/// How many spare buffers a loop keeps, and how large each may be: 2 MiB in all.
const SPARES: usize = 32;
const SPARE_CAPACITY: usize = 64 * 1024;
/// How many pipes a loop lends out at once: each costs two descriptors, and the system up to 1 MiB
/// for a receiver that is slower than its sender. Others have their bytes copied.
const PIPES: usize = 16;

impl Spares {
    fn lend(&mut self) -> Vec<u8> {
        #[cfg(any(test, fuzzing))]
        {
            self.lent += 1;
        }
        self.memory.pop().unwrap_or_default()
    }

    fn take_back(&mut self, mut bytes: Vec<u8>) {
        #[cfg(any(test, fuzzing))]
        if bytes.capacity() > 0 {
            self.lent -= 1;
        }
        if self.memory.len() < SPARES && (1..=SPARE_CAPACITY).contains(&bytes.capacity()) {
            bytes.clear();
            self.memory.push(bytes);
        }
    }
}

impl Spares {
    /// An empty pipe, if there is one to be had.
    pub(crate) fn lend_pipe(&mut self) -> Option<Pipe> {
        if self.pipes >= PIPES {
            return None;
        }
        let pipe = self.pipe.take().or_else(Pipe::open)?;
        self.pipes += 1;
        Some(pipe)
    }

    /// It is empty again.
    pub(crate) fn take_pipe_back(&mut self, pipe: Pipe) {
        self.pipes -= 1;
        self.pipe.get_or_insert(pipe);
    }

    /// Something is left in it that nobody wants any more: it is closed.
    pub(crate) fn close_pipe(&mut self, _closed: Pipe) {
        self.pipes -= 1;
    }
}

impl Buffer {
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.piped.is_none()
    }

    /// Adds bytes that are in a pipe to a buffer that is empty.
    pub(crate) fn hold(&mut self, piped: Piped) {
        debug_assert!(self.is_empty(), "they come before all others");
        self.piped = Some(Box::new(piped));
    }

    /// The bytes that come before all others, if they are in a pipe.
    pub(crate) fn piped(&self) -> Option<&Piped> {
        self.piped.as_deref()
    }

    /// So many bytes have left the pipe.
    pub(crate) fn drained(&mut self, count: usize, spares: &mut Spares) {
        let Some(piped) = &mut self.piped else { return };
        piped.count -= count;
        if piped.count == 0
            && let Some(piped) = self.piped.take()
        {
            spares.take_pipe_back(piped.pipe);
        }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    /// Adds bytes at the end.
    pub(crate) fn extend(&mut self, bytes: &[u8], spares: &mut Spares) {
        if bytes.is_empty() {
            return;
        }
        if self.bytes.capacity() == 0 {
            self.bytes = spares.lend();
        }
        self.bytes.extend_from_slice(bytes);
        self.starved = false;
    }

    /// Takes `count` bytes from the front, which must be there.
    pub(crate) fn consume(&mut self, count: usize, spares: &mut Spares) {
        self.taken += count;
        debug_assert!(self.taken <= self.bytes.len());
        if self.taken == self.bytes.len() {
            spares.take_back(std::mem::take(&mut self.bytes));
            self.taken = 0;
        } else if self.taken >= self.bytes.len() / 2 {
            // Moving at most as many bytes as were taken keeps the whole linear.
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
    }

    /// Throws everything away.
    pub(crate) fn clear(&mut self, spares: &mut Spares) {
        if let Some(piped) = self.piped.take() {
            spares.close_pipe(piped.pipe);
        }
        self.consume(self.as_slice().len(), spares);
        self.starved = false;
    }

    /// Remembers that the bytes here are not enough to go on.
    pub(crate) fn mark_starved(&mut self) {
        self.starved = true;
    }

    /// Whether looking at the bytes again would be of no use before more have come.
    pub(crate) fn needs_more(&self) -> bool {
        self.is_empty() || self.starved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_leave_in_the_order_they_came() {
        let mut spares = Spares::default();
        let mut buffer = Buffer::default();
        buffer.extend(b"hello ", &mut spares);
        buffer.consume(2, &mut spares);
        buffer.extend(b"world", &mut spares);
        assert_eq!(buffer.as_slice(), b"llo world");
        buffer.consume(8, &mut spares);
        assert_eq!(buffer.as_slice(), b"d");
        buffer.consume(1, &mut spares);
        assert!(buffer.is_empty());
    }

    #[test]
    fn taking_many_small_pieces_moves_fewer_bytes_than_there_are() {
        // As thousands of pipelined requests are: they came in one read, and leave one by one,
        // while more comes behind them.
        const PIECE: usize = 40;
        let mut spares = Spares::default();
        let mut buffer = Buffer::default();
        let (mut come, mut moved) = (0, 0);
        for round in 0..20 {
            let bytes = vec![b'x'; 1000 * PIECE];
            buffer.extend(&bytes, &mut spares);
            come += bytes.len();
            for _ in 0..if round == 19 { usize::MAX } else { 900 } {
                let before = buffer.taken;
                buffer.consume(PIECE, &mut spares);
                if buffer.taken < before {
                    moved += buffer.bytes.len();
                }
                if buffer.is_empty() {
                    break;
                }
            }
        }
        assert!(buffer.is_empty());
        assert!(0 < moved && moved <= come, "{moved} bytes moved of {come}");
    }

    #[test]
    fn an_empty_buffer_owns_no_memory_and_the_loop_gets_it_back() {
        let mut spares = Spares::default();
        let mut buffer = Buffer::default();
        buffer.extend(&[7; 100], &mut spares);
        buffer.consume(100, &mut spares);
        assert_eq!(buffer.bytes.capacity(), 0);
        assert_eq!((spares.memory.len(), spares.lent), (1, 0));
        buffer.extend(b"x", &mut spares);
        assert_eq!((spares.memory.len(), spares.lent), (0, 1));
    }

    #[test]
    fn spares_are_bounded_in_number_and_size() {
        let mut spares = Spares::default();
        for _ in 0..2 * SPARES {
            spares.lent += 1;
            spares.take_back(Vec::with_capacity(10));
        }
        assert_eq!(spares.memory.len(), SPARES);
        spares.memory.clear();
        spares.lent += 1;
        spares.take_back(Vec::with_capacity(SPARE_CAPACITY + 1));
        assert!(spares.memory.is_empty());
    }

    #[test]
    fn more_bytes_end_starvation() {
        let mut spares = Spares::default();
        let mut buffer = Buffer::default();
        assert!(buffer.needs_more());
        buffer.extend(b"half", &mut spares);
        assert!(!buffer.needs_more());
        buffer.mark_starved();
        assert!(buffer.needs_more());
        buffer.extend(b"more", &mut spares);
        assert!(!buffer.needs_more());
    }
}
