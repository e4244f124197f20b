//! What is read from a file, and what is said of one that is wrong.

use std::time::Duration;

use proxy_core::throttle::{Excess, Scope, Zone};

use crate::config::Config;
use crate::config_file::ConfigFile;
use crate::listing;

fn read(text: &str) -> Result<Config, String> {
    Ok(ConfigFile::new("f", text).read_anew()?.0)
}

const ALL: &str = r#"
[[throttle]]
name = "requests"
for = "client"
requests = "10/s burst 20"
over = "delay"
delay = "5s"

[[throttle]]
name = "networks"
for = "client"
prefix-v4 = 24
prefix-v6 = 48
connections = 100
over = "drop"
entries = 1000

[[throttle]]
name = "up"
for = "host"
upload = "100 KB/s"
mode = "report"

[[throttle]]
name = "down"
for = "rule"
download = "1 MiB/s burst 10 MiB"

[[throttle]]
name = "guests"
for = "user"
users = "bob"
groups = ["guests", "a group"]
requests = "3/min"

[[throttle]]
name = "each"
for = "user"
connections = 5

[[throttle]]
name = "uplink"
for = "all"
volume = "50 GB/month"

[[throttle]]
name = "daily"
for = "client"
volume = "1 GB/day"
over = "refuse"
"#;

#[test]
fn what_is_printed_can_be_read_again_and_the_library_takes_it() {
    let config = read(ALL).unwrap();
    assert_eq!(config.throttles.len(), 8);
    let printed = listing::list(&config);
    assert_eq!(read(&printed).unwrap().throttles, config.throttles, "{printed}");
    for written in &config.throttles {
        assert_eq!(written.throttle(&Zone::utc()).check(), Ok(()), "{written:?}");
    }
    let [requests, networks, ..] = &config.throttles[..] else { panic!() };
    assert_eq!(requests.over, Excess::Delay(Duration::from_secs(5)));
    assert_eq!(networks.scope, Scope::Client { v4: 24, v6: 48 });
}

#[test]
fn what_is_wrong_is_told_where_it_stands() {
    let header = "[[throttle]]\nname = \"a\"\n";
    for (rest, expected) in [
        ("for = \"client\"", "f:1:1: throttle `a`: an amount is missing, one of connections"),
        ("connections = 1", "f:1:1: throttle `a`: whose count it is is missing"),
        ("for = \"clients\"\nconnections = 1", "f:3:7: throttle `a`: for: must be one of all"),
        ("for = \"clients\"\nconnections = 1", "did you mean `client`?"),
        ("for = \"all\"\nrequests = 10", "text such as \"10/s\" is expected, not a number"),
        ("for = \"all\"\nrequests = \"10\"", "f:4:12: throttle `a`: requests: a rate such as"),
        ("for = \"all\"\nconnections = 0", "connections: must be at least 1"),
        ("for = \"all\"\nconnections = \"x\"", "a whole number is expected, not text"),
        (
            "for = \"all\"\nconnections = 1\nvolume = \"1 GB/day\"",
            "f:5:10: throttle `a`: volume: there is one",
        ),
        ("for = \"all\"\nvolume = \"1 GB/week\"", "`week` is neither day nor month"),
        ("for = \"all\"\ndownload = \"1 MB/s\"\nover = \"drop\"", "over: bytes always wait"),
        ("for = \"all\"\nconnections = 1\nover = \"delay\"", "over: only requests can be delayed"),
        ("for = \"all\"\nconnections = 1\ndelay = \"1s\"", "delay: it is said with"),
        ("for = \"all\"\nconnections = 1\nprefix-v4 = 8", "prefix-v4: `all` has no such thing"),
        ("for = \"client\"\nconnections = 1\nprefix-v4 = 33", "must be from 0 to 32"),
        (
            "for = \"client\"\nconnections = 1\nusers = \"ann\"",
            "users: only throttles for = \"user\"",
        ),
        (
            "for = \"user\"\nconnections = 1\ngroups = []",
            "f:5:10: throttle `a`: groups: at least one",
        ),
        ("for = \"user\"\nconnections = 1\nusers = [\"a\", 7]", "a name in quotes is expected"),
        ("for = \"all\"\nconnections = 1\nmod = \"report\"", "unknown key `mod`"),
        ("for = \"all\"\nconnections = 1\nmod = \"report\"", "did you mean `mode`?"),
    ] {
        let shown = read(&format!("{header}{rest}\n")).unwrap_err();
        assert!(shown.contains(expected), "{shown}");
    }
    for (text, expected) in [
        ("[throttle]\nname = \"a\"", "not one [throttle] for all"),
        ("throttle = [1]", "write [[throttle]] above each of them"),
        ("[[throttle]]\nfor = \"all\"\nconnections = 1", "a name is missing"),
        ("[[throttel]]\nname = \"a\"", "did you mean `throttle`?"),
    ] {
        let shown = read(text).unwrap_err();
        assert!(shown.contains(expected), "{shown}");
    }
    let one = "[[throttle]]\nname = \"a\"\nfor = \"all\"\nconnections = 1\n";
    let shown = read(&one.repeat(2)).unwrap_err();
    assert!(shown.contains("f:6:8: throttle 2: name: another throttle has this"), "{shown}");
}
