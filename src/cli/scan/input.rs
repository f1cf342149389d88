//! Posts as `scan` reads them: a line of text each, or JSON lines. A line that cannot be read is named by file and
//! number, never by what it says, and the next line is read all the same.

use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read};

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::policy::{Policy, Sender, is_identity};

/// One post to judge. Nobody prints it as it is: `Debug` it has none.
#[derive(Deserialize)]
pub(in crate::cli) struct Post {
    /// As given, or the number of the line.
    pub(in crate::cli) id: Id,
    pub(in crate::cli) text: String,
    pub(in crate::cli) platform: Option<String>,
    pub(in crate::cli) group: Option<String>,
    /// As a listed load balancer would give it: the policy says which groups it is in.
    pub(in crate::cli) identity: Option<String>,
    pub(in crate::cli) field: Option<String>,
}

impl Post {
    /// The groups that it is sent from under a policy: the one it names, and those that its identity is in.
    pub(in crate::cli) fn groups(&self, policy: &Policy) -> Vec<String> {
        let identity = self.identity.as_deref().filter(|name| is_identity(name)).map(Into::into);
        let mut groups = policy.groups_of(&Sender { identity, ..Sender::default() });
        groups.extend(self.group.clone());
        groups
    }
}

/// What a post is called. A number keeps its digits: one past 64 bits, or `1.50`, comes out as it went in.
#[derive(Serialize)]
#[serde(untagged)]
pub(in crate::cli) enum Id {
    Text(String),
    Number(Box<RawValue>),
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        match raw.get().as_bytes().first() {
            // Read once more: the raw form was not asked whether its escapes are characters.
            Some(b'"') => {
                serde_json::from_str(raw.get()).map(Self::Text).map_err(de::Error::custom)
            }
            Some(b'-' | b'0'..=b'9') => Ok(Self::Number(raw)),
            _ => Err(de::Error::custom("no id")),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => f.write_str(number.get()),
        }
    }
}

/// How the lines of an input are written: settled by its first character that is not blank.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Form {
    Text,
    Json,
}

/// The posts of one input, in order.
pub(in crate::cli) struct Posts<R> {
    name: String,
    reader: BufReader<R>,
    form: Option<Form>,
    /// Whether ids name the input, because there are others.
    ids_name_input: bool,
    max_line: usize,
    line: usize,
    bytes: Vec<u8>,
    /// What lies ahead cannot be read: there is no next line.
    is_lost: bool,
}

/// A line that is no post.
#[derive(Debug, thiserror::Error)]
#[error("{name}, line {line}")]
pub(in crate::cli) struct InputError {
    name: String,
    line: usize,
    source: Fault,
}

/// What is wrong with it.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("cannot be read")]
    Io(#[source] io::Error),
    #[error("is no UTF-8")]
    NotUtf8,
    #[error("is longer than {max} bytes")]
    TooLong { max: usize },
    #[error("is no JSON: the fault is at column {column}")]
    NotJson { column: usize },
    #[error("has a `\\u` escape that is no character: the fault is at column {column}")]
    NoCharacter { column: usize },
    #[error("is no post")]
    NotPost,
}

impl InputError {
    /// What to do about it.
    pub(in crate::cli) fn help(&self) -> Option<&'static str> {
        Some(match self.source {
            Fault::Io(_) => return None,
            Fault::NotUtf8 => "convert the file, for example with `iconv -t UTF-8`",
            Fault::TooLong { .. } => {
                "a post is one line; `max-body` in postward.toml sets the limit"
            }
            Fault::NotJson { .. } => {
                "the first line begins with `{`, so every line must be one whole JSON object, `id` and `text` in it; a \
                 file of plain text cannot begin with `{`"
            }
            Fault::NoCharacter { .. } => {
                "`\\ud800` to `\\udfff` are halves: one with its partner is a character, one alone (a lone surrogate) \
                 is none"
            }
            Fault::NotPost => {
                "the first line begins with `{`, so each line needs `id` (a string or a number) and `text` (a string), \
                 each once; `platform`, `group`, `identity` and `field` are strings or null"
            }
        })
    }
}

impl<R: Read> Posts<R> {
    pub(in crate::cli) fn new(
        name: String,
        input: R,
        ids_name_input: bool,
        max_line: usize,
    ) -> Self {
        let reader = BufReader::with_capacity(64 * 1024, input);
        Self {
            name,
            reader,
            form: None,
            ids_name_input,
            max_line,
            line: 0,
            bytes: Vec::new(),
            is_lost: false,
        }
    }

    /// Whether the next post is not at hand yet, so that asking for it may wait for whoever writes the input.
    pub(in crate::cli) fn will_wait(&self) -> bool {
        memchr::memchr(b'\n', self.reader.buffer()).is_none()
    }

    /// The next post. A blank line is none. After a fault the next call goes on with the next line.
    pub(in crate::cli) fn next_post(&mut self) -> Result<Option<Post>, InputError> {
        while !self.is_lost && self.read_line().map_err(|source| self.fault(source))? {
            let line = std::str::from_utf8(&self.bytes).map_err(|_| self.fault(Fault::NotUtf8))?;
            let line = if self.line == 1 { line.trim_start_matches('\u{feff}') } else { line };
            let line = line.strip_suffix('\n').unwrap_or(line);
            let line = line.strip_suffix('\r').unwrap_or(line);
            let start = line.trim_start();
            if start.is_empty() {
                continue;
            }
            let form = *self.form.get_or_insert(if start.starts_with('{') {
                Form::Json
            } else {
                Form::Text
            });
            return match form {
                Form::Text => Ok(Some(self.text_post(line))),
                Form::Json => json_post(line).map(Some).map_err(|source| self.fault(source)),
            };
        }
        Ok(None)
    }

