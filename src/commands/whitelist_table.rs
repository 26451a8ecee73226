use std::io::{self, Write};

use super::{table, whitelist::Report};
use crate::words;

/// Writes the list for people.
pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "Never removed from {}, and why", report.server)?;
    writeln!(out)?;
    let rows = report.protections.iter().map(|row| {
        let matches: Vec<&str> = row.matches.iter().map(|person| person.name.as_str()).collect();
        let matches = match matches.as_slice() {
            _ if !row.holds => "nobody: it is over".to_owned(),
            [] => "nobody".to_owned(),
            names => names.join(", "),
        };
        [
            row.by.to_owned(),
            row.entry.clone().unwrap_or_else(|| "-".to_owned()),
            matches,
            row.since.map_or("-".to_owned(), words::day),
            row.until.clone().unwrap_or_else(|| "-".to_owned()),
            row.note.clone().unwrap_or_default(),
        ]
    });
    let header = ["by", "entry", "protects", "since", "until", "note"];
    table::write(&header, rows, &[1, 2, 5], out)?;
    writeln!(out)?;
    for remark in &report.remarks {
        writeln!(out, "! {remark}")?;
    }
    writeln!(out, "Days are in UTC, and the last one counts in full.")
}
