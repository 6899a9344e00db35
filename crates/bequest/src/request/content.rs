//! What a builder was given as the body, and the Content-Type that it brings.

use std::fmt;

use bytes::Bytes;

use crate::body::Body;
use crate::body::form::{self, Pairs};
#[cfg(feature = "multipart")]
use crate::body::multipart::{self, Boundary, Part};
use crate::error::{Error, ErrorKind, Result};
use crate::headers::Headers;

#[derive(Clone, Default)]
pub(super) enum Content {
    #[default]
    None,
    Body(Body),
    Form(Pairs),
    #[cfg_attr(not(feature = "json"), expect(dead_code, reason = "only `json` makes one"))]
    Json(Bytes),
    #[cfg(feature = "multipart")]
    Multipart {
        fields: Vec<(String, String)>,
        files: Vec<(String, Part)>,
    },
}

impl Content {
    /// Sets it. What is set twice by the same method is replaced, but for files, which are added; a
    /// form and files go together.
    pub(super) fn set(&mut self, new: Self) -> Result<()> {
        let old = std::mem::take(self);
        *self = match (old, new) {
            (Self::None, new) => new,
            #[cfg(feature = "multipart")]
            (Self::Multipart { fields, mut files }, Self::Multipart { files: more, .. }) => {
                files.extend(more);
                Self::Multipart { fields, files }
            }
            #[cfg(feature = "multipart")]
            (Self::Multipart { files, .. }, Self::Form(Pairs::List(fields)))
            | (Self::Form(Pairs::List(fields)), Self::Multipart { files, .. }) => {
                Self::Multipart { fields, files }
            }
            #[cfg(feature = "multipart")]
            (Self::Form(Pairs::Raw(_)), Self::Multipart { .. })
            | (Self::Multipart { .. }, Self::Form(Pairs::Raw(_))) => {
                return Err(Error::with(
                    ErrorKind::InvalidRequest,
                    "a form that is text already can't go with files",
                )
                .remedied("give its fields as pairs"));
            }
            (old, new) if old.set_by() == new.set_by() => new,
            (old, new) => {
                let what = format!("both `{}` and `{}` set the body", old.set_by(), new.set_by());
                return Err(Error::with(ErrorKind::InvalidRequest, what)
                    .remedied("a request has one body: use one of them"));
            }
        };
        Ok(())
    }

    fn set_by(&self) -> &'static str {
        match self {
            Self::None => "nothing",
            Self::Body(_) => "body",
            Self::Form(_) => "form",
            Self::Json(_) => "json",
            #[cfg(feature = "multipart")]
            Self::Multipart { .. } => "files",
        }
    }

    /// The body. Its Content-Type is put among the headers, unless the caller has one.
    pub(super) fn into_body(self, headers: &mut Headers) -> Result<Body> {
        let mut bring = |mime| {
            if !headers.contains("content-type") {
                headers.append("Content-Type", mime);
            }
        };
        Ok(match self {
            Self::None => Body::empty(),
            Self::Body(body) => body,
            Self::Json(bytes) => {
                bring("application/json");
                bytes.into()
            }
            Self::Form(pairs) => {
                bring("application/x-www-form-urlencoded");
                encode(pairs).into()
            }
            #[cfg(feature = "multipart")]
            Self::Multipart { fields, files } => {
                let boundary = Boundary::agreed(headers)?;
                multipart::body(fields, files, &boundary)?
            }
        })
    }
}

fn encode(pairs: Pairs) -> String {
    match pairs {
        Pairs::List(pairs) => {
            form::encode(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
        }
        Pairs::Raw(text) => text,
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(body) => body.fmt(f),
            other => f.write_str(other.set_by()),
        }
    }
}

#[cfg(test)]
#[cfg(feature = "multipart")]
mod tests;
