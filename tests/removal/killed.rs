//! The program is killed in the middle of a removal. The next pass finishes it, wherever that was.

use super::{is_finished, is_removed, rita};
use crate::story::{ADMIN, clean, ids, minutes, settled, subjects, titles, waiting};
use crate::support::{Fault, Gate, Sandbox, cmd, days_ago, delete, post};
use serde_json::Value;

/// Runs a sweep up to a gate, and kills it there. The gate stays shut: what stands before it never takes effect, unless
/// it is opened or dropped.
fn killed_at(sandbox: &Sandbox, lay: impl FnOnce(&Sandbox) -> Gate) -> Gate {
    let gate = lay(sandbox);
    let sweep = sandbox.spawn(&["sweep"]);
    gate.wait();
    sweep.kill();
    gate
}

/// What the state says of rita's removal.
fn removed(sandbox: &Sandbox) -> Value {
    sandbox.state()["removed"]["1005"].take()
}

/// The steps that are done according to the state: the share, Tautulli, the notices in the outbox.
fn steps(sandbox: &Sandbox) -> [bool; 3] {
    let removed = removed(sandbox);
    ["ok", "tautulli_deleted", "announced"].map(|step| removed[step].as_bool().unwrap())
}

#[track_caller]
fn next_pass_finishes(sandbox: &Sandbox) {
    sandbox.advance(minutes(30)).run(&["sweep"]).exits(0);
    is_removed(sandbox);
    sandbox.advance(minutes(30)).run(&["sweep"]).exits(0);
    sandbox.run(&["welcome"]).exits(0);
    is_removed(sandbox);
    clean(sandbox);
}

#[test]
fn before_plex_ended_the_share() {
    let sandbox = settled(rita);
    let gate = killed_at(&sandbox, |sandbox| {
        let (fault, gate) = Fault::gate_before();
        sandbox.plex.fail(delete("/api/v2/sharings"), fault).times(1);
        gate
    });
    assert!(sandbox.on_plex(1005));
    assert_eq!(steps(&sandbox), [false, false, false]);
    assert_eq!(removed(&sandbox)["reason"], "nothing watched for 33 days");
    assert_eq!(ids(&sandbox, "welcomed"), ["1001", "1002", "1005"]);
    next_pass_finishes(&sandbox);
    drop(gate);
}

#[test]
fn before_plex_ended_the_share_and_then_the_person_watches() {
    let sandbox = settled(rita);
    let gate = killed_at(&sandbox, |sandbox| {
        let (fault, gate) = Fault::gate_before();
        sandbox.plex.fail(delete("/api/v2/sharings"), fault).times(1);
        gate
    });
    sandbox.advance(minutes(60)).watches(1005);
    sandbox.run(&["sweep"]).exits(0);
    assert!(sandbox.on_plex(1005) && ids(&sandbox, "removed").is_empty());
    // Nobody had heard of a removal.
    assert!(sandbox.writes().is_empty());
    clean(&sandbox);
    drop(gate);
}

#[test]
fn after_plex_ended_the_share_and_before_it_said_so() {
    let sandbox = settled(rita);
    drop(killed_at(&sandbox, |sandbox| {
        let (fault, gate) = Fault::gate_after();
        sandbox.plex.fail(delete("/api/v2/sharings"), fault);
        gate
    }));
    assert!(!sandbox.on_plex(1005));
    assert_eq!(steps(&sandbox), [false, false, false]);
    next_pass_finishes(&sandbox);
}

#[test]
fn after_plex_ended_the_share_of_the_last_guest() {
    let sandbox = settled(|sandbox| {
        sandbox.person(1005, "rita").watched(days_ago(33));
    });
    drop(killed_at(&sandbox, |sandbox| {
        let (fault, gate) = Fault::gate_after();
        sandbox.plex.fail(delete("/api/v2/sharings"), fault);
        gate
    }));
    sandbox.advance(minutes(30)).run(&["sweep"]).exits(0);
    assert!(!sandbox.in_tautulli(1005));
    assert_eq!(subjects(&sandbox, "rita@example.test"), ["Your access to Centauri has ended"]);
    clean(&sandbox);
}

#[test]
fn after_the_share_ended_and_before_tautulli_s_step() {
    let sandbox = settled(rita);
    let gate = killed_at(&sandbox, |sandbox| {
        let (fault, gate) = Fault::gate_before();
        sandbox.tautulli.fail(cmd("delete_user"), fault).times(1);
        gate
    });
    assert!(!sandbox.on_plex(1005) && sandbox.in_tautulli(1005));
    assert_eq!(steps(&sandbox), [true, false, false]);
    assert_eq!(ids(&sandbox, "welcomed"), ["1001", "1002"]);
    assert!(waiting(&sandbox).is_empty());
    next_pass_finishes(&sandbox);
    drop(gate);
}

#[test]
fn after_tautulli_s_step_and_before_it_said_so() {
    let sandbox = settled(rita);
    drop(killed_at(&sandbox, |sandbox| {
        let (fault, gate) = Fault::gate_after();
        sandbox.tautulli.fail(cmd("delete_user"), fault);
        gate
    }));
    assert!(!sandbox.in_tautulli(1005));
    assert_eq!(steps(&sandbox), [true, false, false]);
    next_pass_finishes(&sandbox);
}

