//! Requests with an `Idempotency-Key` while they are carried out: which those are, and what is not certain of each. It knows no
//! route.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use crate::lock::lock;
use crate::ports::Once;

/// The scope of a key, and the key.
type Name = (String, String);

/// Those who are here with one key: they find out what is kept of it, or carry its request out.
#[derive(Debug)]
struct Here {
    count: usize,
    /// Whether two have been here at once, since the first of them came.
    have_met: bool,
}

/// The keys of all who are here.
type Names = BTreeMap<Name, Here>;

/// Keys whose requests are carried out now, or may be. They are as many as requests may wait for the core.
#[derive(Debug, Default)]
pub(crate) struct Underway(Arc<Mutex<Names>>);

/// A request that is under way until this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    all: Arc<Mutex<Names>>,
    name: Name,
}

/// What is known of a key whose request has come. An answer may hold a secret that is told once.
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
    /// Takes a key by `begin`, which says what is kept of it, and may wait for the disk: nobody else waits for that.
    ///
    /// Whoever carries a request out has come before it is written down that it was begun, and stays until it is written down what
    /// became of it. So one that is written down as begun, while nobody but this one has been here, is lost. Two who ask at once for one
    /// that is lost may each take the other for who carries it out: they are told to come again, and nothing is carried out twice.
    pub(crate) fn begin<E>(
        &self,
        name: Name,
        begin: impl FnOnce() -> Result<Once, E>,
    ) -> Result<Begun, E> {
        let place = self.come(name);
        Ok(match begin()? {
            Once::New => Begun::New(place),
            Once::Underway if place.has_met() => Begun::Underway,
            Once::Underway => Begun::Lost,
            Once::Answered { status, body } => Begun::Answered { status, body },
            Once::Mismatch => Begun::Mismatch,
        })
    }

    fn come(&self, name: Name) -> Place {
        let mut all = lock(&self.0);
        let here = all.entry(name.clone()).or_insert(Here {
            count: 0,
            have_met: false,
        });
        here.have_met |= here.count > 0;
        here.count += 1;
        Place {
            all: Arc::clone(&self.0),
            name,
        }
    }
}

impl Place {
    /// Whether somebody else is here with this key, or was since this one came.
    fn has_met(&self) -> bool {
        let all = lock(&self.all);
        all.get(&self.name).is_some_and(|here| here.have_met)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = lock(&self.all);
        if let Entry::Occupied(mut here) = all.entry(self.name.clone()) {
            here.get_mut().count -= 1;
            if here.get().count == 0 {
                here.remove();
            }
        }
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

    #[test]
    fn nobody_waits_for_what_is_written_down_of_another_key() {
        let all = Underway::default();
        let other = ("scope".to_owned(), "other".to_owned());
        let meanwhile = || {
            let begun = all.begin(other, || Ok::<_, ()>(Once::New)).unwrap();
            assert!(matches!(begun, Begun::New(_)));
            Ok::<_, ()>(Once::New)
        };
        assert!(matches!(all.begin(name(), meanwhile), Ok(Begun::New(_))));
    }

    #[test]
    fn a_request_that_began_and_ended_while_another_looked_is_not_lost() {
        let all = Underway::default();
        let begin = |once: Once| all.begin(name(), || Ok::<_, ()>(once)).unwrap();
        let looks = || {
            let first = begin(Once::New);
            assert!(matches!(first, Begun::New(_)));
            // What was read before the first one ended.
            Ok::<_, ()>(Once::Underway)
        };
        let again = all.begin(name(), looks).unwrap();
        assert!(matches!(again, Begun::Underway));
        assert!(matches!(begin(Once::Underway), Begun::Lost));
    }

    #[test]
    fn a_key_that_could_not_be_looked_up_is_left() {
        let all = Underway::default();
        assert!(all.begin(name(), || Err(())).is_err());
        let begun = all.begin(name(), || Ok::<_, ()>(Once::Underway));
        assert!(matches!(begun, Ok(Begun::Lost)));
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
