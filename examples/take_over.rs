//! A protocol of our own, in plain blocking code: behind the proxy there is a board for notes.
//! Clients reach it with `CONNECT notes.test:7000`; everything else goes where it asks to go.
//!
//! A conversation holds a thread of the worker pool for as long as it lasts. That is fine for a
//! few; for thousands there are tunnels, which hold none.

use std::io::{self, BufRead, BufReader, Cursor, Read, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proxy_core::{Action, BuildError, ConnectionHandler, Exchange, ForwardHandler, Proxy, Socket};

/// How many notes there is room for.
const ROOM: usize = 100;
/// How many bytes one client may send.
const LONGEST: u64 = 64 * 1024;

#[derive(Default)]
struct Board {
    notes: Mutex<Vec<String>>,
}

impl Board {
    /// Each line is a note to keep, but for `list` and `bye`.
    fn converse(&self, mut client: Socket, early: impl AsRef<[u8]>) -> io::Result<()> {
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        // What the client sent without waiting for the answer has been read already.
        let input = Cursor::new(early).chain(client.try_clone()?).take(LONGEST);
        for line in BufReader::new(input).lines() {
            let answer = match line?.trim() {
                "bye" => break,
                "list" => self.list(),
                note => self.keep(note),
            };
            client.write_all(answer.as_bytes())?;
        }
        Ok(())
    }

    fn list(&self) -> String {
        let notes = self.notes.lock().expect("no thread panics while it reads or writes");
        (1..).zip(&*notes).map(|(number, note)| format!("{number}. {note}\n")).collect()
    }

    fn keep(&self, note: &str) -> String {
        let mut notes = self.notes.lock().expect("no thread panics while it reads or writes");
        if notes.len() == ROOM {
            return "the board is full\n".to_owned();
        }
        notes.push(note.to_owned());
        format!("kept as {}\n", notes.len())
    }
}

struct WithBoard {
    board: Arc<Board>,
}

impl ConnectionHandler for WithBoard {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        let request = exchange.request();
        if (request.method(), request.target()) != ("CONNECT", "notes.test:7000") {
            return ForwardHandler.request(exchange);
        }
        let (board, who) = (Arc::clone(&self.board), exchange.client().address);
        Action::take_over(move |socket, early| match board.converse(socket, early) {
            Ok(()) => println!("{who} has read and written notes"),
            Err(error) => println!("{who} has gone: {error}"),
        })
    }
}

fn main() -> Result<(), BuildError> {
    let handler = WithBoard { board: Arc::default() };
    let proxy = Proxy::builder().listen("127.0.0.1:0").handler(handler).start()?;
    let address = proxy.local_addrs()[0];
    println!("listening on {address}");
    println!("try: curl --proxytunnel -x http://{address} telnet://notes.test:7000");
    println!("     and type: buy milk, list, bye");
    examples::until_enter();
    proxy.shutdown(Duration::from_secs(5));
    Ok(())
}
