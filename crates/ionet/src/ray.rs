//! Ray's own Jobs API, reached through a cluster's proxy: upload a package, submit a job, follow its output.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::client::Client;
use crate::exit::Failure;
use crate::package::Package;

/// How often a running job is asked for its state and output; grows while nothing happens.
const POLL: std::ops::RangeInclusive<Duration> = Duration::from_millis(150)..=Duration::from_millis(1_500);
/// How long one call may take; a package may be large.
const CALL_TIMEOUT: Duration = Duration::from_mins(5);
/// How long Ray may be out of reach before a call is given up.
const PATIENCE: Duration = Duration::from_mins(1);

/// A cluster's Jobs API.
#[derive(Debug, Clone)]
pub struct RayJobs {
    client: Client,
    path: String,
}

/// What is to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Name of the job, chosen by who submits: a second submission of the same name is refused, so none runs twice.
    pub submission_id: String,
    /// Shell command.
    pub entrypoint: String,
    /// Package with its working directory, as Ray names it.
    pub working_dir_uri: String,
    /// Environment variables for the driver and all workers.
    pub env_vars: BTreeMap<String, String>,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobStatus {
    /// Its environment is being made.
    Pending,
    /// It runs.
    Running,
    /// It was stopped.
    Stopped,
    /// It ended well.
    Succeeded,
    /// It ended badly.
    Failed,
}

impl JobStatus {
    /// Whether nothing more will happen.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Stopped | Self::Succeeded | Self::Failed)
    }
}

/// What Ray says of a job.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct JobInfo {
    /// Where it stands.
    pub status: JobStatus,
    /// Why, in words.
    #[serde(default)]
    pub message: Option<String>,
    /// Exit code of the command, once it ended.
    #[serde(default)]
    pub driver_exit_code: Option<i32>,
}

#[derive(Deserialize)]
struct Logs {
    #[serde(default)]
    logs: String,
}

impl RayJobs {
    /// The Jobs API below `path` of the network (no slash at its end), opened with the client's session.
    pub fn new(client: Client, path: impl Into<String>) -> Self {
        Self { client, path: path.into() }
    }

    /// The API of a cluster's Ray.
    pub fn of(client: &Client, cluster: &ionet_types::clusters::Cluster) -> Self {
        Self::new(client.clone(), cluster.ray_path.clone())
    }

    /// Asks Ray's state API, or another page of its dashboard, for JSON.
    pub async fn state<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T> {
        let answer = self.send(|| self.request(Method::GET, path)).await?;
        expect_ok(answer, "read the cluster's state").await?.json().await.context("Ray's answer about its state was not understood")
    }

    /// Sends the package, unless the cluster has it.
    pub async fn upload(&self, package: &Package) -> Result<()> {
        let path = format!("/api/packages/gcs/{}", package.name);
        let have = self.send(|| self.request(Method::GET, &path)).await?;
        if have.status() == StatusCode::NOT_FOUND {
            let sent = self.send(|| self.request(Method::PUT, &path).body(package.bytes.clone())).await?;
            expect_ok(sent, "upload the job's files").await?;
            return Ok(());
        }
        expect_ok(have, "ask for the job's files").await.map(drop)
    }

    /// Submits a job.
    pub async fn submit(&self, job: &Job) -> Result<()> {
        let body = json!({
            "entrypoint": job.entrypoint,
            "submission_id": job.submission_id,
            "runtime_env": { "working_dir": job.working_dir_uri, "env_vars": job.env_vars },
        });
        let answer = self.send(|| self.request(Method::POST, "/api/jobs/").json(&body)).await?;
        if !answer.status().is_success() && self.info(&job.submission_id).await.is_ok() {
            // An earlier try got through and only its answer was lost.
            return Ok(());
        }
        expect_ok(answer, "submit the job").await.map(drop)
    }

    /// Where a job stands.
    pub async fn info(&self, submission_id: &str) -> Result<JobInfo> {
        let answer = self.send(|| self.request(Method::GET, &format!("/api/jobs/{submission_id}"))).await?;
        expect_ok(answer, "read the job's state").await?.json().await.context("Ray's answer about the job was not understood")
    }

