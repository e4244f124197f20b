//! `proxy-cli explain` as its users meet it: arguments, lines of the log, exit codes.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A configuration that is removed when its test ends.
struct File(PathBuf);

impl File {
    /// The name is to be unique among these tests.
    fn new(name: &str, text: &str) -> File {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("explain-{name}.toml"));
        fs::write(&path, text).unwrap();
        File(path)
    }

    fn explain(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_proxy-cli"))
            .args(["explain", "--config", self.0.to_str().unwrap()])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It need not read it.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    fn json(&self, arguments: &[&str], input: &str) -> Value {
        let output = self.explain(&[arguments, &["--json"]].concat(), input);
        let object: Value = serde_json::from_slice(&output.stdout).unwrap();
        let code = if object["allowed"] == true { 0 } else { 3 };
        assert_eq!(output.status.code(), Some(code), "{object}");
        object
    }

    /// The reason, `null` if it is allowed, and the rule.
    fn decided(&self, arguments: &[&str]) -> (Value, Value) {
        let object = self.json(arguments, "");
        (object["reason"].clone(), object["rule"].clone())
    }

    /// What is said of a question that is none.
    fn wrong(&self, arguments: &[&str], input: &str) -> String {
        let output = self.explain(arguments, input);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
        String::from_utf8(output.stderr).unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

const OPEN: &str = "[[rule]]\nname = 'no-ads'\nhost = '.ads.test'\nverdict = 'deny'\n\
                    message = 'No.'\nstatus = 451\n";

#[test]
fn a_decision_is_told_with_all_that_led_to_it() {
    let file = File::new("all", OPEN);
    let object = file.json(&["--client", "192.0.2.7", "GET", "http://x.ads.test/"], "");
    assert_eq!(object["verdict"], "deny");
    assert_eq!(object["message"], "No.");
    assert_eq!((&object["reason"], &object["status"]), (&"denied_by_rule".into(), &451.into()));
    assert_eq!(object["request"]["client"], "192.0.2.7");
    let rule = &object["rules"][0];
    assert_eq!((&rule["line"], &rule["outcome"]), (&1.into(), &"decides".into()));
    let finding = &rule["findings"][0];
    assert_eq!(finding["condition"], "host");
    assert_eq!(
        (&finding["wanted"], &finding["found"]),
        (&".ads.test".into(), &"x.ads.test".into())
    );
    let output = file.explain(&["GET", "http://x.ads.test/"], "");
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.lines().all(|line| line.len() <= 80), "{told}");
    assert!(told.contains("yes     no-ads  host x.ads.test matches .ads.test\n"), "{told}");
}

#[test]
fn what_is_behind_the_rules_has_its_say() {
    let file = File::new("behind", "listen = '127.0.0.1:3128'\nconnect-port = 443\n");
    let null = Value::Null;
    for (arguments, reason) in [
        (["GET", "http://example.com/"], null.clone()),
        (["CONNECT", "example.com:443"], null.clone()),
        (["CONNECT", "example.com:25"], "port_not_allowed".into()),
        (["GET", "http://169.254.169.254/"], "destination_not_allowed".into()),
        (["GET", "http://[::ffff:169.254.169.254]/"], "destination_not_allowed".into()),
        (["GET", "http://127.0.0.1:3128/"], "loop_detected".into()),
        (["GET", "/"], "not_a_proxy_request".into()),
        (["OPTIONS", "http://example.com/"], null),
    ] {
        assert_eq!(file.decided(&arguments).0, reason, "{arguments:?}");
    }
    let exposed = "listen = '0.0.0.0:3128'\nallow-client = '10.0.0.0/8'\n";
    let file = File::new("exposed", exposed);
    let ask = |client, method, url| file.decided(&["--client", client, method, url]).0;
    assert_eq!(ask("10.0.0.1", "GET", "http://example.com/"), Value::Null);
    assert_eq!(ask("11.0.0.1", "GET", "http://example.com/"), "client_not_allowed");
    assert_eq!(ask("10.0.0.1", "GET", "http://10.0.0.2/"), "destination_not_allowed");
    assert_eq!(ask("10.0.0.1", "CONNECT", "example.com:8443"), "port_not_allowed");
}

#[test]
fn in_front_of_an_upstream_requests_are_those_to_a_server() {
    let text = format!("upstream = 'http://127.0.0.1:3000'\n{OPEN}");
    let file = File::new("upstream", &text);
    let object = file.json(&["GET", "http://shop.test/x"], "");
    assert_eq!(
        (&object["request"]["target"], &object["request"]["host"]),
        (&"/x".into(), &"shop.test".into())
    );
    assert_eq!(object["goes_to"], "the upstream, http://127.0.0.1:3000");
    assert_eq!(file.decided(&["GET", "http://x.ads.test/"]).0, "denied_by_rule");
    assert_eq!(file.decided(&["CONNECT", "shop.test:443"]).0, "connect_not_allowed");
}

#[test]
fn the_schemes_of_browsers_are_what_they_ask_a_proxy_for() {
    let kinds = "[[rule]]\nname = 'chat'\nkind = 'websocket'\nverdict = 'deny'\n\
                 [[rule]]\nname = 'tunnels'\nkind = 'connect'\nverdict = 'allow'\n";
    let file = File::new("schemes", kinds);
    for (url, rule, target) in [
        ("http://a.test/x#y", "default", "http://a.test/x"),
        ("https://a.test/x", "tunnels", "a.test:443"),
        ("https://user:pw@a.test:8443/", "tunnels", "a.test:8443"),
        ("wss://[::1]/", "tunnels", "[::1]:443"),
        ("ws://a.test", "chat", "http://a.test/"),
    ] {
        let object = file.json(&["GET", url], "");
        assert_eq!((&object["rule"], &object["request"]["target"]), (&rule.into(), &target.into()));
    }
}

#[test]
fn listeners_hours_and_responses_can_be_given() {
    let text = "listen = ['127.0.0.1:1', '127.0.0.1:2']\ntime-zone = 'Europe/Berlin'\n\
                [[rule]]\nname = 'second'\nlistener = '127.0.0.1:2'\nverdict = 'deny'\n\
                [[rule]]\nname = 'night'\ntime = '22:00-06:00'\nverdict = 'deny'\n\
                [[rule]]\nname = 'video'\nresponse-type = 'video/*'\nverdict = 'deny'\n\
                [[rule]]\nname = 'large'\nresponse-longer-than = '1MB'\nverdict = 'deny'\n\
                [[rule]]\nname = 'broken'\nresponse-status = '500-599'\nverdict = 'deny'\n\
                [[rule]]\nname = 'marked'\nheader = 'X-Mark: yes'\nverdict = 'deny'\n";
    let file = File::new("given", text);
    let rule = |flags: &[&str]| {
        let noon = if flags.contains(&"--at") { &[][..] } else { &["--at", "mon 12:00"] };
        file.decided(&[flags, noon, &["GET", "http://a.test/"]].concat()).1
    };
    for (flags, expected) in [
        (&[][..], "default"),
        (&["--listener", "127.0.0.1:1"], "default"),
        (&["--listener", "127.0.0.1:2"], "second"),
        (&["--listener", "2"], "second"),
        (&["--at", "sat 22:00"], "night"),
        (&["--at", "2026-07-01 05:59"], "night"),
        (&["--at", "2026-07-01T03:59:00Z"], "night"),
        (&["--at", "2026-07-01T04:00:00Z"], "default"),
        (&["--response-type", "video/mp4"], "video"),
        (&["--response-length", "2MB"], "large"),
        (&["--response-status", "503"], "broken"),
        (&["--response-status", "404"], "default"),
        (&["--header", "X-Mark: yes"], "marked"),
        (&["--header", "X-Mark: no"], "default"),
    ] {
        assert_eq!(rule(flags), expected, "{flags:?}");
    }
    let told = file.explain(&["--at", "mon 12:00", "GET", "http://a.test/"], "").stdout;
    let told = String::from_utf8(told).unwrap();
    assert!(told.contains("wait    video    for the response\n"), "{told}");
}

#[test]
fn a_line_of_the_log_is_replayed() {
    let text = "listen = ['127.0.0.1:1', '127.0.0.1:2']\ntime-zone = 'UTC'\n\
                [[rule]]\nname = 'bots'\nheader = 'User-Agent: *bot*'\nverdict = 'deny'\n\
                [[rule]]\nname = 'chat'\nkind = 'websocket'\nverdict = 'silent_drop'\n\
                [[rule]]\nname = 'video'\nresponse-type = 'video/*'\nverdict = 'deny'\n\
                [[rule]]\nname = 'noon'\ntime = '12:00-13:00'\nclient = '10.0.0.0/8'\n\
                verdict = 'deny'\n";
    let file = File::new("replay", text);
    let line = |kind: &str, method: &str, target: &str, agent: &str, rule: &str| {
        format!(
            "{{\"event\":\"close\",\"kind\":\"{kind}\",\"id\":7,\
             \"time\":\"2026-11-25T12:30:00.123Z\",\"client\":\"10.0.0.7:5\",\
             \"method\":\"{method}\",\"target\":\"{target}\",\"host\":\"a.test\",\
             \"version\":\"1.1\",\"status\":403,\"reason\":\"denied_by_rule\",\
             \"referer\":null,\"user_agent\":\"{agent}\",\"rule\":\"{rule}\"}}\n"
        )
    };
    for (kind, method, target, agent, rule) in [
        ("exchange", "GET", "http://a.test/", "a bot", "bots"),
        ("tunnel", "CONNECT", "a.test:443", "curl", "noon"),
        ("tunnel", "GET", "http://a.test/", "curl", "chat"),
        ("exchange", "GET", "http://a.test/", "curl", "noon"),
    ] {
        let object = file.json(&[], &line(kind, method, target, agent, rule));
        assert_eq!(object["rule"], rule);
        assert_eq!(object["request"]["time"], "2026-11-25T12:30:00.123Z");
        assert_eq!(object["logged"]["reason"], "denied_by_rule");
        let notes = object["notes"].as_array().unwrap();
        assert!(notes.len() == 1 && notes[0].as_str().unwrap().contains("127.0.0.1:1 was taken"));
    }
    // What the log lacks is told.
    let video = line("exchange", "GET", "http://a.test/", "curl", "video");
    let object = file.json(&["--client", "192.0.2.1"], &video);
    assert_eq!((&object["allowed"], &object["rule"]), (&true.into(), &"default".into()));
    assert!(object["notes"][1].as_str().unwrap().contains("--response-type"), "{object}");
    let flags = ["--client", "192.0.2.1", "--response-type", "video/mp4"];
    assert_eq!(file.json(&flags, &video)["rule"], "video");
    let gone = line("exchange", "GET", "http://a.test/", "curl", "gone");
    let object = file.json(&[], &gone);
    assert!(object["notes"][1].as_str().unwrap().contains("the rule `gone` has decided"));
}

#[test]
fn the_throttles_that_count_a_request_are_told() {
    let helper = std::env::current_exe().unwrap();
    let text = format!(
        "time-zone = 'UTC'\nauthenticator = [{helper:?}]\n{OPEN}\
         [[throttle]]\nname = 'down'\nfor = 'client'\ndownload = '1 MB/s burst 5 MB'\n\
         [[throttle]]\nname = 'often'\nfor = 'client'\nprefix-v4 = 24\nrequests = '20/s'\n\
         over = 'delay'\ndelay = '5s'\n\
         [[throttle]]\nname = 'few'\nfor = 'host'\nconnections = 30\nover = 'drop'\n\
         [[throttle]]\nname = 'each'\nfor = 'user'\nusers = ['bob']\nvolume = '50 GB/month'\n\
         [[throttle]]\nname = 'rules'\nfor = 'rule'\nrequests = '5/min'\nmode = 'report'\n\
         [[throttle]]\nname = 'seats'\nfor = 'all'\nconnections = 100\n"
    );
    let file = File::new("throttles", &text);
    let ask = ["--client", "192.0.2.7", "--user", "bob", "GET", "http://Shop.test./"];
    let told = String::from_utf8(file.explain(&ask, "").stdout).unwrap();
    assert!(told.lines().all(|line| line.len() <= 80), "{told}");
    let words = told.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in [
        "limit `down`: download 1 MB/s burst 5 MB of the client 192.0.2.7; more waits",
        "limit `often`: requests 20/s of the clients in 192.0.2.0/24; more waits, for 5s at most, or is \
         refused with 429 rate_limited",
        "limit `few`: 30 requests and tunnels at once to shop.test; more is dropped without an answer",
        "limit `each`: 50 GB/month, both ways together, of the user bob; more is refused with \
         429 quota_exceeded",
        "limit `rules`: requests 5/m by the rule `default`; more is only reported",
        "limit `seats`: 100 connections at once of all together; more is refused with 429 \
         connections_limited",
    ] {
        assert!(words.contains(expected), "{expected}\n{told}");
    }
    let object = file.json(&ask, "");
    let throttles = object["throttles"].as_array().unwrap();
    assert_eq!(throttles.len(), 6);
    let often = &throttles[1];
    assert_eq!((&often["name"], &often["whose"]), (&"often".into(), &"192.0.2.0".into()));
    assert_eq!((&often["of"], &often["amount"]), (&"requests".into(), &"20/s".into()));
    assert_eq!((&often["over"], &often["delay_ms"]), (&"delay".into(), &5000.into()));
    assert_eq!((&throttles[3]["whose"], &throttles[3]["users"][0]), (&"bob".into(), &"bob".into()));
    assert_eq!(throttles[4]["mode"], "report");
    // Others have no count there.
    let object = file.json(&["--user", "ann", "GET", "http://shop.test/"], "");
    assert_eq!(object["throttles"].as_array().unwrap().len(), 5);
    // What is refused is not counted.
    let object = file.json(&["--user", "bob", "GET", "http://x.ads.test/"], "");
    assert_eq!(object["throttles"].as_array().unwrap().len(), 0);
}

#[test]
fn what_is_no_question_is_told_so() {
    let file = File::new("wrong", OPEN);
    for (arguments, input, expected) in [
        (&[][..], "", "a METHOD and a URL are expected, or a line of the access log"),
        (&[], "hello\n", "this is no line of the access log"),
        (&["GET"], "", "<URL>"),
        (&["GET", "example.com/x"], "", "did you mean http://example.com/x?"),
        (&["GET", "ftp://example.com/"], "", "ftp:// is nothing that a proxy is asked for"),
        (
            &["CONNECT", "example.com"],
            "",
            "a tunnel leads to a host and a port, as example.com:443",
        ),
        (&["G T", "http://a.test/"], "", "the proxy would not take this request"),
        (&["GET", "http://a b/"], "", "the proxy would not take this request"),
        (&["--header", "X: y\r\nZ: q", "GET", "http://a.test/"], "", "there is more than a line"),
        (&["--at", "noon", "GET", "http://a.test/"], "", "expected a time"),
        (&["--client", "me", "GET", "http://a.test/"], "", "expected an address"),
        (&["--listener", "5", "GET", "http://a.test/"], "", "--listener: there is none; there are"),
    ] {
        let said = file.wrong(arguments, input);
        assert!(said.contains(expected), "{expected}\n{said}");
    }
    let file = File::new("bad", "[[rule]]\nname = 'x'\nverdict = 'dney'\n");
    assert!(file.wrong(&["GET", "http://a.test/"], "").contains("did you mean `deny`?"));
}

/// A file that others name, which goes with its test.
fn beside(name: &str, text: &str) -> File {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("explain-{name}"));
    fs::write(&path, text).unwrap();
    File(path)
}

