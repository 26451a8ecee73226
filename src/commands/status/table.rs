use std::io::{self, Write};

use time::{Duration, OffsetDateTime};

use super::report::{PassReport, Report, Row, Standing, Waiting};
use crate::{
    commands::output::{Columns, lines, paragraph},
    verdict::Milestone,
    words,
};

const HEADER: [&str; 6] = ["who", "joined", "watched", "idle", "standing", "next"];

/// Writes the report for people.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let forecast = if report.is_forecast { ", if nobody watches anything until then" } else { "" };
    paragraph("", &format!("{} at {}{forecast}", report.server, words::minute(report.at)), out)?;
    writeln!(out)?;
    if report.people.is_empty() {
        writeln!(out, "Nobody has a share on this server.")?;
    } else {
        let rows = report.people.iter().map(|row| cells(row, report));
        for line in lines(HEADER, rows, &Columns { flexible: &[0], right: &[3] }) {
            writeln!(out, "{line}")?;
        }
    }
    writeln!(out)?;
    let total = words::count(report.people.len(), "person", "people");
    let counts: Vec<String> = report
        .counts
        .iter()
        .map(|count| format!("{} {}", count.people, standing_words(count.standing, report)))
        .collect();
    paragraph("", &format!("{total}{}{}", if counts.is_empty() { "" } else { ": " }, counts.join(", ")), out)?;
    paragraph("", mode(report), out)?;
    for pass in &report.passes {
        paragraph("", &pass_line(pass), out)?;
    }
    if !report.waiting.is_empty() {
        let notices = words::count(report.waiting.len(), "notice is", "notices are");
        paragraph("", &format!("{notices} waiting to be sent:"), out)?;
    }
    // What stands in the way is mostly the same for all of them, and said once.
    let mut left: Vec<&Waiting> = report.waiting.iter().collect();
    while let Some(error) = left.first().map(|waiting| &waiting.last_error) {
        let (alike, others): (Vec<&Waiting>, Vec<&Waiting>) =
            left.iter().partition(|waiting| waiting.last_error == *error);
        for waiting in alike {
            paragraph("  ", &waiting.notice, out)?;
        }
        paragraph("    ", error.as_deref().unwrap_or("not tried yet"), out)?;
        left = others;
    }
    for warning in &report.warnings {
        paragraph("! ", warning, out)?;
    }
    Ok(())
}

fn cells(row: &Row, report: &Report) -> [String; 6] {
    [
        row.name.clone(),
        day(row.joined),
        if row.watching { "now".to_owned() } else { day(row.last_watched) },
        row.idle_days.map_or(String::new(), |days| days.to_string()),
        standing(row, report).to_owned(),
        next(row, report),
    ]
}

fn day(time: Option<OffsetDateTime>) -> String {
    time.map_or("-".to_owned(), words::day)
}

fn standing(row: &Row, report: &Report) -> &'static str {
    match (row.standing, row.reason) {
        (Standing::Protected, Some(reason)) => reason,
        (standing, _) => standing_words(standing, report),
    }
}

fn standing_words(standing: Standing, report: &Report) -> &'static str {
    match standing {
        Standing::Active => "active",
        Standing::Watching => "watching",
        Standing::New => "new",
        Standing::Protected => "protected",
        Standing::Unknown => "can't tell",
        Standing::Warn => "to be warned",
        Standing::Warned => "warned",
        Standing::Remove if report.is_forecast => "removed",
        Standing::Remove => "to be removed",
    }
}

fn next(row: &Row, report: &Report) -> String {
    match (&row.next, row.standing) {
        (_, Standing::Unknown) => row.reason.unwrap_or_default().to_owned(),
        (Some(next), Standing::Remove) if report.is_forecast => format!("on {}", words::day(next.at)),
        (_, Standing::Warn | Standing::Remove) => "next sweep".to_owned(),
        (None, Standing::Protected) => "never removed".to_owned(),
        (None, _) => String::new(),
        (Some(next), _) => match next.step {
            // The last day that counts, not the midnight after it.
            Milestone::ProtectionEnds => format!("to {}", words::day(next.at - Duration::SECOND)),
            Milestone::CountingStarts => format!("counts from {}", words::day(next.at)),
            Milestone::Warning => format!("warning {}", words::day(next.at)),
            Milestone::Removal => format!("removal {}", words::day(next.at)),
        },
    }
}

fn mode(report: &Report) -> &'static str {
    if report.dry_run {
        "dry run: passes only say what they would do, and leave no trace here"
    } else {
        "live: passes warn and remove"
    }
}

fn pass_line(pass: &PassReport) -> String {
    let last = pass.last.map_or("never".to_owned(), words::minute);
    let every = match pass.every_seconds {
        seconds if seconds % 60 == 0 => words::count((seconds / 60) as usize, "minute", "minutes"),
        seconds => words::count(seconds as usize, "second", "seconds"),
    };
    let overdue = match (pass.overdue, pass.last) {
        (true, Some(_)) => ": OVERDUE, is it scheduled?",
        (true, None) => ": is it scheduled?",
        (false, _) => "",
    };
    format!("last {}: {last} (every {every}){overdue}", pass.command)
}
