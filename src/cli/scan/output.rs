//! What `scan` writes: for people, or JSON lines in the order of keys that scripts rely on.

use std::io::{self, BufWriter, StdoutLock, Write};

use anstream::AutoStream;

use crate::cli::scan::input::Post;
use crate::cli::scan::{human, jsonl};
use crate::cli::style;
use crate::detect::Explained;
use crate::inspect::TextInspection;
use crate::policy::Action;

/// Where judged posts go.
pub(super) struct Output<'a> {
    form: Form,
    out: Box<dyn Write + 'a>,
    counts: Counts,
}

#[derive(Clone, Copy)]
enum Form {
    Human,
    Jsonl,
}

/// How many posts got which verdict.
#[derive(Default)]
#[expect(clippy::struct_field_names, reason = "counts are named so")]
struct Counts {
    n_forward: usize,
    n_redact: usize,
    n_block: usize,
    n_unread: usize,
}

impl<'a> Output<'a> {
    pub(super) fn human(out: AutoStream<StdoutLock<'static>>) -> Self {
        Self { form: Form::Human, out: Box::new(BufWriter::new(out)), counts: Counts::default() }
    }

    pub(super) fn jsonl(out: StdoutLock<'a>) -> Self {
        Self {
            form: Form::Jsonl,
            out: Box::new(BufWriter::with_capacity(64 * 1024, out)),
            counts: Counts::default(),
        }
    }

    pub(super) fn write(
        &mut self,
        post: &Post,
        judged: &TextInspection,
        candidates: Option<&[Explained]>,
    ) -> io::Result<()> {
        match judged.action {
            None | Some(Action::Log) => self.counts.n_forward += 1,
            Some(Action::Redact) => self.counts.n_redact += 1,
            Some(Action::Block) => self.counts.n_block += 1,
        }
        match self.form {
            Form::Human => human::write(&mut self.out, post, judged, candidates),
            Form::Jsonl => jsonl::write(&mut self.out, post, judged, candidates),
        }
    }

    /// Counts a line that is no post, and shows what was judged before it, so that its fault stands behind it.
    pub(super) fn unread(&mut self) -> io::Result<()> {
        self.counts.n_unread += 1;
        self.flush()
    }

    /// Whether every line could be read.
    pub(super) fn is_whole(&self) -> bool {
        self.counts.n_unread == 0
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// The last words.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        if let Form::Human = self.form {
            let Counts { n_forward, n_redact, n_block, n_unread } = self.counts;
            let posts = style::count(n_forward + n_redact + n_block, "post");
            write!(
                self.out,
                "\n{posts}: {n_forward} to forward, {n_redact} to redact, {n_block} to block"
            )?;
            if n_unread > 0 {
                write!(self.out, "; {} not judged", style::count(n_unread, "line"))?;
            }
            writeln!(self.out)?;
        }
        self.out.flush()
    }
}
