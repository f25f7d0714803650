//! A typed client of a network's HTTP API. Every refusal arrives as a [`Failure`] with the network's stable code.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::{Context, Result};
use ionet_types::keys::{Challenge, ChallengeRequest, Session, SessionRequest};
use ionet_types::problem::Problem;
use reqwest::header::RETRY_AFTER;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::sleep;
use uuid::Uuid;

use crate::exit::{Exit, Failure};
use crate::hints;
use crate::wallet::Wallet;

mod calls;
mod events;
mod joins;
mod market;
mod stakes;

pub use calls::ListQuery;
pub use market::HistoryQuery;

/// How long a call may take. Submitting a transaction waits for the chain.
const CALL_TIMEOUT: Duration = Duration::from_secs(90);
/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a call that found the network busy is made again.
const TRIES: u32 = 5;

/// A network's API, and who asks. Clones share one session.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: Arc<RwLock<Option<String>>>,
    /// Signs in again when the session has run out.
    wallet: Option<Arc<Wallet>>,
}

impl Client {
    /// A client of the network at `url`, not signed in.
    pub fn new(url: &str) -> Result<Self> {
        let url = url.trim_end_matches('/').to_owned();
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(Failure::new(format!("{url} is not the URL of a network"))
                .hint("it starts with https:// (or http:// on this machine)")
                .exit(Exit::Usage)
                .into());
        }
        let http = reqwest::Client::builder()
            .user_agent(concat!("ionet/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            // A redirect could carry the token elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .context("cannot set up HTTP")?;
        Ok(Self { http, url, token: Arc::default(), wallet: None })
    }

    /// The same client, acting with this bearer token: a session or an API key.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.token = Arc::new(RwLock::new(Some(token.into())));
        self
    }

    /// Signs in with a wallet, now and whenever the session has run out.
    pub async fn sign_in(mut self, wallet: Arc<Wallet>) -> Result<Self> {
        self.token = Arc::default();
        self.wallet = Some(wallet);
        self.renew_session().await?;
        Ok(self)
    }

    /// Signs in again. Tells whether there is a wallet to do it with.
    pub async fn renew_session(&self) -> Result<bool> {
        let Some(wallet) = &self.wallet else { return Ok(false) };
        let address = crate::wallet::wire_address(wallet.address());
        let wanted = ChallengeRequest { wallet: address };
        let answer = self.patiently(|| self.request(Method::POST, "/v1/auth/challenges").json(&wanted)).await?;
        let challenge: Challenge = self.read(accepted(answer).await?).await?;
        // Only text that names this wallet is signed, so that a message for somebody else's purpose cannot be slipped in.
        if !challenge.message.contains(&address.to_string()) || !challenge.message.contains("wants you to sign in with your Solana account")
        {
            return Err(Failure::new("the network asked to sign something that is not a sign-in message")
                .hint("do not trust this network")
                .into());
        }
        let signature = wallet.sign(challenge.message.as_bytes()).to_string();
        let signed = SessionRequest { message: challenge.message, signature };
        let answer = self.patiently(|| self.request(Method::POST, "/v1/auth/sessions").json(&signed)).await?;
        let session: Session = self.read(accepted(answer).await?).await?;
        *self.token.write().unwrap_or_else(PoisonError::into_inner) = Some(session.token);
        Ok(true)
    }

    /// The network's URL, without a slash at its end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The bearer token, if signed in.
    pub fn token(&self) -> Option<String> {
        self.token.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The HTTP client below, for calls that pass through the network to a cluster.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.call(|| self.request(Method::GET, path)).await
    }

    async fn get_query<T: DeserializeOwned>(&self, path: &str, query: &impl Serialize) -> Result<T> {
        self.call(|| self.request(Method::GET, path).query(query)).await
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        // One key for all tries of one wish: what was done once is not done again.
        let key = Uuid::now_v7().to_string();
        self.call(|| self.request(Method::POST, path).header("Idempotency-Key", &key).json(body)).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url)).timeout(CALL_TIMEOUT);
        match self.token() {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    async fn call<T: DeserializeOwned>(&self, request: impl Fn() -> RequestBuilder) -> Result<T> {
        let answer = self.send(request).await?;
        self.read(answer).await
    }

    async fn read<T: DeserializeOwned>(&self, answer: Response) -> Result<T> {
        answer.json().await.with_context(|| {
            Failure::new(format!("the answer of {} was not understood", self.url))
                .hint("this client and the network may be of different versions")
        })
    }

    async fn send(&self, request: impl Fn() -> RequestBuilder) -> Result<Response> {
        let answer = self.patiently(&request).await?;
        if answer.status() == StatusCode::UNAUTHORIZED && self.renew_session().await? {
            return accepted(self.patiently(&request).await?).await;
        }
        accepted(answer).await
    }

    /// Asks until the network is not too busy to answer, but not for ever.
    async fn patiently(&self, request: impl Fn() -> RequestBuilder) -> Result<Response> {
        let mut tries = 1;
        loop {
            let answer = request().send().await.map_err(|error| self.unreachable(error))?;
            let busy = matches!(answer.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
            if !busy || tries >= TRIES {
                return Ok(answer);
            }
            let wait_secs = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(1_u64);
            sleep(Duration::from_secs(wait_secs.min(15))).await;
            tries += 1;
        }
    }

    fn unreachable(&self, error: reqwest::Error) -> anyhow::Error {
        let failure = if error.is_timeout() {
            Failure::new(format!("the network at {} took too long to answer", self.url))
                .hint("ask again; what was asked may have been done")
        } else {
            Failure::new(format!("the network at {} does not answer", self.url))
                .hint("start one here with `ionet up`, or name another with --url")
        };
        anyhow::Error::new(error.without_url()).context(failure.exit(Exit::Unreachable))
    }
}

/// The answer, unless it is a refusal.
async fn accepted(answer: Response) -> Result<Response> {
    if answer.status().is_success() { Ok(answer) } else { Err(refused(answer).await) }
}

/// The network's refusal as an error.
async fn refused(answer: Response) -> anyhow::Error {
    let status = answer.status();
    let exit = if status.is_client_error() { Exit::Refused } else { Exit::Error };
    let body = answer.bytes().await.unwrap_or_default();
    let failure = match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => {
            let failure = Failure::new(problem.detail).code(problem.code.clone());
            match hints::hint(&problem.code) {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        }
        Err(_) => Failure::new(format!("the network answered {status}")).hint("is this the URL of an ionet network?"),
    };
    failure.exit(exit).into()
}
