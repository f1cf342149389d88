//! Notices that files have changed, by the folders they lie in: editors put a new file in place of the old one, and
//! Kubernetes a new folder in place of a link.
//!
//! The kernel's word is only a hint to look; what counts is what the files hold against what was read of them. So nothing
//! is missed where the kernel says nothing (NFS: there the files are looked at now and then), and what else happens in a
//! folder, such as an audit that grows there, costs a look at most. The calls are those of `rustix`, which is here
//! already: `notify` would wake us for every line that is written to an audit beside the files, and bring a thread.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use tokio::net::unix::pipe::Receiver;
use tokio::time::sleep;

use crate::config::{self, Print, Seen, Way};

/// How often files that change all the time are waited for. Then they are read as they are: that they cannot be used is
/// worth a word, too.
const MOST_WAITS: usize = 20;

/// Watches the files that were read last.
#[derive(Debug)]
pub(crate) struct Watch {
    seen: Arc<Seen>,
    kernel: Option<Receiver>,
    /// How the files looked when they were last compared with what was read.
    print: Option<Vec<Option<Print>>>,
}

impl Watch {
    /// Begins to watch. Files that changed between their reading and now are noticed as well.
    pub(crate) fn new(seen: Arc<Seen>) -> Self {
        let kernel = told(&seen);
        if kernel.is_none() {
            tracing::debug!(
                "the kernel does not tell of changed files: they are looked at now and then"
            );
        }
        Self { seen, kernel, print: None }
    }

    /// Waits until the files are others than were read, and lie still. With `retries`, another look of the same files
    /// (a change of rights, say) is enough.
    pub(crate) async fn changed(&mut self, settings: &config::Reload, retries: bool) {
        loop {
            let mut print = self.look().await;
            if self.print.as_ref() != Some(&print) {
                for _ in 0..MOST_WAITS {
                    sleep(settings.settle).await;
                    let before = std::mem::replace(&mut print, self.look().await);
                    if before == print {
                        break;
                    }
                }
                let was_known = self.print.replace(print).is_some();
                let seen = Arc::clone(&self.seen);
                let is_current = tokio::task::spawn_blocking(move || seen.is_current()).await;
                if !is_current.unwrap_or(true) || (was_known && retries) {
                    return;
                }
            }
            tokio::select! {
                () = woken(self.kernel.as_ref()) => {}
                () = sleep(settings.poll) => {}
            }
        }
    }

    async fn look(&self) -> Vec<Option<Print>> {
        let seen = Arc::clone(&self.seen);
        tokio::task::spawn_blocking(move || seen.print()).await.unwrap_or_default()
    }
}

/// Asks the kernel to tell of changes in every folder that matters.
fn told(seen: &Seen) -> Option<Receiver> {
    let kernel = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).ok()?;
    // Not every write: a file is told of when its writer is done with it.
    let flags = WatchFlags::CLOSE_WRITE
        | WatchFlags::CREATE
        | WatchFlags::DELETE
        | WatchFlags::MOVED_FROM
        | WatchFlags::MOVED_TO
        | WatchFlags::ATTRIB
        | WatchFlags::ONLYDIR;
    for folder in folders(seen) {
        // What cannot be watched is looked at now and then.
        let _ = inotify::add_watch(&kernel, &folder, flags);
    }
    // To the runtime it is read like a pipe: ready, or not; `AsyncFd`, which is for anything, asks for unsafe code.
    Receiver::from_file_unchecked(File::from(kernel)).ok()
}

/// The folders that a change of any file shows in: those that links on the way to it stand in, and its own.
fn folders(seen: &Seen) -> BTreeSet<PathBuf> {
    let mut folders = BTreeSet::new();
    for path in seen.paths() {
        let Way { links, real } = Way::to(path);
        folders.extend(links);
        let existing = real.ancestors().skip(1).find(|folder| folder.is_dir());
        folders.extend(existing.map(Path::to_owned));
    }
    folders.extend(seen.folders().filter(|folder| folder.is_dir()).map(Path::to_owned));
    folders
}

