//! Reading what a browser brings back from the authorisation server. Pure: nothing here knows what is true.

use reqwest::Url;
use secrecy::SecretString;

/// Longer addresses are nobody's we know.
const QUERY_BYTES_MAX: usize = 4_096;
const CODE_BYTES_MAX: usize = 1_024;
/// Ours are 256 bits in base64url.
const STATE_CHARS: usize = 43;
const ERROR_BYTES_MAX: usize = 100;

/// What came back.
#[derive(Debug, Clone)]
pub enum Returned {
    Code {
        code: SecretString,
        state: String,
    },
    /// The person said no, or the server did.
    Error {
        error: String,
        state: String,
    },
}

impl Returned {
    pub fn state(&self) -> &str {
        match self {
            Self::Code { state, .. } | Self::Error { state, .. } => state,
        }
    }
}

/// Why it can't be an answer to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("query_form")]
    Form,
    #[error("query_twice")]
    Twice,
    #[error("query_state")]
    State,
    #[error("query_issuer")]
    Issuer,
}

/// Reads the query of `/api/whop/callback`. Each parameter may stand there once; an issuer, where one is named (RFC 9207), has to be
/// ours.
pub fn parse(query: &str, issuer: &str) -> Result<Returned, Malformed> {
    if query.len() > QUERY_BYTES_MAX {
        return Err(Malformed::Form);
    }
    let mut url = Url::parse("https://callback.invalid/").map_err(|_| Malformed::Form)?;
    url.set_query(Some(query));
    let (mut code, mut state, mut error, mut iss) = (None, None, None, None);
    for (name, value) in url.query_pairs() {
        let place = match &*name {
            "code" => &mut code,
            "state" => &mut state,
            "error" => &mut error,
            "iss" => &mut iss,
            _ => continue,
        };
        if place.replace(value.into_owned()).is_some() {
            return Err(Malformed::Twice);
        }
    }
    if iss.is_some_and(|iss| iss != issuer) {
        return Err(Malformed::Issuer);
    }
    let state = state.filter(|state| is_state(state)).ok_or(Malformed::State)?;
    match (code, error) {
        (Some(code), None) if is_visible(&code, CODE_BYTES_MAX) => {
            Ok(Returned::Code { code: SecretString::from(code), state })
        }
        (None, Some(error)) if is_visible(&error, ERROR_BYTES_MAX) => Ok(Returned::Error { error, state }),
        _ => Err(Malformed::Form),
    }
}

fn is_state(text: &str) -> bool {
    text.len() == STATE_CHARS && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// RFC 6749, appendix A: printable ASCII.
fn is_visible(text: &str, bytes_max: usize) -> bool {
    (1..=bytes_max).contains(&text.len()) && text.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;
    use secrecy::ExposeSecret as _;

    use super::*;

    const ISSUER: &str = "https://api.whop.com";
    const STATE: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDE-_";

    fn refused(query: &str) -> Malformed {
        parse(query, ISSUER).unwrap_err()
    }

    #[test]
    fn a_code_or_an_error_is_read_with_its_state() {
        for query in [
            format!("code=oac_1&state={STATE}"),
            format!("state={STATE}&code=oac%5F1&extra=1"),
            format!("code=oac_1&state={STATE}&iss=https%3A%2F%2Fapi.whop.com"),
        ] {
            let Returned::Code { code, state } = parse(&query, ISSUER).unwrap() else { panic!("{query}") };
            assert_eq!((code.expose_secret(), state.as_str()), ("oac_1", STATE));
        }
        let denied = parse(&format!("error=access_denied&error_description=No&state={STATE}"), ISSUER).unwrap();
        assert!(matches!(denied, Returned::Error { error, .. } if error == "access_denied"));
    }

    #[test]
    fn t48_what_can_be_read_in_two_ways_is_refused() {
        assert_eq!(refused(&format!("code=a&code=b&state={STATE}")), Malformed::Twice);
        assert_eq!(refused(&format!("code=a&state={STATE}&state={STATE}")), Malformed::Twice);
        assert_eq!(refused(&format!("code=a&error=access_denied&state={STATE}")), Malformed::Form);
        for query in [format!("state={STATE}"), format!("code=&state={STATE}"), format!("code=%00&state={STATE}")] {
            assert_eq!(refused(&query), Malformed::Form, "{query}");
        }
        assert_eq!(refused(&format!("code={}&state={STATE}", "a".repeat(CODE_BYTES_MAX + 1))), Malformed::Form);
        assert_eq!(refused(&"a".repeat(QUERY_BYTES_MAX + 1)), Malformed::Form);
        for state in ["", "a", &STATE[1..], &format!("{STATE}a"), &format!("%20{}", &STATE[1..])] {
            assert_eq!(refused(&format!("code=a&state={state}")), Malformed::State, "{state}");
        }
        assert_eq!(refused("code=a"), Malformed::State);
    }

    #[test]
    fn t49_an_answer_of_another_issuer_is_refused() {
        for iss in ["https%3A%2F%2Fevil.example", "https%3A%2F%2Fapi.whop.com%2F", "", "HTTPS%3A%2F%2Fapi.whop.com"] {
            assert_eq!(refused(&format!("code=a&state={STATE}&iss={iss}")), Malformed::Issuer, "{iss}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(query in ".{0,300}") {
            if let Ok(returned) = parse(&query, ISSUER) {
                prop_assert_eq!(returned.state().len(), STATE_CHARS);
            }
        }
    }
}
