//! [`Written`]: what a file says about rules.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};

use proxy_core::Authority;
use proxy_core::rules::{Rule, Verdict};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::conditions::{self, ListenerName};
use super::list_file::Content;
use super::verdict;
use crate::complaint::{Complaint, did_you_mean};
use crate::config_file::ConfigFile;
use crate::section::{self, Placed, Problem, Section, check_name, name, text};
use crate::settings::{Given, nearest, quoted};

/// Rules, lists and routes as they were written: nothing is looked up yet, and no list read.
#[derive(Debug, Default)]
pub struct Written {
    pub rules: Vec<WrittenRule>,
    /// What is decided where no rule matches.
    pub default: Option<WrittenRule>,
    pub lists: BTreeMap<String, WrittenList>,
    pub routes: BTreeMap<String, Placed<Authority>>,
    /// All of it, as it would stand in a file.
    pub sections: String,
}

/// A rule, but for what it names.
#[derive(Debug)]
pub struct WrittenRule {
    pub rule: Rule,
    pub client_lists: Vec<Placed<String>>,
    pub domain_lists: Vec<Placed<String>>,
    pub users: Vec<Placed<String>>,
    pub groups: Vec<Placed<String>>,
    pub listeners: Vec<Placed<ListenerName>>,
    /// Where it sends requests.
    pub to: Option<Placed<String>>,
    /// Where each of its keys has its value.
    pub places: Vec<(String, Range<usize>)>,
    /// Where it begins.
    pub span: Range<usize>,
}

/// A list, as its section says.
#[derive(Debug)]
pub struct WrittenList {
    pub content: Content,
    pub path: Placed<PathBuf>,
    /// Where its section begins.
    pub span: Range<usize>,
}

/// The keys of a file that are about rules.
pub const KEYS: [&str; 4] = ["rule", "default", "list", "route"];

impl Written {
    /// Takes in the value of one of [`KEYS`].
    pub fn take(
        &mut self,
        file: &ConfigFile,
        key: &Spanned<toml::de::DeString<'_>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Vec<Complaint> {
        match &**key.get_ref() {
            "rule" => self.take_rules(file, value),
            "default" => self.take_default(file, value),
            kind => self.take_named(file, kind, value),
        }
    }

    fn take_rules(&mut self, file: &ConfigFile, value: &Spanned<DeValue<'_>>) -> Vec<Complaint> {
        section::each_of(file, "rule", value, |section, table, complaints| {
            self.print("[[rule]]", file, table, None);
            self.rules.push(WrittenRule::read(section, complaints));
        })
    }

    fn take_default(&mut self, file: &ConfigFile, value: &Spanned<DeValue<'_>>) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        let (span, table) = match value.get_ref() {
            DeValue::Table(table) => (value.span(), table.clone()),
            // `default = "deny"` is all that most need.
            _ => {
                let key = Spanned::new(value.span(), "verdict".into());
                (value.span(), DeTable::from_iter([(key, value.clone())]))
            }
        };
        self.print("[default]", file, &table, None);
        let section = Section::new(file, "default", span, &table);
        self.default = Some(WrittenRule::read_default(section, &mut complaints));
        complaints
    }

    /// Lists, or routes.
    fn take_named(
        &mut self,
        file: &ConfigFile,
        kind: &str,
        value: &Spanned<DeValue<'_>>,
    ) -> Vec<Complaint> {
        section::each_named(file, kind, value, |name, section, table, complaints| {
            if let Err(problem) = check_name(name) {
                complaints.push(problem.about(file, section.span));
                return;
            }
            // In quotes, since it may have dots.
            let header = format!("[{kind}.{}]", quoted(name));
            match kind {
                "list" => {
                    let list = read_list(&section, file.folder());
                    self.print(&header, file, table, list.as_ref());
                    self.lists.extend(list.map(|list| (name.to_owned(), list)));
                }
                _ => {
                    self.print(&header, file, table, None);
                    let route = read_route(&section);
                    self.routes.extend(route.map(|route| (name.to_owned(), route)));
                }
            }
            complaints.extend(section.finish());
        })
    }

    /// Keeps a section as it would stand in another file, wherever that is: paths are whole.
    fn print(
        &mut self,
        header: &str,
        file: &ConfigFile,
        table: &DeTable<'_>,
        list: Option<&WrittenList>,
    ) {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, value)| (key.span().start, value.span().start));
        let text = &mut self.sections;
        write!(text, "\n{header}\n").expect("writing to a string does not fail");
        for (key, value) in entries {
            let value = match list {
                Some(list) if list.path.span == value.span() => {
                    quoted(&list.path.value.to_string_lossy())
                }
                _ => file.slice(value.span()).to_owned(),
            };
            writeln!(text, "{} = {value}", key.get_ref())
                .expect("writing to a string does not fail");
        }
    }
}

