//! Tautulli: reached, recording, and what it does not record.

use super::{about, each, findings, household, in_container, troubles};
use crate::support::{Fault, Response, Sandbox, Tautulli, any, cmd, days_ago};

const CANT: &str = "could not read its version:";
const REACHED: [&str; 4] = [
    "✓ Tautulli: reached, the key is accepted; version v2.17.2",
    "✓ Tautulli: connected to Plex",
    "✓ Tautulli: recording since 2025-11-25 at least",
    "✓ Tautulli: watches Centauri",
];

fn url(sandbox: &Sandbox, change: impl Fn(String) -> String) {
    sandbox.set_env("TAUTULLI_URL", change(sandbox.tautulli.url()));
}

/// What was set wrong, what is seen, and the next step.
type Case = (fn(&Sandbox), &'static str, &'static str);

const CASES: [Case; 14] = [
    (
        |sandbox| url(sandbox, |url| url.replace("http:", "https:")),
        "no connection (",
        "Does that port speak https? Else TAUTULLI_URL begins with http://",
    ),
    (
        |sandbox| {
            sandbox.tautulli_tls();
            url(sandbox, |url| url.replace("https:", "http:"));
        },
        "the connection broke",
        "Does that port speak https? Then TAUTULLI_URL begins with https://. Else, is it Tautulli's port?",
    ),
    (
        |sandbox| {
            let words = "The client sent a plain HTTP request, but this server only speaks HTTPS on this port.";
            sandbox.tautulli.fail(any(), Fault::Answer(Response::new(400, "text/plain", words)));
        },
        "it answered 400: The client sent a plain HTTP request, but this server only speaks HTTPS on this port.",
        "That port speaks https: try https:// in TAUTULLI_URL.",
    ),
    (
        |sandbox| drop(sandbox.tautulli.fail(any(), Fault::html(400))),
        "it answered 400: an HTML page",
        "That port speaks https: try https:// in TAUTULLI_URL.",
    ),
    (
        |sandbox| {
            sandbox.tautulli_tls();
            sandbox.unset_env("CA_FILE");
            url(sandbox, |url| url);
        },
        "no connection (invalid peer certificate: UnknownIssuer)",
        "Put the authority that signed Tautulli's certificate into CA_FILE (PEM).",
    ),
    (
        |sandbox| url(sandbox, |url| url + "/tautulli"),
        "it answered 404: an HTML page",
        "Check the path in TAUTULLI_URL: it is what the browser shows when Tautulli is open, up to /home.",
    ),
    (
        |sandbox| sandbox.tautulli.api_enabled(false),
        "it answered 404: API not enabled",
        "Enable the API: Tautulli's Settings, Web Interface, API.",
    ),
    (
        |sandbox| {
            sandbox.set_env("TAUTULLI_API_KEY", "wrong");
        },
        "it answered 400: Invalid apikey",
        "Check TAUTULLI_API_KEY: it is in Tautulli's Settings, Web Interface, API.",
    ),
    (
        |sandbox| drop(sandbox.tautulli.fail(any(), Fault::html(401))),
        "it answered 401: an HTML page",
        "Something in front of Tautulli wants a login: put it into TAUTULLI_URL (http://user:password@host), or go round it.",
    ),
    (
        |sandbox| drop(sandbox.tautulli.fail(any(), Fault::redirect("https://sso.example.test/login?next=x"))),
        "it redirects to https://sso.example.test/login, and redirects are not followed",
        "Check TAUTULLI_URL (scheme and path too), and that the API is enabled in Tautulli's Settings, Web Interface, API.",
    ),
    (
        |sandbox| drop(sandbox.tautulli.fail(any(), Fault::html(502))),
        "it answered 502: an HTML page",
        "Something in front of Tautulli can't reach it: is Tautulli running?",
    ),
    (
        |sandbox| drop(sandbox.tautulli.fail(any(), Fault::html(200))),
        "its answer can't be understood (it is an HTML page)",
        "Is TAUTULLI_URL the address of Tautulli itself, and Tautulli up to date?",
    ),
    (
        |sandbox| drop(sandbox.tautulli.fail(any(), Tautulli::crash())),
        "it answered 500: Check the logs for errors",
        "Tautulli's own log says more.",
    ),
    (
        |sandbox| {
            sandbox.set_env("TAUTULLI_URL", "http://no-such-host.invalid:8181");
        },
        "no connection (failed to lookup address information: ",
        "Is Tautulli running, and TAUTULLI_URL right (http or https, host, port)?",
    ),
];

