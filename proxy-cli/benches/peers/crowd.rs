//! A crowd: many clients that wait, so that others can be measured beside them, or what they cost.

use crate::contestant::{Contestant, whole_answer};
use crate::part::{Aim, Part};
use crate::scenario::Crowd;
use crate::site::KB;
use std::io::{self, Write};

/// Longer than any measurement that has a crowd takes, on a slow machine.
const PATIENCE: u32 = 120;

impl Crowd {
    fn word(self) -> &'static str {
        match self {
            Crowd::Idle => "idle",
            Crowd::Waiting => "waiting",
        }
    }

    /// What a word on the command line means.
    pub(crate) fn of(word: &str) -> Option<Crowd> {
        [Crowd::Idle, Crowd::Waiting].into_iter().find(|crowd| crowd.word() == word)
    }

    /// Has so many clients come. They stay until what is given back is dropped.
    pub(crate) fn gather(
        self,
        count: u32,
        contestant: &Contestant,
        cores: &str,
    ) -> Result<Part, String> {
        let own = [self.word().to_owned(), count.to_string()];
        let mut part = Part::start("crowd", &own, contestant, cores, PATIENCE)
            .map_err(|error| error.to_string())?;
        // It says how many are there.
        part.numbers()?;
        Ok(part)
    }
}

/// The clients: all in one process, which ends when its standard input does.
pub(crate) fn run(aim: Aim, crowd: Crowd, count: usize) -> io::Result<()> {
    let mut clients = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    while clients.len() < count {
        let mut client = aim.way.open(aim.proxy, aim.origin)?;
        match crowd {
            Crowd::Idle => {
                client.write_all(&aim.way.get(aim.origin, "/1k"))?;
                whole_answer(&mut client, KB as u64, &mut buffer)?;
            }
            Crowd::Waiting => client.write_all(&aim.way.get(aim.origin, "/slow"))?,
        }
        clients.push(client);
    }
    println!("{}", clients.len());
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}
