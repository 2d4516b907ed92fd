//! Cookies of a stranger: a session id is 128 bits or none, and a device's token what we make or none (T43, T45).

#![no_main]

use atlas::people::devices::DeviceToken;
use atlas::people::sessions::id_hash;
use libfuzzer_sys::fuzz_target;
use tower_sessions::session::Id;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for cookie in text.split(';') {
        let value = cookie.trim().split_once('=').map_or(cookie, |(_, value)| value);
        if let Ok(id) = value.parse::<Id>() {
            assert_eq!(id.to_string().parse::<Id>().map(|id| id.0), Ok(id.0));
            assert_eq!(id_hash(id.0).len(), 32);
        }
        if let Some(token) = DeviceToken::parse(value) {
            assert!(token.as_str().bytes().all(|byte| byte.is_ascii_graphic() && byte != b';'));
        }
    }
});
