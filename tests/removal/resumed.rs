//! A removal that waits, while the world goes on.

use super::{END, is_finished, rita};
use crate::story::{clean, ids, minutes, settled, subjects, titles};
use crate::support::{CENTAURI, Fault, cmd, days_ago, delete};

#[test]
fn who_leaves_while_plex_refuses_is_removed_from_tautulli_and_hears_of_it() {
    let sandbox = settled(rita);
    sandbox.plex.fail(delete(END), Fault::status(500));
    sandbox.run(&["sweep"]).exits(1);
    sandbox.leaves(1005);
    sandbox.mend().forget().advance(minutes(30)).run(&["sweep"]).exits(0);
    assert!(!sandbox.in_tautulli(1005));
    assert!(sandbox.writes().iter().all(|write| !write.starts_with("plex")));
    assert_eq!(titles(&sandbox), ["Removed: rita"]);
    is_finished(&sandbox);
    clean(&sandbox);
}

#[test]
fn who_is_invited_again_before_tautulli_s_step_is_done_keeps_their_record() {
    for welcome_first in [true, false] {
        let sandbox = settled(rita);
        sandbox.tautulli.fail(cmd("delete_user"), Fault::status(500));
        sandbox.run(&["sweep"]).exits(1);
        sandbox.mend().forget().advance(minutes(10)).invite_again(1005);
        let passes = if welcome_first { ["welcome", "sweep"] } else { ["sweep", "welcome"] };
        for pass in passes {
            sandbox.advance(minutes(2)).run(&[pass]).exits(0);
        }
        assert!(sandbox.on_plex(1005) && sandbox.in_tautulli(1005) && sandbox.tautulli.keeps_history(1005));
        assert_eq!(sandbox.tautulli.plays(1005), 1);
        assert_eq!(subjects(&sandbox, "rita@example.test"), ["Welcome to Centauri"]);
        assert!(ids(&sandbox, "removed").is_empty());
        clean(&sandbox);
    }
}

#[test]
fn a_failure_is_told_again_if_it_is_another_removal() {
    let sandbox = settled(rita);
    sandbox.plex.fail(delete(END), Fault::status(500));
    sandbox.run(&["sweep"]).exits(1);
    sandbox.advance(minutes(60)).watches(1005);
    sandbox.run(&["sweep"]).exits(0);
    sandbox.forget().advance(time::Duration::days(31));
    sandbox.watches(1001);
    sandbox.watches(1002);
    sandbox.run(&["sweep"]).exits(1);
    assert_eq!(titles(&sandbox), ["Removal failed: rita"]);
    clean(&sandbox);
}

#[test]
fn the_brake_holds_back_intended_removals_too() {
    let sandbox = settled(|sandbox| {
        rita(sandbox);
        sandbox.person(1006, "nick").watched(days_ago(29));
    });
    sandbox.plex.fail(delete(END), Fault::status(500));
    sandbox.run(&["sweep"]).exits(1);
    sandbox.mend().set_env("MAX_REMOVALS", 1).advance(time::Duration::days(1));
    sandbox.watches(1002);
    sandbox.run(&["sweep"]).exits(3);
    assert!(sandbox.on_plex(1005) && sandbox.on_plex(1006));
    clean(&sandbox);
}

#[test]
fn evidence_that_does_not_add_up_holds_back_intended_removals_too() {
    let sandbox = settled(rita);
    sandbox.plex.fail(delete(END), Fault::status(500));
    sandbox.run(&["sweep"]).exits(1);
    sandbox.mend().disconnected().advance(minutes(30)).run(&["sweep"]).exits(3);
    assert!(sandbox.plex.has_share(1005, CENTAURI));
    clean(&sandbox);
}

#[test]
fn a_friend_of_two_servers_is_looked_up_by_the_share_here() {
    let sandbox = settled(rita);
    sandbox.known(1005).also_on("Attic");
    sandbox.plex.fail(delete("/api/v2/shared_servers"), Fault::AnswerLost);
    sandbox.run(&["sweep"]).exits(0);
    assert!(sandbox.plex.has_share(1005, crate::support::ATTIC));
    is_finished(&sandbox);
    clean(&sandbox);
}

#[test]
fn a_home_user_whose_end_is_lost_is_looked_up() {
    let sandbox = settled(rita);
    sandbox.known(1005).home_user();
    sandbox.set_env("PRUNE_HOME_USERS", "true");
    sandbox.plex.fail(delete("/api/home/users"), Fault::AnswerLost);
    sandbox.run(&["sweep"]).exits(0);
    assert!(!sandbox.on_plex(1005));
    is_finished(&sandbox);
    clean(&sandbox);
}
