use std::io::{self, IsTerminal, Write, stdout};

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets};
use terminal_size::terminal_size;
use time::OffsetDateTime;

use super::status::{PassReport, Report, Row};
use crate::words;

const HEADER: [&str; 6] = ["who", "joined", "watched", "idle", "standing", "next"];
/// The widest name in a table of 80 columns.
const WIDEST_NAME: u16 = 18;
/// How wide lines get where there is no terminal to ask.
const PIPE: u16 = 80;

/// Writes the report for people: framed and fitted on a terminal, plain and aligned in a pipe.
pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let width = terminal_size().filter(|_| stdout().is_terminal()).map(|(width, _)| width.0).filter(|&width| width > 0);
    let say = |mark: &str, text: &str, out: &mut dyn Write| paragraph(mark, text, width.unwrap_or(PIPE), out);
    let forecast = if report.is_forecast { ", if nobody watches anything until then" } else { "" };
    say("", &format!("{} at {}{forecast}", report.server, words::minute(report.at)), out)?;
    writeln!(out)?;
    if report.people.is_empty() {
        writeln!(out, "Nobody has a share on this server.")?;
    } else {
        for line in table(report, width).lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
    }
    writeln!(out)?;
    let total = words::count(report.people.len(), "person", "people");
    let counts: Vec<String> = report
        .counts
        .iter()
        .map(|count| format!("{} {}", count.people, standing_words(count.standing, report)))
        .collect();
    say("", &format!("{total}{}{}", if counts.is_empty() { "" } else { ": " }, counts.join(", ")), out)?;
    say("", mode(report), out)?;
    for pass in &report.passes {
        say("", &pass_line(pass), out)?;
    }
    if !report.waiting.is_empty() {
        let notices = words::count(report.waiting.len(), "notice is", "notices are");
        say("", &format!("{notices} waiting to be sent:"), out)?;
        for waiting in &report.waiting {
            let error = waiting.last_error.as_deref().unwrap_or("not tried yet");
            say("  ", &format!("{}: {error}", waiting.notice), out)?;
        }
    }
    for warning in &report.warnings {
        say("! ", warning, out)?;
    }
    Ok(())
}

/// Writes a text behind a mark, in lines that fit; those after the first are indented as far as the mark.
fn paragraph(mark: &str, text: &str, width: u16, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new();
    let room = width.saturating_sub(mark.len() as u16).max(1);
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(room);
    table.add_row([text]);
    if let Some(column) = table.column_mut(0) {
        column.set_padding((0, 0));
    }
    for (index, line) in table.lines().enumerate() {
        let mark = if index == 0 { mark } else { &" ".repeat(mark.len()) };
        writeln!(out, "{mark}{}", line.trim_end())?;
    }
    Ok(())
}

fn table(report: &Report, width: Option<u16>) -> Table {
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
    for row in &report.people {
        table.add_row([
            Cell::new(&row.name),
            Cell::new(day(row.joined)),
            Cell::new(if row.watching { "now".to_owned() } else { day(row.last_watched) }),
            Cell::new(row.idle_days.map_or(String::new(), |days| days.to_string())).set_alignment(CellAlignment::Right),
            Cell::new(standing(row, report)),
            Cell::new(next(row, report)),
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

fn standing(row: &Row, report: &Report) -> String {
    match (row.standing, &row.reason) {
        ("protected", Some(reason)) => reason.clone(),
        (standing, _) => standing_words(standing, report).to_owned(),
    }
}

fn standing_words(standing: &'static str, report: &Report) -> &'static str {
    match standing {
        "unknown" => "can't tell",
        "remove" if report.is_forecast => "removed",
        "warn" => "to be warned",
        "remove" => "to be removed",
        word => word,
    }
}

fn next(row: &Row, report: &Report) -> String {
    match (&row.next, row.standing) {
        (_, "unknown") => row.reason.clone().unwrap_or_default(),
        (Some(next), "remove") if report.is_forecast => format!("on {}", words::day(next.at)),
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

fn pass_line(pass: &PassReport) -> String {
    let last = pass.last.map_or("never".to_owned(), words::minute);
    let every = match pass.every_seconds {
        seconds if seconds % 60 == 0 => words::count((seconds / 60) as usize, "minute", "minutes"),
        seconds => words::count(seconds as usize, "second", "seconds"),
    };
    let overdue = if pass.overdue { "; OVERDUE, is the scheduler running?" } else { "" };
    format!("last {}: {last} (every {every}{overdue})", pass.command)
}
