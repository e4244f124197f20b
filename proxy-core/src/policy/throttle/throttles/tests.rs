use super::super::Usage;
use super::*;
use crate::policy::User;
use crate::policy::rules::Mode;
use crate::policy::throttle::{Allowance, Members, Rate, Scope, Volume};

/// 2026-11-25, at noon.
fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_608_000)
}

/// Throttles on a clock that is made up.
struct Stage {
    throttles: Throttles,
    moment: Moment,
    held: Vec<Held>,
    reported: Vec<Arc<str>>,
}

impl Stage {
    fn new(throttles: impl IntoIterator<Item = Throttle>) -> Stage {
        let before = Throttles::default();
        let throttles = Throttles::begin(throttles.into_iter().collect(), &before).unwrap();
        let moment = Moment { now: before.all.origin, today: noon() };
        Stage { throttles, moment, held: Vec::new(), reported: Vec::new() }
    }

    fn pass(&mut self, time: Duration) {
        self.moment.now += time;
        self.moment.today += time;
    }

    fn asks(&mut self, client: u8, host: &str) -> Result<u128, (Reason, u128)> {
        let asking =
            Asking { rule: Some("own"), ..Asking::client([192, 0, 2, client].into()).to(host) };
        let reported = &mut self.reported;
        self.throttles
            .admit_request(&asking, self.moment, &mut self.held, |it| reported.push(it.clone()))
            .map(|wait| wait.as_millis())
            .map_err(|over| (over.reason, over.retry_after.as_millis()))
    }
}

fn asking(client: u8) -> Asking<'static> {
    Asking::client([192, 0, 2, client].into()).to("a.test")
}

