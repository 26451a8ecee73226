//! The names of all settings, and what was probably meant by a name that is almost one of them.

use strsim::damerau_levenshtein;

/// What sets a setting apart from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Plain,
    /// `NAME_FILE` gives it from a file.
    Secret,
    /// People keep or lose their access by it.
    Protective,
    /// Other programs read it too, or have settings of almost the same name.
    Common,
}

const SETTINGS: [(&str, Role); 35] = [
    ("PLEX_TOKEN", Role::Secret),
    ("PLEX_SERVER_NAME", Role::Plain),
    ("TAUTULLI_URL", Role::Plain),
    ("TAUTULLI_API_KEY", Role::Secret),
    ("SMTP_HOST", Role::Plain),
    ("SMTP_PORT", Role::Plain),
    ("SMTP_USERNAME", Role::Plain),
    ("SMTP_PASSWORD", Role::Secret),
    ("SMTP_FROM", Role::Plain),
    ("SMTP_TLS", Role::Plain),
    ("ADMIN_EMAIL", Role::Plain),
    ("WARN_DAYS", Role::Protective),
    ("KICK_DAYS", Role::Protective),
    ("WARN_FIRST", Role::Protective),
    ("DRY_RUN", Role::Protective),
    ("VIP_NAMES", Role::Protective),
    ("MAX_REMOVALS", Role::Protective),
    ("PRUNE_HOME_USERS", Role::Protective),
    ("DISCORD_WEBHOOK", Role::Secret),
    ("CHECK_NEW_USERS_SECS", Role::Plain),
    ("CHECK_INACTIVITY_SECS", Role::Plain),
    ("STATE_DIR", Role::Plain),
    ("STATE_DIRECTORY", Role::Plain),
    ("BRAND_NAME", Role::Plain),
    ("BRAND_COLOR", Role::Plain),
    ("LINK_PLEX", Role::Plain),
    ("LINK_REQUESTS", Role::Plain),
    ("LINK_CONTACT", Role::Plain),
    ("TEMPLATE_DIR", Role::Common),
    ("CA_FILE", Role::Plain),
    ("PLEX_TV_URL", Role::Plain),
    ("PLEX_PRUNE_ENV_FILE", Role::Plain),
    ("LOG_FORMAT", Role::Plain),
    ("RUST_LOG", Role::Common),
    ("NO_COLOR", Role::Common),
];

fn role(name: &str) -> Option<Role> {
    SETTINGS.iter().find(|(setting, _)| *setting == name).map(|(_, role)| *role)
}

/// What is wrong with a name that was meant for a setting: whoever writes `VIP_NAME` wants somebody protected. Names far
/// from ours are other programs', and so is a near one if the setting itself is set; but not where people lose access by
/// it.
pub fn misspelling(name: &str, is_set: impl Fn(&str) -> bool) -> Option<String> {
    if role(name).is_some() {
        return None;
    }
    let upper = name.to_ascii_uppercase();
    let protective = SETTINGS.iter().filter(|(_, role)| *role == Role::Protective).map(|(setting, _)| *setting);
    let mut near = protective.filter(|setting| damerau_levenshtein(&upper, setting) <= 2);
    if let Some(meant) = near.next().filter(|_| !name.ends_with("_FILE")) {
        return Some(format!("is no setting; did you mean {meant}?"));
    }
    if let Some(setting) = name.strip_suffix("_FILE") {
        match role(setting) {
            Some(Role::Secret) => return None,
            Some(_) => return Some(format!("is no setting; only secrets come from files of their own: set {setting}")),
            None => {}
        }
    }
    let distance = |setting: &String| damerau_levenshtein(name, setting);
    let most = if name.len() < 12 { 1 } else { 2 };
    let near = SETTINGS.iter().flat_map(accepted_names).filter(|setting| distance(setting) <= most);
    let meant = near.min_by_key(distance).filter(|setting| !is_set(setting))?;
    Some(format!("is no setting; did you mean {meant}? (If it is another program's, set {meant} as well.)"))
}

/// The names by which a setting can be given, if one that is near them is likely meant for it.
fn accepted_names((setting, role): &(&str, Role)) -> Vec<String> {
    match role {
        Role::Plain | Role::Protective => vec![(*setting).to_owned()],
        Role::Secret => vec![(*setting).to_owned(), format!("{setting}_FILE")],
        Role::Common => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_is_noticed_and_other_programs_names_are_not() {
        let unset = |_: &str| false;
        for (name, meant) in [
            ("VIP_NAME", "VIP_NAMES"),
            ("VIPNAME", "VIP_NAMES"),
            ("VIP_NMAE", "VIP_NAMES"),
            ("vip_names", "VIP_NAMES"),
            ("WARN_DAY", "WARN_DAYS"),
            ("KICKDAY", "KICK_DAYS"),
            ("WARNFRST", "WARN_FIRST"),
            ("DRYRN", "DRY_RUN"),
            ("dry_run", "DRY_RUN"),
            ("PRUNE_HOMEUSER", "PRUNE_HOME_USERS"),
            ("MAX_REMOVAL", "MAX_REMOVALS"),
        ] {
            let said = Some(format!("is no setting; did you mean {meant}?"));
            assert_eq!((misspelling(name, unset), misspelling(name, |_| true)), (said.clone(), said), "{name}");
        }
        for (name, meant) in [
            ("DISCORD_WEBHOK", "DISCORD_WEBHOOK"),
            ("SMTP_FORM", "SMTP_FROM"),
            ("PLEX_TOKEN_FIL", "PLEX_TOKEN_FILE"),
            ("ADMIN_MAIL", "ADMIN_EMAIL"),
        ] {
            let said =
                format!("is no setting; did you mean {meant}? (If it is another program's, set {meant} as well.)");
            assert_eq!(misspelling(name, unset), Some(said));
            assert_eq!(misspelling(name, |setting| setting == meant), None, "{name} next to {meant}");
        }
        let file = "is no setting; only secrets come from files of their own: set VIP_NAMES";
        assert_eq!(misspelling("VIP_NAMES_FILE", |_| true).as_deref(), Some(file));
        let others = "PLEX_TOKEN_FILE TZ PATH PLEX_URL SMTP_USER SMTP_PASS SMTP_PASSWD SMTP_SSL SMTP_TO \
            TAUTULLI_PORT CLICOLOR NOCOLOR LOGS_DIRECTORY CACHE_DIRECTORY CREDENTIALS_DIRECTORY PLEX_SERVER_ID HOSTNAME \
            BRAND BRANCH_NAME DB_FILE STATIC_DIR STORE_DIR TEMPLATES_DIR TEST_LOG PYTHONPATH";
        for name in SETTINGS.into_iter().map(|(name, _)| name).chain(others.split_whitespace()) {
            assert_eq!(misspelling(name, unset), None, "{name}");
        }
    }
}
