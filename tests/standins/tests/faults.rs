//! Every way in which a service that speaks HTTP can fail.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{builder, client, plex, sandbox, to_plex};
use plex_prune_standins::{Discord, Fault, any, days_ago, delete, get, post};

const USER: &str = "/api/v2/user";
const END: &str = "/api/v2/sharings/1002";

#[test]
fn answers_instead_of_the_real_one() {
    let sandbox = sandbox();
    sandbox.person(1002, "bob");
    for (fault, status) in [
        (Fault::status(500), 500),
        (Fault::html(502), 502),
        (Fault::too_many(7), 429),
        (Fault::json(200, json!({"shape": "another"})), 200),
        (Fault::redirect("http://127.0.0.1:1/"), 302),
    ] {
        sandbox.plex.fail(any(), fault).times(1);
        let response = plex(&sandbox, "DELETE", END);
        assert_eq!(response.status(), status);
        match status {
            429 => assert_eq!(response.headers()["Retry-After"], "7"),
            302 => assert_eq!(response.headers()["Location"], "http://127.0.0.1:1/"),
            502 => assert!(response.text().unwrap().starts_with("<html>")),
            _ => {}
        }
        assert!(sandbox.on_plex(1002));
    }
    assert_eq!(sandbox.writes()[0], "plex DELETE /api/v2/sharings/1002 -> 500");
    assert_eq!(plex(&sandbox, "DELETE", END).status(), 204);
}

#[test]
fn connections_that_end_early() {
    let sandbox = sandbox();
    for (fault, effect, note) in [
        (Fault::CutBefore, false, "no answer"),
        (Fault::AnswerLost, true, "answer lost"),
        (Fault::HalfBody, true, "answer lost"),
    ] {
        sandbox.joins(1002, "bob");
        sandbox.forget();
        sandbox.plex.fail(delete("/api/v2/sharings"), fault).times(1);
        let _ = to_plex(&sandbox, "DELETE", END).send();
        assert_eq!(sandbox.on_plex(1002), !effect, "{note}");
        assert_eq!(sandbox.writes(), [format!("plex DELETE {END} -> {note}")]);
        sandbox.leaves(1002);
    }
}

#[test]
fn half_a_body() {
    let sandbox = sandbox();
    sandbox.plex.fail(get(USER), Fault::HalfBody);
    let response = plex(&sandbox, "GET", USER);
    assert_eq!(response.status(), 200);
    assert!(response.text().is_err());
}

#[test]
fn late_and_never() {
    let sandbox = sandbox();
    sandbox.plex.fail(get(USER), Fault::delay(Duration::from_millis(300))).times(1);
    let started = Instant::now();
    assert_eq!(plex(&sandbox, "GET", USER).status(), 200);
    assert!(started.elapsed() >= Duration::from_millis(300));

    sandbox.plex.fail(get(USER), Fault::Hang).times(1);
    let impatient = builder().timeout(Duration::from_millis(300)).build().unwrap();
    let request = to_plex(&sandbox, "GET", USER).build().unwrap();
    assert!(impatient.execute(request).unwrap_err().is_timeout());
}

#[test]
fn counted_and_mended() {
    let sandbox = sandbox();
    let status = || plex(&sandbox, "GET", USER).status().as_u16();
    let rule = sandbox.plex.fail(get(USER), Fault::status(500)).after(1).times(2);
    assert_eq!([status(), status(), status(), status()], [200, 500, 500, 200]);
    assert_eq!(rule.used(), 2);
    let rule = sandbox.plex.fail(get(USER), Fault::status(503));
    assert_eq!(status(), 503);
    rule.mend();
    assert_eq!(status(), 200);
    sandbox.plex.fail(get("/api/v2/resources"), Fault::status(503));
    assert_eq!(status(), 200, "another path");
    sandbox.mend();
}

