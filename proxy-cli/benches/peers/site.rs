//! [`Site`]: the finished responses of the origin.

/// What the long bodies are, in bytes of content.
pub(crate) const BULK: u64 = 256 * 1024 * 1024;
/// What they are made of.
const BLOCK: usize = 64 * 1024;
/// The content of a short answer.
pub(crate) const KB: usize = 1024;

/// Responses, by path. One that is not here is `/slow`: the origin never answers it.
pub(crate) struct Site {
    pages: Vec<Page>,
}

struct Page {
    path: &'static [u8],
    /// For a connection that is kept, and for one that is not.
    heads: [Vec<u8>; 2],
    block: Vec<u8>,
    repeated: u64,
    tail: &'static [u8],
}

/// What is left of a response: its head, then a block a number of times, then a tail.
pub(crate) struct Response<'site> {
    head: &'site [u8],
    block: &'site [u8],
    /// Blocks left, and how much of the first of them has been sent.
    blocks: u64,
    offset: usize,
    tail: &'site [u8],
}

impl Site {
    /// Makes the responses.
    pub(crate) fn new() -> Site {
        let exact = |path, body_bytes: usize| {
            Page::new(path, &format!("Content-Length: {body_bytes}"), vec![b'x'; body_bytes], 1)
        };
        let blocks = BULK / BLOCK as u64;
        let mut chunk = format!("{BLOCK:x}\r\n").into_bytes();
        chunk.resize(chunk.len() + BLOCK, b'x');
        chunk.extend_from_slice(b"\r\n");
        let length = format!("Content-Length: {BULK}");
        let mut chunked = Page::new(b"/bulk-chunked", "Transfer-Encoding: chunked", chunk, blocks);
        chunked.tail = b"0\r\n\r\n";
        Site {
            pages: vec![
                exact(b"/1k", KB),
                exact(b"/16k", 16 * KB),
                exact(b"/100k", 100 * KB),
                Page::new(b"/bulk", &length, vec![b'x'; BLOCK], blocks),
                chunked,
            ],
        }
    }

    /// The answer to a request, given its head.
    pub(crate) fn answer(&self, head: &[u8], close: bool) -> Option<Response<'_>> {
        let target = head.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        // In absolute form the path begins at the third slash.
        let path = match target.strip_prefix(b"http://") {
            Some(rest) => &rest[rest.iter().position(|byte| *byte == b'/').unwrap_or(0)..],
            None => target,
        };
        let page = self.pages.iter().find(|page| page.path == path)?;
        Some(Response {
            head: &page.heads[usize::from(close)],
            block: &page.block,
            blocks: page.repeated,
            offset: 0,
            tail: page.tail,
        })
    }
}

impl Page {
    fn new(path: &'static [u8], framing: &str, block: Vec<u8>, repeated: u64) -> Page {
        // The fields that every server sends, so that there is something to parse.
        let head = |connection: &str| {
            format!(
                "HTTP/1.1 200 OK\r\n\
                 Server: origin\r\n\
                 Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
                 Content-Type: application/octet-stream\r\n\
                 {framing}\r\n{connection}\r\n"
            )
        };
        let mut page = Page {
            path,
            heads: [head("").into_bytes(), head("Connection: close\r\n").into_bytes()],
            block,
            repeated,
            tail: b"",
        };
        // A short body leaves with its head in one write, as from any server that is fast.
        if page.repeated == 1 {
            page.repeated = 0;
            page.heads.iter_mut().for_each(|head| head.extend_from_slice(&page.block));
        }
        page
    }
}

impl<'site> Response<'site> {
    /// The bytes to send next.
    pub(crate) fn next(&self) -> Option<&'site [u8]> {
        let piece = match (self.head, self.blocks) {
            ([], 0) => self.tail,
            ([], _) => &self.block[self.offset..],
            (head, _) => head,
        };
        (!piece.is_empty()).then_some(piece)
    }

    /// So many of them have been sent.
    pub(crate) fn sent(&mut self, count: usize) {
        if !self.head.is_empty() {
            self.head = &self.head[count..];
        } else if self.blocks > 0 {
            self.offset += count;
            if self.offset == self.block.len() {
                self.offset = 0;
                self.blocks -= 1;
            }
        } else {
            self.tail = &self.tail[count..];
        }
    }
}
