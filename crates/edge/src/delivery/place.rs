//! Which of the accounts of a channel: the first carries its messages, those after it take over where it fails. It knows no
//! provider.

use crate::ports::StorageError;

/// What stands at these places, in their order. What cannot be read keeps nobody from the others.
///
/// # Errors
/// Nothing can be read, though something stands there.
pub(crate) fn all_readable<T>(
    places: &[Place],
    read: impl Fn(Place) -> Result<Option<T>, StorageError>,
) -> Result<Vec<(Place, T)>, StorageError> {
    let (mut all, mut trouble) = (Vec::new(), None);
    for place in places {
        match read(*place) {
            Ok(found) => all.extend(found.map(|found| (*place, found))),
            Err(error) => {
                tracing::warn!(place = place.number(), %error, "an account cannot be read");
                trouble = Some(error);
            }
        }
    }
    match trouble.filter(|_| all.is_empty()) {
        Some(error) => Err(error),
        None => Ok(all),
    }
}

/// A place among the accounts of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// Is tried first.
    First,
    /// Takes over where the first fails.
    Second,
    /// Takes over where the second fails too.
    Third,
}

impl Place {
    /// Every one, in the order in which they are tried. There are as many as a message has attempts.
    pub(crate) const ALL: [Self; 3] = [Self::First, Self::Second, Self::Third];

    /// Its number, from 1.
    pub(crate) const fn number(self) -> u32 {
        match self {
            Self::First => 1,
            Self::Second => 2,
            Self::Third => 3,
        }
    }

    /// The place of this number, if there is one.
    pub(crate) fn of(number: u32) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|place| place.number() == number)
    }

    /// What stands at this place is kept under, where the first is kept under that name.
    pub(crate) fn setting(self, first: &str) -> String {
        match self {
            Self::First => first.to_owned(),
            Self::Second | Self::Third => format!("{first}_{}", self.number()),
        }
    }

    /// Its word.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
            Self::Third => "third",
        }
    }
}

#[cfg(test)]
mod tests {
    use tocsin_domain::page::ATTEMPTS_MAX;

    use super::*;

    #[test]
    fn a_place_has_one_number_and_the_first_keeps_the_name_that_it_had_when_it_was_alone() {
        for place in Place::ALL {
            assert_eq!(Place::of(place.number()), Some(place));
        }
        assert_eq!((Place::of(0), Place::of(4)), (None, None));
        let names = Place::ALL.map(|place| place.setting("mail"));
        assert_eq!(names, ["mail", "mail_2", "mail_3"]);
    }

    #[test]
    fn what_cannot_be_read_keeps_nobody_from_what_can() {
        let broken = || StorageError {
            why: "the disk gives nothing back".to_owned(),
            disk_full: false,
        };
        let check = |readable: &[Place], expected: Option<&[Place]>| {
            let read = |place: Place| {
                if readable.contains(&place) {
                    Ok(Some(place))
                } else if place == Place::Third {
                    Ok(None)
                } else {
                    Err(broken())
                }
            };
            let found = all_readable(&Place::ALL, read).ok();
            let expected = expected.map(|all| all.iter().map(|one| (*one, *one)).collect());
            assert_eq!(found, expected, "{readable:?}");
        };
        let both = [Place::First, Place::Second];
        check(&both, Some(&both[..]));
        check(&both[1..], Some(&both[1..]));
        check(&both[..1], Some(&both[..1]));
        check(&[], None);
    }

    #[test]
    fn each_place_has_an_attempt_of_a_message_that_nobody_answers() {
        assert_eq!(
            Place::ALL.len(),
            usize::try_from(ATTEMPTS_MAX).unwrap_or(usize::MAX)
        );
    }
}
