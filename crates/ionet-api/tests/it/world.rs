//! A network of its own for each test, with time that stands still until it is advanced, and its API on a free port.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ionet_api::{ApiOptions, Rate};
use ionet_chain::{Chain, ChainClock, ChainOptions};
use ionet_hub::{Admission, Clock, Hub, HubOptions, Limits, Pricing, Timing, Unmeasured};
use ionet_ledger::{Genesis, Grant, Ledger, Operator, decode_transaction, encode_transaction};
use ionet_market::PriceList;
use ionet_rules::money::{IO_UNIT, Io, USDC_UNIT, Usdc};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use solana_keypair::Keypair;
use solana_signer::Signer as _;
use sqlx::{ConnectOptions as _, Row as _};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::agent::TestAgent;

/// Unix second at which every test begins.
const START_UNIX_SECS: i64 = 1_800_057_600;
/// How long a test waits for what must happen, on a machine under any load.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// Rates that no test reaches by asking honestly.
pub(crate) fn generous() -> ApiOptions {
    let rate = Rate { per_second: 100_000, burst: 100_000 };
    ApiOptions { address_rate: rate, caller_rate: rate, sign_in_rate: rate, ..ApiOptions::default() }
}

/// Whom the hub lets in, and how much of what may happen.
pub(crate) struct Rules {
    pub(crate) admission: Admission,
    pub(crate) limits: Limits,
}

pub(crate) struct World {
    pub(crate) chain: Chain,
    pub(crate) ledger: Ledger,
    pub(crate) operator: Arc<Operator>,
    pub(crate) clock: Clock,
    pub(crate) hub: Hub,
    pub(crate) base: String,
    pub(crate) http: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    pub(crate) server: JoinHandle<std::io::Result<()>>,
    runner: JoinHandle<()>,
    pub(crate) dir: TempDir,
}

impl World {
    pub(crate) async fn open() -> Self {
        Self::with(generous()).await
    }

    pub(crate) async fn with(options: ApiOptions) -> Self {
        Self::with_rules(options, Rules { admission: Admission::Open, limits: Limits::LOCAL }).await
    }

    /// A network that lets in nobody without a token.
    pub(crate) async fn approved() -> Self {
        Self::with_rules(generous(), Rules { admission: Admission::Approved, limits: Limits::LOCAL }).await
    }

    pub(crate) async fn with_rules(options: ApiOptions, rules: Rules) -> Self {
        let dir = TempDir::new().unwrap();
        let operator = Arc::new(Operator::open(&dir.path().join("keys")).unwrap());
        let mut chain = ChainOptions::new(dir.path().join("chain"));
        chain.clock = ChainClock::Stepped { start_unix_secs: START_UNIX_SECS };
        chain.programs = vec![(operator.program_id(), ionet_program::ELF.to_vec())];
        let chain = Chain::open(chain).unwrap();
        let ledger = Genesis::LOCAL.create(Arc::new(chain.client()), &operator).await.unwrap();
        let clock = Clock::stepped(chain.now_unix_secs());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let hub = Hub::open(HubOptions {
            store: dir.path().join("hub.db"),
            epochs: dir.path().join("epochs"),
            unmeasured: Some(Unmeasured { tier: 1 }),
            measuring: None,
            ledger: ledger.clone(),
            operator: operator.clone(),
            prices: PriceList::default(),
            pricing: Pricing::List,
            operators: BTreeSet::new(),
            local: true,
            oracle_price: Genesis::LOCAL.price,
            public_url: base.clone(),
            rpc_url: None,
            version: "test".to_owned(),
            clock: clock.clone(),
            timing: Timing { reconcile_every: Duration::from_millis(200), ..Timing::default() },
            admission: rules.admission,
            limits: rules.limits,
        })
        .await
        .unwrap();
        let running = hub.clone();
        let runner = tokio::spawn(async move { running.run(std::future::pending()).await });
        let (stop, stopped) = oneshot::channel::<()>();
        let router = ionet_api::router(hub.clone(), options);
        let server = tokio::spawn(ionet_api::serve(listener, router, async move { drop(stopped.await) }));
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Self { chain, ledger, operator, clock, hub, base, http, stop: Some(stop), server, runner, dir }
    }

