//! A way in for signals: blocking calls hand over control when one arrives.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use crate::error::Result;

/// The longest single wait while a check is installed. A signal whose handler was set with
/// `SA_RESTART` does not end a system call, so the check can't rely on that.
pub(super) const SLICE: Duration = Duration::from_millis(100);

type Check = Arc<dyn Fn() -> Result<()> + Send + Sync>;

static INSTALLED: AtomicBool = AtomicBool::new(false);
static CHECK: RwLock<Option<Check>> = RwLock::new(None);

/// Installs a check that blocking calls of this process make while they wait: whenever a signal
/// ends the wait, and at least every 100 ms. An error from it ends the call with that error and
/// closes the connection. `None` takes the check away; without one, signals don't end a call.
///
/// ```
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use bequest::{Error, ErrorKind};
///
/// static STOP: AtomicBool = AtomicBool::new(false); // set by a signal handler
///
/// bequest::on_interrupt(Some(Box::new(|| match STOP.load(Ordering::Relaxed) {
///     true => Err(Error::new(ErrorKind::Cancelled, "interrupted")),
///     false => Ok(()),
/// })));
/// # bequest::on_interrupt(None);
/// ```
pub fn on_interrupt(check: Option<Box<dyn Fn() -> Result<()> + Send + Sync>>) {
    let mut installed = CHECK.write().unwrap_or_else(|poisoned| poisoned.into_inner());
    INSTALLED.store(check.is_some(), Relaxed);
    *installed = check.map(Arc::from);
}

pub(super) fn is_installed() -> bool {
    INSTALLED.load(Relaxed)
}

/// Asks the check. The lock is not held while it runs: it may install another one.
pub(super) fn check() -> Result<()> {
    if !is_installed() {
        return Ok(());
    }
    let check = CHECK.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
    check.map_or(Ok(()), |check| check())
}
