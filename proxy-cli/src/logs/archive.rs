//! [`Archive`]: log files that have been put away.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, JoinHandle};

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;

use crate::tell::tell;

/// Sees to what has been put away of a log: compresses it, if that is wanted, and removes the oldest
/// of it, on a thread of its own: nobody who logs waits for it.
///
/// It goes by what there is in the folder. So what another process has put away, and what it was
/// stopped at, is seen to as well.
pub struct Archive {
    wake: Option<SyncSender<()>>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// `.20261123T184012.123456Z`: sorts by time, and nothing else looks like it.
const STAMP: &str = ".00000000T000000.000000Z";
const GZ: &str = ".gz";
/// One that is being written.
const UNFINISHED: &str = ".gz.new";

impl Archive {
    /// # Errors
    /// If there is no thread to be had.
    pub fn of(log: &Path, keep: usize, compress: bool) -> io::Result<Archive> {
        let (wake, woken) = mpsc::sync_channel(1);
        let stopped = Arc::new(AtomicBool::new(false));
        let keeper = Keeper {
            log: log.to_owned(),
            keep,
            compress,
            stopped: Arc::clone(&stopped),
            told: false,
        };
        let thread = thread::Builder::new()
            .name("proxy-log-files".to_owned())
            .spawn(move || keeper.run(&woken))?;
        let archive = Archive { wake: Some(wake), stopped, thread: Some(thread) };
        archive.look();
        Ok(archive)
    }

    /// Has it look at what there is.
    pub fn look(&self) {
        // If it has been told and has not begun yet, that is enough.
        let _ = self.wake.as_ref().map(|wake| wake.try_send(()));
    }
}

impl Drop for Archive {
    /// Compressing may take long: it is given up, and done at the next start.
    fn drop(&mut self) {
        self.stopped.store(true, Relaxed);
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The name for a file that is put away at this time.
pub fn archived(log: &Path, time: Timestamp) -> PathBuf {
    let micros = time.subsec_microsecond().unsigned_abs();
    with_suffix(log, &format!(".{}.{micros:06}Z", time.strftime("%Y%m%dT%H%M%S")))
}

pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

struct Keeper {
    log: PathBuf,
    keep: usize,
    compress: bool,
    stopped: Arc<AtomicBool>,
    told: bool,
}

impl Keeper {
    fn run(mut self, woken: &Receiver<()>) {
        while woken.recv().is_ok() && !self.stopped.load(Relaxed) {
            let result = self.look();
            if let Err(error) = &result
                && !self.told
            {
                tell!("what was put away of {} stays as it is: {error}", self.log.display());
            }
            self.told = result.is_err();
        }
    }

    fn look(&self) -> io::Result<()> {
        let folder = match self.log.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let (mut plain, mut compressed) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            // A folder is none of ours, whatever it is called, and cannot be removed like a file.
            if entry.file_type()?.is_dir() {
                continue;
            }
            match self.kind(&path) {
                Some("") => plain.push(path),
                Some(GZ) => compressed.push(path),
                // Left by a process that was stopped; the file itself is still there.
                Some(_) => fs::remove_file(path)?,
                None => {}
            }
        }
        // The same, stopped a little later.
        plain.retain(|path| match compressed.contains(&with_suffix(path, GZ)) {
            true => fs::remove_file(path).is_err(),
            false => true,
        });
        plain.sort();
        let mut all: Vec<_> = plain.iter().chain(&compressed).cloned().collect();
        all.sort();
        for oldest in all.iter().take(all.len().saturating_sub(self.keep)) {
            fs::remove_file(oldest)?;
            plain.retain(|path| path != oldest);
        }
        if self.compress {
            // Another process may still write to the newest: one that is being replaced by this.
            plain.pop();
            for path in plain {
                self.compress(&path, folder)?;
            }
        }
        Ok(())
    }

    /// What stands behind the time in the name of a file that was put away.
    fn kind<'p>(&self, path: &'p Path) -> Option<&'p str> {
        let log = self.log.file_name().and_then(OsStr::to_str)?;
        let rest = path.file_name().and_then(OsStr::to_str)?.strip_prefix(log)?;
        let (stamp, kind) = rest.split_at_checked(STAMP.len())?;
        let is_stamp = stamp.bytes().zip(STAMP.bytes()).all(|(byte, like)| match like {
            b'0' => byte.is_ascii_digit(),
            like => byte == like,
        });
        (is_stamp && ["", GZ, UNFINISHED].contains(&kind)).then_some(kind)
    }

