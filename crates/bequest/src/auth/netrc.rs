//! The file .netrc, in which users keep their credentials, host by host.
//!
//! ```text
//! machine example.org login kenneth password "a \"word\" with blanks"
//! default login anonymous password kenneth@example.org
//! ```
//!
//! Read as Python's netrc module does since 3.11: words between blanks, or within quotes; a
//! backslash takes what follows as it is. `#` begins a comment where a keyword is expected, and is a
//! letter like any other in a password.

use std::collections::HashMap;
use std::fmt;

use url::Host;

use super::Basic;

/// Whose credentials are for which host.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct Netrc {
    /// By host, in lower case. The first entry of a host counts, as for ftp and curl.
    machines: HashMap<String, Credentials>,
    default: Option<Credentials>,
}

/// What an entry says; as it is typed, nothing checked.
#[derive(Clone, Default, PartialEq, Eq)]
struct Credentials {
    login: String,
    account: String,
    password: String,
}

impl Netrc {
    /// `None` if the text is malformed: what follows a mistake could be given to the wrong host, so
    /// that nobody gets anything.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::read(text).ok()
    }

    fn read(text: &str) -> Result<Self, Malformed> {
        let mut netrc = Self::default();
        let mut words = Words { rest: text.strip_prefix('\u{feff}').unwrap_or(text) };
        let mut keyword = words.keyword()?;
        while let Some(entry) = keyword {
            match entry.as_str() {
                "machine" => {
                    let name = words.value()?;
                    if name.is_empty() {
                        return Err(Malformed);
                    }
                    let (credentials, next) = words.credentials()?;
                    netrc.machines.entry(host_of(&name)).or_insert(credentials);
                    keyword = next;
                }
                "default" => {
                    let (credentials, next) = words.credentials()?;
                    netrc.default.get_or_insert(credentials);
                    keyword = next;
                }
                "macdef" => {
                    words.skip_macro();
                    keyword = words.keyword()?;
                }
                _ => return Err(Malformed),
            }
        }
        Ok(netrc)
    }

    /// What a host's entry says, or else the default one. An entry that says nothing keeps its host
    /// from the default.
    pub(crate) fn find(&self, host: &str) -> Option<Basic> {
        self.entry(host).or(self.default.as_ref())?.basic()
    }

    /// What a host's own entry says.
    pub(crate) fn find_machine(&self, host: &str) -> Option<Basic> {
        self.entry(host)?.basic()
    }

    /// Requests have to ask this fast: most of them have no such file.
    pub(crate) fn is_empty(&self) -> bool {
        self.machines.is_empty() && self.default.is_none()
    }

    fn entry(&self, host: &str) -> Option<&Credentials> {
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        self.machines.get(&host.to_ascii_lowercase())
    }
}

impl Credentials {
    fn basic(&self) -> Option<Basic> {
        let user = if self.login.is_empty() { &self.account } else { &self.login };
        let says_something = !user.is_empty() || !self.password.is_empty();
        says_something.then(|| Basic::new(user, &self.password))
    }
}

/// As a URL has it, but that an IPv6 address has no brackets.
fn host_of(name: &str) -> String {
    match Host::parse(name) {
        Ok(host) if !name.is_ascii() => host.to_string(),
        _ => name.to_ascii_lowercase(),
    }
}

/// A word that is none of the keywords, or is missing, or whose quote has no end.
struct Malformed;

struct Words<'a> {
    rest: &'a str,
}

impl Words<'_> {
    /// The word that begins something, if there is one, behind all comments.
    fn keyword(&mut self) -> Result<Option<String>, Malformed> {
        loop {
            self.skip_blanks();
            match self.rest.chars().next() {
                None => return Ok(None),
                Some('#') => self.skip_line(),
                Some(_) => return self.value().map(Some),
            }
        }
    }

    /// Any word.
    fn value(&mut self) -> Result<String, Malformed> {
        self.skip_blanks();
        let is_quoted = self.rest.starts_with('"');
        let mut word = String::new();
        let mut chars = self.rest.char_indices().skip(usize::from(is_quoted));
        while let Some((at, char)) = chars.next() {
            match char {
                '\\' => word.extend(chars.next().map(|(_, escaped)| escaped)),
                '"' if is_quoted => {
                    self.rest = self.rest.get(at + 1..).unwrap_or_default();
                    return Ok(word);
                }
                char if !is_quoted && is_blank(char) => {
                    self.rest = self.rest.get(at..).unwrap_or_default();
                    return Ok(word);
                }
                char => word.push(char),
            }
        }
        let is_there = !self.rest.is_empty() && !is_quoted;
        self.rest = "";
        if is_there { Ok(word) } else { Err(Malformed) }
    }

    /// What an entry says, and the keyword behind it.
    fn credentials(&mut self) -> Result<(Credentials, Option<String>), Malformed> {
        let mut said = Credentials::default();
        loop {
            let keyword = self.keyword()?;
            match keyword.as_deref() {
                Some("login" | "user") => said.login = self.value()?,
                Some("account") => said.account = self.value()?,
                Some("password") => said.password = self.value()?,
                _ => return Ok((said, keyword)),
            }
        }
    }

    /// Over commands for ftp: to the first empty line, or to the end.
    fn skip_macro(&mut self) {
        self.skip_line();
        while !self.rest.is_empty() {
            let is_last = self.rest.starts_with('\n') || self.rest.starts_with("\r\n");
            self.skip_line();
            if is_last {
                break;
            }
        }
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(is_blank);
    }

    fn skip_line(&mut self) {
        self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
    }
}

const fn is_blank(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\r' | '\n')
}

impl fmt::Debug for Netrc {
    /// Nothing of what it holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Netrc").finish_non_exhaustive()
    }
}

/// All entries, each word in quotes: read again, they must be the same.
#[cfg(any(fuzzing, test))]
impl fmt::Display for Netrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, said) in &self.machines {
            writeln!(f, "machine {} {said}", quoted(name))?;
        }
        self.default.iter().try_for_each(|said| writeln!(f, "default {said}"))
    }
}

#[cfg(any(fuzzing, test))]
impl fmt::Display for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { login, account, password } = self;
        let [login, account, password] = [login, account, password].map(|word| quoted(word));
        write!(f, "login {login} account {account} # comment\n  password {password}")
    }
}

#[cfg(any(fuzzing, test))]
fn quoted(word: &str) -> String {
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests;
