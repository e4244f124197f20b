//! [`Asked`]: the request that is to be explained.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::SystemTime;

use proxy_core::http1::{RequestHead, ResponseHead};
use proxy_core::{Client, Limits};

use super::arguments::Arguments;
use super::logged::Logged;
use super::moment;
use crate::config::Config;
use crate::privacy::LogAddresses;

/// A request as the proxy would see it.
pub struct Asked {
    pub head: RequestHead,
    pub response: Option<ResponseHead>,
    pub client: Client,
    /// Who they say they are; that the password is right is taken for granted.
    pub user: Option<String>,
    /// What the listener is called.
    pub listener: String,
    pub time: SystemTime,
    /// What the log has of it, if it is from there.
    pub logged: Option<Logged>,
    /// What is not as it was asked for.
    pub notes: Vec<String>,
}

/// A request line, and the fields that follow from it.
struct Start {
    method: String,
    target: String,
    /// The value of `Host`.
    host: String,
    is_websocket: bool,
}

impl Asked {
    /// What the arguments ask for, or standard input.
    pub fn new(arguments: &Arguments, config: &Config) -> Result<Asked, String> {
        let mut notes = Vec::new();
        let (start, logged) = match &arguments.request {
            Some((method, url)) => (Start::asked(method, url, config, &mut notes)?, None),
            None => {
                let logged = Logged::read(io::stdin().lock())?;
                (Start::logged(&logged), Some(logged))
            }
        };
        let head = head(&start, arguments, logged.as_ref())?;
        let response = response(arguments, &head)?;
        let zone = config.time_zone.zone();
        let now = SystemTime::now();
        let time = match (&arguments.at, &logged) {
            (Some(at), _) => moment::read(at, &zone, now)?,
            (None, Some(logged)) => moment::read(&logged.time, &zone, now)?,
            (None, None) => now,
        };
        let of_log = logged.as_ref().map(|logged| logged.client);
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let address = arguments.client.or(of_log).unwrap_or(here);
        if of_log.is_some()
            && arguments.client.is_none()
            && config.log_addresses != LogAddresses::Whole
        {
            notes
                .push("the log hides clients (log-addresses): --client says who it was".to_owned());
        }
        let user = arguments.user.clone().or_else(|| logged.as_ref()?.user.clone());
        let (place, listener) = listener(arguments.listener.as_deref(), config)?;
        let client = Client::new(address, place);
        if logged.is_some() && arguments.listener.is_none() && config.listeners().len() > 1 {
            notes.push(format!("the log does not say where it came in: {listener} was taken"));
        }
        Ok(Asked { head, response, client, user, listener, time, logged, notes })
    }
}

