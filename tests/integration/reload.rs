//! Changes while the real program runs: whole or not at all, and no post is lost or judged by two sets.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]
#![expect(clippy::float_cmp, reason = "metrics that count are whole numbers")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use http::StatusCode;
use rustix::process::Signal;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::program::Program;
use crate::support::socket::{Relay, Socket, TEXT, frames, handshake, masked};
use crate::support::{Client, Upstream};

const HOST: &str = "mastodon.example";

/// Everything that names a patient is redacted; a place becomes this word.
fn policy(word: &str) -> String {
    format!(
        "mode = \"enforce\"\nmessage = \"blocked: {{kinds}} (ref {{ref}})\"\n\n[[clause]]\nname = \"all\"\ncategories = [{CATEGORIES}]\n\
         action = \"redact\"\n\n[replacement]\nlocation = \"{word}\"\n"
    )
}

const CATEGORIES: &str = r#""name", "date", "age", "location", "zip", "phone", "fax", "email", "url", "ip", "photo", "ssn", "mrn", "health-plan", "account", "license", "vehicle", "device", "biometric", "other-id""#;

/// One rule that finds a clinic.
fn rules(id: &str) -> String {
    format!(
        "[[rule]]\nid = \"{id}\"\ncategory = \"location\"\nterms = [\"Cedar Crest\"]\nconfidence = \"certain\"\n\
         why = \"45 CFR 164.514(b)(2)(i)(B)\"\nfinds = [\"seen at Cedar Crest today\"]\n\
         ignores = [\"cedar crested shelves\", \"crest of cedar\"]\n"
    )
}

fn config(upstream: SocketAddr, more: &str) -> String {
    format!(
        "rules = [\"rules.d\"]\npolicy = \"policy.toml\"\n\n[[listener]]\naddress = \"127.0.0.1:0\"\n\n[[route]]\n\
         hosts = [\"{HOST}\"]\nplatform = \"mastodon\"\nupstream = \"http://{upstream}\"\n\n[admin]\naddress = \"127.0.0.1:0\"\n\n\
         [audit]\nfile = \"audit.jsonl\"\nsync = \"none\"\n\n{more}"
    )
}

/// The program with the first of two sets; files are read when it is told to.
fn started(upstream: &Upstream) -> Program {
    started_with(upstream, "[reload]\nwatch = false\n")
}

fn started_with(upstream: &Upstream, more: &str) -> Program {
    started_by(&config(upstream.address, more))
}

/// Without the sandbox, which lets no port be reached that was not named at the start.
fn started_without_sandbox(upstream: &Upstream) -> Program {
    started_by(&format!(
        "sandbox = false\n{}",
        config(upstream.address, "[reload]\nwatch = false\n")
    ))
}

fn started_by(config: &str) -> Program {
    Program::start(&[
        ("postward.toml", config),
        ("policy.toml", &policy("[one]")),
        ("rules.d/ours.toml", &rules("clinic-one")),
    ])
}

/// What the platform got of each post, by its number, and whether all did.
fn texts(upstream: &Upstream) -> BTreeMap<String, Vec<String>> {
    let mut by_number: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for received in upstream.received() {
        let body: Value = serde_json::from_slice(&received.body).unwrap();
        let text = body["status"].as_str().unwrap();
        let number = text.split(' ').next().unwrap().to_owned();
        by_number.entry(number).or_default().push(text.to_owned());
    }
    by_number
}

/// Clients that post without a pause until they are told to stop. Each post has a number of its own.
struct Load {
    stop: Arc<AtomicBool>,
    n_posts: Arc<AtomicUsize>,
    clients: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    fn on(address: SocketAddr, n_clients: usize) -> Self {
        let (stop, n_posts) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let clients = (0..n_clients)
            .map(|_| {
                let (stop, n_posts) = (Arc::clone(&stop), Arc::clone(&n_posts));
                tokio::spawn(async move {
                    let mut client = Client::plain(address).await;
                    while !stop.load(Relaxed) {
                        let number = n_posts.fetch_add(1, Relaxed);
                        let text = format!("{number} a long day at Cedar Crest for all of us");
                        let reply = client.toot(HOST, &text).await;
                        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
                    }
                })
            })
            .collect();
        Self { stop, n_posts, clients }
    }