fn requests(rate: Rate) -> Throttle {
    Throttle::new("requests", Scope::client(), Allowance::Requests(rate))
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn each_client_has_its_own_requests() {
    let mut stage = Stage::new([requests(Rate::per_second(2).with_burst(1))]);
    assert_eq!(stage.asks(1, "a.test"), Ok(0));
    assert_eq!(stage.asks(1, "a.test"), Err((Reason::RateLimited, 500)));
    assert_eq!(stage.asks(2, "a.test"), Ok(0));
    stage.pass(SECOND / 2);
    assert_eq!(stage.asks(1, "a.test"), Ok(0));
    assert_eq!(stage.throttles.states()[0].over, 1);
    assert_eq!(stage.throttles.states()[0].entries, 2);
}

#[test]
fn who_is_refused_by_one_throttle_owes_the_others_nothing() {
    let all = Throttle::new("all", Scope::All, Allowance::Requests(Rate::per_second(1)));
    let hosts = Throttle::new("hosts", Scope::Host, Allowance::Connections(1));
    let own = requests(Rate::new(1, 100 * SECOND));
    let mut stage = Stage::new([all.clone().over(Excess::Delay(SECOND)), hosts, own]);
    assert_eq!(stage.asks(1, "a.test"), Ok(0));
    // The first delays, the second refuses; and then the third does.
    for _ in 0..10 {
        assert_eq!(stage.asks(2, "A.test"), Err((Reason::ConnectionsLimited, 1000)));
        assert_eq!(stage.asks(1, "b.test"), Err((Reason::RateLimited, 100_000)));
    }
    assert_eq!(stage.held.len(), 1);
    assert_eq!(stage.asks(2, "b.test"), Ok(1000));
    stage.held.clear();
    stage.pass(SECOND);
    assert_eq!(stage.asks(3, "a.test"), Ok(1000));
}

#[test]
fn what_is_only_reported_is_let_through() {
    let rate = Rate::new(1, 100 * SECOND);
    let mut stage = Stage::new([requests(rate).in_mode(Mode::Report)]);
    assert_eq!([stage.asks(1, ""), stage.asks(1, ""), stage.asks(1, "")], [Ok(0); 3]);
    assert_eq!(stage.reported, ["requests".into(), "requests".into()]);
}

#[test]
fn connections_are_counted_while_they_are_there() {
    let two = Throttle::new("two", Scope::client(), Allowance::Connections(2));
    let stage = Stage::new([two.over(Excess::Drop)]);
    let mut held = Vec::new();
    let connect = |client, held: &mut Vec<Held>| {
        let asking = Asking::client([192, 0, 2, client].into());
        stage.throttles.admit_connection(&asking, held, |_| {}).map_err(|over| over.is_dropped)
    };
    assert_eq!([connect(1, &mut held), connect(1, &mut held)], [Ok(()), Ok(())]);
    assert_eq!(connect(1, &mut held), Err(true));
    assert_eq!(connect(2, &mut held), Ok(()));
    held.remove(0);
    assert_eq!(connect(1, &mut held), Ok(()));
    drop(held);
    assert_eq!(stage.throttles.states()[0].entries, 0);
}

fn download(name: &str, scope: Scope, rate: u64) -> Throttle {
    Throttle::new(name, scope, Allowance::Download(Rate::per_second(rate)))
}

#[test]
fn those_who_wait_for_the_same_bytes_come_one_after_the_other() {
    let mut stage = Stage::new([
        download("own", Scope::client(), 1000),
        download("all", Scope::All, 1_000_000),
    ]);
    let leave = |stage: &Stage, credit: &mut u64| {
        stage.throttles.leave(Flow::Down, &asking(1), stage.moment, u64::MAX, credit)
    };
    // A tenth of a second's worth at once.
    assert_eq!(leave(&stage, &mut 0), Leave::Read(100));
    let passed = |stage: &Stage, bytes, credit: &mut u64| {
        stage
            .throttles
            .passed(Flow::Down, &asking(1), stage.moment, bytes, credit, |_| {})
            .unwrap();
    };
    passed(&stage, 100, &mut 0);
    let mut credits = [0; 3];
    for (number, credit) in credits.iter_mut().enumerate() {
        let wait = Duration::from_millis(50 * (number as u64 + 1));
        assert_eq!(leave(&stage, credit), Leave::Wait(wait));
        assert_eq!(*credit, 50);
    }
    stage.pass(Duration::from_millis(50));
    assert_eq!(leave(&stage, &mut credits[0]), Leave::Read(50));
    passed(&stage, 30, &mut credits[0]);
    assert_eq!(credits[0], 20);
    // What is not needed is there for others.
    stage.throttles.give_back(Flow::Down, &asking(1), stage.moment, 20);
    assert_eq!(leave(&stage, &mut 0), Leave::Wait(Duration::from_millis(130)));
    // The other direction is free, and so are others.
    assert!(!stage.throttles.count(Flow::Up) && stage.throttles.count(Flow::Down));
    assert_eq!(
        stage.throttles.leave(Flow::Down, &asking(2), stage.moment, u64::MAX, &mut 0),
        Leave::Read(100)
    );
}

#[test]
fn a_volume_is_used_up_and_there_is_more_the_next_day() {
    let daily = Throttle::new("daily", Scope::client(), Allowance::Volume(Volume::daily(1000)));
    let mut stage = Stage::new([daily.clone()]);
    assert_eq!(stage.asks(1, ""), Ok(0));
    let pass = |stage: &Stage, bytes| {
        let passed =
            stage.throttles.passed(Flow::Up, &asking(1), stage.moment, bytes, &mut 0, |_| {});
        passed.map_err(|over| over.reason)
    };
    assert_eq!(pass(&stage, 999), Ok(()));
    assert_eq!(stage.asks(1, ""), Ok(0));
    assert_eq!(pass(&stage, 1), Err(Reason::QuotaExceeded));
    assert_eq!(stage.asks(1, ""), Err((Reason::QuotaExceeded, 12 * 3_600_000)));
    assert_eq!(stage.asks(2, ""), Ok(0));
    let usage = stage.throttles.usage_at(stage.moment.today);
    assert_eq!(usage[0].to_string(), "daily 2026-11-25 1000 192.0.2.1");
    // Another run has it, too; and not the next day.
    let mut other = Stage::new([daily]);
    other.throttles.restore_at(usage.clone(), other.moment.today);
    assert!(other.asks(1, "").is_err() && other.asks(2, "").is_ok());
    let mut tomorrow = Stage::new([requests(Rate::per_second(1))]);
    tomorrow.throttles.restore_at(usage, tomorrow.moment.today);
    assert_eq!(tomorrow.asks(1, ""), Ok(0));
    stage.pass(12 * 3600 * SECOND);
    assert_eq!(stage.asks(1, ""), Ok(0));
    assert_eq!(stage.throttles.usage_at(stage.moment.today), []);
}

#[test]
fn hosts_that_look_like_addresses_are_restored_as_hosts() {
    let hosts = Throttle::new("hosts", Scope::Host, Allowance::Volume(Volume::monthly(10)));
    let mut stage = Stage::new([hosts]);
    let lines = ["hosts 2026-11 10 192.0.2.1", "hosts 2026-10 10 a.test", "none 2026-11 10 a.test"];
    let usage = lines.map(|line| line.parse().unwrap());
    stage.throttles.restore_at(usage, stage.moment.today);
    assert!(stage.asks(1, "192.0.2.1").is_err());
    assert!(stage.asks(1, "a.test").is_ok());
}

#[test]
fn throttles_keep_their_counts_by_their_names() {
    let rate = |amount| requests(Rate::new(amount, 100 * SECOND).with_burst(1));
    let mut stage = Stage::new([rate(1)]);
    assert_eq!(stage.asks(1, ""), Ok(0));
    stage.throttles = Throttles::begin(vec![rate(2)], &stage.throttles).unwrap();
    // What is owed is owed still; and what is taken from now on costs less.
    assert_eq!(stage.asks(1, ""), Err((Reason::RateLimited, 100_000)));
    stage.pass(100 * SECOND);
    assert_eq!(stage.asks(1, ""), Ok(0));
    assert_eq!(stage.asks(1, ""), Err((Reason::RateLimited, 50_000)));
    let mut renamed = rate(2);
    renamed.name = "other".into();
    stage.throttles = Throttles::begin(vec![renamed], &stage.throttles).unwrap();
    assert_eq!(stage.asks(1, ""), Ok(0));
    let twice = Throttles::begin(vec![rate(1), rate(2)], &stage.throttles);
    assert_eq!(twice.unwrap_err(), ("requests".into(), ThrottleError::Twice));
}

#[test]
fn users_have_counts_of_their_own_wherever_they_come_from() {
    let own = Throttle::new("own", Scope::User, Allowance::Requests(Rate::new(1, 100 * SECOND)));
    let guests = Members { users: vec!["cy".to_owned()], groups: vec!["guests".to_owned()] };
    let few = Throttle::new("few", Scope::User, Allowance::Volume(Volume::daily(10)));
    let stage = Stage::new([own.with_entries(10), few.only_for(guests)]);
    let ask = |user: Option<&User>, client: u8| {
        let asking = Asking { user, ..asking(client) };
        let admitted =
            stage.throttles.admit_request(&asking, stage.moment, &mut Vec::new(), |_| {});
        admitted.map_err(|over| over.name.to_string())
    };
    let mut ann = User::new("ann");
    ann.groups = vec!["staff".to_owned()];
    let mut bob = User::new("bob");
    bob.groups = vec!["guests".to_owned()];
    assert!(ask(Some(&ann), 1).is_ok());
    assert_eq!(ask(Some(&ann), 2), Err("own".to_owned()));
    assert!(ask(Some(&bob), 1).is_ok());
    // Of those who have not said who they are, nothing is counted.
    assert!((0..5).all(|_| ask(None, 1).is_ok()));
    assert_eq!(stage.throttles.states()[0].entries, 2);
    let load = |user: &User| {
        let asking = asking(1).by(user);
        let passed = stage.throttles.passed(Flow::Down, &asking, stage.moment, 10, &mut 0, |_| {});
        passed.is_ok()
    };
    assert!(load(&ann) && load(&ann) && !load(&bob) && !load(&User::new("cy")));
    let usage: Vec<_> = stage.throttles.usage_at(noon()).iter().map(Usage::whose).collect();
    assert_eq!((usage.len(), usage.contains(&"bob".to_owned())), (2, true));
    // And in another run they are found again.
    let mut other = Stage::new([stage.throttles.running()[1].throttle.clone()]);
    other.throttles.restore_at(stage.throttles.usage_at(noon()), noon());
    let admit = |user: &User, held: &mut Vec<Held>| {
        other.throttles.admit_request(&asking(3).by(user), other.moment, held, |_| {}).is_ok()
    };
    assert!(admit(&ann, &mut other.held) && !admit(&bob, &mut other.held));
}

#[test]
fn clocks_that_jump_give_nobody_more_and_lock_nobody_out() {
    let day = Duration::from_secs(86_400);
    let monthly = Throttle::new("month", Scope::client(), Allowance::Volume(Volume::monthly(10)));
    let mut stage = Stage::new([requests(Rate::new(1, 100 * SECOND)), monthly]);
    assert_eq!(stage.asks(1, ""), Ok(0));
    let used = |stage: &Stage| {
        let passed = stage.throttles.passed(Flow::Up, &asking(1), stage.moment, 10, &mut 0, |_| {});
        passed.map_err(|over| over.reason)
    };
    assert_eq!(used(&stage), Err(Reason::QuotaExceeded));
    // The time of day has no say in rates, whichever way it goes.
    for today in [noon() - 400 * day, noon() + 400 * day] {
        stage.moment.today = today;
        assert_eq!(stage.asks(1, "").unwrap_err().0, Reason::RateLimited);
    }
    stage.moment.now += 1000 * SECOND;
    // Set back by a month: what was used stays used, until that month ends, and not until its own.
    stage.moment.today = noon() - 30 * day;
    assert_eq!(stage.asks(1, "").unwrap_err().0, Reason::QuotaExceeded);
    assert_eq!(used(&stage), Err(Reason::QuotaExceeded));
    stage.moment.today = noon();
    assert_eq!(stage.asks(1, ""), Ok(0));
    // Ahead by mistake, and right again: that month is not the last one with anything in it.
    stage.moment.today = noon() + 4000 * day;
    assert_eq!(used(&stage), Err(Reason::QuotaExceeded));
    stage.moment = Moment { now: stage.moment.now + 1000 * SECOND, today: noon() };
    assert_eq!(stage.asks(1, "").unwrap_err().0, Reason::QuotaExceeded);
    assert_eq!(used(&stage), Err(Reason::QuotaExceeded), "it is of this month now");
    stage.moment.today = noon() + 31 * day;
    assert_eq!(stage.asks(1, ""), Ok(0));
    // The machine's other clock never goes back; if it did, that would be no time at all.
    let earlier = stage.moment.now - 2000 * SECOND;
    stage.moment.now = earlier;
    assert_eq!(stage.asks(1, "").unwrap_err().0, Reason::RateLimited);
}