    /// Tells the server to stop.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
    }

    pub(crate) async fn advance_secs(&self, secs: u64) {
        self.chain.advance_secs(secs).await.unwrap();
        self.clock.advance_secs(i64::try_from(secs).unwrap());
        self.hub.wake();
    }

    /// Connected devices.
    pub(crate) async fn agents(&self, count: usize) -> Vec<TestAgent> {
        let agents: Vec<_> = (0..count).map(|_| TestAgent::start(&self.base)).collect();
        wait_for("the agents to connect", async || (self.hub.agents().connected() >= count).then_some(())).await;
        agents
    }

    /// A customer with money and a session.
    pub(crate) async fn customer(&self) -> Customer {
        let wallet = Keypair::new();
        let grant = Grant { usdc: Usdc(100_000 * USDC_UNIT), io: Io(100_000 * IO_UNIT), lamports: 0 };
        self.ledger.faucet(&self.operator, &wallet.pubkey(), &grant).await.unwrap();
        let (message, signature) = self.signed_challenge(&wallet).await;
        let session = self.post("/v1/auth/sessions", None, &json!({ "message": message, "signature": signature })).await;
        let token = session.expect(StatusCode::CREATED)["token"].as_str().unwrap().to_owned();
        Customer { api: Api { base: self.base.clone(), http: self.http.clone() }, wallet, token }
    }

    /// A challenge for this wallet, and the wallet's signature over it.
    pub(crate) async fn signed_challenge(&self, wallet: &Keypair) -> (String, String) {
        let challenge = self.post("/v1/auth/challenges", None, &json!({ "wallet": wallet.pubkey().to_string() })).await;
        let message = challenge.expect(StatusCode::CREATED)["message"].as_str().unwrap().to_owned();
        let signature = wallet.sign_message(message.as_bytes()).to_string();
        (message, signature)
    }

    pub(crate) fn api(&self) -> Api {
        Api { base: self.base.clone(), http: self.http.clone() }
    }

    pub(crate) async fn get(&self, path: &str, token: Option<&str>) -> Answer {
        self.api().send(Method::GET, path, token, None).await
    }

    pub(crate) async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Answer {
        self.api().send(Method::POST, path, token, Some(body)).await
    }

    /// Everything that a refused request must leave as it was: every account of the program and the network's tokens on chain, and every row
    /// of the store; once what was under way has come to rest.
    pub(crate) async fn everything(&self) -> Vec<String> {
        let mut last = self.snapshot().await;
        let mut same = 0;
        while same < 3 {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let now = self.snapshot().await;
            same = if now == last { same + 1 } else { 0 };
            last = now;
        }
        last
    }

    async fn snapshot(&self) -> Vec<String> {
        let mut all = Vec::new();
        for program in [self.operator.program_id(), ionet_ledger::address::TOKEN_PROGRAM] {
            let accounts = self.chain.request("getProgramAccounts", json!([program.to_string(), { "encoding": "base64" }])).await.unwrap();
            let accounts = accounts.as_array().unwrap();
            all.extend(accounts.iter().map(|account| format!("{} {}", account["pubkey"], digest(&account.to_string()))));
        }
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.dir.path().join("hub.db")).read_only(true);
        let mut store = options.connect().await.unwrap();
        let tables = sqlx::query("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name");
        for table in tables.fetch_all(&mut store).await.unwrap() {
            let table: String = table.get(0);
            // That something was refused is written down there.
            if table.starts_with("audit") {
                continue;
            }
            let columns = sqlx::query("SELECT group_concat('quote(\"' || name || '\")', ' || '','' || ') FROM pragma_table_info(?)");
            let columns: String = columns.bind(&table).fetch_one(&mut store).await.unwrap().get(0);
            let rows = sqlx::query(&format!("SELECT {columns} FROM \"{table}\"")).fetch_all(&mut store).await.unwrap();
            all.extend(rows.iter().map(|row| format!("{table} {}", row.get::<String, _>(0))));
        }
        all.sort();
        all
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.runner.abort();
        self.server.abort();
    }
}

fn digest(text: &str) -> String {
    format!("{:x}", Sha256::digest(text))
}

/// Waits until `look` finds what it looks for.
pub(crate) async fn wait_for<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A client of the API.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) base: String,
    pub(crate) http: reqwest::Client,
}

impl Api {
    pub(crate) fn request(&self, method: Method, path: &str, token: Option<&str>) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) async fn send(&self, method: Method, path: &str, token: Option<&str>, body: Option<&Value>) -> Answer {
        let mut request = self.request(method, path, token);
        if let Some(body) = body {
            request = request.json(body);
        }
        Answer::of(request).await
    }
}

