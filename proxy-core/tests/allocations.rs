//! A keep-alive exchange, its record included, allocates nothing once its connections have done
//! the same before: heads, buffers, batches of records and lines are used again.
//!
//! One test, alone in its binary: the allocator counts for the whole process. So the client and
//! the origin here allocate nothing either, and whatever is counted is the proxy's, on its loop or
//! on its log thread.

mod support;

use std::alloc::System;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use proxy_core::rules::{
    Denial, DomainList, FieldPattern, Mode, NetworkList, Rule, RuleSet, Rules, Schedule, Verdict,
};
use proxy_core::throttle::{Allowance, Rate, Scope, Throttle, Volume};
use proxy_core::{
    Action, AuthHandler, Authentication, Authenticator, ConnectionHandler, Exchange,
    FixedUpstreamHandler, JsonLogger, LogFile, Login, ResponseAction, RulesHandler, User,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use support::{PATIENCE, Stage};

#[global_allocator]
static MEMORY: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Clients, each with a request under way.
const CLIENTS: usize = 8;
/// Requests of each client in a window.
const ROUNDS: usize = 128;
/// A batch of records that is emptied late, because the log thread had no core, is replaced by a
/// new one. That is no allocation for each exchange, and does not happen in every window; what an
/// exchange allocates does.
const WINDOWS: usize = 20;

/// What is said and answered again and again. Both end with a mark that is nowhere else in them.
struct Talk {
    name: &'static str,
    proxy: Set,
    request: &'static str,
    request_ends: &'static [u8],
    response: &'static str,
    response_ends: &'static [u8],
}

/// What kind of proxy is asked.
#[derive(Clone, Copy)]
enum Set {
    Fixed,
    Forward,
    /// A forward proxy behind rules.
    Ruled,
    /// A forward proxy that knows its users, has rules, and counts everything for everybody.
    Throttled,
}

const TALKS: [Talk; 6] = [
    Talk {
        name: "GET from a fixed upstream",
        proxy: Set::Fixed,
        request: "GET /page?with=query HTTP/1.1\r\nHost: HOST\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n",
        request_ends: b"\r\n\r\n",
        response: "HTTP/1.1 200 OK\r\nServer: test\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
                   Content-Type: text/plain\r\nContent-Length: 9\r\n\r\nall of it",
        response_ends: b"\r\n\r\nall of it",
    },
    Talk {
        name: "GET through a forward proxy",
        proxy: Set::Forward,
        request: "GET http://HOST/page HTTP/1.1\r\nHost: HOST\r\nReferer: http://HOST/\r\n\r\n",
        request_ends: b"\r\n\r\n",
        response: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall of it",
        response_ends: b"\r\n\r\nall of it",
    },
    Talk {
        name: "GET that rules let pass, and its response, too",
        proxy: Set::Ruled,
        request: "GET http://HOST/x/../page?%41 HTTP/1.1\r\nHost: HOST\r\nUser-Agent: test/1\r\n\r\n",
        request_ends: b"\r\n\r\n",
        response: "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\
                   Content-Length: 9\r\n\r\nall of it",
        response_ends: b"\r\n\r\nall of it",
    },
    Talk {
        name: "POST that throttles count",
        proxy: Set::Throttled,
        request: "POST http://HOST/form HTTP/1.1\r\nHost: HOST\r\n\
                  Proxy-Authorization: Basic YW5uOnJpZ2h0\r\nContent-Length: 9\r\n\r\nall of it",
        request_ends: b"\r\n\r\nall of it",
        response: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall of it",
        response_ends: b"\r\n\r\nall of it",
    },
    Talk {
        name: "POST, answered in chunks",
        proxy: Set::Fixed,
        request: "POST /form HTTP/1.1\r\nHost: HOST\r\nContent-Length: 9\r\n\r\nall of it",
        request_ends: b"\r\n\r\nall of it",
        response: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nall of it\r\n0\r\n\r\n",
        response_ends: b"\r\n0\r\n\r\n",
    },
    Talk {
        name: "POST in chunks, answered without a body",
        proxy: Set::Forward,
        request: "POST http://HOST/form HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n\
                  9\r\nall of it\r\n0\r\n\r\n",
        request_ends: b"\r\n0\r\n\r\n",
        response: "HTTP/1.1 204 No Content\r\n\r\n",
        response_ends: b"\r\n\r\n",
    },
];

/// Knows who asks, and leaves the rest to rules.
struct Known(Arc<User>, RulesHandler);

impl ConnectionHandler for Known {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        exchange.set_user(Arc::clone(&self.0));
        self.1.request(exchange)
    }

    fn response(&self, exchange: &mut Exchange<'_>) -> ResponseAction {
        self.1.response(exchange)
    }
}

