//! Plays that are written down, all seeds of the fuzzer, and plays made up by chance.

use super::*;

#[test]
fn a_plain_exchange() {
    let script = b"f\n\xffcGET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n\
        \xffuHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n~~~~";
    let script = Script::read(script).unwrap();
    let play = Rehearsal::new(&script).play(&script);
    assert_eq!(verdict::judge(&play), Ok(()), "{play}");
    assert!(play.clients[0].got.ends_with(b"~001"), "{play}");
    assert!(play.upstreams[0].got.starts_with(b"GET / HTTP/1.1\r\n"), "{play}");
    assert_eq!(play.records.len(), 1);
}
