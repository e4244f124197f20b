use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use proxy_core::http1::{RequestHead, ResponseHead};
use proxy_core::rules::{Condition, Subject};
use proxy_core::{Client, Limits, User};

use super::{Ruled, keys};
use crate::complaint::Complaint;
use crate::config::Config;
use crate::config_file::ConfigFile;
use crate::listing;

/// A folder with the files of lists, which is gone when its test ends.
struct Folder(PathBuf);

impl Folder {
    /// The name is to be unique among these tests.
    fn new(name: &str, files: &[(&str, &[u8])]) -> Folder {
        let name = format!("proxy-cli-rules-{name}-{}", std::process::id());
        let folder = Folder(std::env::temp_dir().join(name));
        std::fs::create_dir_all(&folder.0).unwrap();
        for (name, text) in files {
            std::fs::write(folder.0.join(name), text).unwrap();
        }
        folder
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a file with this text makes.
fn built(folder: &Path, text: &str) -> Result<(Config, Ruled), String> {
    let file = ConfigFile::new(folder.join("f").to_str().unwrap(), text);
    let mut config = Config::default();
    let shown = |complaints: Vec<Complaint>| {
        let shown: Vec<_> = complaints.iter().map(Complaint::to_string).collect();
        let folder = folder.join("f").display().to_string();
        shown.join("\n").replace(folder.trim_end_matches('f'), "\u{1}").replace('\u{1}', "")
    };
    let found = file.apply(&mut config).map_err(shown)?;
    let about = |user: &str, problem: String| file.complaint(found.users[user].clone(), problem);
    config.door = config.logins.open(about).map_err(shown)?;
    let ruled = Ruled::build(&found.written, &file, &config).map_err(shown)?;
    Ok((config, ruled.expect("it has rules")))
}

fn rules(text: &str) -> Ruled {
    built(Path::new(""), text).unwrap().1
}

fn complaint(text: &str) -> String {
    built(Path::new(""), text).map(|_| ()).unwrap_err()
}

/// A request, who sends it, and what is answered.
struct Story {
    client: Client,
    request: RequestHead,
    response: ResponseHead,
    /// A Wednesday, at noon UTC.
    time: SystemTime,
}

impl Story {
    fn new(client: &str, listener: usize, request: &str, response: &str) -> Story {
        let client = Client::new(client.parse().unwrap(), listener);
        let (mut head, mut answer) = (RequestHead::new(), ResponseHead::new());
        head.parse(format!("{request}\r\n\r\n").as_bytes(), &Limits::default()).unwrap();
        let response = format!("HTTP/1.1 {response}\r\n\r\n");
        answer.parse(response.as_bytes(), &head, &Limits::default()).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_608_000);
        Story { client, request: head, response: answer, time }
    }

    fn subject(&self) -> Subject<'_> {
        Subject::new(&self.client, &self.request, self.time).with_response(&self.response)
    }
}

/// The rule that decides about this.
fn decides(ruled: &Ruled, story: &Story) -> String {
    ruled.rules().explain(&story.subject()).rule
}

const GET: &str =
    "GET http://www.a.test:8080/x/y?z HTTP/1.1\r\nHost: www.a.test:8080\r\nUser-Agent: bot/1";
const CONNECT: &str = "CONNECT b.test:443 HTTP/1.1\r\nHost: b.test:443";
const CHAT: &str = "GET http://c.test/ HTTP/1.1\r\nHost: c.test\r\nConnection: upgrade\r\n\
                    Upgrade: websocket";
const VIDEO: &str = "404 \r\nContent-Type: video/mp4\r\nContent-Length: 5000";
const TEXT: &str = "200 \r\nContent-Type: text/plain\r\nContent-Length: 5";

