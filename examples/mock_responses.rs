//! A handler that answers some URLs itself, from a small table, and sends the rest where it asks
//! to go: an API that does not exist yet, or one that fails on purpose.

use std::time::Duration;

use proxy_core::{
    Action, BuildError, ConnectionHandler, Exchange, ForwardHandler, Proxy, Response, TextLogger,
};

struct Mock {
    method: &'static str,
    url: &'static str,
    status: u16,
    body: &'static str,
}

const MOCKS: [Mock; 4] = [
    Mock {
        method: "GET",
        url: "http://api.test/users",
        status: 200,
        body: r#"[{"id": 1, "name": "Ada"}, {"id": 2, "name": "Grace"}]"#,
    },
    Mock {
        method: "GET",
        url: "http://api.test/users/1",
        status: 200,
        body: r#"{"id": 1, "name": "Ada"}"#,
    },
    Mock { method: "POST", url: "http://api.test/users", status: 201, body: r#"{"id": 3}"# },
    Mock {
        method: "GET",
        url: "http://api.test/reports",
        status: 503,
        body: r#"{"error": "come back later"}"#,
    },
];

struct MockHandler;

impl ConnectionHandler for MockHandler {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        let request = exchange.request();
        let mock = MOCKS
            .iter()
            .find(|mock| mock.method == request.method() && mock.url == request.target());
        match mock {
            Some(mock) => Action::Respond(
                Response::new(mock.status)
                    .with_field("Content-Type", "application/json")
                    .with_field("X-Mock", "yes")
                    .with_body(mock.body),
            ),
            None => ForwardHandler.request(exchange),
        }
    }
}

fn main() -> Result<(), BuildError> {
    let proxy = Proxy::builder()
        .listen("127.0.0.1:0")
        .handler(MockHandler)
        .logger(TextLogger::stdout())
        .start()?;
    let address = proxy.local_addrs()[0];
    println!("listening on {address}");
    for Mock { method, url, .. } in MOCKS {
        println!("try: curl -i -x http://{address} -X {method} {url}");
    }
    println!("and: curl -i -x http://{address} http://example.com/");
    examples::until_enter();
    proxy.shutdown(Duration::from_secs(5));
    Ok(())
}
