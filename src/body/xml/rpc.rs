//! What the elements of an XML-RPC call mean: a struct's members are keys, an array's values are elements, and the rest is
//! only spelling.

use crate::body::Step;
use crate::phi::SharedText;

/// Where in a call we are.
#[derive(Default)]
pub(super) struct Rpc {
    /// The name of the member whose value comes next.
    key: Option<SharedText>,
    n_params: usize,
}

impl Rpc {
    /// The step that an element is, if it is one. `n` is its number among the children of its parent.
    pub(super) fn step(&mut self, parent: Option<&str>, name: &str, n: usize) -> Option<Step> {
        match (parent, name) {
            (_, "methodName") => Some(Step::Key(SharedText::from("methodName"))),
            (_, "params") => Some(Step::Key(SharedText::from("params"))),
            (_, "param") => {
                self.n_params += 1;
                Some(Step::Index(self.n_params - 1))
            }
            (Some("member"), "value") => Some(self.key.take().map_or(Step::Index(n), Step::Key)),
            (Some("data"), "value") => Some(Step::Index(n)),
            (
                _,
                "methodCall" | "value" | "struct" | "member" | "array" | "data" | "name" | "string"
                | "base64" | "int" | "i4" | "i8" | "double" | "boolean" | "dateTime.iso8601"
                | "nil",
            ) => None,
            (_, other) => Some(Step::Key(SharedText::from(other))),
        }
    }

    /// Whether a text is the name of a member; notes it.
    pub(super) fn is_member_name(&mut self, element: &str, text: &str) -> bool {
        let is_name = element == "name";
        if is_name {
            self.key = Some(SharedText::from(text.trim()));
        }
        is_name
    }
}
