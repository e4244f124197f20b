//! [`Facts`]: what need not be measured twice: the size of the program, and what it is built from.

use crate::configuration;
use crate::contestant::OURS;
use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

/// About our program.
pub(crate) struct Facts {
    stripped: io::Result<u64>,
    embedder: io::Result<usize>,
    program: io::Result<usize>,
    build: Option<io::Result<Duration>>,
}

impl Facts {
    /// Looks. Building anew takes a minute or more, so it is done on request only.
    pub(crate) fn look(build: bool) -> Facts {
        Facts {
            stripped: stripped(),
            embedder: crates("proxy-core"),
            program: crates("proxy-cli"),
            build: build.then(clean_build),
        }
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| fact | |\n|---|---:|")?;
        match &self.stripped {
            Ok(bytes) => writeln!(f, "| program, stripped | {:.2} MB |", *bytes as f64 / 1e6)?,
            Err(error) => writeln!(f, "| program, stripped | unknown: {error} |")?,
        }
        for (what, count) in [("proxy-core", &self.embedder), ("proxy-cli", &self.program)] {
            match count {
                Ok(count) => writeln!(f, "| crates of {what}, itself included | {count} |")?,
                Err(error) => writeln!(f, "| crates of {what} | unknown: {error} |")?,
            }
        }
        match &self.build {
            Some(Ok(took)) => writeln!(f, "| clean release build | {:.0} s |", took.as_secs_f64()),
            Some(Err(error)) => writeln!(f, "| clean release build | failed: {error} |"),
            None => writeln!(f, "| clean release build | not measured; `--build` does |"),
        }
    }
}

/// The size of the program without its symbols.
fn stripped() -> io::Result<u64> {
    let copy = configuration::file("proxy-cli.stripped", "")?;
    let done = Command::new("strip").arg("-o").arg(&copy).arg(OURS).status()?;
    if !done.success() {
        return Err(io::Error::other("strip failed (Debian package binutils)"));
    }
    let size = fs::metadata(&copy)?.len();
    fs::remove_file(copy)?;
    Ok(size)
}

/// How many crates somebody gets who builds one of ours.
fn crates(package: &str) -> io::Result<usize> {
    let output = cargo()
        .args(["tree", "--offline", "--edges", "normal", "--prefix", "none", "--no-dedupe"])
        .args(["--package", package])
        .output()?;
    if !output.status.success() {
        return Err(io::Error::other("cargo tree failed"));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    // A crate that stands there once more has a mark behind it.
    let names = text.lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>());
    Ok(names.collect::<BTreeSet<_>>().len())
}

/// How long the program takes to build where nothing has been built before.
fn clean_build() -> io::Result<Duration> {
    let folder = configuration::file("clean-build", "")?;
    fs::remove_file(&folder)?;
    let began = Instant::now();
    let status = cargo()
        .args(["build", "--quiet", "--release", "--package", "proxy-cli", "--target-dir"])
        .arg(&folder)
        .status()?;
    let took = began.elapsed();
    fs::remove_dir_all(&folder)?;
    if status.success() { Ok(took) } else { Err(io::Error::other("the build failed")) }
}

fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}
