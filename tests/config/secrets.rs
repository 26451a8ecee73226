//! Secrets: where they may come from, and where they must not go.

use serde_json::json;

use super::complaint;
use crate::{
    sandbox,
    support::{Fault, Run, Sandbox, SmtpFault, Stage, any, cmd, days_ago, delete, get},
};

const SECRETS: [&str; 4] = ["PLEX_TOKEN", "TAUTULLI_API_KEY", "SMTP_PASSWORD", "DISCORD_WEBHOOK"];

trait Secrets {
    fn put_in_file(&self, name: &str, rest: &str);
}

impl Secrets for Sandbox {
    /// Moves a secret into a file, with this behind it.
    fn put_in_file(&self, name: &str, rest: &str) {
        let value = self.env().into_iter().find(|(known, _)| known == name).unwrap().1;
        let file = self.dir().join(name);
        std::fs::write(&file, format!("{value}{rest}")).unwrap();
        self.unset_env(name).set_env(&format!("{name}_FILE"), file.display());
    }
}

#[test]
fn each_secret_may_be_in_a_file() {
    let sandbox = sandbox();
    for (name, rest) in SECRETS.into_iter().zip(["\n", "\r\n", "", " \n\n"]) {
        sandbox.put_in_file(name, rest);
    }
    sandbox.person(1002, "bob").joined(days_ago(90));
    sandbox.live().run(&["welcome"]).exits(0);
    sandbox.run(&["sweep"]).exits(0);
    assert_eq!((sandbox.mails_to("bob@example.test").len(), sandbox.posts().len()), (1, 1));
}

#[test]
fn a_secret_in_two_places_is_an_error() {
    let sandbox = sandbox();
    for name in SECRETS {
        let value = sandbox.text_of(name);
        sandbox.put_in_file(name, "\n");
        sandbox.set_env(name, value);
    }
    complains(&sandbox, |name| format!("{name}: is set, and so is {name}_FILE; keep one of them"));
}

#[test]
fn an_empty_variable_leaves_it_to_the_file() {
    let sandbox = sandbox();
    sandbox.put_in_file("PLEX_TOKEN", "\n");
    sandbox.set_env("PLEX_TOKEN", "").run(&["status"]).exits(0);
}

/// A sweep ends because of all four secrets.
#[track_caller]
fn complains(sandbox: &Sandbox, problem: impl Fn(&str) -> String) {
    let run = sandbox.run(&["sweep"]);
    run.exits(2).stderr_has("4 settings need mending");
    for name in SECRETS {
        run.stderr_has(&format!("\n  {}\n", problem(name)));
    }
    assert_eq!(run.stderr.lines().count(), 5, "{run}");
}

#[test]
fn a_bad_file_of_a_secret_is_named_and_not_shown() {
    let sandbox = sandbox();
    for name in SECRETS {
        sandbox.unset_env(name).set_env(&format!("{name}_FILE"), sandbox.dir().join(name).display());
    }
    let cases: [(Option<&[u8]>, &str); 5] = [
        (None, "the file FILE can't be read: No such file or directory (os error 2)"),
        (Some(b""), "the file FILE is empty"),
        (Some(b"\n"), "the file FILE is empty"),
        (Some(b"hush-one\nhush-two\n"), "holds more than one line, or a control character; expected one line"),
        (Some(b"hush\xff\n"), "the file FILE can't be read: stream did not contain valid UTF-8"),
    ];
    for (content, problem) in cases {
        if let Some(content) = content {
            SECRETS.iter().for_each(|name| std::fs::write(sandbox.dir().join(name), content).unwrap());
        }
        complains(&sandbox, |name| {
            let file = sandbox.dir().join(name).display().to_string();
            format!("{name}_FILE: {}", problem.replace("FILE", &file))
        });
    }
}

#[test]
fn a_secret_has_no_control_characters() {
    let sandbox = sandbox();
    sandbox.set_env("PLEX_TOKEN", "hush\nX-Evil: 1");
    let problem = "PLEX_TOKEN: holds more than one line, or a control character; expected one line";
    sandbox.run(&["status"]).exits(2).stderr(&complaint(&[problem]));
}

/// No part of what was said gives a secret of the sandbox away, as it is or as a mail login encodes it.
#[track_caller]
fn keeps_quiet(run: &Run) {
    let secrets = [
        "sandbox-plex-token",
        "sandbox-tautulli-key",
        "sandbox-mail-password",
        "c2FuZGJveC1tYWlsLXBhc3N3b3Jk",
        "AHNhbmRib3gtbWFpbGVyAHNhbmRib3gtbWFpbC1wYXNzd29yZA",
        "sandbox-webhook",
    ];
    for secret in secrets {
        run.stdout_lacks(secret).stderr_lacks(secret);
    }
}

