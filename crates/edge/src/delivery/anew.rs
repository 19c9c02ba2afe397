//! Work that must never end while delivery runs: it begins anew after a panic. What it does is not known here.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;

/// How long to wait after a panic: what panics at once must not fill the log.
pub(super) const PAUSE: Duration = Duration::from_secs(1);

/// Does the work until it returns, and again from its beginning whenever it panics.
pub(super) async fn ever_anew<W: Future<Output = ()> + Send>(
    what: &'static str,
    pause: Duration,
    mut work: impl FnMut() -> W + Send,
) {
    // What is half done is given up with the work: it begins with nothing of it.
    while AssertUnwindSafe(work()).catch_unwind().await.is_err() {
        tracing::error!(
            what,
            "a part of delivery ended in a fault of Tocsin itself and begins anew; please report this"
        );
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_panics_begins_anew_until_it_returns() {
        let mut begun = 0;
        ever_anew("a test", Duration::ZERO, || {
            begun += 1;
            let number = begun;
            async move { assert!(number > 2, "it was begun {number} times") }
        })
        .await;
        assert_eq!(begun, 3);
    }
}
