//! Requests that a proxy is asked for, in place of their origin (RFC 9112, section 3.2.2).

use std::sync::Arc;

use http::StatusCode;

use crate::error::Result;
use crate::h1;
use crate::headers::Headers;
use crate::net::{ProxyRequest, ProxyServer};
use crate::request::PreparedRequest;

/// What the proxy is told beside what the origin is.
pub(super) struct Forward<'a> {
    proxy: &'a Arc<ProxyServer>,
    /// The URL as the request line has it.
    target: String,
    /// The proxy's own fields, those of `proof` before the others.
    fields: Headers,
    /// How many answers to its challenges have been sent.
    answered: usize,
}

impl<'a> Forward<'a> {
    pub(super) fn new(request: &PreparedRequest, proxy: &'a Arc<ProxyServer>) -> Result<Self> {
        let target = request.absolute_target();
        let mut forward = Self { proxy, target, fields: Headers::new(), answered: 0 };
        let proof = match &proxy.proof {
            Some(proof) => proof.at_once(&forward.question(request))?,
            None => None,
        };
        forward.tell(proof)?;
        Ok(forward)
    }

    pub(super) fn proxy(&self) -> &ProxyServer {
        self.proxy
    }

    /// Whether there is something to say to the proxy that may change its mind.
    pub(super) fn answers(
        &mut self,
        request: &PreparedRequest,
        status: StatusCode,
        challenge: &Headers,
    ) -> Result<bool> {
        let is_asked = status == StatusCode::PROXY_AUTHENTICATION_REQUIRED;
        let Some(proof) = self.proxy.proof.as_ref().filter(|_| is_asked) else { return Ok(false) };
        let answer = proof.answer(&self.question(request), challenge)?;
        let is_answered = answer.is_some();
        if is_answered {
            self.answered += 1;
            self.tell(answer)?;
        }
        Ok(is_answered)
    }

    fn question<'q>(&'q self, request: &'q PreparedRequest) -> ProxyRequest<'q> {
        ProxyRequest {
            server: self.proxy,
            method: request.method.as_str(),
            target: &self.target,
            answered: self.answered,
        }
    }

    fn tell(&mut self, proof: Option<Vec<u8>>) -> Result<()> {
        self.fields.clear();
        if let Some(proof) = proof {
            self.fields.append("Proxy-Authorization", proof);
        }
        self.fields.extend(self.proxy.own_fields()?);
        Ok(())
    }

    /// The head as the proxy gets it. What the caller has said for the proxy is replaced by what is
    /// known of it.
    pub(super) fn write_head(&self, request: &PreparedRequest, out: &mut Vec<u8>) -> Result<()> {
        let mut headers = request.headers.clone();
        for (name, _) in &self.fields {
            headers.remove(name);
        }
        headers.extend(&self.fields);
        h1::write_head(out, request.method.as_str(), &self.target, &headers)
    }
}
