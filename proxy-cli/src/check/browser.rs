//! A client that tells of itself what browsers, phones and company proxies do.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};

use super::PATIENCE;

/// The fields of its request, but for `Host`.
const FIELDS: &str = "\
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0
Accept: text/html
Accept-Language: de-CH,de;q=0.9
Referer: http://search.example/find?q=an+illness
Cookie: session=0123456789abcdef
From: person@mail.example
Sec-CH-UA: \"Chromium\";v=\"140\"
Sec-CH-UA-Platform: \"Linux\"
Sec-CH-UA-Platform-Version: \"6.18.0\"
Sec-CH-UA-Model: \"Phone 12\"
Device-Memory: 8
X-Forwarded-For: 192.0.2.7
Forwarded: for=192.0.2.7
X-Real-IP: 192.0.2.7
True-Client-IP: 192.0.2.7
X-UIDH: 0123456789
Via: 1.1 gateway.home.example
";

/// The head of its request to a server, through a proxy or not.
pub fn request(server: SocketAddr, to_proxy: bool) -> String {
    let target = if to_proxy { format!("http://{server}/page") } else { "/page".into() };
    let head = format!("GET {target} HTTP/1.1\nHost: {server}\n{FIELDS}Connection: close\n\n");
    head.replace('\n', "\r\n")
}

/// Asks, and waits for the answer.
///
/// # Errors
/// If there is none, or one that is not the server's.
pub fn ask(proxy: SocketAddr, request: &str) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&proxy, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut status = String::new();
    BufReader::new(stream).read_line(&mut status)?;
    match status.contains(" 204 ") {
        true => Ok(()),
        false => Err(io::Error::other(format!("the proxy answered {:?}", status.trim_end()))),
    }
}
