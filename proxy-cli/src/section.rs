//! [`Section`]: a table of the file, read key by key.

use std::cell::RefCell;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::complaint::{Complaint, did_you_mean};
use crate::config_file::{ConfigFile, given};
use crate::settings::{self, Given, nearest};

/// A table whose keys are asked for one by one. What nobody has asked for is unknown.
pub struct Section<'f> {
    file: &'f ConfigFile,
    /// What complaints call it: "rule `no-ads`".
    pub what: String,
    /// Where it begins.
    pub span: Range<usize>,
    entries: Vec<Entry<'f>>,
    asked: RefCell<Vec<&'static str>>,
    /// With the place of each in the file.
    complaints: RefCell<Vec<(usize, Complaint)>>,
}

/// A key and its value.
struct Entry<'f> {
    key: &'f str,
    at: Range<usize>,
    value: &'f Spanned<DeValue<'f>>,
}

/// What was made of a value, and where that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed<T> {
    pub value: T,
    pub span: Range<usize>,
}

/// What is wrong with a value, and what was meant, perhaps.
#[derive(Debug)]
pub struct Problem {
    problem: String,
    note: Option<String>,
}

impl<T: ToString> From<T> for Problem {
    fn from(problem: T) -> Problem {
        Problem { problem: problem.to_string(), note: None }
    }
}

impl Problem {
    /// With what to do about it.
    pub fn note(self, note: Option<String>) -> Problem {
        Problem { note, ..self }
    }

    /// As a complaint about these bytes of a file.
    pub fn about(self, file: &ConfigFile, span: Range<usize>) -> Complaint {
        file.complaint(span, self.problem).note(self.note)
    }

    /// A word that is none of these.
    pub fn no_word(word: &str, words: &[&str]) -> Problem {
        let problem = Problem::from(format!("must be one of {}", words.join(", ")));
        problem.note(nearest(word, words.iter().copied()).map(did_you_mean))
    }

    /// A value of another type than `expected`.
    pub fn unexpected(expected: &str, given: Given) -> Problem {
        let found = match given {
            Given::Text(_) => "text",
            Given::Integer(_) => "a number",
            Given::Truth(_) => "a truth value",
            Given::Other(what) => what,
        };
        Problem::from(format!("{expected} is expected, not {found}"))
    }
}

impl<'f> Section<'f> {
    /// A table of a file.
    pub fn new(
        file: &'f ConfigFile,
        what: impl Into<String>,
        span: Range<usize>,
        table: &'f DeTable<'f>,
    ) -> Section<'f> {
        let entry = |(key, value): (&'f Spanned<_>, &'f Spanned<DeValue<'f>>)| {
            let text: &'f toml::de::DeString<'f> = key.get_ref();
            Entry { key: text, at: key.span(), value }
        };
        let mut entries: Vec<_> = table.iter().map(entry).collect();
        entries.sort_by_key(|entry| entry.at.start);
        Section {
            file,
            what: what.into(),
            span,
            entries,
            asked: RefCell::default(),
            complaints: RefCell::default(),
        }
    }

    /// Whether there is such a key.
    pub fn has(&self, key: &'static str) -> bool {
        self.entry(key).is_some()
    }

    /// The value of a key, if it is there and right.
    pub fn one<T>(
        &self,
        key: &'static str,
        read: impl Fn(Given) -> Result<T, Problem>,
    ) -> Option<Placed<T>> {
        let entry = self.entry(key)?;
        self.read(key, entry.value, read)
    }

    /// The value of a key as it is written in the file, for what TOML has no text for.
    pub fn as_written<T>(
        &self,
        key: &'static str,
        read: impl Fn(&str) -> Result<T, Problem>,
    ) -> Option<Placed<T>> {
        let entry = self.entry(key)?;
        self.read(key, entry.value, |_| read(self.file.slice(entry.value.span())))
    }

    /// The values of a key that can have several: one alone needs no list.
    pub fn each<T>(
        &self,
        key: &'static str,
        read: impl Fn(Given) -> Result<T, Problem>,
    ) -> Vec<Placed<T>> {
        let Some(entry) = self.entry(key) else { return Vec::new() };
        let items = match entry.value.get_ref() {
            DeValue::Array(items) => &**items,
            _ => std::slice::from_ref(entry.value),
        };
        if items.is_empty() {
            // It would hold for everything, which is not what an empty list looks like.
            let problem = "at least one value is needed; what does not matter is left out";
            self.complain(key, entry.value.span(), problem.into());
        }
        items.iter().filter_map(|item| self.read(key, item, &read)).collect()
    }

    /// Where the value of a key stands; the whole section where there is none.
    pub fn place(&self, key: &str) -> Range<usize> {
        let entry = self.entries.iter().find(|entry| entry.key == key);
        entry.map_or(self.span.clone(), |entry| entry.value.span())
    }

    /// Where each key has its value.
    pub fn places(&self) -> Vec<(String, Range<usize>)> {
        self.entries.iter().map(|it| (it.key.to_owned(), it.value.span())).collect()
    }

    /// Says what is wrong with the value of a key.
    pub fn complain(&self, key: &str, span: Range<usize>, problem: Problem) {
        let Problem { problem, note } = problem;
        let at = span.start;
        let complaint = self.file.complaint(span, format!("{}: {key}: {problem}", self.what));
        self.complaints.borrow_mut().push((at, complaint.note(note)));
    }

    /// Says that a key is missing.
    pub fn miss(&self, problem: &str) {
        let complaint = self.file.complaint(self.span.clone(), format!("{}: {problem}", self.what));
        self.complaints.borrow_mut().push((self.span.start, complaint));
    }

    /// All complaints in the order of their lines, those about keys that nobody has asked for among
    /// them.
    pub fn finish(self) -> Vec<Complaint> {
        let asked = self.asked.into_inner();
        let mut complaints = self.complaints.into_inner();
        for entry in self.entries.iter().filter(|entry| !asked.contains(&entry.key)) {
            let problem = format!("{}: unknown key `{}`", self.what, entry.key);
            let complaint = self.file.complaint(entry.at.clone(), problem);
            complaints.push((entry.at.start, complaint.note(meant(entry.key, &asked))));
        }
        complaints.sort_by_key(|(at, _)| *at);
        complaints.into_iter().map(|(_, complaint)| complaint).collect()
    }

    fn entry(&self, key: &'static str) -> Option<&Entry<'f>> {
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&key) {
            asked.push(key);
        }
        self.entries.iter().find(|entry| entry.key == key)
    }

    fn read<T>(
        &self,
        key: &'static str,
        value: &Spanned<DeValue<'_>>,
        read: impl Fn(Given) -> Result<T, Problem>,
    ) -> Option<Placed<T>> {
        match read(given(value)) {
            Ok(read) => Some(Placed { value: read, span: value.span() }),
            Err(problem) => {
                self.complain(key, value.span(), problem);
                None
            }
        }
    }
}

