//! What a token is kept to beside its role. Which request needs what is not known here.

/// One part of what Tocsin does. Within it a token reads and changes what its role allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Alerts and changes that are sent, heartbeats, silences.
    Alerts,
    /// Incidents: reading and responding.
    Incidents,
    /// People, teams, schedules, policies.
    Roster,
    /// Services, rules, integrations, planned work, channels, tokens.
    Settings,
    /// Samples: queries, remote write, metrics.
    Telemetry,
}

impl Scope {
    /// Every one, in the order in which they are told.
    pub const ALL: [Self; 5] = [
        Self::Alerts,
        Self::Incidents,
        Self::Roster,
        Self::Settings,
        Self::Telemetry,
    ];

    /// Its word, in the API and where tokens are kept.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Alerts => "alerts",
            Self::Incidents => "incidents",
            Self::Roster => "roster",
            Self::Settings => "settings",
            Self::Telemetry => "telemetry",
        }
    }

    /// The one of that word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.word() == word)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Some of them, or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// All of them.
    pub const ALL: Self = Self::NONE
        .and(Scope::Alerts)
        .and(Scope::Incidents)
        .and(Scope::Roster)
        .and(Scope::Settings)
        .and(Scope::Telemetry);

    /// This one alone.
    #[must_use]
    pub const fn of(scope: Scope) -> Self {
        Self(scope.bit())
    }

    /// These and that one.
    #[must_use]
    pub const fn and(self, scope: Scope) -> Self {
        Self(self.0 | scope.bit())
    }

    /// Whether all of those are among these.
    #[must_use]
    pub const fn hold(self, those: Self) -> bool {
        self.0 & those.0 == those.0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them, in their order.
    pub fn each(self) -> impl Iterator<Item = Scope> {
        let is_in = move |scope: &Scope| self.0 & scope.bit() != 0;
        Scope::ALL.into_iter().filter(is_in)
    }

    /// Their words, with this between them.
    #[must_use]
    pub fn words(self, between: &str) -> String {
        let words: Vec<&str> = self.each().map(Scope::word).collect();
        words.join(between)
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<T: IntoIterator<Item = Scope>>(scopes: T) -> Self {
        scopes.into_iter().fold(Self::NONE, Self::and)
    }
}

/// What a token is kept to beside its role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenBounds {
    /// What it may touch; everything when none.
    pub scopes: Option<Scopes>,
    /// Requests within a minute; as many as any token when none.
    pub requests_per_minute: Option<u32>,
}

impl TokenBounds {
    /// Whether what needs these may be asked for; where nobody has said what is needed, only without scopes.
    #[must_use]
    pub fn admit(self, needed: Option<Scopes>) -> bool {
        match (self.scopes, needed) {
            (None, _) => true,
            (Some(own), Some(needed)) => own.hold(needed),
            (Some(_), None) => false,
        }
    }

    /// Whether nothing is allowed by these that is not by others.
    #[must_use]
    pub fn are_within(self, others: Self) -> bool {
        let scopes = others
            .scopes
            .is_none_or(|others| self.scopes.is_some_and(|own| others.hold(own)));
        let rate = others
            .requests_per_minute
            .is_none_or(|others| self.requests_per_minute.is_some_and(|own| own <= others));
        scopes && rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_told_by_words_that_name_them_again() {
        for scope in Scope::ALL {
            assert_eq!(Scope::named(scope.word()), Some(scope));
        }
        assert_eq!(Scope::named("all"), None);
        let two = [Scope::Telemetry, Scope::Alerts].into_iter();
        let two: Scopes = two.collect();
        assert_eq!(two.words(" "), "alerts telemetry");
        assert_eq!(Scope::ALL.into_iter().collect::<Scopes>(), Scopes::ALL);
        assert!(Scopes::ALL.hold(two) && !two.hold(Scopes::ALL));
        assert!(two.hold(Scopes::NONE) && Scopes::NONE.is_empty());
    }

    #[test]
    fn bounds_admit_what_they_hold_and_nothing_of_which_nobody_said_what_it_needs() {
        let check = |scopes: Option<Scopes>, needed: Option<Scopes>, admitted: bool| {
            let bounds = TokenBounds {
                scopes,
                requests_per_minute: None,
            };
            assert_eq!(bounds.admit(needed), admitted, "{scopes:?} {needed:?}");
        };
        let (alerts, roster) = (Scopes::of(Scope::Alerts), Scopes::of(Scope::Roster));
        check(None, None, true);
        check(None, Some(Scopes::ALL), true);
        check(Some(alerts), Some(alerts), true);
        check(Some(alerts), Some(Scopes::NONE), true);
        check(Some(alerts), Some(roster), false);
        check(Some(alerts), Some(alerts.and(Scope::Roster)), false);
        check(Some(Scopes::ALL), None, false);
    }

    #[test]
    fn bounds_are_within_others_that_allow_no_less() {
        let bounds = |scopes, requests_per_minute| TokenBounds {
            scopes,
            requests_per_minute,
        };
        let alerts = Some(Scopes::of(Scope::Alerts));
        let free = TokenBounds::default();
        let kept = bounds(alerts, Some(60));
        assert!(free.are_within(free) && kept.are_within(free) && kept.are_within(kept));
        assert!(!free.are_within(kept));
        assert!(!bounds(Some(Scopes::ALL), Some(60)).are_within(kept));
        assert!(!bounds(alerts, None).are_within(kept));
        assert!(!bounds(alerts, Some(61)).are_within(kept));
        assert!(bounds(alerts, Some(1)).are_within(kept));
    }
}
