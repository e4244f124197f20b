//! [`PacHandler`]: tells browsers how to use the proxy they ask.

use super::{
    Action, Admission, Client, ConnectionHandler, Exchange, Reach, Response, ResponseAction,
};
use crate::error::Reason;
use crate::http1::{RequestHead, TargetForm};

/// Where the file is looked for: under the first name by people, under the second by browsers that
/// look for a proxy by themselves (WPAD).
const PATHS: [&str; 2] = ["/proxy.pac", "/wpad.dat"];

/// The type by which browsers know such a file. It was never registered.
const MEDIA_TYPE: &str = "application/x-ns-proxy-autoconfig";

/// Answers `/proxy.pac` and `/wpad.dat`, asked of the proxy itself, with a proxy auto-configuration
/// file; leaves everything else to another handler.
///
/// The file names the proxy as its client has named it, in `Host`: by a name and a port that
/// work from where the client is. It has no way out at its end: where the proxy is not to be
/// reached, browsers say so instead of going around it.
///
/// ```
/// use proxy_core::{ForwardHandler, PacHandler, Proxy};
///
/// let handler = PacHandler::new(ForwardHandler);
/// let proxy = Proxy::builder().listen("127.0.0.1:0").handler(handler).start()?;
/// println!("chromium --proxy-pac-url=http://{}/proxy.pac", proxy.local_addrs()[0]);
/// # proxy.shutdown(std::time::Duration::ZERO);
/// # Ok::<(), proxy_core::BuildError>(())
/// ```
#[derive(Clone, Debug)]
pub struct PacHandler<H> {
    inner: H,
    leaves_out: LeftOut,
}

/// What browsers ask without the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LeftOut {
    /// Their own machine.
    Themselves,
    /// What has no public address, as far as that can be told without resolving a name.
    Inside,
}

impl<H: ConnectionHandler> PacHandler<H> {
    /// In front of `inner`. Browsers are told to ask their own machine (`localhost`, 127.0.0.0/8,
    /// `::1`) by themselves.
    pub fn new(inner: H) -> PacHandler<H> {
        PacHandler { inner, leaves_out: LeftOut::Themselves }
    }

    /// Has browsers also go by themselves to names without a dot and to private addresses: for a
    /// proxy that would refuse them, as one does that others than its own machine can reach
    /// ([`DestinationGuard`](crate::DestinationGuard)).
    #[must_use = "the handler is given back"]
    pub fn leaving_out_inside(self) -> PacHandler<H> {
        PacHandler { leaves_out: LeftOut::Inside, ..self }
    }
}

impl<H: ConnectionHandler> ConnectionHandler for PacHandler<H> {
    fn reach(&self) -> Reach {
        self.inner.reach()
    }

    fn connected(&self, client: &Client) -> Admission {
        self.inner.connected(client)
    }

    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        match asked_as(exchange.request()) {
            Some(proxy) => Action::Respond(
                Response::new(200)
                    .with_field("Content-Type", MEDIA_TYPE)
                    // It depends on `Host`, and on settings that may change.
                    .with_field("Cache-Control", "no-cache")
                    .with_body(script(&proxy, self.leaves_out)),
            ),
            None => self.inner.request(exchange),
        }
    }

    fn response(&self, exchange: &mut Exchange<'_>) -> ResponseAction {
        self.inner.response(exchange)
    }

    fn failed(&self, exchange: &mut Exchange<'_>, reason: Reason) -> Option<Response> {
        self.inner.failed(exchange, reason)
    }
}

/// The proxy, as the client of a request for the file has named it. `None` if this is another
/// request, or does not say: HTTP/1.0 needs no `Host`.
fn asked_as(request: &RequestHead) -> Option<String> {
    let path = request.path();
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let is_asked = request.form() == TargetForm::Origin
        && matches!(request.method(), "GET" | "HEAD")
        && PATHS.contains(&path)
        && !request.host().is_empty();
    // The port of a Host without one is 80 (RFC 9110 §7.2).
    is_asked.then(|| format!("{}:{}", request.host(), request.port().unwrap_or(80)))
}

/// The file. Hosts were checked when the head was parsed: none has a quote in it.
fn script(proxy: &str, leaves_out: LeftOut) -> String {
    let inside = match leaves_out {
        LeftOut::Themselves => "",
        LeftOut::Inside => INSIDE,
    };
    format!(
        "function FindProxyForURL(url, host) {{\n\
         \x20 host = host.toLowerCase().replace(/^\\[|\\]$/g, \"\");\n\
         \x20 if (/^(.*\\.)?localhost$/.test(host) || /^127(\\.\\d+){{3}}$/.test(host) || host == \"::1\")\n\
         \x20   return \"DIRECT\";\n\
         {inside}\
         \x20 return \"PROXY {proxy}\";\n\
         }}\n"
    )
}

/// Private, link-local and shared addresses, and names without a dot. Only what is written as an
/// address is taken for one: to resolve names would hold up browsers, and tell who answers for
/// names of every page.
const INSIDE: &str = "  if (/^[^.:]+$/.test(host)
    || /^10(\\.\\d+){3}$/.test(host)
    || /^172\\.(1[6-9]|2\\d|3[01])(\\.\\d+){2}$/.test(host)
    || /^192\\.168(\\.\\d+){2}$/.test(host)
    || /^169\\.254(\\.\\d+){2}$/.test(host)
    || /^100\\.(6[4-9]|[7-9]\\d|1[01]\\d|12[0-7])(\\.\\d+){2}$/.test(host)
    || /^f[cd][0-9a-f]{2}:/.test(host)
    || /^fe[89ab][0-9a-f]:/.test(host))
    return \"DIRECT\";
";
