//! The trace's files: nodes and tasks.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use ionet_market::Models;
use ionet_market::shape::{Demand, GpuDemand, Room, WHOLE_MILLI};

/// One machine of the cluster, nothing of it taken.
#[derive(Clone, Copy)]
pub(crate) struct Node {
    pub(crate) whole: Room,
    pub(crate) model: u8,
}

/// One task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Task {
    pub(crate) demand: Demand,
    pub(crate) accepts: Models,
}

/// What a published policy reached with a workload at a load: mean and deviation, in %.
pub(crate) type Published = BTreeMap<(String, String, u64), (f64, f64)>;

/// The rows of a file as maps from column to field. No field of these files is quoted.
fn rows(path: &Path) -> anyhow::Result<Vec<BTreeMap<String, String>>> {
    let mut text = String::new();
    File::open(path).and_then(|mut file| file.read_to_string(&mut text)).with_context(|| path.display().to_string())?;
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let names = lines.next().with_context(|| format!("{} is empty", path.display()))?;
    lines
        .map(|fields| {
            ensure!(fields.len() == names.len(), "{}: a row has {} fields", path.display(), fields.len());
            Ok(names.iter().cloned().zip(fields).collect())
        })
        .collect()
}

fn number<T: std::str::FromStr>(row: &BTreeMap<String, String>, column: &str) -> anyhow::Result<T> {
    let field = row.get(column).with_context(|| format!("no column {column}"))?;
    field.parse().ok().with_context(|| format!("{column}: {field:?}"))
}

/// The machines, and the names of their models by number.
pub(crate) fn nodes(dir: &Path) -> anyhow::Result<(Vec<Node>, Vec<String>)> {
    let mut models: Vec<String> = Vec::new();
    let mut nodes = Vec::new();
    for row in rows(&dir.join("openb_node_list_gpu_node.csv"))? {
        let name = row.get("model").context("no column model")?;
        let model = models.iter().position(|known| known == name).unwrap_or_else(|| {
            models.push(name.clone());
            models.len() - 1
        });
        let whole = Room::new(number(&row, "cpu_milli")?, number(&row, "memory_mib")?, 0, number(&row, "gpu")?, false);
        nodes.push(Node { whole: whole.context("a node has too many GPUs")?, model: u8::try_from(model)? });
    }
    Ok((nodes, models))
}

/// The tasks of a workload.
pub(crate) fn tasks(dir: &Path, workload: &str, models: &[String]) -> anyhow::Result<Vec<Task>> {
    rows(&dir.join(format!("openb_pod_list_{workload}.csv")))?.iter().map(|row| task(row, models)).collect()
}

fn task(row: &BTreeMap<String, String>, models: &[String]) -> anyhow::Result<Task> {
    let milli: u16 = number(row, "gpu_milli")?;
    let gpus = match number(row, "num_gpu")? {
        0 => GpuDemand::None,
        1 if milli == 0 || milli > WHOLE_MILLI => bail!("gpu_milli: {milli}"),
        1 if milli < WHOLE_MILLI => GpuDemand::Part(milli),
        count => GpuDemand::Whole(count),
    };
    let accepts = match row.get("gpu_spec").map(String::as_str) {
        None | Some("") => Models::ANY,
        Some(names) => {
            let known = names.split('|').filter_map(|name| models.iter().position(|model| model == name));
            known.map(u8::try_from).collect::<Result<_, _>>()?
        }
    };
    Ok(Task { demand: Demand { cpu_milli: number(row, "cpu_milli")?, memory_mb: number(row, "memory_mib")?, disk_mb: 0, gpus }, accepts })
}

/// The published figures.
pub(crate) fn published(dir: &Path) -> anyhow::Result<Published> {
    let row = |row: BTreeMap<String, String>| {
        let text = |column: &str| row.get(column).cloned().with_context(|| format!("no column {column}"));
        let key = (text("workload")?, text("policy")?, number(&row, "load_percent")?);
        Ok((key, (number(&row, "mean_allocated_percent")?, number(&row, "stdev_over_10_seeds")?)))
    };
    rows(&dir.join("published.csv"))?.into_iter().map(row).collect()
}
