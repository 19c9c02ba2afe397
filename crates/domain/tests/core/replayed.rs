//! What the journal alone gives: the state that a start would come back to.

use tocsin_domain::state::State;

use crate::world::World;

impl World {
    /// Checks that the journal gives the same state again.
    #[track_caller]
    pub(crate) fn check_replay(&self) {
        let mut folded = State::default();
        self.journal.iter().for_each(|event| folded.evolve(event));
        assert_eq!(folded, self.state);
    }
}