fn known() -> Arc<User> {
    let mut user = User::new("ann");
    user.groups = ["staff", "admins"].map(str::to_owned).into();
    Arc::new(user)
}

/// Rules with each condition that costs more than a comparison. All but the last are looked at in
/// vain; one reports.
fn rules() -> Rules {
    let networks = Arc::new(NetworkList::parse("192.0.2.0/24\n2001:db8::/32").unwrap());
    let domains = Arc::new(DomainList::parse("ads.test\n0.0.0.0 tracker.test").unwrap());
    let deny = |name: &str| Rule::new(name, Verdict::deny(Denial::new()));
    RuleSet::new([
        deny("hosts").when(|it| it.hosts = vec![".a.test".parse().unwrap()]),
        deny("glob").when(|it| it.hosts = vec!["*.b.test".parse().unwrap()]),
        deny("domains").when(|it| it.domain_lists = vec![domains]),
        deny("networks").when(|it| it.client_lists = vec![networks]),
        deny("clients").when(|it| it.clients = vec!["192.0.2.0/24".parse().unwrap()]),
        deny("users").when(|it| it.users = ["bob", "cy"].map(str::to_owned).into()),
        deny("groups").when(|it| it.groups = ["pupils", "guests"].map(str::to_owned).into()),
        deny("night").when(|it| {
            it.schedule = Some(Schedule::new([], ["00:00-24:00".parse().unwrap()]));
            it.urls = vec!["http://*/private/*".parse().unwrap()];
        }),
        deny("agents").when(|it| {
            it.fields = vec![FieldPattern::with_value("User-Agent", "wget/*").unwrap()];
        }),
        deny("trial").when(|it| it.urls = vec!["*/page?A".parse().unwrap()]).in_mode(Mode::Report),
        deny("videos").when(|it| it.content_types = vec!["video/*".parse().unwrap()]),
        deny("long").when(|it| it.longer_than = Some(1000)),
        Rule::new("own", Verdict::Allow).when(|it| it.hosts = vec!["127.0.0.1".parse().unwrap()]),
    ])
    .otherwise(Verdict::deny(Denial::new()))
    .compile()
    .unwrap()
}

/// All kinds of them, for all whose counts there can be, and so much of everything that nothing has to
/// wait.
fn throttles() -> Vec<Throttle> {
    let many = Rate::per_second(1 << 40);
    let kinds = [
        ("connections", Allowance::Connections(1000)),
        ("requests", Allowance::Requests(many)),
        ("up", Allowance::Upload(many)),
        ("down", Allowance::Download(many)),
        ("volume", Allowance::Volume(Volume::monthly(1 << 50))),
    ];
    let scopes = [
        ("all", Scope::All),
        ("client", Scope::client()),
        ("host", Scope::Host),
        ("user", Scope::User),
        ("rule", Scope::Rule),
    ];
    let each = scopes.iter().flat_map(|(whose, scope)| {
        let of = |(kind, allowance): &(&str, Allowance)| {
            Throttle::new(format!("{kind}-{whose}"), *scope, allowance.clone())
        };
        kinds.iter().map(of).collect::<Vec<_>>()
    });
    each.collect()
}

