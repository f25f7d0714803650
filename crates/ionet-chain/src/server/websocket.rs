//! Websocket subscriptions, one task per connection.

use super::{
    http::{failure, parse_call, success},
    subscriptions::{CommittedTransaction, Delivery, Sink, Topic},
};
use crate::{
    Chain, RpcError,
    rpc::{
        Encoding, check_filters,
        params::{Params, parse_address, parse_signature},
        passes,
    },
};
use axum::{
    extract::{
        WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use solana_account::ReadableAccount;
use solana_account_decoder::UiAccountEncoding;
use solana_rpc_client_api::{
    config::{
        RpcAccountInfoConfig, RpcProgramAccountsConfig, RpcSignatureSubscribeConfig, RpcTransactionLogsConfig, RpcTransactionLogsFilter,
    },
    filter::RpcFilterType,
    response::{RpcKeyedAccount, RpcLogsResponse, RpcResponseContext, UiTransactionError},
};
use solana_signature::Signature;
use solana_transaction_error::TransactionError;
use std::{collections::HashMap, time::Duration};

const MAX_MESSAGE_BYTES: usize = 64 << 10;
/// The most subscriptions of one connection.
const MAX_SUBSCRIPTIONS: usize = 256;
/// How often subscribers of slots are told the newest.
const SLOT_PERIOD: Duration = Duration::from_millis(200);
/// A client that takes nothing for this long is gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) fn accept(chain: Chain, upgrade: WebSocketUpgrade) -> Response {
    if !chain.shared().subscriptions.connect() {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many connections\n").into_response();
    }
    let counted = Counted(chain.clone());
    upgrade.max_message_size(MAX_MESSAGE_BYTES).max_frame_size(MAX_MESSAGE_BYTES).on_upgrade(async move |socket| {
        let _counted = counted;
        // Whatever ended the connection, nobody is left to tell.
        Connection::run(chain, socket).await.ok();
    })
}

/// Counts the connection out, also when the upgrade never happens.
struct Counted(Chain);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.shared().subscriptions.disconnect();
    }
}

/// What a connection asked for, and how it wants it told.
enum Subscription {
    Signature(Signature),
    Account(Topic, Encoding),
    Program(Topic, Encoding, Vec<RpcFilterType>),
    Logs(Topic),
    Slot,
    Root,
}

impl Subscription {
    fn topic(&self) -> Option<Topic> {
        match self {
            Self::Signature(signature) => Some(Topic::Signature(*signature)),
            Self::Account(topic, _) | Self::Program(topic, _, _) | Self::Logs(topic) => Some(topic.clone()),
            Self::Slot | Self::Root => None,
        }
    }
}

struct Connection {
    chain: Chain,
    sink: Sink,
    subscriptions: HashMap<u64, Subscription>,
    last_slot: u64,
}

/// The client is.
struct Gone;

/// A subscription whose signature is in the past: id, slot, error.
type PastSignature = (u64, u64, Option<TransactionError>);

