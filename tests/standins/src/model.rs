//! The rule as its simplest reading has it: one hour after another, with counters instead of dates. It shares nothing with the program.

/// The rule's numbers, in days.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub warn: i64,
    pub kick: i64,
    pub warn_first: bool,
    pub prune_home: bool,
}

/// Somebody, here or not.
#[derive(Clone, Debug, Default)]
pub struct Guest {
    pub here: bool,
    pub vip: bool,
    pub home: bool,
    /// Whether Tautulli keeps their history.
    pub kept: bool,
    /// At a film right now.
    pub watching: bool,
    /// Hours since they joined.
    pub new_for: i64,
    /// Hours for which they watched nothing, as far as they count.
    pub silent: i64,
    /// Whether anything that they watched since they joined is on record.
    pub has_watched: bool,
    /// Hours left on the whitelist.
    pub spared: Option<i64>,
    /// Hours since the whitelist last let go of them.
    pub let_go: Option<i64>,
    /// Warned since they watched last.
    pub warned: bool,
    /// Hours since that warning arrived.
    pub told: Option<i64>,
}

/// What is to be done about somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    Nothing,
    Warning,
    Removal,
}

impl Guest {
    /// They accept an invitation.
    pub fn joins(&mut self) {
        let Self { vip, kept, spared, .. } = *self;
        *self = Self { here: true, vip, kept, spared, ..Self::default() };
    }

    /// They lose access, or give it up.
    pub fn goes(&mut self) {
        self.here = false;
        self.home = false;
        self.watching = false;
    }

    /// They begin something, and it comes on record.
    pub fn watches(&mut self) {
        if self.here && self.kept {
            self.silent = 0;
            self.has_watched = true;
            self.forget_warning();
        }
    }

    /// The owner puts them on the whitelist.
    pub fn is_spared_for(&mut self, hours: i64) {
        self.spared = Some(hours);
        self.let_go = None;
    }

    fn forget_warning(&mut self) {
        self.warned = false;
        self.told = None;
    }

    /// An hour passes. `recording`: whether Tautulli's record has begun by now.
    pub fn hour(&mut self, rule: &Rule, recording: bool) {
        for hours in [&mut self.told, &mut self.let_go].into_iter().flatten() {
            *hours += 1;
        }
        self.new_for += 1;
        self.silent += 1;
        let too_new = self.new_for <= 24;
        if too_new || (!self.has_watched && !recording) {
            self.silent = 0;
        }
        if let Some(left) = &mut self.spared {
            *left -= 1;
            if *left <= 0 {
                self.spared = None;
                self.let_go = Some(0);
                // The whole time of a warning is still theirs.
                self.silent = self.silent.min(rule.warn * 24);
                self.forget_warning();
            }
        }
    }

    pub fn is_protected(&self, rule: &Rule) -> bool {
        self.vip || self.spared.is_some() || (self.home && !rule.prune_home)
    }

    /// What a pass would do now.
    pub fn due(&self, rule: &Rule) -> Due {
        if !self.here || self.is_protected(rule) || self.watching || self.new_for < 24 || !self.kept {
            return Due::Nothing;
        }
        let had_time = self.told.is_some_and(|told| told >= (rule.kick - rule.warn) * 24);
        if self.silent >= rule.kick * 24 && (had_time || !rule.warn_first) {
            Due::Removal
        } else if self.silent >= rule.warn * 24 && !self.warned {
            Due::Warning
        } else {
            Due::Nothing
        }
    }

    /// What else holds for somebody who is removed: the chances that the rules promise, one by one.
    pub fn had_their_chances(&self, rule: &Rule) -> Result<(), String> {
        let notice = (rule.kick - rule.warn) * 24;
        let chances = [
            ("nobody's guest", self.here && self.kept),
            ("protected", !self.is_protected(rule)),
            ("watching", !self.watching),
            ("too new", self.new_for >= 24 + rule.kick * 24 || self.let_go.is_some()),
            ("not idle for long enough", self.silent >= rule.kick * 24),
            ("just off the whitelist", self.let_go.is_none_or(|ago| ago >= notice)),
            ("not warned in time", !rule.warn_first || self.told.is_some_and(|told| told >= notice)),
        ];
        match chances.into_iter().find(|(_, given)| !given) {
            Some((missed, _)) => Err(format!("removed, and {missed}: {self:?}")),
            None => Ok(()),
        }
    }
}
