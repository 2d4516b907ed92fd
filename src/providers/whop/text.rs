//! Text that comes from outside, made fit to keep: `PostgreSQL` can't store a null character, and a page should not
//! show one that turns the line around.

/// What a message is cut to, in characters.
pub const MESSAGE_CHARS_MAX: usize = 300;
const ID_BYTES_MAX: usize = 255;
const TITLE_CHARS_MAX: usize = 30;

/// Whether it is an id as Whop makes them (a prefix, then letters and digits), and as safe in a path as in a column.
pub fn is_id(text: &str) -> bool {
    (1..=ID_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// One line without control and direction characters, at most [`MESSAGE_CHARS_MAX`] long. None if nothing is left.
pub fn clean(text: &str) -> Option<String> {
    let kept: String = text
        .chars()
        .map(|letter| if letter.is_whitespace() { ' ' } else { letter })
        .filter(|letter| !letter.is_control() && !turns_direction(*letter))
        .take(MESSAGE_CHARS_MAX)
        .collect();
    let kept = kept.trim();
    (!kept.is_empty()).then(|| kept.to_owned())
}

/// Whop takes titles of plans of at most 30 characters.
pub fn short_title(title: &str) -> String {
    let title = clean(title).unwrap_or_default();
    if title.chars().count() <= TITLE_CHARS_MAX {
        title
    } else {
        title.chars().take(TITLE_CHARS_MAX - 1).chain(['…']).collect()
    }
}

const fn turns_direction(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_lose_what_can_not_be_kept() {
        assert_eq!(clean("Your card\u{0} was\ndeclined.\u{202e}").as_deref(), Some("Your card was declined."));
        assert_eq!(clean(" \u{0}\t"), None);
        assert_eq!(clean(&"é".repeat(500)).map(|text| text.chars().count()), Some(MESSAGE_CHARS_MAX));
    }

    #[test]
    fn ids_are_plain() {
        assert!(is_id("pay_Ex0001") && is_id("A1B2-C3"));
        for odd in ["", "..", "pay_1/refund", "pay 1", "pay_\u{0}", "pay_é", &"a".repeat(256)] {
            assert!(!is_id(odd), "{odd:?}");
        }
    }
}