impl WrittenRule {
    fn read(mut section: Section, complaints: &mut Vec<Complaint>) -> WrittenRule {
        let name = section.one("name", name).map(|it| it.value);
        match &name {
            Some(name) => section.what = format!("rule `{name}`"),
            None if section.has("name") => {}
            None => section.miss("a name is missing, such as name = \"no-ads\""),
        }
        let read = conditions::read(&section);
        let mode = verdict::mode(&section);
        let verdict = verdict::read(&section);
        let rule = Rule::new(name.unwrap_or_default(), Verdict::Allow)
            .in_mode(mode)
            .when(|it| *it = read.conditions);
        let mut written = WrittenRule::of(rule, verdict, &section);
        written.client_lists = read.client_lists;
        written.domain_lists = read.domain_lists;
        written.users = read.users;
        written.groups = read.groups;
        written.listeners = read.listeners;
        complaints.extend(section.finish());
        written
    }

    fn read_default(section: Section, complaints: &mut Vec<Complaint>) -> WrittenRule {
        let verdict = verdict::read(&section);
        let written = WrittenRule::of(Rule::new("default", Verdict::Allow), verdict, &section);
        complaints.extend(section.finish());
        written
    }

    fn of(mut rule: Rule, verdict: verdict::Read, section: &Section) -> WrittenRule {
        let mut to = None;
        match verdict {
            verdict::Read::Verdict(verdict) => rule.verdict = verdict,
            verdict::Read::Route(name) => to = Some(name),
        }
        WrittenRule {
            rule,
            client_lists: Vec::new(),
            domain_lists: Vec::new(),
            users: Vec::new(),
            groups: Vec::new(),
            listeners: Vec::new(),
            to,
            places: section.places(),
            span: section.span.clone(),
        }
    }

    /// Where the value of the first of these keys stands that it has; the rule itself, if none.
    pub fn place(&self, keys: &[&str]) -> Range<usize> {
        let place = |key: &&str| self.places.iter().find(|(own, _)| own == key);
        keys.iter().find_map(place).map_or(self.span.clone(), |(_, span)| span.clone())
    }
}

fn read_list(section: &Section, folder: &Path) -> Option<WrittenList> {
    let path = |given: Given| match text(given, "the name of a file in quotes")? {
        "" => Err(Problem::from("the name of a file is expected")),
        path => Ok(folder.join(path)),
    };
    let (domains, networks) = (section.one("domains", path), section.one("networks", path));
    if section.has("domains") && section.has("networks") {
        section.complain(
            "networks",
            section.place("networks"),
            "a list is of one or the other".into(),
        );
        return None;
    }
    if !section.has("domains") && !section.has("networks") {
        section.miss(
            "its file is missing, such as domains = \"ads.txt\" or networks = \"office.txt\"",
        );
    }
    let domains = domains.map(|path| (Content::Domains, path));
    let (content, path) = domains.or(networks.map(|path| (Content::Networks, path)))?;
    Some(WrittenList { content, path, span: section.span.clone() })
}

fn read_route(section: &Section) -> Option<Placed<Authority>> {
    let route = section.one("upstream", |given| {
        Ok(text(given, "text such as \"http://127.0.0.1:3000\"")?.parse::<Authority>()?)
    });
    if !section.has("upstream") {
        section.miss("its upstream is missing, such as upstream = \"http://127.0.0.1:3000\"");
    }
    route
}

/// What to say of a name that nothing has.
pub fn no_such<'n>(kind: &str, name: &str, known: impl Iterator<Item = &'n String>) -> Problem {
    let meant = nearest(name, known.map(String::as_str)).map(did_you_mean);
    Problem::from(format!("there is no [{kind}.{name}]")).note(meant)
}
