use std::io::{self, IsTerminal, Write, stdout};

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets};
use terminal_size::terminal_size;
use time::OffsetDateTime;

use super::status::{PassReport, Report, Row};
use crate::words;

const HEADER: [&str; 6] = ["who", "joined", "watched", "idle", "standing", "next"];
/// The widest name in a table of 80 columns.
const WIDEST_NAME: u16 = 18;

/// Writes the report for people: framed and fitted on a terminal, plain and aligned in a pipe.
pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let width = terminal_size().filter(|_| stdout().is_terminal()).map(|(width, _)| width.0);
    let forecast = if report.is_forecast { ", if nobody watches anything until then" } else { "" };
    writeln!(out, "{} at {}{forecast}", report.server, words::minute(report.at))?;
    writeln!(out)?;
    if report.people.is_empty() {
        writeln!(out, "Nobody has a share on this server.")?;
    } else {
        for line in table(&report.people, width).lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
    }
    writeln!(out)?;
    let total = words::count(report.people.len(), "person", "people");
    let counts: Vec<String> =
        report.counts.iter().map(|count| format!("{} {}", count.people, standing_words(count.standing))).collect();
    writeln!(out, "{total}{}{}", if counts.is_empty() { "" } else { ": " }, counts.join(", "))?;
    writeln!(out, "{}", mode(report))?;
    for pass in &report.passes {
        writeln!(out, "{}", pass_line(pass, report))?;
    }
    if !report.waiting.is_empty() {
        writeln!(out, "{} waiting to be sent:", words::count(report.waiting.len(), "notice is", "notices are"))?;
        for waiting in &report.waiting {
            let error = waiting.last_error.as_deref().unwrap_or("not tried yet");
            writeln!(out, "  {}: {error}", waiting.notice)?;
        }
    }
    for warning in &report.warnings {
        writeln!(out, "! {warning}")?;
    }
    Ok(())
}

fn table(people: &[Row], width: Option<u16>) -> Table {
    let mut table = Table::new();
    match width {
        Some(width) => {
            table.load_style(presets::UTF8_HORIZONTAL_ONLY);
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        None => {
            table.load_style(presets::NOTHING);
        }
    }
    table.set_header(HEADER);
    for row in people {
        table.add_row([
            Cell::new(&row.name),
            Cell::new(day(row.joined)),
            Cell::new(if row.watching { "now".to_owned() } else { day(row.last_watched) }),
            Cell::new(row.idle_days.map_or(String::new(), |days| days.to_string())).set_alignment(CellAlignment::Right),
            Cell::new(standing(row)),
            Cell::new(next(row)),
        ]);
    }
    for row in table.row_iter_mut() {
        row.max_height(1);
    }
    if let Some(column) = table.column_mut(0) {
        let widest = width.map_or(WIDEST_NAME, |width| WIDEST_NAME + width.saturating_sub(80));
        column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(widest)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
    table
}

fn day(time: Option<OffsetDateTime>) -> String {
    time.map_or("-".to_owned(), words::day)
}

fn standing(row: &Row) -> String {
    match (row.standing, &row.reason) {
        ("protected", Some(reason)) => reason.clone(),
        (standing, _) => standing_words(standing).to_owned(),
    }
}

fn standing_words(standing: &'static str) -> &'static str {
    match standing {
        "unknown" => "can't tell",
        "warn" => "to be warned",
        "remove" => "to be removed",
        word => word,
    }
}

fn next(row: &Row) -> String {
    match (&row.next, row.standing) {
        (_, "unknown") => row.reason.clone().unwrap_or_default(),
        (_, "warn" | "remove") => "next sweep".to_owned(),
        (None, "protected") => "never removed".to_owned(),
        (None, _) => String::new(),
        (Some(next), _) => {
            let what = match next.step {
                "counting starts" => "counts from",
                "protection ends" => "protected to",
                word => word,
            };
            format!("{what} {}", words::day(next.at))
        }
    }
}

fn mode(report: &Report) -> &'static str {
    if report.dry_run {
        "dry run: passes only say what they would do, and leave no trace here"
    } else {
        "live: passes warn and remove"
    }
}

fn pass_line(pass: &PassReport, report: &Report) -> String {
    let last = pass.last.map_or("never".to_owned(), words::minute);
    let every = match pass.every_seconds {
        seconds if seconds % 60 == 0 => words::count((seconds / 60) as usize, "minute", "minutes"),
        seconds => words::count(seconds as usize, "second", "seconds"),
    };
    // A dry run leaves no trace, so nothing can be said about it.
    let overdue = if pass.overdue && !report.dry_run { "; OVERDUE, is the scheduler running?" } else { "" };
    format!("last {}: {last} (every {every}{overdue})", pass.command)
}
