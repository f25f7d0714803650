//! Requests that may be repeated: the same key gets the same answer, and the work is done once.

use ionet_store::Claim;
use ionet_types::problem::Code;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use crate::Hub;
use crate::caller::Caller;
use crate::error::{HubError, HubResult};

impl Hub {
    /// Does `work` unless this key's request was answered before. `what` and `request` tell requests apart.
    pub(crate) async fn idempotent<T: Serialize + DeserializeOwned>(
        &self,
        caller: &Caller,
        key: Option<&str>,
        what: &str,
        request: &impl Serialize,
        work: impl Future<Output = HubResult<T>>,
    ) -> HubResult<T> {
        let Some(key) = key else { return work.await };
        if !(1..=255).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Code::IdempotencyKeyInvalid.into());
        }
        let hash = Sha256::digest(serde_json::to_vec(&(what, request)).map_err(HubError::internal)?).into();
        match self.store().idempotency_claim(caller.wallet, key, &hash, self.clock().now_unix_secs()).await? {
            Claim::Answered(answer) => return serde_json::from_str(&answer).map_err(HubError::internal),
            Claim::InUse => return Err(Code::IdempotencyKeyInUse.into()),
            Claim::Other => return Err(Code::IdempotencyKeyReused.into()),
            Claim::New => {}
        }
        let answer = work.await;
        match &answer {
            Ok(answer) => {
                let answer = serde_json::to_string(answer).map_err(HubError::internal)?;
                self.store().idempotency_answer(caller.wallet, key, &answer).await?;
            }
            Err(_) => self.store().idempotency_release(caller.wallet, key).await?,
        }
        answer
    }
}
