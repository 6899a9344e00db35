//! Status codes by their names (Requests' `codes`).
//!
//! ```
//! use bequest::codes;
//!
//! # let server = testbed::Testbed::start();
//! # let url = server.url("/get");
//! let r = bequest::get(&url).send()?;
//! assert_eq!(r.status(), codes::OK);
//! assert_eq!(codes::get("teapot"), Some(codes::IM_A_TEAPOT));
//! # Ok::<(), bequest::Error>(())
//! ```
//!
//! The names are Requests', with its aliases, but for one: `early_hints` is 103, as it is registered,
//! and not 102.

use http::StatusCode;

macro_rules! codes {
    ($($code:literal: $($name:ident)+ $(, $($sign:literal)+)?;)+) => {
        $($(
            #[doc = concat!("Status ", $code, ".")]
            pub const $name: StatusCode = code($code);
        )+)+

        /// Names in the order of their codes.
        const NAMES: &[(&str, StatusCode)] = &[
            $($((stringify!($name), code($code)),)+ $($(($sign, code($code)),)+)?)+
        ];
    };
}

codes! {
    100: CONTINUE;
    101: SWITCHING_PROTOCOLS;
    102: PROCESSING;
    103: EARLY_HINTS CHECKPOINT;
    122: REQUEST_URI_TOO_LONG;
    200: OK OKAY ALL_OK ALL_OKAY ALL_GOOD, "\\o/" "✓";
    201: CREATED;
    202: ACCEPTED;
    203: NON_AUTHORITATIVE_INFO NON_AUTHORITATIVE_INFORMATION;
    204: NO_CONTENT;
    205: RESET_CONTENT RESET;
    206: PARTIAL_CONTENT PARTIAL;
    207: MULTI_STATUS MULTIPLE_STATUS MULTI_STATI MULTIPLE_STATI;
    208: ALREADY_REPORTED;
    226: IM_USED;
    300: MULTIPLE_CHOICES;
    301: MOVED_PERMANENTLY MOVED, "\\o-";
    302: FOUND;
    303: SEE_OTHER OTHER;
    304: NOT_MODIFIED;
    305: USE_PROXY;
    306: SWITCH_PROXY;
    307: TEMPORARY_REDIRECT TEMPORARY_MOVED TEMPORARY;
    308: PERMANENT_REDIRECT RESUME_INCOMPLETE RESUME;
    400: BAD_REQUEST BAD;
    401: UNAUTHORIZED;
    402: PAYMENT_REQUIRED PAYMENT;
    403: FORBIDDEN;
    404: NOT_FOUND, "-o-";
    405: METHOD_NOT_ALLOWED NOT_ALLOWED;
    406: NOT_ACCEPTABLE;
    407: PROXY_AUTHENTICATION_REQUIRED PROXY_AUTH PROXY_AUTHENTICATION;
    408: REQUEST_TIMEOUT TIMEOUT;
    409: CONFLICT;
    410: GONE;
    411: LENGTH_REQUIRED;
    412: PRECONDITION_FAILED;
    413: REQUEST_ENTITY_TOO_LARGE CONTENT_TOO_LARGE;
    414: REQUEST_URI_TOO_LARGE URI_TOO_LONG;
    415: UNSUPPORTED_MEDIA_TYPE UNSUPPORTED_MEDIA MEDIA_TYPE;
    416: REQUESTED_RANGE_NOT_SATISFIABLE REQUESTED_RANGE RANGE_NOT_SATISFIABLE;
    417: EXPECTATION_FAILED;
    418: IM_A_TEAPOT TEAPOT I_AM_A_TEAPOT;
    421: MISDIRECTED_REQUEST;
    422: UNPROCESSABLE_ENTITY UNPROCESSABLE UNPROCESSABLE_CONTENT;
    423: LOCKED;
    424: FAILED_DEPENDENCY DEPENDENCY;
    425: UNORDERED_COLLECTION UNORDERED TOO_EARLY;
    426: UPGRADE_REQUIRED UPGRADE;
    428: PRECONDITION_REQUIRED PRECONDITION;
    429: TOO_MANY_REQUESTS TOO_MANY;
    431: HEADER_FIELDS_TOO_LARGE FIELDS_TOO_LARGE;
    444: NO_RESPONSE NONE;
    449: RETRY_WITH RETRY;
    450: BLOCKED_BY_WINDOWS_PARENTAL_CONTROLS PARENTAL_CONTROLS;
    451: UNAVAILABLE_FOR_LEGAL_REASONS LEGAL_REASONS;
    499: CLIENT_CLOSED_REQUEST;
    500: INTERNAL_SERVER_ERROR SERVER_ERROR, "/o\\" "✗";
    501: NOT_IMPLEMENTED;
    502: BAD_GATEWAY;
    503: SERVICE_UNAVAILABLE UNAVAILABLE;
    504: GATEWAY_TIMEOUT;
    505: HTTP_VERSION_NOT_SUPPORTED HTTP_VERSION;
    506: VARIANT_ALSO_NEGOTIATES;
    507: INSUFFICIENT_STORAGE;
    509: BANDWIDTH_LIMIT_EXCEEDED BANDWIDTH;
    510: NOT_EXTENDED;
    511: NETWORK_AUTHENTICATION_REQUIRED NETWORK_AUTH NETWORK_AUTHENTICATION;
}

const fn code(number: u16) -> StatusCode {
    match StatusCode::from_u16(number) {
        Ok(code) => code,
        // Only the constants above are made here: the compiler would say it.
        Err(_) => panic!("not a status code"),
    }
}

/// The code of a name, in upper or lower case; also of the signs that Requests knows: `\\o/`, `✓`,
/// `\\o-`, `-o-`, `/o\\`, `✗`.
pub fn get(name: &str) -> Option<StatusCode> {
    let found = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, code)| *code)
}

/// The names of a code in lower case, the usual one first; none for a code without one.
pub fn names(code: StatusCode) -> impl Iterator<Item = String> {
    NAMES.iter().filter(move |(_, known)| *known == code).map(|(name, _)| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_codes() {
        for (name, number) in [
            ("ok", 200),
            ("OK", 200),
            ("\\o/", 200),
            ("\u{2713}", 200),
            ("not_found", 404),
            ("-o-", 404),
            ("/o\\", 500),
            ("uri_too_long", 414),
            ("request_uri_too_long", 122),
            ("precondition", 428),
            ("early_hints", 103),
            ("checkpoint", 103),
        ] {
            assert_eq!(get(name).map(|code| code.as_u16()), Some(number), "{name}");
        }
        assert_eq!(get("nope"), None);
        assert_eq!((OK, TEAPOT), (StatusCode::OK, StatusCode::IM_A_TEAPOT));
    }

    #[test]
    fn codes_have_names() {
        let names = |number| names(StatusCode::from_u16(number).unwrap()).collect::<Vec<_>>();
        assert_eq!(names(404), ["not_found", "-o-"]);
        assert_eq!(names(308), ["permanent_redirect", "resume_incomplete", "resume"]);
        assert_eq!(names(799), [""; 0]);
    }

    #[test]
    fn no_name_has_two_codes() {
        for (at, (name, _)) in NAMES.iter().enumerate() {
            let again = NAMES[at + 1..].iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
            assert!(!again, "{name}");
        }
    }
}
