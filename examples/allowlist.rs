//! A handler that refuses: only some hosts can be reached, in plain HTTP and through tunnels.

use std::collections::HashSet;
use std::time::Duration;

use proxy_core::{
    Action, BuildError, ConnectionHandler, Exchange, ForwardHandler, Proxy, Reason, Response,
    TextLogger,
};

struct AllowList {
    hosts: HashSet<String>,
}

impl ConnectionHandler for AllowList {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        let host = exchange.request().host().to_ascii_lowercase();
        match self.hosts.contains(&host) {
            true => ForwardHandler.request(exchange),
            false => Action::Reject(Reason::Denied),
        }
    }

    fn failed(&self, exchange: &mut Exchange<'_>, reason: Reason) -> Option<Response> {
        let host = exchange.request().host();
        let words = format!("{host} is not on the list of this proxy\n");
        (reason == Reason::Denied).then(|| {
            Response::new(403)
                .with_field("Content-Type", "text/plain; charset=utf-8")
                .with_body(words)
        })
    }
}

fn main() -> Result<(), BuildError> {
    let mut hosts: HashSet<String> = std::env::args().skip(1).collect();
    if hosts.is_empty() {
        hosts.insert("example.com".to_owned());
    }
    println!("allowed: {hosts:?} (others can be given as arguments)");
    let proxy = Proxy::builder()
        .listen("127.0.0.1:0")
        .handler(AllowList { hosts })
        .logger(TextLogger::stdout())
        .start()?;
    let address = proxy.local_addrs()[0];
    println!("listening on {address}");
    println!("try: curl -x http://{address} http://example.com/ http://example.org/");
    examples::until_enter();
    proxy.shutdown(Duration::from_secs(5));
    Ok(())
}
