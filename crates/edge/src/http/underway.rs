//! Requests with an `Idempotency-Key` while they are carried out: which those are, and what is not certain of each. It knows no
//! route.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use crate::lock::lock;
use crate::ports::Once;

/// The scope of a key, and the key.
type Name = (String, String);

/// Keys whose requests are carried out now. They are as many as requests may wait for the core.
#[derive(Debug, Default)]
pub(crate) struct Underway(Arc<Mutex<BTreeSet<Name>>>);

/// A request that is under way until this is dropped, which may wait for the disk.
#[derive(Debug)]
pub(crate) struct Place {
    all: Arc<Mutex<BTreeSet<Name>>>,
    name: Name,
}

/// What is known of a key whose request has come.
#[derive(Debug)]
pub(crate) enum Begun {
    /// Nothing: the request is to be carried out.
    New(Place),
    /// The first one is carried out now.
    Underway,
    /// The first one was carried out or begun, and nobody is left who learns what became of it.
    Lost,
    /// This was the answer.
    Answered { status: u16, body: Vec<u8> },
    /// It was used for another request.
    Mismatch,
}

impl Underway {
    /// Takes a key by `begin`, which says what is kept of it. No request ends between that and the look at which are under way, so
    /// this belongs on a thread that may wait.
    pub(crate) fn begin<E>(
        &self,
        name: Name,
        begin: impl FnOnce() -> Result<Once, E>,
    ) -> Result<Begun, E> {
        let mut all = lock(&self.0);
        Ok(match begin()? {
            Once::New => {
                all.insert(name.clone());
                Begun::New(Place {
                    all: Arc::clone(&self.0),
                    name,
                })
            }
            Once::Underway if all.contains(&name) => Begun::Underway,
            Once::Underway => Begun::Lost,
            Once::Answered { status, body } => Begun::Answered { status, body },
            Once::Mismatch => Begun::Mismatch,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.all).remove(&self.name);
    }
}

tokio::task_local! {
    /// What is not certain of the request with a key for which a task works.
    static DOUBT: Arc<Doubt>;
}

/// What is not certain of a request with a key.
#[derive(Debug, Default)]
pub(crate) struct Doubt {
    /// Whether something of it was kept, or may have been: then it is not carried out again, whatever the answer says.
    is_kept: AtomicBool,
    /// Told when the core takes longer than clients wait.
    late: Notify,
}

impl Doubt {
    /// Work that is done for this request.
    pub(crate) fn around<W: Future>(self: Arc<Self>, work: W) -> impl Future<Output = W::Output> {
        DOUBT.scope(self, work)
    }

    /// Waits until the core takes longer than clients wait.
    pub(crate) async fn late(&self) {
        self.late.notified().await;
    }
}

/// Says that something of what this task does was kept, or that nobody knows. Whoever sent no key cannot ask for it again either.
pub(crate) fn kept() {
    let _ = DOUBT.try_with(|doubt| doubt.is_kept.store(true, Ordering::SeqCst));
}

/// Whether something of what this task does was kept, or may have been.
pub(crate) fn may_be_kept() -> bool {
    let kept = DOUBT.try_with(|doubt| doubt.is_kept.load(Ordering::SeqCst));
    kept.unwrap_or(false)
}

/// Whether this task waits on for the core, for a client that is told meanwhile and may ask again: so it does for a request with a
/// key.
pub(crate) fn waits_on() -> bool {
    DOUBT.try_with(|doubt| doubt.late.notify_one()).is_ok()
}

/// Does `work` to the end on a task of its own, also when the client hangs up. None when it broke off: then nobody knows how far
/// it had come.
pub(crate) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let task = match DOUBT.try_with(Arc::clone) {
        Ok(of) => tokio::spawn(of.around(work)),
        Err(_) => tokio::spawn(work),
    };
    let done = task.await.ok();
    if done.is_none() {
        kept();
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> Name {
        ("scope".to_owned(), "key".to_owned())
    }

    #[test]
    fn a_key_that_is_taken_belongs_to_a_request_that_is_under_way_or_to_one_that_was_lost() {
        let all = Underway::default();
        let begin = |once: Once| all.begin(name(), || Ok::<_, ()>(once)).unwrap();
        assert!(matches!(begin(Once::Underway), Begun::Lost));
        let Begun::New(place) = begin(Once::New) else {
            panic!("it is new");
        };
        assert!(matches!(begin(Once::Underway), Begun::Underway));
        drop(place);
        assert!(matches!(begin(Once::Underway), Begun::Lost));
    }

    #[tokio::test]
    async fn what_breaks_off_leaves_its_request_in_doubt_and_no_other() {
        let breaks_off = async {
            let done: Option<()> = to_the_end(async { panic!("it breaks off") }).await;
            (done, may_be_kept())
        };
        let of = Arc::new(Doubt::default());
        assert_eq!(of.around(breaks_off).await, (None, true));
        let goes_well = async { (to_the_end(async { waits_on() }).await, may_be_kept()) };
        let of = Arc::new(Doubt::default());
        assert_eq!(Arc::clone(&of).around(goes_well).await, (Some(true), false));
        // Told already.
        of.late().await;
        assert!(!waits_on(), "there is no key");
    }
}