/// Lines of a file of users. Nobody logs in here.
const PEOPLE: &str = "ann:$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW\n\
                      bob:$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW\n";
const RULES_OF_GROUPS: &str = "[[rule]]\nname = 'staff'\ngroup = 'staff'\nverdict = 'allow'\n\
                               [[rule]]\nname = 'bob'\nuser = 'bob'\nverdict = 'deny'\n\
                               message = 'Not you.'\n";

#[test]
fn users_have_groups_and_limits() {
    let _users = beside("people-users", PEOPLE);
    let _groups = beside("people-groups", "staff: ann\nothers: ann bob\n");
    let settings = "users = 'explain-people-users'\ngroups = 'explain-people-groups'\n\
                    no-login-from = '192.0.2.7'\ntime-zone = 'UTC'\n";
    let limits = "[user.bob]\nexpires = 2027-12-31\nfrom = '127.0.0.0/8'\nto = '.a.test'\n";
    let file = File::new("people", &format!("{settings}{limits}{RULES_OF_GROUPS}"));
    let null = Value::Null;
    let plain = ["GET", "http://a.test/"];
    for (flags, asked, reason, because) in [
        (&["--user", "ann"][..], plain, null.clone(), null.clone()),
        (&["--user", "bob"], plain, "denied_by_rule".into(), "by the rule `bob`".into()),
        (
            &[],
            plain,
            "proxy_authentication_required".into(),
            "a password is asked for: --user tells what becomes of a user's request".into(),
        ),
        (&["--client", "192.0.2.7"], plain, null.clone(), null.clone()),
        (
            &["--user", "cy"],
            plain,
            "proxy_authentication_failed".into(),
            "the file of users has no cy (users)".into(),
        ),
        (
            &["--user", "bob", "--at", "2028-01-01 00:00"],
            plain,
            "user_not_allowed".into(),
            "the user's time is over (expires in [user.bob])".into(),
        ),
        (
            &["--user", "bob", "--client", "192.0.2.8"],
            plain,
            "user_not_allowed".into(),
            "the user may not come from this address (from in [user.bob])".into(),
        ),
        (
            &["--user", "bob"],
            ["CONNECT", "b.test:443"],
            "user_not_allowed".into(),
            "the user may not go to this host (to in [user.bob])".into(),
        ),
    ] {
        let object = file.json(&[flags, &asked].concat(), "");
        assert_eq!((&object["reason"], &object["because"]), (&reason, &because), "{flags:?}");
        // What a rule would have said is not what a client is told who does not get that far.
        let message = if reason == "denied_by_rule" { "Not you.".into() } else { Value::Null };
        assert_eq!(object["message"], message, "{flags:?}");
    }
    let object = file.json(&["--user", "ann", "GET", "http://a.test/"], "");
    assert_eq!(object["request"]["user"], "ann");
    assert_eq!(object["request"]["groups"], serde_json::json!(["staff", "others"]));
    let finding = &object["rules"][0]["findings"][0];
    assert_eq!((&finding["condition"], &finding["wanted"]), (&"group".into(), &"staff".into()));
    assert_eq!(finding["found"], "staff, others");
    let told = file.explain(&["--user", "ann", "GET", "http://a.test/"], "").stdout;
    let told = String::from_utf8(told).unwrap();
    assert!(told.contains("\nfrom 127.0.0.1, user ann of staff, others\n"), "{told}");
    assert!(told.contains("yes     staff  group staff, others matches staff\n"), "{told}");

    // The log knows who it was.
    let line = |user: &str| {
        format!(
            "{{\"event\":\"close\",\"kind\":\"exchange\",\"id\":7,\
             \"time\":\"2026-11-25T12:30:00.123Z\",\"client\":\"127.0.0.1:5\",\"method\":\"GET\",\
             \"target\":\"http://a.test/\",\"host\":\"a.test\",\"version\":\"1.1\",\
             \"status\":403,\"reason\":\"denied_by_rule\",\"referer\":null,\"user_agent\":null,\
             \"rule\":\"bob\",\"reported\":null,\"user\":{user}}}\n"
        )
    };
    assert_eq!(file.json(&[], &line("\"bob\""))["reason"], "denied_by_rule");
    assert_eq!(file.json(&["--user", "ann"], &line("\"bob\""))["allowed"], true);
    assert_eq!(file.json(&[], &line("null"))["reason"], "proxy_authentication_required");
}

