//! Configuration files of the program: nothing panics, every complaint says where, and what is
//! accepted can be printed and read again.
//!
//! The program is a binary, so its modules are taken in here by their paths.

#![no_main]
#![allow(dead_code)] // the program uses all of it

#[path = "../../../proxy-cli/src/complaint.rs"]
mod complaint;
#[path = "../../../proxy-cli/src/config.rs"]
mod config;
#[path = "../../../proxy-cli/src/config_file.rs"]
mod config_file;
#[path = "../../../proxy-cli/src/descriptors.rs"]
mod descriptors;
#[path = "../../../proxy-cli/src/duration.rs"]
mod duration;
#[path = "../../../proxy-cli/src/listen_address.rs"]
mod listen_address;
#[path = "../../../proxy-cli/src/listing.rs"]
mod listing;
#[path = "../../../proxy-cli/src/settings/mod.rs"]
mod settings;
#[path = "../../../proxy-cli/src/size.rs"]
mod size;

use std::sync::OnceLock;

use config::Config;
use config_file::ConfigFile;
use descriptors::Descriptors;
use libfuzzer_sys::fuzz_target;

static DESCRIPTORS: OnceLock<Descriptors> = OnceLock::new();

fuzz_target!(|input: &[u8]| {
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
        Ok(spans) => {
            assert!(spans.values().all(|span| text.get(span.clone()).is_some()));
            let printed = listing::list(&config);
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
});