#[test]
fn each_condition_is_read() {
    let folder = Folder::new(
        "conditions",
        &[("ads", b"0.0.0.0 a.test # \xff\n"), ("office", b"10.0.0.0/8\n!10.7.0.0/16\n")],
    );
    let get = Story::new("10.0.0.1:5", 0, GET, VIDEO);
    let connect = Story::new("10.7.0.1:5", 1, CONNECT, TEXT);
    let chat = Story::new("[::1]:5", 0, CHAT, TEXT);
    // What holds of the first only.
    for condition in [
        "client = '10.0.0.0/24'",
        "client = ['10.0.0.1', '192.0.2.0/24']",
        "client-list = 'office'",
        "port = 8080",
        "port = ['8000-8099', 99]",
        "host = '.a.test'",
        "host = ['x.test', 'www.?.test']",
        "domain-list = 'ads'",
        "url = 'http://*.a.test:8080/x/*'",
        "url-regex = '/x/.\\?z$'",
        "header = 'user-agent'",
        "header = ['User-Agent: bot/*', 'Host']",
        "response-status = 404",
        "response-status = ['300-399', 404]",
        "response-type = 'Video/*'",
        "response-longer-than = '4 KB'",
        "response-longer-than = 4999",
    ] {
        let text = format!(
            "list.ads.domains = 'ads'\nlist.office.networks = 'office'\n\
             [[rule]]\nname = 'it'\nverdict = 'deny'\n{condition}\n"
        );
        let (_, ruled) = built(&folder.0, &text).unwrap();
        assert_eq!(decides(&ruled, &get), "it", "{condition}");
        assert_eq!(decides(&ruled, &connect), "default", "{condition}");
        assert_eq!(decides(&ruled, &chat), "default", "{condition}");
    }
    // What holds of which of them.
    for (condition, expected) in [
        ("kind = 'plain'", [true, false, false]),
        ("kind = ['connect', 'websocket']", [false, true, true]),
        ("method = 'GET'", [true, false, true]),
        ("method = 'CONNECT'", [false, true, false]),
        ("scheme = 'http'", [true, false, true]),
        ("listener = 1", [true, false, true]),
        ("listener = '[::1]:1'", [false, true, false]),
        ("weekday = 'wed'", [true; 3]),
        ("weekday = ['mon-tue', 'thu-sun']", [false; 3]),
        ("time = '12:00-13:00'", [true; 3]),
        ("time = ['00:00-12:00', '13:00-24:00']", [false; 3]),
    ] {
        let ruled = rules(&format!(
            "listen = ['127.0.0.1:1', '[::1]:1']\ntime-zone = 'UTC'\n\
             [[rule]]\nname = 'it'\nverdict = 'deny'\n{condition}\n"
        ));
        let told = [&get, &connect, &chat].map(|story| decides(&ruled, story) == "it");
        assert_eq!(told, expected, "{condition}");
    }
}

/// A line of a file of users; nobody logs in here.
const HASH: &str = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

/// A folder with files of users and groups.
fn people(name: &str) -> Folder {
    let users = format!("ann:{HASH}\nbob:{HASH}\n");
    Folder::new(name, &[("users", users.as_bytes()), ("groups", b"staff: ann\npupils:\n")])
}

#[test]
fn users_and_groups_are_read() {
    let folder = people("people");
    let story = Story::new("[::1]:5", 0, GET, TEXT);
    for (condition, expected) in [
        ("user = 'ann'", [true, false, false]),
        ("user = ['ann', 'bob']", [true, true, false]),
        ("group = 'staff'", [true, false, false]),
        ("group = ['pupils', 'staff']", [true, false, false]),
        ("user = 'bob'\ngroup = 'staff'", [false; 3]),
    ] {
        let text = format!(
            "users = 'users'\ngroups = 'groups'\n\
             [[rule]]\nname = 'it'\nverdict = 'deny'\n{condition}\n"
        );
        let (config, ruled) = built(&folder.0, &text).unwrap();
        assert!(ruled.warnings().is_empty(), "{:?}", ruled.warnings());
        let door = config.door.unwrap();
        let decides = |user: Option<User>| {
            let subject = story.subject();
            let subject = user.as_ref().map_or(subject, |user| subject.with_user(user));
            ruled.rules().explain(&subject).rule == "it"
        };
        let told = [Some(door.user("ann")), Some(door.user("bob")), None].map(decides);
        assert_eq!(told, expected, "{condition}");
    }
}

