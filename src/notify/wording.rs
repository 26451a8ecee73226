//! How dates, counts and foreign strings are written in notices.

use time::{OffsetDateTime, UtcOffset};

/// A day in UTC: `Thursday 26 November 2026`.
pub fn day(time: OffsetDateTime) -> String {
    let time = time.to_offset(UtcOffset::UTC);
    format!("{} {} {} {}", time.weekday(), time.day(), time.month(), time.year())
}

/// A minute in UTC, seconds cut off: `Thursday 26 November 2026, 12:00 UTC`.
pub fn moment(time: OffsetDateTime) -> String {
    let utc = time.to_offset(UtcOffset::UTC);
    format!("{}, {:02}:{:02} UTC", day(utc), utc.hour(), utc.minute())
}

/// The text on one line: each run of control characters and line separators becomes one space.
///
/// Names arrive fit for showing; servers' answers do not, and a line break in a subject would be a header.
pub fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Breaks lines longer than `width` characters at their blanks. The rest of a list entry (`- `) is indented like its first
/// line; a word longer than that, such as a link, stays whole.
pub fn wrap(text: &str, width: usize) -> String {
    let mut wrapped = String::with_capacity(text.len() + text.len() / 32);
    for line in text.lines() {
        if line.chars().count() <= width {
            wrapped.push_str(line);
            wrapped.push('\n');
            continue;
        }
        let indent = if line.starts_with("- ") { 2 } else { 0 };
        let mut used = 0;
        for word in line.trim_end().split(' ') {
            let length = word.chars().count();
            if used > indent && used + 1 + length > width {
                wrapped.push('\n');
                wrapped.push_str(&" ".repeat(indent));
                used = indent;
            } else if used > 0 {
                wrapped.push(' ');
                used += 1;
            }
            wrapped.push_str(word);
            used += length;
        }
        wrapped.push('\n');
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn dates_are_in_utc() {
        assert_eq!(moment(datetime!(2026-11-26 01:05:59 +02:00)), "Wednesday 25 November 2026, 23:05 UTC");
        assert_eq!(day(datetime!(2026-11-26 01:05 +02:00)), "Wednesday 25 November 2026");
    }

    #[test]
    fn control_characters_become_blanks() {
        assert_eq!(one_line("a\r\nBcc: b@example.test\0\u{2028}c\u{1b}[31m"), "a Bcc: b@example.test c [31m");
        assert_eq!(one_line("\n Zoë 🎬\t"), "Zoë 🎬");
    }

    #[test]
    fn long_lines_are_wrapped_and_links_stay_whole() {
        assert_eq!(wrap("one two three\n\nfour", 8), "one two\nthree\n\nfour\n");
        assert_eq!(wrap("- one two three", 10), "- one two\n  three\n");
        assert_eq!(wrap("see https://example.test/long now", 10), "see\nhttps://example.test/long\nnow\n");
        assert_eq!(wrap("- https://example.test/long", 10), "- https://example.test/long\n");
    }

    #[test]
    fn short_lines_stay_as_they_are() {
        assert_eq!(wrap("  a  b", 6), "  a  b\n");
    }
}
