use std::io::{self, Write};

use super::list::{Report, Row};
use crate::{
    commands::output::{Columns, lines, paragraph},
    words,
};

const HEADER: [&str; 5] = ["by", "entry", "protects", "since", "last day"];

/// Writes the list for people, the notes below what they are about.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    paragraph("", &format!("Never removed from {}, and why", report.server), out)?;
    writeln!(out)?;
    let lines = lines(HEADER, report.protections.iter().map(cells), &Columns { flexible: &[1, 2], right: &[] });
    let (head, rows) = lines.split_at(lines.len().saturating_sub(report.protections.len()));
    for line in head {
        writeln!(out, "{line}")?;
    }
    for (line, row) in rows.iter().zip(&report.protections) {
        writeln!(out, "{line}")?;
        if let Some(note) = &row.note {
            paragraph("  note: ", note, out)?;
        }
    }
    writeln!(out)?;
    for remark in &report.remarks {
        paragraph("! ", remark, out)?;
    }
    writeln!(out, "Days are in UTC, and the last one counts in full.")
}

fn cells(row: &Row) -> [String; 5] {
    let matches: Vec<&str> = row.matches.iter().map(|person| person.name.as_str()).collect();
    let protects = match matches.as_slice() {
        [] => "nobody".to_owned(),
        _ if !row.holds => "nobody: it's over".to_owned(),
        names => names.join(", "),
    };
    // Only the whitelist's entries have days.
    let last_day = row.since.map(|_| row.until.clone().unwrap_or_else(|| "none set".to_owned()));
    [
        row.by.to_owned(),
        row.entry.clone().unwrap_or_default(),
        protects,
        row.since.map_or(String::new(), words::day),
        last_day.unwrap_or_default(),
    ]
}
