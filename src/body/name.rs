//! The steps that a form name spells: `poll[options][]` is `poll`, `options`, `[]`, as Rails and PHP read it.

use crate::body::Step;
use crate::phi::SharedText;

/// Deeper names than this are one plain key: Rails refuses them, too.
const MAX_STEPS: usize = 100;

/// Reads a decoded name. Blanks before it are none of it, as PHP and Rack have it. Anything unbalanced is one plain key.
pub(super) fn steps(name: &str) -> Vec<Step> {
    let name = name.trim_start_matches(' ');
    bracketed(name).unwrap_or_else(|| vec![Step::Key(SharedText::from(name))])
}

fn bracketed(name: &str) -> Option<Vec<Step>> {
    let (head, mut rest) = name.split_at_checked(name.find('[')?)?;
    if head.is_empty() || head.contains(']') {
        return None;
    }
    let mut steps = vec![Step::Key(SharedText::from(head))];
    while !rest.is_empty() {
        let (inside, after) = rest.strip_prefix('[')?.split_once(']')?;
        if inside.contains('[') || steps.len() >= MAX_STEPS {
            return None;
        }
        steps.push(step(inside));
        rest = after;
    }
    Some(steps)
}

fn step(inside: &str) -> Step {
    if inside.is_empty() {
        return Step::Append;
    }
    let is_index = inside.bytes().all(|byte| byte.is_ascii_digit());
    match inside.parse() {
        Ok(index) if is_index => Step::Index(index),
        _ => Step::Key(SharedText::from(inside)),
    }
}

#[cfg(test)]
mod tests {
    use super::steps;
    use crate::body::Step;

    /// Keys as they are, `#n` for an index, `[]` for an append.
    fn spelled(name: &str) -> Vec<String> {
        let spell = |step: &Step| match step {
            Step::Key(key) => key.to_string(),
            Step::Index(index) => format!("#{index}"),
            Step::Append => "[]".into(),
        };
        steps(name).iter().map(spell).collect()
    }

    #[test]
    fn names_spell_steps() {
        let cases: &[(&str, &[&str])] = &[
            ("status", &["status"]),
            ("poll[options][]", &["poll", "options", "[]"]),
            ("fields_attributes[0][name]", &["fields_attributes", "#0", "name"]),
            ("media_attributes[][description]", &["media_attributes", "[]", "description"]),
            ("a[-1]", &["a", "-1"]),
            ("a[99999999999999999999999]", &["a", "99999999999999999999999"]),
            ("", &[""]),
            (" status", &["status"]),
            ("a[b", &["a[b"]),
            ("a]b", &["a]b"]),
            ("a]b[c]", &["a]b[c]"]),
            ("[a]", &["[a]"]),
            ("a[b]c", &["a[b]c"]),
            ("a[b]c[d]", &["a[b]c[d]"]),
            ("a[[b]]", &["a[[b]]"]),
            ("twitter:string:choice1_label", &["twitter:string:choice1_label"]),
        ];
        for (name, want) in cases {
            assert_eq!(spelled(name), *want, "{name}");
        }
        assert_eq!(steps(&format!("a{}", "[]".repeat(5000))).len(), 1);
    }
}
