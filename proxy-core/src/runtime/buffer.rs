//! [`Buffer`]: bytes that must wait, on loan from their loop.
//!
//! Most bytes never wait: they are read into the loop's scratch buffer and leave from there.
//! Only what cannot go on at once — half a head, a body whose receiver is slow — is copied
//! into a buffer, and when the last byte has left, the memory goes back to the loop's
//! [`Spares`]. So an idle connection owns none but a place for a pointer.
//!
//! What was on its way through a [`Pipe`] waits there, without a copy.

use crate::net::Pipe;

/// Bytes in the order they came, taken from the front.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    /// `None` if there are none.
    waiting: Option<Box<Waiting>>,
}

/// Bytes that wait: some do.
#[derive(Debug, Default)]
struct Waiting {
    /// Those that come before all others. Few have any.
    piped: Option<Piped>,
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
    #[expect(clippy::vec_box, reason = "the boxes are what is lent")]
    memory: Vec<Box<Waiting>>,
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
    fn lend(&mut self) -> Box<Waiting> {
        #[cfg(any(test, fuzzing))]
        {
            self.lent += 1;
        }
        self.memory.pop().unwrap_or_default()
    }

    /// Takes back what nothing waits in any more.
    fn take_back(&mut self, mut empty: Box<Waiting>) {
        #[cfg(any(test, fuzzing))]
        {
            self.lent -= 1;
        }
        if self.memory.len() < SPARES && empty.bytes.capacity() <= SPARE_CAPACITY {
            empty.bytes.clear();
            empty.taken = 0;
            empty.starved = false;
            self.memory.push(empty);
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
        self.waiting.is_none()
    }

    /// Adds bytes that are in a pipe to a buffer that is empty.
    pub(crate) fn hold(&mut self, piped: Piped, spares: &mut Spares) {
        debug_assert!(self.is_empty(), "they come before all others");
        self.waiting.get_or_insert_with(|| spares.lend()).piped = Some(piped);
    }

    /// The bytes that come before all others, if they are in a pipe.
    pub(crate) fn piped(&self) -> Option<&Piped> {
        self.waiting.as_ref()?.piped.as_ref()
    }

    /// So many bytes have left the pipe.
    pub(crate) fn drained(&mut self, count: usize, spares: &mut Spares) {
        let Some(waiting) = &mut self.waiting else { return };
        let Some(piped) = &mut waiting.piped else { return };
        piped.count -= count;
        if piped.count == 0
            && let Some(piped) = waiting.piped.take()
        {
            spares.take_pipe_back(piped.pipe);
            self.give_back_if_empty(spares);
        }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        self.waiting.as_ref().map_or(&[], |waiting| &waiting.bytes[waiting.taken..])
    }

    /// Adds bytes at the end.
    pub(crate) fn extend(&mut self, bytes: &[u8], spares: &mut Spares) {
        if bytes.is_empty() {
            return;
        }
        let waiting = self.waiting.get_or_insert_with(|| spares.lend());
        waiting.bytes.extend_from_slice(bytes);
        waiting.starved = false;
    }

    /// Takes `count` bytes from the front, which must be there.
    pub(crate) fn consume(&mut self, count: usize, spares: &mut Spares) {
        let Some(waiting) = &mut self.waiting else {
            debug_assert_eq!(count, 0, "they are there");
            return;
        };
        waiting.taken += count;
        debug_assert!(waiting.taken <= waiting.bytes.len());
        if waiting.taken == waiting.bytes.len() {
            self.give_back_if_empty(spares);
        } else if waiting.taken >= waiting.bytes.len() / 2 {
            // Moving at most as many bytes as were taken keeps the whole linear.
            waiting.bytes.drain(..waiting.taken);
            waiting.taken = 0;
        }
    }

    /// Throws everything away.
    pub(crate) fn clear(&mut self, spares: &mut Spares) {
        let Some(mut waiting) = self.waiting.take() else { return };
        if let Some(piped) = waiting.piped.take() {
            spares.close_pipe(piped.pipe);
        }
        spares.take_back(waiting);
    }

    fn give_back_if_empty(&mut self, spares: &mut Spares) {
        let empty = |waiting: &mut Box<Waiting>| {
            waiting.piped.is_none() && waiting.taken == waiting.bytes.len()
        };
        if let Some(waiting) = self.waiting.take_if(empty) {
            spares.take_back(waiting);
        }
    }

    /// Remembers that the bytes here are not enough to go on.
    pub(crate) fn mark_starved(&mut self) {
        if let Some(waiting) = &mut self.waiting {
            waiting.starved = true;
        }
    }

    /// Whether looking at the bytes again would be of no use before more have come.
    pub(crate) fn needs_more(&self) -> bool {
        self.waiting.as_ref().is_none_or(|waiting| waiting.starved)
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
                let before = buffer.waiting.as_ref().unwrap().taken;
                buffer.consume(PIECE, &mut spares);
                let Some(waiting) = &buffer.waiting else { break };
                if waiting.taken < before {
                    moved += waiting.bytes.len();
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
        assert!(buffer.waiting.is_none());
        assert_eq!((spares.memory.len(), spares.lent), (1, 0));
        buffer.extend(b"x", &mut spares);
        assert_eq!((spares.memory.len(), spares.lent), (0, 1));
    }

    fn with_capacity(bytes: usize) -> Box<Waiting> {
        Box::new(Waiting { bytes: Vec::with_capacity(bytes), ..Waiting::default() })
    }

    #[test]
    fn spares_are_bounded_in_number_and_size() {
        let mut spares = Spares::default();
        for _ in 0..2 * SPARES {
            spares.lent += 1;
            spares.take_back(with_capacity(10));
        }
        assert_eq!(spares.memory.len(), SPARES);
        spares.memory.clear();
        spares.lent += 1;
        spares.take_back(with_capacity(SPARE_CAPACITY + 1));
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
