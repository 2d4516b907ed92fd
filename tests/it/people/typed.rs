//! What people type into the forms of their account.

use super::*;

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn names_of_every_script_are_kept_as_written(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    for name in
        ["Zoë Ω̃ 李小龍", "مريم", "👩‍👩‍👧‍👦 & <b>Co</b>", "O'Brien \"x\"; drop table", &"字".repeat(80), &"🎉".repeat(80), ""]
    {
        rename(&stage.ctx, &ana, Name::parse("name", &format!("  {name} ")).unwrap()).await.unwrap();
        let shown = stage.again(ana.id()).await;
        assert_eq!(shown.name(), name.trim());
        assert_eq!(shown.display_name(), if name.is_empty() { "ana@example.com" } else { name });
    }
}

/// Postgres and Rust must agree on what lower case is, or signing up with a rare letter would break.
#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn every_email_that_is_taken_can_be_stored(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let emails: Vec<String> = ('\0'..=char::MAX)
        .filter_map(|letter| Email::parse("email", &format!("{letter}@example.com")).ok())
        .map(|email| email.as_str().to_owned())
        .collect();
    assert!(emails.len() > 1_000_000);
    let disputed: Vec<String> =
        sqlx::query_scalar("select email from unnest($1::text[]) email where lower(email) <> email")
            .bind(&emails)
            .fetch_all(&stage.ctx.db)
            .await
            .unwrap();
    assert_eq!(disputed, [""; 0]);
}

#[test]
fn an_email_looks_like_one() {
    for good in ["a@b.c", "ana.maria+tag@sub.example.co", "ü@bücher.example", "very-long@example.museum"] {
        assert_eq!(email(good).as_str(), good);
    }
    let longest = format!("{}@example.com", "a".repeat(242));
    assert_eq!(email(&longest).as_str().len(), 254);
    for bad in [
        "",
        "ana",
        "@example.com",
        "ana@",
        "ana@example",
        "ana@.com",
        "ana@example.",
        "a@b@c.d",
        "a b@example.com",
        "ana@example.com\0",
        "ana@exam\nple.com",
        &format!("{}@example.com", "a".repeat(243)),
        &"x".repeat(10_000),
        &format!("{}@example.com", "ü".repeat(200)),
    ] {
        assert!(Email::parse("email", bad).unwrap_err().of("email").is_some(), "{bad:.30?}");
    }
}

#[test]
fn a_password_is_8_to_128_characters_of_any_kind() {
    for good in ["87ab4321", "pässwörd", "🎉🎉🎉🎉🎉🎉🎉🎉", "        ", "with\0zero", &"ü".repeat(LENGTH_MAX)]
    {
        assert!(NewPassword::parse("password", good).is_ok(), "{good:?}");
    }
    for bad in ["", "1234567", "ääääääá", &"x".repeat(LENGTH_MAX + 1), &"x".repeat(10_000)] {
        assert!(NewPassword::parse("password", bad).is_err(), "{bad:.20?}");
    }
}

#[test]
fn a_password_that_is_tried_first_is_refused() {
    for common in ["password", "12345678", "PassWord1", "qwertyuiop", "iloveyou", " trustno1 "] {
        let said = NewPassword::parse("password", common).err().unwrap();
        assert!(said.of("password").unwrap().contains("most used"), "{common:?}");
    }
    for better in ["password and some more", "trustno1 or anybody"] {
        assert!(NewPassword::parse("password", better).is_ok(), "{better:?}");
    }
}

#[test]
fn a_name_is_at_most_80_characters_without_control_characters() {
    for bad in ["a".repeat(81), "x".repeat(10_000), "zero\0".to_owned(), "two\nlines".to_owned(), "tab\tbed".to_owned()]
    {
        assert!(Name::parse("name", &bad).unwrap_err().of("name").is_some(), "{bad:.20?}");
    }
}
