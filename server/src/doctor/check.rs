//! One thing that was looked at, and how all of them are shown.

use anyhow::Result;
use serde_json::{Value, json};

use crate::commands::print::{self, Format};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Good,
    /// Atlas works, and somebody should know.
    Warning,
    /// Atlas does not work, or not as it must.
    Bad,
    /// It could not be looked at, or is not wanted.
    Skipped,
}

impl Verdict {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Bad => "bad",
            Self::Skipped => "skipped",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub subject: &'static str,
    pub verdict: Verdict,
    /// What was found, or why nothing was looked for.
    pub found: String,
    /// What to do about it.
    pub mend: Option<String>,
}

impl Check {
    pub fn good(subject: &'static str, found: impl Into<String>) -> Self {
        Self { subject, verdict: Verdict::Good, found: found.into(), mend: None }
    }

    pub fn skipped(subject: &'static str, because: impl Into<String>) -> Self {
        Self { subject, verdict: Verdict::Skipped, found: because.into(), mend: None }
    }

    pub fn warning(subject: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { subject, verdict: Verdict::Warning, found: found.into(), mend: Some(mend.into()) }
    }

    pub fn bad(subject: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { verdict: Verdict::Bad, ..Self::warning(subject, found, mend) }
    }
}

/// As lines for people, or as JSON.
pub fn print(checks: &[Check], format: Format) -> Result<()> {
    let rows = Value::Array(checks.iter().map(described).collect());
    print::one(format, &rows, &lines(checks))
}

fn described(check: &Check) -> Value {
    json!({
        "subject": check.subject,
        "state": check.verdict.as_str(),
        "found": check.found,
        "mend": check.mend,
    })
}

fn lines(checks: &[Check]) -> String {
    let width = checks.iter().map(|check| check.subject.chars().count()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for check in checks {
        let (state, subject) = (check.verdict.as_str(), check.subject);
        lines.push(format!("{state:7}  {subject:width$}  {}", plain(&check.found)));
        if let Some(mend) = &check.mend {
            lines.push(format!("{:7}  {:width$}  → {}", "", "", plain(mend)));
        }
    }
    let of = |verdict| checks.iter().filter(|check| check.verdict == verdict).count();
    lines.push(format!(
        "{} good, {} skipped, {}, {} bad.",
        of(Verdict::Good),
        of(Verdict::Skipped),
        match of(Verdict::Warning) {
            1 => "1 warning".to_owned(),
            count => format!("{count} warnings"),
        },
        of(Verdict::Bad)
    ));
    lines.join("\n")
}

/// Text of others must not steer the operator's terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_check_is_a_line_and_what_is_wrong_says_how_to_mend_it() {
        let checks =
            [Check::good("Plans", "3 on sale"), Check::bad("Whop key", "it is\x1b[2J wrong", "Set WHOP_API_KEY.")];
        assert_eq!(
            lines(&checks),
            "good     Plans     3 on sale\n\
             bad      Whop key  it is [2J wrong\n\
             \u{20}                  → Set WHOP_API_KEY.\n\
             1 good, 0 skipped, 0 warnings, 1 bad."
        );
    }
}
