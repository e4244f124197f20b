//! [`Asker`]: a client of the admin address. How HTTP is read is the library's business.

use std::io::{self, Read, Write};
use std::time::Duration;

use proxy_core::Limits;
use proxy_core::http1::{Body, Coding, HeadScanner, RequestHead, ResponseHead};
use serde_json::Value;

use super::way::Way;
use crate::admin::UNIX;

/// Whom to ask, and by which token.
pub struct Asker<'a> {
    pub address: &'a str,
    pub token: Option<&'a str>,
}

/// An answer, as a whole.
pub struct Answer {
    pub status: u16,
    media_type: String,
    body: Vec<u8>,
}

/// Why there is none, or it could not be shown.
#[derive(Debug)]
pub enum Trouble {
    /// Nobody is there.
    Unreached(io::Error),
    /// It broke off, or is none of this protocol.
    Broken(String),
    /// It cannot be written out.
    Output(io::Error),
}

/// A reload waits for its event loops for some seconds; whoever takes longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(60);
/// As much as this is no answer that is read as a whole.
const MOST: usize = 64 * 1024 * 1024;

impl Asker<'_> {
    /// Asks, and takes the answer.
    pub fn ask(&self, method: &str, target: &str) -> Result<Answer, Trouble> {
        self.exchange(method, target, None)
    }

    /// Asks for something that goes on, and gives `take` what comes of it. What is answered instead of
    /// it is in the answer, which is empty otherwise.
    pub fn watch(
        &self,
        target: &str,
        mut take: impl FnMut(&[u8]) -> Result<(), Trouble>,
    ) -> Result<Answer, Trouble> {
        self.exchange("GET", target, Some(&mut take))
    }

    fn exchange(
        &self,
        method: &str,
        target: &str,
        mut take: Option<&mut Take<'_>>,
    ) -> Result<Answer, Trouble> {
        let head = self.head(method, target);
        let limits = Limits::default();
        let mut request = RequestHead::new();
        request
            .parse(head.as_bytes(), &limits)
            .map_err(|error| Trouble::Broken(format!("it cannot be asked so: {error}")))?;
        let mut stream = self.connect()?;
        stream.write_all(head.as_bytes()).map_err(Trouble::Unreached)?;
        let mut reader = Reader { stream, bytes: Vec::new() };

        let mut scanner = HeadScanner::new();
        let end = loop {
            match scanner.scan(&reader.bytes, &limits).map_err(broken)? {
                Some(end) => break end,
                None if reader.more()? => {}
                None => return Err(Trouble::Broken("the connection ended".to_owned())),
            }
        };
        let mut response = ResponseHead::new();
        response.parse(&reader.bytes[..end], &request, &limits).map_err(broken)?;
        reader.bytes.drain(..end);
        let media_type = response.field("Content-Type").unwrap_or_default();
        let mut answer = Answer {
            status: response.status(),
            media_type: String::from_utf8_lossy(media_type).into_owned(),
            body: Vec::new(),
        };
        if answer.status / 100 != 2 {
            take = None;
        }
        if take.is_some() {
            // It comes when it comes.
            reader.stream.set_patience(None).map_err(Trouble::Unreached)?;
        }
        let mut body = Body::new(response.body_length(), Coding::Decoded);
        while !body.is_done() {
            let mut content = Vec::new();
            let step = body.advance(&reader.bytes, &mut content, &limits).map_err(broken)?;
            content.extend_from_slice(&reader.bytes[step.pass]);
            reader.bytes.drain(..step.consumed);
            match &mut take {
                Some(take) if !content.is_empty() => take(&content)?,
                _ => answer.body.append(&mut content),
            }
            if answer.body.len() > MOST {
                return Err(Trouble::Broken("the answer has no end".to_owned()));
            }
            if step.consumed == 0 && !reader.more()? {
                body.end_of_input().map_err(broken)?;
            }
        }
        Ok(answer)
    }

    /// The head of a request that says that it is meant.
    fn head(&self, method: &str, target: &str) -> String {
        // A file has no name that could be asked for.
        let address = match self.address.starts_with(UNIX) {
            true => "localhost",
            false => self.address,
        };
        let token = self.token.map(|token| format!("Authorization: Bearer {token}\r\n"));
        format!(
            "{method} {target} HTTP/1.1\r\nHost: {address}\r\nAdmin-Request: 1\r\n\
             Connection: close\r\n{}\r\n",
            token.unwrap_or_default()
        )
    }

    fn connect(&self) -> Result<Way, Trouble> {
        let connected = Way::to(self.address).and_then(|stream| {
            stream.set_patience(Some(PATIENCE))?;
            Ok(stream)
        });
        connected.map_err(Trouble::Unreached)
    }
}

/// Takes what comes of something that goes on.
type Take<'a> = dyn FnMut(&[u8]) -> Result<(), Trouble> + 'a;

/// What has come and was not looked at.
struct Reader {
    stream: Way,
    bytes: Vec<u8>,
}

impl Reader {
    /// Reads on. `false`: that was the end.
    fn more(&mut self) -> Result<bool, Trouble> {
        let mut piece = [0; 16 * 1024];
        loop {
            match self.stream.read(&mut piece) {
                Ok(count) => {
                    self.bytes.extend_from_slice(&piece[..count]);
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Trouble::Broken(error.to_string())),
            }
        }
    }
}

fn broken(error: proxy_core::http1::Error) -> Trouble {
    Trouble::Broken(error.to_string())
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn is_json(&self) -> bool {
        self.media_type.starts_with("application/json")
    }

    /// The object that it is.
    pub fn object(&self) -> Result<Value, Trouble> {
        let read = serde_json::from_slice(&self.body);
        read.map_err(|error| Trouble::Broken(format!("the answer is no JSON: {error}")))
    }
}

impl Trouble {
    /// In words, about the one who was asked.
    pub fn at(&self, address: &str) -> String {
        match self {
            Trouble::Unreached(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound
                ) =>
            {
                format!("nothing listens at {address}: was proxy-cli started with --admin?")
            }
            Trouble::Unreached(error) => format!("{address} cannot be reached: {error}"),
            Trouble::Broken(what) => {
                format!("{address} does not answer as an admin address does: {what}")
            }
            Trouble::Output(error) => error.to_string(),
        }
    }
}
