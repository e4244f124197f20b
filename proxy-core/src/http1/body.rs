//! [`Body`]: one body on its way through, checked and made canonical as it goes.

use std::ops::Range;

use super::chunk::{ChunkLine, ChunkScan};
use super::trailer::Trailer;
use super::{BodyLength, Error, fault};
use crate::limits::Limits;

/// Where in a body the next byte is. A few words, no buffer: bytes stay with the caller.
#[derive(Clone, Debug)]
pub struct Body {
    place: Place,
    coding: Coding,
    payload: u64,
}

/// What becomes of the chunks of a chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// They go on as chunks.
    AsIs,
    /// Their content goes on, for a receiver that knows no chunks: an HTTP/1.0 client, for
    /// whom the end of the connection is the end of the body.
    Decoded,
}

/// What to do with the bytes that [`Body::advance`] was shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// So many are done with.
    pub consumed: usize,
    /// These of them go on unchanged, behind the patch.
    pub pass: Range<usize>,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// This many bytes before the end.
    Exact(u64),
    UntilClose,
    /// In a chunk-size line, of which so much has been looked at.
    ChunkLine(ChunkScan),
    /// This many bytes before the end of a chunk's data.
    ChunkData(u64),
    /// Before the CRLF behind the data.
    ChunkEnd,
    /// Behind the line of the last chunk.
    Trailer(Trailer),
    Done,
    /// It was malformed, here in the input of the step that found so.
    Wrong(Error, usize),
}

impl Body {
    /// A body of which no byte has come yet.
    pub fn new(length: BodyLength, coding: Coding) -> Body {
        let place = match length {
            BodyLength::None | BodyLength::Exact(0) => Place::Done,
            BodyLength::Exact(length) => Place::Exact(length),
            BodyLength::Chunked => Place::ChunkLine(ChunkScan::default()),
            BodyLength::UntilClose => Place::UntilClose,
        };
        Body { place, coding, payload: 0 }
    }

    /// Looks at the next bytes of the body. `input` begins with the first byte that was not
    /// consumed. What the receiver is to get is first what is appended to `patch`, then the
    /// bytes of [`Step::pass`]. Bytes beyond the end of the body are left alone.
    ///
    /// If nothing is consumed, more input is needed: keep these bytes, and call again with
    /// more behind them. (Or the body [is done](Body::is_done).) That happens before chunk
    /// ends and in lines; data is consumed as it comes.
    ///
    /// A chunked body in canonical form, sizes of plain digits and no trailers, passes
    /// through with its framing, in one range for as much of it as is there. Other framing is
    /// replaced by the patch: sizes lose leading zeros and extensions, trailer fields that
    /// have no business there are dropped (RFC 9110 §6.5.1).
    ///
    /// # Errors
    ///
    /// [`Error::Chunk`] and [`Error::Trailer`]. What has come of the step must not be sent, and
    /// each further step is the same error.
    pub fn advance(
        &mut self,
        input: &[u8],
        patch: &mut Vec<u8>,
        limits: &Limits,
    ) -> Result<Step, Error> {
        match self.place {
            Place::Done => Ok(Step::default()),
            Place::UntilClose => Ok(self.take_data(input.len())),
            Place::Exact(left) => {
                let step = self.take_data(within(left, input));
                self.place = match left - step.consumed as u64 {
                    0 => Place::Done,
                    left => Place::Exact(left),
                };
                Ok(step)
            }
            Place::Trailer(mut trailer) => {
                let end = trailer.scan(input, limits);
                let end = end.map_err(|error| self.wrong(error, fault::in_trailer(input)))?;
                self.place = Place::Trailer(trailer);
                if let Some(end) = end {
                    self.end_trailer(&input[..end], patch, limits)?;
                }
                Ok(Step { consumed: end.unwrap_or_default(), pass: 0..0 })
            }
            Place::Wrong(error, _) => Err(error),
            Place::ChunkLine(_) | Place::ChunkData(_) | Place::ChunkEnd => {
                let payload = self.payload;
                let step = self.advance_chunked(input, patch, limits);
                // What has come of a step that failed is not sent: it does not count.
                step.inspect_err(|_| self.payload = payload)
            }
        }
    }

