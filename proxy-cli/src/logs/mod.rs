//! Access logs of the configuration file: where which records go, in which format.
//!
//! ```text
//! [[log]] ──▶ WrittenLog ──▶ Selection ─▶ redaction ─▶ format ─▶ Target: stdout, syslog, a file
//!              └─▶ --print-config                                              └─▶ Rotating ─▶ Archive
//! ```

mod archive;
mod format;
mod rotating;
mod selection;
mod target;
mod written;

pub use format::Format;
pub use rotating::Rotating;
pub use target::Target;
pub use written::{KEY, Queries, Users, WrittenLog, take};
