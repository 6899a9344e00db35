//! Which domains are everybody's (RFC 6265bis, section 5.7).

/// Whether names below this domain belong to different people: `com`, `co.uk`, `github.io`. What
/// the list does not know is a suffix if it is one label, `localhost` for one.
///
/// What can't be looked up is taken for a suffix: then nobody sets cookies for it.
pub(super) fn is_public(domain: &str) -> bool {
    psl2::lookup(domain).is_none_or(|found| found.is_public_suffix())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_everybody() {
        for (domain, public) in [
            ("com", true),
            ("co.uk", true),
            ("github.io", true),
            ("localhost", true),
            ("an-unknown-top-level", true),
            ("xn--55qx5d.cn", true),
            ("anything.ck", true),
            ("com.", true),
            ("", true),
            (".", true),
            ("a..com", true),
            ("www.ck", false),
            ("example.com", false),
            ("example.com.", false),
            ("me.github.io", false),
            ("www.example.co.uk", false),
            ("something.an-unknown-top-level", false),
            ("127.0.0.1", false),
        ] {
            assert_eq!(is_public(domain), public, "{domain}");
        }
    }
}
