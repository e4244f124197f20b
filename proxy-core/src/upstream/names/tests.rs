use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::*;

/// For what must come, sooner or later.
const PATIENCE: Duration = Duration::from_secs(20);

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Gives every name an address, but those that begin with `no`; counts what it is asked.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicUsize>);

impl Counting {
    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Resolve for Counting {
    fn resolve(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        match name.starts_with("no") {
            true => Err(io::Error::new(io::ErrorKind::NotFound, "no such name")),
            false => Ok(vec!["192.0.2.1:0".parse().unwrap()]),
        }
    }
}

fn names(resolver: impl Resolve, most: usize) -> Names {
    let limits = Limits { names: most, ..Limits::default() };
    let timeouts =
        Timeouts { name_ttl: secs(60), name_failure_ttl: secs(5), ..Timeouts::default() };
    Names::new(Arc::new(resolver), &limits, &timeouts)
}

/// Asks at a certain time, and expects to be told before that returns.
fn ask(names: &Names, name: &str, now: Instant) -> Answer {
    let (tell, told) = bounded(1);
    names.ask(name, || now, move |answer| tell.send(answer.clone()).unwrap());
    told.try_recv().unwrap()
}

fn learn(names: &Names, name: &str, now: Instant) {
    drop(ask(names, name, now));
}

#[test]
fn what_is_known_is_not_asked_again_until_its_time_is_over() {
    for (name, ttl) in [("a.test", secs(60)), ("no.test", secs(5))] {
        let (resolver, start) = (Counting::default(), Instant::now());
        let names = names(resolver.clone(), 10);
        assert_eq!(names.known(name, start), None);
        let answer = ask(&names, name, start);
        assert_eq!(answer.is_ok(), name == "a.test");
        let just_in_time = start + ttl - Duration::from_nanos(1);
        assert_eq!(names.known(name, just_in_time), Some(answer.clone()));
        assert_eq!(ask(&names, name, just_in_time), answer);
        assert_eq!(resolver.count(), 1);
        assert_eq!(names.known(name, start + ttl), None);
        assert_eq!(ask(&names, name, start + ttl), answer);
        assert_eq!(resolver.count(), 2);
        assert!(names.known(name, start + ttl).is_some(), "{name}: it is known anew");
    }
}

#[test]
fn the_time_counts_from_the_end_of_the_look_up() {
    let (names, start) = (names(Counting::default(), 10), Instant::now());
    let clock = Cell::new(start);
    names.ask("a.test", || clock.replace(start + secs(30)), |_| {});
    assert!(names.known("a.test", start + secs(89)).is_some());
    assert!(names.known("a.test", start + secs(90)).is_none());
}

#[test]
fn no_more_names_are_kept_than_there_is_room_for() {
    let (names, start) = (names(Counting::default(), 2), Instant::now());
    let known = |name: &str, now| names.known(name, now).is_some();
    learn(&names, "a.test", start);
    learn(&names, "b.test", start + secs(1));
    learn(&names, "c.test", start + secs(2));
    let now = start + secs(2);
    assert_eq!(
        (known("a.test", now), known("b.test", now), known("c.test", now)),
        (false, true, true),
        "the one that is forgotten first goes"
    );
    // However many there are, failures only take each other's place.
    for number in 0..10 {
        learn(&names, &format!("no{number}.test"), now);
    }
    assert!(known("c.test", now) && known("no9.test", now));
    assert_eq!(names.table().len(), 2);
    // What is out of date goes before what is good for a shorter time.
    let later = start + secs(61);
    learn(&names, "no.test", later);
    learn(&names, "d.test", later);
    assert!(known("d.test", later) && known("no.test", later));
}

#[test]
fn without_room_or_time_nothing_is_kept() {
    let now = Instant::now();
    let resolver = Counting::default();
    let no_room = names(resolver.clone(), 0);
    let timeouts = Timeouts { name_ttl: Duration::ZERO, ..Timeouts::default() };
    let no_time = Names::new(Arc::new(resolver.clone()), &Limits::default(), &timeouts);
    for (names, count) in [(no_room, 2), (no_time, 4)] {
        for _ in 0..2 {
            assert!(ask(&names, "a.test", now).is_ok());
        }
        assert!(names.known("a.test", now).is_none());
        assert_eq!((resolver.count(), names.table().len()), (count, 0));
    }
}

#[test]
fn a_name_that_is_too_long_to_be_one_is_not_asked_for() {
    let resolver = Counting::default();
    let names = names(resolver.clone(), 10);
    let (fits, too_long) = ("a".repeat(254), "a".repeat(255));
    assert!(names.known(&too_long, Instant::now()).unwrap().is_err());
    assert!(ask(&names, &too_long, Instant::now()).is_err());
    assert_eq!(resolver.count(), 0);
    assert!(ask(&names, &fits, Instant::now()).is_ok());
}

#[test]
fn no_addresses_are_a_failure() {
    struct Nothing;
    impl Resolve for Nothing {
        fn resolve(&self, _: &str) -> io::Result<Vec<SocketAddr>> {
            Ok(Vec::new())
        }
    }
    let error = ask(&names(Nothing, 10), "a.test", Instant::now()).unwrap_err().to_error();
    assert_eq!(error.to_string(), "the name has no addresses");
}

/// Tells what it is asked, and answers only when it is told to: `false` makes it panic.
struct Slow(Sender<String>, Receiver<bool>);

impl Resolve for Slow {
    fn resolve(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        self.0.send(name.to_owned()).unwrap();
        assert!(self.1.recv_timeout(PATIENCE).unwrap(), "on purpose");
        Ok(vec!["192.0.2.1:0".parse().unwrap()])
    }
}

#[test]
fn those_who_ask_during_a_look_up_share_it_and_do_not_block() {
    let (asked, questions) = unbounded();
    let (release, released) = bounded(0);
    let names = Arc::new(names(Slow(asked, released), 10));
    let (tell, told) = unbounded();
    let waiter = |number: usize| {
        let tell = tell.clone();
        move |answer: &Answer| tell.send((number, answer.is_ok())).unwrap()
    };
    let (first, of_first) = (Arc::clone(&names), waiter(0));
    let thread = thread::spawn(move || first.ask("a.test", Instant::now, of_first));
    assert_eq!(questions.recv_timeout(PATIENCE).unwrap(), "a.test");
    // These come back at once: with nobody to release the resolver, they would fail otherwise.
    for number in 1..100 {
        names.ask("a.test", Instant::now, waiter(number));
    }
    assert!(names.known("a.test", Instant::now()).is_none());
    assert!(told.is_empty() && questions.is_empty());
    release.send(true).unwrap();
    thread.join().unwrap();
    let expected: Vec<_> = (0..100).map(|number| (number, true)).collect();
    assert_eq!(told.try_iter().collect::<Vec<_>>(), expected);
    assert!(names.known("a.test", Instant::now()).is_some());
}

#[test]
fn a_resolver_that_panics_leaves_nobody_waiting_and_nothing_behind() {
    let (asked, questions) = unbounded();
    let (release, released) = bounded(0);
    let names = Arc::new(names(Slow(asked, released), 10));
    let (tell, told) = unbounded::<()>();
    let waiter = |tell: Sender<()>| move |_: &Answer| tell.send(()).unwrap();
    let (first, of_first) = (Arc::clone(&names), waiter(tell.clone()));
    let thread = thread::spawn(move || first.ask("a.test", Instant::now, of_first));
    questions.recv_timeout(PATIENCE).unwrap();
    names.ask("a.test", Instant::now, waiter(tell));
    release.send(false).unwrap();
    thread.join().unwrap_err();
    assert_eq!(told.recv_timeout(PATIENCE), Err(crossbeam_channel::RecvTimeoutError::Disconnected));
    assert!(names.table().is_empty(), "the next one asks anew");
}

#[test]
fn families_take_turns_and_there_are_not_too_many() {
    let parse = |text: &[&str]| -> Vec<SocketAddr> {
        text.iter().map(|address| format!("{address}:1").parse().unwrap()).collect()
    };
    let mixed = interleaved(parse(&["[::1]", "[::2]", "[::3]", "1.1.1.1"]));
    assert_eq!(mixed, parse(&["[::1]", "1.1.1.1", "[::2]", "[::3]"]));
    let mixed = interleaved(parse(&["1.1.1.1", "1.1.1.2", "[::1]"]));
    assert_eq!(mixed, parse(&["1.1.1.1", "[::1]", "1.1.1.2"]));
    let many = interleaved(vec!["192.0.2.1:1".parse().unwrap(); 100]);
    assert_eq!(many.len(), ADDRESSES);
}
