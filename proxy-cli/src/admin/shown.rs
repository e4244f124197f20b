//! The configuration in effect, without what is nobody's business.

use toml::de::{DeTable, DeValue};

use crate::config::Config;
use crate::listing;
use crate::settings::quoted;

/// What stands for what is not told.
const HIDDEN: &str = "(hidden)";

/// All settings as they are in effect, but for what may be a secret: the arguments of the
/// authenticator, and with which values of header fields rules compare.
pub fn shown(config: &Config) -> String {
    let mut config = config.clone();
    if config.logins.command.len() > 1 {
        config.logins.command.truncate(1);
        config.logins.command.push(HIDDEN.to_owned());
    }
    config.sections = without_values(&config.sections);
    listing::list(&config)
}

/// Sections in which header fields have no values.
fn without_values(sections: &str) -> String {
    let Ok(table) = DeTable::parse(sections) else {
        // They are written by this program, and can be read.
        return String::new();
    };
    let mut texts = Vec::new();
    collect(&DeValue::Table(table.into_inner()), &mut texts);
    let mut shown = sections.to_owned();
    // From behind, so that places before stay what they are.
    texts.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    for (span, text) in texts {
        if let Some((name, _)) = text.split_once(':') {
            shown.replace_range(span, &quoted(&format!("{name}: {HIDDEN}")));
        }
    }
    shown
}

/// All texts that stand under `header`, with their places.
fn collect(value: &DeValue<'_>, texts: &mut Vec<(std::ops::Range<usize>, String)>) {
    match value {
        DeValue::Array(items) => items.iter().for_each(|item| collect(item.get_ref(), texts)),
        DeValue::Table(table) => {
            for (key, value) in table {
                if &**key.get_ref() != "header" {
                    collect(value.get_ref(), texts);
                    continue;
                }
                let items = match value.get_ref() {
                    DeValue::Array(items) => items,
                    _ => std::slice::from_ref(value),
                };
                for item in items {
                    if let DeValue::String(text) = item.get_ref() {
                        texts.push((item.span(), text.to_string()));
                    }
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config_file::ConfigFile;

    #[test]
    fn secrets_are_not_shown_and_the_rest_is() {
        let file = "workers = 9\nauthenticator = [\"/bin/helper\", \"-w\", \"s3cret\"]\n\
                    [[rule]]\nname = \"a\"\nheader = \"X-Key: s3cret\"\nverdict = \"allow\"\n\
                    [[rule]]\nname = \"b\"\nheader = [\n \"DNT\", 'X-Key: s3cret']\nverdict = \"deny\"\n";
        let mut config = Config::default();
        ConfigFile::new("f", file).apply(&mut config).unwrap();
        let shown = shown(&config);
        assert!(!shown.contains("s3cret"), "{shown}");
        for part in [
            "workers = 9\n",
            "authenticator = [\"/bin/helper\", \"(hidden)\"]\n",
            "header = \"X-Key: (hidden)\"\n",
            "\"DNT\", \"X-Key: (hidden)\"]\n",
        ] {
            assert!(shown.contains(part), "{part} is not in {shown}");
        }
    }
}
