//! Work that is not given up when its client is: a handler is dropped in the middle when the client leaves or its time is over, and what
//! changes things should then come to its end, and be there when the client asks again.

use std::future::Future;

use ionet_hub::HubError;
use ionet_types::problem::Code;
use tracing::Instrument as _;

use crate::problem::Problem;

/// Does `work` to its end, whether or not the caller waits for it.
pub(crate) async fn to_the_end<T: Send + 'static>(work: impl Future<Output = Result<T, HubError>> + Send + 'static) -> Result<T, Problem> {
    match tokio::spawn(work.in_current_span()).await {
        Ok(done) => Ok(done?),
        Err(panicked) => Err(Problem::new(Code::Internal).because(panicked)),
    }
}
