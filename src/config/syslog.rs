//! `[[audit.sink]]` of kind `syslog`: where the receiver is, and how events are written for it.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use crate::audit::{Facility, SyslogFormat, SyslogSettings};
use crate::config::sinks::file;
use crate::config::syntax::TIMES;
use crate::diagnostic::{Faults, Placed, Table, shown};

const FORMATS: [(&str, SyslogFormat); 2] =
    [("cef", SyslogFormat::Cef), ("ocsf", SyslogFormat::Ocsf)];

/// Reads what is of this kind alone.
pub(super) fn read(
    table: &mut Table<'_>,
    folder: &Path,
    faults: &mut Faults,
) -> Option<SyslogSettings> {
    let roots = file("roots", table, folder, faults);
    let certificate = file("certificate", table, folder, faults);
    let key = file("key", table, folder, faults);
    let format = table.choice("format", &FORMATS, faults);
    let facility = table.choice("facility", &Facility::NAMES, faults);
    let enterprise = table.whole("enterprise", 1..=u64::from(u32::MAX), faults);
    let resend = table.quantity("resend", &TIMES, 1000, 1000..=3_600_000, faults);
    let tls = table.flag("tls", faults);
    let allow_plain = table.flag("allow-plain", faults).is_some_and(|flag| flag.value);
    let span = table.span();
    let address = table.required_text(
        "address",
        "say where the receiver is: `address = \"siem.example.org:6514\"`",
        faults,
    )?;
    let (host, port) = parts(&address, faults)?;
    let mut settings = SyslogSettings::of(host, port);
    if let Some(tls) = tls {
        settings.tls = tls.value;
        if !tls.value && !allow_plain && !is_here(&settings.host) {
            faults.error(
                tls.span,
                "without TLS, who posted what when would cross the network in the clear",
                "take `tls = false` out, or add `allow-plain = true` if the network between the two is as safe as one machine",
            );
        }
    }
    settings.identity = match (certificate, key) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        _ => {
            faults.error(
                span,
                "to sign in by certificate takes both `certificate` and `key`",
                "name both, or neither",
            );
            None
        }
    };
    settings.roots = roots;
    if let Some(format) = format {
        settings.format = format.value;
    }
    if let Some(facility) = facility {
        settings.facility = facility.value;
    }
    if let Some(number) = enterprise.and_then(|number| u32::try_from(number.value).ok()) {
        settings.enterprise = number;
    }
    if let Some(resend) = resend {
        settings.resend = Duration::from_millis(resend.value);
    }
    Some(settings)
}

/// `siem.example.org:6514`, `192.0.2.7`, `[2001:db8::7]:6514`.
fn parts(address: &Placed<String>, faults: &mut Faults) -> Option<(String, u16)> {
    let word = address.value.as_str();
    let (host, port) = match word.rsplit_once(':') {
        // An IPv6 address without brackets is all host.
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            (host, port.parse().ok())
        }
        _ => (word, Some(SyslogSettings::PORT)),
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_name = !bare.is_empty()
        && bare.len() <= 253
        && bare
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    match port.filter(|port| *port > 0) {
        Some(port) if is_name || bare.parse::<IpAddr>().is_ok() => Some((bare.to_owned(), port)),
        _ => {
            faults.error(
                address.span,
                format!("`{}` is no name and port", shown(word)),
                "write `siem.example.org:6514`",
            );
            None
        }
    }
}

fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}
