//! Looks at the machine and at the way to the hub. Every look is bounded in time and fails softly: what cannot be seen is a fact, too.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ionet_cuda::CudaError;
use ionet_types::agent::{Hardware, MAX_FRAME_BYTES};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::{Error as SocketError, protocol::WebSocketConfig};

use super::{EngineFact, Facts, GpuFact, HubFact, ProofsFact, PythonFact};
use crate::AgentOptions;
use crate::agent::is_running;
use crate::connection::{connector, websocket_url};
use crate::engine;
use crate::gpus;
use crate::probe::probe;

/// How long each look may take.
const LOOK_TIMEOUT: Duration = Duration::from_secs(10);
/// Sockets at which container engines answer.
const ENGINE_SOCKETS: [&str; 2] = ["/var/run/docker.sock", "/run/podman/podman.sock"];
/// Longest answer of an engine that is read, bytes.
const ENGINE_ANSWER_BYTES: usize = 512;

/// Looks at everything, at the same time.
pub async fn collect(options: &AgentOptions) -> Facts {
    let on_disk = options.clone();
    let machine = tokio::task::spawn_blocking(move || {
        let (hardware, running) = (probe(&on_disk), is_running(&on_disk));
        let proofs = gpu_proofs(&hardware, &on_disk, running);
        let sharing = on_disk.shared.then(|| gpus::sharing(&hardware.gpus));
        (hardware, gpu(), proofs, running, sharing)
    });
    let (machine, hub, engine, python) = tokio::join!(machine, hub(&options.hub_url), container_engine(), python(&options.python));
    let (memory_mb, disk_free_mb, gpu, gpu_proofs, agent_running, sharing) = match machine {
        Ok((hardware, gpu, proofs, running, sharing)) => (hardware.memory_mb, hardware.disk_free_mb, gpu, proofs, running, sharing),
        Err(_) => (0, 0, GpuFact::Broken { reason: "looking at the machine failed".to_owned() }, ProofsFact::NoCard, false, None),
    };
    Facts { gpu, gpu_proofs, memory_mb, disk_free_mb, hub, engine, python, agent_running, sharing }
}

/// Tries the cards, unless an agent runs: a tenant may have them.
fn gpu_proofs(hardware: &Hardware, options: &AgentOptions, agent_running: bool) -> ProofsFact {
    let impossible = |error: &CudaError| ProofsFact::Impossible {
        code: error.code().to_owned(),
        reason: error.to_string(),
        remedy: error.remedy().to_owned(),
    };
    let cuda = match engine::cards(hardware, engine::threads(options)) {
        None => return ProofsFact::NoCard,
        Some(Err(error)) => return impossible(&error),
        Some(Ok(cuda)) => cuda,
    };
    let cards = u32::try_from(cuda.cards().len()).unwrap_or(u32::MAX);
    if agent_running {
        return ProofsFact::Found { cards };
    }
    cuda.check().map_or_else(|error| impossible(&error), |()| ProofsFact::Right { cards })
}

fn gpu() -> GpuFact {
    use nvml_wrapper::error::NvmlError;
    let nvml = match nvml_wrapper::Nvml::init() {
        Ok(nvml) => nvml,
        // No library, or no driver for it to speak to, is how a machine without a card looks.
        Err(NvmlError::LibloadingError(_) | NvmlError::LibraryNotFound | NvmlError::DriverNotLoaded) => return GpuFact::NoDriver,
        Err(error) => return GpuFact::Broken { reason: error.to_string() },
    };
    let cards =
        || -> Result<Vec<String>, NvmlError> { (0..nvml.device_count()?).map(|index| nvml.device_by_index(index)?.name()).collect() };
    match (nvml.sys_driver_version(), cards()) {
        (Ok(version), Ok(cards)) => {
            let cuda = nvml.sys_cuda_driver_version().ok().and_then(|cuda| u32::try_from(cuda).ok());
            GpuFact::Driver { version, cuda, cards }
        }
        (Err(error), _) | (_, Err(error)) => GpuFact::Broken { reason: error.to_string() },
    }
}

/// Connects as the agent does: TCP, TLS and the websocket upgrade.
async fn hub(url: &str) -> HubFact {
    if url.is_empty() {
        return HubFact::NotNamed;
    }
    let url = match websocket_url(url) {
        Ok(url) => url,
        Err(error) => return HubFact::Unreachable { reason: error.to_string() },
    };
    let mut config = WebSocketConfig::default();
    config.max_message_size = Some(MAX_FRAME_BYTES);
    let begun = Instant::now();
    let connect = tokio_tungstenite::connect_async_tls_with_config(&url, Some(config), true, Some(connector()));
    match timeout(LOOK_TIMEOUT, connect).await {
        Err(_) => HubFact::Unreachable { reason: format!("no answer in {} s", LOOK_TIMEOUT.as_secs()) },
        Ok(Ok((_, response))) => HubFact::Reached {
            connect_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            clock_ahead_secs: response.headers().get("date").and_then(|date| ahead_secs(date.to_str().ok()?, SystemTime::now())),
        },
        Ok(Err(SocketError::Http(response))) => HubFact::NoUpgrade { status: response.status().as_u16() },
        Ok(Err(error)) => HubFact::Unreachable { reason: error.to_string() },
    }
}

