//! The program is a binary, so its modules are taken in here by their paths.

#![no_main]
#![allow(dead_code, unused_imports)] // the program uses all of it

#[path = "../../../proxy-cli/src/admin/settings.rs"]
mod admin;
#[path = "../../../proxy-cli/src/complaint.rs"]
mod complaint;
#[path = "../../../proxy-cli/src/config/mod.rs"]
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
#[path = "../../../proxy-cli/src/log_overflow.rs"]
mod log_overflow;
#[path = "../../../proxy-cli/src/logs/mod.rs"]
mod logs;
#[path = "../../../proxy-cli/src/number.rs"]
mod number;
#[path = "../../../proxy-cli/src/privacy.rs"]
mod privacy;
#[path = "../../../proxy-cli/src/rules/mod.rs"]
mod rules;
#[path = "../../../proxy-cli/src/section.rs"]
mod section;
#[path = "../../../proxy-cli/src/settings/mod.rs"]
mod settings;
#[path = "../../../proxy-cli/src/size.rs"]
mod size;
#[path = "../../../proxy-cli/src/tell.rs"]
mod tell;
#[path = "../../../proxy-cli/src/throttles/mod.rs"]
mod throttles;
#[path = "../../../proxy-cli/src/time_zone.rs"]
mod time_zone;
#[path = "../../../proxy-cli/src/users/mod.rs"]
mod users;
#[path = "../../../proxy-cli/src/word.rs"]
mod word;

#[path = "../checks/configuration.rs"]
mod configuration;

libfuzzer_sys::fuzz_target!(|input: &[u8]| configuration::check(input));
