//! [`run`]: everything at once, and then the reckoning.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, IsTerminal};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::actors::ROSTER;
use crate::echo;
use crate::flatness::Course;
use crate::judge::{Judge, Judgement};
use crate::options::Options;
use crate::origin::{self, Witness};
use crate::program::{Change, EVENT_LOOPS, Farewell, Program};
use crate::reading::Reading;
use crate::report::{Report, grouped};
use crate::stage::{Actor, Stage};
use crate::watchers::{FOLLOWERS, Watchers};

/// Readings in a run, at least: enough for fifths of which a median can be told. In a long one
/// there is one a second.
const READINGS: u32 = 150;

/// How long the proxy may take to come to rest when the load is over: longer than it keeps idle
/// connections to an upstream, and than it waits for a client's close.
const REST: Duration = Duration::from_secs(30);

/// Descriptors that it may keep from then on: each event loop opens a pipe for long bodies when it
/// has the first one, and keeps it.
const KEPT: f64 = 2.0 * EVENT_LOOPS as f64;

/// What one client may need at most, in MiB, and each event loop: `docs/limits.md`, *Memory*.
const MEMORY_PER_CLIENT: f64 = 322.0 / 1024.0;
const MEMORY_PER_LOOP: f64 = 6.0;
/// That of the admin address has a loop, too, and what waits for those who follow `/events`.
const MEMORY_OF_ADMIN: f64 = MEMORY_PER_LOOP + 0.5 * FOLLOWERS as f64;

/// Runs it, with all files in `folder`.
pub(crate) fn run(options: &Options, folder: &Path) -> io::Result<Report> {
    let witness = Arc::new(Witness::default());
    let (origin, leaving) = (origin::start(&witness)?, origin::start(&witness)?);
    let echo = echo::start()?;
    // Bound and not listening: the port cannot become anybody else's, and refuses.
    let nobody = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    nobody.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    let nowhere = nobody.local_addr()?.as_socket().expect("it was bound to one");

    let waits = if options.time < Duration::from_secs(60) { 5 } else { 15 };
    let mut program = Program::start(folder, Duration::from_secs(waits))?;
    let stage = Stage::new(program.address, origin, leaving, echo, nowhere, Arc::clone(&witness));
    let stage = Arc::new(stage);
    let mut watchers = Watchers::follow(program.admin, &stage)?;
    let before = at_rest(&program, None)?;
    watchers.ask(&stage)?;
    let actors = enter(&stage, options.seed)?;
    let watched = watch(options, &mut program, &stage);
    stage.is_over.store(true, Relaxed);
    let mut others = Vec::new();
    for actor in actors {
        if actor.join().is_err() {
            others.push("an actor panicked: the run itself has a fault".to_owned());
        }
    }
    // With the proxy gone there is nothing more to be told.
    let (courses, latest) = watched?;
    let after = at_rest(&program, Some(&before))?;
    let (answers, figures) = watchers.last_figures();
    let farewell = program.stop()?;
    let watched = watchers.end(answers);

    let (entries, troubles) = stage.ledger.close();
    others.extend(troubles);
    others.extend(witness.surprises());
    others.extend(courses.iter().filter_map(Course::finding));
    let most_memory = before.memory
        + stage.crowd().1 as f64 * MEMORY_PER_CLIENT
        + EVENT_LOOPS as f64 * MEMORY_PER_LOOP
        + MEMORY_OF_ADMIN;
    others.extend(not_back(&before, &after, most_memory));
    let dropped = farewell.records.map_or(0, |(_, dropped)| dropped);
    let read = read(Judge::new(entries), &program, dropped)?;
    others.extend(unlike(&farewell, read.lines));
    let outcomes = &read.judgement.outcomes;
    match figures {
        Ok(figures) => others.extend(outcomes.unlike(&figures, dropped)),
        Err(why) => others.push(format!("/metrics at the end: {why}")),
    }
    others.extend(watched.findings(outcomes));
    let (rotations, reloads) = program.counts();
    Ok(Report {
        time: options.time,
        judgement: read.judgement,
        watched,
        others,
        courses,
        before,
        after,
        most_memory,
        largest_crowd: stage.crowd().1,
        latest,
        lines: read.lines,
        bytes: read.bytes,
        dropped,
        rotations,
        reloads,
        logs: program.logs(),
    })
}

/// Has all actors begin, each on a thread of its own.
fn enter(stage: &Arc<Stage>, seed: u64) -> io::Result<Vec<JoinHandle<()>>> {
    let mut actors = Vec::new();
    for role in &ROSTER {
        for _ in 0..role.count {
            let number = u8::try_from(actors.len() + 1).expect("the roster is shorter");
            let actor = Actor::new(role.name, number, seed, Arc::clone(stage));
            let name = format!("{} {number}", role.name);
            let act = move || actor.run(role.every, role.act);
            actors.push(thread::Builder::new().name(name).spawn(act)?);
        }
    }
    Ok(actors)
}

