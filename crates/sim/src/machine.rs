//! A fake process and its disk: a journal that fails in every way a journal can, and effects that are only noted. It knows no
//! rule of the core.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tocsin_domain::event::Event;
use tocsin_domain::id::{IncidentId, NotificationId};
use tocsin_engine::{AppendError, Effect, Effects, Journal, NotDurable};

/// What befalls one append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// Nothing is kept, and that is said.
    Refused,
    /// It is kept, and an error is reported.
    UnclearKept,
    /// It is lost, and an error is reported.
    UnclearLost,
    /// It is kept, an error is reported, and then nothing can be read or written.
    KeptThenGone,
    /// The process dies before it.
    CrashBefore,
    /// The process dies after it.
    CrashAfter,
    /// The process dies after it, and after so many of its effects.
    CrashWithin(usize),
}

/// What outlives a process.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    pub(crate) events: Vec<Event>,
    /// Whoever took the journal over last; an older one may not write.
    epoch: u64,
    /// What befalls the next appends that have events.
    pub(crate) mishaps: VecDeque<Mishap>,
    /// What did befall appends since this was looked at last.
    pub(crate) suffered: Vec<Mishap>,
    /// There is no space.
    pub(crate) is_full: bool,
    /// Nothing can be read or written.
    pub(crate) is_gone: bool,
    /// Appends that failed, ever.
    pub(crate) failures: u64,
}

/// What dies with a process.
#[derive(Debug, Default)]
struct Process {
    is_dead: bool,
    effects_left: Option<usize>,
    sends: Vec<(NotificationId, u32)>,
    freezes: Vec<IncidentId>,
}

/// What a process handed out in one step.
#[derive(Debug, Default)]
pub(crate) struct HandedOut {
    pub(crate) sends: Vec<(NotificationId, u32)>,
    pub(crate) freezes: Vec<IncidentId>,
}

/// A process that writes a disk.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    disk: Arc<Mutex<Disk>>,
    process: Arc<Mutex<Process>>,
    epoch: u64,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn not_durable(why: &str, disk_full: bool) -> NotDurable {
    NotDurable {
        why: why.to_owned(),
        disk_full,
    }
}

fn io() -> NotDurable {
    not_durable("input/output error", false)
}

impl Machine {
    /// An empty disk and a process on it.
    pub(crate) fn new() -> Self {
        Self {
            disk: Arc::default(),
            process: Arc::default(),
            epoch: 0,
        }
    }

    /// The next process on the same disk, which it takes over.
    pub(crate) fn successor(&self) -> Self {
        let mut disk = held(&self.disk);
        disk.epoch += 1;
        Self {
            epoch: disk.epoch,
            disk: Arc::clone(&self.disk),
            process: Arc::default(),
        }
    }

    pub(crate) fn disk(&self) -> MutexGuard<'_, Disk> {
        held(&self.disk)
    }

    pub(crate) fn is_dead(&self) -> bool {
        held(&self.process).is_dead
    }

    /// What was handed out since the last time this was asked.
    pub(crate) fn take_out(&self) -> HandedOut {
        let mut process = held(&self.process);
        HandedOut {
            sends: std::mem::take(&mut process.sends),
            freezes: std::mem::take(&mut process.freezes),
        }
    }

    /// A process that was to die within its effects, and had fewer of them, dies now.
    pub(crate) fn end_step(&self) {
        let mut process = held(&self.process);
        process.is_dead |= process.effects_left.is_some();
    }

    fn die(&self) {
        held(&self.process).is_dead = true;
    }

    fn keep(&self, disk: &mut Disk, events: &[Event]) -> Result<(), AppendError> {
        let next = disk.events.last().map_or(0, |event| event.position) + 1;
        if events.first().is_some_and(|event| event.position != next) {
            let why = "the journal holds events that this does not continue";
            return Err(AppendError::Behind(not_durable(why, false)));
        }
        disk.events.extend_from_slice(events);
        Ok(())
    }

    fn suffer(&self, disk: &mut Disk, mishap: Mishap, events: &[Event]) -> Result<(), AppendError> {
        disk.suffered.push(mishap);
        match mishap {
            Mishap::Refused => Err(AppendError::NotKept(not_durable("it is locked", false))),
            Mishap::UnclearKept => {
                self.keep(disk, events)?;
                Err(AppendError::Unclear(io()))
            }
            Mishap::UnclearLost => Err(AppendError::Unclear(io())),
            Mishap::KeptThenGone => {
                self.keep(disk, events)?;
                disk.is_gone = true;
                Err(AppendError::Unclear(io()))
            }
            Mishap::CrashBefore => {
                self.die();
                Err(AppendError::Unclear(io()))
            }
            Mishap::CrashAfter => {
                self.keep(disk, events)?;
                self.die();
                Ok(())
            }
            Mishap::CrashWithin(effects) => {
                self.keep(disk, events)?;
                held(&self.process).effects_left = Some(effects);
                Ok(())
            }
        }
    }
}

impl Journal for Machine {
    fn append(&mut self, events: &[Event], _: &[(&str, String)]) -> Result<(), AppendError> {
        if self.is_dead() {
            return Err(AppendError::Unclear(io()));
        }
        let mut disk = held(&self.disk);
        if disk.epoch != self.epoch {
            let why = not_durable("another server has taken the journal over", false);
            return Err(AppendError::TakenOver(why));
        }
        let kept = if disk.is_gone {
            Err(AppendError::Unclear(io()))
        } else if disk.is_full {
            let why = not_durable("no space left on device", true);
            Err(AppendError::NotKept(why))
        } else {
            match disk.mishaps.pop_front_if(|_| !events.is_empty()) {
                Some(mishap) => self.suffer(&mut disk, mishap, events),
                None => self.keep(&mut disk, events),
            }
        };
        disk.failures += u64::from(kept.is_err());
        kept
    }

    fn after(&mut self, position: u64) -> Result<Vec<Event>, NotDurable> {
        let is_dead = self.is_dead();
        let mut disk = held(&self.disk);
        if disk.is_gone || is_dead {
            disk.failures += 1;
            return Err(io());
        }
        let first = usize::try_from(position).unwrap_or(usize::MAX);
        Ok(disk.events.get(first..).unwrap_or_default().to_vec())
    }
}

impl Effects for Machine {
    fn committed(&mut self, _: &[Event]) {}

    fn carry_out(&mut self, effect: Effect) {
        let mut process = held(&self.process);
        if process.effects_left == Some(0) {
            process.is_dead = true;
        }
        if process.is_dead {
            return;
        }
        process.effects_left = process.effects_left.map(|left| left - 1);
        match effect {
            Effect::Send {
                notification,
                number,
            } => process.sends.push((notification, number)),
            Effect::Freeze { incident } => process.freezes.push(incident),
            // The canary goes to no person; the worlds send none.
            Effect::Canary { .. } => {}
        }
    }
}
