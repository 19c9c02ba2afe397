//! Layers of a schedule as the API writes and reads them. Whether they make sense is decided elsewhere.

use serde::{Deserialize, Serialize};
use tocsin_domain::id::UserId;
use tocsin_domain::oncall;
use utoipa::ToSchema;

use crate::http::shape::{Id, Instant};

/// What turns are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TurnUnit {
    /// Hours of the civil clock.
    Hours,
    /// Days.
    Days,
    /// Weeks.
    Weeks,
}

/// Length of a turn.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Turn {
    /// At least 1.
    #[schema(minimum = 1, maximum = 366)]
    every: u32,
    unit: TurnUnit,
}

/// Days of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Weekday {
    /// The first.
    Monday,
    /// The second.
    Tuesday,
    /// The third.
    Wednesday,
    /// The fourth.
    Thursday,
    /// The fifth.
    Friday,
    /// The sixth.
    Saturday,
    /// The last.
    Sunday,
}

/// A moment of every week.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WeekTime {
    weekday: Weekday,
    /// `HH:MM` or `HH:MM:SS`.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$")]
    time: String,
}

/// A recurring window of civil time in which a layer has somebody.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Restriction {
    /// Every day; it ends on the next day unless `until` is later than `from`.
    Daily {
        /// `HH:MM` or `HH:MM:SS`.
        #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$")]
        from: String,
        /// `HH:MM` or `HH:MM:SS`.
        #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$")]
        until: String,
    },
    /// Every week; it ends in the next week unless `until` is later than `from`.
    Weekly {
        /// When it begins.
        from: WeekTime,
        /// When it ends.
        until: WeekTime,
    },
}

/// People who take turns.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Layer {
    /// When the first turn begins; without `hand_off` its time of day is the hand-off time.
    start: Instant,
    /// Nobody is on call by this layer from here on; null: it does not end.
    #[serde(default)]
    until: Option<Instant>,
    /// The layer's own zone; null: the schedule's.
    #[serde(default)]
    time_zone: Option<String>,
    /// A civil time (`YYYY-MM-DDTHH:MM:SS`, without seconds too) at which the first member takes over; null: the civil time of `start`.
    #[serde(default)]
    hand_off: Option<String>,
    turn: Turn,
    /// Ids of people, in order.
    #[schema(value_type = Vec<Id>, max_items = 200)]
    members: Vec<String>,
    /// When the layer has somebody at all; empty: always.
    #[serde(default)]
    #[schema(max_items = 50)]
    restrictions: Vec<Restriction>,
}

/// A layer as the API writes it.
pub(crate) fn shown(layer: &oncall::Layer) -> Layer {
    Layer {
        start: Instant(layer.start),
        until: layer.until.map(Instant),
        time_zone: layer.time_zone.clone(),
        hand_off: layer.hand_off.map(|civil| civil.to_string()),
        turn: shown_turn(oncall::Turn {
            every: layer.every,
            unit: layer.unit,
        }),
        members: layer.members.iter().map(ToString::to_string).collect(),
        restrictions: layer.restrictions.iter().map(shown_restriction).collect(),
    }
}

/// The length of a turn as the API writes it.
pub(crate) fn shown_turn(turn: oncall::Turn) -> Turn {
    let unit = match turn.unit {
        oncall::TurnUnit::Hours => TurnUnit::Hours,
        oncall::TurnUnit::Days => TurnUnit::Days,
        oncall::TurnUnit::Weeks => TurnUnit::Weeks,
    };
    Turn {
        every: turn.every,
        unit,
    }
}

fn shown_restriction(restriction: &oncall::Restriction) -> Restriction {
    match restriction {
        oncall::Restriction::Daily { from, until } => Restriction::Daily {
            from: from.to_string(),
            until: until.to_string(),
        },
        oncall::Restriction::Weekly { from, until } => Restriction::Weekly {
            from: shown_week_time(*from),
            until: shown_week_time(*until),
        },
    }
}

fn shown_week_time(at: oncall::WeekTime) -> WeekTime {
    let weekday = match at.weekday {
        oncall::Weekday::Monday => Weekday::Monday,
        oncall::Weekday::Tuesday => Weekday::Tuesday,
        oncall::Weekday::Wednesday => Weekday::Wednesday,
        oncall::Weekday::Thursday => Weekday::Thursday,
        oncall::Weekday::Friday => Weekday::Friday,
        oncall::Weekday::Saturday => Weekday::Saturday,
        oncall::Weekday::Sunday => Weekday::Sunday,
    };
    WeekTime {
        weekday,
        time: at.time.to_string(),
    }
}

