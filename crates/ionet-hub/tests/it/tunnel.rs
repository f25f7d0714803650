//! Requests to a cluster's Ray travel through its agent's connection.

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use ionet_hub::RayRequest;
use ionet_types::Currency;

use crate::world::World;

pub(crate) fn get(path: &str) -> RayRequest {
    RayRequest { method: "GET".to_owned(), path: path.to_owned(), headers: Vec::new(), body: stream::empty().boxed() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_and_bodies_of_any_size_pass() {
    let world = World::open().await;
    let mut agents = world.agents(2).await;
    let customer = world.customer().await;
    let cluster = customer.running(2, 60, Currency::Usdc).await;
    let (hub, caller, id) = (&world.hub, &customer.caller, cluster.id);

    let answer = hub.ray_request(caller, id, get("/api/jobs/?x=1")).await.unwrap();
    assert_eq!((answer.status, answer.headers[0].1.as_str()), (200, format!("{}.0", id.0.simple()).as_str()));
    let body: Vec<Bytes> = answer.body.try_collect().await.unwrap();
    assert_eq!(body.concat(), b"GET /api/jobs/?x=1");

    // Far more than a window: credit must flow both ways.
    let part = Bytes::from(vec![7_u8; 100_000]);
    let parts = 60;
    let upload = RayRequest {
        method: "POST".to_owned(),
        path: "/api/packages".to_owned(),
        headers: vec![("content-length".to_owned(), (100_000 * parts).to_string())],
        body: stream::iter((0..parts).map(move |_| Ok(part.clone()))).boxed(),
    };
    let answer = hub.ray_request(caller, id, upload).await.unwrap();
    assert_eq!(answer.status, 201);
    let echoed: usize = answer.body.map_ok(|bytes| bytes.len()).try_fold(0, |sum, len| async move { Ok(sum + len) }).await.unwrap();
    assert_eq!(echoed, 100_000 * parts);

    // A client that leaves in the middle leaves nothing behind; many at once do not disturb each other.
    drop(hub.ray_request(caller, id, get("/left")).await.unwrap());
    let many = (0..50).map(|number| async move {
        let answer = hub.ray_request(caller, id, get(&format!("/{number}"))).await.unwrap();
        answer.body.try_collect::<Vec<_>>().await.unwrap().concat() == format!("GET /{number}").into_bytes()
    });
    assert!(futures::future::join_all(many).await.into_iter().all(|right| right));

    let head = agents.iter_mut().find(|agent| agent.id() == cluster.nodes[0].device).unwrap();
    head.disconnect().await;
    let error = crate::world::wait_for("the head to be away", async || hub.ray_request(caller, id, get("/")).await.err()).await;
    assert_eq!(error.code(), "device_unreachable");
}
