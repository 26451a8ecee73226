//! plex.tv and Tautulli as clients see them: every way to fail ends in one line that says which service, which call, what
//! came back and what to do; nothing that can't be read is taken for "nobody"; and no pass asks more than it must.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::sandbox;
use crate::story::{SHARES, standing};
use crate::support::{
    CENTAURI, Fault, HomeAnswer, Request, Response, Run, Sandbox, Tautulli, When, any, cmd, days_ago, fixture, get,
};

const RESOURCES: &str = "/api/v2/resources";
const HOME: &str = "/api/v2/home/users";

/// Runs the program, which must not do what the stand-ins call a violation: a token in a URL, for example.
#[track_caller]
fn run(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    let run = sandbox.run(arguments);
    assert_eq!(sandbox.violations(), [""; 0]);
    for secret in ["sandbox-plex-token", "sandbox-tautulli-key", "sandbox-webhook"] {
        run.stdout_lacks(secret).stderr_lacks(secret);
    }
    run
}

/// A sandbox with one person in it, who is active.
fn household() -> Sandbox {
    let sandbox = sandbox();
    sandbox.person(1001, "ada").watched(days_ago(2));
    sandbox
}

/// `status` fails with exactly this line in the log.
#[track_caller]
fn fails_with(sandbox: &Sandbox, line: &str) {
    run(sandbox, &["status"]).exits(1).stdout("").stderr(&format!("2026-11-23T12:00:00Z error: {line}\n"));
}

/// Tautulli's answer with these data.
fn success(data: Value) -> Fault {
    Fault::json(200, json!({"response": {"result": "success", "message": null, "data": data}}))
}

#[test]
fn every_request_to_plex_has_the_headers() {
    let sandbox = household();
    sandbox.live().person(1005, "rita").watched(days_ago(33));
    for command in ["welcome", "status", "sweep"] {
        run(&sandbox, &[command]).exits(0);
    }
    let requests: Vec<Request> = sandbox.requests().into_iter().filter(|request| request.service == "plex").collect();
    assert!(requests.iter().any(|request| request.method == "DELETE"));
    let installation = requests[0].header("X-Plex-Client-Identifier").unwrap().to_owned();
    assert_eq!(installation.len(), 36, "a UUID");
    for request in &requests {
        let header = |name| request.header(name).unwrap_or_else(|| panic!("{} lacks {name}", request.path));
        assert_eq!(header("X-Plex-Token"), "sandbox-plex-token");
        assert_eq!(header("Accept"), "application/json");
        assert_eq!(header("X-Plex-Client-Identifier"), installation, "the same in every run");
        assert_eq!(header("X-Plex-Product"), "plex-prune");
        assert_eq!(header("X-Plex-Version"), env!("CARGO_PKG_VERSION"));
        assert_eq!(header("X-Plex-Platform"), std::env::consts::OS);
        assert_eq!(header("User-Agent"), concat!("plex-prune/", env!("CARGO_PKG_VERSION")));
        assert!(request.query.is_empty(), "{:?}", request.query);
    }
}

#[test]
fn only_the_fields_that_are_needed_are_read() {
    let sandbox = sandbox();
    let now = sandbox.clock.seconds();
    let more = json!({"deep": [{"er": null}]});
    let server = json!({"name": "Centauri", "clientIdentifier": CENTAURI, "provides": "client, server", "owned": true,
                        "more": more});
    let share = json!({"id": 1, "machineIdentifier": CENTAURI, "invitedId": 1001, "more": more,
                       "acceptedAt": "2026-05-07T12:00:00.123456Z"});
    let row = |id: u64| json!({"user_id": id, "last_seen": now - 86_400, "keep_history": true, "more": more});
    sandbox.plex.fail(get(RESOURCES), Fault::json(200, json!([server])));
    sandbox.plex.fail(get(SHARES), Fault::json(200, json!([share])));
    sandbox.plex.fail(get(HOME), Fault::json(200, json!({"users": [{"id": 42, "more": more}], "more": more})));
    let tautulli = [
        ("get_users_table", json!({"recordsFiltered": 2, "data": [row(0), row(1001)], "more": more})),
        ("get_activity", json!({"sessions": [{"user_id": "7", "more": more}, {"user_id": 8}], "more": more})),
        ("get_server_info", json!({"pms_identifier": CENTAURI, "more": more})),
        ("server_status", json!({"connected": true, "more": more})),
        ("get_plays_by_date", json!({"categories": ["2026-01-01"], "series": [{"data": [1], "more": more}]})),
    ];
    for (command, data) in tautulli {
        sandbox.tautulli.fail(cmd(command), success(data));
    }
    let report = run(&sandbox, &["status", "--json"]).exits(0).stderr("").json();
    assert_eq!(
        report["people"],
        json!([{
            "id": 1001, "name": "Plex user 1001", "email": null, "joined": "2026-05-07T12:00:00Z",
            "last_watched": "2026-11-22T12:00:00Z", "watching": false, "idle_days": 1, "standing": "active",
            "reason": null, "next": {"step": "warning", "at": "2026-12-19T12:00:00Z"},
        }])
    );
    assert_eq!(report["warnings"], json!([]));
}

