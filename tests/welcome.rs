//! `welcome`: who is new, who left, who is back.

mod back;
mod caution;

use crate::story::{
    ADMIN, clean, happened, ids, logged, minutes, nothing_happened, seconds, settled, subjects, titles, waiting,
};
use crate::support::{Sandbox, days, days_ago, hours, minutes_ago};

fn ada(sandbox: &Sandbox) {
    sandbox.person(1001, "ada").watched(days_ago(1));
}

#[test]
fn the_first_live_pass_records_everybody_silently() {
    let sandbox = crate::sandbox();
    ada(&sandbox);
    sandbox.person(1002, "bob").watched(days_ago(60));
    sandbox.live();
    let run = sandbox.run(&["welcome"]);
    run.exits(0).stdout("");
    logged(
        &run,
        &[
            "first pass: recorded 2 people without a mail; whoever joins from now on is welcomed",
            "welcome for 2 people on Centauri: nobody is new",
        ],
    );
    nothing_happened(&sandbox);
    assert_eq!(ids(&sandbox, "welcomed"), ["1001", "1002"]);
    clean(&sandbox);
}

#[test]
fn a_first_pass_on_an_empty_server_makes_the_first_guest_a_newcomer() {
    let sandbox = settled(|_| {});
    sandbox.joins(1020, "newt");
    let run = sandbox.advance(minutes(2)).run(&["welcome"]);
    run.exits(0);
    assert_eq!(subjects(&sandbox, "newt@example.test"), ["Welcome to Centauri"]);
    clean(&sandbox);
}

#[test]
fn a_sweep_before_the_first_welcome_does_not_make_everybody_new() {
    let sandbox = crate::sandbox();
    ada(&sandbox);
    sandbox.live();
    sandbox.run(&["sweep"]).exits(0);
    sandbox.run(&["welcome"]).exits(0);
    nothing_happened(&sandbox);
    clean(&sandbox);
}

#[test]
fn a_newcomer_gets_a_mail_and_the_admin_and_discord_hear_of_it_once() {
    let sandbox = settled(ada);
    sandbox.joins(1020, "newt");
    sandbox.advance(minutes(1));
    let run = sandbox.run(&["welcome"]);
    run.exits(0);
    logged(
        &run,
        &[
            "welcomed newt (id 1020), who joined 2026-11-23 12:00 UTC",
            "welcome for 2 people on Centauri: 1 new, 3 notices sent",
        ],
    );
    happened(
        &sandbox,
        &[
            "mail newt@example.test: Welcome to Centauri",
            "mail admin@example.test: [Centauri] Joined: newt",
            "discord: Joined: newt",
        ],
    );
    assert!(waiting(&sandbox).is_empty());

    sandbox.forget();
    for _ in 0..3 {
        sandbox.advance(minutes(2));
        logged(sandbox.run(&["welcome"]).exits(0), &["welcome for 2 people on Centauri: nobody is new"]);
    }
    nothing_happened(&sandbox);
    clean(&sandbox);
}

#[test]
fn several_newcomers_are_welcomed_in_one_pass_over_one_connection() {
    let sandbox = settled(ada);
    sandbox.joins(1021, "zoe");
    sandbox.joins(1022, "Bert");
    sandbox.joins(1023, "carl");
    let before = sandbox.smtp.connections();
    let run = sandbox.advance(minutes(1)).run(&["welcome"]);
    run.exits(0).stderr_has("welcome for 4 people on Centauri: 3 new, 9 notices sent\n");
    for address in ["zoe@example.test", "bert@example.test", "carl@example.test"] {
        assert_eq!(subjects(&sandbox, address), ["Welcome to Centauri"]);
    }
    let joined = ["[Centauri] Joined: Bert", "[Centauri] Joined: carl", "[Centauri] Joined: zoe"];
    assert_eq!(subjects(&sandbox, ADMIN), joined);
    assert_eq!(titles(&sandbox), ["Joined: Bert", "Joined: carl", "Joined: zoe"]);
    assert_eq!(sandbox.smtp.connections() - before, 1);
    clean(&sandbox);
}

#[test]
fn protected_newcomers_are_recorded_without_a_mail() {
    let sandbox = settled(ada);
    sandbox.set_env("VIP_NAMES", "Mom");
    sandbox.joins(1007, "mom");
    sandbox.joins(1008, "hugo").home_user();
    sandbox.joins(1013, "adminsecond").email(ADMIN);
    let run = sandbox.advance(minutes(1)).run(&["welcome"]);
    logged(run.exits(0), &["welcome for 4 people on Centauri: nobody is new"]);
    nothing_happened(&sandbox);
    assert_eq!(ids(&sandbox, "welcomed"), ["1001", "1007", "1008", "1013"]);
    sandbox.unset_env("VIP_NAMES").run(&["welcome"]).exits(0);
    nothing_happened(&sandbox);
    clean(&sandbox);
}

