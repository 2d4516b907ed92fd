//! Values that nobody may read over our shoulder.

use secrecy::{ExposeSecret, SecretString};

#[expect(clippy::unnecessary_wraps, reason = "clap's value parsers return a Result")]
pub fn secret(text: &str) -> Result<SecretString, std::convert::Infallible> {
    Ok(SecretString::from(text))
}

/// An empty variable is as good as none: compose files and units leave such behind.
pub fn given(value: Option<&SecretString>) -> Option<&str> {
    value.map(ExposeSecret::expose_secret).filter(|text| !text.is_empty())
}

pub fn check_secret(problems: &mut Vec<String>, name: &str, value: Option<&SecretString>, bytes_min: usize) {
    match given(value) {
        Some(text) if text.trim().len() < bytes_min => {
            problems.push(format!("{name} is too short: at least {bytes_min} characters"));
        }
        None | Some(_) => {}
    }
}
