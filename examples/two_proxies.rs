//! Two proxies in one process: a gateway in front of a web server, and a forward proxy that
//! reaches this server through the gateway, and all others directly.
//!
//! They share nothing: each has its own threads, its own name in `Via`, and its own end.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use proxy_core::{
    Action, Authority, ConnectionHandler, Exchange, FixedUpstreamHandler, ForwardHandler, Proxy,
};

struct ThroughGateway {
    site: Authority,
    gateway: Arc<Authority>,
}

impl ConnectionHandler for ThroughGateway {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        let request = exchange.request();
        let asked = Authority::new(request.host(), request.port().unwrap_or(80));
        match ForwardHandler.request(exchange) {
            Action::Forward(_) if asked.as_ref() == Ok(&self.site) => {
                exchange.forward_to(&self.gateway)
            }
            otherwise => otherwise,
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let site = std::env::args().nth(1).unwrap_or_else(|| "http://example.com".to_owned());
    let site: Authority = site.parse()?;

    let gateway = Proxy::builder()
        .listen("127.0.0.1:0")
        .handler(FixedUpstreamHandler::new(site.clone()))
        .start()?;
    let gateway_address = gateway.local_addrs()[0];
    let through_gateway = ThroughGateway {
        site: site.clone(),
        gateway: Arc::new(gateway_address.to_string().parse()?),
    };
    let forward = Proxy::builder().listen("127.0.0.1:0").handler(through_gateway).start()?;
    let address = forward.local_addrs()[0];

    println!("listening on {address}, the gateway is at {gateway_address}");
    println!("try: curl -i -x http://{address} http://{site}/");
    println!("     (Via names both proxies)");
    println!("and: curl -i -H 'Host: {site}' http://{gateway_address}/");
    println!("     (Via names the gateway)");
    println!("the gateway first:");
    examples::until_enter();
    gateway.shutdown(Duration::from_secs(5));

    println!("the gateway has ended; the forward proxy goes on, but for {site}");
    println!("try: curl -x http://{address} http://{site}/ http://example.org/");
    examples::until_enter();
    forward.shutdown(Duration::from_secs(5));
    Ok(())
}
