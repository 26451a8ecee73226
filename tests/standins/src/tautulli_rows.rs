//! What Tautulli tells, built on its recorded answers so that it has the same keys.

use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::fixtures::fixture;
use super::http::Request;
use super::tautulli::{Data, Play, Session, User};

pub fn users_table(request: &Request, data: &Data) -> Value {
    if data.database_broken {
        return json!({"recordsFiltered": 0, "recordsTotal": 0, "draw": 0, "data": []});
    }
    let mut shown: Vec<&User> = data.users.iter().filter(|user| !user.deleted).collect();
    shown.sort_by_key(|user| std::cmp::Reverse(user.name().to_lowercase()));
    let page = page(&shown, request);
    let template = fixture("get_users_table")["response"]["data"]["data"].take();
    let rows: Vec<Value> = page.map(|user| users_row(&template, user, data)).collect();
    json!({"recordsFiltered": shown.len(), "recordsTotal": data.users.len(), "data": rows, "draw": 1})
}

fn users_row(recorded: &Value, user: &User, data: &Data) -> Value {
    let theirs = data.plays.iter().filter(|play| play.user_id == user.user_id);
    let mut row = match data.last_seen(user.user_id) {
        // Of the recorded rows, the third is of somebody who watched, the second of somebody who did not.
        Some(last) => {
            let mut row = recorded[2].clone();
            row["last_seen"] = json!(last.started);
            row["last_played"] = json!(format!("Movie {}", last.id));
            row["history_row_id"] = json!(last.id);
            row["plays"] = json!(theirs.clone().count());
            row["duration"] = json!(theirs.map(|play| play.stopped - play.started).sum::<i64>());
            row
        }
        None => recorded[1].clone(),
    };
    row["row_id"] = json!(user.row_id);
    row["user_id"] = json!(user.user_id);
    row["username"] = json!(user.username);
    row["friendly_name"] = json!(user.name());
    row["title"] = json!(user.title);
    row["email"] = json!(user.email);
    row["keep_history"] = json!(i32::from(user.keep_history));
    row["is_active"] = json!(i32::from(user.is_active));
    row
}

/// The page of a table that was asked for; 25 rows, unless told otherwise.
fn page<'a, T>(rows: &'a [T], request: &Request) -> impl Iterator<Item = &'a T> {
    let number = |name: &str| request.param(name).and_then(|value| value.parse().ok());
    rows.iter().skip(number("start").unwrap_or(0)).take(number("length").unwrap_or(25))
}

pub fn history(request: &Request, data: &Data, now: OffsetDateTime) -> Value {
    if data.database_broken {
        return json!({"recordsFiltered": 0, "recordsTotal": 0, "draw": 0, "data": [],
                      "filter_duration": "0", "total_duration": "0"});
    }
    let user_id = request.param("user_id").and_then(|id| id.parse::<u64>().ok());
    let plays = data.plays.iter().filter(|play| Some(play.user_id) == user_id);
    let mut rows: Vec<Value> = plays.map(|play| past_play(play, data)).collect();
    if matches!(request.param("include_activity").as_deref(), Some("1" | "true")) {
        let sessions = data.sessions.iter().filter(|session| Some(session.user_id) == user_id);
        rows.extend(sessions.map(|session| current_play(session, data, now)));
    }
    // The sandbox orders by date whatever column is asked for: nothing else is used.
    rows.sort_by_key(|row| row["date"].as_i64());
    if request.param("order_dir").as_deref() != Some("asc") {
        rows.reverse();
    }
    let shown: Vec<&Value> = page(&rows, request).collect();
    let (filter, total) = if rows.is_empty() { ("0", "0") } else { ("40 mins", "1 hr 20 mins") };
    json!({"recordsFiltered": rows.len(), "recordsTotal": data.plays.len(), "data": shown, "draw": 1,
           "filter_duration": filter, "total_duration": total})
}

fn current_play(session: &Session, data: &Data, now: OffsetDateTime) -> Value {
    let mut row = fixture("get_history_user_with_activity")["response"]["data"]["data"][0].take();
    let user = data.user(session.user_id);
    let seconds = now.unix_timestamp() - session.started;
    row["date"] = json!(session.started);
    row["started"] = json!(session.started);
    row["duration"] = json!(seconds);
    row["play_duration"] = json!(seconds);
    row["user_id"] = json!(session.user_id);
    row["user"] = json!(user.map(|user| user.username.as_str()));
    row["friendly_name"] = json!(user.map(User::name));
    row["session_key"] = json!(session.user_id);
    row
}

fn past_play(play: &Play, data: &Data) -> Value {
    let session = Session { user_id: play.user_id, started: play.started };
    let stopped = OffsetDateTime::from_unix_timestamp(play.stopped).unwrap();
    let mut row = current_play(&session, data, stopped);
    let title = format!("Movie {}", play.id);
    let past = json!({
        "reference_id": play.id, "row_id": play.id, "id": play.id, "stopped": play.stopped, "platform": "Chrome",
        "product": "Plex Web", "player": "Player", "ip_address": "127.0.0.1", "live": 0, "location": "lan",
        "rating_key": 1000 + play.id, "full_title": title, "title": title, "year": 2020,
        "guid": format!("plex://movie/{}", play.id), "percent_complete": 100, "watched_status": 1, "group_count": 1,
        "group_ids": play.id.to_string(), "state": null, "session_key": null,
    });
    for (key, value) in past.as_object().unwrap() {
        row[key] = value.clone();
    }
    row
}

