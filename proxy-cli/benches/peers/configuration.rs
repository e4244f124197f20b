//! [`written`]: a file for a program, made from one of the templates beside this.

use crate::entrant::Form;
use crate::running::directory;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Writes a configuration from its template.
pub(crate) fn written(
    name: &str,
    template: &str,
    listen: SocketAddr,
    origin: SocketAddr,
    form: Form,
) -> io::Result<PathBuf> {
    let splice = match form {
        Form::Splicing => "option splice-request\n    option splice-response",
        _ => "",
    };
    let text = template
        .replace("@LISTEN@", &listen.to_string())
        .replace("@PORT@", &listen.port().to_string())
        .replace("@ORIGIN@", &origin.to_string())
        .replace("@SPLICE@", splice)
        .replace("@THREADS@", if form == Form::Two { "2" } else { "1" });
    file(name, &text)
}

/// Writes a file where Cargo wants benchmarks to keep theirs.
pub(crate) fn file(name: &str, text: &str) -> io::Result<PathBuf> {
    let file = Path::new(directory()).join(name);
    fs::write(&file, text)?;
    Ok(file)
}

/// Where our program logs to when it logs to a file.
pub(crate) fn log_file() -> PathBuf {
    Path::new(directory()).join("access.log")
}
