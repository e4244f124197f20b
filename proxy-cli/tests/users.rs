//! Users, as the program asks for their passwords.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_proxy-cli"))
}

/// Runs it with something to read: its exit code, and what it says on each of the two.
fn hash(arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
    let mut child = program()
        .arg("hash-password")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It need not read all of it.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_password_becomes_a_line_and_is_not_shown() {
    let (code, line, told) = hash(&["ann"], "grün\r\nmore\n");
    assert_eq!((code, &*told), (Some(0), ""));
    assert!(line.starts_with("ann:$argon2id$v=19$") && line.ends_with('\n'), "{line}");
    assert!(!line.contains("grün"));
    let (_, only, _) = hash(&[], "grün");
    assert!(only.starts_with("$argon2id$"));
}

#[test]
fn what_is_no_password_is_refused() {
    let long = "x".repeat(100_000);
    for (input, expected) in
        [("", "is none"), ("\n", "is none"), ("a\tb\n", "control"), (&long, "512")]
    {
        let (code, line, told) = hash(&["ann"], input);
        assert_eq!((code, &*line), (Some(2), ""), "{told}");
        assert!(told.contains(expected), "{told}");
    }
}

/// A folder of this test's own, which goes with it.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("proxy-cli-{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn test(config: &str) -> (Option<i32>, String) {
    let output = program().args(["--test", "--config", config]).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn what_is_wrong_in_a_file_is_told_by_its_line_and_passwords_are_not() {
    let folder = Folder::new("wrong");
    let users = folder.write("users", "ann:secret\n\nbob:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n");
    let groups = folder.write("groups", "staff ann\n");
    let config = folder.write("proxy.toml", &format!("users = {users:?}\ngroups = {groups:?}\n"));
    let (code, told) = test(&config);
    assert_eq!(code, Some(2));
    assert!(told.contains("users:1: it is the password itself"), "{told}");
    assert!(told.contains("users:3: it is made with SHA-1"), "{told}");
    assert!(told.contains("groups:1:1: expected `GROUP: USER USER`"), "{told}");
    assert!(told.contains("^^^^^^^^^") && told.contains("hash-password"), "{told}");
    assert!(!told.contains("secret") && !told.contains("W6ph5"), "{told}");
}

#[test]
fn a_section_about_nobody_is_told() {
    let folder = Folder::new("nobody");
    let (_, line, _) = hash(&["ann"], "right");
    let users = folder.write("users", &line);
    let config = folder.write("proxy.toml", &format!("users = {users:?}\n[user.an]\n"));
    let (code, told) = test(&config);
    assert_eq!(code, Some(2));
    assert!(told.contains("proxy.toml:2:7: the file of users has no `an`"), "{told}");
    assert!(told.contains("\n      |       ^^ did you mean `ann`?"), "{told}");
    let config = folder.write("proxy.toml", &format!("users = {users:?}\n[user.ann]\n"));
    assert_eq!(test(&config).0, Some(0));
    let config = folder.write("proxy.toml", "users = \"nowhere\"\n");
    let (code, told) = test(&config);
    assert_eq!(code, Some(2));
    assert!(told.contains("nowhere: cannot be read"), "{told}");
}

#[test]
fn throttles_of_nobody_are_told() {
    let folder = Folder::new("throttled");
    let (_, line, _) = hash(&["ann"], "right");
    let users = folder.write("users", &line);
    let groups = folder.write("groups", "guests: ann\n");
    let throttle = "[[throttle]]\nname = 'few'\nfor = 'user'\nconnections = 1\n";
    for (settings, more, expected) in [
        ("", "", "[[throttle]] `few`: it is for users, and nobody is asked who they are"),
        ("users", "users = 'an'", "[[throttle]] `few`: users: the file of users has no user `an`"),
        ("users", "groups = 'gests'", "groups: there is no group `gests`"),
        ("users", "groups = 'gests'", "did you mean `guests`?"),
    ] {
        let settings = match settings {
            "" => String::new(),
            _ => format!("users = {users:?}\ngroups = {groups:?}\n"),
        };
        let config = folder.write("proxy.toml", &format!("{settings}{throttle}{more}\n"));
        let (code, told) = test(&config);
        assert_eq!(code, Some(2));
        assert!(told.contains(expected), "{told}");
    }
    let good = format!(
        "users = {users:?}\ngroups = {groups:?}\n{throttle}users = 'ann'\ngroups = ['guests']\n"
    );
    let (code, told) = test(&folder.write("proxy.toml", &good));
    assert_eq!(code, Some(0), "{told}");
}

#[test]
fn the_program_asks_for_passwords() {
    let folder = Folder::new("asks");
    let (_, line, _) = hash(&["ann"], "right");
    let users = folder.write("users", &line);
    let mut child = program()
        .args(["--listen", "127.0.0.1:0", "--users", &users, "--log-format", "off"])
        .args(["--realm", "the office", "--no-login-from", "192.0.2.0/24"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut first = String::new();
    std::io::BufRead::read_line(&mut told, &mut first).unwrap();
    let address = first.trim().strip_prefix("listening on ").unwrap();
    let ask = |credentials: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        // A request that is answered by the proxy itself, once it is let in.
        let request =
            format!("OPTIONS * HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n{credentials}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let asked = ask("");
    assert!(asked.starts_with("HTTP/1.1 407 "), "{asked}");
    assert!(
        asked.contains("Proxy-Authenticate: Basic realm=\"the office\", charset=\"UTF-8\"\r\n")
    );
    assert!(ask("Proxy-Authorization: Basic YW5uOnJpZ2h0\r\n").starts_with("HTTP/1.1 200 "));
    assert!(ask("Proxy-Authorization: Basic YW5uOndyb25n\r\n").starts_with("HTTP/1.1 407 "));
    child.kill().unwrap();
    child.wait().unwrap();
}
