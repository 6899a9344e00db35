//! Jars on disk.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::time::SystemTime;

use super::cookie::Cookie;
use super::jar::CookieJar;
use super::{atomic, netscape};
use crate::error::{Error, ErrorKind, Result};

/// Ten times of what a full jar needs, roughly.
const LARGEST: u64 = 64 * 1024 * 1024;

/// How cookies are saved and loaded: as JSON, which keeps everything, or as the cookies.txt that
/// curl, wget and Python's `MozillaCookieJar` read and write.
///
/// A file is written beside its place, readable by its owner alone, and then put there: nobody sees
/// half of one. Cookies that end with the session are left out unless
/// [`session_cookies`](Self::session_cookies) says otherwise; those that have expired always are.
///
/// cookies.txt has no place for when a cookie was created and for `SameSite`.
///
/// ```
/// use bequest::{Cookie, CookieFile, CookieJar};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("cookies.txt");
///
/// let jar = CookieJar::new();
/// jar.set("lang", "en", "https://example.org/")?;
/// let file = CookieFile::netscape().session_cookies(true);
/// assert_eq!(file.save(&jar, &path)?, 1);
///
/// let other = CookieJar::new();
/// assert_eq!(file.load(&other, &path)?, 1);
/// assert_eq!(other.get("lang")?.unwrap().value(), "en");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct CookieFile {
    format: Format,
    session_cookies: bool,
    skip_malformed: bool,
}

#[derive(Clone, Copy, Debug)]
enum Format {
    #[cfg(feature = "json")]
    Json,
    Netscape,
}

impl CookieFile {
    /// JSON of Bequest's own, with its version in it (feature `json`).
    #[cfg(feature = "json")]
    pub fn json() -> Self {
        Self::of(Format::Json)
    }

    /// Netscape's cookies.txt, with the `#HttpOnly_` of Mozilla and curl.
    pub fn netscape() -> Self {
        Self::of(Format::Netscape)
    }

    fn of(format: Format) -> Self {
        Self { format, session_cookies: false, skip_malformed: false }
    }

    /// Whether cookies that end with the session are saved, too. They are loaded in any case.
    pub fn session_cookies(mut self, saved: bool) -> Self {
        self.session_cookies = saved;
        self
    }

    /// Whether what is malformed in a file is passed over. Otherwise it is an error, and nothing is
    /// loaded.
    pub fn skip_malformed(mut self, skipped: bool) -> Self {
        self.skip_malformed = skipped;
        self
    }

    /// Writes a jar to a file; says how many cookies that were.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io). An old file is still there then.
    pub fn save(&self, jar: &CookieJar, path: impl AsRef<Path>) -> Result<usize> {
        let path = path.as_ref();
        let saved = atomic::write(path, |out| self.write_to(jar, out));
        saved.map_err(|error: Error| about(path, "can't be written", error))
    }

    /// Writes a jar; says how many cookies that were.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io)
    pub fn write(&self, jar: &CookieJar, mut out: impl Write) -> Result<usize> {
        self.write_to(jar, &mut out)
    }

    fn write_to(&self, jar: &CookieJar, out: &mut dyn Write) -> Result<usize> {
        let mut cookies = jar.snapshot(SystemTime::now());
        cookies.retain(|cookie| self.session_cookies || cookie.expires.is_some());
        match self.format {
            #[cfg(feature = "json")]
            Format::Json => {
                let file = super::json::write(cookies.iter());
                serde_json::to_writer_pretty(&mut *out, &file).map_err(std::io::Error::from)?;
                out.write_all(b"\n")?;
            }
            Format::Netscape => {
                netscape::write_head(out)?;
                for cookie in &cookies {
                    netscape::write(out, cookie)?;
                }
            }
        }
        out.flush()?;
        Ok(cookies.len())
    }

    /// Puts the cookies of a file into a jar, over those that are the same; says how many they were.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io);
    /// [`ErrorKind::InvalidCookie`](crate::ErrorKind::InvalidCookie), with the line or the number of
    /// the cookie and the rule, if something is malformed; [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge)
    /// beyond 64 MiB. The jar is as before then.
    pub fn load(&self, jar: &CookieJar, path: impl AsRef<Path>) -> Result<usize> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|error| {
            Error::with(ErrorKind::Io, format!("`{}` can't be read", path.display())).because(error)
        })?;
        self.read(jar, file).map_err(|error| about(path, "can't be read", error))
    }

    /// The same from a reader, to its end.
    ///
    /// # Errors
    /// As [`load`](Self::load) has them.
    pub fn read(&self, jar: &CookieJar, input: impl Read) -> Result<usize> {
        self.read_at(jar, input, SystemTime::now())
    }

    pub(super) fn read_at(
        &self,
        jar: &CookieJar,
        input: impl Read,
        now: SystemTime,
    ) -> Result<usize> {
        let mut text = Vec::new();
        input.take(LARGEST + 1).read_to_end(&mut text)?;
        if text.len() as u64 > LARGEST {
            let what = format!("a file of cookies has at most {LARGEST} bytes");
            return Err(Error::with(ErrorKind::TooLarge, what)
                .remedied("look whether it is one; a full jar needs far less"));
        }
        // A jar of its own, so that all come or none, and that they can't be too many.
        let loaded = CookieJar::new();
        match self.format {
            #[cfg(feature = "json")]
            Format::Json => self.read_json(&loaded, &text, now)?,
            Format::Netscape => self.read_lines(&loaded, &text, now)?,
        }
        let loaded = loaded.snapshot(now);
        let count = loaded.len();
        loaded.into_iter().for_each(|cookie| jar.insert_at(cookie, now));
        Ok(count)
    }

    fn read_lines(&self, jar: &CookieJar, text: &[u8], now: SystemTime) -> Result<()> {
        for (number, line) in text.split(|&byte| byte == b'\n').enumerate() {
            if let Some(read) = netscape::read(line, now) {
                let place = || format!("line {}", number + 1);
                self.take(jar, read, place, now)?;
            }
        }
        Ok(())
    }

    #[cfg(feature = "json")]
    fn read_json(&self, jar: &CookieJar, text: &[u8], now: SystemTime) -> Result<()> {
        let file: serde_json::Value = serde_json::from_slice(text).map_err(|error| {
            Error::with(ErrorKind::InvalidCookie, "the cookies are not JSON").because(error)
        })?;
        let list = super::json::list(&file).map_err(|rule| {
            Error::with(ErrorKind::InvalidCookie, format!("the file of cookies: {rule}"))
                .remedied("load what `CookieFile::json` has saved")
        })?;
        for (number, entry) in list.iter().enumerate() {
            let place = || format!("cookie {}", number + 1);
            self.take(jar, super::json::read(entry), place, now)?;
        }
        Ok(())
    }

    fn take(
        &self,
        jar: &CookieJar,
        read: Result<Cookie, String>,
        place: impl Fn() -> String,
        now: SystemTime,
    ) -> Result<()> {
        match read {
            Ok(cookie) => jar.insert_at(cookie, now),
            Err(_) if self.skip_malformed => {}
            Err(rule) => {
                let what = format!("the file of cookies, {}: {rule}", place());
                return Err(Error::with(ErrorKind::InvalidCookie, what)
                    .remedied("correct it, or pass over such by `skip_malformed(true)`"));
            }
        }
        Ok(())
    }
}

/// The error, with the file that it is about.
fn about(path: &Path, what: &str, error: Error) -> Error {
    Error::with(error.kind(), format!("`{}` {what}", path.display())).because(error)
}
