//! How people see a judged post: what was found, who decided, and on request why.

use std::io::{self, Write};

use crate::cli::scan::input::Post;
use crate::cli::style::{self, paint};
use crate::detect::{Explained, Part};
use crate::inspect::TextInspection;
use crate::policy::{Action, DecidedBy, Judgement};
use crate::rules::Confidence;

pub(super) fn write(
    out: &mut dyn Write,
    post: &Post,
    judged: &TextInspection,
    candidates: Option<&[Explained]>,
) -> io::Result<()> {
    let id = style::printable(&post.id.to_string());
    let color = match judged.action {
        None | Some(Action::Log) => style::GOOD,
        Some(Action::Redact) => style::WARNING,
        Some(Action::Block) => style::ERROR,
    };
    writeln!(
        out,
        "{}  {color}{:<7}{color:#}  {}",
        paint(style::HEADING, &id),
        judged.verdict(),
        style::printable(&post.text)
    )?;
    for (finding, judgement) in &judged.findings {
        let words = finding.span.of(&post.text).unwrap_or_default();
        writeln!(
            out,
            "    {:<6}  {:<11} {:<8} {}  \"{}\"  {}",
            judgement.action.as_str(),
            finding.category.as_str(),
            finding.confidence.as_str(),
            finding.rule,
            style::printable(words),
            paint(style::QUIET, &decided(judgement)),
        )?;
    }
    if let Some(redacted) = &judged.redacted {
        writeln!(
            out,
            "    {}  {}",
            paint(style::HEADING, "becomes"),
            style::printable(redacted.expose())
        )?;
    }
    if let Some(candidates) = candidates {
        write_reasons(out, post, judged, candidates)?;
    }
    Ok(())
}

fn decided(judgement: &Judgement) -> String {
    match &judgement.by {
        DecidedBy::Clause(name) => format!("by clause {name}"),
        DecidedBy::Exception(name) => format!("by exception {name}"),
        DecidedBy::NoClause => "no clause applies".to_owned(),
    }
}

/// Why each candidate was found, or was not.
fn write_reasons(
    out: &mut dyn Write,
    post: &Post,
    judged: &TextInspection,
    candidates: &[Explained],
) -> io::Result<()> {
    let care = &judged.care;
    let says = if care.speaks_of_care { "speaks" } else { "does not speak" };
    // A certain number or a name that says so itself needs no sum.
    let sum = if care.candidates.is_finite() {
        let sum = care.score + care.candidates;
        format!(", candidates {:+.2}: {sum:+.2} of {:+.2}", care.candidates, care.trigger)
    } else {
        String::new()
    };
    let alone = care.speaks_of_care && care.score + care.candidates < care.trigger;
    let why = if alone { ", by a number or name that says so itself" } else { "" };
    writeln!(out, "    care {:+.2}{sum}: {says} of a patient's care{why}", care.score)?;
    write_parts(out, &care.parts)?;
    for candidate in candidates {
        let words = candidate.span.of(&post.text).unwrap_or_default();
        writeln!(
            out,
            "    {} {} \"{}\": {}, {}",
            paint(style::QUIET, "candidate"),
            candidate.rule,
            style::printable(words),
            candidate.confidence.map_or("no finding", Confidence::as_str),
            candidate.outcome,
        )?;
        write_parts(out, &candidate.parts)?;
    }
    Ok(())
}

/// What counts most comes first; what counts nothing is left to `jsonl`.
fn write_parts(out: &mut dyn Write, parts: &[Part]) -> io::Result<()> {
    const NOTHING: f32 = 0.005;
    let mut counting: Vec<&Part> =
        parts.iter().filter(|part| part.points.abs() >= NOTHING).collect();
    counting.sort_by(|a, b| b.points.abs().total_cmp(&a.points.abs()));
    let words: Vec<String> =
        counting.iter().map(|part| format!("{}\u{a0}{:+.2}", part.feature, part.points)).collect();
    for line in style::wrap(&words.join(", "), 88) {
        writeln!(out, "        {}", line.replace('\u{a0}', " "))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::write;
    use crate::cli::scan::samples::{candidate, judged, post};
    use crate::policy::Action;

    #[test]
    fn people_see_what_was_found_and_why() {
        let mut out = Vec::new();
        write(&mut out, &post("é Jane, March 3"), &judged(Action::Redact), Some(&[candidate()]))
            .expect("a Vec takes all");
        let text = String::from_utf8(out).expect("UTF-8");
        let plain = anstream::adapter::strip_str(&text).to_string();
        insta::assert_snapshot!(plain, @r#"
        p1  redact   é Jane, March 3
            redact  name        high     some-rule  "Jane"  by clause care
            log     date        medium   some-rule  "March 3"  no clause applies
            becomes  é [name], March 3
            care +1.50, candidates +1.00: +2.50 of +0.50: speaks of a patient's care
                honorific +1.50
            candidate date "March 3": no finding, under low
                month -0.25
        "#);
    }
}
