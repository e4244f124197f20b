//! Configuration files of the program: nothing panics, every complaint says where, and what is
//! accepted can be printed and read again.

use std::sync::OnceLock;

use crate::config::Config;
use crate::config_file::ConfigFile;
use crate::descriptors::Descriptors;

static DESCRIPTORS: OnceLock<Descriptors> = OnceLock::new();

pub fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut config = Config::default();
    match ConfigFile::new("proxy.toml", text).apply(&mut config) {
        Err(complaints) => {
            assert!(!complaints.is_empty());
            for complaint in complaints {
                let told = complaint.to_string();
                let place = told.strip_prefix("proxy.toml:").unwrap_or_else(|| panic!("{told}"));
                let mut place = place.splitn(3, ':');
                let mut number = || place.next().and_then(|number| number.parse::<usize>().ok());
                let (line, column) = (number(), number());
                assert!(line.is_some_and(|line| line >= 1), "{told}");
                assert!(column.is_some_and(|column| column >= 1), "{told}");
                assert!(line <= Some(text.split('\n').count()), "{told}");
            }
        }
        Ok(found) => {
            assert!(found.spans.values().all(|span| text.get(span.clone()).is_some()));
            let printed = crate::listing::list(&config);
            let mut again = Config::default();
            if let Err(complaints) = ConfigFile::new("printed", &*printed).apply(&mut again) {
                panic!("{}\n{printed}", complaints[0]);
            }
            assert_eq!(again, config, "{printed}");
            let descriptors = DESCRIPTORS.get_or_init(Descriptors::raise);
            if let Err(impossible) = config.check(descriptors) {
                assert!(!impossible.problem.is_empty());
            }
        }
    }
}