    /// No more than so many content bytes have gone on: what came of the last steps was not sent.
    pub(crate) fn take_back_to(&mut self, payload: u64) {
        self.payload = self.payload.min(payload);
    }

    /// Where in the input of the step that has failed stands what is wrong: the first byte that
    /// cannot be meant, or where a limit is. `None`: no step has failed.
    pub fn fault(&self) -> Option<usize> {
        match self.place {
            Place::Wrong(_, at) => Some(at),
            _ => None,
        }
    }

    fn wrong(&mut self, error: Error, at: usize) -> Error {
        self.place = Place::Wrong(error, at);
        error
    }

    fn take_data(&mut self, count: usize) -> Step {
        self.payload += count as u64;
        Step { consumed: count, pass: 0..count }
    }

    fn advance_chunked(
        &mut self,
        input: &[u8],
        patch: &mut Vec<u8>,
        limits: &Limits,
    ) -> Result<Step, Error> {
        let mut step = Step::default();
        loop {
            let rest = &input[step.consumed..];
            let goes_on = match self.place {
                Place::ChunkLine(mut scan) => {
                    let line = scan.read(rest, limits.chunk_line_bytes);
                    let at = step.consumed + scan.scanned();
                    let line = line.map_err(|error| self.wrong(error, at))?;
                    self.place = Place::ChunkLine(scan);
                    match line {
                        None => false,
                        Some(line) if line.size == 0 => {
                            self.end_chunks(line, rest, &mut step, patch)?
                        }
                        Some(line) => {
                            let canonical = line.is_canonical();
                            let goes_on = self.frame(canonical, line.len, &mut step, || {
                                patch.extend_from_slice(line.digits);
                                patch.extend_from_slice(b"\r\n");
                            });
                            if goes_on {
                                self.place = Place::ChunkData(line.size);
                            }
                            goes_on
                        }
                    }
                }
                Place::ChunkData(left) => {
                    let count = within(left, rest);
                    let goes_on = count > 0 && step.let_pass(count);
                    if goes_on {
                        self.payload += count as u64;
                        self.place = match left - count as u64 {
                            0 => Place::ChunkEnd,
                            left => Place::ChunkData(left),
                        };
                    }
                    goes_on
                }
                Place::ChunkEnd => match rest {
                    [] | [b'\r'] => false,
                    [b'\r', b'\n', ..] => {
                        let goes_on = self.frame(true, 2, &mut step, || {});
                        if goes_on {
                            self.place = Place::ChunkLine(ChunkScan::default());
                        }
                        goes_on
                    }
                    [first, ..] => {
                        let at = step.consumed + usize::from(*first == b'\r');
                        return Err(self.wrong(Error::Chunk, at));
                    }
                },
                // The last chunk has been seen: the next step goes on.
                Place::Trailer(_)
                | Place::Exact(_)
                | Place::UntilClose
                | Place::Done
                | Place::Wrong(..) => false,
            };
            if !goes_on {
                return Ok(step);
            }
        }
    }

    /// Takes `count` bytes of framing into the step; `patch` writes what stands for them if
    /// they are not canonical. If not even that can be done, because bytes have passed in
    /// front of which the patch would come, the step ends here and the next begins with it.
    fn frame(&self, canonical: bool, count: usize, step: &mut Step, patch: impl FnOnce()) -> bool {
        match self.coding {
            Coding::Decoded => step.consumed += count,
            Coding::AsIs if canonical => return step.let_pass(count),
            Coding::AsIs if step.pass.is_empty() => {
                patch();
                step.consumed += count;
            }
            Coding::AsIs => return false,
        }
        true
    }

