//! Whom to trust.

use std::fmt;
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::Arc;

use super::check::{Check, ServerCheck};
use super::pin::Pin;
use crate::error::Result;

/// Whether and against which roots a server's certificate is verified (Requests' `verify`).
///
/// ```no_run
/// use bequest::{Session, Verify};
///
/// bequest::get("https://example.org/").verify("/path/to/ca.pem").send()?; // this request
/// let mut s = Session::new();
/// s.verify = Verify::bundle("/path/to/ca.pem"); // every request of the session
/// s.verify = Verify::bundle("/path/to/ca.pem").and_default(); // these authorities, too
/// # Ok::<(), bequest::Error>(())
/// ```
///
/// What differs in anything of this never shares a connection.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verify {
    /// The roots that the environment names, where it is asked; else Mozilla's, which come with the
    /// crate: [`tls::default_roots`](crate::tls::default_roots).
    #[default]
    Yes,
    /// Nothing is verified: anybody between can read and change what is sent. For tests.
    No,
    /// The operating system's authorities (feature `system-roots`), and no others.
    System,
    /// The certificates in this PEM file, or in the PEM files of this directory, whatever their
    /// names are; and no others. They are read when the first connection needs them, and again when
    /// one has changed.
    Bundle(Arc<Path>),
    /// The certificates in this PEM text, and no others.
    Pem(Arc<[u8]>),
    /// What the methods make of these: several of them, pins, checks of yours.
    Rules(VerifyRules),
}

/// What [`Verify`]'s methods compose.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct VerifyRules(Arc<Rules>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Rules {
    /// Where the roots come from; none of them has rules of its own.
    roots: Vec<Verify>,
    pins: Vec<Pin>,
    checks: Vec<Check>,
}

impl Verify {
    /// The certificates in a PEM file or in a directory of them, and no others.
    pub fn bundle(path: impl Into<PathBuf>) -> Self {
        Self::Bundle(path.into().into())
    }

    /// The certificates in PEM text, and no others.
    ///
    /// # Errors
    /// [`ErrorKind::Tls`](crate::ErrorKind::Tls) if there is none in it that can be a root.
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self> {
        #[cfg(feature = "tls")]
        super::roots::check_pem(pem.as_ref())?;
        Ok(Self::Pem(pem.as_ref().into()))
    }

    /// Mozilla's roots, too, which come with the crate; without it, one's own replace them.
    ///
    /// What is not verified stays so.
    #[must_use]
    pub fn and_default(self) -> Self {
        self.and(Self::Yes)
    }

    /// These roots, too.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        if self == other || self.is_off() {
            return self;
        }
        self.with(|rules| {
            if !rules.roots.contains(&other) {
                rules.roots.push(other);
            }
        })
    }

    /// Only servers that also have one of these keys: SHA-256 of the public key
    /// (`SubjectPublicKeyInfo`) of the server, or of an authority between it and the root, the root
    /// included. As `sha256/` and base64 (curl writes two slashes), or in hexadecimal digits. What
    /// an error shows of a server whose key is not among them is such a pin.
    ///
    /// Over [`Verify::No`] the pin is all there is, and only the server's own key counts: for a
    /// certificate that it made for itself.
    ///
    /// ```
    /// use bequest::Verify;
    ///
    /// let key = "sha256/YZPgTZ+woNCCCIW3LH2CxQeLzB/1m42QcCTBSdgayjs=";
    /// let verify = Verify::Yes.pinned([key])?;
    /// # Ok::<(), bequest::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Tls`](crate::ErrorKind::Tls) for a pin that is none, and for no pin at all.
    pub fn pinned(self, pins: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self> {
        let pins: Vec<Pin> =
            pins.into_iter().map(|pin| Pin::parse(pin.as_ref())).collect::<Result<_>>()?;
        if pins.is_empty() {
            return Err(Pin::missing());
        }
        Ok(self.with(|rules| rules.pins.extend(pins)))
    }

    /// Only servers that a check of yours accepts, too: a function, or a [`ServerCheck`].
    ///
    /// ```
    /// use bequest::{Error, Verify};
    ///
    /// let verify = Verify::Yes.checked_by(|server: &bequest::TlsServer<'_>| {
    ///     let known = server.name().ends_with(".example.org");
    ///     if known { Ok(()) } else { Err(Error::other("not one of ours")) }
    /// });
    /// ```
    #[must_use]
    pub fn checked_by(self, check: impl ServerCheck) -> Self {
        self.with(|rules| rules.checks.push(Check(Arc::new(check))))
    }

    /// Where the roots come from, one after the other.
    pub(super) fn roots(&self) -> &[Self] {
        match self {
            Self::Rules(rules) => &rules.0.roots,
            simple => slice::from_ref(simple),
        }
    }

    #[cfg(feature = "tls")]
    pub(super) fn pins(&self) -> &[Pin] {
        match self {
            Self::Rules(rules) => &rules.0.pins,
            _ => &[],
        }
    }

    #[cfg(feature = "tls")]
    pub(super) fn checks(&self) -> &[Check] {
        match self {
            Self::Rules(rules) => &rules.0.checks,
            _ => &[],
        }
    }

    /// Whether no authority has to vouch for the server, whatever else is asked.
    pub(crate) fn is_off(&self) -> bool {
        self.roots().contains(&Self::No)
    }

    fn with(self, change: impl FnOnce(&mut Rules)) -> Self {
        let mut rules = match self {
            Self::Rules(rules) => rules.0,
            simple => Arc::new(Rules { roots: vec![simple], pins: Vec::new(), checks: Vec::new() }),
        };
        change(Arc::make_mut(&mut rules));
        Self::Rules(VerifyRules(rules))
    }
}