#[test]
fn each_mistake_has_a_next_step_that_fits() {
    each(&CASES, |(make, seen, next)| {
        let sandbox = household();
        make(&sandbox);
        let found = about("Tautulli", &sandbox);
        let [found] = found.as_slice() else { panic!("one finding is enough: {found:#?}") };
        assert!(found.starts_with(&format!("✗ Tautulli: {CANT} {seen}")), "{found}\nlacks: {seen}");
        assert!(found.ends_with(&format!(" → {next}")), "{found}\nlacks: {next}");
    });
}

#[test]
fn localhost_is_another_machine_inside_a_container() {
    let sandbox = household();
    sandbox.tautulli.stop();
    let refused = format!("✗ Tautulli: {CANT} no connection (Connection refused (os error 111)) → ");
    if !in_container() {
        let outside = "Is Tautulli running, and TAUTULLI_URL right (http or https, host, port)?";
        assert_eq!(about("Tautulli", &sandbox), [format!("{refused}{outside}")]);
    }
    for (name, value) in [("container", "docker"), ("KUBERNETES_SERVICE_HOST", "10.0.0.1")] {
        sandbox.set_env(name, value);
        assert_eq!(
            about("Tautulli", &sandbox),
            [format!(
                "{refused}Inside a container, localhost is the container itself: put the other container's name, or the \
                 machine's name or address, into TAUTULLI_URL."
            )]
        );
        sandbox.unset_env(name);
    }
    // A machine of its own, which is down.
    sandbox.set_env("container", "docker").set_env("TAUTULLI_URL", "http://[::ffff:127.0.0.1]:9");
    let found = about("Tautulli", &sandbox).remove(0);
    assert!(found.ends_with(" → Is Tautulli running, and TAUTULLI_URL right (http or https, host, port)?"), "{found}");
}

#[test]
fn a_tautulli_that_records_nothing_hides_none_of_the_other_findings() {
    let sandbox = household();
    sandbox.person(1005, "rita").watched(days_ago(33));
    sandbox.person(1010, "tess").unknown_to_tautulli();
    sandbox.disconnected();
    assert_eq!(
        troubles(&sandbox),
        [
            "! settings: due now: nobody to be warned, 1 to be removed (rita) → `plex-prune status` shows why. Whoever is \
             to stay: `plex-prune whitelist add WHO`",
            "✗ Tautulli: is not connected to Plex, so it doesn't record what people watch; a sweep acts on nobody \
             → Check Plex, and Tautulli's Settings, Plex Media Server.",
            "! Tautulli: doesn't know tess → Wait: it refreshes its list every few hours. They are left alone till then.",
        ]
    );
}

#[test]
fn another_server_is_named() {
    let sandbox = household();
    sandbox.other_server();
    let next = "a sweep acts on nobody → Check TAUTULLI_URL and PLEX_SERVER_NAME.";
    assert_eq!(troubles(&sandbox), [format!("✗ Tautulli: watches Elsewhere and not Centauri; {next}")]);
    sandbox.tautulli.watches_server("Centauri", "another");
    assert_eq!(troubles(&sandbox), [format!("✗ Tautulli: watches another Centauri and not Centauri; {next}")]);
}