impl Connection {
    async fn run(chain: Chain, mut socket: WebSocket) -> Result<(), Gone> {
        let (sink, mut queue, overflow) = Sink::new();
        let shared = chain.shared().clone();
        let mut connection = Self { last_slot: shared.now().0, chain, sink, subscriptions: HashMap::new() };
        let mut slots = tokio::time::interval(SLOT_PERIOD);
        slots.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            let wants_slots =
                connection.subscriptions.values().any(|subscription| matches!(subscription, Subscription::Slot | Subscription::Root));
            tokio::select! {
                message = socket.recv() => match message {
                    Some(Ok(Message::Text(text))) => connection.call(&mut socket, text.as_bytes()).await?,
                    Some(Ok(Message::Binary(bytes))) => connection.call(&mut socket, &bytes).await?,
                    // Pings are answered by the library.
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                },
                Some(delivery) = queue.recv() => connection.deliver(&mut socket, delivery).await?,
                _ = slots.tick(), if wants_slots => connection.tell_slot(&mut socket).await?,
                // What was missed cannot be made up for: the client must connect again and read the present.
                () = overflow.notified() => return Ok(()),
                () = shared.closed() => return Ok(()),
            }
        }
    }

    async fn call(&mut self, socket: &mut WebSocket, bytes: &[u8]) -> Result<(), Gone> {
        let call = match serde_json::from_slice(bytes) {
            Ok(value) => parse_call(value),
            Err(err) => Err((Value::Null, RpcError::parse(format!("Parse error: {err}")))),
        };
        let call = match call {
            Ok(call) => call,
            Err((id, err)) => return send(socket, &failure(&id, &err)).await,
        };
        let id = call.id.unwrap_or(Value::Null);
        match self.handle(&call.method, call.params).await {
            Err(err) => send(socket, &failure(&id, &err)).await,
            Ok((result, past)) => {
                send(socket, &success(&id, result)).await?;
                match past {
                    Some((subscription, slot, err)) => self.tell_signature(socket, subscription, slot, err).await,
                    None => Ok(()),
                }
            }
        }
    }

    /// Returns the answer, and for a signature that is in the past already its notification.
    async fn handle(&mut self, method: &str, params: Value) -> Result<(Value, Option<PastSignature>), RpcError> {
        if let Some(name) = method.strip_suffix("Unsubscribe")
            && ["account", "logs", "program", "root", "signature", "slot"].contains(&name)
        {
            return self.unsubscribe(&Params::new(params)?).map(|answer| (answer, None));
        }
        let subscription = parse_subscription(method, &Params::new(params)?)?;
        if self.subscriptions.len() >= MAX_SUBSCRIPTIONS {
            return Err(RpcError::invalid_request(format!("A connection has at most {MAX_SUBSCRIPTIONS} subscriptions")));
        }
        let registry = &self.chain.shared().subscriptions;
        let id = registry.next_id();
        if let Some(topic) = subscription.topic() {
            registry.add(topic, id, self.sink.clone());
        }
        let signature = match subscription {
            Subscription::Signature(signature) => Some(signature),
            _ => None,
        };
        self.subscriptions.insert(id, subscription);
        let mut past = None;
        if let Some(signature) = signature {
            // From here on the signature is either in the history or will be published.
            self.chain.run(|_| ()).await?;
            let history = self.chain.shared().history();
            past = history.find(&signature).map(|found| (id, found.slot, found.err.as_deref().cloned()));
        }
        Ok((json!(id), past))
    }

    fn unsubscribe(&mut self, params: &Params) -> Result<Value, RpcError> {
        params.at_most(1)?;
        let id: u64 = params.required(0, "subscription id")?;
        if self.drop_subscription(id) { Ok(json!(true)) } else { Err(RpcError::invalid_params("Invalid subscription id.")) }
    }

    fn drop_subscription(&mut self, id: u64) -> bool {
        let Some(subscription) = self.subscriptions.remove(&id) else {
            return false;
        };
        if let Some(topic) = subscription.topic() {
            self.chain.shared().subscriptions.remove(&topic, id);
        }
        true
    }

    async fn deliver(&mut self, socket: &mut WebSocket, delivery: Delivery) -> Result<(), Gone> {
        let Delivery { subscription: id, transaction } = delivery;
        // It may have been dropped while this was on its way.
        let Some(subscription) = self.subscriptions.get(&id) else {
            return Ok(());
        };
        match subscription {
            Subscription::Signature(_) => self.tell_signature(socket, id, transaction.slot, transaction.err.clone()).await,
            Subscription::Account(topic, how) => {
                let account = transaction
                    .accounts
                    .iter()
                    .find(|changed| Topic::Account(changed.address) == *topic)
                    .map(|changed| json!(changed.encode_lenient(*how)));
                match account {
                    Some(account) => notify(socket, "accountNotification", id, transaction.slot, account).await,
                    None => Ok(()),
                }
            }
            Subscription::Program(topic, how, filters) => {
                for account in changed_of(&transaction, topic, *how, filters) {
                    notify(socket, "programNotification", id, transaction.slot, account).await?;
                }
                Ok(())
            }
            Subscription::Logs(_) => {
                let logs = RpcLogsResponse {
                    signature: transaction.signature.to_string(),
                    err: transaction.err.clone().map(Into::into),
                    logs: transaction.logs.clone(),
                };
                notify(socket, "logsNotification", id, transaction.slot, json!(logs)).await
            }
            Subscription::Slot | Subscription::Root => Ok(()),
        }
    }

    /// A signature is told once; then its subscription is over.
    async fn tell_signature(&mut self, socket: &mut WebSocket, id: u64, slot: u64, err: Option<TransactionError>) -> Result<(), Gone> {
        if !self.drop_subscription(id) {
            return Ok(());
        }
        let err = err.map(UiTransactionError::from);
        notify(socket, "signatureNotification", id, slot, json!({ "err": err })).await
    }

    async fn tell_slot(&mut self, socket: &mut WebSocket) -> Result<(), Gone> {
        let (slot, _) = self.chain.shared().now();
        if slot <= self.last_slot {
            return Ok(());
        }
        self.last_slot = slot;
        for (id, subscription) in &self.subscriptions {
            let (method, result) = match subscription {
                Subscription::Slot => ("slotNotification", json!({ "parent": slot - 1, "root": slot, "slot": slot })),
                Subscription::Root => ("rootNotification", json!(slot)),
                _ => continue,
            };
            let params = json!({ "result": result, "subscription": id });
            send(socket, &json!({ "jsonrpc": "2.0", "method": method, "params": params })).await?;
        }
        Ok(())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        for (id, subscription) in &self.subscriptions {
            if let Some(topic) = subscription.topic() {
                self.chain.shared().subscriptions.remove(&topic, *id);
            }
        }
    }
}

