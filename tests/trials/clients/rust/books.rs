//! The story of a declared collection.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate};
use serde_json::{json, to_value};
use stuff::apis::books_api::{
    create_book, delete_book, get_book, list_books, patch_book, put_book,
};
use stuff::apis::configuration::Configuration;
use stuff::models::book_fields::Language;
use stuff::models::book_medium::Form;
use stuff::models::{
    BookFields, BookMedium, BookPatch, BookPerson, BookPublisher, BookPublisherAddress,
    BookPublisherAddressPatch, BookPublisherPatch,
};

use crate::{quoted, refused};

pub async fn tell(service: &Configuration) {
    let notes = BookFields {
        id: Some("L-7".to_owned()),
        title: "Notes".to_owned(),
        subtitle: Some(Some("On the Analytical Engine".to_owned())),
        year: 1843,
        language: Some(Language::En),
        published: NaiveDate::from_ymd_opt(1843, 9, 1),
        bought: DateTime::parse_from_rfc3339("2026-11-23T12:30:00Z").ok(),
        authors: Some(vec![BookPerson {
            name: "Ada Lovelace".to_owned(),
            born: Some(1815),
        }]),
        chapters: Some(vec![vec!["A".to_owned(), "B".to_owned()], vec![]]),
        publisher: Some(Box::new(BookPublisher {
            name: "Taylor".to_owned(),
            address: Some(Box::new(BookPublisherAddress::new("London".to_owned()))),
        })),
        medium: Some(Box::new(BookMedium {
            pages: Some(66),
            ..BookMedium::new(Form::Paper)
        })),
        ratings: Some(HashMap::from([("Babbage".to_owned(), 4.5)])),
        lent: Some(false),
    };
    let put = async |fields: &BookFields, if_match: Option<&str>| {
        put_book(service, "notes", fields.clone(), if_match, None, None, None).await
    };
    put(&notes, None).await.unwrap();

    let book = get_book(service, "notes", Some(true), None, None, None, None)
        .await
        .unwrap();
    assert_eq!(
        (book._id.as_str(), book.id.as_deref()),
        ("notes", Some("L-7"))
    );
    let mut stored = to_value(&book).unwrap();
    stored.as_object_mut().unwrap().remove("_stuff");
    let mut sent = to_value(&notes).unwrap();
    sent["_id"] = json!("notes");
    assert_eq!(stored, sent);
    let etag = quoted(book._stuff.as_ref().unwrap().etag.as_ref().unwrap());

    let wrong = BookFields {
        id: Some("7".to_owned()),
        ..BookFields::new(" Notes".to_owned(), 1843)
    };
    let problem = refused(422, put(&wrong, None).await);
    assert_eq!(problem.r#type, "/problems/schema-violation");
    let faults = problem.errors.flatten().unwrap();
    let pointers = faults
        .iter()
        .filter_map(|fault| fault.pointer.clone().flatten());
    assert_eq!(
        pointers.collect::<BTreeSet<_>>(),
        ["/id", "/title"].map(str::to_owned).into()
    );
    assert!(faults.iter().all(|fault| !fault.detail.is_empty()));

    // `Some(None)` is null, which removes; what is `None` is not sent, and stays.
    let patch = BookPatch {
        subtitle: Some(None),
        lent: Some(Some(true)),
        publisher: Some(Some(Box::new(BookPublisherPatch {
            address: Some(Some(Box::new(BookPublisherAddressPatch {
                street: Some(Some("Red Lion Court".to_owned())),
                ..Default::default()
            }))),
            ..Default::default()
        }))),
        ..Default::default()
    };
    let patched = patch_book(service, "notes", patch, None, Some(&etag), None, None, None, None)
        .await
        .unwrap();
    assert_eq!((&patched.subtitle, patched.lent), (&None, Some(true)));
    let publisher = json!({
        "name": "Taylor",
        "address": {"city": "London", "street": "Red Lion Court"}
    });
    assert_eq!(to_value(&patched.publisher).unwrap(), publisher);
    assert_eq!(patched.medium, book.medium);

    refused(412, put(&notes, Some(&etag)).await);

    let passages = BookFields::new("Passages".to_owned(), 1864);
    let other = create_book(service, passages, None, None).await.unwrap();
    let (mut titles, mut after) = (vec![], None);
    loop {
        let start: Option<&str> = after.as_deref();
        let page = list_books(service, Some(1), None, None, Some("year"), start, None);
        let page = page.await.unwrap();
        titles.extend(page.items.into_iter().map(|book| book.title));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(titles, ["Notes", "Passages"]);

    for each in ["notes", &other._id] {
        delete_book(service, each, None, None, None).await.unwrap();
    }
}