    /// Reads one line with its end into `bytes`; false at the end of the input.
    fn read_line(&mut self) -> Result<bool, Fault> {
        self.bytes.clear();
        self.line += 1;
        let limit = u64::try_from(self.max_line).unwrap_or(u64::MAX).saturating_add(1);
        let n_read = self
            .reader
            .by_ref()
            .take(limit)
            .read_until(b'\n', &mut self.bytes)
            .map_err(|error| self.lost(error))?;
        if n_read > self.max_line {
            if self.bytes.last() != Some(&b'\n') {
                self.reader.skip_until(b'\n').map_err(|error| self.lost(error))?;
            }
            Err(Fault::TooLong { max: self.max_line })
        } else {
            Ok(n_read > 0)
        }
    }

    fn lost(&mut self, error: io::Error) -> Fault {
        self.is_lost = true;
        Fault::Io(error)
    }

    fn text_post(&self, line: &str) -> Post {
        let id = if self.ids_name_input {
            format!("{}:{}", self.name, self.line)
        } else {
            self.line.to_string()
        };
        Post {
            id: Id::Text(id),
            text: line.to_owned(),
            platform: None,
            group: None,
            identity: None,
            field: None,
        }
    }

    fn fault(&self, source: Fault) -> InputError {
        InputError { name: self.name.clone(), line: self.line, source }
    }
}

/// serde's own words may quote the value they stumbled over, which may be a patient's: only the kind of fault is kept.
fn json_post(line: &str) -> Result<Post, Fault> {
    serde_json::from_str(line).map_err(|error| match error.classify() {
        Category::Data => Fault::NotPost,
        Category::Io | Category::Syntax | Category::Eof => {
            let column = error.column();
            // Both of serde's words for it end so, and they quote nothing.
            let is_escape = error.to_string().contains("hex escape");
            if is_escape { Fault::NoCharacter { column } } else { Fault::NotJson { column } }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::Posts;

    fn read(input: &[u8], ids_name_input: bool) -> Vec<String> {
        let mut posts = Posts::new("in.txt".into(), input, ids_name_input, 40);
        let mut seen = Vec::new();
        loop {
            match posts.next_post() {
                Ok(Some(post)) => {
                    let id = serde_json::to_string(&post.id).expect("plain");
                    seen.push(format!("{id}={}", post.text));
                }
                Ok(None) => return seen,
                Err(error) => seen.push(format!("{error} {}", error.source)),
            }
        }
    }

    #[test]
    fn lines_become_posts_or_named_faults() {
        for (input, want) in [
            (&b""[..], &[][..]),
            (b"one\ntwo", &[r#""1"=one"#, r#""2"=two"#]),
            (b"one\r\n\r\n  \n two \n", &[r#""1"=one"#, r#""4"= two "#]),
            (b"one\n{\"id\":1}\n", &[r#""1"=one"#, r#""2"={"id":1}"#]),
            (
                b"\n {\"id\":7,\"text\":\"x\"}\n\n{\"text\":\"y\",\"z\":[],\"id\":\"b\"}",
                &["7=x", r#""b"=y"#],
            ),
            (b"\xef\xbb\xbf{\"id\":1,\"text\":\"x\"}", &["1=x"]),
            (b"{\"id\":1,\"text\":\"a\\u0000\\n\"}", &["1=a\0\n"]),
            (
                b"ok\n\xff\xfe\nrest",
                &[r#""1"=ok"#, "in.txt, line 2 is no UTF-8", r#""3"=rest"#],
            ),
            (
                b"{\"id\":1,\"text\":\"x\"}\nplain",
                &["1=x", "in.txt, line 2 is no JSON: the fault is at column 1"],
            ),
            (
                b"{\"id\":1,\"text\":\"\\ud800\"}\n{\"id\":2,\"text\":\"\\udc00\"}\n{\"id\":3,\"text\":\"x\"}",
                &[
                    "in.txt, line 1 has a `\\u` escape that is no character: the fault is at column 23",
                    "in.txt, line 2 has a `\\u` escape that is no character: the fault is at column 22",
                    "3=x",
                ],
            ),
            (b"{\"id\":\"\\ud800\",\"text\":\"x\"}", &["in.txt, line 1 is no post"]),
            (
                b"{\"id\":18446744073709551616,\"text\":\"x\"}\n{\"id\":-1.50,\"text\":\"y\"}",
                &["18446744073709551616=x", "-1.50=y"],
            ),
            (b"{\"id\":1,\"text\":\"x\",\"platform\":null}\n", &["1=x"]),
            (b"{\"id\":1,\"text\":\"x\",\"platform\":7}\n", &["in.txt, line 1 is no post"]),
            (b"{\"id\":true,\"text\":\"x\"}", &["in.txt, line 1 is no post"]),
            (b"{\"id\":1,\"text\":12345678}", &["in.txt, line 1 is no post"]),
            (b"{\"id\":[1],\"text\":\"x\"}", &["in.txt, line 1 is no post"]),
            (b"{\"text\":\"x\"}", &["in.txt, line 1 is no post"]),
            (b"{\"id\":1,\"text\":\"x\",\"text\":\"y\"}", &["in.txt, line 1 is no post"]),
            (
                b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nb",
                &["in.txt, line 1 is longer than 40 bytes", r#""2"=b"#],
            ),
            (
                b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nb",
                &["in.txt, line 1 is longer than 40 bytes", r#""2"=b"#],
            ),
        ] {
            assert_eq!(
                read(input, false),
                want,
                "{}",
                String::from_utf8(input.to_vec()).unwrap_or_default()
            );
        }
    }

    #[test]
    fn ids_stay_apart_over_several_files() {
        assert_eq!(read(b"one", true), [r#""in.txt:1"=one"#]);
    }
}