/// Everybody is who they say.
struct Believes;

impl Authenticator for Believes {
    fn check(&self, login: &Login<'_>) -> Authentication {
        Authentication::Accepted(User::new(login.user))
    }
}

/// Reads one message into memory on the stack. `false` at the end of the stream.
fn hear(stream: &mut TcpStream, ends: &[u8]) -> bool {
    let mut message = [0; 2048];
    let mut length = 0;
    while !message[..length].ends_with(ends) {
        match stream.read(&mut message[length..]).expect("a message comes in time") {
            0 => return false,
            count => length += count,
        }
    }
    true
}

fn open(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Answers each message with the same bytes, on a thread for each connection.
fn origin(talk: &'static Talk) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                let mut stream = stream;
                while hear(&mut stream, talk.request_ends) {
                    stream.write_all(talk.response.as_bytes()).unwrap();
                }
            });
        }
    });
    address
}

/// The allocations during one window.
fn allocations_of(clients: &mut [TcpStream], request: &[u8], talk: &Talk) -> usize {
    let before = MEMORY.stats();
    for _ in 0..ROUNDS {
        for client in clients.iter_mut() {
            client.write_all(request).unwrap();
        }
        for client in clients.iter_mut() {
            assert!(hear(client, talk.response_ends), "{}: the connection stays open", talk.name);
        }
    }
    let after = MEMORY.stats();
    (after.allocations - before.allocations) + (after.reallocations - before.reallocations)
}

#[test]
fn a_steady_exchange_allocates_nothing_and_is_logged() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("allocations.log");
    for talk in &TALKS {
        let _ = std::fs::remove_file(&file);
        let origin = origin(talk);
        let log = JsonLogger::new(LogFile::append(&file).unwrap());
        let stage = Stage::with(|builder| {
            let builder = builder.logger(log);
            match talk.proxy {
                Set::Fixed => {
                    let upstream = origin.to_string().parse().unwrap();
                    builder.handler(FixedUpstreamHandler::new(upstream))
                }
                Set::Forward => builder,
                // The log thread finds names there that it knows.
                Set::Ruled => {
                    builder.metrics_top(5).handler(Known(known(), RulesHandler::new(rules())))
                }
                Set::Throttled => {
                    let handler =
                        AuthHandler::new(Believes).in_front_of(RulesHandler::new(rules()));
                    builder.handler(handler).throttles(throttles())
                }
            }
        });
        let request = talk.request.replace("HOST", &origin.to_string());
        let mut clients: Vec<_> = (0..CLIENTS).map(|_| open(stage.address)).collect();

        let mut seen = Vec::with_capacity(WINDOWS);
        while seen.last() != Some(&0) && seen.len() < WINDOWS {
            seen.push(allocations_of(&mut clients, request.as_bytes(), talk));
        }
        let exchanges = CLIENTS * ROUNDS;
        println!("{}: allocations in windows of {exchanges} exchanges: {seen:?}", talk.name);
        assert_eq!(seen.last(), Some(&0), "{}: {exchanges} exchanges allocate", talk.name);

        drop(clients);
        stage.finish();
        let log = std::fs::read_to_string(&file).unwrap();
        if let Set::Throttled = talk.proxy {
            assert!(log.lines().all(|line| line.contains("\"user\":\"ann\"")));
        }
        if let Set::Ruled = talk.proxy {
            let told = |line: &str| line.contains("\"rule\":\"own\",\"reported\":\"trial\"");
            assert!(log.lines().all(told), "{:?}", log.lines().next());
        }
        assert_eq!(
            log.lines().count(),
            seen.len() * exchanges,
            "{}: each exchange is logged",
            talk.name
        );
    }
    std::fs::remove_file(&file).unwrap();
}
