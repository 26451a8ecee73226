//! Tautulli: what people watched, as far as it recorded that.

use reqwest::blocking::{Client, RequestBuilder};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _, IgnoredAny},
};
use time::{Date, OffsetDateTime, Time, macros::format_description};

use super::{
    http::{self, Fault, Service},
    plex::Server,
};
use crate::{
    config::{TautulliConfig, is_this_machine, localhost_in_container},
    error::Error,
    words,
};

/// What to do about a fault, which may hang on the address and on where this program runs.
fn advice(fault: &Fault, config: &TautulliConfig) -> String {
    let secure = config.url.starts_with("https:");
    let advice = match fault {
        Fault::NoConnection(why) if secure && (why.contains("InvalidContentType") || why.contains("handshake eof")) => {
            "Does that port speak https? Else TAUTULLI_URL begins with http://"
        }
        Fault::NoConnection(why)
            if why.contains("refused")
                && config.in_container
                && config.host().is_some_and(|host| is_this_machine(&host)) =>
        {
            return localhost_in_container("TAUTULLI_URL");
        }
        Fault::NoConnection(why) if why.contains("UnknownIssuer") => {
            "Put the authority that signed Tautulli's certificate into CA_FILE (PEM)"
        }
        Fault::NoConnection(why) if why.contains("certificate") => {
            "Renew Tautulli's certificate, or use a name in TAUTULLI_URL that it is made out to"
        }
        Fault::NoConnection(_) => "Is Tautulli running, and TAUTULLI_URL right (http or https, host, port)?",
        Fault::CutOff(_) if !secure => {
            "Does that port speak https? Then TAUTULLI_URL begins with https://. Else, is it Tautulli's port?"
        }
        Fault::CutOff(_) => "Is TAUTULLI_URL right (http or https, host, port)? If it is, Tautulli's own log says more",
        Fault::Status { code: 400, message, .. } if message.contains("apikey") => {
            "Check TAUTULLI_API_KEY: it is in Tautulli's Settings, Web Interface, API"
        }
        // Tautulli's own server says so, and proxies show a page.
        Fault::Status { code: 400, message, .. } if !secure && (message.contains("HTTPS") || message == http::PAGE) => {
            "That port speaks https: try https:// in TAUTULLI_URL"
        }
        Fault::Status { code: 401 | 403, .. } => {
            "Something in front of Tautulli wants a login: put it into TAUTULLI_URL (http://user:password@host), or go round it"
        }
        Fault::Status { code: 404, message, .. } if message.contains("API not enabled") => {
            "Enable the API: Tautulli's Settings, Web Interface, API"
        }
        Fault::Status { code: 404, .. } => {
            "Check the path in TAUTULLI_URL: it is what the browser shows when Tautulli is open, up to /home"
        }
        Fault::Redirect(_) => {
            "Check TAUTULLI_URL (scheme and path too), and that the API is enabled in Tautulli's Settings, Web Interface, API"
        }
        Fault::Status { code: 502..=504, .. } => "Something in front of Tautulli can't reach it: is Tautulli running?",
        Fault::Status { code: 429, .. } => "Something in front of Tautulli limits calls: let plex-prune through",
        Fault::ClockAhead(_) => "Set the clock that is wrong, and keep it right (NTP)",
        Fault::TooSlow | Fault::Status { .. } => "Tautulli's own log says more",
        Fault::Unreadable(_) => "Is TAUTULLI_URL the address of Tautulli itself, and Tautulli up to date?",
    };
    advice.to_owned()
}

/// Tautulli's API: one endpoint, `POST /api/v2`, whose form body holds the key and the command.
pub struct Tautulli {
    client: Client,
    config: TautulliConfig,
    service: Service,
}

/// A row of Tautulli's table of users.
#[derive(Clone, Debug)]
pub struct User {
    /// Plex id.
    pub id: u64,
    /// Username and address on Plex.
    pub names: Vec<String>,
    /// The newest play's start, UTC; none recorded: none.
    pub last_seen: Option<OffsetDateTime>,
    /// Whether Tautulli records this person.
    pub keeps_history: bool,
}

