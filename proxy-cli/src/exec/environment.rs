//! The variables by which a command finds its proxy.

use std::net::SocketAddr;
use std::process::Command;

/// Variables that name a proxy. Both cases: curl and wget heed `http_proxy` in lower case only
/// (in upper case a CGI program finds the request field `Proxy` there, CVE-2016-5385), others
/// know upper case only.
const PROXIES: [&str; 6] =
    ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

/// Variables that name what is asked without a proxy.
const EXCEPTIONS: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// The command's own machine: what listens there was most likely started by the command itself,
/// as in a test-suite, and with `--isolate` the proxy could not reach it. All clients know this
/// form; networks as 127.0.0.0/8 only some.
const OWN_MACHINE: &str = "localhost,127.0.0.1,::1";

/// Makes the proxy at `address` the one of the command. What its caller had set, of proxies and
/// of exceptions from them, is replaced: each of those would be a way around this one.
pub fn lead_to(address: SocketAddr, command: &mut Command) {
    let url = format!("http://{address}");
    command.envs(PROXIES.map(|name| (name, &url)));
    command.envs(EXCEPTIONS.map(|name| (name, OWN_MACHINE)));
    // Node.js heeds the others only if it is told so (since versions 22.21 and 24).
    command.env("NODE_USE_ENV_PROXY", "1");
}

/// The variable that names a proxy for this process itself, which does not use it: the first that
/// is set. Its value may hold a password, so it is not shown.
pub fn inherited() -> Option<&'static str> {
    let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    PROXIES.into_iter().find(is_set)
}