#[test]
fn the_answers_of_a_real_tautulli_are_understood() {
    let sandbox = sandbox();
    let people = [
        (1001, "alice"),
        (1002, "bob"),
        (1003, "carol"),
        (1004, "dave"),
        (1005, "erin"),
        (1006, "frank"),
        (1007, "grace"),
    ];
    for (id, name) in people {
        sandbox.person(id, name);
    }
    for (command, name) in [
        ("get_users_table", "get_users_table"),
        ("get_plays_by_date", "get_plays_by_date"),
        ("get_user", "get_user_deleted"),
        ("get_server_info", "get_server_info"),
    ] {
        sandbox.tautulli.fail(cmd(command), Fault::json(200, fixture(name)));
    }
    let report = run(&sandbox, &["status", "--json"]).exits(0).stderr("").json();
    let rows = report["people"].as_array().unwrap().iter();
    let found: Vec<(&str, &Value)> =
        rows.map(|row| (row["standing"].as_str().unwrap(), &row["last_watched"])).collect();
    let none = &Value::Null;
    let expected = [
        ("active", &json!("2026-11-23T05:05:54Z")),
        ("warn", &json!("2026-10-27T07:29:54Z")),
        ("warn", &json!("2026-10-24T12:17:54Z")),
        // Nothing recorded: counted from where the record begins, 45 days ago.
        ("remove", none),
        ("remove", &json!("2026-10-09T17:05:54Z")),
        ("unknown", none),
        ("unknown", none),
    ];
    assert_eq!(found, expected);
    let reasons: Vec<&Value> = report["people"].as_array().unwrap()[5..].iter().map(|row| &row["reason"]).collect();
    assert_eq!(reasons, ["no history kept", "deleted in Tautulli"]);
    // The recorded Tautulli watched a server of its own.
    assert!(report["warnings"][0].as_str().unwrap().contains("watches another Plex server"));

    let status = Fault::json(200, fixture("server_status_disconnected"));
    sandbox.tautulli.fail(cmd("server_status"), status);
    run(&sandbox, &["status"]).exits(0).stdout_has("Tautulli is not connected to Plex");
}

#[test]
fn the_recorded_look_before_a_removal_is_understood() {
    let sandbox = sandbox();
    sandbox.live().person(1005, "erin").watched(days_ago(45));
    sandbox.tautulli.fail(cmd("get_history"), Fault::json(200, fixture("get_history_user_with_activity"))).times(1);
    run(&sandbox, &["sweep"]).exits(0).stderr_has("nobody is due");
    assert!(sandbox.on_plex(1005), "who is watching is not removed");

    // The table knows of a play, the history of none: neither is believed.
    sandbox.tautulli.fail(cmd("get_history"), Fault::json(200, fixture("get_history_user_none"))).times(1);
    run(&sandbox, &["sweep"]).exits(1).stderr_has("erin (id 1005) is left alone for now: Tautulli contradicts itself");
    assert!(sandbox.on_plex(1005));
}

