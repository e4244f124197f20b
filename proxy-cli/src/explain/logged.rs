//! [`Logged`]: a request, as a line of the access log tells of it.

use std::io::BufRead;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// What is needed of a line. The others of its keys do not matter.
#[derive(Clone, Debug, Deserialize)]
pub struct Logged {
    pub time: String,
    pub client: SocketAddr,
    pub kind: String,
    pub method: String,
    pub target: String,
    pub host: String,
    pub referer: Option<String>,
    pub user_agent: Option<String>,
    pub user: Option<String>,
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What came of it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Outcome {
    pub status: Option<u16>,
    pub reason: Option<String>,
    pub rule: Option<String>,
}

/// More than the longest line that the proxy writes.
const LONGEST: u64 = 1 << 20;

impl Logged {
    /// Reads the first line.
    pub fn read(input: impl BufRead) -> Result<Logged, String> {
        let mut input = input.take(LONGEST);
        let mut line = String::new();
        while line.trim().is_empty() {
            line.clear();
            match input.read_line(&mut line) {
                Ok(0) => {
                    return Err("a METHOD and a URL are expected, or a line of the access log on \
                                standard input"
                        .to_owned());
                }
                Ok(_) => {}
                Err(error) => return Err(format!("standard input: {error}")),
            }
        }
        let logged: Logged = serde_json::from_str(&line).map_err(|error| {
            format!(
                "this is no line of the access log, as log-format = \"json\" writes it: {error}"
            )
        })?;
        if logged.method == "-" {
            let reason = logged.outcome.reason.as_deref().unwrap_or("unknown");
            return Err(format!("no rule has seen this: it was not understood ({reason})"));
        }
        Ok(logged)
    }
}
