//! [`Rotating`]: a log file that makes room for the next one by itself.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use proxy_core::LogFile;

use super::archive::{Archive, archived};
use crate::tell::tell;

/// When a file is put away, and how many are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// When it would be longer than this.
    pub size: Option<u64>,
    /// When another day has begun.
    pub daily: bool,
    /// How many files are kept beside the one that is written to.
    pub keep: usize,
    pub compress: bool,
}

/// Writes to a file, and puts that away under the time at which it does so: one renaming, and the
/// file is opened anew. Whatever is written is in one file or the other; a machine that stops in
/// between leaves both. What is put away is seen to by the [`Archive`].
pub struct Rotating {
    file: LogFile,
    rotation: Rotation,
    zone: TimeZone,
    /// The day on which the file was begun.
    day: Date,
    archive: Archive,
    clock: fn() -> SystemTime,
    state: State,
}

/// What has become of the file that is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It has its name.
    InPlace,
    /// It has its name, and should have been put away.
    Stuck,
    /// It has been put away, and no other could be opened in its place.
    PutAway,
}

impl Rotating {
    /// Days are those of `zone`.
    ///
    /// # Errors
    /// If there is no thread to be had.
    pub fn new(file: LogFile, rotation: Rotation, zone: TimeZone) -> io::Result<Rotating> {
        Rotating::by_clock(file, rotation, zone, SystemTime::now)
    }

    fn by_clock(
        file: LogFile,
        rotation: Rotation,
        zone: TimeZone,
        clock: fn() -> SystemTime,
    ) -> io::Result<Rotating> {
        let archive = Archive::of(file.path(), rotation.keep, rotation.compress)?;
        // One from before today is put away when something is written.
        let begun = fs::metadata(file.path()).ok().filter(|it| it.len() > 0);
        let begun = begun.and_then(|it| it.modified().ok()).unwrap_or_else(clock);
        let day = day(begun, &zone);
        Ok(Rotating { file, rotation, zone, day, archive, clock, state: State::InPlace })
    }

    fn path(&self) -> &Path {
        self.file.path()
    }

    /// How long the file is. It is asked each time: somebody else may have put it away.
    fn size(&self) -> u64 {
        fs::metadata(self.path()).map_or(0, |it| it.len())
    }

    /// Puts the file away if it is time. Says whether there is room for lines by their number of
    /// bytes.
    fn make_room(&mut self, line: usize) -> Room {
        if self.state == State::PutAway && !self.open_again() {
            return Room::Any;
        }
        let now = (self.clock)();
        let size = self.size();
        let today = if self.rotation.daily { day(now, &self.zone) } else { self.day };
        let most = self.rotation.size;
        let room = |size: u64| match most {
            Some(most) => Room::Bytes(most.saturating_sub(size)),
            None => Room::Any,
        };
        let is_full = matches!(room(size), Room::Bytes(room) if room < line as u64);
        if size == 0 || today == self.day && !is_full {
            self.day = today;
            return room(size);
        }
        match fs::rename(self.path(), next_name(self.path(), now)) {
            Ok(()) => {
                if self.state == State::Stuck {
                    tell!("{} can be put away again", self.path().display());
                }
                self.day = today;
                if self.open_anew() { room(0) } else { Room::Any }
            }
            Err(error) => {
                if self.state != State::Stuck {
                    tell!("{} cannot be put away, and grows: {error}", self.path().display());
                }
                self.state = State::Stuck;
                Room::Any
            }
        }
    }

    /// Opens a file in the place of the one that was put away. If there is none to be had,
    /// [`LogFile`] tells why.
    fn open_anew(&mut self) -> bool {
        self.state = State::PutAway;
        if self.file.reopen().is_err() {
            return false;
        }
        self.state = State::InPlace;
        self.archive.look();
        true
    }

