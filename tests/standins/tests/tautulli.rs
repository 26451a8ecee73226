//! Tautulli's stand-in against the answers of a real one, and its traps.

use serde_json::{Value, json};

use super::{client, data, keys, sandbox, tautulli};
use plex_prune_standins::{Fault, Sandbox, Tautulli, cmd, days, days_ago, fixture, hours_ago};

fn row(sandbox: &Sandbox, user_id: u64) -> Option<Value> {
    let table = data(sandbox, "get_users_table", &[("length", "100000")]);
    let rows = table["data"].as_array().unwrap();
    rows.iter().find(|row| row["user_id"] == user_id).cloned()
}

fn history(sandbox: &Sandbox, user_id: &str, include_activity: &str) -> Value {
    let ask = [
        ("user_id", user_id),
        ("length", "1"),
        ("order_column", "date"),
        ("order_dir", "desc"),
        ("grouping", "0"),
        ("include_activity", include_activity),
    ];
    data(sandbox, "get_history", &ask)
}

#[test]
fn answers_have_the_keys_of_the_recorded_ones() {
    let sandbox = sandbox();
    sandbox.person(1002, "bob").watched(days_ago(3));
    sandbox.person(1005, "erin").watched(days_ago(45)).watching_now();
    sandbox.person(1006, "frank");
    let user = |id| [("user_id", id), ("include_activity", "1")];
    for (name, cmd, more) in [
        ("get_users_table", "get_users_table", vec![("length", "100000")]),
        ("get_history_user_none", "get_history", user("1006").to_vec()),
        ("get_history_user_with_activity", "get_history", user("1005").to_vec()),
        ("get_plays_by_date", "get_plays_by_date", vec![("time_range", "60"), ("y_axis", "plays")]),
        ("get_server_info", "get_server_info", vec![]),
        ("get_user_deleted", "get_user", user("1002").to_vec()),
        ("server_status_disconnected", "server_status", vec![]),
        ("delete_user_unknown", "delete_user", vec![("user_id", "4711")]),
        ("undelete_user_ok", "undelete_user", vec![("user_id", "1006")]),
    ] {
        let (status, body) = tautulli(&sandbox, cmd, &more);
        assert_eq!(status, 200, "{name}: {body}");
        assert_eq!(keys(&body), keys(&fixture(name)), "{name}");
    }
    let past = history(&sandbox, "1002", "1");
    let recorded = &fixture("get_history_user_with_activity")["response"]["data"];
    assert_eq!(keys(&past), keys(recorded), "a play that is over");
    assert!(sandbox.violations().is_empty());
}

#[test]
fn refusals_are_the_recorded_ones() {
    let sandbox = sandbox();
    let url = format!("{}/api/v2", sandbox.tautulli.base());
    let ask = |form: &[(&str, &str)]| {
        let response = client().post(&url).form(form).send().unwrap();
        (response.status().as_u16(), response.json::<Value>().unwrap())
    };
    assert_eq!(ask(&[("cmd", "get_user")]), (400, fixture("error_missing_apikey")));
    assert_eq!(ask(&[("apikey", "wrong"), ("cmd", "get_user")]), (400, fixture("error_invalid_apikey")));
    assert_eq!(tautulli(&sandbox, "nonsense", &[]), (400, fixture("error_unknown_cmd")));
    let letters = [("user_id", "bob")];
    assert_eq!(tautulli(&sandbox, "delete_user", &letters), (400, fixture("delete_user_not_a_number")));
    let unknown = [("user_id", "4711")];
    assert_eq!(tautulli(&sandbox, "delete_user", &unknown), (200, fixture("delete_user_unknown")));
    assert_eq!(tautulli(&sandbox, "undelete_user", &unknown), (400, fixture("undelete_user_unknown")));
    sandbox.tautulli.api_enabled(false);
    assert_eq!(tautulli(&sandbox, "get_user", &unknown).0, 404);
}

#[test]
fn the_table_has_local_and_leaves_out_the_deleted() {
    let sandbox = sandbox();
    sandbox.person(1002, "bob").watched(days_ago(3)).watched(days_ago(9));
    sandbox.person(1007, "grace").watched(days_ago(5)).hidden_in_tautulli();
    let table = data(&sandbox, "get_users_table", &[("length", "100000")]);
    assert_eq!((&table["recordsTotal"], &table["recordsFiltered"]), (&json!(4), &json!(3)));
    assert_eq!(row(&sandbox, 0).unwrap()["username"], "Local");
    assert!(row(&sandbox, 1007).is_none());
    let bob = row(&sandbox, 1002).unwrap();
    assert_eq!(bob["last_seen"], sandbox.clock.before(days_ago(3)));
    assert_eq!((&bob["plays"], &bob["keep_history"]), (&json!(2), &json!(1)));
    let grace = data(&sandbox, "get_user", &[("user_id", "1007")]);
    assert_eq!((&grace["deleted_user"], &grace["keep_history"]), (&json!(1), &json!(0)));
}

