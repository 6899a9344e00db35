//! Test programs that run themselves in network namespaces of the kit: `harness = false`, since
//! threads can't be moved to another namespace.

#![allow(clippy::print_stdout)] // Programs that report.

use std::process::{Command, Stdio};

use testbed::{Lab, Server};

/// The namespaces; `None`, with a word why, where there can be none, and where the program is only
/// asked for its tests.
///
/// # Panics
/// If what they need is not installed, where that is a test of all (`CI` is set).
pub(crate) fn start() -> Option<Lab> {
    if std::env::args().skip(1).any(|argument| argument == "--list") {
        return None;
    }
    if !works("unshare", &["--net", "true"]) {
        println!("skipped: this user, or this machine, can't have network namespaces");
        return None;
    }
    if !works("ip", &["-V"]) || !works("nft", &["--version"]) {
        let why = "there is no iproute2, or no nftables: kit/install.sh installs them";
        assert!(std::env::var_os("CI").is_none(), "{why}");
        println!("skipped: {why}");
        return None;
    }
    Some(Lab::start(&[Server::Netns]))
}

fn works(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    let status = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// This program once more, in one of the namespaces.
pub(crate) fn inside(namespace: &str) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace]).arg(std::env::current_exe().unwrap());
    command
}
