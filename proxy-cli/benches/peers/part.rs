//! [`Part`]: a client of the benchmark's own that runs as a process, on the cores of the load.

use crate::contestant::Contestant;
use crate::way::Way;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

/// Whom a client asks, and how. It goes to the process on its command line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Aim {
    /// Where the proxy listens.
    pub(crate) proxy: SocketAddr,
    /// Where the origin does.
    pub(crate) origin: SocketAddr,
    /// How the proxy is told of it.
    pub(crate) way: Way,
}

impl Aim {
    /// Understands what [`Part::start`] writes; what is left are the client's own arguments.
    pub(crate) fn parse(arguments: &mut impl Iterator<Item = String>) -> Option<Aim> {
        Some(Aim {
            proxy: arguments.next()?.parse().ok()?,
            origin: arguments.next()?.parse().ok()?,
            way: Way::of(&arguments.next()?)?,
        })
    }
}

/// A client under way. Dropping it ends it.
pub(crate) struct Part {
    child: Child,
}

impl Part {
    /// Starts a client. `timeout` ends it if it hangs.
    pub(crate) fn start(
        name: &str,
        own: &[String],
        contestant: &Contestant,
        cores: &str,
        seconds: u32,
    ) -> io::Result<Part> {
        let mut command = Command::new("timeout");
        command.args(["-s", "KILL", &seconds.to_string(), "taskset", "-c", cores]);
        command.arg(std::env::current_exe()?).arg(name);
        command.arg(contestant.running.address.to_string());
        command.arg(contestant.origin.to_string()).arg(contestant.way.word()).args(own);
        // It goes when its standard input ends.
        let child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        Ok(Part { child })
    }

    /// Waits for its next line, which is numbers.
    ///
    /// # Errors
    ///
    /// With what it said on its standard error, if it ended without one.
    pub(crate) fn numbers(&mut self) -> Result<Vec<f64>, String> {
        let output = self.child.stdout.as_mut().expect("it is piped");
        let mut line = String::new();
        let read = BufReader::new(output).read_line(&mut line);
        let numbers = line.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>();
        match (read, numbers) {
            (Ok(1..), Ok(numbers)) => Ok(numbers),
            _ => Err(self.complaint()),
        }
    }

    fn complaint(&mut self) -> String {
        let _ = self.child.kill();
        let errors = self.child.stderr.take().expect("it is piped and taken once");
        let said = io::read_to_string(errors).unwrap_or_default();
        match said.trim() {
            "" => "a client ended, or took too long, without a word".into(),
            said => said.into(),
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // `timeout` passes it on to the client.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
