//! A logger that keeps its records in an SQLite database, and asks it questions at the end.
//!
//! A transaction costs a write to the disk, an insertion costs nothing beside it: so there is
//! one transaction for each batch of records, and [`RequestLogger::flush`] ends it.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use proxy_core::{AccessRecord, Event, Proxy, RequestLogger};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params};

// The write-ahead log lets others read while this program writes.
const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    CREATE TABLE IF NOT EXISTS requests (
        began_ms    INTEGER NOT NULL,  -- since 1970
        client      TEXT NOT NULL,
        method      TEXT NOT NULL,
        target      TEXT NOT NULL,
        host        TEXT NOT NULL,
        status      INTEGER,           -- NULL if the client was sent none
        reason      TEXT,              -- NULL if it ended plainly
        bytes_in    INTEGER NOT NULL,
        bytes_out   INTEGER NOT NULL,
        duration_us INTEGER NOT NULL
    ) STRICT;";

const QUESTIONS: [(&str, &str); 3] = [
    (
        "Requests per host",
        "SELECT host, count(*) AS requests, sum(bytes_out) AS bytes, count(reason) AS failures
         FROM requests GROUP BY host ORDER BY requests DESC, host LIMIT 10",
    ),
    (
        "The slowest",
        "SELECT format('%.1f ms', duration_us / 1000.0) AS duration, method, target
         FROM requests ORDER BY duration_us DESC LIMIT 5",
    ),
    (
        "Failures",
        "SELECT reason, count(*) AS requests, max(target) AS for_instance
         FROM requests WHERE reason IS NOT NULL GROUP BY reason ORDER BY requests DESC",
    ),
];

struct Database {
    connection: Mutex<Connection>,
}

impl Database {
    fn open(path: &Path) -> rusqlite::Result<Database> {
        let connection = Connection::open(path)?;
        connection.execute_batch(SCHEMA)?;
        Ok(Database { connection: Mutex::new(connection) })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().expect("no thread panics while it has the connection")
    }

    fn insert(&self, record: &AccessRecord<'_>) -> rusqlite::Result<()> {
        let connection = self.connection();
        if connection.is_autocommit() {
            connection.execute_batch("BEGIN")?;
        }
        let began = record.time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        connection
            .prepare_cached("INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?
            .execute(params![
                integer(began.as_millis()),
                record.client.to_string(),
                record.method,
                record.target,
                record.host,
                record.status,
                record.reason.map(|reason| reason.code()),
                integer(record.bytes_in),
                integer(record.bytes_out),
                integer(record.duration.as_micros()),
            ])?;
        Ok(())
    }

    fn commit(&self) -> rusqlite::Result<()> {
        let connection = self.connection();
        match connection.is_autocommit() {
            true => Ok(()), // nothing has been begun
            false => connection.execute_batch("COMMIT"),
        }
    }

    /// Asks a question and prints the answer as a table.
    fn print(&self, title: &str, question: &str) -> rusqlite::Result<()> {
        let connection = self.connection();
        let mut statement = connection.prepare(question)?;
        let columns = statement.column_count();
        let head = statement.column_names().into_iter().map(str::to_owned).collect();
        let mut table: Vec<Vec<String>> = vec![head];
        for row in statement.query_map([], |row| (0..columns).map(|i| text(row, i)).collect())? {
            table.push(row?);
        }

        println!("\n{title}");
        let width = |column: usize| table.iter().map(|row| row[column].len()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &table {
            let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
            println!("  {}", cells.collect::<Vec<_>>().join("  ").trim_end());
        }
        Ok(())
    }
}

impl RequestLogger for Database {
    fn log(&self, record: &AccessRecord<'_>) {
        if record.event == Event::Open {
            return; // a tunnel is one row, when it closes
        }
        if let Err(error) = self.insert(record) {
            eprintln!("a record is lost: {error}");
        }
    }

    fn flush(&self) {
        if let Err(error) = self.commit() {
            eprintln!("records are not written yet: {error}");
        }
    }
}

/// SQLite's integers end at 2⁶³ - 1.
fn integer(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    Ok(match row.get_ref(column)? {
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Null | ValueRef::Blob(_) => "-".to_owned(),
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = match std::env::args_os().nth(1) {
        Some(path) => PathBuf::from(path),
        None => std::env::temp_dir().join(format!("requests-{}.sqlite", std::process::id())),
    };
    let database = Arc::new(Database::open(&path)?);
    let proxy = Proxy::builder().listen("127.0.0.1:0").logger(Arc::clone(&database)).start()?;
    let address = proxy.local_addrs()[0];
    println!("listening on {address}, records go to {}", path.display());
    println!("try: curl -x http://{address} http://example.com/ http://no.such.host.invalid/");
    println!("and: sqlite3 {} 'SELECT * FROM requests'", path.display());
    examples::until_enter();
    proxy.shutdown(Duration::from_secs(5));

    for (title, question) in QUESTIONS {
        database.print(title, question)?;
    }
    Ok(())
}
