//! `[roster]`: the hospital's own patients and staff, by the files that `postward roster build` and the staff office write.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::{Faults, Placed, Table};
use crate::roster::{Index, Key, KeyError, Live, NewsStamp, OpenError, Overlay, Roster, Staff};
use crate::span::Span;

/// Days after which somebody who left counts like any former patient, unless `recent-days` says otherwise.
pub const RECENT_DAYS: i32 = 30;

/// `[roster]` as written.
#[derive(Debug)]
pub(super) struct Named {
    span: Span,
    file: Option<Placed<String>>,
    key_file: Option<Placed<String>>,
    staff: Option<Placed<String>>,
    recent: i32,
}

/// Where the hospital's own people are read from. Paths are absolute.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RosterFiles {
    /// The roster.
    pub file: Option<PathBuf>,
    /// Its key; `None` is what systemd or the environment hand over.
    pub key_file: Option<PathBuf>,
    /// The staff list.
    pub staff: Option<PathBuf>,
    /// Days after which somebody who left counts like any former patient.
    pub recent: i32,
}

/// Why the hospital's own people cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RosterFault {
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The roster cannot be used.
    #[error(transparent)]
    Roster(#[from] OpenError),
    /// The staff list cannot be used: its reason in words.
    #[error("the staff list {} cannot be used: {why}", path.display())]
    Staff {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

impl RosterFault {
    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Key(fault) => fault.remedy(),
            Self::Roster(fault) => fault.remedy().to_owned(),
            Self::Staff { .. } => {
                "name a CSV table in UTF-8 with first_name and last_name in its first line"
                    .to_owned()
            }
        }
    }
}

impl Named {
    pub(super) fn read(file: &mut Table<'_>, faults: &mut Faults) -> Option<Self> {
        let mut table = file.table("roster", faults)?;
        let named = Self {
            span: table.span(),
            file: table.text("file", faults),
            key_file: table.text("key-file", faults),
            staff: table.text("staff", faults),
            recent: table
                .whole("recent-days", 0..=180, faults)
                .and_then(|days| i32::try_from(days.value).ok())
                .unwrap_or(RECENT_DAYS),
        };
        table.finish(faults);
        if named.file.is_none() && named.staff.is_none() {
            faults.error(
                named.span,
                "`[roster]` names neither a roster nor a staff list",
                "add `file = \"roster.pwr\"` and `key-file = \"roster.key\"`, or `staff = \"staff.csv\"`, or take it out",
            );
        }
        Some(named)
    }

    /// Every file that is read: those that are named, and the key's own where systemd hands it over.
    pub(super) fn paths(&self, folder: &Path) -> impl Iterator<Item = PathBuf> {
        let named = [&self.file, &self.key_file, &self.staff].into_iter().flatten();
        let credential = if self.key_file.is_none() { Key::credential() } else { None };
        let credential = credential.filter(|_| self.file.is_some());
        named.map(move |named| folder.join(&named.value)).chain(credential)
    }

    /// Its files, and what they say; a fault stands at the key that names the file. With `whole` every byte is checked now,
    /// also of a large roster, and not when it is first looked at.
    pub(super) fn load(
        &self,
        folder: &Path,
        whole: bool,
        faults: &mut Faults,
    ) -> Option<(RosterFiles, Arc<Live>)> {
        let path =
            |named: &Option<Placed<String>>| named.as_ref().map(|named| folder.join(&named.value));
        let files = RosterFiles {
            file: path(&self.file),
            key_file: path(&self.key_file),
            staff: path(&self.staff),
            recent: self.recent,
        };
        match files
            .load()
            .and_then(|roster| if whole { files.check_whole(roster) } else { Ok(roster) })
        {
            Ok(roster) => Some((files, Arc::new(Live::new(roster)))),
            Err(fault) => {
                let named = match &fault {
                    RosterFault::Key(_) => self.key_file.as_ref().or(self.file.as_ref()),
                    RosterFault::Roster(_) => self.file.as_ref(),
                    RosterFault::Staff { .. } => self.staff.as_ref(),
                };
                let span = named.map_or(self.span, |named| named.span);
                let why = std::iter::successors(Some(&fault as &dyn std::error::Error), |fault| {
                    fault.source()
                });
                let why: Vec<String> = why.map(ToString::to_string).collect();
                faults.error(span, why.join(": "), fault.remedy());
                None
            }
        }
    }
}

impl RosterFiles {
    /// Every file that is named.
    pub fn paths(&self) -> impl Iterator<Item = PathBuf> {
        [&self.file, &self.key_file, &self.staff].into_iter().flatten().cloned()
    }

    /// A roster no byte of which was altered.
    fn check_whole(&self, roster: Roster) -> Result<Roster, RosterFault> {
        if roster.indexes.iter().all(|index| index.check_whole()) {
            return Ok(roster);
        }
        let path = self.file.clone().unwrap_or_default();
        Err(RosterFault::Roster(OpenError::Altered { path }))
    }