/// Somebody's newest play, one that is going on included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Play {
    /// Its start, UTC.
    pub started: OffsetDateTime,
    /// Whether it is going on now.
    pub going_on: bool,
}

impl Tautulli {
    /// Tautulli with its key.
    pub fn new(client: Client, config: TautulliConfig) -> Self {
        let told = config.clone();
        let service = Service::new("Tautulli", &config.api_key, Box::new(move |fault| advice(fault, &told)));
        Self { client, config, service }
    }

    /// Tautulli's version (`get_tautulli_info`: `tautulli_version`).
    ///
    /// # Errors
    /// The call failed.
    pub fn version(&self) -> Result<String, Error> {
        #[derive(Deserialize)]
        struct Info {
            tautulli_version: String,
        }
        let info: Info = self.read("read its version", "get_tautulli_info", &[])?;
        Ok(words::printable(&info.tautulli_version))
    }

    /// Everybody whom Tautulli shows, with their last play (`get_users_table`). "Local", which is nobody on Plex, is left
    /// out; none at all where the table has not even that row: what Tautulli answers after an error in its database.
    ///
    /// # Errors
    /// The call failed, or the table has not all its rows.
    pub fn users(&self) -> Result<Option<Vec<User>>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Table {
            records_filtered: usize,
            data: Vec<Row>,
        }
        #[derive(Deserialize)]
        struct Row {
            user_id: u64,
            username: Option<String>,
            email: Option<String>,
            last_seen: Option<i64>,
            #[serde(default, deserialize_with = "flag")]
            keep_history: bool,
        }
        let doing = "read the table of users";
        let unreadable = |why: String| self.service.error(doing, &Fault::Unreadable(why));
        let table: Table = self.read(doing, "get_users_table", &[("length", "100000")])?;
        if table.data.len() < table.records_filtered {
            return Err(unreadable(format!("{} of {} rows", table.data.len(), table.records_filtered)));
        }
        if table.data.is_empty() {
            return Ok(None);
        }
        let people = table.data.into_iter().filter(|row| row.user_id != 0);
        let user = |row: Row| {
            let last_seen = row.last_seen.map(|seconds| epoch(seconds).map_err(unreadable)).transpose()?;
            let names = [row.username, row.email].into_iter().flatten().collect();
            Ok(User { id: row.user_id, names, last_seen, keeps_history: row.keep_history })
        };
        people.map(user).collect::<Result<_, _>>().map(Some)
    }

    /// One person's newest play, one that is going on now included (`get_history` with `include_activity`).
    ///
    /// # Errors
    /// The call failed: which says nothing about what the person watched.
    pub fn newest_play(&self, person: u64) -> Result<Option<Play>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct History {
            records_filtered: usize,
            records_total: usize,
            data: Vec<Row>,
        }
        #[derive(Deserialize)]
        struct Row {
            user_id: u64,
            date: i64,
            state: Option<String>,
        }
        let doing = "read somebody's newest play";
        let unreadable = |why: String| self.service.error(doing, &Fault::Unreadable(why));
        let id = person.to_string();
        let parameters = [
            ("user_id", id.as_str()),
            ("length", "1"),
            ("order_column", "date"),
            ("order_dir", "desc"),
            ("grouping", "0"),
            ("include_activity", "1"),
        ];
        let history: History = self.read(doing, "get_history", &parameters)?;
        match history.data.first() {
            // After an error in its database Tautulli answers like this, with success.
            None if history.records_total == 0 => Err(unreadable("it has no play of anybody".to_owned())),
            None if history.records_filtered == 0 => Ok(None),
            None => Err(unreadable(format!("none of {} plays", history.records_filtered))),
            Some(row) if row.user_id != person => Err(unreadable(format!("it is about user {}", row.user_id))),
            Some(row) => {
                Ok(Some(Play { started: epoch(row.date).map_err(unreadable)?, going_on: row.state.is_some() }))
            }
        }
    }

    /// The Plex ids of those who are watching now (`get_activity`).
    ///
    /// # Errors
    /// The call failed.
    pub fn watching(&self) -> Result<Vec<u64>, Error> {
        #[derive(Deserialize)]
        struct Activity {
            #[serde(default)]
            sessions: Vec<Session>,
        }
        #[derive(Deserialize)]
        struct Session {
            #[serde(deserialize_with = "number")]
            user_id: u64,
        }
        let activity: Activity = self.read("read who is watching", "get_activity", &[])?;
        Ok(activity.sessions.into_iter().map(|session| session.user_id).collect())
    }

    /// The names of the libraries whose plays Tautulli does not record (`get_libraries_table`: `keep_history`). Whoever
    /// watches only there looks idle.
    ///
    /// # Errors
    /// The call failed.
    pub fn unrecorded_libraries(&self) -> Result<Vec<String>, Error> {
        #[derive(Deserialize)]
        struct Table {
            data: Vec<Row>,
        }
        #[derive(Deserialize)]
        struct Row {
            section_name: String,
            #[serde(default, deserialize_with = "flag")]
            keep_history: bool,
            #[serde(default, deserialize_with = "flag")]
            is_active: bool,
        }
        let table: Table = self.read("read the table of libraries", "get_libraries_table", &[("length", "100000")])?;
        let unrecorded = table.data.into_iter().filter(|library| library.is_active && !library.keep_history);
        Ok(unrecorded.map(|library| words::printable(&library.section_name)).collect())
    }

    /// Since when Tautulli has been recording, UTC: the end of the first day of the last 365 on which anybody played
    /// anything (`get_plays_by_date`); `now` if nobody did. The day is Tautulli's own, in a time zone that it doesn't
    /// tell, so its end is the later and safer reading.
    ///
    /// This covers a Tautulli that is new or whose history was wiped: somebody without any play is counted from here.
    /// It does not cover a hole in the record, while Tautulli was off for some weeks: a quiet server looks just the same,
    /// so whoever watched before the hole and in it is counted from the play before it, and goes unwarned if that is
    /// long enough ago. `WARN_FIRST` leaves everybody a warning, after which anything they watch counts.
    ///
    /// # Errors
    /// The call failed.
    pub fn recording_since(&self, now: OffsetDateTime) -> Result<OffsetDateTime, Error> {
        #[derive(Deserialize)]
        struct Plays {
            categories: Vec<String>,
            series: Vec<Series>,
        }
        #[derive(Deserialize)]
        struct Series {
            data: Vec<u64>,
        }
        let doing = "read since when it has been recording";
        let plays: Plays = self.read(doing, "get_plays_by_date", &[("time_range", "365"), ("y_axis", "plays")])?;
        // Each series counts one type of library, the last one all: any of them will do.
        let first = plays.series.iter().filter_map(|one| one.data.iter().position(|&plays| plays > 0)).min();
        let Some(first) = first else { return Ok(now) };
        let format = format_description!("[year]-[month]-[day]");
        plays
            .categories
            .get(first)
            .and_then(|day| Date::parse(day, format).ok()?.next_day())
            .map(|day| day.with_time(Time::MIDNIGHT).assume_utc())
            .ok_or_else(|| self.service.error(doing, &Fault::Unreadable("a day is not a date".to_owned())))
    }

    /// The Plex server that this Tautulli watches (`get_server_info`: `pms_identifier`, `pms_name`).
    ///
    /// # Errors
    /// The call failed.
    pub fn watched_server(&self) -> Result<Server, Error> {
        #[derive(Deserialize)]
        struct Info {
            pms_identifier: String,
            pms_name: Option<String>,
        }
        let info: Info = self.read("read which server it watches", "get_server_info", &[])?;
        let name = info.pms_name.map(|name| words::printable(&name)).filter(|name| !name.is_empty());
        Ok(Server {
            name: name.unwrap_or_else(|| "a server without a name".to_owned()),
            machine_identifier: info.pms_identifier,
        })
    }

    /// Whether Tautulli is in touch with Plex, that is: whether it records at all now (`server_status`).
    ///
    /// # Errors
    /// The call failed.
    pub fn is_connected(&self) -> Result<bool, Error> {
        #[derive(Deserialize)]
        struct Status {
            connected: bool,
        }
        let status: Status = self.read("read whether it is connected to Plex", "server_status", &[])?;
        Ok(status.connected)
    }

    /// Whether somebody is deleted in Tautulli, which the table of users leaves out (`get_user`). Somebody whom it never
    /// knew is not: for them it answers with "Local", whose id is 0.
    ///
    /// # Errors
    /// The call failed.
    pub fn is_deleted(&self, person: u64) -> Result<bool, Error> {
        #[derive(Deserialize)]
        struct User {
            user_id: u64,
            #[serde(default, deserialize_with = "flag")]
            deleted_user: bool,
        }
        let user: User = self.read("look somebody up", "get_user", &[("user_id", &person.to_string())])?;
        Ok(user.user_id == person && user.deleted_user)
    }

    /// Deletes somebody and their history (`delete_user`: success for an unknown id as well). After an error, `get_user`
    /// tells whether it took effect.
    ///
    /// # Errors
    /// The call failed and the person is still there.
    pub fn delete(&self, person: u64) -> Result<(), Error> {
        self.change("delete somebody", "delete_user", person, || self.is_deleted(person))
    }

    /// Undoes the hiding that [`Tautulli::delete`] brings, so that the person is recorded again (`undelete_user`).
    ///
    /// # Errors
    /// The call failed and the person is still hidden. (Somebody whom Tautulli doesn't have at all makes the call fail,
    /// and will be recorded once it learns of them.)
    pub fn undelete(&self, person: u64) -> Result<(), Error> {
        self.change("undelete somebody", "undelete_user", person, || Ok(!self.is_deleted(person)?))
    }

    fn change(
        &self,
        doing: &str,
        command: &str,
        person: u64,
        is_done: impl FnMut() -> Result<bool, Error>,
    ) -> Result<(), Error> {
        let id = person.to_string();
        let change = || {
            let answer = self.service.write(doing, self.request(command, &[("user_id", &id)]));
            answer.and_then(|body| envelope::<IgnoredAny>(&body)).map(drop)
        };
        self.service.change(doing, change, is_done)
    }

    fn read<T: DeserializeOwned>(&self, doing: &str, command: &str, parameters: &[(&str, &str)]) -> Result<T, Error> {
        let answer = self.service.read(doing, &self.request(command, parameters));
        answer.and_then(|body| envelope(&body)).map_err(|fault| self.service.error(doing, &fault))
    }

    fn request(&self, command: &str, parameters: &[(&str, &str)]) -> RequestBuilder {
        let mut form = vec![("apikey", self.config.api_key.reveal()), ("cmd", command)];
        form.extend_from_slice(parameters);
        self.client.post(format!("{}/api/v2", self.config.url)).form(&form)
    }
}