#[test]
fn the_table_has_25_rows_unless_told_otherwise() {
    let sandbox = sandbox();
    for id in 1001..=1040 {
        sandbox.person(id, &format!("guest{id}"));
    }
    let rows = |more: &[(&str, &str)]| {
        let table = data(&sandbox, "get_users_table", more);
        table["data"].as_array().unwrap().len()
    };
    assert_eq!(rows(&[]), 25);
    assert_eq!(rows(&[("length", "100000")]), 42);
}

#[test]
fn deleting_erases_and_stops_the_recording_until_undeleted() {
    let sandbox = sandbox();
    sandbox.person(1002, "bob").watched(days_ago(40));
    data(&sandbox, "delete_user", &[("user_id", "1002")]);
    assert!(!sandbox.in_tautulli(1002));
    assert_eq!(sandbox.tautulli.plays(1002), 0);

    sandbox.invite_again(1002);
    sandbox.watches(1002);
    assert_eq!(sandbox.tautulli.plays(1002), 0, "somebody who is back is not recorded");

    let (_, body) = tautulli(&sandbox, "undelete_user", &[("user_id", "1002")]);
    assert_eq!(body["response"]["message"], "Re-added user with user_id 1002.");
    sandbox.watches(1002);
    assert_eq!(sandbox.tautulli.plays(1002), 1);
    assert_eq!(sandbox.writes(), ["tautulli delete_user 1002", "tautulli undelete_user 1002"]);
}

#[test]
fn somebody_who_is_watching_shows_only_where_asked_for() {
    let sandbox = sandbox();
    sandbox.person(1005, "erin").watched(days_ago(45)).watching_now();
    assert_eq!(row(&sandbox, 1005).unwrap()["last_seen"], sandbox.clock.before(days_ago(45)));
    let without = history(&sandbox, "1005", "0");
    assert_eq!((&without["recordsFiltered"], &without["data"][0]["state"]), (&json!(1), &json!(null)));
    let with = history(&sandbox, "1005", "1");
    assert_eq!((&with["recordsFiltered"], &with["data"][0]["state"]), (&json!(2), &json!("playing")));
    assert_eq!(with["data"].as_array().unwrap().len(), 1);
    assert!(with["data"][0]["stopped"].is_null());
    assert_eq!(data(&sandbox, "get_activity", &[])["sessions"][0]["user_id"], 1005);

    sandbox.stops_watching(1005);
    assert_eq!(data(&sandbox, "get_activity", &[])["stream_count"], "0");
    assert!(row(&sandbox, 1005).unwrap()["last_seen"].as_i64() > Some(sandbox.clock.before(hours_ago(1))));
}

#[test]
fn who_is_not_recorded_leaves_no_trace() {
    let sandbox = sandbox();
    sandbox.person(1006, "frank").no_history_kept().watched(days_ago(1));
    sandbox.person(1008, "heidi").unknown_to_tautulli().watched(days_ago(1));
    let frank = row(&sandbox, 1006).unwrap();
    assert_eq!((&frank["keep_history"], &frank["last_seen"]), (&json!(0), &json!(null)));
    assert!(row(&sandbox, 1008).is_none());
    assert_eq!(history(&sandbox, "1008", "1")["recordsFiltered"], 0);
    // Tautulli answers with "Local" for whom it does not know.
    assert_eq!(data(&sandbox, "get_user", &[("user_id", "1008")])["user_id"], 0);
}

#[test]
fn out_of_touch_with_plex() {
    let sandbox = sandbox();
    sandbox.person(1002, "bob");
    assert_eq!(data(&sandbox, "server_status", &[])["connected"], true);
    sandbox.disconnected();
    let (_, status) = tautulli(&sandbox, "server_status", &[]);
    assert_eq!(status, fixture("server_status_disconnected"));
    assert_eq!(data(&sandbox, "get_activity", &[]), json!({}));
    sandbox.watches(1002);
    assert_eq!(sandbox.tautulli.plays(1002), 0);
}

