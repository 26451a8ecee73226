//! The state directory, the lock, the file, the outbox, and the scheduler.

use super::{about, household};
use crate::support::{Fault, Sandbox, get, hours};

const WRITABLE: &str = "✓ state: DIR/state can be written to";
const FREE: &str = "✓ state: the lock is free";
const UNSEEN: &str = "✓ state: whether passes are scheduled can't be seen: dry runs leave no trace";

/// A household whose passes ran just now.
fn running() -> Sandbox {
    let sandbox = household();
    sandbox.live().run(&["welcome"]).exits(0);
    sandbox.run(&["sweep"]).exits(0);
    sandbox
}

#[test]
fn a_state_without_problems() {
    let sandbox = running();
    assert_eq!(
        about("state", &sandbox),
        [
            WRITABLE,
            FREE,
            "✓ state: state.json reads: version 1, 1 person on record, 0 removed, 0 on the whitelist",
            "✓ state: no notice is waiting to be sent",
            "✓ state: the last welcome ran 2026-11-23 12:00 UTC",
            "✓ state: the last sweep ran 2026-11-23 12:00 UTC",
        ]
    );
    sandbox.advance(hours(1));
    assert_eq!(
        about("state", &sandbox)[4..],
        [
            "✗ state: the last welcome ran 2026-11-23 12:00 UTC, and the next is overdue → Is the scheduler running, and \
             do its passes succeed? Their log says; the README shows how to set it up.",
            "✓ state: the last sweep ran 2026-11-23 12:00 UTC",
        ]
    );
    // Whoever has this run every day hears that the schedule has stopped.
    sandbox.run(&["-q", "verify"]).exits(1).stdout_has("and the next is overdue");
    sandbox.advance(hours(1));
    let found = about("state", &sandbox);
    assert!(found[5].starts_with("✗ state: the last sweep ran 2026-11-23 12:00 UTC, and the next is overdue"));
}

#[test]
fn before_the_first_live_pass() {
    let sandbox = household();
    assert_eq!(about("state", &sandbox), ["✓ state: DIR/state is not there yet; the first live pass makes it", UNSEEN]);
    sandbox.live();
    assert_eq!(
        about("state", &sandbox)[1..],
        [
            "! state: no live welcome has run yet → Set up the scheduler as the README shows; or run `plex-prune welcome` by \
             hand.",
            "! state: no live sweep has run yet → Set up the scheduler as the README shows; or run `plex-prune sweep` by \
             hand.",
        ]
    );
    std::fs::create_dir(sandbox.state_dir()).unwrap();
    assert_eq!(
        about("state", &sandbox)[..4],
        [
            WRITABLE,
            FREE,
            "✓ state: no state.json yet: the first live `welcome` records everybody without a mail",
            "✓ state: no notice is waiting to be sent",
        ]
    );
}

#[test]
fn a_folder_that_can_t_be_used_is_told_from_one_that_is_not_there() {
    let sandbox = household();
    let next = "The user that runs plex-prune must be able to write there; or choose another STATE_DIR.";
    std::fs::write(sandbox.dir().join("file"), "").unwrap();
    sandbox.set_env("STATE_DIR", sandbox.dir().join("file/state").display());
    let found = about("state", &sandbox);
    assert_eq!(found[0], format!("✗ state: DIR/file/state can't be made: Not a directory (os error 20) → {next}"));
    sandbox.set_env("STATE_DIR", sandbox.dir().join("file").display());
    let found = about("state", &sandbox);
    assert_eq!(found[0], format!("✗ state: DIR/file can't be written to: Not a directory (os error 20) → {next}"));
    // Nobody, root included, can make anything here.
    sandbox.set_env("STATE_DIR", "/proc/plex-prune");
    let found = about("state", &sandbox);
    assert!(found[0].starts_with("✗ state: /proc/plex-prune can't be made: "), "{found:#?}");
    assert!(found[0].ends_with(&format!(" → {next}")), "{found:#?}");
}