#[test]
fn a_server_asks_too_and_where_nobody_asks_nobody_is_known() {
    let _users = beside("server-users", PEOPLE);
    let text = "upstream = 'http://127.0.0.1:3000'\nusers = 'explain-server-users'\n";
    let file = File::new("server", text);
    assert_eq!(file.decided(&["GET", "/x"]).0, "authentication_required");
    assert_eq!(file.decided(&["--user", "cy", "GET", "/x"]).0, "authentication_failed");
    assert_eq!(file.decided(&["--user", "ann", "GET", "/x"]).0, Value::Null);
    let object = File::new("nobody", OPEN).json(&["--user", "ann", "GET", "http://a.test/"], "");
    assert_eq!(object["request"]["user"], Value::Null);
    assert_eq!(object["notes"][0], "nobody is asked for a password: that it is ann is not known");
    // Another program knows the users, and is not asked.
    let file = File::new("helper", "authenticator = ['/bin/false', '-']\npac = true\n");
    let object = file.json(&["--user", "ann", "GET", "http://a.test/"], "");
    assert_eq!(object["allowed"], true);
    assert_eq!(object["notes"][0], "whether there is such a user, /bin/false knows");
    assert_eq!(file.decided(&["GET", "http://a.test/"]).0, "proxy_authentication_required");
    assert_eq!(file.decided(&["GET", "/proxy.pac"]).0, Value::Null);
}