/// Waits until the kernel has told of something, whatever it is.
async fn woken(kernel: Option<&Receiver>) {
    let Some(kernel) = kernel else { return std::future::pending().await };
    let mut told = [0; 4096];
    loop {
        if kernel.readable().await.is_err() {
            return std::future::pending().await;
        }
        match kernel.try_read(&mut told) {
            Ok(1..) => return,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            // Nothing more will be told.
            Ok(0) | Err(_) => return std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;
    use std::sync::Arc;
    use std::time::Duration;

    use tempfile::TempDir;
    use tokio::time::timeout;

    use super::Watch;
    use crate::config::{self, load_seen};

    /// A configuration of a policy and a folder of rules.
    fn written(folder: &Path) {
        fs::create_dir(folder.join("rules.d")).unwrap();
        fs::write(folder.join("policy.toml"), crate::policy::Policy::embedded()).unwrap();
        fs::write(
            folder.join("postward.toml"),
            "rules = [\"embedded\", \"rules.d\"]\npolicy = \"policy.toml\"\n",
        )
        .unwrap();
    }

    fn watching(folder: &Path) -> Watch {
        Watch::new(Arc::new(load_seen(&folder.join("postward.toml")).1))
    }

    fn settings(poll: Duration) -> config::Reload {
        config::Reload { settle: Duration::from_millis(50), poll, ..config::Reload::default() }
    }

    /// Whether a change is noticed; with `polled`, without the kernel's help.
    async fn notices(folder: &Path, polled: bool, change: impl FnOnce(&Path)) -> bool {
        let mut watch = watching(folder);
        let mut poll = Duration::from_secs(3600);
        if polled {
            (watch.kernel, poll) = (None, Duration::from_millis(20));
        }
        let settings = settings(poll);
        // The first look is over before anything changes.
        let _ = timeout(Duration::from_millis(300), watch.changed(&settings, false)).await;
        change(folder);
        timeout(Duration::from_secs(10), watch.changed(&settings, false)).await.is_ok()
    }

    type Change = fn(&Path);

    #[tokio::test]
    async fn every_way_of_changing_a_file_is_noticed() {
        let changes: [(&str, Change); 6] = [
            ("written in place", |folder| fs::write(folder.join("policy.toml"), "x").unwrap()),
            ("renamed over, as editors do", |folder| {
                fs::write(folder.join(".policy.toml.swp"), "x").unwrap();
                fs::rename(folder.join(".policy.toml.swp"), folder.join("policy.toml")).unwrap();
            }),
            ("taken away", |folder| fs::remove_file(folder.join("policy.toml")).unwrap()),
            ("a new file in a folder", |folder| {
                fs::write(folder.join("rules.d/ours.toml"), "").unwrap();
            }),
            ("the configuration itself", |folder| {
                fs::write(folder.join("postward.toml"), "rules = [\"embedded\"]").unwrap();
            }),
            ("a folder taken away", |folder| fs::remove_dir(folder.join("rules.d")).unwrap()),
        ];
        for polled in [false, true] {
            for (what, change) in changes {
                let folder = TempDir::new().unwrap();
                written(folder.path());
                assert!(notices(folder.path(), polled, change).await, "{what}, polled: {polled}");
            }
        }
    }

    #[tokio::test]
    async fn a_config_map_that_is_swapped_is_noticed() {
        let folder = TempDir::new().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("..first")).unwrap();
        written(&root.join("..first"));
        symlink("..first", root.join("..data")).unwrap();
        for name in ["postward.toml", "policy.toml", "rules.d"] {
            symlink(format!("..data/{name}"), root.join(name)).unwrap();
        }
        let swap = |root: &Path| {
            fs::create_dir(root.join("..second")).unwrap();
            written(&root.join("..second"));
            fs::write(root.join("..second/policy.toml"), "mode = \"monitor\"").unwrap();
            symlink("..second", root.join("..data_tmp")).unwrap();
            fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
            fs::remove_dir_all(root.join("..first")).unwrap();
        };
        assert!(notices(root, false, swap).await);
    }

    #[tokio::test]
    async fn a_link_in_the_middle_of_a_chain_that_is_swapped_is_noticed() {
        let folder = TempDir::new().unwrap();
        let root = folder.path();
        for (version, text) in [("..v1", crate::policy::Policy::embedded()), ("..v2", "x")] {
            fs::create_dir_all(root.join("store").join(version)).unwrap();
            fs::write(root.join("store").join(version).join("policy.toml"), text).unwrap();
        }
        symlink("..v1", root.join("store/..data")).unwrap();
        symlink("..data/policy.toml", root.join("store/policy.toml")).unwrap();
        let config = root.join("config");
        fs::create_dir(&config).unwrap();
        symlink("../store/policy.toml", config.join("policy.toml")).unwrap();
        fs::write(config.join("postward.toml"), "policy = \"policy.toml\"\n").unwrap();
        let swap = |config: &Path| {
            let store = config.with_file_name("store");
            symlink("..v2", store.join("..data_tmp")).unwrap();
            fs::rename(store.join("..data_tmp"), store.join("..data")).unwrap();
        };
        assert!(notices(&config, false, swap).await);
    }

    #[tokio::test]
    async fn what_else_happens_in_the_folder_is_no_change() {
        let folder = TempDir::new().unwrap();
        written(folder.path());
        let mut watch = watching(folder.path());
        let settings = settings(Duration::from_secs(3600));
        let _ = timeout(Duration::from_millis(300), watch.changed(&settings, false)).await;
        fs::write(folder.path().join("audit.jsonl"), "{}").unwrap();
        // The same words once more: a file that was touched.
        let same = fs::read(folder.path().join("policy.toml")).unwrap();
        fs::write(folder.path().join("policy.toml"), same).unwrap();
        let changed = timeout(Duration::from_millis(400), watch.changed(&settings, false)).await;
        assert!(changed.is_err());
        // Where files could not be used, that is worth another try.
        fs::write(folder.path().join("rules.d/x.toml"), "").unwrap();
        assert!(timeout(Duration::from_secs(10), watch.changed(&settings, true)).await.is_ok());
    }
}
