//! [`TemplateLogger`]: lines as a template has them.

use std::fmt;
use std::io::Write;

use super::Template;
use crate::logger::RequestLogger;
use crate::logger::output::Output;
use crate::logger::record::AccessRecord;

/// Writes a line as a [`Template`] has it.
///
/// Buffering and failures are those of [`TextLogger`](crate::TextLogger).
pub struct TemplateLogger<W: Write + Send> {
    template: Template,
    output: Output<W>,
}

impl<W: Write + Send> TemplateLogger<W> {
    /// Writes to anything that can be written to. It needs no buffer of its own.
    pub fn new(template: Template, writer: W) -> Self {
        TemplateLogger { template, output: Output::new(writer) }
    }
}

impl<W: Write + Send + 'static> RequestLogger for TemplateLogger<W> {
    fn log(&self, record: &AccessRecord<'_>) {
        if self.template.is_for(record) {
            self.output.line(|line| self.template.write(line, record));
        }
    }

    fn flush(&self) {
        self.output.flush();
    }

    fn lost(&self) -> u64 {
        self.output.lost()
    }
}

impl<W: Write + Send> fmt::Debug for TemplateLogger<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TemplateLogger").field("template", &self.template).finish_non_exhaustive()
    }
}
