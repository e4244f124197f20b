//! [`Machine`]: which cores there are, and which programs of which versions.

use crate::running::installed;
use crate::suite::Suite;
use std::fmt;
use std::fs;
use std::io;
use std::process::Command;

/// The ground on which the numbers of this run stand.
pub(crate) struct Machine {
    /// The cores that this process may use, as `taskset` wants them.
    pub(crate) all_cores: String,
    /// The cores of clients and origin, where the proxy has one of its own.
    pub(crate) load_cores: String,
    proxy_core: String,
    kernel: String,
    processor: String,
    mtu: String,
    versions: Vec<String>,
}

impl Machine {
    /// Looks around.
    ///
    /// # Errors
    ///
    /// With fewer than two cores, and without `wrk`: nothing can be measured then.
    pub(crate) fn look() -> io::Result<Machine> {
        let status = fs::read_to_string("/proc/self/status")?;
        let all_cores = field(&status, "Cpus_allowed_list").unwrap_or_default();
        let cores = cores(&all_cores);
        let [proxy_core, load_cores @ ..] = cores.as_slice() else {
            return Err(io::Error::other(format!("cannot read the list of cores {all_cores:?}")));
        };
        if load_cores.is_empty() {
            return Err(io::Error::other("two cores are needed, one for the proxies alone"));
        }
        if version("wrk", "-v").is_none() {
            return Err(io::Error::other("the load comes from wrk: install the package wrk"));
        }
        let processor = fs::read_to_string("/proc/cpuinfo")
            .ok()
            .and_then(|info| field(&info, "model name"))
            .unwrap_or_else(|| "unknown processor".into());
        // A kernel's own name, behind its version, is nobody's business.
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
        Ok(Machine {
            proxy_core: proxy_core.to_string(),
            load_cores: load_cores.iter().map(u32::to_string).collect::<Vec<_>>().join(","),
            all_cores,
            kernel: kernel.split('.').take(2).collect::<Vec<_>>().join("."),
            processor,
            mtu: mtu().unwrap_or_else(|| "unknown size".into()),
            versions: [
                ("haproxy", "-v"),
                ("nginx", "-v"),
                ("squid", "-v"),
                ("tinyproxy", "-v"),
                ("wrk", "-v"),
                ("rustc", "-V"),
            ]
            .into_iter()
            .filter_map(|(program, flag)| version(program, flag))
            .collect(),
        })
    }

    /// What the document calls the results of a suite here: those with packets of another size than
    /// loopback's have a part of their own.
    pub(crate) fn part(&self, suite: Suite) -> String {
        match self.mtu.as_str() {
            LOOPBACK => suite.name().into(),
            other => format!("{}-{other}", suite.name()),
        }
    }

    /// Where the proxies of a suite run.
    pub(crate) fn proxy_cores(&self, suite: Suite) -> &str {
        if suite.is_pinned() { &self.proxy_core } else { &self.all_cores }
    }

    /// Where the origin of a suite runs, and its clients.
    pub(crate) fn load_cores(&self, suite: Suite) -> &str {
        if suite.is_pinned() { &self.load_cores } else { &self.all_cores }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { processor, kernel, mtu, proxy_core, load_cores, .. } = self;
        writeln!(f, "- {processor}, Linux {kernel}, loopback with an MTU of {mtu}")?;
        writeln!(f, "- proxy-cli {}; {}", env!("CARGO_PKG_VERSION"), self.versions.join("; "))?;
        write!(f, "- proxies on core {proxy_core}, clients and origin on {load_cores}")
    }
}

/// The MTU that Linux gives its loopback interface.
const LOOPBACK: &str = "65536";

/// The MTU of the loopback interface, as `ip` tells it: where the network is one of our own,
/// `/sys` is still about the other.
fn mtu() -> Option<String> {
    let output = Command::new("ip").args(["-o", "link", "show", "dev", "lo"]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let (_, behind) = text.split_once(" mtu ")?;
    behind.split_whitespace().next().map(str::to_owned)
}

/// The value behind `name:` in one of the text files of `/proc`.
fn field(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    let (_, value) = line.split_once(':')?;
    Some(value.trim().into())
}

/// Every core in a list such as `0-3,8`.
fn cores(list: &str) -> Vec<u32> {
    let mut cores = Vec::new();
    for range in list.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        if let (Ok(first), Ok(last)) = (first.parse::<u32>(), last.parse::<u32>()) {
            cores.extend(first..=last);
        }
    }
    cores
}

/// A program and the version it says it has, if it is installed.
fn version(program: &str, flag: &str) -> Option<String> {
    // Servers are not on everybody's path, and their packages are named where they are missing.
    let file = installed(program, program).ok()?;
    let output = Command::new(file).arg(flag).output().ok()?;
    let said = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    let said = String::from_utf8_lossy(&said);
    let begins = |word: &&str| word.starts_with(|first: char| first.is_ascii_digit());
    let number = said.lines().next()?.split([' ', '/']).find(begins)?;
    Some(format!("{program} {number}"))
}