impl fmt::Debug for Verify {
    /// A PEM text is told by its length: it may have many certificates.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yes => f.write_str("Yes"),
            Self::No => f.write_str("No"),
            Self::System => f.write_str("System"),
            Self::Bundle(path) => f.debug_tuple("Bundle").field(path).finish(),
            Self::Pem(pem) => write!(f, "Pem({} bytes)", pem.len()),
            Self::Rules(rules) => rules.fmt(f),
        }
    }
}

impl fmt::Debug for VerifyRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<bool> for Verify {
    fn from(verify: bool) -> Self {
        if verify { Self::Yes } else { Self::No }
    }
}

macro_rules! from_path {
    ($($path:ty)*) => {$(
        impl From<$path> for Verify {
            fn from(path: $path) -> Self {
                Self::bundle(path)
            }
        }
    )*};
}

from_path! { &str String &String &Path PathBuf &PathBuf }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_added_only_where_that_is_asked_for() {
        let own = Verify::bundle("/ca.pem");
        assert_eq!(own.roots(), [Verify::bundle("/ca.pem")]);
        let both = own.clone().and_default();
        assert_eq!(both.roots(), [Verify::bundle("/ca.pem"), Verify::Yes]);
        assert_eq!(both.clone().and_default(), both);
        assert_ne!(both, own);
        assert_eq!(Verify::Yes.and_default(), Verify::Yes);
        assert_eq!(Verify::No.and_default(), Verify::No);
        assert_eq!(Verify::System.and_default().roots(), [Verify::System, Verify::Yes]);
    }

    #[test]
    fn paths_are_bundles_however_they_are_held() {
        let bundle = Verify::bundle("/ca.pem");
        let (text, path) = (String::from("/ca.pem"), PathBuf::from("/ca.pem"));
        assert_eq!(Verify::from(&text), bundle);
        assert_eq!(Verify::from(&path), bundle);
        assert_eq!(Verify::from(text), bundle);
        assert_eq!(Verify::from(path.as_path()), bundle);
        assert_eq!(Verify::from(path), bundle);
    }

    #[test]
    fn it_is_shown_in_a_few_words() {
        assert_eq!(format!("{:?}", Verify::Pem(b"-----BEGIN".as_slice().into())), "Pem(10 bytes)");
        let both = Verify::bundle("/ca.pem").and_default();
        let shown = "Rules { roots: [Bundle(\"/ca.pem\"), Yes], pins: [], checks: [] }";
        assert_eq!(format!("{both:?}"), shown);
    }

    #[test]
    fn rules_are_part_of_what_is_compared() {
        let pin = format!("sha256/{}=", "A".repeat(43));
        let pinned = Verify::Yes.pinned([&pin]).unwrap();
        assert_ne!(pinned, Verify::Yes);
        assert_eq!(pinned, Verify::Yes.pinned([&pin]).unwrap());
        assert_eq!(pinned.roots(), [Verify::Yes]);
        assert!(!pinned.is_off());
        assert!(Verify::No.pinned([&pin]).unwrap().is_off());
        // Two checks are never known to be the same.
        let checked = || Verify::Yes.checked_by(|_: &super::super::TlsServer<'_>| Ok(()));
        let one = checked();
        assert_eq!(one, one.clone());
        assert_ne!(one, checked());
        assert!(Verify::Yes.pinned(Vec::<String>::new()).is_err());
    }
}
