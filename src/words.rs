//! How times, names and numbers are put into words, the same way everywhere.

use std::fmt::Write;

use time::{
    Date, Duration, OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339, macros::format_description,
};

/// A name longer than this many characters is cut: nobody reads on, and a mail header or a table can't take it.
const LONGEST_NAME: usize = 60;
/// Text of a service longer than this many characters is cut.
const LONGEST_EXCERPT: usize = 300;

/// A time as RFC 3339 in UTC, to the second: `2026-11-23T12:00:00Z`.
pub fn timestamp(time: OffsetDateTime) -> String {
    let time = time.to_offset(UtcOffset::UTC);
    time.replace_nanosecond(0).unwrap_or(time).format(&Rfc3339).unwrap_or_default()
}

/// The day of a time, in UTC: `2026-11-23`.
pub fn day(time: OffsetDateTime) -> String {
    date(time.to_offset(UtcOffset::UTC).date())
}

/// A time to the minute, in UTC: `2026-11-23 12:00 UTC`.
pub fn minute(time: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    time.to_offset(UtcOffset::UTC).format(format).unwrap_or_default()
}

/// Days until `end`, rounded up; 0 once it is past.
pub fn days_until(end: OffsetDateTime, now: OffsetDateTime) -> u32 {
    let left = (end - now).max(Duration::ZERO);
    let begun = i64::from(left > Duration::days(left.whole_days()));
    u32::try_from(left.whole_days() + begun).unwrap_or(u32::MAX)
}

/// A calendar day: `2026-11-23`.
pub fn date(date: Date) -> String {
    date.format(format_description!("[year]-[month]-[day]")).unwrap_or_default()
}

/// A number with its noun: `1 person`, `3 people`.
pub fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A number of days: `1 day`, `3 days`.
pub fn days(number: u32) -> String {
    count(number as usize, "day", "days")
}

/// A name from outside, fit for one line of a terminal, a log or a mail: control characters and marks that turn the
/// direction of writing are shown escaped (`\n`, `\u{202e}`), and what is too long for a name is cut.
pub fn printable(name: &str) -> String {
    escape(name, LONGEST_NAME)
}

/// Text of a service (an error message, for example), likewise.
pub fn excerpt(text: &str) -> String {
    escape(text, LONGEST_EXCERPT)
}

fn escape(text: &str, longest: usize) -> String {
    let mut escaped = String::new();
    for (index, c) in text.trim().chars().enumerate() {
        if index == longest {
            escaped.push('…');
            break;
        }
        if c.is_control() || is_invisible(c) {
            // Writing to a string can't fail.
            let _ = write!(escaped, "{}", c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Unicode's marks for the direction of writing, its line separators, and its zero-width characters but the joiner,
/// which holds emoji together.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn what_could_move_the_cursor_is_escaped() {
        assert_eq!(printable(" bob \n"), "bob");
        assert_eq!(printable("a\nb\u{1b}[31m\u{202e}x"), "a\\nb\\u{1b}[31m\\u{202e}x");
        assert_eq!(printable("日本語 👩\u{200d}👩\u{200d}👧 <b>"), "日本語 👩\u{200d}👩\u{200d}👧 <b>");
        assert_eq!(printable(&"x".repeat(10_000)), format!("{}…", "x".repeat(60)));
        assert_eq!(printable(&"x".repeat(60)), "x".repeat(60));
    }

    #[test]
    fn a_day_that_has_begun_counts() {
        let now = datetime!(2026-11-23 12:00 UTC);
        let days = |left| days_until(now + left, now);
        assert_eq!([days(Duration::days(3)), days(Duration::days(3) + Duration::SECOND)], [3, 4]);
        assert_eq!([days(Duration::SECOND), days(Duration::ZERO), days(-Duration::DAY)], [1, 0, 0]);
    }

    #[test]
    fn times_are_utc_whatever_their_zone() {
        let time = datetime!(2026-11-23 00:30:15.25 +02:00);
        assert_eq!(timestamp(time), "2026-11-22T22:30:15Z");
        assert_eq!(day(time), "2026-11-22");
        assert_eq!(minute(time), "2026-11-22 22:30 UTC");
        assert_eq!(
            (count(1, "person", "people"), count(0, "person", "people"), days(1), days(30)),
            ("1 person".into(), "0 people".into(), "1 day".into(), "30 days".into())
        );
    }
}