#[test]
fn names_that_nobody_has_are_warned_of() {
    let folder = people("nobody");
    let warnings = |above: &str, condition: &str| {
        let text = format!("{above}\n[[rule]]\nname = 'it'\nverdict = 'deny'\n{condition}\n");
        built(&folder.0, &text).unwrap().1.warnings().join("\n")
    };
    let both = "users = 'users'\ngroups = 'groups'";
    for (above, condition, expected) in [
        (
            both,
            "user = ['ann', 'bobb']",
            "f:6:16: warning: rule `it`: the file of users has no `bobb`",
        ),
        (both, "user = ['ann', 'bobb']", "^^^^^^ did you mean `bob`?"),
        (both, "user = 'Ann'", "did you mean `ann`?"),
        (both, "group = 'staf'", "f:6:9: warning: rule `it`: "),
        (both, "group = 'staf'", "groups has no group `staf`"),
        (both, "group = 'staf'", "^^^^^^ did you mean `staff`?"),
        ("users = 'users'\n", "group = 'staff'", "nobody is in the group `staff`"),
        ("users = 'users'\n", "group = 'staff'", "`groups` names the file that says who is"),
    ] {
        let told = warnings(above, condition);
        assert!(told.contains(expected), "{expected}\n{told}");
    }
    // Who knows passwords in the place of a file knows who there is; of groups it does not tell.
    let other = "authenticator = 'knows'\ngroups = 'groups'";
    assert_eq!(warnings(other, "user = 'cy'\ngroup = 'staff'"), "");
    let text = "users = 'users'\n[user.an]\n[[rule]]\nname = 'it'\nverdict = 'deny'\n";
    let shown = built(&folder.0, text).map(|_| ()).unwrap_err();
    assert!(shown.contains("f:2:7: the file of users has no `an`"), "{shown}");
    assert!(shown.contains("      |       ^^ did you mean `ann`?"), "{shown}");
}

#[test]
fn hours_are_those_of_the_time_zone() {
    let story = Story::new("[::1]:5", 0, GET, TEXT);
    for (zone, rule) in [("UTC", "default"), ("Europe/Berlin", "it"), ("Asia/Tokyo", "default")] {
        let ruled = rules(&format!(
            "time-zone = '{zone}'\n\
             [[rule]]\nname = 'it'\nverdict = 'deny'\ntime = '13:00-14:00'\n"
        ));
        assert_eq!(decides(&ruled, &story), rule, "{zone}");
    }
}

#[test]
fn each_verdict_is_read() {
    for (keys, expected) in [
        ("verdict = 'allow'", "allow"),
        ("verdict = 'deny'", "deny"),
        ("verdict = 'deny'\nmessage = 'No.'\nstatus = 451", "deny with 451: No."),
        ("verdict = 'deny'\nredirect = 'http://x/'", "deny with a redirection to http://x/"),
        ("verdict = 'tarpit'\ndelay = '1500ms'\nstatus = 404", "tarpit for 1.5 s with 404"),
        ("verdict = 'silent_drop'", "silent_drop"),
        ("verdict = 'route'\nto = 'r'", "route to r (b.test:80)"),
    ] {
        let route = "[route.r]\nupstream = 'http://b.test'\n";
        let ruled = rules(&format!("{route}[[rule]]\nname = 'it'\n{keys}\n"));
        assert_eq!(ruled.rules().rules()[0].verdict.to_string(), expected);
        let ruled = rules(&format!("{route}[default]\n{keys}\n"));
        assert_eq!(ruled.rules().otherwise().to_string(), expected);
    }
    assert_eq!(rules("default = 'deny'").rules().otherwise().to_string(), "deny");
}

#[test]
fn a_rule_that_only_reports_is_passed_by() {
    let text = "[[rule]]\nname = 'it'\nverdict = 'deny'\n";
    let story = Story::new("[::1]:5", 0, GET, TEXT);
    assert_eq!(decides(&rules(text), &story), "it");
    assert_eq!(decides(&rules(&format!("{text}mode = 'enforce'")), &story), "it");
    assert_eq!(decides(&rules(&format!("{text}mode = 'report'")), &story), "default");
}

