//! [`LogFile`]: a file that can be put in another's place while it is written to.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A file that loggers write to, and that can be opened anew under its name: what `logrotate`
/// asks for when it has renamed the old one.
///
/// Clones share the file. Give one to a logger and keep another to reopen it, from any thread:
///
/// ```
/// use proxy_core::{LogFile, Proxy, TextLogger};
///
/// # let directory = std::env::temp_dir().join(format!("proxy-core-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&directory)?;
/// # let path = directory.join("access.log");
/// let file = LogFile::append(&path)?;
/// let proxy = Proxy::builder().listen("127.0.0.1:0").logger(TextLogger::new(file.clone())).start()?;
///
/// // On SIGUSR1, for instance:
/// std::fs::rename(&path, directory.join("access.log.1"))?;
/// file.reopen()?;
/// assert!(path.exists());
/// # drop(proxy);
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// What is given to [`write`](Write::write) in one call goes into one file, so that a logger's
/// lines stay whole and none is lost between the files. If the disk is full in the middle of a
/// line, what is written later begins on a line of its own.
#[derive(Clone, Debug)]
pub struct LogFile {
    path: PathBuf,
    open: Arc<Mutex<Open<File>>>,
}

impl LogFile {
    /// Opens a file for appending. It is created if there is none, its directory is not.
    ///
    /// # Errors
    ///
    /// Those of the system: no such directory, no permission.
    pub fn append(path: impl Into<PathBuf>) -> io::Result<LogFile> {
        let path = path.into();
        let open = Arc::new(Mutex::new(Open { file: open(&path)?, torn: false }));
        Ok(LogFile { path, open })
    }

    /// Opens the file at the same path anew. Waits for a write that is under way; everything
    /// written after it has returned goes to the new file.
    ///
    /// # Errors
    ///
    /// Those of [`append`](LogFile::append). The old file is kept then, and the error is told to
    /// the `log` crate, too: whoever handles a signal has nobody to give it to.
    pub fn reopen(&self) -> io::Result<()> {
        let file = open(&self.path).inspect_err(|error| {
            let path = self.path.display();
            log::error!("{path} cannot be reopened, the file from before is kept: {error}");
        })?;
        // The old file is closed behind the lock: closing may take long on a network's disk.
        let old = std::mem::replace(&mut *self.open(), Open { file, torn: false });
        drop(old);
        Ok(())
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn open(&self) -> MutexGuard<'_, Open<File>> {
        // Nothing panics in here.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes everything or fails.
impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // All of it under one lock: a part in the old file and a part in the new would tear a
        // line.
        let written = self.open().write_whole(bytes);
        // Whoever is told of it may have several files.
        written.map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", self.path.display()))
        })?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // A file has no buffer in this process.
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

/// The file that is written to.
#[derive(Debug)]
struct Open<W> {
    file: W,
    /// Writing failed in the middle of a line.
    torn: bool,
}

impl<W: Write> Open<W> {
    fn write_whole(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        if self.torn {
            self.file.write_all(b"\n")?;
            self.torn = false;
        }
        while !bytes.is_empty() {
            match self.file.write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    self.torn = bytes[count - 1] != b'\n';
                    bytes = &bytes[count..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        // Whole, as far as the caller is concerned: what it writes next may go on.
        self.torn = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logger::{AccessRecord, RequestLogger, TextLogger};
    use std::fs;
    use std::thread;

    /// A directory of the test's own, removed at its end.
    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Directory {
            let path =
                std::env::temp_dir().join(format!("proxy-core-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Directory(path)
        }

        fn read(&self, name: &str) -> String {
            fs::read_to_string(self.0.join(name)).unwrap()
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    #[test]
    fn what_was_there_is_kept() {
        let directory = Directory::new("append");
        let path = directory.0.join("log");
        for _ in 0..2 {
            LogFile::append(&path).unwrap().write_all(b"line\n").unwrap();
        }
        assert_eq!(directory.read("log"), "line\nline\n");
    }

    #[test]
    fn after_reopening_the_next_write_goes_to_the_new_file() {
        let directory = Directory::new("reopen");
        let path = directory.0.join("log");
        let mut file = LogFile::append(&path).unwrap();
        file.write_all(b"one\n").unwrap();
        fs::rename(&path, directory.0.join("log.1")).unwrap();
        file.write_all(b"two\n").unwrap();
        file.clone().reopen().unwrap();
        file.write_all(b"three\n").unwrap();
        assert_eq!((&*directory.read("log.1"), &*directory.read("log")), ("one\ntwo\n", "three\n"));
    }

    #[test]
    fn when_reopening_fails_the_old_file_is_kept() {
        let directory = Directory::new("kept");
        let (inner, moved) = (directory.0.join("a"), directory.0.join("b"));
        fs::create_dir(&inner).unwrap();
        let mut file = LogFile::append(inner.join("log")).unwrap();
        fs::rename(&inner, &moved).unwrap();
        assert_eq!(file.reopen().unwrap_err().kind(), io::ErrorKind::NotFound);
        file.write_all(b"kept\n").unwrap();
        assert_eq!(directory.read("b/log"), "kept\n");
    }

    #[test]
    fn no_line_is_torn_or_lost_while_files_change() {
        const LINES: usize = 20_000;
        const FILES: usize = 50;
        let directory = Directory::new("whole");
        let path = directory.0.join("log");
        let file = LogFile::append(&path).unwrap();
        let logger = TextLogger::new(file.clone());
        let (begun, begin) = crossbeam_channel::bounded(0);
        let writer = thread::spawn(move || {
            let target = format!("http://example.com/{}", "x".repeat(100));
            let mut record = AccessRecord::new(([127, 0, 0, 1], 5).into());
            record.target = &target;
            for number in 0..LINES {
                record.bytes_out = number as u64 % 1000;
                logger.log(&record);
                if number % (LINES / FILES) == 0 {
                    logger.flush();
                    // Nobody waits for it after the last file.
                    let _ = begun.send(());
                }
            }
        });
        for number in 1..FILES {
            begin.recv().unwrap();
            fs::rename(&path, directory.0.join(number.to_string())).unwrap();
            file.reopen().unwrap();
        }
        drop(begin);
        writer.join().unwrap();

        let mut seen = 0;
        let names = (1..FILES).map(|number| number.to_string()).chain(["log".to_owned()]);
        for name in names {
            let text = directory.read(&name);
            assert!(text.is_empty() || text.ends_with('\n'), "{name} ends with a whole line");
            for line in text.lines() {
                let size = format!(" {} B ", seen % 1000);
                assert!(line.starts_with("1970-01-01T") && line.contains(&size), "{name}: {line}");
                assert!(line.ends_with(&"x".repeat(100)), "{name}: {line}");
                seen += 1;
            }
        }
        assert_eq!(seen, LINES);
    }

    #[test]
    fn a_line_that_a_full_disk_has_torn_takes_no_other_with_it() {
        /// Has room for so many bytes.
        struct Disk(Vec<u8>, usize);
        impl Write for Disk {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let count = bytes.len().min(self.1 - self.0.len());
                if count == 0 {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                self.0.write(&bytes[..count])
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        let mut open = Open { file: Disk(Vec::new(), 10), torn: false };
        open.write_whole(b"one\n").unwrap();
        open.write_whole(b"two and more\n").unwrap_err();
        open.write_whole(b"lost\n").unwrap_err();
        open.file.1 = 100;
        open.write_whole(b"three\n").unwrap();
        open.write_whole(b"four\n").unwrap();
        assert_eq!(String::from_utf8(open.file.0).unwrap(), "one\ntwo an\nthree\nfour\n");
    }
}
