//! Facets move with their words. The oracle is the text under each facet: what was under it before is under it after,
//! or the facet is gone.

use http::Method;
use proptest::prelude::*;

use super::{json, platform, query};
use crate::body::{Document, Edit, Step};
use crate::platform::platforms::CannotRedact;
use crate::platform::{FieldClass, Place};
use crate::redact::{Splice, splice};
use crate::span::Span;

fn splices(spans: &[(usize, usize)]) -> Vec<Splice> {
    spans
        .iter()
        .map(|&(start, end)| Splice { span: Span::new(start, end), with: "[name]".into() })
        .collect()
}

/// The body after text `record.text` was spliced, with its facets moved.
fn redacted(document: &Document, splices: &[Splice]) -> Result<Document, CannotRedact> {
    let platform = platform("bluesky");
    let resolved =
        platform.resolve(&Method::POST, "/xrpc/com.atproto.repo.createRecord", Some(document));
    let is_text = |steps: &[&Step]| matches!(steps, [record, text] if record.is_key("record") && text.is_key("text"));
    let text = document
        .texts()
        .iter()
        .position(|text| is_text(&text.path.steps()) && text.role == crate::body::Role::Value)
        .unwrap();
    let FieldClass::Words(spec) = resolved.endpoint.classify(
        Place::Body,
        &document.texts()[text].path,
        document.texts()[text].role,
    ) else {
        panic!("record.text is words");
    };
    let mut edits = platform.move_offsets(spec, document, &query(""), text, splices)?;
    edits.extend(splices.iter().map(|splice| Edit::Splice {
        text,
        span: splice.span,
        with: splice.with.clone(),
    }));
    Ok(json(std::str::from_utf8(&document.write(&edits).unwrap()).unwrap()))
}

/// The facets as `(start, end)`, and the text.
fn read(document: &Document) -> (String, Vec<(usize, usize)>) {
    let root = document.root().unwrap();
    let record = document.members(root, "record")[0];
    let text = document.text_of(document.members(record, "text")[0]).unwrap();
    let lists = document.members(record, "facets");
    let facets = lists.iter().flat_map(|&list| document.elements(list)).map(|facet| {
        let index = document.members(facet, "index")[0];
        let number = |key| {
            usize::try_from(document.as_u64(document.members(index, key)[0]).unwrap()).unwrap()
        };
        (number("byteStart"), number("byteEnd"))
    });
    (document.texts()[text].text.expose().to_owned(), facets.collect())
}

fn record(text: &str, facets: &[(usize, usize)]) -> Document {
    let facets: Vec<serde_json::Value> = facets
        .iter()
        .map(|(start, end)| serde_json::json!({"index": {"byteStart": start, "byteEnd": end}, "features": [{"tag": "t"}]}))
        .collect();
    json(&serde_json::json!({"record": {"text": text, "facets": facets}}).to_string())
}

#[test]
fn facets_move_or_go() {
    //          0         1         2
    //          0123456789012345678901234
    let text = "é Ann Bray a.example #tag";
    // é is two bytes: Ann Bray stands at 3..11, the link at 12..21, the tag at 22..26.
    for (facets, cuts, want) in [
        (vec![(12, 21), (22, 26)], vec![(3, 11)], vec![(10, 19), (20, 24)]),
        (vec![(0, 2)], vec![(3, 11)], vec![(0, 2)]),
        (vec![(3, 11)], vec![(3, 11)], vec![]),
        (vec![(3, 6)], vec![(3, 11)], vec![]),
        (vec![(0, 4)], vec![(3, 11)], vec![]),
        (vec![(10, 21)], vec![(3, 11)], vec![]),
        (vec![(0, 26)], vec![(3, 11)], vec![]),
        (vec![(11, 12)], vec![(3, 11)], vec![(9, 10)]),
        (vec![(12, 21), (22, 26)], vec![(0, 2), (3, 11)], vec![(14, 23), (24, 28)]),
        (vec![(6, 7)], vec![(3, 6), (7, 11)], vec![(9, 10)]),
        (vec![(12, 99)], vec![(3, 11)], vec![]),
        (vec![(21, 12)], vec![(3, 11)], vec![]),
        (vec![(12, 12)], vec![(3, 11)], vec![]),
        (vec![(5, 99)], vec![(22, 26)], vec![]),
        (vec![(12, 21)], vec![(12, 12)], vec![(18, 27)]),
        (vec![(12, 21)], vec![(15, 15)], vec![]),
        (vec![(12, 21)], vec![(21, 21)], vec![(12, 21)]),
    ] {
        let after = redacted(&record(text, &facets), &splices(&cuts)).unwrap();
        assert_eq!(read(&after).1, want, "{facets:?} cut by {cuts:?}");
    }
}