#[test]
fn before_the_first_mail_was_taken() {
    let sandbox = settled(rita);
    let gate = killed_at(&sandbox, |sandbox| {
        let (rule, gate) = sandbox.smtp.gate_before();
        rule.times(1);
        gate
    });
    assert_eq!(steps(&sandbox), [true, true, true]);
    assert_eq!(
        waiting(&sandbox),
        [
            "removal-1005-person-20261123T120000Z",
            "removal-1005-admin-20261123T120000Z",
            "removal-1005-discord-20261123T120000Z"
        ]
    );
    next_pass_finishes(&sandbox);
    drop(gate);
}

#[test]
fn after_the_first_mail_was_taken_and_before_the_server_said_so() {
    let sandbox = settled(rita);
    drop(killed_at(&sandbox, |sandbox| {
        let (rule, gate) = sandbox.smtp.gate_after();
        rule.times(1);
        gate
    }));
    assert_eq!(waiting(&sandbox).len(), 3);
    sandbox.advance(minutes(30)).run(&["sweep"]).exits(0);
    is_finished(&sandbox);
    // Nobody can tell whether the first one arrived: twice at most, and known as the same.
    let mails = sandbox.mails_to("rita@example.test");
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0].message_id(), mails[1].message_id());
    assert_eq!(subjects(&sandbox, ADMIN), ["[Centauri] Removed: rita"]);
    assert_eq!(titles(&sandbox), ["Removed: rita"]);
    clean(&sandbox);
}

#[test]
fn between_the_person_s_mail_and_the_admin_s() {
    let sandbox = settled(rita);
    let gate = killed_at(&sandbox, |sandbox| {
        let (rule, gate) = sandbox.smtp.gate_before();
        rule.times(1).after(1);
        gate
    });
    assert_eq!(waiting(&sandbox), ["removal-1005-admin-20261123T120000Z", "removal-1005-discord-20261123T120000Z"]);
    next_pass_finishes(&sandbox);
    drop(gate);
}

#[test]
fn between_the_mails_and_discord() {
    let sandbox = settled(rita);
    let gate = killed_at(&sandbox, |sandbox| {
        let (fault, gate) = Fault::gate_before();
        sandbox.discord.fail(post("/api/webhooks"), fault).times(1);
        gate
    });
    assert_eq!(waiting(&sandbox), ["removal-1005-discord-20261123T120000Z"]);
    next_pass_finishes(&sandbox);
    drop(gate);
}

#[test]
fn asked_to_end_in_the_middle_it_ends_and_the_next_pass_finishes() {
    let sandbox = settled(rita);
    let (fault, gate) = Fault::gate_before();
    sandbox.tautulli.fail(cmd("delete_user"), fault).times(1);
    let sweep = sandbox.spawn(&["sweep"]);
    gate.wait();
    let pid = sweep.pid().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    // Whether it ends at once or after the step that it is at, is up to it.
    gate.open();
    sweep.wait();
    next_pass_finishes(&sandbox);
}

#[test]
fn again_and_again_each_time_a_step_further() {
    let sandbox = settled(rita);
    let lay = [delete("/api/v2/sharings"), cmd("delete_user")];
    for (index, when) in lay.into_iter().enumerate() {
        drop(killed_at(&sandbox, |sandbox| {
            let (fault, gate) = Fault::gate_after();
            match index {
                0 => sandbox.plex.fail(when, fault).times(1),
                _ => sandbox.tautulli.fail(when, fault).times(1),
            };
            gate
        }));
        sandbox.advance(minutes(30));
    }
    let gate = killed_at(&sandbox, |sandbox| {
        let (fault, gate) = Fault::gate_before();
        sandbox.discord.fail(post("/api/webhooks"), fault).times(1);
        gate
    });
    next_pass_finishes(&sandbox);
    drop(gate);
}

#[test]
fn between_two_people() {
    let sandbox = settled(|sandbox| {
        rita(sandbox);
        sandbox.person(1006, "nick").watched(days_ago(40));
    });
    let gate = killed_at(&sandbox, |sandbox| {
        let (fault, gate) = Fault::gate_before();
        sandbox.plex.fail(delete("/api/v2/sharings/1005"), fault).times(1);
        gate
    });
    // nick's is done but for the notices, rita's is not begun.
    assert!(!sandbox.on_plex(1006) && sandbox.on_plex(1005));
    assert_eq!(steps(&sandbox), [false, false, false]);
    sandbox.advance(minutes(30)).run(&["sweep"]).exits(0);
    is_finished(&sandbox);
    assert_eq!(titles(&sandbox), ["Removed: nick", "Removed: rita"]);
    for address in ["nick@example.test", "rita@example.test"] {
        assert_eq!(sandbox.mails_to(address).len(), 1);
    }
    clean(&sandbox);
    drop(gate);
}

#[test]
fn a_welcome_between_two_sweeps_disturbs_no_unfinished_removal() {
    for before in [true, false] {
        let sandbox = settled(rita);
        let gate = killed_at(&sandbox, |sandbox| {
            let (fault, gate) = if before { Fault::gate_before() } else { Fault::gate_after() };
            sandbox.plex.fail(delete("/api/v2/sharings"), fault).times(1);
            gate
        });
        sandbox.advance(minutes(2)).run(&["welcome"]).exits(0);
        assert!(sandbox.mails().is_empty());
        assert!(ids(&sandbox, "gone").is_empty());
        next_pass_finishes(&sandbox);
        drop(gate);
    }
}