#[test]
fn bans_of_the_configuration_and_of_the_file_are_told() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("explain-bans.txt");
    let _bans = beside(
        "bans.txt",
        "# network, end (seconds of Unix time), times, cause\n\
         198.51.100.0/24 32503680000 1 malformed\n198.51.101.0/24 32503680000 1 by_hand\n\
         198.51.102.0/24 1 1 malformed\nnonsense\n",
    );
    let text = format!(
        "ban = '192.0.2.0/24'\nnever-ban = ['192.0.2.7', '198.51.100.0/23']\nban-file = '{}'\n",
        path.display()
    );
    let file = File::new("bans", &text);
    let client = |client: &str| file.json(&["--client", client, "GET", "http://a.test/"], "");
    let object = client("192.0.2.1");
    assert_eq!((&object["reason"], &object["status"]), (&"banned".into(), &Value::Null));
    assert_eq!(object["because"], "192.0.2.1 is banned for good (ban)");
    let object = client("198.51.101.5");
    let until = "198.51.101.0/24 is banned until 3000-01-01T00:00:00.000Z: by_hand (ban-file)";
    assert_eq!(object["because"], until);
    // Spared, but by hand; over; and none.
    for spared in ["192.0.2.7", "198.51.100.5", "198.51.102.5", "203.0.113.1"] {
        assert_eq!(client(spared)["allowed"], true, "{spared}");
    }
    assert_eq!(
        client("192.0.2.7")["notes"][0],
        "192.0.2.7 stands in `ban`, and in `never-ban`, too"
    );
    assert_eq!(client("203.0.113.1")["notes"], serde_json::json!([]));
    // What was banned at another time is not known; what is banned for good always is.
    let ask = |client: &str| {
        let flags = ["--client", client, "--at", "2020-01-01T00:00:00Z", "GET", "http://a.test/"];
        file.decided(&flags).0
    };
    assert_eq!((ask("198.51.101.5"), ask("192.0.2.1")), (Value::Null, "banned".into()));
    let told = file.explain(&["--client", "192.0.2.1", "GET", "http://a.test/"], "").stdout;
    let told = String::from_utf8(told).unwrap();
    assert!(
        told.contains("result  the connection is closed, 192.0.2.1 is banned for good (ban)\n"),
        "{told}"
    );
}
