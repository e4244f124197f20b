//! Rules of the configuration file: who may go where.
//!
//! ```text
//! [[rule]], [list.…],  ──▶ Written ──┐             ┌─▶ Rules of the library ─▶ the proxy, `explain`
//! [route.…], default      (sections, │             │
//!                          conditions,├─▶ Ruled ───┼─▶ labels: what the file calls their parts
//!                          verdict)  │             │
//! files of lists ──────────▶ List ───┤             └─▶ warnings
//! users and groups ────────▶ people ─┘
//! ```
//!
//! What is wrong in a section is told while the file is read, together with all else that is wrong
//! in it; what a rule names, and the lists, are looked up when flags and file are known to be good.

mod conditions;
mod list_file;
mod people;
mod ruled;
#[cfg(test)]
mod tests;
mod verdict;
mod written;

pub use conditions::keys;
pub use ruled::{Labels, Ruled};
pub use written::{KEYS, Written};
