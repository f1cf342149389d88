//! Reads what a platform file says of messages of a WebSocket: conditions, and how a blocked message is answered.

use crate::platform::answer::AnswerTemplate;
use crate::platform::file::one_of;
use crate::platform::file::read::{Faults, Table};
use crate::platform::frame::{At, Form, Reply, When};

const WEBSOCKET_KEYS: &[&str] = &["reply"];
const ID_KEYS: &[&str] = &["at", "form"];

/// `[websocket]`: how blocked messages are answered where their endpoint says nothing else.
pub(super) fn of_platform(root: &Table<'_>, faults: &mut Faults<'_>) -> Option<Reply> {
    let table = root.table("websocket", WEBSOCKET_KEYS, faults)?;
    let template = template(&table, faults)?;
    Some(Reply { template, id: None })
}

/// The conditions and the reply of one endpoint.
pub(super) fn of_endpoint(
    table: &Table<'_>,
    is_message: bool,
    faults: &mut Faults<'_>,
) -> (Vec<When>, Option<Reply>) {
    let own = ["when", "reply", "reply-id"].into_iter().find(|key| table.has(key));
    if let (Some(key), false) = (own, is_message) {
        faults.add(
            table.span(),
            format!("`{key}` is for messages of a WebSocket"),
            "give the endpoint method = \"WEBSOCKET\" and no other, or leave it out",
        );
    }
    let template = template(table, faults);
    let id = table.table("reply-id", ID_KEYS, faults).and_then(|table| id(&table, faults));
    if template.is_none() && id.is_some() {
        faults.add(
            table.span(),
            "`reply-id` without `reply`",
            "write the reply that repeats it: reply = '[\"OK\",\"{id}\",false,\"{sentence}\"]'",
        );
    }
    (conditions(table, faults), template.map(|template| Reply { template, id }))
}

fn conditions(table: &Table<'_>, faults: &mut Faults<'_>) -> Vec<When> {
    let mut all = Vec::new();
    for (at, values) in table.conditions("when", faults) {
        let is_plain =
            |value: &String| !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic());
        if values.is_empty() || !values.iter().all(is_plain) {
            faults.add(
                at.span,
                "a condition needs words or numbers that can stand there",
                "write them without blanks: when = { \"0\" = \"EVENT\" }",
            );
        }
        match At::parse(at.value) {
            Ok(place) => {
                let written = format!("{}={}", at.value, values.join(","));
                all.push(When { at: place, values, written });
            }
            Err((message, help)) => faults.add(at.span, message, help),
        }
    }
    all
}

fn id(table: &Table<'_>, faults: &mut Faults<'_>) -> Option<(At, Form)> {
    let form =
        table.string("form", faults).and_then(|name| one_of(&name, "form", Form::NAMES, faults));
    let at = table.string("at", faults).and_then(|at| match At::parse(at.value) {
        Ok(place) => Some(place),
        Err((message, help)) => {
            faults.add(at.span, message, help);
            None
        }
    });
    for key in ID_KEYS.iter().filter(|key| !table.has(key)) {
        faults.add(
            table.span(),
            format!("`reply-id` has no `{key}`"),
            "say where the id stands, and what it looks like: { at = \"1.id\", form = \"hex-64\" }",
        );
    }
    at.zip(form)
}

/// A reply is JSON that holds the sentence.
fn template(table: &Table<'_>, faults: &mut Faults<'_>) -> Option<AnswerTemplate> {
    let reply = table.string("reply", faults)?;
    match AnswerTemplate::new(http::StatusCode::OK, "application/json", reply.value) {
        Ok(template) => Some(template),
        Err((message, help)) => {
            faults.add(reply.span, message, help);
            None
        }
    }
}
