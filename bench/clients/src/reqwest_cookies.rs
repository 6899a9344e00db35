//! reqwest's jar.

use std::sync::Arc;

use reqwest::cookie::Jar;

/// The jar that the mode wants.
pub fn jar(mode: &str) -> Option<Arc<Jar>> {
    let jar = matches!(mode, "session" | "jar").then(Arc::<Jar>::default)?;
    if mode == "jar" {
        harness::cookies_of_sites(|site, name, value| {
            jar.add_cookie_str(&format!("{name}={value}"), &site.parse().expect("a URL"));
        });
    }
    Some(jar)
}
