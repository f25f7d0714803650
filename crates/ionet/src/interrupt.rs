//! Ctrl-C and SIGTERM: the first asks the command to come to its end, the second quits at once.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::exit::Exit;
use crate::progress::Progress;

/// Cancelled by the first signal. A second one ends the process: nothing is lost, the chain and the store are durable.
pub(crate) fn first_ends_second_quits(progress: &Progress) -> CancellationToken {
    let token = CancellationToken::new();
    let cancel = token.clone();
    let line = progress.line();
    tokio::spawn(async move {
        let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
            return;
        };
        next(&mut interrupt, &mut terminate).await;
        line.say("stopping in good order; once more to quit at once");
        cancel.cancel();
        next(&mut interrupt, &mut terminate).await;
        line.clear();
        std::process::exit(Exit::Interrupted as i32);
    });
    token
}

async fn next(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
