//! Live state.

use futures::StreamExt as _;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::world::{Answer, Api, World, generous};

/// A server-sent event.
#[derive(Debug, Clone, PartialEq)]
struct Event {
    name: String,
    id: String,
    data: Value,
}

/// A stream of events, as a browser reads it.
struct Events {
    response: futures::stream::BoxStream<'static, reqwest::Result<axum::body::Bytes>>,
    text: String,
    comments: usize,
}

impl Events {
    async fn open(api: &Api, id: &str, token: &str, last: Option<&str>) -> Self {
        let mut request = api.request(Method::GET, &format!("/v1/clusters/{id}/events"), Some(token));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response: response.bytes_stream().boxed(), text: String::new(), comments: 0 }
    }

    /// The next event; `None` once the stream is over.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| {
                    block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(|text| text.trim_start().to_owned()))
                };
                match field("data") {
                    Some(data) => {
                        let data = serde_json::from_str(&data).unwrap();
                        return Some(Event { name: field("event").unwrap_or_default(), id: field("id").unwrap_or_default(), data });
                    }
                    None => self.comments += 1,
                }
                continue;
            }
            self.text.push_str(std::str::from_utf8(&self.response.next().await?.ok()?).unwrap());
        }
    }

    async fn until(&mut self, status: &str) -> Event {
        loop {
            let event = self.next().await.unwrap();
            if event.data["status"] == status {
                return event;
            }
        }
    }
}

#[tokio::test]
async fn a_stream_tells_the_whole_story_and_ends_with_it() {
    let world = World::open().await;
    let _agents = world.agents(1).await;
    let owner = world.customer().await;
    let booked = owner.prepare(1, 60).await;
    let id = booked["cluster"]["id"].as_str().unwrap().to_owned();
    let mut events = Events::open(&owner.api, &id, &owner.token, None).await;
    let first = events.next().await.unwrap();
    assert_eq!((first.name.as_str(), &first.data["status"], &first.data["id"]), ("cluster", &json!("prepared"), &json!(id)));
    owner.post("/v1/transactions", &owner.sign(&booked["transaction"])).await.expect(StatusCode::OK);
    events.until("booked").await;
    owner.pay(&id).await;
    let running = events.until("running").await;

    // Cut off, and back: what was seen is not told again.
    drop(events);
    let current = owner.get(&format!("/v1/clusters/{id}")).await.expect(StatusCode::OK);
    let mut fresh = Events::open(&owner.api, &id, &owner.token, None).await;
    let seen = fresh.next().await.unwrap();
    assert_eq!(seen.data, current);
    assert_ne!(running.id, first.id);
    let mut events = Events::open(&owner.api, &id, &owner.token, Some(&seen.id)).await;
    owner.delete(&format!("/v1/clusters/{id}")).await.expect(StatusCode::ACCEPTED);
    let next = events.next().await.unwrap();
    assert_ne!(next.id, seen.id, "the state that was seen is not sent again");
    let mut last = next;
    while last.name == "cluster" {
        last = events.next().await.unwrap();
    }
    assert_eq!((last.name.as_str(), &last.data), ("end", &json!({})));
    assert_eq!(events.next().await, None);
    assert_eq!(owner.get(&format!("/v1/clusters/{id}")).await.expect(StatusCode::OK)["settled"], true);
}

#[tokio::test]
async fn a_stream_lives_while_nothing_happens_and_ends_with_its_credential() {
    let options = ionet_api::ApiOptions { keep_alive: std::time::Duration::from_millis(100), max_streams_per_caller: 2, ..generous() };
    let world = World::with(options).await;
    let _agents = world.agents(1).await;
    let owner = world.customer().await;
    let id = owner.book(1, 60).await;
    let key = owner.post("/v1/keys", &json!({ "name": "watch", "scope": "read" })).await.expect(StatusCode::CREATED);
    let mut events = Events::open(&owner.api, &id, key["secret"].as_str().unwrap(), None).await;
    let second = Events::open(&owner.api, &id, &owner.token, None).await;
    let path = format!("/v1/clusters/{id}/events");
    owner.get(&path).await.refuses(429, "too_many_streams");
    drop(second);
    // The place is given back as soon as the server notices.
    crate::world::wait_for("a free place", async || {
        let answer = owner.api.request(Method::GET, &path, Some(&owner.token)).send().await.unwrap();
        (answer.status() == StatusCode::OK).then_some(())
    })
    .await;
    events.next().await.unwrap();
    owner.delete(&format!("/v1/keys/{}", key["key"]["id"].as_str().unwrap())).await.expect(StatusCode::NO_CONTENT);
    let end = loop {
        let event = events.next().await.unwrap();
        if event.name == "end" {
            break event;
        }
    };
    assert_eq!(end.data, json!({ "code": "unauthenticated" }));
    assert!(events.comments > 0, "an idle stream says that it is alive");
    assert_eq!(events.next().await, None);
    Answer::of(owner.api.request(Method::GET, &path, key["secret"].as_str())).await.refuses(401, "unauthenticated");
}
