//! The names that the owner may use for somebody in `VIP_NAMES`, on the whitelist or on the command line.

use crate::state::WhitelistEntry;

/// A name without its blanks and in lower case: how owners write names should not cost anybody their access.
pub fn normalize_name(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

/// Everything that somebody can be named by: username, title, e-mail address, Plex id; normalized.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(Vec<String>);

impl Names {
    /// Names as the services and the owner write them; blank ones count as missing.
    pub fn of<'a>(id: u64, names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut all: Vec<String> = Vec::new();
        for name in names.into_iter().map(normalize_name).chain([id.to_string()]) {
            if !name.is_empty() && !all.contains(&name) {
                all.push(name);
            }
        }
        Self(all)
    }

    /// Whether the owner means this person by `name`.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains(&normalize_name(name))
    }

    /// The names, normalized.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// Whether a whitelist entry means the person with this Plex id and these names. An entry with an id holds whatever the
/// person is called; one without is matched like an entry of `VIP_NAMES`.
pub fn entry_means(entry: &WhitelistEntry, id: u64, names: &Names) -> bool {
    entry.id.map_or_else(|| names.contains(&entry.name), |entry_id| entry_id == id)
}