#[test]
fn what_is_wrong_in_a_rule_is_shown_with_what_was_meant() {
    let rule = |keys: &str| complaint(&format!("[[rule]]\nname = 'it'\n{keys}\n"));
    let of = |key: &str| rule(&format!("verdict = 'deny'\n{key}"));
    for (shown, expected) in [
        (rule("verdict = 'dney'"), "f:3:11: rule `it`: verdict: must be one of allow, deny, "),
        (rule("verdict = 'dney'"), "^^^^^^ did you mean `deny`?"),
        (rule("host = 'a.test'"), "f:1:1: rule `it`: a verdict is missing, one of allow, "),
        (of("hots = 'a.test'"), "unknown key `hots`\n    4 | hots = 'a.test'\n      | ^^^^ did"),
        (of("list = 'ads'"), "^^^^ did you mean `domain-list`?"),
        (of("workers = 5"), "it stands above the first section of the file"),
        (of("host = 'http://a.test/x'"), "did you mean `a.test`?"),
        (of("host = 'a.test:443'"), "the port is a condition of its own: port = 443"),
        (of("host = '::1'"), "did you mean `[::1]`?"),
        (of("host = 'b\u{fc}cher.test'"), "names in other scripts are written as clients send"),
        (of("host = ['a.test', 7]"), "f:4:19: rule `it`: host: text such as \".example.com\" is"),
        (of("host = []"), "at least one value is needed"),
        (of("client = '10.0.0.1/8'"), "the address has bits set behind its prefix"),
        (of("kind = 'tunnel'"), "must be one of plain, connect, websocket"),
        (of("method = 'get'"), "did you mean `GET`?"),
        (of("method = 'G T'"), "a method is a word such as GET"),
        (of("scheme = 'http://'"), "a scheme is a word such as http"),
        (of("port = 0"), "expected a port from 1 to 65535"),
        (of("port = true"), "is expected, not a truth value"),
        (of("url = '/x/*'"), "did you mean `*/x/*`?"),
        (of("url = 'a.test/x'"), "did you mean `http://a.test/x`?"),
        (of("url = 'http://a.test'"), "did you mean `http://a.test/*`?"),
        (of("url-regex = 'a(b'"), "no regular expression: unclosed group"),
        (of("header = 'a b: c'"), "no header field can have this name"),
        (of("time = '8-9'"), "expected two times of day"),
        (of("weekday = 'monday'"), "expected a day"),
        (of("user = 'ann'"), "f:4:8: rule `it`: user: nobody is known: without `users` or"),
        (of("group = ['a', 'b']"), "f:4:10: rule `it`: group: nobody is known"),
        (of("user = 'a:b'"), "f:4:8: rule `it`: user: a name is not empty, and has no colon"),
        (of("group = ''"), "f:4:9: rule `it`: group: a name is not empty"),
        (of("users = 'ann'"), "did you mean `user`?"),
        (of("listener = 0"), "listeners are counted from 1"),
        (of("response-status = '500-400'"), "a range goes from low to high"),
        (of("response-longer-than = '5 parsecs'"), "a size such as"),
        (of("mode = 'reprot'"), "did you mean `report`?"),
        (of("message = ' '"), "there is nothing in it"),
        (of("status = 200"), "f:4:10: rule `it`: the status of a refusal is from 400 to 599"),
        (of("status = 401"), "this status demands a field"),
        (of("redirect = '/x'"), "f:4:12: rule `it`: a redirection leads to"),
        (of("delay = '5s'"), "`deny` has no such thing; `tarpit` has"),
        (of("to = 'x'"), "`deny` has no such thing; `route` has"),
        (
            rule("verdict = 'allow'\nmessage = 'x'"),
            "`allow` has no such thing; `deny` and `tarpit`",
        ),
        (rule("verdict = 'tarpit'"), "`tarpit` needs a delay"),
        (rule("verdict = 'tarpit'\ndelay = '2h'"), "f:4:9: rule `it`: a delay is longer than"),
        (rule("verdict = 'route'"), "`route` needs the name of a [route.NAME]"),
        (
            rule("verdict = 'tarpit'\ndelay = '1s'\nresponse-status = 500"),
            "f:3:11: rule `it`: when there is a response it is too late for this verdict",
        ),
        (complaint("[[rule]]\nverdict = 'deny'"), "rule 1: a name is missing"),
        (complaint("[[rule]]\nname = 'a b'\nverdict = 'deny'"), "a name has 1 to 64 letters"),
        (
            complaint("[[rule]]\nname = 'default'\nverdict = 'deny'"),
            "f:2:8: rule `default`: this is the name of what is decided where no rule matches",
        ),
        (complaint("[rule]\nname = 'a'"), "write [[rule]] above each of them"),
        (complaint("rule = 5"), "write [[rule]] above each of them"),
        (complaint("[[rules]]\nname = 'a'"), "did you mean `rule`?"),
        (complaint("default = 'dney'"), "f:1:11: default: verdict: must be one of"),
        (complaint("default = 'dney'"), "did you mean `deny`?"),
        (complaint("[default]\nverdict = 'deny'\nhost = 'x'"), "unknown key `host`"),
        (complaint("list = 'x'"), "write [list.NAME] above it"),
        (complaint("[list]\ndomains = 'x'"), "write [list.NAME] above it"),
        (complaint("[list.a]\ndomain = 'x'"), "did you mean `domains`?"),
        (complaint("[list.a]\n"), "f:1:7: list `a`: its file is missing"),
        (complaint("[list.a]\ndomains = 'x'\nnetworks = 'x'"), "a list is of one or the other"),
        (complaint("[list.'a b']\ndomains = 'x'"), "a name has 1 to 64 letters"),
        (complaint("[route.a]\nupstream = 'https://x'"), "only http:// upstreams"),
        (complaint("[route.a]\n"), "its upstream is missing"),
    ] {
        assert!(shown.contains(expected), "{expected}\n{shown}");
    }
}

