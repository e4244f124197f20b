//! `proxy-cli status`, `connections`, `bans`, `drain`, `reload`, `events`: a running proxy, looked at
//! and told what to do at its admin address.
//!
//! ```text
//! arguments ──▶ Question ──▶ Asker ──HTTP──▶ admin address
//!                               │
//!                               └─▶ tables (for people), or what came as it came (for tools)
//! ```

mod arguments;
mod asker;
mod record;
mod tables;
mod way;

use std::io::{self, Write};
use std::process::ExitCode;

pub use arguments::{NAMES, Question, Subject, commands};
use asker::{Answer, Asker, Trouble};

use crate::tell::tell;
use crate::{WRONG, admin, fail};

/// Asks, shows the answer on standard output, and gives the exit code.
pub fn run(question: &Question) -> ExitCode {
    let token = match question.token_file.as_deref().map(admin::read_word).transpose() {
        Ok(token) => token,
        Err(complaint) => {
            tell!("{complaint}");
            return ExitCode::from(WRONG);
        }
    };
    let asker = Asker { address: &question.address, token: token.as_deref() };
    let (method, target) = question.subject.request();
    let outcome = match &question.subject {
        Subject::Events(_) => watch(&asker, &target, question.json),
        _ => asker.ask(method, &target).and_then(|answer| show(question, &answer)),
    };
    match outcome {
        Ok(code) => code,
        // Whoever reads has had enough: `proxy-cli events | head`.
        Err(Trouble::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(Trouble::Output(error)) => fail(&error),
        Err(trouble) => {
            tell!("proxy-cli: {}", trouble.at(&question.address));
            ExitCode::FAILURE
        }
    }
}

fn show(question: &Question, answer: &Answer) -> Result<ExitCode, Trouble> {
    let is_done = answer.status / 100 == 2;
    let text = answer.text();
    if question.json && (is_done || answer.is_json()) {
        output(&text)?;
    } else if is_done {
        output(&tables::shown(&question.subject, &answer.object()?))?;
    } else {
        tell!("proxy-cli: {}", tables::refused(answer.status, &text));
    }
    Ok(if is_done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Shows events as they come, until there are no more.
fn watch(asker: &Asker<'_>, target: &str, json: bool) -> Result<ExitCode, Trouble> {
    let mut events = record::Events::new(json);
    let answer = asker.watch(target, |piece| output(&events.take(piece)))?;
    if answer.status / 100 == 2 {
        return Ok(ExitCode::SUCCESS);
    }
    tell!("proxy-cli: {}", tables::refused(answer.status, &answer.text()));
    Ok(ExitCode::FAILURE)
}

fn output(text: &str) -> Result<(), Trouble> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Trouble::Output)
}
