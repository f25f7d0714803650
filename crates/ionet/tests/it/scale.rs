//! A cluster follows its load on real Ray: work that waits brings nodes, which join and take it on; a smaller size lets them go.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Home, Network, both, ray_is_here};

/// Tasks of one CPU each that take a while, more than one node has room for. Their print says on how many nodes they ran.
const JOB: &str = "python -c \"import ray, time\nray.init()\n@ray.remote(num_cpus=1)\ndef work():\n    time.sleep(8)\n    return ray.get_runtime_context().get_node_id()\nprint('nodes used:', len(set(ray.get([work.remote() for _ in range(6)]))))\"";

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_mins(2);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(300));
    }
}

#[test]
fn a_cluster_grows_with_its_work_and_shrinks_again() {
    if !ray_is_here() {
        return;
    }
    let home = Home::new();
    let mut network = Network::spawn(&home, &["--agents", "3", "--prices", "list"]);
    let url = network.announcement()["url"].as_str().unwrap().to_owned();
    home.json(&["wallet", "fund"]);
    until("the agents", || (home.json(&["hardware"])["items"][0]["free_devices"] == 3).then_some(()));

    let cluster = home.json(&["clusters", "book", "--nodes", "1", "--minutes", "90"]);
    let id = cluster["id"].as_str().unwrap();
    let too_early = home.run(&["clusters", "resize", id, "--nodes", "2"]);
    assert!(!too_early.status.success() && both(&too_early).contains("part_refused"), "{}", both(&too_early));
    home.json(&["clusters", "pay", id]);
    home.json(&["clusters", "watch", id, "--until", "running"]);

    let scale = |budget: &str, max: &str| {
        home.json(&["clusters", "autoscale", id, "--max", max, "--budget", budget, "--cooldown-secs", "0", "--once"])
    };
    let quiet = scale("5", "3");
    assert_eq!((&quiet["nodes"], &quiet["pending"], &quiet["done"]), (&1.into(), &0.into(), &json!([])), "{quiet}");

    let key = home.json(&["keys", "create", "job", "--scope", "write"]);
    let http = http_client(&url, key["secret"].as_str().unwrap());
    http.post(&format!("/v1/clusters/{id}/ray/api/jobs/"), &json!({ "entrypoint": JOB, "submission_id": "grow" }));
    // Work waits; without a budget, and at its most nodes, the cluster stays as it is and says why.
    let broke = until("work that waits", || Some(scale("0.000001", "3")).filter(|round| round["needed_nodes"].as_u64() > Some(0)));
    assert_eq!((&broke["limit"], &broke["done"]), (&"budget".into(), &json!([])), "{broke}");
    assert_eq!(scale("5", "1")["limit"], "max_nodes");
    let grown = scale("5", "2");
    assert!(grown["done"][0].as_str().unwrap().starts_with("1 nodes added"), "{grown}");

    let parts = home.json(&["clusters", "show", id])["parts"].clone();
    let part = parts[0].as_str().unwrap();
    home.json(&["clusters", "watch", part, "--until", "running"]);
    assert_eq!(home.json(&["clusters", "show", part])["part_of"], *id);
    let names = |answer: Value| -> Vec<String> {
        let rows = answer["data"]["result"]["result"].as_array().unwrap().clone();
        rows.iter().map(|node| node["node_name"].as_str().unwrap().to_owned()).collect()
    };
    // A part is reached by the Ray of the whole, under either id.
    for id in [id, part] {
        assert_eq!(names(http.get(&format!("/v1/clusters/{id}/ray/api/v0/nodes"))).len(), 2);
    }
    let job = until("the job's end", || {
        Some(http.get(&format!("/v1/clusters/{id}/ray/api/jobs/grow")))
            .filter(|job| job["status"] == "SUCCEEDED" || job["status"] == "FAILED")
    });
    let logs = http.get(&format!("/v1/clusters/{id}/ray/api/jobs/grow/logs"));
    assert_eq!(job["status"], "SUCCEEDED", "{logs}");
    assert!(logs["logs"].as_str().unwrap().contains("nodes used: 2"), "{logs}");

    let impossible = home.run(&["clusters", "resize", id, "--nodes", "4"]);
    assert!(both(&impossible).contains("capacity_insufficient"), "{}", both(&impossible));
    home.json(&["clusters", "resize", id, "--nodes", "1"]);
    home.json(&["clusters", "watch", part, "--until", "settled"]);
    assert_eq!(home.json(&["clusters", "receipt", part])["balance"]["ok"], true);
    assert_eq!(home.json(&["clusters", "show", id])["status"], "running");

    // What joined a cluster ends with it.
    home.json(&["clusters", "resize", id, "--nodes", "2", "--minutes", "5"]);
    let last = home.json(&["clusters", "show", id])["parts"][1].as_str().unwrap().to_owned();
    home.json(&["clusters", "watch", &last, "--until", "running"]);
    home.json(&["clusters", "end", id]);
    home.json(&["clusters", "watch", &last, "--until", "settled"]);
    assert_eq!(home.json(&["clusters", "receipt", &last])["balance"]["ok"], true);
    network.interrupt();
}

/// A few calls with a bearer token.
struct Http {
    url: String,
    key: String,
    runtime: tokio::runtime::Runtime,
}

fn http_client(url: &str, key: &str) -> Http {
    Http { url: url.to_owned(), key: key.to_owned(), runtime: tokio::runtime::Runtime::new().unwrap() }
}

impl Http {
    fn get(&self, path: &str) -> Value {
        let request = reqwest::Client::new().get(format!("{}{path}", self.url)).bearer_auth(&self.key);
        self.runtime.block_on(async { request.send().await.unwrap().error_for_status().unwrap().json().await.unwrap() })
    }

    fn post(&self, path: &str, body: &Value) {
        let request = reqwest::Client::new().post(format!("{}{path}", self.url)).bearer_auth(&self.key).json(body);
        self.runtime.block_on(async { request.send().await.unwrap().error_for_status().unwrap() });
    }
}