#[test]
fn no_secret_is_told_when_nothing_fails() {
    let sandbox = sandbox();
    sandbox.person(1002, "bob").joined(days_ago(90));
    sandbox.live();
    for arguments in [["-vv", "welcome"], ["-vv", "sweep"], ["-vv", "status"]] {
        keeps_quiet(sandbox.run(&arguments).exits(0).stderr_has(" trace: "));
    }
    keeps_quiet(sandbox.run(&["status", "--json"]).exits(0));
    assert_eq!((sandbox.mails_to("bob@example.test").len(), sandbox.posts().len()), (1, 1));
    for name in ["state.json", "state.json.bak"] {
        let state = std::fs::read_to_string(sandbox.state_dir().join(name)).unwrap();
        assert!(!state.contains("sandbox-"), "{state}");
    }
}

#[test]
fn an_answer_that_repeats_a_secret_is_told_without_it() {
    let sandbox = sandbox();
    sandbox.person(1002, "bob").watched(days_ago(33));
    sandbox.live().run(&["welcome"]).exits(0);
    let says = |run: &Run, text: &str| keeps_quiet(run.stderr_has(text));

    let echo = || Fault::json(403, json!({"message": "not with the token sandbox-plex-token"}));
    sandbox.plex.fail(any(), echo());
    says(sandbox.run(&["-vv", "sweep"]).exits(1), "it answered 403: not with the token ***");
    sandbox.mend().plex.fail(get("/api/v2/shared_servers"), Fault::json(200, json!("sandbox-plex-token")));
    says(sandbox.run(&["-vv", "sweep"]).exits(1), "it begins with \"\\\"***\\\"\"");
    sandbox.mend().tautulli.fail(any(), Fault::json(500, json!("no key sandbox-tautulli-key here")));
    keeps_quiet(sandbox.run(&["-vv", "status"]).exits(1));
    let refused = json!({"response": {"result": "error", "message": "cmd=x&apikey=sandbox-tautulli-key", "data": {}}});
    sandbox.mend().tautulli.fail(any(), Fault::json(200, refused));
    says(sandbox.run(&["-vv", "status"]).exits(1), "it answered 200: cmd=x&apikey=***");
    let route = "GET:/api/webhooks/1100000000000000001/sandbox-webhook not found";
    sandbox.mend().discord.fail(any(), Fault::json(404, json!({"message": route})));
    let webhook = sandbox.discord.webhook();
    for form in ["", "/", "/slack", "?thread_id=123"] {
        sandbox.set_env("DISCORD_WEBHOOK", format!("{webhook}{form}"));
        keeps_quiet(sandbox.run(&["verify"]).exits(1).stdout_has("1100000000000000001/***"));
    }
    sandbox.set_env("DISCORD_WEBHOOK", webhook);
    // A removal that fails is told to the admin, and kept in the state.
    sandbox.mend().plex.fail(delete("/"), echo());
    says(sandbox.run(&["sweep"]).exits(1), "removal failed: bob (id 1002) keeps access for now");
    assert!(sandbox.mails_to("admin@example.test").iter().all(|mail| !mail.text().contains("sandbox-plex-token")));
    assert!(!std::fs::read_to_string(sandbox.state_path()).unwrap().contains("sandbox-"));
}

#[test]
fn no_secret_is_told_when_everything_fails() {
    let sandbox = sandbox();
    sandbox.person(1002, "bob").joined(days_ago(90));
    sandbox.live().run(&["welcome"]).exits(0);

    // Mail and Discord: the state keeps what they said.
    sandbox.smtp.fail(Stage::Login, SmtpFault::reply(535, "5.7.8 sandbox-mail-password is wrong"));
    sandbox.discord.stop();
    keeps_quiet(sandbox.run(&["-vv", "sweep"]).exits(1));
    let state = std::fs::read_to_string(sandbox.state_path()).unwrap();
    assert!(state.contains("last_error") && !state.contains("sandbox-"), "{state}");

    // Plex and Tautulli: with a URL to tell, an answer, and half of one.
    for fault in [Fault::status(401), Fault::CutBefore] {
        sandbox.mend().plex.fail(get("/api/v2/resources"), fault);
        keeps_quiet(sandbox.run(&["-vv", "status"]).exits(1));
    }
    for fault in [Fault::html(502), Fault::redirect("https://elsewhere.test/")] {
        sandbox.mend().tautulli.fail(cmd("get_users_table"), fault);
        keeps_quiet(sandbox.run(&["-vv", "status"]).exits(1));
    }
    sandbox.mend().plex.fail(any(), Fault::HalfBody);
    keeps_quiet(sandbox.run(&["-vv", "sweep"]).exits(1));
}

#[test]
fn no_secret_is_told_when_settings_are_wrong() {
    let sandbox = sandbox();
    sandbox.set_env("DISCORD_WEBHOOK", "sandbox-webhook").set_env("WARN_DAYS", "x");
    keeps_quiet(sandbox.run(&["-vv", "sweep"]).exits(2));
    sandbox.set_env("TAUTULLI_URL", "http://me:sandbox-tautulli-key@home:8181?x");
    keeps_quiet(sandbox.run(&["-vv", "sweep"]).exits(2));
    for name in SECRETS {
        sandbox.put_in_file(name, "\nanother line");
    }
    keeps_quiet(sandbox.run(&["-vv", "sweep"]).exits(2));
}
