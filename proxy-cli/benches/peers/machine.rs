//! [`Machine`]: which cores there are, and which programs of which versions.

use std::fmt;
use std::fs;
use std::io;
use std::process::Command;

/// The ground on which the numbers of this run stand.
pub(crate) struct Machine {
    /// The core of the proxies, as `taskset` wants it.
    pub(crate) proxy_core: String,
    /// The cores of the load generator and of the origin.
    pub(crate) load_cores: String,
    kernel: String,
    processor: String,
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
        let allowed = field(&status, "Cpus_allowed_list").unwrap_or_default();
        let cores = cores(&allowed);
        let [proxy_core, load_cores @ ..] = cores.as_slice() else {
            return Err(io::Error::other(format!("cannot read the list of cores {allowed:?}")));
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
        Ok(Machine {
            proxy_core: proxy_core.to_string(),
            load_cores: load_cores.iter().map(u32::to_string).collect::<Vec<_>>().join(","),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().into(),
            processor,
            versions: [("haproxy", "-v"), ("nginx", "-v"), ("wrk", "-v")]
                .into_iter()
                .filter_map(|(program, flag)| version(program, flag))
                .collect(),
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "machine: {}, Linux {}", self.processor, self.kernel)?;
        writeln!(f, "peers: {}", self.versions.join("; "))?;
        write!(
            f,
            "cores: proxies on {}, wrk and the origin on {}",
            self.proxy_core, self.load_cores
        )
    }
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

/// The first line a program says about itself, if it is installed.
fn version(program: &str, flag: &str) -> Option<String> {
    let output = Command::new(program).arg(flag).output().ok()?;
    let said = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    let line = String::from_utf8_lossy(&said).lines().next()?.to_owned();
    Some(line.split(" Copyright").next().unwrap_or(&line).to_owned())
}
