//! [`Program`]: a running program with a configuration file, whose words are read.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Leash;

/// A program with a configuration file, whose words are read. It is killed when a test ends without
/// having stopped it, and its folder is removed.
pub struct Program {
    pub child: Child,
    /// `None`: nobody reads them any more.
    pub words: Option<BufReader<ChildStderr>>,
    pub folder: PathBuf,
    pub address: SocketAddr,
    leash: Option<Leash>,
}

pub fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_proxy-cli"))
}

impl Program {
    /// One with these settings in its file, in which `FOLDER` stands for where that is, and these
    /// files beside it. Something in the settings or the flags is to have it listen.
    pub fn start(flags: &[&str], settings: &str, files: &[(&str, &str)]) -> Program {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("proxy-cli-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
        let file = folder.join("proxy.toml");
        fs::write(&file, settings.replace("FOLDER", folder.to_str().unwrap())).unwrap();
        let mut child = command()
            .args(flags)
            .args(["--config".as_ref(), file.as_os_str()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let words = child.stderr.take().map(BufReader::new);
        let address = ([127, 0, 0, 1], 0).into();
        let leash = Some(Leash::on(&child));
        let mut program = Program { child, words, folder, address, leash };
        let first = program.says("listening on ");
        program.address = first["listening on ".len()..].parse().unwrap();
        program
    }

    /// Reads what it says up to the line that holds this, and gives that line.
    #[track_caller]
    pub fn says(&mut self, part: &str) -> String {
        let words = self.words.as_mut().expect("somebody reads");
        let mut said = String::new();
        loop {
            let begin = said.len();
            assert_ne!(words.read_line(&mut said).unwrap(), 0, "{part} is not in\n{said}");
            if said[begin..].contains(part) {
                return said[begin..].trim_end().to_owned();
            }
        }
    }

    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Waits for its end; gives its exit code.
    pub fn ends(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.leash = None;
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