/// An answer, read in whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Self { status, headers, body }
    }

    #[track_caller]
    pub(crate) fn expect(self, status: StatusCode) -> Value {
        assert_eq!(self.status, status, "{:?}", self.body);
        self.body
    }

    /// Checks that this is a well-formed problem with this status and code.
    #[track_caller]
    pub(crate) fn refuses(&self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), self.code()), (status, code), "{:?}", self.body);
    }

    /// Checks that this is a well-formed problem, and returns its code.
    #[track_caller]
    pub(crate) fn code(&self) -> &str {
        assert_eq!(self.headers.get("content-type").map(|value| value.to_str().unwrap()), Some("application/problem+json"), "{self:?}");
        assert_eq!(self.body["status"].as_u64(), Some(u64::from(self.status.as_u16())), "{self:?}");
        assert_eq!(self.body["request_id"].as_str(), self.headers.get("x-request-id").map(|value| value.to_str().unwrap()));
        assert!(self.body["title"].is_string() && self.body["detail"].is_string(), "{self:?}");
        self.body["code"].as_str().unwrap()
    }
}

pub(crate) struct Customer {
    pub(crate) api: Api,
    pub(crate) wallet: Keypair,
    pub(crate) token: String,
}

impl Customer {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.api.send(Method::GET, path, Some(&self.token), None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.api.send(Method::POST, path, Some(&self.token), Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.api.send(Method::DELETE, path, Some(&self.token), None).await
    }

    pub(crate) fn terms(quantity: u32, minutes: u32) -> Value {
        json!({ "hardware": "cpu", "quantity": quantity, "minutes": minutes, "currency": "USDC" })
    }

    /// An API key's secret.
    pub(crate) async fn key(&self, scope: &str) -> String {
        let created = self.post("/v1/keys", &json!({ "name": "test", "scope": scope, "expires_in_secs": 86_400 })).await;
        created.expect(StatusCode::CREATED)["secret"].as_str().unwrap().to_owned()
    }

    /// Signs a prepared transaction, as a wallet does.
    pub(crate) fn sign(&self, prepared: &Value) -> Value {
        let mut transaction = decode_transaction(prepared["base64"].as_str().unwrap()).unwrap();
        let keys = transaction.message.static_account_keys();
        let place = keys.iter().position(|key| *key == self.wallet.pubkey()).unwrap();
        transaction.signatures[place] = self.wallet.sign_message(&transaction.message.serialize());
        json!({ "transaction": encode_transaction(&transaction).unwrap() })
    }

    /// Reserves a cluster; nothing is signed yet.
    pub(crate) async fn prepare(&self, quantity: u32, minutes: u32) -> Value {
        self.post("/v1/clusters", &Self::terms(quantity, minutes)).await.expect(StatusCode::CREATED)
    }

    /// Books a cluster; returns its id.
    pub(crate) async fn book(&self, quantity: u32, minutes: u32) -> String {
        let booked = self.prepare(quantity, minutes).await;
        self.post("/v1/transactions", &self.sign(&booked["transaction"])).await.expect(StatusCode::OK);
        booked["cluster"]["id"].as_str().unwrap().to_owned()
    }

    /// Pays all that is due.
    pub(crate) async fn pay(&self, id: &str) {
        let prepared = self.post(&format!("/v1/clusters/{id}/payments"), &json!({})).await.expect(StatusCode::CREATED);
        self.post("/v1/transactions", &self.sign(&prepared["transaction"])).await.expect(StatusCode::OK);
    }

    /// Books and pays a cluster and waits until it runs.
    pub(crate) async fn running(&self, quantity: u32, minutes: u32) -> String {
        let id = self.book(quantity, minutes).await;
        self.pay(&id).await;
        self.reaches(&id, "status", &json!("running")).await;
        id
    }

    /// The cluster once `field` is `value`.
    pub(crate) async fn reaches(&self, id: &str, field: &str, value: &Value) -> Value {
        let path = format!("/v1/clusters/{id}");
        wait_for(&format!("{field} to be {value}"), async || {
            Some(self.get(&path).await.expect(StatusCode::OK)).filter(|cluster| cluster[field] == *value)
        })
        .await
    }
}
