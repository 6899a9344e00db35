use std::time::Duration;

use super::*;

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn decided(own: Settings, said: [&SendOptions; 2]) -> Settings {
    let mut own = own;
    own.decide(said.map(Some), Instant::now()).unwrap();
    own
}

#[test]
fn what_is_said_closest_to_the_sending_wins() {
    let nothing = SendOptions::new();
    let session = SendOptions::new().stream(true).verify(false).timeout(secs(5)).max_content(7);
    let request = SendOptions::new().verify(true).timeout(Timeout::new().read(secs(1)));
    let own = decided(Settings::default(), [&session, &nothing]);
    let said = [[&request, &nothing], [&nothing, &request]].map(|said| decided(own.clone(), said));
    for merged in said.into_iter().chain([decided(Settings::default(), [&session, &request])]) {
        assert!(merged.stream);
        assert_eq!(merged.verify, Verify::Yes);
        assert_eq!(merged.timeout.connect_limit(), Some(secs(5)));
        assert_eq!(merged.timeout.read_limit(), Some(secs(1)));
        assert_eq!(merged.max_content, Some(7));
    }
    let unlimited = SendOptions::new().max_content(None);
    assert_eq!(decided(own, [&request, &unlimited]).max_content, None);
    let default = decided(Settings::default(), [&nothing; 2]);
    assert_eq!((default.stream, default.deadline), (false, None));
    assert_eq!(default.max_content, Some(MAX_CONTENT));
}

/// Exhaustive as the rest: a new setting must be named here, and then in the document.
#[test]
#[cfg(feature = "http2")]
fn every_setting_is_documented() {
    macro_rules! names {
        ($($name:ident),*) => {{
            let Said { $($name: _),* } = Said::default();
            [$(stringify!($name)),*]
        }};
    }
    let document = include_str!("../../../../docs/settings.md");
    for name in names!(
        stream,
        timeout,
        verify,
        cert,
        proxies,
        unix_socket,
        max_content,
        on_progress,
        text_is_latin1,
        detector,
        allow_redirects,
        max_redirects,
        redirect_policy,
        sensitive_headers,
        https_only,
        retry,
        cancel,
        http_versions
    ) {
        assert!(document.contains(&format!("\n| `{name}` |")), "{name}");
    }
}

#[test]
fn a_wait_ends_with_its_own_limit_or_with_the_total() {
    let now = Instant::now();
    let settings = |total| {
        let options = SendOptions::new().timeout(Timeout::new().total(total));
        let mut settings = Settings::default();
        settings.decide([Some(&options), None], now).unwrap();
        settings
    };
    let at = |limit| Some(now + secs(limit));
    assert_eq!(settings(secs(9)).until(now, Some(secs(5))), (at(5), false));
    assert_eq!(settings(secs(3)).until(now, Some(secs(5))), (at(3), true));
    assert_eq!(settings(secs(3)).until(now, None), (at(3), true));
    let endless = decided(Settings::default(), [&SendOptions::new(); 2]);
    assert_eq!(endless.until(now, None), (None, false));
    assert_eq!(endless.until(now, Some(Duration::MAX)), (None, false));
}
