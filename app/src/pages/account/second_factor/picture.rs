//! An address as a picture that cameras read, drawn into the page: nothing is stored, and no other place learns of it.

use std::fmt::Write as _;

use leptos::prelude::*;
use qrcode::{Color, EcLevel, QrCode};

/// Light squares around it, as ISO 18004 asks for.
const QUIET: usize = 4;

/// Nothing, should it not fit; the key stands beside it.
pub fn of(address: &str) -> Option<impl IntoView + use<>> {
    let code = QrCode::with_error_correction_level(address, EcLevel::M).ok()?;
    let width = code.width();
    let size = width + 2 * QUIET;
    let mut path = String::new();
    for (place, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            // Writing to a string can't fail.
            let _ = write!(path, "M{} {}h1v1h-1z", place % width + QUIET, place / width + QUIET);
        }
    }
    Some(view! {
        <svg class="qr" viewBox=format!("0 0 {size} {size}") role="img" aria-label="The key, for the camera of your authenticator">
            <path d=path></path>
        </svg>
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_fits_and_a_book_does_not() {
        let drawn =
            of("otpauth://totp/Atlas%20Credits:ana%40example.com?secret=JBSWY3DPEHPK3PXP&issuer=Atlas%20Credits");
        let html = drawn.map_or_else(String::new, |picture| view! { <div>{picture}</div> }.to_html());
        assert!(html.contains("<path d=\"M4 4h1v1h-1zM5 4h1"), "{html}");
        assert!(of(&"x".repeat(10_000)).is_none());
    }
}
