//! Where a syslog receiver is, and how it is spoken to.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// A receiver of syslog. Each key is documented in `docs/audit.md`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SyslogSettings {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether TLS is spoken, and its certificate verified for `host`.
    pub tls: bool,
    /// Authorities to trust in place of the system's (PEM).
    pub roots: Option<PathBuf>,
    /// The certificate and key to sign in by (PEM).
    pub identity: Option<(PathBuf, PathBuf)>,
    /// How events are written.
    pub format: SyslogFormat,
    /// Under which facility.
    pub facility: Facility,
    /// The enterprise number in the name of the structured data.
    pub enterprise: u32,
    /// What was sent so shortly before a broken connection was noticed is sent again.
    pub resend: Duration,
}

impl SyslogSettings {
    /// RFC 5612 keeps this number for documentation: it is nobody's. A house with a number of its own sets that.
    pub const ENTERPRISE: u32 = 32473;

    /// TLS syslog's port (RFC 5425).
    pub const PORT: u16 = 6514;

    /// Longer than an idle connection goes unwatched.
    pub const RESEND: Duration = Duration::from_secs(60);

    /// A receiver as it is where nothing else is said.
    pub fn of(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
            tls: true,
            roots: None,
            identity: None,
            format: SyslogFormat::default(),
            facility: Facility::default(),
            enterprise: Self::ENTERPRISE,
            resend: Self::RESEND,
        }
    }

    /// The files that it names.
    pub fn files(&self) -> Vec<&Path> {
        let identity = self.identity.iter().flat_map(|(certificate, key)| [certificate, key]);
        self.roots.iter().chain(identity).map(PathBuf::as_path).collect()
    }
}

/// How events are written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum SyslogFormat {
    /// Common Event Format, version 0.
    #[default]
    Cef,
    /// Open Cybersecurity Schema Framework: Data Security Finding (2006) as JSON.
    Ocsf,
}

/// A facility of RFC 5424, by its number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Facility(pub u8);

impl Facility {
    /// Those that a program may use, by the names that syslog daemons know them by.
    pub const NAMES: [(&'static str, Self); 12] = [
        ("user", Self(1)),
        ("auth", Self(4)),
        ("authpriv", Self(10)),
        ("audit", Self(13)),
        ("local0", Self(16)),
        ("local1", Self(17)),
        ("local2", Self(18)),
        ("local3", Self(19)),
        ("local4", Self(20)),
        ("local5", Self(21)),
        ("local6", Self(22)),
        ("local7", Self(23)),
    ];
}

impl Default for Facility {
    /// RFC 5424 has one for audits.
    fn default() -> Self {
        Self(13)
    }
}
