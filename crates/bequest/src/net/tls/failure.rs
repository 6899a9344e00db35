//! Whether a failed handshake may go better the next time.

#[cfg(feature = "tls")]
use std::io;

#[cfg(feature = "tls")]
use rustls::AlertDescription;

use crate::error::Error;

/// What kind of failure an error of [`ErrorKind::Tls`](crate::error::ErrorKind::Tls) is.
#[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "without TLS it is always the same"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The connection was lost.
    Lost,
    /// One side did not understand the other, or did not want to.
    Protocol,
    /// A certificate is not trusted, or something is set that can't be used: it stays like that.
    Final,
}

/// Goes by the cause. What it does not know is final: to try again what was refused for a reason
/// is worse than not to.
#[cfg(feature = "tls")]
pub(crate) fn failure(error: &Error) -> Failure {
    let cause = std::error::Error::source(error);
    // Where it is told in other words, those stand between.
    let cause =
        cause.and_then(|cause| cause.downcast_ref().or_else(|| cause.source()?.downcast_ref()));
    let Some(cause): Option<&io::Error> = cause else { return Failure::Final };
    let inner = cause.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(rustls::Error::AlertReceived(alert)) if is_of_certificate(*alert) => Failure::Final,
        Some(
            rustls::Error::AlertReceived(_)
            | rustls::Error::DecryptError
            | rustls::Error::InappropriateHandshakeMessage { .. }
            | rustls::Error::InappropriateMessage { .. }
            | rustls::Error::InvalidMessage(_)
            | rustls::Error::PeerIncompatible(_)
            | rustls::Error::PeerMisbehaved(_)
            | rustls::Error::PeerSentOversizedRecord,
        ) => Failure::Protocol,
        Some(_) => Failure::Final,
        None => match cause.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::NotConnected
            | io::ErrorKind::TimedOut
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable => Failure::Lost,
            _ => Failure::Final,
        },
    }
}

/// Without TLS there is but one failure: that it is missing.
#[cfg(not(feature = "tls"))]
pub(crate) fn failure(_: &Error) -> Failure {
    Failure::Final
}

/// Whether the server has refused our certificate, or that there is none.
#[cfg(feature = "tls")]
fn is_of_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::AccessDenied
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRequired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::NoCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::UnsupportedCertificate
    )
}

#[cfg(all(test, feature = "tls"))]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn of(cause: io::Error) -> Failure {
        let plain = Error::with(ErrorKind::Tls, "no secure connection").because(cause);
        failure(&plain)
    }

    fn by_rustls(error: rustls::Error) -> Failure {
        of(io::Error::new(io::ErrorKind::InvalidData, error))
    }

    #[test]
    fn certificates_stay_what_they_are() {
        use rustls::{CertificateError, Error as Tls};
        for error in [
            Tls::InvalidCertificate(CertificateError::Expired),
            Tls::InvalidCertificate(CertificateError::UnknownIssuer),
            Tls::AlertReceived(AlertDescription::CertificateRequired),
            Tls::AlertReceived(AlertDescription::UnknownCA),
            Tls::NoCertificatesPresented,
            Tls::General("unforeseen".into()),
        ] {
            assert_eq!(by_rustls(error.clone()), Failure::Final, "{error}");
        }
        for error in [
            Tls::AlertReceived(AlertDescription::InternalError),
            Tls::AlertReceived(AlertDescription::HandshakeFailure),
            Tls::InvalidMessage(rustls::InvalidMessage::InvalidContentType),
            Tls::DecryptError,
        ] {
            assert_eq!(by_rustls(error.clone()), Failure::Protocol, "{error}");
        }
    }

    #[test]
    fn a_connection_may_be_lost() {
        assert_eq!(of(io::ErrorKind::UnexpectedEof.into()), Failure::Lost);
        assert_eq!(of(io::Error::from_raw_os_error(104)), Failure::Lost);
        assert_eq!(of(io::ErrorKind::NotFound.into()), Failure::Final, "a file");
        assert_eq!(failure(&Error::with(ErrorKind::Tls, "x")), Failure::Final);
    }
}