/// Reads what was sent, and gathers every reason why something of it cannot be read.
pub(crate) struct Reading {
    /// Each begins with the field.
    pub(crate) reasons: Vec<String>,
}

impl Reading {
    pub(crate) fn begin() -> Self {
        Self {
            reasons: Vec::new(),
        }
    }

    /// Text that is read as a `T`.
    pub(crate) fn parsed<T>(&mut self, field: &str, text: &str) -> Option<T>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        text.parse()
            .map_err(|error| self.reasons.push(format!("{field}: {error}")))
            .ok()
    }

    /// The id of a person.
    pub(crate) fn person(&mut self, field: &str, text: &str) -> Option<UserId> {
        let found = text.parse().ok();
        if found.is_none() {
            self.reasons.push(format!("{field}: not an id of a person"));
        }
        found
    }

    /// Ids of people; those that are none are left out.
    pub(crate) fn people(&mut self, field: &str, texts: &[String]) -> Vec<UserId> {
        let each = texts.iter().enumerate();
        each.filter_map(|(index, text)| self.person(&format!("{field}[{index}]"), text))
            .collect()
    }

    /// A layer; what of it cannot be read is left out.
    pub(crate) fn layer(&mut self, field: &str, layer: &Layer) -> oncall::Layer {
        let turn = turn_of(layer.turn);
        let hand_off = layer.hand_off.as_ref();
        let restrictions = layer.restrictions.iter().enumerate();
        oncall::Layer {
            until: layer.until.map(|until| until.0),
            time_zone: layer.time_zone.clone(),
            hand_off: hand_off.and_then(|civil| self.parsed(&format!("{field}.hand_off"), civil)),
            restrictions: restrictions
                .filter_map(|(index, restriction)| {
                    self.restriction(&format!("{field}.restrictions[{index}]"), restriction)
                })
                .collect(),
            ..oncall::Layer::rotation(
                layer.start.0,
                turn,
                self.people(&format!("{field}.members"), &layer.members),
            )
        }
    }

    fn restriction(
        &mut self,
        field: &str,
        restriction: &Restriction,
    ) -> Option<oncall::Restriction> {
        let (from_field, until_field) = (format!("{field}.from"), format!("{field}.until"));
        Some(match restriction {
            Restriction::Daily { from, until } => {
                let (from, until) = (
                    self.parsed(&from_field, from),
                    self.parsed(&until_field, until),
                );
                oncall::Restriction::Daily {
                    from: from?,
                    until: until?,
                }
            }
            Restriction::Weekly { from, until } => {
                let (from, until) = (
                    self.week_time(&from_field, from),
                    self.week_time(&until_field, until),
                );
                oncall::Restriction::Weekly {
                    from: from?,
                    until: until?,
                }
            }
        })
    }

    fn week_time(&mut self, field: &str, at: &WeekTime) -> Option<oncall::WeekTime> {
        let weekday = match at.weekday {
            Weekday::Monday => oncall::Weekday::Monday,
            Weekday::Tuesday => oncall::Weekday::Tuesday,
            Weekday::Wednesday => oncall::Weekday::Wednesday,
            Weekday::Thursday => oncall::Weekday::Thursday,
            Weekday::Friday => oncall::Weekday::Friday,
            Weekday::Saturday => oncall::Weekday::Saturday,
            Weekday::Sunday => oncall::Weekday::Sunday,
        };
        let time = self.parsed(&format!("{field}.time"), &at.time)?;
        Some(oncall::WeekTime { weekday, time })
    }
}

/// The length of a turn as it was sent.
pub(crate) fn turn_of(turn: Turn) -> oncall::Turn {
    let unit = match turn.unit {
        TurnUnit::Hours => oncall::TurnUnit::Hours,
        TurnUnit::Days => oncall::TurnUnit::Days,
        TurnUnit::Weeks => oncall::TurnUnit::Weeks,
    };
    oncall::Turn {
        every: turn.every,
        unit,
    }
}
