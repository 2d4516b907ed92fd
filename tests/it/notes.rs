//! Notes about people and orders: written by those who look after Atlas, never changed, forgotten with the person.

use atlas::audit::Origin;
use atlas::notes::{About, TEXT_LENGTH_MAX, Text, add, list};
use atlas::people::export::{Form, export};
use atlas::people::roles::Support;
use atlas::{Error, ids};
use domain::{OrderId, PersonId};
use sqlx::PgPool;

use crate::stage::Stage;
use crate::stage::boss::admin;

fn text(text: &str) -> Text {
    Text::parse("text", text).unwrap()
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn notes_stand_where_they_belong_the_newest_first_and_nobody_changes_one(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben, boss) = (stage.buyer("ana").await, stage.buyer("ben").await, admin(&stage, "boss").await);
    let support = Support::prove(boss.0.person().clone()).unwrap();
    let order = stage.starts_checkout(&ana, "starter").await.id;
    let writes = async |about, words: &str| add(&stage.ctx, &support, &Origin::NONE, about, &text(words)).await;
    let read = async |about| {
        let notes = list(&stage.ctx.db, &support, about).await.unwrap();
        notes.into_iter().map(|note| note.text).collect::<Vec<_>>()
    };
    writes(About::Person(ana.id()), "Called <b>twice</b>").await.unwrap();
    writes(About::Person(ana.id()), "Second\r\nline").await.unwrap();
    writes(About::Order(order), "About the order").await.unwrap();
    let some = |words: &str| Some(words.to_owned());
    assert_eq!(read(About::Person(ana.id())).await, [some("Second\nline"), some("Called <b>twice</b>")]);
    assert_eq!(read(About::Order(order)).await, [some("About the order")]);
    assert!(read(About::Person(ben.id())).await.is_empty());
    for nobody in [About::Person(PersonId::from_uuid(ids::fresh())), About::Order(OrderId::from_uuid(ids::fresh()))] {
        assert!(matches!(writes(nobody, "Lost").await, Err(Error::NotFound)));
    }
    let audited =
        "select count(*) from audit_entries where deed = 'note_added' and position('twice' in change::text) = 0";
    assert_eq!(stage.count(audited).await, 3);
    for sql in ["update notes set text = 'x'", "delete from notes", "truncate notes"] {
        let refused = sqlx::query(sql).execute(&stage.ctx.db).await.unwrap_err();
        assert_eq!(refused.as_database_error().unwrap().code().unwrap(), "42501", "{sql}");
    }
    let told = export(&stage.ctx, &ana, Form::Json, &Origin::NONE).await.unwrap().notes;
    assert_eq!((told.as_array().unwrap().len(), told[2]["text"].as_str()), (3, Some("About the order")));

    sqlx::query("select forget_notes($1)").bind(ana.id()).execute(&stage.ctx.db).await.unwrap();
    assert_eq!(read(About::Person(ana.id())).await, [None, None], "that they were written stays");
    assert_eq!(read(About::Order(order)).await, [None]);
}

#[test]
fn a_note_is_one_to_2000_characters_and_has_no_control_characters() {
    for bad in ["", " \r\n ", "zero\0", "bell\u{7}", &"a".repeat(TEXT_LENGTH_MAX + 1)] {
        assert!(Text::parse("text", bad).is_err(), "{bad:.20}");
    }
    assert!(Text::parse("text", &"🎉".repeat(TEXT_LENGTH_MAX)).is_ok());
}
