//! Tables and paragraphs as people read them: framed and fitted on a terminal, plain and aligned in a pipe.

use std::io::{self, IsTerminal, Write, stdout};

use comfy_table::{Cell, ColumnConstraint, ContentArrangement, Table, Width, presets};
use terminal_size::terminal_size;

/// How wide lines get where there is no terminal to ask.
const PIPE: u16 = 80;
/// The widest text in a flexible column of a table of [`PIPE`] columns; what a wider terminal has to spare is added.
const WIDEST: u16 = 18;

/// Writes a table, one line a row. The columns `flexible` hold texts of any length, which are cut to fit.
pub(super) fn write<const N: usize>(
    header: &[&str; N],
    rows: impl Iterator<Item = [String; N]>,
    flexible: &[usize],
    out: &mut dyn Write,
) -> io::Result<()> {
    let width = terminal_width();
    let mut table = Table::new();
    match width {
        Some(width) => table
            .load_style(presets::UTF8_HORIZONTAL_ONLY)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width),
        None => table.load_style(presets::NOTHING),
    };
    table.set_header(header.iter().map(Cell::new));
    for row in rows {
        table.add_row(row.iter().map(Cell::new));
    }
    for row in table.row_iter_mut() {
        row.max_height(1);
    }
    let spare = width.unwrap_or(PIPE).saturating_sub(PIPE) / flexible.len().max(1) as u16;
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 1));
        if flexible.contains(&index) {
            column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(WIDEST + spare)));
        }
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn terminal_width() -> Option<u16> {
    terminal_size().filter(|_| stdout().is_terminal()).map(|(width, _)| width.0).filter(|&width| width > 0)
}

/// Writes a text behind a mark, in lines that fit; those after the first are indented as far as the mark.
pub(super) fn paragraph(mark: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    let indent = mark.chars().count();
    let mut table = Table::new();
    let room = terminal_width().unwrap_or(PIPE).saturating_sub(indent as u16).max(1);
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