    /// The last chunk. Its line is held back until it is known what follows: the end, or a
    /// trailer.
    fn end_chunks(
        &mut self,
        line: ChunkLine<'_>,
        rest: &[u8],
        step: &mut Step,
        patch: &mut Vec<u8>,
    ) -> Result<bool, Error> {
        match &rest[line.len..] {
            [] | [b'\r'] => {}
            [b'\r', b'\n', ..] => {
                let ended = self.frame(line.is_canonical(), line.len + 2, step, || {
                    patch.extend_from_slice(b"0\r\n\r\n");
                });
                if ended {
                    self.place = Place::Done;
                }
            }
            [b'\r', ..] => return Err(self.wrong(Error::Trailer, step.consumed + line.len + 1)),
            _ => {
                step.consumed += line.len;
                self.place = Place::Trailer(Trailer::default());
            }
        }
        Ok(false)
    }

    fn end_trailer(
        &mut self,
        section: &[u8],
        patch: &mut Vec<u8>,
        limits: &Limits,
    ) -> Result<(), Error> {
        let unpatched = patch.len();
        patch.extend_from_slice(b"0\r\n");
        let kept = Trailer::write_kept(section, patch, limits);
        kept.map_err(|error| self.wrong(error, fault::in_trailer(section)))?;
        patch.extend_from_slice(b"\r\n");
        if self.coding == Coding::Decoded {
            patch.truncate(unpatched);
        }
        self.place = Place::Done;
        Ok(())
    }

    /// How many of the next bytes are content and go on unchanged, whatever they are: they need not
    /// be looked at, and [`pass_unseen`](Self::pass_unseen) can do for [`advance`](Self::advance).
    pub fn unseen(&self) -> u64 {
        match self.place {
            Place::Exact(left) | Place::ChunkData(left) => left,
            Place::UntilClose => u64::MAX,
            Place::ChunkLine(_)
            | Place::ChunkEnd
            | Place::Trailer(_)
            | Place::Done
            | Place::Wrong(..) => 0,
        }
    }

    /// So many of the [unseen](Self::unseen) bytes have gone on.
    ///
    /// # Panics
    ///
    /// If there are not as many of them.
    pub fn pass_unseen(&mut self, count: u64) {
        let left = self.unseen().checked_sub(count).expect("no more than there are");
        self.payload += count;
        match &mut self.place {
            Place::Exact(_) if left == 0 => self.place = Place::Done,
            Place::ChunkData(_) if left == 0 => self.place = Place::ChunkEnd,
            Place::Exact(bytes) | Place::ChunkData(bytes) => *bytes = left,
            _ => {}
        }
    }

    /// Whether the body is complete. Without one, it is from the start.
    pub fn is_done(&self) -> bool {
        matches!(self.place, Place::Done)
    }

    /// The sender has closed its side.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] if the body was not complete (RFC 9112 §8).
    pub fn end_of_input(&mut self) -> Result<(), Error> {
        match self.place {
            Place::Done | Place::UntilClose => {
                self.place = Place::Done;
                Ok(())
            }
            _ => Err(Error::Truncated),
        }
    }

    /// Bytes of content so far, framing not counted.
    pub fn payload(&self) -> u64 {
        self.payload
    }

    /// Bytes still to come, where that is known.
    pub fn remaining(&self) -> Option<u64> {
        match self.place {
            Place::Exact(left) => Some(left),
            Place::Done => Some(0),
            _ => None,
        }
    }
}

impl Step {
    /// Lets the next `count` bytes pass, if that makes one range with those that do already.
    fn let_pass(&mut self, count: usize) -> bool {
        if self.pass.is_empty() {
            self.pass = self.consumed..self.consumed;
        }
        let is_next = self.pass.end == self.consumed;
        if is_next {
            self.pass.end += count;
            self.consumed += count;
        }
        is_next
    }
}

/// How many bytes of `input` there are within the next `left`.
fn within(left: u64, input: &[u8]) -> usize {
    usize::try_from(left).map_or(input.len(), |left| left.min(input.len()))
}

#[cfg(test)]
mod tests;
