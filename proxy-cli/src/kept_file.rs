//! [`KeptFile`]: what is to outlast a restart.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::tell::tell;

/// A file that is written every minute, where there is something new, and when it is dropped. Whatever
/// happens meanwhile, the file is an old one or a new one as a whole.
pub struct KeptFile {
    path: PathBuf,
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// So much may be lost if the machine stops.
const INTERVAL: Duration = Duration::from_secs(60);

impl KeptFile {
    /// What stands in a file. One that is not there yet is empty.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(path: &Path) -> io::Result<String> {
        match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            read => read,
        }
    }

    /// Keeps the file up to date with what `content` tells. That it cannot be written is told once, and
    /// when it can be again.
    ///
    /// # Errors
    /// If there is no thread to be had.
    pub fn keep(
        path: PathBuf,
        content: impl Fn() -> String + Send + 'static,
    ) -> io::Result<KeptFile> {
        let (stop, stopped) = mpsc::sync_channel(0);
        let kept = path.clone();
        let thread = thread::Builder::new().name("proxy-kept-file".into()).spawn(move || {
            let mut writer = Writer { path: kept, written: None, fails: false };
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(INTERVAL) {
                writer.write(content());
            }
            writer.write(content());
        })?;
        Ok(KeptFile { path, stop: Some(stop), thread: Some(thread) })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for KeptFile {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Writer {
    path: PathBuf,
    written: Option<String>,
    fails: bool,
}

impl Writer {
    fn write(&mut self, content: String) {
        if self.written.as_ref() == Some(&content) {
            return;
        }
        let (path, result) = (self.path.display(), replace(&self.path, &content));
        match (&result, self.fails) {
            (Err(error), false) => {
                tell!(
                    "{path} cannot be written, and what it is to keep will be lost at the end: {error}"
                );
            }
            (Ok(()), true) => tell!("{path} is written again"),
            _ => {}
        }
        self.fails = result.is_err();
        self.written = result.is_ok().then_some(content);
    }
}

/// Puts another file in the place of this one, at once and for good.
fn replace(path: &Path, content: &str) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let mut file = File::create(&new)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    // Windows has no folders that could be opened; elsewhere the new name is to last, too.
    if cfg!(unix)
        && let Some(folder) = path.parent()
    {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let unique = format!("proxy-cli-kept-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(unique);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn what_is_dropped_has_been_written() {
        let folder = folder("dropped");
        let path = folder.join("file");
        assert_eq!(KeptFile::read(&path).unwrap(), "");
        drop(KeptFile::keep(path.clone(), || "first".to_owned()).unwrap());
        drop(KeptFile::keep(path.clone(), || "second".to_owned()).unwrap());
        assert_eq!(KeptFile::read(&path).unwrap(), "second");
        let names: Vec<_> =
            fs::read_dir(&folder).unwrap().map(|it| it.unwrap().file_name()).collect();
        assert_eq!(names, ["file"], "nothing else is left");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn where_it_cannot_be_written_the_old_one_stays() {
        let folder = folder("stays");
        let path = folder.join("file");
        replace(&path, "old").unwrap();
        // The new one has no place.
        fs::create_dir(folder.join("file.new")).unwrap();
        let mut writer = Writer { path: path.clone(), written: None, fails: false };
        writer.write("new".to_owned());
        assert!(writer.fails && writer.written.is_none());
        assert_eq!(KeptFile::read(&path).unwrap(), "old");
        fs::remove_dir(folder.join("file.new")).unwrap();
        writer.write("new".to_owned());
        assert!(!writer.fails);
        assert_eq!(KeptFile::read(&path).unwrap(), "new");
        fs::remove_dir_all(folder).unwrap();
    }

    /// A disk that is full, as the system plays it.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_costs_nothing_of_what_is_there() {
        let folder = folder("full");
        let (path, new) = (folder.join("file"), folder.join("file.new"));
        replace(&path, "old").unwrap();
        std::os::unix::fs::symlink("/dev/full", &new).unwrap();
        let problem = replace(&path, "new").unwrap_err();
        assert_eq!(problem.kind(), io::ErrorKind::StorageFull);
        assert_eq!(KeptFile::read(&path).unwrap(), "old");
        fs::remove_file(new).unwrap();
        replace(&path, "new").unwrap();
        assert_eq!(KeptFile::read(&path).unwrap(), "new");
        fs::remove_dir_all(folder).unwrap();
    }
}