#[test]
fn errors_as_a_real_tautulli_words_them() {
    let sandbox = household();
    let table = "could not read the table of users";
    for (recorded, advice) in [
        ("error_invalid_apikey", "Check TAUTULLI_API_KEY: it is in Tautulli's Settings, Web Interface, API"),
        ("error_missing_apikey", "Check TAUTULLI_API_KEY: it is in Tautulli's Settings, Web Interface, API"),
    ] {
        let body = fixture(recorded);
        let message = body["response"]["message"].as_str().unwrap().to_owned();
        let rule = sandbox.tautulli.fail(cmd("get_users_table"), Fault::json(400, body));
        fails_with(&sandbox, &format!("Tautulli: {table}: it answered 400: {message}. {advice}"));
        assert_eq!(rule.used(), 1, "it would only say the same again");
        rule.mend();
    }
    let rule = sandbox.tautulli.fail(cmd("get_users_table"), Fault::json(400, fixture("error_unknown_cmd")));
    let run = run(&sandbox, &["status"]);
    run.exits(1)
        .stderr_has("it answered 400: Unknown command: nonsense. Possible commands are: add_newsletter_config,");
    assert!(run.stderr.len() < 600, "the list of commands is cut");
    rule.mend();

    // An error that comes as a success, and the crash of a command.
    let body = json!({"response": {"result": "error", "message": "Something", "data": {}}});
    let rule = sandbox.tautulli.fail(cmd("get_users_table"), Fault::json(200, body));
    fails_with(&sandbox, &format!("Tautulli: {table}: it answered 200: Something. Tautulli's own log says more"));
    rule.mend();
    sandbox.tautulli.fail(cmd("get_users_table"), Tautulli::crash());
    let crash = "it answered 500: Check the logs for errors. Tautulli's own log says more";
    fails_with(&sandbox, &format!("Tautulli: {table}: {crash}"));
}

/// Tries each case in a household of its own, all at once: most of the time goes into waits between tries.
fn side_by_side<T: Send, const N: usize>(cases: [T; N], test: impl Fn(&Sandbox, T) + Sync) {
    thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| test(&household(), case));
        }
    });
}

