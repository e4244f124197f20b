//! What the proxy does, as server-sent events: a page of the proxy's own that a browser or `curl`
//! keeps open, and on which each request shows as it ends.

use std::mem;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proxy_core::{
    AccessRecord, Action, BodySender, BuildError, ConnectionHandler, Event, Exchange,
    ForwardHandler, Proxy, RequestLogger, Response, TrySendError, body_stream,
};

/// Where the events are.
const HOST: &str = "events.test";
/// How far behind a reader may be, in bytes, before it misses events.
const BEHIND: usize = 64 * 1024;
/// How many may read at once.
const READERS: usize = 100;

/// Those who read the events.
#[derive(Default)]
struct Readers(Mutex<Vec<BodySender>>);

impl Readers {
    fn add(&self, reader: BodySender) -> Result<(), BodySender> {
        let mut readers = self.0.lock().expect("no thread panics while it has them");
        readers.retain(|reader| !reader.is_closed());
        if readers.len() >= READERS {
            return Err(reader);
        }
        readers.push(reader);
        Ok(())
    }

    fn tell(&self, event: &str) {
        let mut readers = self.0.lock().expect("no thread panics while it has them");
        // Who is slow misses an event. It could as well be cut.
        readers.retain(|reader| {
            let told = reader.try_send(format!("data: {event}\n\n"));
            !matches!(told, Err(TrySendError::Closed(_)))
        });
    }

    fn finish(&self) {
        let mut readers = self.0.lock().expect("no thread panics while it has them");
        mem::take(&mut *readers).into_iter().for_each(BodySender::finish);
    }
}

/// Answers for the host of the events, and forwards everything else.
struct Events(Arc<Readers>);

impl ConnectionHandler for Events {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        if exchange.request().host() != HOST {
            return ForwardHandler.request(exchange);
        }
        let (sender, body) = body_stream(BEHIND);
        let hello = sender.try_send(": what the proxy does, from now on\n\n");
        if hello.is_err() || self.0.add(sender).is_err() {
            return Action::Respond(Response::new(503).with_body("too many readers\n"));
        }
        Action::Respond(
            Response::new(200)
                .with_field("Content-Type", "text/event-stream")
                .with_field("Cache-Control", "no-store")
                .with_stream(body),
        )
    }
}

impl RequestLogger for Readers {
    fn log(&self, record: &AccessRecord<'_>) {
        if record.event == Event::Close {
            let status = record.status.map_or("-".to_owned(), |status| status.to_string());
            self.tell(&format!("{} {} {status}", record.method, record.target));
        }
    }
}

fn main() -> Result<(), BuildError> {
    let readers = Arc::new(Readers::default());
    let proxy = Proxy::builder()
        .listen("127.0.0.1:0")
        .handler(Events(Arc::clone(&readers)))
        .logger(Arc::clone(&readers))
        .start()?;
    let address = proxy.local_addrs()[0];
    println!("listening on {address}");
    println!("read: curl -N -x http://{address} http://{HOST}/");
    println!("then: curl -x http://{address} http://example.com/");
    examples::until_enter();
    readers.finish();
    proxy.shutdown(Duration::from_secs(5));
    Ok(())
}