#[test]
fn everything_wrong_in_a_section_is_told_in_the_order_of_its_lines() {
    let shown = complaint("[[rule]]\nname = 'it'\nhots = 'x'\nverdict = 'dney'\nport = 0\n");
    let lines: Vec<_> = shown.lines().filter_map(|line| line.strip_prefix("f:")).collect();
    assert!(lines[0].starts_with("3:1:") && lines[1].starts_with("4:11:"), "{shown}");
    assert!(lines[2].starts_with("5:8:"), "{shown}");
}

#[test]
fn what_a_rule_names_must_be_there() {
    let folder = Folder::new("names", &[("ads", b"a.test\n"), ("office", b"10.0.0.0/8\n")]);
    let shown = |keys: &str| {
        let text = format!(
            "listen = ['127.0.0.1:1', '127.0.0.1:2']\n\
             [list.ads]\ndomains = 'ads'\n[list.office]\nnetworks = 'office'\n\
             [route.cache]\nupstream = 'a.test:1'\n\
             [[rule]]\nname = 'it'\n{keys}\n"
        );
        built(&folder.0, &text).map(|_| ()).unwrap_err()
    };
    for (keys, expected) in [
        ("verdict = 'deny'\ndomain-list = 'adds'", "f:11:15: there is no [list.adds]"),
        ("verdict = 'deny'\ndomain-list = 'adds'", "did you mean `ads`?"),
        ("verdict = 'deny'\nclient-list = 'ads'", "`ads` is a list of domains, not of networks"),
        ("verdict = 'route'\nto = 'cahce'", "f:11:6: there is no [route.cahce]"),
        ("verdict = 'deny'\nlistener = 3", "there are 127.0.0.1:1, 127.0.0.1:2"),
        ("verdict = 'deny'\nlistener = '127.0.0.1:3'", "f:11:12: there is no such listener"),
    ] {
        let shown = shown(keys);
        assert!(shown.contains(expected), "{expected}\n{shown}");
    }
}

