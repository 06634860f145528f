//! The stories, by the client of openapi-generator.

#![deny(warnings)]

mod books;

use std::collections::HashMap;
use std::env;

use http::{Extensions, HeaderValue, Method, header::CONTENT_TYPE};
use reqwest::{Client, Request, Response};
use reqwest_middleware::{ClientBuilder, Middleware, Next};
use serde_json::{Value, from_value, json};
use stuff::apis::Error;
use stuff::apis::configuration::Configuration;
use stuff::apis::documents_api::{
    create_document, delete_document, get_document, get_documents, patch_document, put_document,
};
use stuff::models::Problem;

/// The client names every body `application/json`, which is no format of patches.
struct MergePatch;

#[async_trait::async_trait]
impl Middleware for MergePatch {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        if request.method() == Method::PATCH {
            let form = HeaderValue::from_static("application/merge-patch+json");
            request.headers_mut().insert(CONTENT_TYPE, form);
        }
        next.run(request, extensions).await
    }
}

/// The problem with which a call was refused.
fn refused<T: std::fmt::Debug, E: std::fmt::Debug>(
    status: u16,
    result: Result<T, Error<E>>,
) -> Problem {
    match result {
        Err(Error::ResponseError(response)) => {
            assert_eq!(response.status, status, "{}", response.content);
            serde_json::from_str(&response.content).unwrap()
        }
        other => panic!("it was not refused: {other:?}"),
    }
}

async fn documents(service: &Configuration) {
    let fields = |value: Value| from_value::<HashMap<String, Value>>(value).unwrap();
    let ada = json!({
        "name": "Ada",
        "born": 1815,
        "height": 1.5,
        "works": [{"title": "Notes", "pages": [1, 2]}, []],
        "address": {"city": "London", "rooms": {}},
        "died": null
    });
    let created = create_document(service, fields(ada.clone()), None, None)
        .await
        .unwrap();
    let id = created["_id"].as_str().unwrap();
    let get = async |meta| {
        get_document(service, id, meta, None, None, None, None, None, None, None).await
    };
    let mut expected = fields(ada);
    expected.insert("_id".to_owned(), json!(id));
    assert_eq!(get(None).await.unwrap(), expected);

    let etag = async || {
        get(Some(true)).await.unwrap()["_stuff"]["etag"]
            .as_str()
            .map(quoted)
    };
    let first = etag().await;
    let ada = || fields(json!({"name": "Ada Lovelace"}));
    let put = async || put_document(service, id, ada(), first.as_deref(), None, None, None).await;
    put().await.unwrap();
    let problem = refused(412, put().await);
    assert_eq!(problem.r#type, "/problems/precondition-failed");
    assert_eq!(problem.etag.flatten(), etag().await);

    let patch = fields(json!({"died": 1852, "name": null}));
    let patched = patch_document(service, id, patch, None, None, None, None, None, None)
        .await
        .unwrap();
    assert_eq!(patched, fields(json!({"_id": id, "died": 1852})));

    let mut ids = vec![id.to_owned()];
    for number in 0..5 {
        let (id, page) = (format!("p/{number}"), fields(json!({"page": number})));
        put_document(service, &id, page, None, None, None, None)
            .await
            .unwrap();
        ids.push(id);
    }
    let (mut numbers, mut after) = (vec![], None);
    loop {
        let (filter, start) = (Some("{\"page\": {\"$gte\": 0}}"), after.as_deref());
        let page = get_documents(
            service,
            Some(2),
            None,
            None,
            None,
            start,
            filter,
            None,
            None,
            None,
        );
        let page = page.await.unwrap();
        numbers.extend(page.items.iter().map(|item| item["page"].clone()));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(Value::from(numbers), json!([0, 1, 2, 3, 4]));

    for each in &ids {
        delete_document(service, each, None, None, None)
            .await
            .unwrap();
    }
    refused(404, get(None).await);
}

fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

fn main() {
    let service = Configuration {
        base_path: env::var("STUFF_URL").unwrap(),
        bearer_access_token: env::var("STUFF_KEY").ok(),
        client: ClientBuilder::new(Client::new()).with(MergePatch).build(),
        ..Configuration::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(documents(&service));
    runtime.block_on(books::tell(&service));
}
