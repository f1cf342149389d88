use super::Platforms;
use crate::diagnostic::Source;

#[test]
fn the_shipped_files_are_sound() {
    for (name, text) in Platforms::embedded_files() {
        let mut platforms = Platforms::default();
        let faults: Vec<String> = match platforms.add(&Source::new(name, text)) {
            Ok(()) => Vec::new(),
            Err(faults) => faults.iter().map(|f| format!("{f} ({:?})", f.help)).collect(),
        };
        assert_eq!(faults, Vec::<String>::new(), "{name}");
    }
    let names: Vec<String> =
        Platforms::embedded().iter().map(|platform| platform.id().to_owned()).collect();
    assert_eq!(names, ["bluesky", "facebook", "generic", "mastodon", "x"]);
}
