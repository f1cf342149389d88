//! `eval`: measures the engine with a policy on corpora whose identifiers are marked.

mod corpus;
mod report;
mod score;

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use jiff::civil::Date;

use crate::cli::args::{self, EvalFormat};
use crate::cli::eval::corpus::{Corpus, MarkedPost};
use crate::cli::eval::report::{Lists, Scored};
use crate::cli::eval::score::{Found, PostScore};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::judging::{self, NO_PLATFORM};
use crate::cli::progress::Progress;
use crate::cli::style;
use crate::inspect::Inspector;

/// Posts that a thread takes at a time.
const BATCH: usize = 16;

pub(crate) fn run(args: &args::Eval) -> Result<Exit, Failure> {
    let corpora =
        args.corpora.iter().map(|file| corpus::read(file)).collect::<Result<Vec<Corpus>, _>>()?;
    let (_, inspector) = judging::load(args.config.as_deref(), args.policy.as_deref())?;
    let today = args.today.unwrap_or_else(judging::today);
    let progress = Progress::of(corpora.iter().map(|corpus| corpus.posts.len()).sum());
    let mut scored = Vec::with_capacity(corpora.len());
    for corpus in corpora {
        let posts = score_all(&corpus.posts, &inspector, today, &progress)?;
        scored.push(Scored::new(corpus, posts));
    }
    drop(progress);
    let lists = Lists { missed: args.missed, false_alarms: args.false_alarms };
    style::to_stdout(&match args.format {
        EvalFormat::Human => report::human(&scored, lists),
        EvalFormat::Json => format!("{:#}", report::json(&scored, lists)),
    })?;
    Ok(Exit::Fine)
}

/// Scores every post, on all processors; the result is in the posts' order.
fn score_all(
    posts: &[MarkedPost],
    inspector: &Inspector,
    today: Date,
    progress: &Progress,
) -> Result<Vec<PostScore>, Failure> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let start = next.fetch_add(BATCH, Ordering::Relaxed);
            let Some(rest) = posts.get(start..) else { return done };
            if rest.is_empty() {
                return done;
            }
            let batch = rest
                .iter()
                .take(BATCH)
                .map(|post| score_one(post, inspector, today))
                .collect::<Vec<_>>();
            progress.add(batch.len());
            done.push((start, batch));
        }
    };
    let n_threads = thread::available_parallelism().map_or(1, NonZero::get);
    let results = thread::scope(|scope| {
        let threads: Vec<_> = (0..n_threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(thread::ScopedJoinHandle::join).collect::<Vec<_>>()
    });
    let mut batches = Vec::new();
    for result in results {
        batches.extend(
            result.map_err(|_| {
                Failure::plain("a post could not be judged: the engine failed on it")
            })?,
        );
    }
    batches.sort_by_key(|(start, _)| *start);
    Ok(batches.into_iter().flat_map(|(_, batch)| batch).collect())
}

fn score_one(post: &MarkedPost, inspector: &Inspector, today: Date) -> PostScore {
    let platform = post.platform.as_deref().unwrap_or(NO_PLATFORM);
    let judged = inspector.judge_text(&post.text, platform, &[], None, today);
    let findings: Vec<Found> = judged
        .findings
        .into_iter()
        .map(|(finding, judgement)| Found {
            span: finding.span,
            category: finding.category,
            action: judgement.action,
            rule: finding.rule,
            confidence: finding.confidence,
        })
        .collect();
    score::score(post, &findings)
}
