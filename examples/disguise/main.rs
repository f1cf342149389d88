//! Writes disguised copies of a marked corpus, marks carried over: for tests, for measuring, for fitting weights.
//!
//! ```text
//! cargo run --example disguise -- list
//! cargo run --example disguise -- TRANSFORM  IN.jsonl > OUT.jsonl     the marked words alone
//! cargo run --example disguise -- TRANSFORM --whole IN.jsonl          the whole post
//! cargo run --example disguise -- mixed      IN.jsonl                 each post by the next transform in turn
//! ```
//!
//! Each line of `IN.jsonl` is an object with `id`, `text` and `spans` (`start`, `end`, `label`; offsets in code points),
//! as `postward eval` reads it; `-` is standard input. Other keys are kept. A post in which a transform changes nothing
//! is left out, so is one whose marks overlap. `mixed` takes all that a reader can undo by eye, and no code such as
//! base64. A copy's id is `<id>+<transform>`, and its note says `obfuscation`, so
//! that `eval` counts it among the obfuscated.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that writes to its caller"
)]

mod tables;
mod transform;

use std::fs;
use std::io::{self, Read as _};
use std::ops::Range;
use std::process::ExitCode;

use serde_json::{Map, Value, json};
use transform::{ALL, Transform, cut};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let whole = args.iter().any(|arg| arg == "--whole");
    let names: Vec<&str> =
        args.iter().map(String::as_str).filter(|arg| *arg != "--whole").collect();
    match names.as_slice() {
        ["list"] => {
            for transform in ALL {
                println!("{}", transform.name);
            }
            ExitCode::SUCCESS
        }
        [name, file] => match copies(name, file, whole) {
            Ok(()) => ExitCode::SUCCESS,
            Err(fault) => {
                eprintln!("error: {fault}");
                ExitCode::FAILURE
            }
        },
        _ => {
            eprintln!("usage: disguise list | disguise TRANSFORM|mixed [--whole] IN.jsonl");
            ExitCode::from(2)
        }
    }
}

fn copies(name: &str, file: &str, whole: bool) -> Result<(), String> {
    let chosen: Vec<&Transform> = match name {
        "mixed" => ALL.iter().filter(|transform| transform.legible).collect(),
        name => {
            vec![Transform::named(name).ok_or_else(|| format!("there is no transform `{name}`"))?]
        }
    };
    let mut text = String::new();
    if file == "-" {
        io::stdin().read_to_string(&mut text).map_err(|error| error.to_string())?;
    } else {
        text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    }
    // In turn, and where one has nothing to change in a post the next that has takes it.
    let mut turn = 0;
    for (nth, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let post: Map<String, Value> = serde_json::from_str(line)
            .map_err(|_| format!("{file}, line {}: is no JSON object", nth + 1))?;
        let copy = (0..chosen.len()).find_map(|by| {
            let transform = chosen.get((turn + by) % chosen.len())?;
            copy(&post, transform, whole).map(|copy| (by, copy))
        });
        if let Some((by, copy)) = copy {
            turn += by + 1;
            println!("{}", Value::Object(copy));
        }
    }
    Ok(())
}

/// The disguised copy of a post; `None` where nothing changes, or its marks are not as they should be.
fn copy(
    post: &Map<String, Value>,
    transform: &Transform,
    whole: bool,
) -> Option<Map<String, Value>> {
    let text = post.get("text")?.as_str()?;
    let offsets: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let mut spans: Vec<Map<String, Value>> = post
        .get("spans")?
        .as_array()?
        .iter()
        .map(|span| span.as_object().cloned())
        .collect::<Option<_>>()?;
    let place = |span: &Map<String, Value>, key: &str| {
        usize::try_from(span.get(key)?.as_u64()?).ok().and_then(|at| offsets.get(at).copied())
    };
    spans.sort_by_key(|span| place(span, "start"));
    let ranges: Vec<Range<usize>> = spans
        .iter()
        .map(|span| Some(place(span, "start")?..place(span, "end")?))
        .collect::<Option<_>>()?;
    let (disguised, places) = transform.run(&cut(text, ranges)?, whole);
    if disguised == text {
        return None;
    }
    let count = |at: usize| disguised.get(..at).map(|head| head.chars().count());
    for (span, place) in spans.iter_mut().zip(places) {
        span.insert("start".to_owned(), json!(count(place.start)?));
        span.insert("end".to_owned(), json!(count(place.end)?));
    }
    let mut copy = post.clone();
    let id = post.get("id").and_then(Value::as_str).unwrap_or_default();
    copy.insert("id".to_owned(), json!(format!("{id}+{}", transform.name)));
    copy.insert("text".to_owned(), json!(disguised));
    copy.insert("spans".to_owned(), json!(spans));
    copy.insert("note".to_owned(), json!(format!("obfuscation: {}", transform.name)));
    // Marks of other kinds do not move with the text.
    copy.remove("extra");
    copy.remove("not_phi");
    Some(copy)
}
