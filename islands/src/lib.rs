//! What runs in the browser. Each island does something that HTML and CSS cannot, on a page that works without it.

pub mod copy;
mod live;
pub mod order_watch;
pub mod page_life;
pub mod print;
pub mod show_password;
pub mod theme;

/// The entry that the page's script calls once the wasm is there.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
