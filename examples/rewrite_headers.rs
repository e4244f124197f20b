//! A handler that changes fields on their way, in both directions: requests say less about who
//! sends them, and no cookies are set.

use std::time::Duration;

use proxy_core::{
    Action, BuildError, ConnectionHandler, Exchange, ForwardHandler, Proxy, ResponseAction,
};

struct Discreet;

impl ConnectionHandler for Discreet {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        let fields = exchange.request_edits();
        fields.set("User-Agent", "somebody");
        fields.remove("Cookie");
        fields.remove("Referer");
        ForwardHandler.request(exchange)
    }

    fn response(&self, exchange: &mut Exchange<'_>) -> ResponseAction {
        let cookies = exchange.response().map_or(0, |response| {
            response.fields().filter(|field| field.name.eq_ignore_ascii_case("set-cookie")).count()
        });
        let fields = exchange.response_edits();
        fields.remove("Set-Cookie");
        fields.remove("Server");
        fields.set("X-Cookies-Removed", &cookies.to_string());
        ResponseAction::Pass
    }
}

fn main() -> Result<(), BuildError> {
    let proxy = Proxy::builder().listen("127.0.0.1:0").handler(Discreet).start()?;
    let address = proxy.local_addrs()[0];
    println!("listening on {address}");
    println!("try: curl -i -x http://{address} http://example.com/");
    println!("and: curl -x http://{address} --cookie a=b http://httpbin.org/headers");
    examples::until_enter();
    proxy.shutdown(Duration::from_secs(5));
    Ok(())
}
