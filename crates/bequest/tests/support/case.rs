//! Cases with an environment of their own. Variables of a process can't be changed while other
//! threads read them, so that each case is the test program once more.

use std::process::Command;

use super::Door;

/// The process that runs the ignored test of that name, and is told the door.
pub(crate) fn command(door: Door, test: &str) -> Command {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", test, "--include-ignored", "--nocapture"]);
    child.env("CASE_DOOR", format!("{door:?}"));
    child
}

/// Runs it; what it said.
///
/// # Panics
/// If it failed, or there was no such test.
#[track_caller]
pub(crate) fn run(mut child: Command) -> String {
    let output = child.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success() && said.contains("1 passed"), "{child:?}\n{said}");
    said
}

/// The door that this process was told; `None` if it is not a case's.
pub(crate) fn door() -> Option<Door> {
    let told = std::env::var("CASE_DOOR").ok()?;
    Some(match told.as_str() {
        "Blocking" => Door::Blocking,
        #[cfg(feature = "async")]
        "Aio" => Door::Aio,
        other => panic!("no door {other}"),
    })
}