/// Takes the data out of `{"response": {"result": …, "message": …, "data": …}}`.
fn envelope<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    #[derive(Deserialize)]
    struct Outcome {
        response: Outer,
    }
    #[derive(Deserialize)]
    struct Outer {
        result: String,
    }
    #[derive(Deserialize)]
    struct Envelope<T> {
        response: Inner<T>,
    }
    #[derive(Deserialize)]
    struct Inner<T> {
        data: T,
    }
    // The result comes first: the data of an error is of any shape.
    let outcome: Outcome = http::parse(body)?;
    if outcome.response.result != "success" {
        return Err(Fault::Status { code: 200, message: http::message_in(body), retry_after: None });
    }
    http::parse::<Envelope<T>>(body).map(|envelope| envelope.response.data)
}

fn epoch(seconds: i64) -> Result<OffsetDateTime, String> {
    OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| format!("{seconds} is no time in seconds since 1970"))
}

/// A flag as SQLite has it (0, 1) or as JSON has it. Null is no: what is not known to be recorded counts as not recorded.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Flag {
        Bool(bool),
        Number(i64),
    }
    Ok(match Option::<Flag>::deserialize(deserializer)? {
        None => false,
        Some(Flag::Bool(flag)) => flag,
        Some(Flag::Number(number)) => number != 0,
    })
}

/// A number, which Tautulli's activity gives as a number or as text.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Number(u64),
        Text(String),
    }
    match Number::deserialize(deserializer)? {
        Number::Number(number) => Ok(number),
        Number::Text(text) => text.parse().map_err(D::Error::custom),
    }
}
