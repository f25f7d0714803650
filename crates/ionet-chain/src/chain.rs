//! The handle that everybody else holds.

use crate::{
    ChainError, ChainOptions, RpcError,
    actor::{Actor, Job},
    journal, restore, rpc, server,
    shared::Shared,
    state::State,
};
use futures::FutureExt;
use serde_json::Value;
use std::{panic::AssertUnwindSafe, sync::Arc, thread};
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
};

/// Requests that may wait for the chain's thread before senders wait too.
const QUEUE_LEN: usize = 8192;

/// A cheap handle to a running chain. The chain ends when the last handle is dropped, or with [`Chain::close`].
#[derive(Clone)]
pub struct Chain {
    jobs: mpsc::Sender<Job>,
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chain").field("now", &self.shared.now()).finish_non_exhaustive()
    }
}

impl Chain {
    /// Opens the chain in a directory: restores it, or makes a new one when the directory is empty.
    ///
    /// Blocks while it reads the journal.
    #[expect(clippy::needless_pass_by_value, reason = "the programs in it are large, and callers have no use for them afterwards")]
    pub fn open(options: ChainOptions) -> Result<Self, ChainError> {
        let restored = restore::open(&options)?;
        let shared = restored.state.shared.clone();
        let spawned = ChainError::io("start the threads of", &options.dir);
        let (journal, writer) = match journal::spawn(restored.writer) {
            Ok(spawned) => spawned,
            Err(err) => return Err(spawned(err)),
        };
        let (jobs, receiver) = mpsc::channel(QUEUE_LEN);
        let actor = Actor {
            state: restored.state,
            jobs: receiver,
            journal,
            writer,
            snapshot_every_bytes: options.snapshot_every_bytes.max(1),
            lock: restored.lock,
        };
        thread::Builder::new().name("chain".into()).spawn(move || actor.run()).map_err(spawned)?;
        Ok(Self { jobs, shared })
    }

    /// Answers one JSON-RPC call, in process.
    pub async fn request(&self, method: &str, params: Value) -> Result<Value, RpcError> {
        // The libraries that encode what clients put on chain are not ours to trust with every byte.
        AssertUnwindSafe(rpc::dispatch(self, method, params))
            .catch_unwind()
            .await
            .unwrap_or_else(|_| Err(RpcError::internal("the request failed")))
    }

    /// Solana's own client, speaking to this chain without HTTP. Its commitment is `confirmed`.
    pub fn client(&self) -> solana_rpc_client::nonblocking::rpc_client::RpcClient {
        crate::client::in_process(self)
    }

    /// Moves stepped time forward by `secs`, and the slot by one. Durable when it returns.
    pub async fn advance_secs(&self, secs: u64) -> Result<(), ChainError> {
        self.run(move |state| state.advance(secs)).await.map_err(|err| ChainError::Stopped(err.message))?
    }

    /// The chain's time in seconds since the Unix epoch.
    pub fn now_unix_secs(&self) -> i64 {
        self.shared.now().1
    }

    /// Serves JSON-RPC over HTTP (POST `/`), websocket subscriptions (GET `/` with an upgrade) and `GET /health`,
    /// until the chain is closed.
    pub async fn serve(&self, listener: TcpListener) -> Result<(), ChainError> {
        server::serve(self.clone(), listener).await
    }

    /// Ends the chain once everything sent before is answered, and releases the directory.
    pub async fn close(&self) {
        // An error means that it has ended already.
        self.jobs.send(Job::Stop).await.ok();
        self.shared.closed().await;
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Runs `f` on the chain's thread. Its result comes back once everything before it, itself included, is on
    /// disk.
    pub(crate) async fn run<T, F>(&self, f: F) -> Result<T, RpcError>
    where
        T: Send + 'static,
        F: FnOnce(&mut State) -> T + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let job = Job::Run(Box::new(move |state| {
            let value = f(state);
            Box::new(move |result: Result<(), &str>| {
                // A receiver that is gone has hung up; nobody waits for the answer.
                sender.send(result.map(|()| value).map_err(str::to_owned)).ok();
            })
        }));
        let stopped =
            |reason: Option<&str>| RpcError::internal(format!("the chain has stopped: {}", reason.unwrap_or("it failed on this request")));
        if self.jobs.send(job).await.is_err() {
            return Err(stopped(self.shared.failure()));
        }
        match receiver.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(reason)) => Err(stopped(Some(&reason))),
            Err(_) => match self.shared.failure() {
                Some(reason) => Err(stopped(Some(reason))),
                None => Err(RpcError::internal("the chain failed on this request")),
            },
        }
    }
}