    /// All that a job has printed so far.
    pub async fn logs(&self, submission_id: &str) -> Result<String> {
        let answer = self.send(|| self.request(Method::GET, &format!("/api/jobs/{submission_id}/logs"))).await?;
        let logs: Logs =
            expect_ok(answer, "read the job's output").await?.json().await.context("Ray's answer about the output was not understood")?;
        Ok(logs.logs)
    }

    /// Asks a job to stop.
    pub async fn stop(&self, submission_id: &str) -> Result<()> {
        let answer = self.send(|| self.request(Method::POST, &format!("/api/jobs/{submission_id}/stop"))).await?;
        expect_ok(answer, "stop the job").await.map(drop)
    }

    /// Follows a job to its end; each new piece of output goes to `output`.
    pub async fn follow(&self, submission_id: &str, mut output: impl FnMut(&str)) -> Result<JobInfo> {
        let mut seen = 0;
        let mut wait = *POLL.start();
        loop {
            // The state first: output that is read after the end is all of it.
            let info = self.info(submission_id).await?;
            let logs = self.logs(submission_id).await?;
            match logs.get(seen..) {
                Some("") => wait = (wait * 3 / 2).min(*POLL.end()),
                Some(fresh) => {
                    output(fresh);
                    seen = logs.len();
                    wait = *POLL.start();
                }
                // The log was cut off at its start: go on from where it ends now.
                None => seen = logs.len(),
            }
            if info.status.is_final() {
                return Ok(info);
            }
            sleep(wait).await;
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.http().request(method, format!("{}{}{path}", self.client.url(), self.path));
        request.timeout(CALL_TIMEOUT).bearer_auth(self.client.token().unwrap_or_default())
    }

    /// Sends, and sends again while Ray or the way to it is not ready.
    async fn send(&self, request: impl Fn() -> RequestBuilder) -> Result<Response> {
        let until = Instant::now() + PATIENCE;
        let mut wait = *POLL.start();
        let mut renewed = false;
        loop {
            let sent = request().send().await;
            let expired = sent.as_ref().is_ok_and(|answer| answer.status() == StatusCode::UNAUTHORIZED);
            if expired && !renewed && self.client.renew_session().await? {
                renewed = true;
                continue;
            }
            let again = match &sent {
                Ok(answer) => {
                    matches!(answer.status(), StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
                }
                Err(error) => error.is_connect() || error.is_timeout() || error.is_request(),
            };
            if !again || Instant::now() > until {
                return sent.context("the cluster's Ray does not answer");
            }
            sleep(wait).await;
            wait = (wait * 2).min(*POLL.end());
        }
    }
}

async fn expect_ok(answer: Response, doing: &str) -> Result<Response> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let body = answer.text().await.unwrap_or_default();
    let detail: String = body.chars().take(600).collect();
    Err(Failure::new(format!("Ray refused to {doing} ({status}): {}", detail.trim())).into())
}

/// The shell command that runs a script with its arguments.
pub fn entrypoint(script: &str, arguments: &[String]) -> Result<String> {
    let words = ["python", script].into_iter().chain(arguments.iter().map(String::as_str));
    shlex::try_join(words)
        .map_err(|_| Failure::new("an argument of the script holds a NUL character").exit(crate::exit::Exit::Usage).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_reach_the_script_as_they_are() {
        let arguments = ["--name".to_owned(), "it's $HOME; rm -rf *".to_owned(), String::new()];
        let line = entrypoint("my job.py", &arguments).unwrap();
        assert_eq!(shlex::split(&line).unwrap(), ["python", "my job.py", "--name", "it's $HOME; rm -rf *", ""]);
        assert!(entrypoint("a.py", &["\0".to_owned()]).is_err());
    }

    #[test]
    fn ray_s_answer_is_read() {
        let info: JobInfo = serde_json::from_str(
            r#"{"type":"SUBMISSION","job_id":null,"submission_id":"x","status":"FAILED","message":"boom","driver_exit_code":1,"entrypoint":"python a.py"}"#,
        )
        .unwrap();
        assert_eq!(info, JobInfo { status: JobStatus::Failed, message: Some("boom".into()), driver_exit_code: Some(1) });
        assert!(info.status.is_final() && !JobStatus::Pending.is_final());
    }
}