#[test]
fn gates_hold_a_request_or_its_answer() {
    let sandbox = sandbox();
    sandbox.person(1002, "bob");
    sandbox.person(1003, "carol");
    let (fault, gate) = Fault::gate_before();
    sandbox.plex.fail(delete(END), fault);
    let (late, answered) = Fault::gate_after();
    sandbox.plex.fail(delete("/api/v2/sharings/1003"), late);
    thread::scope(|scope| {
        let before = scope.spawn(|| plex(&sandbox, "DELETE", END).status());
        gate.wait();
        assert!(sandbox.on_plex(1002));
        gate.open();
        assert_eq!(before.join().unwrap(), 204);

        let after = scope.spawn(|| plex(&sandbox, "DELETE", "/api/v2/sharings/1003").status());
        answered.wait();
        assert!(!sandbox.on_plex(1003));
        drop(answered);
        assert_eq!(after.join().unwrap(), 204);
    });
}

#[test]
fn nobody_listens() {
    let sandbox = sandbox();
    sandbox.plex.stop();
    assert!(to_plex(&sandbox, "GET", USER).send().unwrap_err().is_connect());
}

#[test]
fn requests_are_recorded_and_connections_kept() {
    let sandbox = sandbox();
    let client = client();
    for _ in 0..3 {
        let request = to_plex(&sandbox, "GET", "/api/v2/resources?a=b%20c&d=e+f").build().unwrap();
        client.execute(request).unwrap().text().unwrap();
    }
    assert_eq!(sandbox.plex.connections(), 1);
    let requests = sandbox.requests();
    assert_eq!(requests.len(), 3);
    let first = &requests[0];
    assert_eq!((first.service, first.method.as_str(), first.path.as_str()), ("plex", "GET", "/api/v2/resources"));
    assert_eq!(first.query, [("a".to_owned(), "b c".to_owned()), ("d".to_owned(), "e f".to_owned())]);
    assert_eq!(first.header("x-plex-product"), Some("plex-prune"));
    assert_eq!(first.status, Some(200));
    assert!(first.finished <= Some(requests[1].started));
}

#[test]
fn over_tls() {
    let sandbox = sandbox();
    sandbox.tautulli_tls();
    let authority = reqwest::Certificate::from_pem(sandbox.authority().pem.as_bytes()).unwrap();
    let trusting = builder().tls_certs_merge([authority]).build().unwrap();
    let url = format!("{}/api/v2", sandbox.tautulli.base());
    assert!(url.starts_with("https://"));
    assert_eq!(trusting.post(&url).send().unwrap().status(), 400);
    assert!(client().post(&url).send().is_err());
}

#[test]
fn discord_takes_messages() {
    let sandbox = sandbox();
    let webhook = sandbox.discord.webhook();
    let say = |body: Value| client().post(&webhook).json(&body).send().unwrap();
    assert_eq!(say(json!({"content": "hello"})).status(), 204);
    assert_eq!(say(json!({"embeds": [{"title": "an embed"}]})).status(), 204);
    assert_eq!(say(json!({"content": ""})).status(), 400);
    sandbox.discord.fail(post("/api/webhooks"), Discord::too_many(2)).times(1);
    let limited = say(json!({"content": "again"}));
    assert_eq!((limited.status().as_u16(), limited.json::<Value>().unwrap()["retry_after"].as_u64()), (429, Some(2)));
    let waited = client().post(format!("{webhook}?wait=true")).json(&json!({"content": "hi"})).send().unwrap();
    assert_eq!(waited.status(), 200);
    let webhook_itself: Value = client().get(&webhook).send().unwrap().json().unwrap();
    assert_eq!(webhook_itself["name"], "plex-prune");
    let unknown = client().get(format!("{}/api/webhooks/1/x", sandbox.discord.url())).send().unwrap();
    assert_eq!((unknown.status().as_u16(), unknown.json::<Value>().unwrap()["code"].as_u64()), (404, Some(10015)));
    assert_eq!(sandbox.posts().len(), 3);
    assert_eq!(
        sandbox.writes(),
        ["discord: hello", "discord: an embed", "discord:  -> 400", "discord: again -> 429", "discord: hi"]
    );
}

#[test]
fn a_token_that_goes_astray_is_noted() {
    let sandbox = sandbox();
    sandbox.person(1002, "bob").joined(days_ago(3));
    let url = sandbox.discord.webhook();
    client().get(&url).header("X-Plex-Token", "sandbox-plex-token").send().unwrap();
    assert_eq!(sandbox.violations(), ["Discord was given the Plex token"]);
}
