//! Whole files: the shipped ones are sound, and every fault of a bad one is named.

use crate::diagnostic::Source;
use crate::platform::Platforms;

#[test]
fn the_shipped_files_are_sound() {
    for (name, text) in Platforms::embedded_files() {
        assert_eq!(faults(text), Vec::<String>::new(), "{name}");
    }
    let names: Vec<String> =
        Platforms::embedded().iter().map(|platform| platform.id().to_owned()).collect();
    let files: Vec<&str> = Platforms::embedded_files()
        .map(|(name, _)| name.strip_suffix(".toml").expect("a TOML file"))
        .collect();
    assert_eq!(names, files);
}

/// Each as `line: message`; every one has a remedy.
fn faults(text: &str) -> Vec<String> {
    let mut platforms = Platforms::default();
    let faults = platforms.add(&Source::new("a.toml", text)).err().unwrap_or_default();
    let said = faults.iter().map(|fault| {
        let is_syntax = fault.help.is_none();
        assert!(
            !is_syntax || faults.iter().all(|other| other.help.is_none()),
            "no remedy: {fault}"
        );
        fault.to_string().replacen("a.toml:", "", 1)
    });
    said.collect()
}

#[test]
fn every_fault_is_named_with_its_place() {
    let want = [
        "1:1: the file has no `name`",
        "1:1: unknown key `nmae`",
        "2:10: this is no host name",
        "2:31: `hosts` is of type integer",
        "3:17: `query-as-body` is of type string",
        "6:10: status 429 would not show the sentence: clients wait and try again",
        "8:8: the answer does not hold {sentence}",
        "11:10: there is no method `post`",
        "12:8: a path begins with a slash",
        "13:9: there is no class `psot`",
        "15:1: an endpoint of class post has no words",
        "20:1: this class promises that nothing here is published, yet fields are words",
        "20:1: on endpoints of this class everything is opaque",
        "20:1: an operation's name is only what the client calls it, so it cannot make a request harmless",
        "25:18: `text` is named twice",
        "25:26: a step between dots is empty",
        "25:34: `qeury:` is no place a field can be in",
        "27:11: there is no rewrite `none`",
        "29:1: `id` counts with `nothing`, which has no limit here",
        "37:9: `limit` is not a whole number from 1",
        "38:8: there is no unit `letters`",
        "39:11: `unmovable` needs to know where the offsets are",
        "43:9: a limit needs its unit",
        "45:1: `counts-with` is for words: nothing else is ever edited",
    ];
    assert_eq!(faults(BAD), want);
}

#[test]
fn faults_of_a_kind_of_their_own() {
    const HEAD: &str = "name = \"a\"\n[answer]\nstatus = 403\ncontent-type = \"application/json\"\nbody = '{\"e\":\"{sentence}\"}'\n";
    for (text, want) in [
        ("name = \"a\"\n".to_owned(), "1:1: the file has no [answer]"),
        (
            "name = \"A b\"\n".to_owned() + HEAD.split_once('\n').unwrap().1,
            "1:8: a platform's name is of small letters, digits and single hyphens",
        ),
        (HEAD.replace("403", "\"no\""), "3:10: `status` is not a whole number from 1"),
        (HEAD.replace("\"{sentence}\"", "{sentence}"), "5:8: the answer is not valid JSON"),
        (
            HEAD.replace("application/json", "text/html"),
            "4:16: an answer cannot be of type `text/html`",
        ),
        (HEAD.replace("status = 403\n", ""), "2:1: the answer has no `status`"),
        (
            HEAD.to_owned() + "[[endpoint]]\npath = \"/a\"\nclass = \"pass\"\n",
            "6:1: the endpoint has no `method`",
        ),
        (HEAD.to_owned() + "[endpoint]\n", "6:1: `endpoint` is of type table"),
        (
            HEAD.to_owned()
                + "[[endpoint]]\nmethod = [\"GET\", \"GET\"]\npath = \"/a\"\nclass = \"pass\"\n",
            "6:1: `GET /a` stands in the file twice",
        ),
    ] {
        assert_eq!(faults(&text), [want], "{text}");
    }
}

#[test]
fn faults_of_syntax_are_all_named() {
    let found = faults("name = \nversion-prefix = maybe\n");
    assert!(found.iter().any(|fault| fault.starts_with("1:")), "{found:?}");
    assert!(found.iter().any(|fault| fault.starts_with("2:")), "{found:?}");
}

const BAD: &str = r#"nmae = "a"
hosts = ["https://A.example", 7]
query-as-body = "yes"

[answer]
status = 429
content-type = "text/html"
body = "<p>no</p>"

[[endpoint]]
method = "post"
path = "api/v1"
class = "psot"

[[endpoint]]
method = "POST"
path = "/a"
class = "post"

[[endpoint]]
method = "POST"
path = "/a"
class = "pass"
operation = "X"
words = ["text", "text", "a..b", "qeury:x"]
opaque = ["id"]
rewrite = "none"

[[endpoint]]
method = "POST"
path = "/b"
class = "post"
words = ["title"]

[[endpoint.field]]
path = "text"
limit = 0
unit = "letters"
offsets = "unmovable"

[[endpoint.field]]
path = "body"
limit = 10

[[endpoint.field]]
class = "opaque"
path = "id"
distinct = true
counts-with = "nothing"
"#;

#[test]
fn a_misspelt_method_is_no_method_of_its_own() {
    for (written, want) in [
        ("PSOT", "did you mean \"POST\"? \"*\" is any method"),
        ("post", "did you mean \"POST\"? \"*\" is any method"),
        (
            "CONNECT",
            "there are: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, WEBSOCKET; \"*\" is any method",
        ),
    ] {
        let text =
            format!("[[endpoint]]\nmethod = \"{written}\"\npath = \"/a\"\nclass = \"pass\"\n");
        let faults = Platforms::default().add(&Source::new("a.toml", text)).unwrap_err();
        let fault = faults.iter().find(|fault| fault.to_string().contains("method")).unwrap();
        assert!(fault.to_string().contains(&format!("there is no method `{written}`")), "{fault}");
        assert_eq!(fault.help.as_deref(), Some(want), "{written}");
    }
}