#[test]
fn a_database_error_looks_like_success() {
    let sandbox = sandbox();
    sandbox.person(1002, "bob").watched(days_ago(3));
    sandbox.tautulli.database_broken(true);
    let table = data(&sandbox, "get_users_table", &[]);
    assert_eq!(table, json!({"recordsFiltered": 0, "recordsTotal": 0, "draw": 0, "data": []}));
    assert_eq!(history(&sandbox, "1002", "1")["recordsTotal"], 0);
    assert_eq!(tautulli(&sandbox, "get_plays_by_date", &[]).0, 400);
}

#[test]
fn plays_a_day_end_today_and_begin_with_the_record() {
    let sandbox = sandbox();
    sandbox.recording_since(days_ago(10));
    let days_with_plays = |range: &str| {
        let graph = data(&sandbox, "get_plays_by_date", &[("time_range", range), ("y_axis", "plays")]);
        let names: Vec<Value> = graph["series"].as_array().unwrap().iter().map(|s| s["name"].clone()).collect();
        assert_eq!(names, ["TV", "Movies", "Total"]);
        let categories = graph["categories"].as_array().unwrap().clone();
        let total = graph["series"][2]["data"].as_array().unwrap().clone();
        assert_eq!(categories.len(), total.len());
        let played: Vec<Value> =
            categories.iter().zip(&total).filter(|(_, plays)| **plays != 0).map(|(day, _)| day.clone()).collect();
        (categories.last().unwrap().clone(), played)
    };
    let (today, played) = days_with_plays("60");
    assert_eq!(today, "2026-11-23");
    assert_eq!((played.len(), &played[0]), (10, &json!("2026-11-14")));

    sandbox.advance(days(5));
    let (today, played) = days_with_plays("60");
    assert_eq!((today, played.len()), (json!("2026-11-28"), 15));

    sandbox.tautulli.no_libraries();
    assert_eq!(data(&sandbox, "get_plays_by_date", &[])["series"], json!([]));
}

#[test]
fn a_record_that_is_empty_stays_so_until_somebody_watches() {
    let sandbox = sandbox();
    sandbox.person(1002, "bob").watched(days_ago(3));
    sandbox.tautulli.empty_record();
    sandbox.advance(days(2));
    assert_eq!(history(&sandbox, "42", "1")["recordsTotal"], 0);
    sandbox.watches(1002);
    assert_eq!(sandbox.tautulli.plays(1002), 1);
}

#[test]
fn what_the_program_must_not_do_is_noted() {
    let sandbox = sandbox();
    assert_eq!(tautulli(&sandbox, "get_history", &[]).0, 400);
    let url = format!("{}/api/v2?apikey=sandbox-tautulli-key&cmd=server_status", sandbox.tautulli.base());
    assert_eq!(client().get(url).send().unwrap().status(), 200);
    assert_eq!(sandbox.violations().len(), 2);
}

#[test]
fn behind_a_path() {
    let sandbox = sandbox();
    sandbox.tautulli.prefix("/tautulli");
    assert!(sandbox.tautulli.base().ends_with("/tautulli"));
    assert_eq!(data(&sandbox, "get_server_info", &[])["pms_name"], "Centauri");
    let url = format!("{}/api/v2", sandbox.tautulli.url());
    assert_eq!(client().post(url).send().unwrap().status(), 404);
}

#[test]
fn another_server_and_libraries_without_history() {
    let sandbox = sandbox();
    sandbox.other_server();
    sandbox.tautulli.library_without_history("Home videos");
    assert_eq!(data(&sandbox, "get_server_info", &[])["pms_name"], "Elsewhere");
    let rows = data(&sandbox, "get_libraries_table", &[])["data"].as_array().unwrap().clone();
    let kept: Vec<Value> = rows.iter().map(|row| row["keep_history"].clone()).collect();
    assert_eq!(kept, [1, 1, 0]);
    assert_eq!(data(&sandbox, "get_tautulli_info", &[])["tautulli_version"], "v2.17.2");
}

#[test]
fn faults_are_for_one_command() {
    let sandbox = sandbox();
    let rule = sandbox.tautulli.fail(cmd("server_status"), Fault::status(500)).times(1);
    assert_eq!(data(&sandbox, "get_server_info", &[])["pms_name"], "Centauri");
    assert_eq!(tautulli(&sandbox, "server_status", &[]).0, 500);
    assert_eq!(tautulli(&sandbox, "server_status", &[]).0, 200);
    assert_eq!(rule.used(), 1);
    sandbox.tautulli.fail(cmd("get_user").with("user_id", 7), Tautulli::crash());
    assert_eq!(tautulli(&sandbox, "get_user", &[("user_id", "7")]).1["response"]["result"], "error");
    assert_eq!(tautulli(&sandbox, "get_user", &[("user_id", "8")]).0, 200);
}
