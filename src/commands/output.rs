//! Tables and paragraphs as people read them, in lines that fit the terminal, or [`PIPE`] columns.

use std::io::{self, ErrorKind, IsTerminal, Write, stdout};

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Row, Table, Width, presets};
use serde::Serialize;
use terminal_size::terminal_size;

/// How wide lines get where there is no terminal to ask.
const PIPE: u16 = 80;
/// A flexible column gets this much room even where the table is then wider than the terminal.
const NARROWEST: u16 = 8;
/// A longer text would leave the other columns far away from the short ones.
const WIDEST: u16 = 40;

/// Which columns are special, by their numbers.
pub struct Columns<'a> {
    /// Texts of any length, cut to fit.
    pub flexible: &'a [usize],
    /// Numbers.
    pub right: &'a [usize],
}

/// A table in lines, the header's first (on a terminal with a rule below it) and then one a row. Every column is as wide
/// as it must be; what is left is for the flexible ones.
pub fn lines<const N: usize>(
    header: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
    columns: &Columns<'_>,
) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for row in std::iter::once(header.map(str::to_owned)).chain(rows) {
        let cells = row.into_iter().enumerate().map(|(index, text)| match columns.right.contains(&index) {
            true => Cell::new(text).set_alignment(CellAlignment::Right),
            false => Cell::new(text),
        });
        let mut row = Row::from(cells.collect::<Vec<_>>());
        row.max_height(1);
        table.add_row(row);
    }
    let widths = fitting(table.column_max_content_widths(), columns.flexible, width());
    for (index, (column, width)) in table.column_iter_mut().zip(widths).enumerate() {
        column.set_padding((0, 1));
        if columns.flexible.contains(&index) {
            column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(width)));
        }
    }
    let mut lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    if let Some(width) = terminal_width() {
        lines.insert(1, "─".repeat(width.into()));
    }
    lines
}

/// How wide each column may be, the blank behind it included: as wide as its content, but the widest flexible ones
/// narrower until all fit.
fn fitting(contents: Vec<u16>, flexible: &[usize], room: u16) -> Vec<u16> {
    let mut widths: Vec<u16> = contents.into_iter().map(|content| content.saturating_add(1)).collect();
    for &index in flexible {
        widths[index] = widths[index].min(WIDEST);
    }
    while widths.iter().map(|&width| u32::from(width)).sum::<u32>() > room.into() {
        let widest = flexible.iter().copied().filter(|&index| widths[index] > NARROWEST).max_by_key(|&i| widths[i]);
        let Some(widest) = widest else { break };
        widths[widest] -= 1;
    }
    widths
}

fn width() -> u16 {
    terminal_width().unwrap_or(PIPE)
}

fn terminal_width() -> Option<u16> {
    let terminal = terminal_size().filter(|_| stdout().is_terminal()).map(|(width, _)| width.0);
    terminal.filter(|&width| width > 0)
}

/// Writes a text behind a mark, in lines that fit; those after the first are indented as far as the mark.
pub fn paragraph(mark: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    let indent = mark.chars().count();
    let mut table = Table::new();
    let room = width().saturating_sub(indent as u16).max(1);
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(room);
    table.add_row([text]);
    if let Some(column) = table.column_mut(0) {
        column.set_padding((0, 0));
    }
    for (index, line) in table.lines().enumerate() {
        let mark = if index == 0 { mark } else { &" ".repeat(indent) };
        writeln!(out, "{mark}{}", line.trim_end())?;
    }
    Ok(())
}

/// Prints a report as JSON, or as `write` puts it for people.
///
/// # Errors
/// Standard output can't be written to.
pub fn print<T: Serialize>(
    report: &T,
    json: bool,
    write: impl FnOnce(&T, &mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    to_stdout(|mut out| {
        if json {
            serde_json::to_writer_pretty(&mut out, report)?;
            writeln!(out)
        } else {
            write(report, out)
        }
    })
}

/// Writes to standard output. A reader who has seen enough (`| head`) is no error.
///
/// # Errors
/// Standard output can't be written to.
pub fn to_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = stdout().lock();
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_flexible_columns_give_way() {
        assert_eq!(fitting(vec![3, 5, 7], &[1], 80), [4, 6, 8]);
        assert_eq!(fitting(vec![9, 60, 20, 9], &[1, 2], 60), [10, 20, 20, 10]);
        assert_eq!(fitting(vec![9, 60, 12, 9], &[1, 2], 60), [10, 27, 13, 10]);
        assert_eq!(fitting(vec![9, 300], &[1], 500), [10, 40]);
        assert_eq!(fitting(vec![70, 30], &[1], 60), [71, 8]);
    }
}