fn parse_subscription(method: &str, params: &Params) -> Result<Subscription, RpcError> {
    let how = |config: &RpcAccountInfoConfig| Encoding {
        encoding: config.encoding.unwrap_or(UiAccountEncoding::Binary),
        slice: config.data_slice,
    };
    match method {
        "signatureSubscribe" => {
            params.at_most(2)?;
            params.optional::<Option<RpcSignatureSubscribeConfig>>(1, "config")?;
            Ok(Subscription::Signature(parse_signature(&params.required::<String>(0, "signature")?)?))
        }
        "accountSubscribe" => {
            params.at_most(2)?;
            let config: RpcAccountInfoConfig = params.optional(1, "config")?;
            Ok(Subscription::Account(Topic::Account(params.address(0)?), how(&config)))
        }
        "programSubscribe" => {
            params.at_most(2)?;
            let config: RpcProgramAccountsConfig = params.optional(1, "config")?;
            let filters = check_filters(config.filters.unwrap_or_default())?;
            let topic = Topic::Program(params.address(0)?);
            Ok(Subscription::Program(topic, how(&config.account_config), filters))
        }
        "logsSubscribe" => {
            params.at_most(2)?;
            params.optional::<Option<RpcTransactionLogsConfig>>(1, "config")?;
            let topic = match params.required(0, "filter")? {
                RpcTransactionLogsFilter::All | RpcTransactionLogsFilter::AllWithVotes => Topic::Logs,
                RpcTransactionLogsFilter::Mentions(addresses) => match addresses.as_slice() {
                    [address] => Topic::LogsOf(parse_address(address)?),
                    _ => return Err(RpcError::invalid_params("Invalid Request: Only 1 address supported")),
                },
            };
            Ok(Subscription::Logs(topic))
        }
        "slotSubscribe" => params.at_most(0).map(|()| Subscription::Slot),
        "rootSubscribe" => params.at_most(0).map(|()| Subscription::Root),
        _ => Err(RpcError::method_not_found(method)),
    }
}

fn changed_of(transaction: &CommittedTransaction, topic: &Topic, how: Encoding, filters: &[RpcFilterType]) -> Vec<Value> {
    transaction
        .accounts
        .iter()
        .filter(|changed| Topic::Program(*changed.account.owner()) == *topic && passes(filters, &changed.account))
        .map(|changed| json!(RpcKeyedAccount { pubkey: changed.address.to_string(), account: changed.encode_lenient(how) }))
        .collect()
}

async fn notify(socket: &mut WebSocket, method: &str, id: u64, slot: u64, value: Value) -> Result<(), Gone> {
    let context = RpcResponseContext { slot, api_version: None };
    let params = json!({ "result": { "context": context, "value": value }, "subscription": id });
    send(socket, &json!({ "jsonrpc": "2.0", "method": method, "params": params })).await
}

async fn send(socket: &mut WebSocket, value: &Value) -> Result<(), Gone> {
    let message = Message::Text(value.to_string().into());
    match tokio::time::timeout(SEND_TIMEOUT, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Gone),
    }
}
