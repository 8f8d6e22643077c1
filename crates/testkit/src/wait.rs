//! Waiting for a condition with a deadline, instead of sleeping and hoping.

use std::time::{Duration, Instant};

use crate::PeerError;

/// How often a condition is looked at: short against what tests measure, cheap on two cores.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Waits until `look` gives a value, and returns it. `what` is named in the error.
///
/// Blocks the calling thread; looks at least once, also when `within` is zero.
///
/// # Errors
/// [`PeerError::Deadline`] when `within` has passed.
pub fn wait_for<T>(
    what: &str,
    within: Duration,
    mut look: impl FnMut() -> Option<T>,
) -> Result<T, PeerError> {
    let until = Instant::now() + within;
    loop {
        if let Some(value) = look() {
            return Ok(value);
        }
        if Instant::now() >= until {
            return Err(too_late(what, within));
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Waits until `condition` holds. `what` is named in the error. Blocks the calling thread.
///
/// # Errors
/// [`PeerError::Deadline`] when `within` has passed.
pub fn wait_until(
    what: &str,
    within: Duration,
    mut condition: impl FnMut() -> bool,
) -> Result<(), PeerError> {
    wait_for(what, within, || condition().then_some(()))
}

/// Waits until `condition` holds, on a tokio runtime.
///
/// # Errors
/// [`PeerError::Deadline`] when `within` has passed.
pub async fn wait_until_async(
    what: &str,
    within: Duration,
    mut condition: impl FnMut() -> bool,
) -> Result<(), PeerError> {
    let until = Instant::now() + within;
    while !condition() {
        if Instant::now() >= until {
            return Err(too_late(what, within));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

fn too_late(what: &str, within: Duration) -> PeerError {
    PeerError::Deadline {
        what: what.to_owned(),
        within_ms: within.as_millis(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_that_holds_later_is_seen() {
        let start = Instant::now();
        let seen = wait_for("the third look", Duration::from_secs(5), {
            let mut looks = 0;
            move || {
                looks += 1;
                (looks == 3).then_some(looks)
            }
        });
        assert_eq!(seen.unwrap(), 3, "the value of the successful look comes back");
        assert!(
            start.elapsed() < Duration::from_secs(1),
            "it must not wait for the deadline"
        );
    }

    #[test]
    fn a_condition_that_never_holds_is_named() {
        let error = wait_until("a blue moon", Duration::from_millis(20), || false).unwrap_err();
        assert!(
            error.to_string().contains("a blue moon"),
            "the error names the condition: {error}"
        );
    }

    #[tokio::test]
    async fn the_asynchronous_form_has_a_deadline_too() {
        assert!(
            wait_until_async("never", Duration::from_millis(20), || false)
                .await
                .is_err()
        );
        assert!(wait_until_async("at once", Duration::ZERO, || true).await.is_ok());
    }
}
