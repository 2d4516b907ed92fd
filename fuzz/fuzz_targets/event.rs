//! The body of an authentic delivery: read, or not an event, but never a panic, and money is within what the ledger takes
//! (T11, T12, T22, T31).

#![no_main]

use atlas::events::Content;
use atlas::providers::whop::webhook::read;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(event) = read(data) else { return };
    assert!((1..=100).contains(&event.kind.len()) && !event.kind.contains('\0'));
    assert!(event.object_id.as_ref().is_none_or(|id| !id.contains('\0') && id.len() <= 300));
    if let Content::Fact(fact) = &event.content {
        assert!(!fact.id().is_empty());
    }
    // The same bytes mean the same each time.
    assert_eq!(read(data).map(|again| format!("{:?}", again.content)).ok(), Some(format!("{:?}", event.content)));
});
