//! [`Answer`]: a response that arrives in pieces, and whether it is the one that was expected.

/// What has come of a response so far.
pub(crate) struct Answer {
    /// Until the head is complete.
    head: Vec<u8>,
    body: Body,
    /// Bytes of content: those that have come, and all.
    content: u64,
    expected: u64,
}

enum Body {
    /// The head is not complete yet.
    Unknown,
    /// All bytes are content.
    Exact,
    Chunked(Chunk),
}

/// Where in the chunked coding (RFC 9112 §7.1) we are.
enum Chunk {
    /// In the line with the size: its digits so far, and whether they are over.
    Size(u64, Digits),
    /// In the data and the line end behind it.
    Data(u64),
    /// Behind the last chunk, in a line of so many bytes. Trailers do not matter here.
    Trailer(usize),
    Over,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Digits {
    More,
    Over,
}

impl Answer {
    /// Nothing has come yet of a 200 with so many bytes of content.
    pub(crate) fn expecting(content: u64) -> Answer {
        Answer { head: Vec::new(), body: Body::Unknown, content: 0, expected: content }
    }

    /// Takes the next bytes. `true` when the response is whole.
    ///
    /// # Errors
    ///
    /// When it is not the one that was expected.
    pub(crate) fn take(&mut self, mut bytes: &[u8]) -> Result<bool, String> {
        if let Body::Unknown = self.body {
            let known = self.head.len();
            self.head.extend_from_slice(bytes);
            let from = known.saturating_sub(3);
            let end = self.head[from..].windows(4).position(|four| four == b"\r\n\r\n");
            let Some(end) = end.map(|end| from + end + 4) else { return Ok(false) };
            bytes = &bytes[end - known..];
            self.head.truncate(end);
            self.body = self.framing()?;
        }
        match &mut self.body {
            Body::Exact => self.content += bytes.len() as u64,
            Body::Chunked(chunk) => self.content += chunk.take(bytes)?,
            Body::Unknown => {}
        }
        let over = !matches!(&self.body, Body::Chunked(chunk) if !matches!(chunk, Chunk::Over));
        if self.content > self.expected || (over && self.is_cut()) {
            return Err(format!("{} bytes of content instead of {}", self.content, self.expected));
        }
        Ok(over && self.content == self.expected)
    }

    /// Whether its framing ended it before its content was there.
    fn is_cut(&self) -> bool {
        matches!(self.body, Body::Chunked(_)) && self.content < self.expected
    }

    fn framing(&self) -> Result<Body, String> {
        let head = String::from_utf8_lossy(&self.head).to_ascii_lowercase();
        let line = head.lines().next().unwrap_or_default();
        if line.split(' ').nth(1) != Some("200") {
            return Err(format!("answered {line:?}"));
        }
        let field = |name: &str| {
            let lines = head.lines().filter_map(|line| line.split_once(':'));
            lines.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value.trim())
        };
        if field("transfer-encoding") == Some("chunked") {
            return Ok(Body::Chunked(Chunk::Size(0, Digits::More)));
        }
        match field("content-length").and_then(|length| length.parse().ok()) {
            Some(length) if self.expected == length => Ok(Body::Exact),
            length => Err(format!("a length of {length:?} instead of {}", self.expected)),
        }
    }
}

impl Chunk {
    /// Takes the next bytes and counts the content in them.
    fn take(&mut self, mut bytes: &[u8]) -> Result<u64, String> {
        let mut content = 0;
        while let Some((&first, rest)) = bytes.split_first() {
            let mut next = rest;
            *self = match *self {
                Chunk::Size(0, Digits::Over) if first == b'\n' => Chunk::Trailer(0),
                // The line end behind the data is passed over with it.
                Chunk::Size(size, Digits::Over) if first == b'\n' => Chunk::Data(size + 2),
                Chunk::Size(size, Digits::Over) => Chunk::Size(size, Digits::Over),
                Chunk::Size(size, Digits::More) => match (first as char).to_digit(16) {
                    Some(digit) if size >> 56 == 0 => {
                        Chunk::Size(size * 16 + u64::from(digit), Digits::More)
                    }
                    Some(_) => return Err("a chunk without end".into()),
                    None => Chunk::Size(size, Digits::Over),
                },
                Chunk::Data(left) => {
                    let passed = left.min(bytes.len() as u64);
                    content += passed.min(left.saturating_sub(2));
                    next = &bytes[passed as usize..];
                    match left - passed {
                        0 => Chunk::Size(0, Digits::More),
                        left => Chunk::Data(left),
                    }
                }
                Chunk::Trailer(0) if first == b'\n' => Chunk::Over,
                Chunk::Trailer(_) if first == b'\n' => Chunk::Trailer(0),
                Chunk::Trailer(length) if first == b'\r' => Chunk::Trailer(length),
                Chunk::Trailer(length) => Chunk::Trailer(length + 1),
                Chunk::Over => return Err("bytes behind the last chunk".into()),
            };
            bytes = next;
        }
        Ok(content)
    }
}