#[test]
fn a_newcomer_without_an_address_is_welcomed_as_far_as_it_goes() {
    for empty in [false, true] {
        let sandbox = settled(ada);
        let newt = sandbox.joins(1020, "newt");
        if empty {
            newt.empty_email()
        } else {
            newt.no_email()
        };
        sandbox.advance(minutes(1)).run(&["welcome"]).exits(0);
        happened(&sandbox, &["mail admin@example.test: [Centauri] Joined: newt", "discord: Joined: newt"]);
        assert!(sandbox.mails()[0].text().contains("E-mail: none"));
        assert_eq!(ids(&sandbox, "welcomed"), ["1001", "1020"]);
        clean(&sandbox);
    }
}

#[test]
fn without_discord_nothing_waits_for_it() {
    let sandbox = settled(ada);
    sandbox.unset_env("DISCORD_WEBHOOK").joins(1020, "newt");
    sandbox.advance(minutes(1)).run(&["welcome"]).exits(0).stderr_has("1 new, 2 notices sent\n");
    assert!(waiting(&sandbox).is_empty() && sandbox.posts().is_empty());
    clean(&sandbox);
}

#[test]
fn an_invitation_that_is_not_accepted_or_a_share_elsewhere_makes_nobody_new() {
    let sandbox = settled(ada);
    sandbox.second_server();
    sandbox.joins(1020, "pending").not_accepted();
    sandbox.joins(1021, "attic").only_on("Attic");
    sandbox.joins(1022, "ended").share_deleted();
    logged(sandbox.run(&["welcome"]).exits(0), &["welcome for 1 person on Centauri: nobody is new"]);
    nothing_happened(&sandbox);
    clean(&sandbox);
}

#[test]
fn who_is_new_and_plex_does_not_say_since_when_counts_from_when_they_were_first_seen() {
    let sandbox = settled(ada);
    sandbox.joins(1020, "newt").accepted_at_null();
    sandbox
        .run(&["welcome"])
        .exits(0)
        .stderr_has("welcomed newt (id 1020), who joined at a time that Plex doesn't tell");
    sandbox.watches(1001);
    sandbox.forget().advance(days(28) - seconds(1));
    sandbox.watches(1001);
    sandbox.run(&["sweep"]).exits(0);
    nothing_happened(&sandbox);
    sandbox.advance(seconds(1)).run(&["sweep"]).exits(0);
    assert_eq!(subjects(&sandbox, "newt@example.test"), ["Centauri: 3 days left to watch something"]);
    clean(&sandbox);
}

#[test]
fn a_dry_run_says_who_is_new_and_does_nothing() {
    let sandbox = settled(ada);
    let before = std::fs::read_to_string(sandbox.state_path()).unwrap();
    sandbox.joins(1020, "newt");
    sandbox.advance(minutes(1));
    for (arguments, environment) in [(vec!["welcome", "--dry-run"], "false"), (vec!["welcome"], "true")] {
        let run = sandbox.set_env("DRY_RUN", environment).run(&arguments);
        run.exits(0).stdout("");
        logged(&run, &["would welcome newt (id 1020)", "dry welcome for 2 people on Centauri: 1 new"]);
    }
    nothing_happened(&sandbox);
    assert_eq!(std::fs::read_to_string(sandbox.state_path()).unwrap(), before);
    clean(&sandbox);
}

#[test]
fn a_dry_first_pass_records_nobody() {
    let sandbox = crate::sandbox();
    ada(&sandbox);
    let run = sandbox.run(&["welcome"]);
    logged(
        run.exits(0),
        &[
            "would record 1 person without a mail: this is the first pass",
            "dry welcome for 1 person on Centauri: nobody is new",
        ],
    );
    sandbox.run(&["-q", "welcome"]).exits(0).stderr("");
    nothing_happened(&sandbox);
    assert!(!sandbox.state_dir().exists());
    clean(&sandbox);
}

#[test]
fn quiet_prints_nothing_when_nothing_happened_and_something_when_somebody_is_new() {
    let sandbox = settled(ada);
    sandbox.run(&["-q", "welcome"]).exits(0).stdout("").stderr("");
    sandbox.joins(1020, "newt");
    logged(sandbox.run(&["welcome", "-q"]).exits(0), &["welcomed newt (id 1020), who joined 2026-11-23 12:00 UTC"]);
    clean(&sandbox);
}

#[test]
fn somebody_who_joined_while_the_program_was_off_for_weeks_is_still_welcomed() {
    let sandbox = settled(ada);
    sandbox.advance(days(40));
    sandbox.person(1020, "newt").joined(days_ago(10)).watched(minutes_ago(90));
    sandbox.advance(hours(1)).run(&["welcome"]).exits(0);
    assert_eq!(subjects(&sandbox, "newt@example.test"), ["Welcome to Centauri"]);
    clean(&sandbox);
}