/// How far `now` is ahead of an HTTP date, seconds.
fn ahead_secs(date: &str, now: SystemTime) -> Option<i64> {
    let unix_secs = |time: SystemTime| i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok();
    Some(unix_secs(now)? - unix_secs(httpdate::parse_http_date(date).ok()?)?)
}

async fn container_engine() -> EngineFact {
    let named = std::env::var("DOCKER_HOST").ok().and_then(|host| host.strip_prefix("unix://").map(PathBuf::from));
    let mut found = EngineFact::Absent;
    for socket in named.into_iter().chain(ENGINE_SOCKETS.map(PathBuf::from)).filter(|socket| socket.exists()) {
        let answers = ping(&socket).await;
        let socket = socket.display().to_string();
        match answers {
            Ok(()) => return EngineFact::Answers { socket },
            Err(reason) => found = EngineFact::Silent { socket, reason },
        }
    }
    found
}

/// Asks an engine whether it is there, by the one call that all of them know.
async fn ping(socket: &Path) -> Result<(), String> {
    let ask = async {
        let mut stream = UnixStream::connect(socket).await?;
        stream.write_all(b"GET /_ping HTTP/1.0\r\nHost: localhost\r\n\r\n").await?;
        let mut answer = vec![0; ENGINE_ANSWER_BYTES];
        let mut filled = 0;
        while filled < answer.len() {
            match stream.read(&mut answer[filled..]).await? {
                0 => break,
                read => filled += read,
            }
            // The first line is all that counts.
            if answer[..filled].contains(&b'\n') {
                break;
            }
        }
        std::io::Result::Ok(String::from_utf8_lossy(&answer[..filled]).lines().next().unwrap_or_default().to_owned())
    };
    match timeout(LOOK_TIMEOUT, ask).await {
        Err(_) => Err("no answer in time".to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
        Ok(Ok(line)) if line.split(' ').nth(1) == Some("200") => Ok(()),
        Ok(Ok(line)) => Err(format!("it answers {line:?}")),
    }
}

async fn python(program: &Path) -> PythonFact {
    let missing = |reason: String| PythonFact::Missing { reason };
    let mut command = tokio::process::Command::new(program);
    command.arg("--version").kill_on_drop(true);
    match timeout(LOOK_TIMEOUT, command.output()).await {
        Err(_) => missing(format!("{} does not answer", program.display())),
        Ok(Err(error)) => missing(format!("{} cannot be run: {error}", program.display())),
        Ok(Ok(output)) => {
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            match version(&said) {
                Some((major, minor)) => PythonFact::Version { major, minor },
                None => missing(format!("{} is no Python", program.display())),
            }
        }
    }
}

/// The version in what `python3 --version` says.
fn version(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.trim().strip_prefix("Python ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use tokio::net::UnixListener;

    use super::*;

    #[test]
    fn what_python_and_hubs_say_is_read() {
        assert_eq!(version("Python 3.12.1\n"), Some((3, 12)));
        assert_eq!(version("Python 3.13.0rc1"), Some((3, 13)));
        for no in ["", "Python", "Python 3", "pyenv: python3: command not found"] {
            assert_eq!(version(no), None, "{no}");
        }
        let at = |secs| UNIX_EPOCH + Duration::from_secs(secs);
        assert_eq!(ahead_secs("Tue, 14 Nov 2023 22:13:20 GMT", at(1_700_000_030)), Some(30));
        assert_eq!(ahead_secs("Tue, 14 Nov 2023 22:13:20 GMT", at(1_699_999_990)), Some(-10));
        assert_eq!(ahead_secs("yesterday", at(0)), None);
    }

    #[tokio::test]
    async fn an_engine_answers_or_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("engine.sock");
        assert!(ping(&socket).await.is_err());
        for (answer, fine) in [("HTTP/1.0 200 OK\r\n\r\nOK", true), ("HTTP/1.0 500 Oops\r\n\r\n", false), ("", false)] {
            drop(std::fs::remove_file(&socket));
            let listener = UnixListener::bind(&socket).unwrap();
            let serve = async {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut asked = [0; 64];
                let read = stream.read(&mut asked).await.unwrap();
                assert!(asked[..read].starts_with(b"GET /_ping "));
                stream.write_all(answer.as_bytes()).await.unwrap();
            };
            let (answered, ()) = tokio::join!(ping(&socket), serve);
            assert_eq!(answered.is_ok(), fine, "{answer:?}");
        }
    }

    #[tokio::test]
    async fn a_hub_is_reached_or_not() {
        assert_eq!(hub("").await, HubFact::NotNamed);
        assert!(matches!(hub("http://127.0.0.1:9").await, HubFact::Unreachable { .. }));
        assert!(matches!(hub("nonsense").await, HubFact::Unreachable { .. }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = axum::Router::new();
        tokio::spawn(async move { axum::serve(listener, router).await });
        assert_eq!(hub(&url).await, HubFact::NoUpgrade { status: 404 });
    }
}
