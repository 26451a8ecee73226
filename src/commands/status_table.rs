use std::io::{self, IsTerminal, Write, stdout};

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Row, Table, Width, presets};
use terminal_size::terminal_size;
use time::OffsetDateTime;

use super::status::{PassReport, Report, Row as Person, Waiting};
use crate::words;

const HEADER: [&str; 6] = ["who", "joined", "watched", "idle", "standing", "next"];
/// A name gets this much room even where the table is then wider than the terminal.
const NARROWEST_NAME: u16 = 8;
/// A longer name would leave the other columns far away from the short ones.
const WIDEST_NAME: u16 = 40;
/// How wide lines get where there is no terminal to ask.
const PIPE: u16 = 80;

/// Writes the report for people, in lines that fit the terminal, or [`PIPE`] columns.
pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let terminal = terminal_size().filter(|_| stdout().is_terminal()).map(|(width, _)| width.0);
    let width = terminal.filter(|&width| width > 0).unwrap_or(PIPE);
    let say = |mark: &str, text: &str, out: &mut dyn Write| paragraph(mark, text, width, out);
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
    }
    // What stands in the way is mostly the same for all of them, and said once.
    let mut left: Vec<&Waiting> = report.waiting.iter().collect();
    while let Some(error) = left.first().map(|waiting| &waiting.last_error) {
        let (alike, others): (Vec<&Waiting>, Vec<&Waiting>) =
            left.iter().partition(|waiting| waiting.last_error == *error);
        for waiting in alike {
            say("  ", &waiting.notice, out)?;
        }
        say("    ", error.as_deref().unwrap_or("not tried yet"), out)?;
        left = others;
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

/// The table, one line a person: every column as wide as it must be, and the name as wide as is left.
fn table(report: &Report, width: u16) -> Table {
    let rows = report.people.iter().map(|row| cells(row, report));
    let rows: Vec<[String; 6]> = std::iter::once(HEADER.map(str::to_owned)).chain(rows).collect();
    let others: usize = (1..6).map(|column| 1 + rows.iter().map(|row| row[column].len()).max().unwrap_or(0)).sum();
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for [name, joined, watched, idle, standing, next] in rows {
        let idle = Cell::new(idle).set_alignment(CellAlignment::Right);
        let cells =
            [name, joined, watched].into_iter().map(Cell::new).chain([idle, Cell::new(standing), Cell::new(next)]);
        let mut row = Row::from(cells.collect::<Vec<_>>());
        row.max_height(1);
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
    if let Some(column) = table.column_mut(0) {
        let widest = width.saturating_sub(others as u16).clamp(NARROWEST_NAME, WIDEST_NAME);
        column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(widest)));
    }
    table
}

fn cells(row: &Person, report: &Report) -> [String; 6] {
    [
        row.name.clone(),
        day(row.joined),
        if row.watching { "now".to_owned() } else { day(row.last_watched) },
        row.idle_days.map_or(String::new(), |days| days.to_string()),
        standing(row, report),
        next(row, report),
    ]
}

fn day(time: Option<OffsetDateTime>) -> String {
    time.map_or("-".to_owned(), words::day)
}

fn standing(row: &Person, report: &Report) -> String {
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

fn next(row: &Person, report: &Report) -> String {
    match (&row.next, row.standing) {
        (_, "unknown") => row.reason.clone().unwrap_or_default(),
        (Some(next), "remove") if report.is_forecast => format!("on {}", words::day(next.at)),
        (_, "warn" | "remove") => "next sweep".to_owned(),
        (None, "protected") => "never removed".to_owned(),
        (None, _) => String::new(),
        (Some(next), _) => {
            let what = match next.step {
                "counting starts" => "counts from",
                "protection ends" => "until",
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
    let overdue = if pass.overdue { ": OVERDUE, is it scheduled?" } else { "" };
    format!("last {}: {last} (every {every}){overdue}", pass.command)
}