/// Lets the time pass: takes readings, rotates, reloads, and tells how it goes.
fn watch(
    options: &Options,
    program: &mut Program,
    stage: &Stage,
) -> io::Result<([Course; 3], Duration)> {
    let mut readings: Vec<Reading> = Vec::new();
    let began = Instant::now();
    let mut due = [(options.rotate_every, began), (options.reload_every, began)];
    let mut told = began;
    let mut latest = Duration::ZERO;
    let line_every = (options.time / 20).clamp(Duration::from_secs(2), Duration::from_secs(10));
    let every = (options.time / READINGS).min(Duration::from_secs(1));
    let turns = (options.time.as_secs_f64() / every.as_secs_f64()) as u32;
    let trouble = |what: &str, result: io::Result<()>| {
        if let Err(error) = result {
            stage.ledger.trouble(format!("{what}: {error}"));
        }
    };
    for turn in 1..=turns {
        let until = began + every * turn;
        thread::sleep(until.saturating_duration_since(Instant::now()));
        latest = latest.max(until.elapsed());
        if program.has_ended() {
            let said = program.said().join("\n");
            return Err(io::Error::other(format!("the proxy ended unasked; it said:\n{said}")));
        }
        let reading = Reading::of(program.id())?;
        readings.push(reading);
        let is_due = |(every, last): &mut (Duration, Instant)| {
            let is_due = !every.is_zero() && last.elapsed() >= *every;
            if is_due {
                *last = Instant::now();
            }
            is_due
        };
        if is_due(&mut due[0]) {
            let rotated = program.rotate();
            trouble("the log was not rotated", rotated);
        }
        if is_due(&mut due[1]) {
            let change = Change::ALL[program.counts().1 as usize % Change::ALL.len()];
            let reloaded = program.reload(change);
            trouble("the configuration was not reloaded", reloaded);
            stage.set_side_door((change == Change::Listener).then(|| program.newest_address()));
        }
        if told.elapsed() >= line_every || turn == turns {
            told = Instant::now();
            tell(began.elapsed(), &reading, stage);
        }
    }
    if !options.reload_every.is_zero() {
        // To be as it was before when it comes to rest.
        trouble("the configuration was not reloaded", program.reload(Change::None));
    }
    let of = |what: fn(&Reading) -> f64| readings.iter().map(what).collect();
    let courses = [
        Course {
            name: "descriptors",
            unit: "",
            values: of(|reading| reading.descriptors),
            share: 0.1,
            more: 10.0,
        },
        // They are all there from the beginning, but for that of a listener that comes and goes.
        Course {
            name: "threads",
            unit: "",
            values: of(|reading| reading.threads),
            share: 0.0,
            more: 1.0,
        },
        // It sways by what waits for the five who take nothing or little.
        Course {
            name: "memory",
            unit: ", MiB",
            values: of(|reading| reading.memory),
            share: 0.1,
            more: 2.0,
        },
    ];
    Ok((courses, latest))
}

/// A line in between, over the one before where that can be done.
fn tell(time: Duration, reading: &Reading, stage: &Stage) {
    let (requests, failures) = stage.ledger.counts();
    let line = format!(
        "{:>5} s: {} requests, {failures} failures, {} clients; {} descriptors, {} threads, {:.1} MiB",
        time.as_secs(),
        grouped(requests),
        stage.crowd().0,
        reading.descriptors,
        reading.threads,
        reading.memory
    );
    match io::stderr().is_terminal() {
        true => eprint!("\r{line}  "),
        false => eprintln!("{line}"),
    }
}

/// Waits until the proxy holds the same twice, and no more descriptors than before but for those
/// that it keeps; or for as long as it may take.
fn at_rest(program: &Program, before: Option<&Reading>) -> io::Result<Reading> {
    let deadline = Instant::now() + REST;
    let mut last = Reading::default();
    loop {
        thread::sleep(Duration::from_millis(100));
        let reading = Reading::of(program.id())?;
        let settles = (reading.descriptors, reading.threads) == (last.descriptors, last.threads);
        let is_back = before.is_none_or(|before| reading.descriptors <= before.descriptors + KEPT);
        if settles && is_back || Instant::now() > deadline {
            return Ok(reading);
        }
        last = reading;
    }
}

/// What the proxy has not given back.
fn not_back(before: &Reading, after: &Reading, most_memory: f64) -> Vec<String> {
    let mut findings = Vec::new();
    for (name, before, after, kept) in [
        ("descriptors", before.descriptors, after.descriptors, KEPT),
        ("threads", before.threads, after.threads, 0.0),
    ] {
        if after > before + kept {
            findings.push(format!("{after} {name} at rest, {before} before the load"));
        }
    }
    if after.peak > most_memory {
        findings.push(format!("{:.1} MiB, of {most_memory:.1} that it may need", after.peak));
    }
    findings
}

/// What the proxy said at its end that does not go with what was found.
fn unlike(farewell: &Farewell, lines: u64) -> Vec<String> {
    let mut findings = Vec::new();
    if !farewell.status.success() {
        findings.push(format!("the proxy ended with {}", farewell.status));
    }
    match farewell.records {
        Some((logged, _)) if logged == lines => {}
        said => findings.push(format!("{lines} lines in the log; logged, dropped: {said:?}")),
    }
    if farewell.cut != Some(0) {
        findings.push(format!("connections cut at the end: {:?}", farewell.cut));
    }
    findings.extend(farewell.complaints.iter().map(|line| format!("the proxy said: {line}")));
    findings
}

/// What is in the access log.
struct Read {
    judgement: Judgement,
    lines: u64,
    bytes: u64,
}

fn read(mut judge: Judge, program: &Program, dropped: u64) -> io::Result<Read> {
    let (mut lines, mut bytes) = (0, 0);
    for log in program.logs() {
        bytes += fs::metadata(&log)?.len();
        for line in BufReader::new(File::open(&log)?).lines() {
            judge.line(&line?);
            lines += 1;
        }
    }
    let mut judgement = judge.end(dropped);
    let place = |name: &str| ROSTER.iter().position(|role| role.name == name);
    judgement.tallies.sort_by_key(|(actor, _)| place(actor));
    judgement.findings.sort_by_key(|finding| finding.number);
    Ok(Read { judgement, lines, bytes })
}