    /// Puts a compressed file in the place of one. Whatever happens, one of both is there as a whole.
    fn compress(&self, path: &Path, folder: &Path) -> io::Result<()> {
        let unfinished = with_suffix(path, UNFINISHED);
        let written = self.write_compressed(path, &unfinished);
        if !matches!(written, Ok(true)) {
            // A full disk is not to be kept full.
            drop(fs::remove_file(&unfinished));
            return written.map(drop);
        }
        fs::rename(&unfinished, with_suffix(path, GZ))?;
        // Windows has no folders that could be opened.
        if cfg!(unix) {
            File::open(folder)?.sync_all()?;
        }
        fs::remove_file(path)
    }

    /// `false` if it was stopped.
    fn write_compressed(&self, from: &Path, to: &Path) -> io::Result<bool> {
        let mut from = File::open(from)?;
        let to = File::create(to)?;
        to.set_permissions(from.metadata()?.permissions())?;
        let mut encoder = GzEncoder::new(to, Compression::default());
        let mut buffer = vec![0; 64 * 1024];
        loop {
            if self.stopped.load(Relaxed) {
                return Ok(false);
            }
            match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => encoder.write_all(&buffer[..count])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        encoder.finish()?.sync_all()?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;

    fn keeper(name: &str, keep: usize, compress: bool) -> (PathBuf, Keeper) {
        let unique = format!("proxy-cli-archive-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(unique);
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        let log = folder.join("log");
        let keeper = Keeper { log, keep, compress, stopped: Arc::default(), told: false };
        (folder, keeper)
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn name(number: u8) -> String {
        format!("log.2026112{number}T000000.000000Z")
    }

    #[test]
    fn the_oldest_go_and_what_is_not_ours_stays() {
        let (folder, keeper) = keeper("oldest", 2, false);
        let others = ["log", "log.1", "log.20261120T000000Z", "logs.20261120T000000.000000Z"];
        for name in others.into_iter().map(str::to_owned).chain((1..=4).map(name)) {
            fs::write(folder.join(name), "x").unwrap();
        }
        fs::write(folder.join(name(2) + GZ), "x").unwrap();
        fs::remove_file(folder.join(name(2))).unwrap();
        // Folders, which would be the first to go.
        for folder in [name(0), name(0) + UNFINISHED].map(|name| keeper.log.with_file_name(name)) {
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("file"), "x").unwrap();
        }
        keeper.look().unwrap();
        let mut expected: Vec<_> = others.into_iter().map(str::to_owned).collect();
        expected.extend([name(0), name(0) + UNFINISHED, name(3), name(4)]);
        expected.sort();
        assert_eq!(names(&folder), expected);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn all_but_the_newest_are_compressed_and_leftovers_are_seen_to() {
        let (folder, keeper) = keeper("gz", 10, true);
        for number in 1..=4 {
            fs::write(folder.join(name(number)), format!("lines of {number}\n")).unwrap();
        }
        // Stopped in the middle of the first, and before it had removed the second.
        fs::write(folder.join(name(1) + UNFINISHED), "half").unwrap();
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(b"lines of 2\n").unwrap();
        fs::write(folder.join(name(2) + GZ), encoder.finish().unwrap()).unwrap();
        keeper.look().unwrap();
        assert_eq!(names(&folder), [name(1) + GZ, name(2) + GZ, name(3) + GZ, name(4)]);
        for number in 1..=3 {
            let mut text = String::new();
            let file = File::open(folder.join(name(number) + GZ)).unwrap();
            GzDecoder::new(file).read_to_string(&mut text).unwrap();
            assert_eq!(text, format!("lines of {number}\n"));
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn stopped_it_leaves_everything_whole() {
        let (folder, keeper) = keeper("stopped", 10, true);
        for number in 1..=2 {
            fs::write(folder.join(name(number)), "x").unwrap();
        }
        keeper.stopped.store(true, Relaxed);
        keeper.look().unwrap();
        assert_eq!(names(&folder), [name(1), name(2)]);
        fs::remove_dir_all(folder).unwrap();
    }
}
