//! A proxy inside a test: what does a client really send?
//!
//! The code under test is told to use the proxy; the proxy's handler keeps each request and
//! answers in the place of the web server. No network, no fixed port, no second process.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use proxy_core::{Action, ConnectionHandler, Exchange, Proxy, Response};

/// Answers everything itself and passes on what was asked.
struct Observer {
    seen: Mutex<Sender<String>>,
}

impl ConnectionHandler for Observer {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        let request = exchange.request();
        let agent = request.field("user-agent").unwrap_or_default();
        let line = format!(
            "{} {} by {}",
            request.method(),
            request.target(),
            String::from_utf8_lossy(agent)
        );
        self.seen.lock().expect("no sender panics").send(line).expect("the test is listening");
        Action::Respond(Response::new(200).with_body("what the test wants"))
    }
}

/// The code under test: fetches a URL through a proxy.
fn fetch_greeting(proxy: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(proxy)?;
    stream.write_all(
        b"GET http://api.example/greeting HTTP/1.1\r\nHost: api.example\r\nUser-Agent: my-app/1.0\r\nConnection: close\r\n\r\n",
    )?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    Ok(response.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned())
}

#[test]
fn the_app_asks_once_and_says_who_it_is() {
    let (sender, seen) = mpsc::channel();
    let proxy = Proxy::builder()
        .listen("127.0.0.1:0")
        .handler(Observer { seen: Mutex::new(sender) })
        .start()
        .expect("a free port on loopback");

    let greeting = fetch_greeting(proxy.local_addrs()[0]).expect("the proxy answers");

    assert_eq!(greeting, "what the test wants");
    proxy.shutdown(Duration::from_secs(1));
    let requests: Vec<String> = seen.try_iter().collect();
    assert_eq!(requests, ["GET http://api.example/greeting by my-app/1.0"]);
}
