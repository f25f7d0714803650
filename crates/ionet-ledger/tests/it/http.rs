//! The same life of a cluster with Solana's client over HTTP.

use std::sync::Arc;

use ionet_rules::money::Currency;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;

use crate::lifecycle::ended_early;
use crate::world::{World, bare};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lifecycle_over_http() {
    let (chain, keys, dir) = bare();
    let (listener, _websocket) = ionet_chain::bind_pair(0).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn({
        let chain = chain.clone();
        async move { chain.serve(listener).await }
    });
    let world = World::found(chain, Arc::new(RpcClient::new(url)), keys, dir).await;
    ended_early(&world, Currency::Usdc).await;
    world.chain.close().await;
    server.await.unwrap().unwrap();
}