#[test]
fn a_pass_under_way_is_no_failure() {
    let sandbox = running();
    let (fault, gate) = Fault::gate_before();
    sandbox.plex.fail(get("/api/v2/resources"), fault).times(1);
    let pass = sandbox.spawn(&["welcome"]);
    gate.wait();
    let pid = pass.pid();
    assert_eq!(
        about("state", &sandbox)[1],
        format!(
            "! state: a pass is under way: plex-prune welcome, pid {pid}, since 2026-11-23T12:00:00Z → Nothing to do, \
             unless it stays: then end that process."
        )
    );
    gate.open();
    pass.wait().exits(0);
}

#[test]
fn a_file_that_can_t_be_used_is_explained() {
    let sandbox = running();
    sandbox.run(&["whitelist", "add", "ada"]).exits(0);
    sandbox.write_state("{\"version\": 1, ");
    let found = about("state", &sandbox);
    assert_eq!(
        found[2],
        "! state: DIR/state/state.json can't be used (EOF while parsing a value at line 1 column 15); going on with its \
         backup, state.json.bak: version 1, 1 person on record, 0 removed, 0 on the whitelist → Look what happened to it; \
         the next live pass keeps it aside and goes on from the backup."
    );
    std::fs::write(sandbox.state_dir().join("state.json.bak"), "").unwrap();
    let found = about("state", &sandbox);
    assert_eq!(
        found[2..],
        ["✗ state: DIR/state/state.json can't be used: EOF while parsing a value at line 1 column 15. Its backup \
          state.json.bak can't be used either: it is empty. Nobody was welcomed, warned or removed → Put a good copy back \
          under this name; or delete both files to start anew: everybody on Plex is then recorded without a mail, and the \
          whitelist and all warnings given so far are lost."]
    );
    sandbox.write_state("{\"version\": 99}");
    assert_eq!(
        about("state", &sandbox)[2],
        "✗ state: DIR/state/state.json has version 99, and this plex-prune knows versions up to 1; nothing was touched → \
         Install the plex-prune that wrote it, or a newer one."
    );
    std::fs::remove_file(sandbox.state_path()).unwrap();
    std::fs::create_dir(sandbox.state_path()).unwrap();
    assert_eq!(
        about("state", &sandbox)[2],
        "✗ state: could not read DIR/state/state.json: Is a directory (os error 21). Nothing was touched → Check \
         STATE_DIR, and whom the folder belongs to."
    );
}

#[test]
fn waiting_notices_are_counted_with_what_stands_in_their_way() {
    let sandbox = running();
    sandbox.unset_env("DISCORD_WEBHOOK").joins(1009, "gwen");
    sandbox.smtp.refuse_sender();
    sandbox.run(&["welcome"]).exits(1);
    let found = about("state", &sandbox);
    let waiting = |found: &[String]| found.iter().find(|line| line.contains("wait")).cloned().unwrap();
    assert_eq!(
        waiting(&found),
        "! state: 2 notices wait, the oldest since 2026-11-23 12:00 UTC: sandbox-mailer may not send as \
         plex@example.test: 553 5.7.1 Sender address rejected. Set SMTP_FROM to an address of that login: many servers take \
         no other → They go out with the first \
         pass that can send them; `plex-prune status` lists them."
    );
    sandbox.mend().smtp.fail_for("gwen@example.test", crate::support::SmtpFault::reply(450, "4.7.1 Greylisted"));
    sandbox.run(&["welcome"]).exits(1);
    let one = waiting(&about("state", &sandbox));
    let expected = "! state: the welcome mail to gwen (id 1009) waits since 2026-11-23 12:00 UTC: ";
    assert!(one.starts_with(expected), "{one}");
    assert!(one.ends_with(" → It goes out with the first pass that can send it."), "{one}");
}

#[test]
fn removals_under_way_are_counted() {
    let sandbox = running();
    let removed = |id: u64, ok: bool| format!("\"{id}\": {{\"when\": \"2026-11-20T12:00:00Z\", \"ok\": {ok}}}");
    let state = |removed: String| format!("{{\"version\": 1, \"removed\": {{{removed}}}}}");
    sandbox.write_state(&state(removed(1002, false)));
    let next = "Every sweep goes on with it; `plex-prune status` shows what stands in the way.";
    assert_eq!(about("state", &sandbox)[3], format!("! state: 1 removal is not finished → {next}"));
    sandbox.write_state(&state(format!("{}, {}", removed(1002, false), removed(1003, true))));
    assert_eq!(about("state", &sandbox)[3], format!("! state: 2 removals are not finished → {next}"));
}