impl Start {
    fn asked(
        method: &str,
        url: &str,
        config: &Config,
        notes: &mut Vec<String>,
    ) -> Result<Start, String> {
        let (scheme, rest) = match url.split_once("://") {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
            None => (String::new(), url),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        // Neither is ever sent: a client keeps the fragment, and credentials go into a field.
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let path = path.split('#').next().unwrap_or_default();
        let is_secure = ["https", "wss"].contains(&&*scheme);
        if method == "CONNECT" || is_secure && config.upstream.is_none() {
            let port = if has_port(authority) { "" } else { ":443" };
            if method != "CONNECT" {
                notes.push(format!("for {scheme}:// the proxy is asked for a tunnel"));
            } else if port == ":443" && scheme.is_empty() {
                return Err(format!("a tunnel leads to a host and a port, as {authority}:443"));
            }
            let target = format!("{authority}{port}");
            return Ok(Start {
                method: "CONNECT".to_owned(),
                host: target.clone(),
                target,
                is_websocket: false,
            });
        }
        match &*scheme {
            "" if url.starts_with('/') => {}
            "" => {
                return Err(format!(
                    "a URL is expected, such as http://example.com/; did you mean http://{url}?"
                ));
            }
            "http" | "https" | "ws" | "wss" => {}
            _ => return Err(format!("{scheme}:// is nothing that a proxy is asked for")),
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        // In front of an upstream, clients ask as they ask any server.
        let is_origin_form = config.upstream.is_some() || authority.is_empty();
        let target = if is_origin_form { path } else { format!("http://{authority}{path}") };
        let own = || config.listeners().into_iter().next().unwrap_or_default();
        Ok(Start {
            method: method.to_owned(),
            target,
            host: if authority.is_empty() { own() } else { authority.to_owned() },
            is_websocket: scheme.starts_with("ws"),
        })
    }

    fn logged(logged: &Logged) -> Start {
        let authority = match logged.target.split_once("://") {
            Some((_, rest)) => rest.split(['/', '?']).next().unwrap_or(rest),
            None if logged.method == "CONNECT" => &logged.target,
            None => &logged.host,
        };
        Start {
            method: logged.method.clone(),
            target: logged.target.clone(),
            host: authority.to_owned(),
            is_websocket: logged.kind == "tunnel" && logged.method != "CONNECT",
        }
    }
}

fn has_port(authority: &str) -> bool {
    let behind = authority.rsplit_once(']').map_or(authority, |(_, behind)| behind);
    behind.contains(':')
}

/// The head of the request, as the proxy reads it.
fn head(
    start: &Start,
    arguments: &Arguments,
    logged: Option<&Logged>,
) -> Result<RequestHead, String> {
    let Start { method, target, host, is_websocket } = start;
    let mut fields = vec![format!("Host: {host}")];
    if *is_websocket {
        fields.extend(["Connection: Upgrade", "Upgrade: websocket"].map(str::to_owned));
    }
    if let Some(logged) = logged {
        let field = |name: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!("{name}: {value}"))
        };
        fields.extend(field("Referer", &logged.referer));
        fields.extend(field("User-Agent", &logged.user_agent));
    }
    fields.extend(arguments.fields.iter().cloned());
    let lines = [format!("{method} {target} HTTP/1.1")].into_iter().chain(fields);
    let lines: Vec<_> = lines.collect();
    // What ends a line would be the beginning of another one.
    if let Some(line) = lines.iter().find(|line| line.contains(['\r', '\n'])) {
        return Err(format!("there is more than a line in {line:?}"));
    }
    let mut head = RequestHead::new();
    let text = format!("{}\r\n\r\n", lines.join("\r\n"));
    head.parse(text.as_bytes(), &Limits::default())
        .map_err(|error| format!("the proxy would not take this request: {error}"))?;
    Ok(head)
}

/// The head of the response, if anything is known of it.
fn response(arguments: &Arguments, request: &RequestHead) -> Result<Option<ResponseHead>, String> {
    let Arguments { response_status, response_type, response_length, .. } = arguments;
    if response_status.is_none() && response_type.is_none() && response_length.is_none() {
        return Ok(None);
    }
    let mut text = format!("HTTP/1.1 {} \r\n", response_status.unwrap_or(200));
    if let Some(media_type) = response_type {
        if media_type.contains(['\r', '\n']) {
            return Err("a type has no line ends".to_owned());
        }
        text += &format!("Content-Type: {media_type}\r\n");
    }
    if let Some(length) = response_length {
        text += &format!("Content-Length: {length}\r\n");
    }
    let mut head = ResponseHead::new();
    head.parse(format!("{text}\r\n").as_bytes(), request, &Limits::default())
        .map_err(|error| format!("the proxy would not take this response: {error}"))?;
    Ok(Some(head))
}

/// A listener and its place.
fn listener(named: Option<&str>, config: &Config) -> Result<(usize, String), String> {
    let all = config.listeners();
    let place = match named {
        None => Some(0),
        Some(named) => match named.parse::<usize>() {
            Ok(number) => number.checked_sub(1),
            Err(_) => all.iter().position(|it| it == named),
        },
    };
    let place = place.filter(|&place| place < all.len() || named.is_none());
    let place =
        place.ok_or_else(|| format!("--listener: there is none; there are {}", all.join(", ")))?;
    Ok((place, all.get(place).cloned().unwrap_or_default()))
}
