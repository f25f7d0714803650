//! How busy a cluster is: what its Ray says of work that waits and of nodes that work, by Ray's own state API.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use ionet_market::autoscale::Bundle;
use serde::Deserialize;

use crate::ray::RayJobs;

/// Most rows that are asked for: as many as Ray gives.
const MOST: u32 = 10_000;

/// What is seen of a cluster's Ray.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Load {
    /// Work that waits for room.
    pub pending: Vec<Bundle>,
    /// Names of the nodes that have work.
    pub busy: BTreeSet<String>,
    /// Names of all nodes that are there.
    pub alive: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Answer<T> {
    data: Data<T>,
}

#[derive(Deserialize)]
struct Data<T> {
    result: Rows<T>,
}

#[derive(Deserialize)]
struct Rows<T> {
    result: Vec<T>,
}

/// A task or an actor.
#[derive(Debug, Deserialize)]
struct Work {
    state: String,
    #[serde(default)]
    node_id: Option<String>,
    #[serde(default)]
    required_resources: Option<BTreeMap<String, f64>>,
}

#[derive(Debug, Deserialize)]
struct Group {
    state: String,
    #[serde(default)]
    bundles: Vec<GroupBundle>,
}

#[derive(Debug, Deserialize)]
struct GroupBundle {
    #[serde(default)]
    node_id: Option<String>,
    #[serde(default)]
    unit_resources: BTreeMap<String, f64>,
}

#[derive(Debug, Deserialize)]
struct Node {
    #[serde(rename = "node_id")]
    id: String,
    #[serde(rename = "node_name")]
    name: String,
    state: String,
}

/// Asks a cluster's Ray.
pub async fn load(ray: &RayJobs) -> Result<Load> {
    let tasks = rows::<Work>(ray, "tasks", "detail=true").await?;
    let actors = rows::<Work>(ray, "actors", "detail=true").await?;
    let groups = rows::<Group>(ray, "placement_groups", "detail=true").await?;
    let nodes = rows::<Node>(ray, "nodes", "detail=true").await?;
    Ok(gathered(&tasks, &actors, &groups, &nodes))
}

async fn rows<T: serde::de::DeserializeOwned>(ray: &RayJobs, what: &str, query: &str) -> Result<Vec<T>> {
    let answer: Answer<T> = ray.state(&format!("/api/v0/{what}?limit={MOST}&{query}")).await?;
    Ok(answer.data.result.result)
}

fn gathered(tasks: &[Work], actors: &[Work], groups: &[Group], nodes: &[Node]) -> Load {
    let mut load = Load::default();
    let mut busy = BTreeSet::new();
    for work in tasks {
        match work.state.as_str() {
            // Waiting for arguments is waiting for other tasks: more nodes would not help it.
            "PENDING_NODE_ASSIGNMENT" => load.pending.push(bundle(work.required_resources.iter().flatten())),
            "RUNNING" | "RUNNING_IN_RAY_GET" | "RUNNING_IN_RAY_WAIT" | "SUBMITTED_TO_WORKER" | "PENDING_ARGS_FETCH" => {
                busy.extend(work.node_id.as_deref());
            }
            _ => {}
        }
    }
    for actor in actors {
        match actor.state.as_str() {
            "PENDING_CREATION" | "RESTARTING" => load.pending.push(bundle(actor.required_resources.iter().flatten())),
            "ALIVE" => busy.extend(actor.node_id.as_deref()),
            _ => {}
        }
    }
    for group in groups {
        for part in &group.bundles {
            match group.state.as_str() {
                "PENDING" | "RESCHEDULING" => load.pending.push(bundle(part.unit_resources.iter())),
                "CREATED" => busy.extend(part.node_id.as_deref()),
                _ => {}
            }
        }
    }
    for node in nodes.iter().filter(|node| node.state == "ALIVE") {
        load.alive.insert(node.name.clone());
        if busy.contains(node.id.as_str()) {
            load.busy.insert(node.name.clone());
        }
    }
    load
}

/// Ray's amounts in thousandths and MiB, rounded up. Resources that no node of ours has are not counted: they wait for ever, nodes or not.
fn bundle<'a>(resources: impl Iterator<Item = (&'a String, &'a f64)>) -> Bundle {
    let mut bundle = Bundle::default();
    for (name, amount) in resources {
        #[expect(clippy::cast_sign_loss, reason = "clamped to what fits first")]
        let scaled = |factor: f64| (amount * factor).ceil().clamp(0.0, f64::from(u32::MAX)) as u32;
        match name.as_str() {
            "CPU" => bundle.cpu_milli = scaled(1_000.0),
            "GPU" => bundle.gpu_milli = scaled(1_000.0),
            "memory" => bundle.memory_mb = scaled(1.0 / 1_048_576.0),
            _ => {}
        }
    }
    bundle
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_waits_and_what_works_is_told_apart() {
        let tasks: Vec<Work> = serde_json::from_value(json!([
            { "state": "PENDING_NODE_ASSIGNMENT", "required_resources": { "CPU": 1.0, "GPU": 0.25, "memory": 1_048_577.0 } },
            { "state": "PENDING_ARGS_AVAIL", "required_resources": { "CPU": 64.0 } },
            { "state": "RUNNING", "node_id": "n1", "required_resources": null },
            { "state": "FINISHED", "node_id": "n2" },
        ]))
        .unwrap();
        let actors: Vec<Work> = serde_json::from_value(json!([
            { "state": "PENDING_CREATION", "required_resources": { "CPU": 2.0 } },
            { "state": "DEAD", "node_id": "n2" },
        ]))
        .unwrap();
        let groups: Vec<Group> = serde_json::from_value(json!([
            { "state": "PENDING", "bundles": [{ "unit_resources": { "GPU": 1.0 } }] },
            { "state": "CREATED", "bundles": [{ "node_id": "n3", "unit_resources": { "CPU": 1.0 } }] },
        ]))
        .unwrap();
        let nodes: Vec<Node> = serde_json::from_value(json!([
            { "node_id": "n1", "node_name": "a.0", "state": "ALIVE" },
            { "node_id": "n2", "node_name": "a.1", "state": "ALIVE" },
            { "node_id": "n3", "node_name": "b.0", "state": "ALIVE" },
            { "node_id": "n4", "node_name": "b.1", "state": "DEAD" },
        ]))
        .unwrap();
        let load = gathered(&tasks, &actors, &groups, &nodes);
        let names = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(" ");
        assert_eq!((names(&load.busy), names(&load.alive)), ("a.0 b.0".to_owned(), "a.0 a.1 b.0".to_owned()));
        assert_eq!(
            load.pending,
            [
                Bundle { cpu_milli: 1_000, gpu_milli: 250, memory_mb: 2 },
                Bundle { cpu_milli: 2_000, ..Bundle::default() },
                Bundle { gpu_milli: 1_000, ..Bundle::default() },
            ]
        );
    }
}
