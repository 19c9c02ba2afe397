//! What the journal alone gives: the state that a start would come back to.

use tocsin_domain::event::Event;
use tocsin_domain::state::State;

use crate::world::World;

impl World {
    /// What the journal gives, written and read again as by a start.
    pub(crate) fn replayed(&self) -> State {
        let mut folded = State::default();
        for event in &self.journal {
            let written = serde_json::to_string(event).unwrap();
            folded.evolve(&serde_json::from_str::<Event>(&written).unwrap());
        }
        folded
    }

    /// Checks that the journal gives the same state again.
    #[track_caller]
    pub(crate) fn check_replay(&self) {
        assert_eq!(self.replayed(), self.state);
    }
}