pub fn activity(data: &Data) -> Value {
    if !data.connected {
        return json!({});
    }
    let session = |session: &Session| {
        let user = data.user(session.user_id);
        json!({
            "session_key": session.user_id.to_string(), "session_id": format!("session{}", session.user_id),
            "user_id": session.user_id, "user": user.map(|user| user.username.as_str()),
            "username": user.map(|user| user.username.as_str()), "friendly_name": user.map(User::name),
            "email": user.and_then(|user| user.email.as_deref()), "state": "playing", "media_type": "movie",
            "title": "Now", "full_title": "Now", "rating_key": "1", "started": session.started.to_string(),
            "transcode_decision": "direct play", "bandwidth": "10617", "location": "lan", "live": 0,
        })
    };
    let sessions: Vec<Value> = data.sessions.iter().map(session).collect();
    json!({
        "stream_count": sessions.len().to_string(), "stream_count_direct_play": sessions.len(),
        "stream_count_direct_stream": 0, "stream_count_transcode": 0, "total_bandwidth": 10617 * sessions.len(),
        "lan_bandwidth": 10617 * sessions.len(), "wan_bandwidth": 0, "sessions": sessions,
    })
}

pub fn plays_by_date(request: &Request, data: &Data, now: OffsetDateTime) -> Value {
    let days = request.param("time_range").and_then(|days| days.parse().ok());
    let days: i64 = days.filter(|days| *days > 0).unwrap_or(30);
    let first = now.date() - Duration::days(days - 1);
    let mut movies = vec![0; usize::try_from(days).unwrap()];
    for play in &data.plays {
        let date = OffsetDateTime::from_unix_timestamp(play.started).unwrap().date();
        let index = usize::try_from((date - first).whole_days()).ok();
        if let Some(count) = index.and_then(|index| movies.get_mut(index)) {
            *count += 1;
        }
    }
    let names = [("TV", "show"), ("Movies", "movie"), ("Music", "artist"), ("Live TV", "live")];
    let exists = |kind: &str| data.libraries.iter().any(|(_, known, _)| known == kind);
    let mut series: Vec<Value> = names
        .iter()
        .filter(|(_, kind)| exists(kind))
        .map(|(name, kind)| {
            let none = vec![0; movies.len()];
            json!({"name": name, "data": if *kind == "movie" { &movies } else { &none }})
        })
        .collect();
    if !series.is_empty() {
        let total = if exists("movie") { movies.clone() } else { vec![0; movies.len()] };
        series.push(json!({"name": "Total", "data": total}));
    }
    let categories: Vec<String> = (0..days).map(|day| (first + Duration::days(day)).to_string()).collect();
    json!({"categories": categories, "series": series})
}

pub fn user_details(user: &User) -> Value {
    let mut details = fixture("get_user_deleted")["response"]["data"].take();
    details["row_id"] = json!(user.row_id);
    details["user_id"] = json!(user.user_id);
    details["username"] = json!(user.username);
    details["friendly_name"] = json!(user.name());
    details["email"] = json!(user.email);
    details["is_active"] = json!(i32::from(user.is_active));
    details["is_home_user"] = json!(i32::from(user.is_home_user));
    details["is_restricted"] = json!(i32::from(user.is_restricted));
    details["keep_history"] = json!(i32::from(user.keep_history));
    details["deleted_user"] = json!(i32::from(user.deleted));
    details
}

/// What `get_user` says of somebody whom it does not know: "Local", with success (`plexpy/users.py`, `get_details`).
pub fn local() -> Value {
    let mut details = fixture("get_user_deleted")["response"]["data"].take();
    let local = json!({
        "row_id": 0, "user_id": 0, "username": "Local", "friendly_name": "Local", "email": "", "is_admin": "",
        "is_allow_sync": 0, "do_notify": 0, "keep_history": 1, "deleted_user": 0,
    });
    for (key, value) in local.as_object().unwrap() {
        details[key] = value.clone();
    }
    details
}

pub fn libraries(data: &Data) -> Value {
    let rows = data.libraries.iter().zip(1..).map(|((name, kind, keep), section)| {
        json!({
            "row_id": section, "server_id": data.server.1, "section_id": section, "section_name": name,
            "section_type": kind, "count": 12, "parent_count": null, "child_count": null,
            "library_thumb": "/:/resources/movie.png", "library_art": "", "plays": 0, "duration": 0,
            "last_accessed": null, "history_row_id": null, "last_played": null, "rating_key": null,
            "media_type": null, "thumb": null, "parent_title": null, "year": null, "media_index": null,
            "parent_media_index": null, "content_rating": null, "labels": [], "live": null,
            "originally_available_at": null, "guid": null, "do_notify": 1, "do_notify_created": 1,
            "keep_history": i32::from(*keep), "is_active": 1,
        })
    });
    let rows: Vec<Value> = rows.collect();
    json!({"recordsFiltered": rows.len(), "recordsTotal": rows.len(), "data": rows, "draw": 1})
}

pub fn tautulli_info() -> Value {
    json!({
        "tautulli_install_type": "docker", "tautulli_version": "v2.17.2", "tautulli_branch": "master",
        "tautulli_commit": "c7153deb6e3017b8dda46c8448fe548a61c5a47a", "tautulli_platform": "Linux",
        "tautulli_platform_release": "6.12", "tautulli_platform_version": "#1 SMP",
        "tautulli_platform_linux_distro": "Debian 12", "tautulli_platform_device_name": "sandbox",
        "tautulli_python_version": "3.12.0",
    })
}
