//! Times in JSON: written as RFC 3339 in UTC to the second, read leniently.

use serde::{Deserialize, Deserializer, Serializer, de};
use time::{
    OffsetDateTime, PrimitiveDateTime, UtcOffset, format_description::well_known::Rfc3339, macros::format_description,
};

pub fn serialize<S: Serializer>(time: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&crate::words::timestamp(*time))
}

/// Reads a time in any form that this program or the original daemon writes.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OffsetDateTime, D::Error> {
    match AnyForm::deserialize(deserializer)? {
        AnyForm::Text(text) => parse(&text).ok_or_else(|| de::Error::custom(format!("{text:?} is not a time"))),
        // Seconds since 1970, as Python's time.time() gives them; the fraction is dropped.
        AnyForm::Seconds(seconds) => OffsetDateTime::from_unix_timestamp(seconds as i64).map_err(de::Error::custom),
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum AnyForm {
    Text(String),
    Seconds(f64),
}

/// Reads RFC 3339, or the same without a zone, as Python's `isoformat` writes it: the original daemon meant UTC.
fn parse(text: &str) -> Option<OffsetDateTime> {
    let naive =
        format_description!("[year]-[month]-[day][first [T] [ ]][hour]:[minute]:[second][optional [.[subsecond]]]");
    let time = OffsetDateTime::parse(text, &Rfc3339)
        .ok()
        .or_else(|| PrimitiveDateTime::parse(text, naive).ok().map(PrimitiveDateTime::assume_utc))?;
    Some(time.to_offset(UtcOffset::UTC))
}

/// The same for a time that may be missing.
pub mod option {
    use super::*;

    pub fn serialize<S: Serializer>(time: &Option<OffsetDateTime>, serializer: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => super::serialize(time, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<OffsetDateTime>, D::Error> {
        #[derive(Deserialize)]
        struct Wrapped(#[serde(with = "super")] OffsetDateTime);
        Ok(Option::<Wrapped>::deserialize(deserializer)?.map(|wrapped| wrapped.0))
    }
}