/// What a fault is called in the log, how often the call is tried, and what is advised about plex.tv and about Tautulli.
type Case = (fn() -> Fault, &'static str, usize, &'static str, &'static str);

const TOKEN: &str = ". Check PLEX_TOKEN: it must be a token of the account that owns the server";
const OUTAGE: &str = ". If this goes on, look at https://status.plex.tv";
const CHANGED: &str = ". Plex may have changed it: if this goes on, plex-prune needs an update";
const MOVED: &str = ". Is PLEX_TV_URL (if set) right? Else Plex has moved this call, and plex-prune needs an update";
const GONE: &str = ". Plex has withdrawn this call: plex-prune needs an update";
const TOO_OFTEN: &str = ". That was too often for Plex: let the passes run less often";

const LOGIN: &str = ". Something in front of Tautulli wants a login: put it into TAUTULLI_URL \
    (http://user:password@host), or go round it";
const BROKEN: &str =
    ". Does that port speak https? Then TAUTULLI_URL begins with https://. Else, is it Tautulli's port?";
const OTHER: &str = ". Is TAUTULLI_URL the address of Tautulli itself, and Tautulli up to date?";
const UPDATE: &str = ". If this goes on, plex-prune may need an update";
const PATH: &str = ". Check the path in TAUTULLI_URL: it is what the browser shows when Tautulli is open, up to /home";
const ENABLED: &str = ". Check TAUTULLI_URL (scheme and path too), and that the API is enabled in Tautulli's Settings, \
    Web Interface, API";
const LOG: &str = ". Tautulli's own log says more";
const LIMITED: &str = ". Something in front of Tautulli limits calls: let plex-prune through";
const BEHIND: &str = ". Something in front of Tautulli can't reach it: is Tautulli running?";

fn invalid_token() -> Fault {
    Fault::json(422, json!({"errors": [{"code": 1000, "message": "Invalid token", "status": 422}]}))
}

const CASES: [Case; 15] = [
    (|| Fault::CutBefore, "the connection broke (connection closed before message completed)", 3, OUTAGE, BROKEN),
    (|| Fault::HalfBody, "the connection broke (end of file before message length reached)", 3, OUTAGE, BROKEN),
    (|| Fault::html(200), "its answer can't be understood (it is an HTML page)", 1, CHANGED, OTHER),
    (|| Fault::status(401), "it answered 401: made to fail", 1, TOKEN, LOGIN),
    (|| Fault::status(403), "it answered 403: made to fail", 1, TOKEN, LOGIN),
    (|| Fault::status(404), "it answered 404: made to fail", 1, MOVED, PATH),
    (|| Fault::html(404), "it answered 404: an HTML page", 1, MOVED, PATH),
    (|| Fault::status(410), "it answered 410: made to fail", 1, GONE, LOG),
    (invalid_token, "it answered 422: Invalid token", 1, ". Check PLEX_TOKEN", LOG),
    // A wait that is too long for a pass is left to the next one.
    (|| Fault::too_many(3600), "it answered 429: Too many requests", 1, TOO_OFTEN, LIMITED),
    (|| Fault::status(429), "it answered 429: made to fail", 3, TOO_OFTEN, LIMITED),
    (|| Fault::status(500), "it answered 500: made to fail", 3, OUTAGE, LOG),
    (|| Fault::html(502), "it answered 502: an HTML page", 3, OUTAGE, BEHIND),
    (|| Fault::Answer(Response::empty(503)), "it answered 503", 3, OUTAGE, BEHIND),
    (|| Fault::Answer(Response::empty(418)), "it answered 418", 1, UPDATE, LOG),
];

#[test]
fn every_failure_of_plex_is_one_line_that_says_what_to_do() {
    side_by_side(CASES, |sandbox, (fault, what, tries, advice, _)| {
        let rule = sandbox.plex.fail(get(SHARES), fault());
        fails_with(sandbox, &format!("plex.tv: could not read the list of shares: {what}{advice}"));
        assert_eq!(rule.used(), tries, "tries after {what}");
    });
}

#[test]
fn every_failure_of_tautulli_is_one_line_that_says_what_to_do() {
    side_by_side(CASES, |sandbox, (fault, what, tries, _, advice)| {
        let rule = sandbox.tautulli.fail(cmd("get_users_table"), fault());
        fails_with(sandbox, &format!("Tautulli: could not read the table of users: {what}{advice}"));
        assert_eq!(rule.used(), tries, "tries after {what}");
    });
}

#[test]
fn json_of_another_shape_is_shown_as_it_begins() {
    let sandbox = household();
    let rule = sandbox.plex.fail(get(SHARES), Fault::json(200, json!({"shape": "another"})));
    fails_with(
        &sandbox,
        &format!(
            "plex.tv: could not read the list of shares: its answer can't be understood (invalid type: map, expected a \
             sequence at line 1 column 0; it begins with \"{{\\\"shape\\\":\\\"another\\\"}}\"){CHANGED}"
        ),
    );
    rule.mend();
    sandbox.tautulli.fail(cmd("get_users_table"), Fault::json(200, json!({"shape": "x".repeat(1_000_000)})));
    let run = run(&sandbox, &["status"]);
    run.exits(1)
        .stderr_has("Tautulli: could not read the table of users: its answer can't be understood (missing field");
    assert!(run.stderr.len() < 700, "the answer is cut");
}

/// Every call that `status` makes, and how the log speaks of it.
fn calls() -> [(bool, When, &'static str); 8] {
    [
        (true, get(RESOURCES), "plex.tv: could not find the server"),
        (true, get(SHARES), "plex.tv: could not read the list of shares"),
        (true, get(HOME), "plex.tv: could not read the Plex Home"),
        (false, cmd("get_users_table"), "Tautulli: could not read the table of users"),
        (false, cmd("server_status"), "Tautulli: could not read whether it is connected to Plex"),
        (false, cmd("get_server_info"), "Tautulli: could not read which server it watches"),
        (false, cmd("get_activity"), "Tautulli: could not read who is watching"),
        (false, cmd("get_plays_by_date"), "Tautulli: could not read since when it has been recording"),
    ]
}

#[test]
fn every_call_is_retried_after_two_failures_in_a_row() {
    side_by_side(calls(), |sandbox, (is_plex, call, _)| {
        let fault = Fault::status(500);
        let rule = if is_plex { sandbox.plex.fail(call, fault) } else { sandbox.tautulli.fail(call, fault) }.times(2);
        run(sandbox, &["status"]).exits(0).stderr("").stdout_has("1 person: 1 active");
        assert_eq!(rule.used(), 2);
    });
}

#[test]
fn every_call_that_goes_on_failing_ends_in_exit_1() {
    side_by_side(calls(), |sandbox, (is_plex, call, doing)| {
        let fault = Fault::status(500);
        let rule = if is_plex { sandbox.plex.fail(call, fault) } else { sandbox.tautulli.fail(call, fault) };
        fails_with(sandbox, &format!("{doing}: it answered 500: made to fail{}", if is_plex { OUTAGE } else { LOG }));
        assert_eq!(rule.used(), 3);
    });
}

#[test]
fn a_short_wait_that_is_asked_for_is_kept() {
    let sandbox = household();
    let asked = sandbox.plex.fail(get(SHARES), Fault::too_many(1)).times(1);
    let run = run(&sandbox, &["status"]);
    run.exits(0).stderr("");
    assert_eq!(asked.used(), 1);
    let requests: Vec<Request> = sandbox.requests().into_iter().filter(|request| request.path == SHARES).collect();
    let waited = requests[1].started - requests[0].finished.unwrap();
    assert!(waited >= Duration::from_secs(1), "{waited:?}");
}

#[test]
fn a_redirect_is_not_followed_and_the_token_stays_here() {
    let (sandbox, elsewhere) = (household(), sandbox());
    let base = elsewhere.plex.url();
    let location = format!("{base}/api/v2/shared_servers/owned/accepted?X-Plex-Token=secret#part");
    sandbox.plex.fail(get(SHARES), Fault::redirect(&location));
    let to = format!("it redirects to {base}/api/v2/shared_servers/owned/accepted, and redirects are not followed");
    fails_with(&sandbox, &format!("plex.tv: could not read the list of shares: {to}{MOVED}"));

    sandbox.mend();
    let location = format!("{}/login?next=/api/v2", elsewhere.tautulli.url());
    sandbox.tautulli.fail(cmd("get_users_table"), Fault::redirect(&location));
    let to = format!("it redirects to {}/login, and redirects are not followed", elsewhere.tautulli.url());
    fails_with(&sandbox, &format!("Tautulli: could not read the table of users: {to}{ENABLED}"));

    assert!(elsewhere.requests().is_empty());
    assert_eq!((elsewhere.plex.connections(), elsewhere.tautulli.connections()), (0, 0));
}

#[test]
fn a_share_that_cannot_be_read_is_an_error_and_never_nobody() {
    let sandbox = household();
    sandbox.live().person(1005, "rita").watched(days_ago(33));
    run(&sandbox, &["welcome"]).exits(0);
    let state = sandbox.state();
    let good = json!({"id": 1, "machineIdentifier": CENTAURI, "invitedId": 1001, "acceptedAt": null});
    let with = |key: &str, value: Value| {
        let mut share = good.clone();
        share[key] = value;
        json!([good, share])
    };
    let nameless = json!([{"id": 7, "machineIdentifier": CENTAURI, "invited": {"username": "bob"}}]);
    for (answer, why) in [
        (with("id", json!("one")), "invalid type: string \"one\""),
        (with("id", json!(null)), "invalid type: null"),
        (with("invitedId", json!("1001")), "invalid type: string \"1001\""),
        (with("invitedId", json!(-1)), "invalid value: integer `-1`"),
        (with("machineIdentifier", json!(null)), "invalid type: null"),
        (with("acceptedAt", json!("yesterday")), "\"yesterday\" is not a time"),
        (with("invited", json!("bob")), "invalid type: string \"bob\""),
        (nameless, "share 7 doesn't say whose it is"),
        (json!([good, null]), "invalid type: null"),
        (json!(null), "invalid type: null"),
        (json!({"shares": []}), "invalid type: map"),
    ] {
        let rule = sandbox.plex.fail(get(SHARES), Fault::json(200, answer));
        let run = run(&sandbox, &["sweep"]);
        run.exits(1).stderr_has("plex.tv: could not read the list of shares: its answer can't be understood (");
        run.stderr_has(why);
        rule.mend();
    }
    sandbox.plex.fail(get(SHARES), Fault::json(200, json!(null)));
    for command in ["status", "welcome"] {
        run(&sandbox, &[command]).exits(1).stderr_has("plex.tv: could not read the list of shares: its answer can't");
    }
    assert_eq!(sandbox.state(), state, "nobody was noted as gone");
    assert_eq!(sandbox.writes(), [""; 0]);
}

#[test]
fn the_server_must_be_one_of_the_owner_s() {
    let sandbox = household();
    sandbox.second_server();
    let refused = |name: &str, why: &str, advice: &str| {
        sandbox.set_env("PLEX_SERVER_NAME", name);
        for command in ["status", "sweep", "welcome"] {
            let run = run(&sandbox, &[command]);
            run.exits(2).stdout("");
            let line = format!("2026-11-23T12:00:00Z error: PLEX_SERVER_NAME: {why}. {advice}\n");
            assert_eq!(run.stderr, line, "{run}");
        }
    };
    let owned = "it owns Centauri, Attic";
    for name in ["Cellar", "centauri"] {
        refused(
            name,
            &format!("the token's account owns no server named \"{name}\"; {owned}"),
            &format!(
                "Set PLEX_SERVER_NAME to one of its servers; or PLEX_TOKEN has to be a token of the account that owns \
                 \"{name}\""
            ),
        );
    }
    refused(
        "A friend's server",
        &format!(
            "the token's account owns no server named \"A friend's server\" (a server of that name is shared with it, by \
             another account); {owned}"
        ),
        "PLEX_TOKEN has to be a token of the account that owns \"A friend's server\"",
    );
    sandbox.plex.add_server("Centauri", "0f3c-another", true);
    refused(
        "Centauri",
        "this account owns more than one server named \"Centauri\"; it owns Centauri, Attic, Centauri",
        "Give them different names in Plex",
    );
    sandbox.plex.fail(get(RESOURCES), Fault::json(200, json!([])));
    refused(
        "Attic",
        "the token's account owns no server named \"Attic\"; it owns no server",
        "PLEX_TOKEN has to be a token of the account that owns \"Attic\"",
    );
    assert!(!sandbox.state_path().exists());
}

#[test]
fn a_server_of_the_same_name_that_a_friend_shares_is_ignored() {
    let sandbox = household();
    sandbox.plex.add_server("Centauri", "0f3c-of-a-friend", false);
    run(&sandbox, &["status"]).exits(0).stdout_has("1 person: 1 active");
}

#[test]
fn a_tautulli_that_can_not_look_somebody_up_is_not_asked_about_the_others() {
    let sandbox = household();
    for id in [1010, 1011, 1012] {
        sandbox.person(id, &format!("guest{id}")).unknown_to_tautulli();
    }
    let rule = sandbox.tautulli.fail(cmd("get_user"), Fault::status(403));
    run(&sandbox, &["status"]).exits(1).stderr_has("Tautulli: could not look somebody up: it answered 403");
    assert_eq!(rule.used(), 1);
}

#[test]
fn home_users_are_known_in_every_form_of_the_answer() {
    let sandbox = household();
    // Some Home users' shares don't say that they are.
    let home = |sandbox: &Sandbox, answer: Fault| {
        sandbox.plex.mend();
        sandbox.plex.fail(get(HOME), answer);
        standing(sandbox, 1001)
    };
    let members = json!([{"id": 42, "admin": true}, {"id": 1001}]);
    assert_eq!(home(&sandbox, Fault::json(200, members.clone())), "protected: Home user");
    assert_eq!(home(&sandbox, Fault::json(200, json!({"id": 7, "users": members}))), "protected: Home user");
    assert_eq!(home(&sandbox, Fault::json(200, json!([]))), "active");
    assert_eq!(home(&sandbox, Fault::json(200, json!({"users": []}))), "active");
    // An account without a Home.
    for status in [400, 403, 404, 422] {
        assert_eq!(home(&sandbox, Fault::status(status)), "active");
    }
    assert_eq!(home(&sandbox, Fault::Answer(Response::empty(200))), "active");
    // What can't be read may hide a Home user.
    for answer in [json!({"members": []}), json!([{"id": "x"}]), json!({"users": null})] {
        sandbox.plex.mend();
        sandbox.plex.fail(get(HOME), Fault::json(200, answer));
        run(&sandbox, &["status"]).exits(1).stderr_has("plex.tv: could not read the Plex Home: its answer can't be");
    }
    sandbox.mend();

    sandbox.person(1008, "hugo").home_user();
    for answer in [HomeAnswer::Auto, HomeAnswer::Bare, HomeAnswer::Wrapped, HomeAnswer::Nothing] {
        sandbox.plex.home_answers(answer);
        assert_eq!(standing(&sandbox, 1008), "protected: Home user");
    }
}

#[test]
fn tautulli_may_be_below_a_path() {
    let sandbox = household();
    sandbox.tautulli.prefix("/media/tautulli");
    for end in ["", "/", "//"] {
        sandbox.set_env("TAUTULLI_URL", format!("{}/media/tautulli{end}", sandbox.tautulli.url()));
        run(&sandbox, &["status"]).exits(0).stdout_has("1 person: 1 active");
    }
    sandbox.set_env("TAUTULLI_URL", sandbox.tautulli.url());
    run(&sandbox, &["status"]).exits(1).stderr_has("it answered 404: an HTML page. Check the path in TAUTULLI_URL: ");
}

#[test]
fn a_login_in_the_url_is_used_and_never_shown() {
    let sandbox = household();
    let url = sandbox.tautulli.url().replace("http://", "http://plex:hunter2@");
    sandbox.set_env("TAUTULLI_URL", url);
    run(&sandbox, &["-vv", "status"]).exits(0).stdout_has("1 person: 1 active").stderr_lacks("hunter2");
    let requests = sandbox.requests();
    let request = requests.iter().find(|request| request.service == "tautulli").unwrap();
    assert_eq!(request.header("Authorization"), Some("Basic cGxleDpodW50ZXIy"));
    sandbox.tautulli.stop();
    run(&sandbox, &["status"]).exits(1).stderr_lacks("hunter2");
}

#[test]
fn tautulli_over_https_needs_its_authority_in_ca_file() {
    let sandbox = household();
    sandbox.tautulli_tls();
    run(&sandbox, &["status"]).exits(0).stdout_has("1 person: 1 active");

    sandbox.unset_env("CA_FILE");
    run(&sandbox, &["status"]).exits(1).stderr_has(
        "Tautulli: could not read the table of users: no connection (invalid peer certificate: UnknownIssuer). Put the \
         authority that signed Tautulli's certificate into CA_FILE (PEM)\n",
    );
    assert!(sandbox.requests().iter().all(|request| request.service == "plex" || request.status == Some(200)));
}

#[test]
fn a_certificate_for_another_name_is_told_from_one_of_an_unknown_authority() {
    let sandbox = household();
    sandbox.tautulli_tls();
    sandbox.set_env("TAUTULLI_URL", sandbox.tautulli.url().replace("127.0.0.1", "localhost"));
    run(&sandbox, &["status"]).exits(0);
    // Another way to say "this machine", which the certificate doesn't know.
    sandbox.set_env("TAUTULLI_URL", sandbox.tautulli.url().replace("127.0.0.1", "0.0.0.0"));
    let run = run(&sandbox, &["status"]);
    run.exits(1).stderr_has("no connection (invalid peer certificate: certificate not valid for name \"0.0.0.0\"");
    run.stderr_has(". Renew Tautulli's certificate, or use a name in TAUTULLI_URL that it is made out to\n");
}

#[test]
fn http_and_https_mixed_up_are_advised_about() {
    let (plain, tls) = (household(), household());
    plain.set_env("TAUTULLI_URL", plain.tautulli.url().replace("http:", "https:"));
    run(&plain, &["status"]).exits(1).stderr_has("Does that port speak https? Else TAUTULLI_URL begins with http://");
    tls.tautulli_tls();
    tls.set_env("TAUTULLI_URL", tls.tautulli.url().replace("https:", "http:"));
    run(&tls, &["status"]).exits(1).stderr_has("Does that port speak https? Then TAUTULLI_URL begins with https://");
}

#[test]
fn a_table_without_all_of_its_rows_is_an_error() {
    let sandbox = household();
    sandbox.live().person(1005, "rita").watched(days_ago(33));
    let mut table = fixture("get_users_table");
    table["response"]["data"]["recordsFiltered"] = json!(8);
    sandbox.tautulli.fail(cmd("get_users_table"), Fault::json(200, table));
    fails_with(
        &sandbox,
        &format!("Tautulli: could not read the table of users: its answer can't be understood (7 of 8 rows){OTHER}"),
    );
    run(&sandbox, &["sweep"]).exits(1);
    assert_eq!(sandbox.writes(), [""; 0]);
}

/// Whether the tests themselves run in a container, where advice about localhost is another.
fn in_container() -> bool {
    ["/.dockerenv", "/run/.containerenv"].iter().any(|trace| std::path::Path::new(trace).exists())
}

#[test]
fn both_services_down_are_both_reported() {
    let sandbox = household();
    sandbox.plex.stop();
    sandbox.tautulli.stop();
    for command in ["status", "sweep"] {
        let run = run(&sandbox, &[command]);
        run.exits(1).stdout("");
        run.stderr_has("error: plex.tv: could not ").stderr_has("error: Tautulli: could not ");
        run.stderr_has("no connection (Connection refused (os error 111)). Is this machine online");
        let advice = if in_container() { "Inside a container, localhost is" } else { "Is Tautulli running" };
        run.stderr_has(&format!("no connection (Connection refused (os error 111)). {advice}"));
    }
}

/// The longest chain of requests of which each began after the one before was answered.
fn longest_chain(requests: &[Request]) -> usize {
    let mut lengths: Vec<usize> = Vec::new();
    for (index, request) in requests.iter().enumerate() {
        let before = (0..index).filter(|&other| requests[other].finished.unwrap() <= request.started);
        lengths.push(1 + before.map(|other| lengths[other]).max().unwrap_or(0));
    }
    lengths.into_iter().max().unwrap_or(0)
}

#[test]
fn a_sweep_with_nobody_due_makes_six_requests_at_most() {
    let sandbox = sandbox();
    sandbox.live();
    for id in 0..100 {
        sandbox.person(1000 + id, &format!("guest{id}")).watched(days_ago((id % 25) as i64));
    }
    // Long enough that what is asked side by side overlaps, even on a busy machine.
    let delay = || Fault::delay(Duration::from_millis(400));
    sandbox.plex.fail(any(), delay());
    sandbox.tautulli.fail(any(), delay());
    run(&sandbox, &["sweep"]).exits(0).stderr_has("sweep of 100 people on Centauri: nobody is due");
    let requests = sandbox.requests();
    assert!(requests.len() <= 6, "{} requests", requests.len());
    assert!(longest_chain(&requests) <= 2, "{} requests, one after the other", longest_chain(&requests));
}

/// How many requests a sweep makes to plex.tv and Tautulli, if so many people are to be removed.
fn requests_for(due: u64) -> usize {
    let sandbox = sandbox();
    sandbox.live();
    for id in 0..20 {
        let watched = if id < due { days_ago(40) } else { days_ago(1) };
        sandbox.person(1000 + id, &format!("guest{id}")).watched(watched);
    }
    run(&sandbox, &["sweep"]).exits(0).stderr_has(&format!("0 warned, {due} removed"));
    assert_eq!(sandbox.smtp.connections(), 1, "all mails of a pass go over one connection");
    assert_eq!(sandbox.mails().len() as u64, 2 * due);
    sandbox.requests().iter().filter(|request| request.service != "discord").count()
}

#[test]
fn a_removal_costs_three_requests() {
    let counts: Vec<usize> = [3, 4].into_iter().map(requests_for).collect();
    assert_eq!(counts[1] - counts[0], 3, "a look, the end of the share, the deletion from Tautulli: {counts:?}");
}

#[test]
fn a_warning_costs_one_request() {
    let counts: Vec<usize> = [3, 4]
        .into_iter()
        .map(|due| {
            let sandbox = sandbox();
            sandbox.live();
            for id in 0..due {
                sandbox.person(1000 + id, &format!("guest{id}")).watched(days_ago(28));
            }
            run(&sandbox, &["sweep"]).exits(0).stderr_has(&format!("{due} warned, 0 removed"));
            assert_eq!(sandbox.smtp.connections(), 1);
            sandbox.requests().iter().filter(|request| request.service != "discord").count()
        })
        .collect();
    assert_eq!(counts[1] - counts[0], 1, "a look: {counts:?}");
}
