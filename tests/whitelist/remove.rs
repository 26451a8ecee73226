//! `whitelist remove`.

use super::{entries, household, refused, whitelist};

#[test]
fn by_name_or_id_whatever_case_and_blanks() {
    let sandbox = household();
    whitelist(&sandbox, &["add", "rita"]).exits(0);
    let state = sandbox.state();
    sandbox.forget().unset_env("PLEX_TOKEN").unset_env("ADMIN_EMAIL");
    for who in ["rita", " RI TA", "1005"] {
        sandbox.write_state(&state.to_string());
        whitelist(&sandbox, &["remove", who]).exits(0).stderr("").stdout(
            "\
rita (id 1005) is off the whitelist: the next sweep judges them like everybody
else. `plex-prune status` shows what that means for them. To leave them the
whole warning period first: `plex-prune whitelist add 1005 --until 2026-11-23`.
",
        );
        assert!(entries(&sandbox).is_empty());
        assert!(sandbox.requests().is_empty(), "Plex is not needed for it");
    }
}

#[test]
fn an_entry_that_does_not_exist_gets_the_list_of_those_that_do() {
    let sandbox = household();
    assert_eq!(
        refused(&sandbox, &["remove", "rita"]),
        "\"rita\" is not on the whitelist: nobody is; nothing was changed\n"
    );
    whitelist(&sandbox, &["add", "1016"]).exits(0);
    whitelist(&sandbox, &["add", "someone@example.test", "--offline"]).exits(0);
    assert_eq!(
        refused(&sandbox, &["remove", "rita"]),
        "\"rita\" is not on the whitelist; nothing was changed. On it:\n  max (id 1016)\n  someone@example.test\n"
    );
    assert_eq!(refused(&sandbox, &["remove", ""]), "whom? Give a username, an e-mail address, a title or a Plex id\n");
}

#[test]
fn several_of_that_name_are_told_apart_by_their_ids() {
    let sandbox = household();
    whitelist(&sandbox, &["add", "1015"]).exits(0);
    whitelist(&sandbox, &["add", "1016"]).exits(0);
    assert_eq!(
        refused(&sandbox, &["remove", "max"]),
        "\"max\" could be any of these; nothing was changed. Give the Plex id:\n  Max (id 1015)\n  max (id 1016)\n"
    );
    whitelist(&sandbox, &["remove", "1015"]).exits(0);
    whitelist(&sandbox, &["remove", "max"]).exits(0).stdout_has("max (id 1016) is off the whitelist");
}
