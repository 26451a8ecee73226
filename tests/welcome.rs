//! `welcome`: who is new, who left, who is back.

mod back;
mod caution;

use crate::story::{
    ADMIN, happened, ids, logged, minutes, nothing_happened, seconds, settled, subjects, sweep_after, titles, waiting,
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
    let run = sandbox.live().run(&["welcome"]);
    run.exits(0).stdout("");
    let first = "first pass: recorded 2 people without a mail; whoever joins from now on is welcomed";
    logged(&run, &[first, "welcome for 2 people on Centauri: nobody is new"]);
    nothing_happened(&sandbox);
    assert_eq!(ids(&sandbox, "welcomed"), ["1001", "1002"]);
}

#[test]
fn a_sweep_before_the_first_welcome_makes_nobody_new_and_its_warnings_count() {
    let sandbox = crate::sandbox();
    sandbox.live().person(1003, "walt").watched(days_ago(28));
    for pass in ["sweep", "welcome", "sweep"] {
        sandbox.run(&[pass]).exits(0);
    }
    assert_eq!(subjects(&sandbox, "walt@example.test"), ["Centauri: 2 days left to watch something"]);
    assert_eq!(titles(&sandbox), ["Warned: walt"]);
}

#[test]
fn a_newcomer_gets_a_mail_and_the_admin_and_discord_hear_of_it_once() {
    let sandbox = settled(ada);
    sandbox.joins(1020, "newt");
    logged(
        sandbox.advance(minutes(1)).run(&["welcome"]).exits(0),
        &[
            "welcomed newt (id 1020), who joined 2026-11-23 12:00 UTC",
            "welcome for 2 people on Centauri: 1 new, 3 notices sent",
        ],
    );
    let writes = [
        "mail newt@example.test: Welcome to Centauri",
        "mail admin@example.test: [Centauri] Joined: newt",
        "discord: Joined: newt",
    ];
    happened(&sandbox, &writes);
    sandbox.advance(minutes(2));
    logged(sandbox.run(&["welcome"]).exits(0), &["welcome for 2 people on Centauri: nobody is new"]);
    happened(&sandbox, &writes);
    assert!(waiting(&sandbox).is_empty());
}

#[test]
fn several_newcomers_are_welcomed_in_one_pass_over_one_connection_even_if_nobody_was_there_before() {
    let sandbox = settled(|_| {});
    for (id, name) in [(1021, "zoe"), (1022, "Bert"), (1023, "carl")] {
        sandbox.joins(id, name);
    }
    let run = sandbox.advance(minutes(1)).run(&["welcome"]);
    run.exits(0).stderr_has("welcome for 3 people on Centauri: 3 new, 9 notices sent\n");
    for address in ["zoe@example.test", "bert@example.test", "carl@example.test"] {
        assert_eq!(subjects(&sandbox, address), ["Welcome to Centauri"]);
    }
    let joined = ["[Centauri] Joined: Bert", "[Centauri] Joined: carl", "[Centauri] Joined: zoe"];
    assert_eq!(subjects(&sandbox, ADMIN), joined);
    assert_eq!(titles(&sandbox), ["Joined: Bert", "Joined: carl", "Joined: zoe"]);
    assert_eq!(sandbox.smtp.connections(), 1);
}

#[test]
fn protected_newcomers_are_recorded_without_a_mail() {
    let sandbox = settled(ada);
    sandbox.set_env("VIP_NAMES", "Mom").joins(1007, "mom");
    sandbox.joins(1008, "hugo").home_user();
    sandbox.joins(1013, "adminsecond").email(ADMIN);
    logged(sandbox.run(&["welcome"]).exits(0), &["welcome for 4 people on Centauri: nobody is new"]);
    assert_eq!(ids(&sandbox, "welcomed"), ["1001", "1007", "1008", "1013"]);
    sandbox.unset_env("VIP_NAMES").run(&["welcome"]).exits(0);
    nothing_happened(&sandbox);
}

#[test]
fn newcomers_without_an_address_are_welcomed_as_far_as_that_goes_also_without_discord() {
    let sandbox = settled(ada);
    sandbox.joins(1020, "newt").no_email();
    sandbox.joins(1021, "olm").empty_email();
    sandbox.unset_env("DISCORD_WEBHOOK").run(&["welcome"]).exits(0).stderr_has("2 new, 2 notices sent\n");
    let joined =
        ["mail admin@example.test: [Centauri] Joined: newt", "mail admin@example.test: [Centauri] Joined: olm"];
    happened(&sandbox, &joined);
    assert!(sandbox.mails().iter().all(|mail| mail.text().contains("E-mail: none")));
    assert_eq!(ids(&sandbox, "welcomed"), ["1001", "1020", "1021"]);
    assert!(waiting(&sandbox).is_empty());
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
}

#[test]
fn newcomers_whose_day_of_joining_plex_does_not_tell_are_counted_from_when_they_were_first_seen() {
    let sandbox = settled(ada);
    sandbox.joins(1020, "newt").accepted_at_null();
    let run = sandbox.run(&["welcome"]);
    run.exits(0).stderr_has("welcomed newt (id 1020), who joined at a time that Plex doesn't tell");
    sweep_after(sandbox.forget(), days(28) - seconds(1), &[1001]).exits(0);
    nothing_happened(&sandbox);
    sweep_after(&sandbox, seconds(1), &[]).exits(0);
    assert_eq!(subjects(&sandbox, "newt@example.test"), ["Centauri: 3 days left to watch something"]);
}

#[test]
fn a_dry_run_says_who_is_new_and_does_nothing() {
    let sandbox = settled(ada);
    let before = sandbox.state();
    sandbox.joins(1020, "newt");
    for (arguments, environment) in [(&["welcome", "--dry-run"][..], "false"), (&["welcome"], "true")] {
        let run = sandbox.set_env("DRY_RUN", environment).run(arguments);
        run.exits(0).stdout("");
        logged(&run, &["would welcome newt (id 1020)", "dry welcome for 2 people on Centauri: 1 new"]);
    }
    nothing_happened(&sandbox);
    assert_eq!(sandbox.state(), before);
}

#[test]
fn a_dry_first_pass_records_nobody() {
    let sandbox = crate::sandbox();
    ada(&sandbox);
    let first = "would record 1 person without a mail: this is the first pass";
    logged(sandbox.run(&["welcome"]).exits(0), &[first, "dry welcome for 1 person on Centauri: nobody is new"]);
    sandbox.run(&["-q", "welcome"]).exits(0).stderr("");
    nothing_happened(&sandbox);
    assert!(!sandbox.state_dir().exists());
}

#[test]
fn quiet_prints_nothing_when_nothing_happened_and_something_when_somebody_is_new() {
    let sandbox = settled(ada);
    sandbox.run(&["-q", "welcome"]).exits(0).stdout("").stderr("");
    sandbox.joins(1020, "newt");
    logged(sandbox.run(&["welcome", "-q"]).exits(0), &["welcomed newt (id 1020), who joined 2026-11-23 12:00 UTC"]);
}

#[test]
fn somebody_who_joined_while_the_program_was_off_for_weeks_is_still_welcomed() {
    let sandbox = settled(ada);
    sandbox.advance(days(40)).person(1020, "newt").joined(days_ago(10)).watched(minutes_ago(90));
    sandbox.advance(hours(1)).run(&["welcome"]).exits(0);
    assert_eq!(subjects(&sandbox, "newt@example.test"), ["Welcome to Centauri"]);
}