    /// The same, some lines later: that there is still none has been told.
    fn open_again(&mut self) -> bool {
        let can_be = OpenOptions::new().append(true).create(true).open(self.path()).is_ok();
        let is_open = can_be && self.open_anew();
        if is_open {
            tell!("{} could be opened again, and is written to", self.path().display());
        }
        is_open
    }
}

/// How much more a file may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    Any,
    Bytes(u64),
}

/// Whole lines come, and each goes into one file.
impl Write for Rotating {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let mut rest = lines;
        while !rest.is_empty() {
            let end_of_line = |from: usize| {
                rest[from..].iter().position(|&byte| byte == b'\n').map(|at| from + at + 1)
            };
            let first = end_of_line(0).unwrap_or(rest.len());
            let fitting = match self.make_room(first) {
                Room::Any => rest.len(),
                Room::Bytes(room) => {
                    let room = rest.len().min(usize::try_from(room).unwrap_or(usize::MAX));
                    let last = rest[..room].iter().rposition(|&byte| byte == b'\n');
                    // A line longer than a file may be has one for itself.
                    last.map_or(first, |at| at + 1)
                }
            };
            self.file.write_all(&rest[..fitting])?;
            rest = &rest[fitting..];
        }
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn day(time: SystemTime, zone: &TimeZone) -> Date {
    let timestamp = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
    zone.to_datetime(timestamp).date()
}

/// A name that nothing has: the time, and if need be some microseconds later.
fn next_name(path: &Path, now: SystemTime) -> PathBuf {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
    loop {
        let time = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX);
        let name = archived(path, time);
        let compressed = super::archive::with_suffix(&name, ".gz");
        if !name.exists() && !compressed.exists() || time == Timestamp::MAX {
            return name;
        }
        micros += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn folder(name: &str) -> PathBuf {
        let unique = format!("proxy-cli-rotating-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(unique);
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// The texts of all files of a folder, by their names.
    fn files(folder: &Path) -> Vec<(String, String)> {
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|it| {
                (it.file_name().into_string().unwrap(), fs::read_to_string(it.path()).unwrap())
            })
            .collect();
        files.sort();
        files
    }

    fn by_size(path: &Path, size: u64) -> Rotating {
        let rotation = Rotation { size: Some(size), keep: 100, ..Rotation::default() };
        Rotating::new(LogFile::append(path).unwrap(), rotation, TimeZone::UTC).unwrap()
    }

    #[test]
    fn no_file_is_too_long_and_no_line_is_torn() {
        let folder = folder("size");
        let path = folder.join("log");
        let mut log = by_size(&path, 10);
        log.write_all(b"one\ntwo\nthree\n").unwrap();
        log.write_all(b"longer than a file\nx\n").unwrap();
        log.write_all(b"1234567\n").unwrap();
        drop(log);
        let texts: Vec<_> = files(&folder).into_iter().map(|(_, text)| text).collect();
        // The one that is written to comes first by its name.
        assert_eq!(texts, ["x\n1234567\n", "one\ntwo\n", "three\n", "longer than a file\n"]);
        let mut log = by_size(&path, 10);
        log.write_all(b"next\n").unwrap();
        drop(log);
        assert_eq!(fs::read_to_string(&path).unwrap(), "next\n", "what was there counts");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_day_has_a_file_of_its_own() {
        use std::cell::Cell;
        thread_local!(static NOW: Cell<u64> = const { Cell::new(0) });
        fn now() -> SystemTime {
            UNIX_EPOCH + Duration::from_secs(NOW.get())
        }
        const DAY: u64 = 86_400;
        let folder = folder("day");
        let path = folder.join("log");
        let rotation = Rotation { daily: true, keep: 100, ..Rotation::default() };
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let file = LogFile::append(&path).unwrap();
        NOW.set(20_000 * DAY);
        let mut log = Rotating::by_clock(file, rotation.clone(), berlin.clone(), now).unwrap();
        log.write_all(b"one\n").unwrap();
        // It is summer in Berlin on that day, 2024-10-04: midnight is at 22:00 UTC.
        NOW.set(20_000 * DAY + 22 * 3600 - 1);
        log.write_all(b"two\n").unwrap();
        NOW.set(20_000 * DAY + 22 * 3600);
        log.write_all(b"three\n").unwrap();
        drop(log);
        let put_away = ("log.20241004T220000.000000Z".to_owned(), "one\ntwo\n".to_owned());
        assert_eq!(files(&folder), [("log".to_owned(), "three\n".to_owned()), put_away]);

        // Not written to for a while, and opened by another process: its own time counts.
        let file = LogFile::append(&path).unwrap();
        let mut log = Rotating::by_clock(file, rotation, berlin, now).unwrap();
        NOW.set(60_000 * DAY);
        log.write_all(b"four\n").unwrap();
        drop(log);
        assert_eq!(files(&folder).len(), 3);
        assert_eq!(fs::read_to_string(&path).unwrap(), "four\n");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_name_is_taken_once() {
        let folder = folder("names");
        let path = folder.join("log");
        let now = UNIX_EPOCH + Duration::from_micros(1_795_459_212_123_456);
        let first = next_name(&path, now);
        assert!(first.ends_with("log.20261123T184012.123456Z"), "{first:?}");
        fs::write(&first, "x").unwrap();
        let second = next_name(&path, now);
        assert!(second.ends_with("log.20261123T184012.123457Z"), "{second:?}");
        fs::write(super::super::archive::with_suffix(&second, ".gz"), "x").unwrap();
        assert!(next_name(&path, now).ends_with("log.20261123T184012.123458Z"));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    #[cfg(unix)]
    fn what_somebody_has_moved_is_written_to() {
        let folder = folder("moved");
        let (inner, gone) = (folder.join("a"), folder.join("b"));
        fs::create_dir(&inner).unwrap();
        let mut log = by_size(&inner.join("log"), 10);
        log.write_all(b"one\ntwo\n").unwrap();
        // There is nothing under its name any more, and nothing can be made there.
        fs::rename(&inner, &gone).unwrap();
        log.write_all(b"three\nfour\n").unwrap();
        assert_eq!(fs::read_to_string(gone.join("log")).unwrap(), "one\ntwo\nthree\nfour\n");
        drop(log);
        fs::remove_dir_all(folder).unwrap();
    }

    /// Its name is so long that no other can be made of it.
    #[test]
    fn what_cannot_be_put_away_grows() {
        let folder = folder("stuck");
        let path = folder.join("l".repeat(250));
        let mut log = by_size(&path, 10);
        log.write_all(b"one\ntwo\n").unwrap();
        assert_eq!(log.state, State::InPlace);
        for lines in ["three\nfour\n", "five\n"] {
            log.write_all(lines.as_bytes()).unwrap();
            assert_eq!(log.state, State::Stuck);
        }
        drop(log);
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\nthree\nfour\nfive\n");
        assert_eq!(files(&folder).len(), 1);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    #[cfg(unix)]
    fn what_was_put_away_is_written_to_until_there_is_another() {
        let folder = folder("again");
        let (inner, gone) = (folder.join("a"), folder.join("b"));
        fs::create_dir(&inner).unwrap();
        let mut log = by_size(&inner.join("log"), 10);
        log.write_all(b"one\ntwo\n").unwrap();
        fs::rename(&inner, &gone).unwrap();
        assert!(!log.open_anew());
        for line in ["three\n", "four\n"] {
            log.write_all(line.as_bytes()).unwrap();
            assert_eq!(log.state, State::PutAway);
        }
        fs::create_dir(&inner).unwrap();
        log.write_all(b"five\n").unwrap();
        assert_eq!(log.state, State::InPlace);
        drop(log);
        assert_eq!(fs::read_to_string(gone.join("log")).unwrap(), "one\ntwo\nthree\nfour\n");
        assert_eq!(fs::read_to_string(inner.join("log")).unwrap(), "five\n");
        fs::remove_dir_all(folder).unwrap();
    }
}
