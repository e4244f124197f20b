//! A forward proxy, and a page beside it where Prometheus finds its metrics.
//!
//! The page is a proxy of its own, with a handler that answers everything: on another port, with one
//! event loop, so that whoever reads it never waits for clients, and they never wait for the reader.

use std::time::Duration;

use proxy_core::metrics::Metrics;
use proxy_core::{Action, BuildError, ConnectionHandler, Exchange, Proxy, Reason, Response};

struct Page(Metrics);

impl ConnectionHandler for Page {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        let request = exchange.request();
        match (request.method(), request.target()) {
            ("GET" | "HEAD", "/metrics") => Action::Respond(
                Response::new(200)
                    .with_field("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                    .with_body(self.0.prometheus()),
            ),
            ("GET" | "HEAD", _) => Action::Respond(Response::new(404)),
            _ => Action::Reject(Reason::Denied),
        }
    }
}

fn main() -> Result<(), BuildError> {
    let proxy = Proxy::builder().listen("127.0.0.1:0").metrics_top(10).start()?;
    let page = Proxy::builder()
        .listen("127.0.0.1:0")
        .event_loops(1)
        .metrics(false)
        .handler(Page(proxy.metrics()))
        .start()?;
    let (address, page_address) = (proxy.local_addrs()[0], page.local_addrs()[0]);
    println!("the metrics are at http://{page_address}/metrics");
    println!("listening on {address}");
    println!("try: curl -x http://{address} http://example.com/");
    println!("and: curl http://{page_address}/metrics");
    examples::until_enter();
    proxy.shutdown(Duration::from_secs(5));

    // Whoever has its metrics can still be told what it has done.
    println!("the proxy has ended; its metrics are still there");
    examples::until_enter();
    page.shutdown(Duration::from_secs(1));
    Ok(())
}
