//! The canary's way through the engine. Its page is decided on a copy and a note stands for what events would say; the rest is as of
//! every page: the effect that sends it, and the command that tells how its attempt ended. The committed state knows nothing of it.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tocsin_domain::command::{Ask, Command, Refusal};
use tocsin_domain::id::{Entropy, NotificationId};
use tocsin_domain::simulate::Canary;
use tocsin_domain::time::Timestamp;

use super::survive::survived;
use super::{CANARY, Core};
use crate::clock::{Leg, canary_note};
use crate::group::Reply;
use crate::handle::{AskError, Done, Passed};
use crate::ports::{Effect, Effects, Journal, NotDurable};

/// Commands, each with who is told what came of it.
pub(crate) type Asked = Vec<(Command, Reply)>;

/// The canary that is under way, with the copy that it stands in; cheap to clone. Only the engine changes it.
#[derive(Clone, Default)]
pub(crate) struct Aloft(Arc<RwLock<Option<Canary>>>);

impl Aloft {
    /// The canary that is under way.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Option<Canary>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Option<Canary>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn message(&self) -> Option<NotificationId> {
        self.read().as_ref().map(Canary::message)
    }
}

impl<J: Journal, E: Entropy, F: Effects> Core<J, E, F> {
    /// Sends a canary: its page is decided, a note of that is made durable, and its first attempt is handed out. It takes the place
    /// of one that is still under way. `passed` hears how far it came.
    ///
    /// # Errors
    /// It would be refused or page nobody, or nothing can be made durable; the canary ends here.
    pub fn canary(
        &mut self,
        run: u64,
        now: Timestamp,
        passed: &mut dyn FnMut(Passed),
    ) -> Result<(), AskError> {
        let declared = survived("canary", || Canary::declare(&self.state, run, now));
        let canary = declared.ok_or(AskError::Fault)??;
        passed(Passed::Decided);
        self.write_canary_down(run, Leg::Out, now)?;
        passed(Passed::Written);
        let effect = Effect::Send {
            notification: canary.message(),
            number: canary.number(),
        };
        *self.aloft.write() = Some(canary);
        self.effects.carry_out(effect);
        Ok(())
    }

    /// The canary that is under way, shared with readers.
    pub(crate) fn aloft(&self) -> Aloft {
        self.aloft.clone()
    }

    /// Tells the commands apart that say how the canary's attempt ended; these come first.
    pub(super) fn those_of_the_canary(&self, commands: Asked) -> (Asked, Asked) {
        let Some(message) = self.aloft.message() else {
            return (Vec::new(), commands);
        };
        let is_its = |ask: &Ask| ask.attempt_ended_of() == Some(message);
        commands
            .into_iter()
            .partition(|(command, _)| is_its(&command.ask))
    }

    /// Takes in how its attempt ended, makes a note of that durable, and hands out that it is over.
    pub(super) fn canary_ended(&mut self, ask: &Ask, now: Timestamp) -> Result<Done, AskError> {
        let gone = || Refusal::NotFound {
            what: "canary under way with this message".to_owned(),
        };
        let message = ask.attempt_ended_of().ok_or_else(gone)?;
        let (run, (outcome, detail)) = {
            let mut aloft = self.aloft.write();
            let canary = aloft.as_mut().filter(|one| one.message() == message);
            let canary = canary.ok_or_else(gone)?;
            let ended = survived("canary", || canary.ended(ask.clone(), now));
            (canary.run(), ended.ok_or(AskError::Fault)??)
        };
        self.write_canary_down(run, Leg::Back, now)?;
        *self.aloft.write() = None;
        self.effects.carry_out(Effect::Canary {
            run,
            at: now,
            outcome,
            detail,
        });
        Ok(Done::new(Arc::default(), 0..0))
    }

    fn write_canary_down(&mut self, run: u64, leg: Leg, now: Timestamp) -> Result<(), NotDurable> {
        self.settle(now);
        if self.is_unclear {
            self.take_up(now)?;
        }
        self.note(vec![(CANARY, canary_note(run, leg, now))], now)
    }
}