#[test]
fn an_empty_table_is_an_error_in_the_database() {
    let sandbox = household();
    let nothing = serde_json::json!({"response": {"result": "success", "message": null, "data": {
        "recordsFiltered": 0, "recordsTotal": 0, "draw": 0, "data": []
    }}});
    sandbox.tautulli.fail(cmd("get_users_table"), Fault::json(200, nothing));
    let found = troubles(&sandbox);
    let expected = "✗ Tautulli: Tautulli's table of users is empty, which points to an error in its database; a sweep acts \
                    on nobody → Look at Tautulli's own log.";
    assert!(found.iter().any(|line| line == expected), "{found:#?}");
    sandbox.mend().tautulli.database_broken(true);
    let found = about("Tautulli", &sandbox);
    assert!(found.iter().any(|line| line == expected), "{found:#?}");
    assert!(found.iter().any(|line| line.starts_with("✗ Tautulli: could not read since when it has been recording")));
}

#[test]
fn what_tautulli_does_not_record_is_listed() {
    let sandbox = household();
    for (id, name) in [(1010, "tess"), (1012, "tom")] {
        sandbox.person(id, name).unknown_to_tautulli();
    }
    sandbox.person(1011, "zoe").no_history_kept();
    sandbox.person(1014, "dave").hidden_in_tautulli();
    sandbox.tautulli.library_without_history("Kids");
    sandbox.recording_since(days_ago(9));
    assert_eq!(
        about("Tautulli", &sandbox),
        [
            REACHED[0],
            REACHED[1],
            "! Tautulli: recording since 2026-11-16 only → Nothing to do: who watched nothing since is counted from that \
             day.",
            "! Tautulli: keeps no history of Kids: whoever watches only there looks idle → Tautulli, Libraries, Edit, Keep \
             History; or protect those who watch only there.",
            REACHED[3],
            "! Tautulli: doesn't know tess, tom → Wait: it refreshes its list every few hours. They are left alone till \
             then.",
            "! Tautulli: keeps no history of zoe → They are left alone. To have them judged: Tautulli, Users, Edit, Keep \
             History.",
            "! Tautulli: was told to delete dave → They are left alone. To have them judged, add them in Tautulli again.",
        ]
    );
    sandbox.tautulli.empty_record();
    let found = about("Tautulli", &sandbox);
    assert!(found[2].starts_with("! Tautulli: recording since 2026-11-23 only → "), "{found:#?}");
}

#[test]
fn one_call_that_fails_hides_none_of_the_others() {
    let calls = [
        ("server_status", "read whether it is connected to Plex"),
        ("get_server_info", "read which server it watches"),
        ("get_users_table", "read the table of users"),
        ("get_plays_by_date", "read since when it has been recording"),
        ("get_libraries_table", "read the table of libraries"),
    ];
    each(&calls, |(command, doing)| {
        let sandbox = household();
        sandbox.tautulli.fail(cmd(command), Fault::html(404));
        let found = findings(&sandbox);
        let failed: Vec<_> = found.iter().filter(|line| line.starts_with('✗')).collect();
        assert_eq!(failed.len(), 1, "{found:#?}");
        assert!(failed[0].starts_with(&format!("✗ Tautulli: could not {doing}: it answered 404")), "{found:#?}");
        // What is not known about libraries is only a remark.
        let due = match *command {
            "get_libraries_table" => "✓ settings: due now: nobody",
            _ => "! settings: who is due can't be told yet → Mend what fails below.",
        };
        assert!(found.iter().any(|line| line == due), "{found:#?}");
        let there = REACHED.iter().filter(|line| found.iter().any(|other| other == *line)).count();
        assert!(there >= 3, "{found:#?}");
    });
}

#[test]
fn tautulli_may_be_behind_https_and_below_a_path() {
    let sandbox = household();
    sandbox.tautulli_tls();
    sandbox.tautulli.prefix("/tautulli");
    assert_eq!(about("Tautulli", &sandbox), REACHED);
}