#[test]
fn offsets_are_of_the_decoded_text() {
    let escaped = r#"{"record":{"text":"\u00e9\ud83c\udfe5 Ann\n a.example","facets":[{"index":{"byteEnd":21,"byteStart":12}}]}}"#;
    let after = redacted(&json(escaped), &splices(&[(7, 10)])).unwrap();
    let (text, facets) = read(&after);
    assert_eq!((text.as_str(), &facets[..]), ("é🏥 [name]\n a.example", &[(15, 24)][..]));
}

#[test]
fn every_facets_list_is_moved() {
    let doubled = r#"{"record":{"facets":[{"index":{"byteStart":8,"byteEnd":9}}],"text":"saw Ann x","facets":[{"index":{"byteStart":4,"byteEnd":7}},{"index":{"byteStart":8,"byteEnd":9}}]}}"#;
    let after = redacted(&json(doubled), &splices(&[(4, 7)])).unwrap();
    assert_eq!(read(&after).1, [(11, 12), (11, 12)]);
}

#[test]
fn shapes_that_are_not_understood_keep_the_text() {
    for facets in [
        r#"[{"features":[]}]"#,
        r#"[{"index":{"byteStart":8}}]"#,
        r#"[{"index":{"byteStart":8,"byteEnd":9.5}}]"#,
        r#"[{"index":{"byteStart":-1,"byteEnd":9}}]"#,
        r#"[{"index":{"byteStart":"8","byteEnd":"9"}}]"#,
        r#"[{"index":{"byteStart":8,"byteEnd":9,"byteEnd":10}}]"#,
        r#"[{"index":{"byteStart":8,"byteEnd":9},"index":{"byteStart":8,"byteEnd":9}}]"#,
        r#"[{"index":[8,9]}]"#,
        "[7]",
        "[null]",
        r#"[{"index":{"byteStart":8,"byteEnd":99999999999999999999999}}]"#,
    ] {
        let document = json(&format!(r#"{{"record":{{"text":"saw Ann x","facets":{facets}}}}}"#));
        assert_eq!(
            redacted(&document, &splices(&[(4, 7)])).err(),
            Some(CannotRedact::Offsets),
            "{facets}"
        );
    }
    let twice = json(
        r#"{"record":{"text":"saw Ann x","text":"saw Ann x","facets":[{"index":{"byteStart":8,"byteEnd":9}}]}}"#,
    );
    assert_eq!(redacted(&twice, &splices(&[(4, 7)])).err(), Some(CannotRedact::Offsets));
}

#[test]
fn texts_without_facets_need_nothing() {
    for beside in ["", r#","facets":[]"#, r#","facets":null"#, r#","other":[7]"#] {
        let document = json(&format!(r#"{{"record":{{"text":"saw Ann x"{beside}}}}}"#));
        assert!(redacted(&document, &splices(&[(4, 7)])).is_ok(), "{beside}");
    }
}

/// Character boundaries of a text, as sorted disjoint pairs.
fn pairs(text: &str, picks: &[usize]) -> Vec<(usize, usize)> {
    let bounds: Vec<usize> = (0..=text.len()).filter(|&at| text.is_char_boundary(at)).collect();
    let mut places: Vec<usize> = picks.iter().map(|pick| bounds[pick % bounds.len()]).collect();
    places.sort_unstable();
    places.dedup();
    places.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn words_under_facets_stay(
        text in "[a-c é🏥\"\\\\]{0,24}",
        facets in prop::collection::vec(0usize..64, 0..8),
        cuts in prop::collection::vec(0usize..64, 0..6),
    ) {
        let (facets, cuts) = (pairs(&text, &facets), splices(&pairs(&text, &cuts)));
        let after = redacted(&record(&text, &facets), &cuts).unwrap();
        let (new_text, new_facets) = read(&after);
        prop_assert_eq!(&new_text, &splice(&text, &cuts).unwrap());
        let kept: Vec<&(usize, usize)> = facets
            .iter()
            .filter(|(start, end)| !cuts.iter().any(|cut| Span::new(*start, *end).overlaps(cut.span)))
            .collect();
        prop_assert_eq!(new_facets.len(), kept.len());
        for (&&(start, end), (new_start, new_end)) in kept.iter().zip(new_facets) {
            prop_assert_eq!(text.get(start..end), new_text.get(new_start..new_end));
        }
    }
}