    /// The same people with what was heard of patients since, if anything was. Asks the system once where nothing was.
    pub fn renewed(&self, roster: &Roster) -> Result<Option<Roster>, RosterFault> {
        let (Some(file), Some(base)) = (&self.file, roster.indexes.last()) else { return Ok(None) };
        let news = NewsStamp::of(file);
        if news == roster.news {
            return Ok(None);
        }
        let key = Key::find(self.key_file.as_deref())?;
        let indexes = match Overlay::open(file, &key)? {
            Some(overlay) if overlay.is_of(base) => overlay.over(base),
            // What is new is of a roster that was built since: what it leaves to that one, this one does not know.
            Some(overlay) => overlay.over(&Index::open(file, &key)?),
            None => vec![Arc::new(base.without_news())],
        };
        let (staff, recent) = (Arc::clone(&roster.staff), roster.recent);
        Ok(Some(Roster { indexes, staff, recent, news }))
    }

    /// Reads them anew.
    pub fn load(&self) -> Result<Roster, RosterFault> {
        let mut roster = Roster { recent: self.recent, ..Roster::default() };
        // A named pipe would be waited for, and a reload with it.
        let is_file = |path: &PathBuf| !path.exists() || path.is_file();
        if let Some(path) = self.key_file.as_ref().filter(|path| !is_file(path)) {
            let source = std::io::Error::new(std::io::ErrorKind::InvalidInput, "it is no file");
            return Err(KeyError::Read { path: path.clone(), source }.into());
        }
        if let Some(path) = self.staff.as_ref().filter(|path| !is_file(path)) {
            return Err(RosterFault::Staff { path: path.clone(), why: "it is no file".to_owned() });
        }
        if let Some(file) = &self.file {
            let key = Key::find(self.key_file.as_deref())?;
            roster.news = NewsStamp::of(file);
            let base = Index::open(file, &key)?;
            roster.indexes = match Overlay::open(file, &key)? {
                Some(overlay) => overlay.over(&base),
                None => vec![Arc::new(base)],
            };
        }
        if let Some(path) = &self.staff {
            let unfit = |why: String| RosterFault::Staff { path: path.clone(), why };
            let file =
                std::fs::File::open(path).map_err(|error| unfit(error.kind().to_string()))?;
            roster.staff = Arc::new(Staff::read(file).map_err(|error| unfit(error.to_string()))?);
        }
        Ok(roster)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use jiff::Timestamp;

    use super::RosterFiles;
    use crate::roster::{FileBuilder, Follower, Key, Patient, PersonName};

    #[test]
    fn what_was_heard_of_patients_is_taken_up_and_what_cannot_be_read_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let key = Key::create(&at("key")).unwrap();
        let (follower, _) = Follower::open(&at("r.pwr"), key, 48).unwrap();
        let files = RosterFiles {
            file: Some(at("r.pwr")),
            key_file: Some(at("key")),
            staff: None,
            recent: 30,
        };
        let roster = files.load().unwrap();
        assert_eq!(roster.house().n_patients, 0, "an empty one is made");
        assert!(files.renewed(&roster).unwrap().is_none(), "nothing is new");
        let message = b"MSH|^~\\&|A|H|P|H|20261122||ADT^A28|1|P|2.5\rPID|||7||Roe^Una".to_vec();
        follower.take(&[message], Timestamp::now());
        follower.show(Timestamp::now()).unwrap();
        let renewed = files.renewed(&roster).unwrap().unwrap();
        assert_eq!(renewed.house().n_patients, 1);
        assert!(files.renewed(&renewed).unwrap().is_none());
        assert_eq!(files.load().unwrap().house().n_patients, 1);

        // Built anew with somebody else in it: its overlay is of it, and so is what readers see with that.
        let key = Key::find(Some(&at("key"))).unwrap();
        let built = Timestamp::now();
        let mut builder = FileBuilder::create(&at("r.pwr"), &key, built).unwrap();
        let ida = PersonName::new("Ida", "Grimblehawk");
        builder.add(&Patient { names: vec![ida], ..Patient::default() }).unwrap();
        builder.finish_at(&at("r.pwr")).unwrap();
        follower.show(Timestamp::now()).unwrap();
        let renewed = files.renewed(&renewed).unwrap().unwrap();
        assert_eq!(renewed.house().n_patients, 2);
        assert!(renewed.indexes.iter().any(|index| index.word("grimblehawk").is_some()));

        let overlay = at("r.pwr.overlay");
        let whole = fs::read(&overlay).unwrap();
        fs::write(&overlay, whole.get(..100).unwrap()).unwrap();
        assert!(files.renewed(&renewed).is_err() && files.load().is_err());
        fs::remove_file(&overlay).unwrap();
        let without = files.renewed(&renewed).unwrap().unwrap();
        assert_eq!(without.house().n_patients, 1);
        fs::set_permissions(at("key"), fs::Permissions::from_mode(0o644)).unwrap();
        fs::write(&overlay, whole).unwrap();
        assert!(files.renewed(&without).is_err(), "a key that others can read is not used");
    }
}