    /// Waits until so many more posts were begun.
    async fn more(&self, n: usize) {
        let wanted = self.n_posts.load(Relaxed) + n;
        while self.n_posts.load(Relaxed) < wanted {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Stops it, and says how many posts there were.
    async fn end(self) -> usize {
        self.stop.store(true, Relaxed);
        for client in self.clients {
            client.await.unwrap();
        }
        self.n_posts.load(Relaxed)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_no_post_is_lost_and_each_is_judged_by_one_set() {
    let upstream = Upstream::start().await;
    let mut program = started(&upstream);
    let load = Load::on(program.listening[0], 8);
    for n in 0..6 {
        load.more(40).await;
        let (word, id) = if n % 2 == 0 { ("[two]", "clinic-two") } else { ("[one]", "clinic-one") };
        program.put("policy.toml", &policy(word));
        program.put("rules.d/ours.toml", &rules(id));
        if n < 3 {
            program.signal(Signal::HUP);
            program.logged("another configuration is in force");
        } else {
            let reply = program.reload().await;
            assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        }
    }
    load.more(40).await;
    let n_posts = load.end().await;
    let events = program.stop();

    let texts = texts(&upstream);
    assert_eq!(texts.len(), n_posts, "every post came");
    assert!(texts.values().all(|texts| texts.len() == 1), "none came twice");
    // Rule, policy and what was sent are of one set, in every post.
    let mut judged: BTreeMap<(String, String, String), usize> = BTreeMap::new();
    for event in events.iter().filter(|event| event["event"] == "decision") {
        let rule = &event["findings"][0]["rule"];
        let key =
            [rule, &event["rules"], &event["policy"]].map(|it| it.as_str().unwrap().to_owned());
        *judged.entry(key.into()).or_default() += 1;
    }
    assert_eq!(judged.len(), 2, "{judged:#?}");
    let sent = |word: &str| texts.values().filter(|texts| texts[0].contains(word)).count();
    for ((rule, ..), n_judged) in &judged {
        let word = if rule == "clinic-one" { "[one]" } else { "[two]" };
        assert_eq!(sent(word), *n_judged, "{rule}");
    }
    assert_eq!(judged.values().sum::<usize>(), n_posts);

    // Each change stands in the audit, before the first post that was judged by it.
    let changes: Vec<_> = events.iter().filter(|event| event["event"] == "reload").collect();
    let triggers: Vec<_> =
        changes.iter().map(|change| change["trigger"].as_str().unwrap()).collect();
    assert_eq!(triggers, ["signal", "signal", "signal", "request", "request", "request"]);
    for pair in changes.windows(2) {
        for (hash, before) in
            [("rules", "rules-before"), ("policy", "policy-before"), ("config", "config-before")]
        {
            assert_eq!(pair[0][hash], pair[1][before]);
            assert_ne!(pair[0][hash], pair[1][hash]);
        }
    }
    let mut known = BTreeSet::from([changes[0]["rules-before"].to_string()]);
    for event in &events {
        match event["event"].as_str() {
            Some("reload") => drop(known.insert(event["rules"].to_string())),
            Some("decision") => assert!(known.contains(&event["rules"].to_string())),
            _ => {}
        }
    }
}

/// A body that is half sent when another set comes into force: it is judged, audited and sent by the one it began with, and the
/// next request on the same connection by the newest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_is_judged_by_the_set_it_began_with() {
    let upstream = Upstream::start().await;
    let mut program = started(&upstream);
    let mut tcp = tokio::net::TcpStream::connect(program.listening[0]).await.unwrap();
    let request = |text: &str| {
        let body = serde_json::json!({ "status": text }).to_string();
        format!(
            "POST /api/v1/statuses HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let first = request("1 a long day at Cedar Crest");
    // All but its last words: nothing can be judged yet.
    let (begun, rest) = first.split_at(first.len() - 15);
    tcp.write_all(begun.as_bytes()).await.unwrap();
    // Another connection's post shows that the first has begun: the program reads what comes in its order, and this came later.
    let mut other = Client::plain(program.listening[0]).await;
    while program.metric("postward_in_flight").await < 1.0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    program.put("policy.toml", &policy("[two]").replace("\"redact\"", "\"block\""));
    program.put("rules.d/ours.toml", &rules("clinic-two"));
    program.signal(Signal::HUP);
    program.logged("another configuration is in force");
    let reply = other.toot(HOST, "2 a day at Cedar Crest").await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", reply.text());

    tcp.write_all(rest.as_bytes()).await.unwrap();
    assert_eq!(answered(&mut tcp).await, "HTTP/1.1 200 OK");
    tcp.write_all(request("3 a day at Cedar Crest").as_bytes()).await.unwrap();
    assert_eq!(answered(&mut tcp).await, "HTTP/1.1 422 Unprocessable Entity");

    assert_eq!(
        texts(&upstream),
        BTreeMap::from([("1".to_owned(), vec!["1 a long day at [one]".to_owned()])])
    );
    let events = program.stop();
    let change = events.iter().find(|event| event["event"] == "reload").unwrap();
    let decisions: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "decision")
        .map(|event| (event["verdict"].as_str().unwrap(), &event["policy"], &event["rules"]))
        .collect();
    let (before, after) = (
        (&change["policy-before"], &change["rules-before"]),
        (&change["policy"], &change["rules"]),
    );
    assert_eq!(
        decisions,
        [("block", after.0, after.1), ("redact", before.0, before.1), ("block", after.0, after.1)]
    );
}

/// The status line of an answer that has a length.
async fn answered(tcp: &mut tokio::net::TcpStream) -> String {
    let mut read = Vec::new();
    let length = loop {
        assert!(tcp.read_buf(&mut read).await.unwrap() > 0, "no answer");
        let text = std::str::from_utf8(&read).unwrap().to_ascii_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let named = head.split("\r\n").find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= named.map_or(0, |named| named.parse().unwrap()) {
            break head.find("\r\n").unwrap_or(head.len());
        }
    };
    std::str::from_utf8(&read[..length]).unwrap().to_owned()
}

/// What is wrong, how it is made so, and what an operator must be told.
type Bad = (&'static str, fn(&Program), &'static [&'static str]);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_set_changes_nothing_and_is_said_until_it_is_mended() {
    let bad: &[Bad] = &[
        (
            "a rules file written by half",
            |program| {
                let text = rules("clinic-two");
                program.put("rules.d/ours.toml", text.split_at(text.len() - 30).0);
            },
            &["rules.d/ours.toml:8:", "help:"],
        ),
        (
            "a rule that misses its own example",
            |program| program.change("rules.d/ours.toml", "seen at Cedar Crest", "seen at home"),
            &["rules.d/ours.toml", "clinic-one"],
        ),
        (
            "a pattern that is none",
            |program| {
                program.change(
                    "rules.d/ours.toml",
                    "terms = [\"Cedar Crest\"]",
                    "pattern = '(Cedar'",
                );
            },
            &["rules.d/ours.toml:4:", "unclosed group"],
        ),
        (
            "a policy that forgets a category",
            |program| program.change("policy.toml", "\"zip\", ", ""),
            &["policy.toml", "zip"],
        ),
        (
            "a file that is gone",
            |program| std::fs::remove_file(program.file("policy.toml")).unwrap(),
            &["postward.toml:2:", "policy.toml", "does not exist"],
        ),
        (
            "a setting that needs a restart",
            |program| program.change("postward.toml", "sync = \"none\"", "sync = \"group\""),
            &["postward.toml", "`sync` under [audit]", "restart"],
        ),
        (
            "no listener left",
            |program| {
                program.change("postward.toml", "[[listener]]\naddress = \"127.0.0.1:0\"\n", "");
            },
            &["postward.toml", "[[listener]]"],
        ),
    ];
    let upstream = Upstream::start().await;
    let mut program = started(&upstream);
    let mut client = Client::plain(program.listening[0]).await;
    let before = program.status().await;
    let good: Vec<_> = ["postward.toml", "policy.toml", "rules.d/ours.toml"]
        .map(|name| (name, std::fs::read_to_string(program.file(name)).unwrap()))
        .into();
    for (what, spoil, told) in bad {
        spoil(&program);
        let reply = program.reload().await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{what}");
        for words in *told {
            assert!(reply.text().contains(words), "{what}: {words} in {}", reply.text());
        }
        let place = told[0].trim_end_matches(':');
        while !program.logged("fault of the configuration").to_string().contains(place) {}
        let status = program.status().await;
        assert_eq!(status["rules"], before["rules"], "{what}");
        assert_eq!(status["config"]["hash"], before["config"]["hash"], "{what}");
        assert_eq!(status["config"]["error"]["text"], reply.text().trim_end(), "{what}");
        assert_eq!(program.metric("postward_config_last_reload_successful").await, 0.0, "{what}");
        let toot = client.toot(HOST, "a day at Cedar Crest").await;
        assert_eq!(toot.status, StatusCode::OK, "{what}");
        assert!(
            std::str::from_utf8(&upstream.received().last().unwrap().body)
                .unwrap()
                .contains("[one]")
        );

        for (name, text) in &good {
            program.put(name, text);
        }
        let reply = program.reload().await;
        assert_eq!(
            (reply.status, reply.text()),
            (StatusCode::OK, "fine: nothing has changed\n"),
            "{what}"
        );
        assert_eq!(program.status().await["config"]["error"], Value::Null, "{what}");
        assert_eq!(program.metric("postward_config_last_reload_successful").await, 1.0, "{what}");
    }
    let refused = program.metric("postward_config_reloads_total{result=\"refused\"}").await;
    assert_eq!(refused, f64::from(u32::try_from(bad.len()).unwrap()));
    let events = program.stop();
    assert!(events.iter().all(|event| event["event"] != "reload"), "nothing was changed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_signals_starves_nobody() {
    let upstream = Upstream::start().await;
    let program = started(&upstream);
    let load = Load::on(program.listening[0], 4);
    load.more(20).await;
    for _ in 0..50 {
        for _ in 0..40 {
            program.signal(Signal::HUP);
        }
        load.more(2).await;
    }
    let n_posts = load.end().await;
    // The last signal is heard, too.
    let reply = program.reload().await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let n_unchanged = program.metric("postward_config_reloads_total{result=\"unchanged\"}").await;
    assert!((1.0..200.0).contains(&n_unchanged), "{n_unchanged} attempts for 2000 signals");
    let events = program.stop();
    let n_decided = events.iter().filter(|event| event["event"] == "decision").count();
    assert_eq!((n_decided, texts(&upstream).len()), (n_posts, n_posts));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_change_are_read_by_themselves() {
    let upstream = Upstream::start().await;
    let watch = "[reload]\nsettle = \"100 ms\"\n";
    let mut program = started_with(&upstream, watch);
    let mut client = Client::plain(program.listening[0]).await;
    // As editors do.
    program.put("policy.toml", &policy("[two]"));
    program.logged("another configuration is in force");
    client.toot(HOST, "1 at Cedar Crest").await;
    // In place, and a new file in a folder.
    std::fs::write(
        program.file("rules.d/more.toml"),
        rules("clinic-two")
            .replace("Cedar Crest", "Birch Lane")
            .replace("cedar crest", "birch lane")
            .replace("crest of cedar", "lane of birch"),
    )
    .unwrap();
    program.logged("another configuration is in force");
    client.toot(HOST, "2 at Birch Lane").await;
    // A fault that is mended without anybody saying so.
    program.put("policy.toml", "mode = ");
    program.logged("the configuration cannot be used: what ran before goes on");
    client.toot(HOST, "3 at Cedar Crest").await;
    program.put("policy.toml", &policy("[three]"));
    program.logged("another configuration is in force");
    client.toot(HOST, "4 at Cedar Crest").await;
    let got: Vec<_> = texts(&upstream).into_values().flatten().collect();
    assert_eq!(got, ["1 at [two]", "2 at [two]", "3 at [two]", "4 at [three]"]);
    let events = program.stop();
    let changes = events.iter().filter(|event| event["event"] == "reload");
    assert!(changes.clone().all(|change| change["trigger"] == "watch"));
    assert_eq!(changes.count(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_config_map_is_swapped_as_one() {
    use std::os::unix::fs::symlink;

    let upstream = Upstream::start().await;
    let folder = tempfile::TempDir::new().unwrap();
    let root = folder.path().to_owned();
    let watch = "[reload]\nsettle = \"100 ms\"\n";
    let write = |version: &str, word: &str, id: &str| {
        use crate::support::program::write;
        write(&root.join(version).join("postward.toml"), &config(upstream.address, watch));
        write(&root.join(version).join("policy.toml"), &policy(word));
        write(&root.join(version).join("rules.d/ours.toml"), &rules(id));
    };
    write("..first", "[one]", "clinic-one");
    symlink("..first", root.join("..data")).unwrap();
    for name in ["postward.toml", "policy.toml", "rules.d"] {
        symlink(format!("..data/{name}"), root.join(name)).unwrap();
    }
    let mut program = Program::start_in(folder);
    let mut client = Client::plain(program.listening[0]).await;
    client.toot(HOST, "1 at Cedar Crest").await;
    // What the kubelet does with a new version.
    write("..second", "[two]", "clinic-two");
    symlink("..second", root.join("..data_tmp")).unwrap();
    std::fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
    std::fs::remove_dir_all(root.join("..first")).unwrap();
    program.logged("another configuration is in force");
    client.toot(HOST, "2 at Cedar Crest").await;
    let got: Vec<_> = texts(&upstream).into_values().flatten().collect();
    assert_eq!(got, ["1 at [one]", "2 at [two]"]);
    let events = program.stop();
    let rules: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "decision")
        .map(|event| event["findings"][0]["rule"].clone())
        .collect();
    assert_eq!(rules, ["clinic-one", "clinic-two"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn routes_come_and_go() {
    let (upstream, other) = (Upstream::start().await, Upstream::start().await);
    let program = started_without_sandbox(&upstream);
    let mut client = Client::plain(program.listening[0]).await;
    let more = format!(
        "\n[[route]]\nhosts = [\"social.example\"]\nplatform = \"mastodon\"\nupstream = \"http://{}\"\n",
        other.address
    );
    let without = std::fs::read_to_string(program.file("postward.toml")).unwrap();
    assert_eq!(
        client.toot("social.example", "1 hello").await.status,
        StatusCode::MISDIRECTED_REQUEST
    );
    program.put("postward.toml", &(without.clone() + &more));
    assert_eq!(program.reload().await.status, StatusCode::OK);
    // Over the very same connection.
    assert_eq!(client.toot("social.example", "2 hello").await.status, StatusCode::OK);
    // A route that leads elsewhere is dialled anew.
    let moved = without.clone().replace(&upstream.address.to_string(), &other.address.to_string());
    assert_eq!(client.toot(HOST, "3 hello").await.status, StatusCode::OK);
    program.put("postward.toml", &moved);
    assert_eq!(program.reload().await.status, StatusCode::OK);
    assert_eq!(client.toot(HOST, "4 hello").await.status, StatusCode::OK);
    assert_eq!(
        client.toot("social.example", "5 hello").await.status,
        StatusCode::MISDIRECTED_REQUEST
    );
    program.stop();
    let numbers = |upstream: &Upstream| texts(upstream).into_keys().collect::<Vec<_>>();
    assert_eq!(
        (numbers(&upstream), numbers(&other)),
        (vec!["3".into()], vec!["2".into(), "4".to_owned()])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shadow_says_what_it_would_do_and_does_nothing() {
    let upstream = Upstream::start().await;
    let program = started(&upstream);
    let mut client = Client::plain(program.listening[0]).await;
    client.toot(HOST, "1 at Cedar Crest").await;
    // The same, but it would block.
    program.put("next.toml", &policy("[two]").replace("\"redact\"", "\"block\""));
    let config = std::fs::read_to_string(program.file("postward.toml")).unwrap();
    program.put("postward.toml", &format!("shadow = \"next.toml\"\n{config}"));
    let reply = program.reload().await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    assert_eq!(client.toot(HOST, "2 at Cedar Crest").await.status, StatusCode::OK);
    assert_eq!(client.toot(HOST, "3 a quiet day").await.status, StatusCode::OK);
    let series = "postward_shadow_differences_total{verdict=\"block\"}";
    assert_eq!(program.metric(series).await, 1.0);
    assert_eq!(program.metric("postward_shadow_failures_total").await, 0.0);
    // One with a fault is refused with the set that names it.
    program.put("next.toml", "mode = ");
    let reply = program.reload().await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reply.text().contains("next.toml:1:"), "{}", reply.text());
    let got: Vec<_> = texts(&upstream).into_values().flatten().collect();
    assert_eq!(got, ["1 at [one]", "2 at [one]", "3 a quiet day"]);
    let events = program.stop();
    let shadows: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "decision")
        .map(|event| (event["verdict"].as_str().unwrap(), event["shadow"].clone()))
        .collect();
    let would = serde_json::json!({ "verdict": "block", "findings": 1 });
    assert_eq!(shadows, [("redact", Value::Null), ("redact", would), ("forward", Value::Null)]);
}

/// A configuration whose route carries sockets.
fn with_sockets(relay: &Relay) -> String {
    config(relay.address, "[reload]\nwatch = false\n")
        .replace("platform = \"mastodon\"", "platform = \"generic\"\nwebsocket = \"read\"")
}

async fn socket(address: SocketAddr) -> Socket {
    let mut socket = Socket::plain(address).await;
    let head = socket.ask(&handshake(HOST, "/", "")).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    socket
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_an_open_socket_are_judged_by_the_newest_set() {
    let relay = Relay::start("").await;
    let program = started_by(&with_sockets(&relay));
    program.put(
        "rules.d/ours.toml",
        &rules("clinic-one")
            .replace("Cedar Crest", "Birch Lane")
            .replace("cedar crest", "birch lane")
            .replace("crest of cedar", "lane of birch"),
    );
    assert_eq!(program.reload().await.status, StatusCode::OK);
    let mut open = socket(program.listening[0]).await;
    let said = br#"{"text":"a day at Cedar Crest"}"#;
    open.send(&masked(TEXT, said)).await;
    assert_eq!(frames(&relay.received(1).await).len(), 1);
    // From now on the clinic is found, and nothing in a body that no file describes can be edited.
    program.put("rules.d/ours.toml", &rules("clinic-one"));
    assert_eq!(program.reload().await.status, StatusCode::OK);
    open.send(&masked(TEXT, said)).await;
    assert_eq!(open.close_code().await, Some(1008));
    // A socket whose route is gone is closed, also where nobody says anything.
    let mut silent = socket(program.listening[0]).await;
    program.change("postward.toml", "\"read\"", "\"refuse\"");
    assert_eq!(program.reload().await.status, StatusCode::OK);
    assert_eq!(silent.close_code().await, Some(1001));
    let events = program.stop();
    let verdicts: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "decision" && event["method"] == "WEBSOCKET")
        .map(|event| event["verdict"].as_str().unwrap())
        .collect();
    assert_eq!(verdicts, ["forward", "block"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_socket_whose_handshake_spans_a_reload_obeys_the_new_set() {
    let gate = Arc::new(AtomicBool::new(false));
    let opened = Arc::clone(&gate);
    let relay = Relay::answering(move |proof| {
        tokio::task::block_in_place(|| {
            while !opened.load(Relaxed) {
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {proof}\r\n\r\n"
        )
    })
    .await;
    let program = started_by(&with_sockets(&relay));
    let address = program.listening[0];
    let asking = tokio::spawn(socket(address));
    while relay.n_heads() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    program.change("postward.toml", "\"read\"", "\"refuse\"");
    assert_eq!(program.reload().await.status, StatusCode::OK);
    gate.store(true, Relaxed);
    let mut open = asking.await.unwrap();
    open.send(&masked(TEXT, br#"{"text":"a quiet day"}"#)).await;
    assert_eq!(open.close_code().await, Some(1001));
    program.stop();
    let texts = frames(&relay.so_far()).into_iter().filter(|(first, _)| *first == TEXT).count();
    assert_eq!(texts, 0, "nothing went out over a route that is no more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_roster_whose_key_systemd_hands_over_is_read_anew() {
    use crate::support::program::write;

    let upstream = Upstream::start().await;
    let folder = tempfile::TempDir::new().unwrap();
    // Elsewhere than all that is named: what systemd hands over is.
    let credentials = tempfile::TempDir::new().unwrap();
    let key = credentials.path().join("postward-roster-key");
    let postward = |args: &[&std::ffi::OsStr]| {
        let ran = std::process::Command::new(env!("CARGO_BIN_EXE_postward")).args(args).output();
        let ran = ran.unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8(ran.stderr).unwrap());
    };
    postward(&["roster".as_ref(), "key".as_ref(), key.as_ref()]);
    let (roster, table) = (folder.path().join("roster.pwr"), folder.path().join("patients.csv"));
    let build = |people: &str| {
        write(&table, &format!("mrn,first_name,last_name,birth_date\n{people}"));
        let args = ["roster", "build", "--out"].map(std::ffi::OsStr::new);
        let more = [roster.as_os_str(), "--key-file".as_ref(), key.as_ref(), table.as_os_str()];
        postward(&[&args[..], &more[..]].concat());
    };
    build("00412345,Ada,Example,1950-01-02\n");
    let text = config(
        upstream.address,
        "[roster]\nfile = \"roster.pwr\"\n\n[reload]\nsettle = \"100 ms\"\n",
    );
    for (name, text) in [
        ("postward.toml", &text),
        ("policy.toml", &policy("[one]")),
        ("rules.d/ours.toml", &rules("clinic-one")),
    ] {
        write(&folder.path().join(name), text);
    }
    let mut program = Program::start_with(folder, &[("CREDENTIALS_DIRECTORY", credentials.path())]);
    let reply = program.reload().await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    build("00412345,Ada,Example,1950-01-02\n00412346,Ben,Example,1951-01-02\n");
    program.logged("another configuration is in force");
    program.stop();
}

/// A port that nobody listens on.
/// A named pipe is waited for when it is opened: an attempt that hung would keep out every later one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipe_in_place_of_a_file_is_refused_and_the_next_attempt_goes_on() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    let upstream = Upstream::start().await;
    let ca = rcgen::generate_simple_self_signed(["roots.example".to_owned()]).unwrap();
    let text = config(
        upstream.address,
        "[upstream]\nextra-roots = \"roots.pem\"\n\n[roster]\nstaff = \"staff.csv\"\n\n[reload]\nwatch = false\n",
    );
    let good = [("roots.pem", ca.cert.pem()), ("staff.csv", "name\nAda Example\n".to_owned())];
    let program = Program::start(&[
        ("postward.toml", &text),
        ("policy.toml", &policy("[one]")),
        ("rules.d/ours.toml", &rules("clinic-one")),
        (good[0].0, &good[0].1),
        (good[1].0, &good[1].1),
    ]);
    for (name, text) in &good {
        let file = program.file(name);
        std::fs::remove_file(&file).unwrap();
        mknodat(CWD, &file, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let reply = program.reload().await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}: {}", reply.text());
        assert!(reply.text().contains("no file"), "{name}: {}", reply.text());
        std::fs::remove_file(&file).unwrap();
        program.put(name, text);
        program.put("policy.toml", &policy(&format!("[{name}]")));
        let reply = program.reload().await;
        assert!(reply.text().contains("another configuration"), "{name}: {}", reply.text());
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listeners_come_and_go_and_no_other_is_dropped() {
    let upstream = Upstream::start().await;
    let mut program = started_without_sandbox(&upstream);
    let stays = program.listening[0];
    let mut client = Client::plain(stays).await;
    assert_eq!(client.toot(HOST, "1 hello").await.status, StatusCode::OK);

    let second: SocketAddr = ([127, 0, 0, 1], free_port()).into();
    let one = std::fs::read_to_string(program.file("postward.toml")).unwrap();
    let two =
        one.replace("[[route]]", &format!("[[listener]]\naddress = \"{second}\"\n\n[[route]]"));
    program.put("postward.toml", &two);
    program.signal(Signal::HUP);
    assert_eq!(program.listening_now(), [stays, second]);
    let mut over_second = Client::plain(second).await;
    assert_eq!(over_second.toot(HOST, "2 hello").await.status, StatusCode::OK);

    // A post is under way when its listener is taken away.
    let mut under_way = tokio::net::TcpStream::connect(second).await.unwrap();
    let body = br#"{"status":"3 hello"}"#;
    let head = format!(
        "POST /api/v1/statuses HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    under_way.write_all(&[head.as_bytes(), &body[..5]].concat()).await.unwrap();
    while program.metric("postward_in_flight").await < 1.0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    program.put("postward.toml", &one);
    program.signal(Signal::HUP);
    assert_eq!(program.listening_now(), [stays]);
    // Nobody new comes in, and the other listener's connection is still the same one.
    let refused = async {
        while tokio::net::TcpStream::connect(second).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), refused).await.unwrap();
    under_way.write_all(&body[5..]).await.unwrap();
    let mut answer = String::new();
    under_way.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(client.toot(HOST, "4 hello").await.status, StatusCode::OK);

    // An address that another program has: nothing changes.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    program.put(
        "postward.toml",
        &two.replace(&second.to_string(), &taken.local_addr().unwrap().to_string()),
    );
    let reply = program.reload().await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reply.text().contains("another program listens on"), "{}", reply.text());
    assert_eq!(client.toot(HOST, "5 hello").await.status, StatusCode::OK);

    // The operators' own listener moves.
    let moved: SocketAddr = ([127, 0, 0, 1], free_port()).into();
    let admin = "[admin]\naddress = \"127.0.0.1:0\"";
    program.put("postward.toml", &one.replace(admin, &format!("[admin]\naddress = \"{moved}\"")));
    let reply = program.reload().await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    program.admin = moved;
    assert_eq!(program.page("/readyz").await, "{\"ready\":true}\n");
    program.stop();
    assert_eq!(texts(&upstream).len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewed_certificate_is_shown_to_those_who_connect_next() {
    use postward::proxy::tls::Authority;
    use std::os::unix::fs::PermissionsExt as _;

    let upstream = Upstream::start().await;
    let tls = "address = \"127.0.0.1:0\"\ntls = { certificate = \"edge.pem\", key = \"edge.key\" }";
    let config = config(upstream.address, "[reload]\nwatch = false\n").replacen(
        "address = \"127.0.0.1:0\"",
        tls,
        1,
    );
    let folder = tempfile::TempDir::new().unwrap();
    let root = folder.path().to_owned();
    let renew = |authority: &Authority| {
        let leaf = authority.mint(HOST).unwrap();
        let pem = leaf.chain.iter().map(|one| pem("CERTIFICATE", one)).collect::<String>();
        crate::support::program::write(&root.join("edge.pem"), &pem);
        crate::support::program::write(&root.join("edge.key"), &pem_of_key(leaf.key.secret_der()));
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(root.join("edge.key"), mode).unwrap();
    };
    let (first, second) =
        (Authority::generate("First", &[]).unwrap(), Authority::generate("Second", &[]).unwrap());
    renew(&first);
    for (name, text) in [
        ("postward.toml", &config),
        ("policy.toml", &policy("[one]")),
        ("rules.d/ours.toml", &rules("clinic-one")),
    ] {
        crate::support::program::write(&root.join(name), text);
    }
    let program = Program::start_in(folder);
    let address = program.listening[0];
    let mut before = Client::tls(address, &first, HOST).await;
    assert_eq!(before.toot(HOST, "1 hello").await.status, StatusCode::OK);

    // A certificate whose key is another's changes nothing.
    let key = std::fs::read(root.join("edge.key")).unwrap();
    renew(&second);
    let new_key = std::fs::read(root.join("edge.key")).unwrap();
    std::fs::write(root.join("edge.key"), key).unwrap();
    let reply = program.reload().await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reply.text().contains("edge.pem"), "{}", reply.text());
    assert!(crate::support::client::shake(address, &first, HOST, &["http/1.1"]).await.is_ok());

    std::fs::write(root.join("edge.key"), new_key).unwrap();
    assert_eq!(program.reload().await.status, StatusCode::OK);
    let mut after = Client::tls(address, &second, HOST).await;
    assert_eq!(after.toot(HOST, "2 hello").await.status, StatusCode::OK);
    assert!(crate::support::client::shake(address, &first, HOST, &["http/1.1"]).await.is_err());
    // Who was connected stays so.
    assert_eq!(before.toot(HOST, "3 hello").await.status, StatusCode::OK);
    let events = program.stop();
    let changes: Vec<_> = events.iter().filter(|event| event["event"] == "reload").collect();
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0]["rules"], changes[0]["rules-before"]);
    assert_ne!(changes[0]["config"], changes[0]["config-before"]);
}

fn pem(what: &str, bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0, |bits, byte| bits << 8 | usize::from(*byte));
        let bits = bits << (8 * (3 - three.len()));
        for n in 0..4 {
            let letter = LETTERS[bits >> (18 - 6 * n) & 63];
            text.push(if n <= three.len() { char::from(letter) } else { '=' });
        }
    }
    let mut lines = format!("-----BEGIN {what}-----\n");
    for line in text.as_bytes().chunks(64) {
        let _ = writeln!(lines, "{}", std::str::from_utf8(line).unwrap());
    }
    lines + &format!("-----END {what}-----\n")
}

fn pem_of_key(bytes: &[u8]) -> String {
    pem("PRIVATE KEY", bytes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_does_not_grow() {
    let upstream = Upstream::start().await;
    let program = started(&upstream);
    // A client that stays, and posts under each set.
    let mut client = Client::plain(program.listening[0]).await;
    let mut memory = Vec::new();
    for n in 0..50 {
        program.put("policy.toml", &policy(if n % 2 == 0 { "[two]" } else { "[one]" }));
        let reply = program.reload().await;
        assert!(reply.text().contains("another configuration"), "{}", reply.text());
        assert_eq!(client.toot(HOST, "a day at Cedar Crest").await.status, StatusCode::OK);
        memory.push(program.memory());
    }
    // The first few find their size.
    let (early, late) = (memory[5..15].iter().max().unwrap(), memory[40..].iter().max().unwrap());
    assert!(*late < early + (8 << 20), "{memory:?}");
}
