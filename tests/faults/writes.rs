//! Removals and undeletions that go wrong: done in full later, or not at all.

use super::{HttpFault, Row, Scene, http_faults, impatient, run_all};
use crate::support::{Fault, Sandbox, cmd, delete};

/// What the admin hears when Plex refuses a removal.
const FAILED: [&str; 2] = ["discord: Removal failed: rita", "mail admin@example.test: [Centauri] Removal failed: rita"];

fn faults() -> impl Iterator<Item = HttpFault> {
    http_faults().into_iter()
}

/// Lays a fault for everything that ends shares, deletes or undeletes.
fn lay(fault: &'static str, plex: bool, command: &'static str, make: fn() -> Fault) -> impl Fn(&Sandbox) + Send + Sync {
    move |sandbox| {
        if fault == "hang" {
            impatient(sandbox);
        }
        if plex {
            sandbox.plex.fail(delete("/"), make())
        } else {
            sandbox.tautulli.fail(cmd(command), make())
        };
    }
}

#[test]
fn while_plex_does_not_end_a_share_the_person_keeps_it_and_hears_nothing() {
    let mut rows = Vec::new();
    // Plex says nothing in the body of a success.
    for (fault, make, answer) in faults().filter(|(fault, ..)| !["another shape", "a page"].contains(fault)) {
        let row = Row::new(format!("DELETE share: {fault}"), Scene::Sweep, lay(fault, true, "", make));
        let walt = super::SWEEP.into_iter().filter(|write| write.contains("walt")).collect::<Vec<_>>();
        let mut row = row.says(format!(
            "removal failed: rita (id 1005) keeps access for now: plex.tv: could not end the share: {answer}"
        ));
        row = row.meanwhile(&walt).and(&FAILED);
        rows.push(row);
    }
    run_all(rows);
}

#[test]
fn while_tautulli_does_not_delete_somebody_the_rest_goes_on() {
    let rows = faults().map(|(fault, make, answer)| {
        Row::new(format!("delete_user: {fault}"), Scene::Sweep, lay(fault, false, "delete_user", make))
            .meanwhile_all_but("tautulli")
            .says(format!(
                "rita (id 1005) is not deleted from Tautulli yet, and the next sweep tries again: \
                 Tautulli: could not delete somebody: {answer}"
            ))
    });
    run_all(rows.collect());
}

#[test]
fn while_tautulli_does_not_undelete_somebody_their_welcome_waits() {
    let rows = faults().map(|(fault, make, answer)| {
        Row::new(format!("undelete_user: {fault}"), Scene::Back, lay(fault, false, "undelete_user", make))
            .says(format!("once Tautulli records them again: Tautulli: could not undelete somebody: {answer}"))
    });
    run_all(rows.collect());
}

#[test]
fn what_took_effect_and_was_not_answered_is_looked_up() {
    let mut rows = Vec::new();
    for (fault, make) in [("lost", (|| Fault::AnswerLost) as fn() -> Fault), ("half a body", || Fault::HalfBody)] {
        for (scene, plex, command) in
            [(Scene::Sweep, true, ""), (Scene::Sweep, false, "delete_user"), (Scene::Back, false, "undelete_user")]
        {
            let name = format!("{command}: {fault}");
            rows.push(Row::new(name, scene, lay(fault, plex, command, make)).harmless());
        }
    }
    run_all(rows);
}
