//! Faults at one end of a tunnel.

use crate::case::{Case, flood};
use crate::phase::{Phase, Side};
use crate::rule::Verdict;
use crate::support::{Client, Door, Fault, Stage, garbage};

impl Case {
    /// One end misbehaves: the other gets what there is to be got.
    pub fn tunnel(self, stage: &Stage) {
        let (client, upstream) = self.open(stage);
        let (mut faulty, mut other) = match self.side {
            Side::Client => (client, upstream),
            Side::Upstream => (upstream, client),
        };
        let hurry = matches!(self.fault, Fault::Stall | Fault::Blackhole);
        if !hurry {
            // Both directions are there.
            faulty.send("ping");
            other.expect_bytes(b"ping");
            other.send("pong");
            faulty.expect_bytes(b"pong");
        }
        if self.fault == Fault::Latency {
            stage.settle();
            other.expect_silence();
        }
        let flooding = (self.fault == Fault::Blackhole).then(|| flood(other.stream()));
        let due = [b"hello".to_vec(), b"!!".to_vec()];
        let faulty = faulty.misbehave(self.fault, &due);
        match self.verdict {
            Verdict::Passed => self.expect_passed(faulty, other, &due),
            Verdict::Ended(_) => {
                other.expect_end();
                faulty.expect("it is still there").expect_end();
            }
            Verdict::Reset(_) => match (flooding, faulty) {
                (Some(flooding), Some(mut faulty)) => {
                    flooding.join().unwrap();
                    assert!(!faulty.expect_reset().is_empty(), "something has come through");
                }
                _ => _ = other.expect_reset(),
            },
            other => unreachable!("the rule does not say {other:?} of a tunnel"),
        }
        self.expect_records(stage);
    }

    fn expect_passed(self, faulty: Option<Client>, mut other: Client, due: &[Vec<u8>; 2]) {
        match self.fault {
            Fault::HalfClose | Fault::EarlyClose => {}
            Fault::Garbage => other.expect_bytes(&[garbage(&due[0]), due[1].clone()].concat()),
            _ => other.expect_bytes(&due.concat()),
        }
        let Some(mut faulty) = faulty else {
            return other.expect_end();
        };
        if self.fault == Fault::HalfClose {
            other.expect_end();
            other.send("goes on");
            faulty.expect_bytes(b"goes on");
        } else {
            faulty.end();
            other.expect_end();
        }
        other.end();
        faulty.expect_end();
    }

    /// Opens the tunnel, and gives both of its ends.
    fn open(self, stage: &Stage) -> (Client, Client) {
        let (door, mut client) = (Door::open(), stage.client());
        let address = door.address;
        if self.phase == Phase::Tunnel {
            client.send(format!("CONNECT {address} HTTP/1.1\r\nHost: {address}\r\n\r\n"));
            let upstream = door.take();
            assert!(client.head().starts_with("HTTP/1.1 200 "));
            return (client, upstream);
        }
        client.send(format!(
            "GET http://{address}/ HTTP/1.1\r\nHost: {address}\r\nConnection: upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ));
        let mut upstream = door.take();
        upstream.answer_with(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        );
        assert!(client.head().starts_with("HTTP/1.1 101 "));
        (client, upstream)
    }
}
