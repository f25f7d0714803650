//! What an operator may set about the HTTP side.

use std::time::Duration;

use crate::limits::Rate;

/// Bounds of the API. The defaults fit one hub on the open internet; every one of them has a purpose, so none can be switched off.
#[derive(Debug, Clone)]
pub struct ApiOptions {
    /// Longest JSON body in bytes.
    pub max_body_bytes: usize,
    /// How long a client may take to send a body, in whole.
    pub body_timeout: Duration,
    /// How long an ordinary request may take; streams, websockets and the Ray proxy are not counted.
    pub request_timeout: Duration,
    /// Ordinary requests that may be in work at once; more are told to come back.
    pub max_concurrent_requests: usize,
    /// Live streams and proxied requests that one caller may hold open at once.
    pub max_streams_per_caller: u32,
    /// Agent connections that one address may hold open at once.
    pub max_agents_per_address: u32,
    /// Requests of one address.
    pub address_rate: Rate,
    /// Requests of one signed-in caller, from all its addresses together.
    pub caller_rate: Rate,
    /// Sign-in attempts, faucet requests and agent connections of one address: each costs the hub a signature or more.
    pub sign_in_rate: Rate,
    /// How often an idle live stream says that it is alive.
    pub keep_alive: Duration,
    /// Origins of web pages that may call this API from a browser, such as `https://console.example`; none by default.
    pub allowed_origins: Vec<String>,
}

impl Default for ApiOptions {
    fn default() -> Self {
        Self {
            max_body_bytes: 64 << 10,
            body_timeout: Duration::from_secs(20),
            request_timeout: Duration::from_mins(2),
            max_concurrent_requests: 1024,
            max_streams_per_caller: 64,
            max_agents_per_address: 256,
            address_rate: Rate { per_second: 100, burst: 400 },
            caller_rate: Rate { per_second: 50, burst: 200 },
            sign_in_rate: Rate { per_second: 5, burst: 60 },
            keep_alive: Duration::from_secs(15),
            allowed_origins: Vec::new(),
        }
    }
}