#[test]
fn what_is_wrong_in_a_list_is_shown_in_the_list() {
    let folder = Folder::new(
        "lists",
        &[
            ("url", b"# \xff\na.test\r\n  http://b.test/\n"),
            ("browser", b"||ads.test^\n"),
            ("bits", b"10.0.0.0/8\n10.0.0.1/8 # no\n"),
            ("latin", b"b\xfccher.test\n"),
        ],
    );
    let shown = |list: &str| {
        let text = format!("[list.a]\n{list}\n[[rule]]\nname = 'it'\nverdict = 'deny'\n");
        built(&folder.0, &text).map(|_| ()).unwrap_err()
    };
    for (list, expected) in [
        ("domains = 'url'", "url:3:3: not a domain"),
        ("domains = 'url'", "\n    3 |   http://b.test/\n      |   ^^^^^^^^^^^^^^"),
        ("domains = 'browser'", "browser:1:1: this is from a filter list for browsers"),
        ("networks = 'bits'", "\n    2 | 10.0.0.1/8 # no\n      | ^^^^^^^^^^"),
        ("domains = 'latin'", "latin:1"),
        ("domains = 'none'", "f:2:11: list `a`: none cannot be read: "),
        ("domains = '.'", "is no file"),
    ] {
        let shown = shown(list);
        assert!(shown.contains(expected), "{expected}\n{shown}");
    }
}

#[test]
fn warnings_are_shown_where_they_belong() {
    let warnings = |text: &str| rules(text).warnings().to_vec();
    let rule = "[[rule]]\nname = 'it'\nverdict = 'deny'\n";
    let told = warnings(&format!("{rule}url = '*/x'\n"));
    assert_eq!(told.len(), 1);
    assert!(
        told[0].starts_with("f:4:7: warning: rule `it`: it sees the URLs of plain"),
        "{told:?}"
    );
    // In front of an upstream there are no tunnels.
    assert!(warnings(&format!("upstream = 'http://a'\n{rule}url = '*/x'\n")).is_empty());
    let told = warnings(&format!("{rule}[[rule]]\nname = 'late'\nverdict = 'allow'\n"));
    assert!(told[0].starts_with("f:5:8: warning: rule `late`: it is never looked at"), "{told:?}");
    let told = warnings(&format!("{rule}[route.unused]\nupstream = 'a:1'\n"));
    assert!(
        told[0].starts_with("f:5:12: warning: no rule leads to the route `unused`"),
        "{told:?}"
    );
}

#[test]
fn what_is_printed_is_read_as_the_same() {
    let folder = Folder::new("printed", &[("ads", b"a.test\n")]);
    let text = "rule = [{ name = 'it', verdict = 'deny', host = ['a', 'b'] }]\n\
                default = 'deny'\n[list.'ads.1']\ndomains = 'ads'\n\
                [route.r]\nupstream = 'a.test:1'\n";
    let (config, _) = built(&folder.0, text).unwrap();
    let printed = listing::list(&config);
    assert!(printed.contains("\n[[rule]]\nname = 'it'\nverdict = 'deny'\nhost = ['a', 'b']\n"));
    assert!(printed.contains("\n[default]\nverdict = 'deny'\n"), "{printed}");
    // Elsewhere it must still find its lists.
    let path = folder.0.join("ads");
    assert!(printed.contains(&format!("\n[list.\"ads.1\"]\ndomains = \"{}\"\n", path.display())));
    let (again, ruled) = built(Path::new("/elsewhere"), &printed).unwrap();
    assert_eq!((again.sections, ruled.rules().rules().len()), (config.sections, 1));
}

#[test]
fn every_condition_of_the_library_has_a_key() {
    let text = "[[rule]]\nname = 'it'\nverdict = 'deny'\nnothing = 1\n";
    assert!(complaint(text).contains("unknown key `nothing`"));
    for condition in Condition::ALL {
        for key in keys(condition) {
            let text = format!("[[rule]]\nname = 'it'\nverdict = 'deny'\n{key} = 1.5\n");
            let shown = complaint(&text);
            assert!(shown.contains(&format!("rule `it`: {key}: ")), "{shown}");
        }
        assert!(!keys(condition).is_empty(), "{condition}");
    }
}

/// The documentation has each of them.
#[test]
fn every_key_is_in_rules_md() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/rules.md");
    let document = std::fs::read_to_string(path).unwrap();
    const OTHERS: [&str; 8] =
        ["name", "verdict", "mode", "message", "status", "redirect", "delay", "to"];
    for key in Condition::ALL.into_iter().flat_map(keys).chain(&OTHERS) {
        assert!(document.contains(&format!("| `{key}` |")), "{key} is missing in docs/rules.md");
    }
}
