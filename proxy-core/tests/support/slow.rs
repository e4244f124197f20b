//! [`Slow`]: an origin that takes its time.

use crossbeam_channel::{Receiver, Sender};

use super::{Client, Origin, PATIENCE, Stage, Visit};

/// An origin that tells the path of each request and answers when it is told to.
pub struct Slow {
    pub origin: Origin,
    asked: Receiver<String>,
    answer: Sender<&'static str>,
    sent: Receiver<()>,
}

impl Slow {
    pub fn new() -> Slow {
        let (tell, asked) = crossbeam_channel::unbounded();
        let (answer, answers) = crossbeam_channel::unbounded::<&str>();
        let (tell_sent, sent) = crossbeam_channel::unbounded();
        let origin = Origin::new(move |visit| {
            while let Some(path) = path(visit) {
                tell.send(path).unwrap();
                let Ok(response) = answers.recv_timeout(PATIENCE) else { return };
                visit.send(response);
                // The story may be over.
                let _ = tell_sent.send(());
                if response.contains("Connection: close") || response.is_empty() {
                    return;
                }
            }
        });
        Slow { origin, asked, answer, sent }
    }

    /// The path of the next request that has come.
    pub fn next(&self) -> String {
        self.asked.recv_timeout(PATIENCE).expect("a request comes")
    }

    pub fn answer(&self, response: &'static str) {
        self.answer.send(response).unwrap();
    }

    /// Waits until another of the answers has been sent.
    pub fn has_answered(&self) {
        self.sent.recv_timeout(PATIENCE).expect("an answer is sent");
    }

    /// Whether no request has come that was not looked at.
    pub fn is_unasked(&self) -> bool {
        self.asked.is_empty()
    }

    pub fn asks(&self, stage: &Stage, path: &str) -> Client {
        let mut client = stage.client();
        client.send(self.origin.get(path));
        client
    }

    /// A client that asks while the origin has all the connections it may have; the proxy has
    /// seen its request.
    pub fn queues(&self, stage: &Stage, path: &str) -> Client {
        let client = self.asks(stage, path);
        stage.settle();
        client
    }
}

fn path(visit: &mut Visit) -> Option<String> {
    Some(visit.head()?.split(' ').nth(1)?.to_owned())
}
