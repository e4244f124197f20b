//! That bodies are moved without a copy where the system can do so. Alone in its program: it looks
//! at the descriptors of all of it.
#![cfg(all(feature = "splice", target_os = "linux"))]

mod support;

use support::{Origin, Stage};

const LENGTH: usize = 2 * 1024 * 1024;

fn pipes() -> usize {
    let links = std::fs::read_dir("/proc/self/fd").unwrap();
    let links = links.filter_map(|link| std::fs::read_link(link.ok()?.path()).ok());
    links.filter(|target| target.to_string_lossy().starts_with("pipe:")).count()
}

#[test]
fn a_loop_has_one_pipe_once_it_has_passed_a_long_body() {
    let before = pipes();
    let stage = Stage::forward();
    let origin = Origin::new(|visit| {
        while let Some((head, _)) = visit.request() {
            let length = if head.contains("/short") { 1000 } else { LENGTH };
            visit
                .send(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"))
                .send(vec![b'x'; length]);
        }
    });
    let mut client = stage.client();
    for _ in 0..10 {
        client.send(origin.get("/short")).answer();
    }
    assert_eq!(pipes(), before, "a short one is copied");
    // Where the origin is slower than the proxy, no read fills its buffer, and there is no need.
    let mut engages = || {
        client.send(origin.get("/long")).answer();
        pipes() > before
    };
    assert!((0..1000).any(|_| engages()));
    client.send(origin.get("/long")).answer();
    assert_eq!(pipes(), before + 2, "both of its ends");
    drop(stage);
    assert_eq!(pipes(), before);
}