/// Reads the sections of a kind that can stand there several times, such as `[[rule]]`, one after the
/// other. `read` adds what is wrong in one.
pub fn each_of<'f>(
    file: &'f ConfigFile,
    kind: &str,
    value: &'f Spanned<DeValue<'f>>,
    mut read: impl FnMut(Section<'f>, &'f DeTable<'f>, &mut Vec<Complaint>),
) -> Vec<Complaint> {
    let wrong = |span, found| {
        let complaint = file.complaint(span, format!("a {kind} is a section, not {found}"));
        complaint.note(Some(format!("write [[{kind}]] above each of them")))
    };
    let items = match value.get_ref() {
        DeValue::Array(items) => items,
        DeValue::Table(_) => return vec![wrong(value.span(), format!("one [{kind}] for all"))],
        _ => return vec![wrong(value.span(), "a value".to_owned())],
    };
    let mut complaints = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match item.get_ref() {
            DeValue::Table(table) => {
                let what = format!("{kind} {}", index + 1);
                let section = Section::new(file, what, item.span(), table);
                read(section, table, &mut complaints);
            }
            _ => complaints.push(wrong(item.span(), "a value".to_owned())),
        }
    }
    complaints
}

/// Reads the sections of a kind that have names, such as `[list.NAME]`, in the order of the file.
/// `read` adds what is wrong in one.
pub fn each_named<'f>(
    file: &'f ConfigFile,
    kind: &str,
    value: &'f Spanned<DeValue<'f>>,
    mut read: impl FnMut(&'f str, Section<'f>, &'f DeTable<'f>, &mut Vec<Complaint>),
) -> Vec<Complaint> {
    let expected = |span| {
        let complaint = file.complaint(span, format!("a {kind} is a section with a name"));
        complaint.note(Some(format!("write [{kind}.NAME] above it")))
    };
    let DeValue::Table(named) = value.get_ref() else { return vec![expected(value.span())] };
    let mut named: Vec<_> = named.iter().collect();
    named.sort_by_key(|(key, _)| key.span().start);
    let mut complaints = Vec::new();
    for (key, value) in named {
        let name: &'f toml::de::DeString<'f> = key.get_ref();
        match value.get_ref() {
            DeValue::Table(table) => {
                let section = Section::new(file, format!("{kind} `{name}`"), key.span(), table);
                read(name, section, table, &mut complaints);
            }
            _ => complaints.push(expected(key.span())),
        }
    }
    complaints
}

/// What was meant by a key that there is not.
fn meant(key: &str, known: &[&'static str]) -> Option<String> {
    /// What looks like something else.
    const OTHERWISE: [(&str, &str); 7] = [
        ("users", "user"),
        ("groups", "group"),
        ("list", "domain-list"),
        ("path", "url"),
        ("day", "weekday"),
        ("content-type", "response-type"),
        ("longer-than", "response-longer-than"),
    ];
    let other = OTHERWISE.iter().find(|(word, name)| *word == key && known.contains(name));
    if other.is_none() && (settings::find(key).is_some() || key == "default") {
        return Some("it stands above the first section of the file".to_owned());
    }
    other.map(|(_, name)| *name).or_else(|| nearest(key, known.iter().copied())).map(did_you_mean)
}

impl<T> Placed<T> {
    /// All values without their places.
    pub fn values(placed: Vec<Placed<T>>) -> Vec<T> {
        placed.into_iter().map(|it| it.value).collect()
    }
}

/// Reads text.
pub fn text<'g>(given: Given<'g>, expected: &str) -> Result<&'g str, Problem> {
    match given {
        Given::Text(text) => Ok(text),
        other => Err(Problem::unexpected(expected, other)),
    }
}

/// Reads a name: of a list, a route or a rule.
pub fn name(given: Given) -> Result<String, Problem> {
    let name = text(given, "a name in quotes")?;
    check_name(name).map(|()| name.to_owned())
}

/// What can be a name.
pub fn check_name(name: &str) -> Result<(), Problem> {
    let is_name_byte = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    match (1..=64).contains(&name.len()) && name.bytes().all(is_name_byte) {
        true => Ok(()),
        false => Err("a name has 1 to 64 letters, digits, `-`, `_` and `.`".into()),
    }
}
