//! Hardware instances: made for a node where the hub says, and removed with it, by the driver's own tool. The MIG instances of a shared
//! machine are the agent's: what else stands where one is to be is removed. The driver lets only who may administer the GPU do that.

use std::{path::PathBuf, process::Stdio, time::Duration};

use ionet_types::market::GpuInstance;
use tokio::process::Command;

use crate::NodeFailure;

/// How long the driver's tool may take.
const TIMEOUT: Duration = Duration::from_mins(1);

/// An instance that exists: its number, and its memory slices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Found {
    id: u32,
    start: u8,
    slices: u8,
}

/// Sevenths of processors and eighths of memory of an instance.
const fn extent(size: GpuInstance) -> (u8, u8) {
    match size {
        GpuInstance::One => (1, 1),
        GpuInstance::Two => (2, 2),
        GpuInstance::Three => (3, 4),
        GpuInstance::Four => (4, 4),
        GpuInstance::Seven => (7, 8),
    }
}

/// Whether two instances of one GPU would stand on the same memory slices.
pub(super) const fn overlap(left: (GpuInstance, u8), right: (GpuInstance, u8)) -> bool {
    on_same((left.1, extent(left.0).1), (right.1, extent(right.0).1))
}

const fn on_same(left: (u8, u8), right: (u8, u8)) -> bool {
    left.0 < right.0.saturating_add(right.1) && right.0 < left.0.saturating_add(left.1)
}

/// The driver's tool.
#[derive(Debug, Clone)]
pub(crate) struct Mig {
    /// The program and its first arguments.
    tool: Vec<PathBuf>,
}

impl Default for Mig {
    fn default() -> Self {
        Self { tool: vec![PathBuf::from("nvidia-smi")] }
    }
}

impl Mig {
    /// Makes an instance anew and returns CUDA's name for it: `MIG-<GPU UUID>/<GPU instance>/<compute instance>` (CUDA C++ programming guide,
    /// `CUDA_VISIBLE_DEVICES`).
    pub(crate) async fn make(&self, gpu: &str, size: GpuInstance, start: u8) -> Result<String, NodeFailure> {
        self.remove(gpu, size, start).await?;
        let wanted = format!("{}g.", extent(size).0);
        let profiles = self.run(gpu, &["-lgip"]).await?;
        let profile = rows(&profiles).find_map(|row| match row.as_slice() {
            // Those with a `+` have media engines besides; the first of a size has the least memory.
            [_, "MIG", name, id, ..] if name.starts_with(&wanted) && !name.contains('+') => id.parse::<u32>().ok(),
            _ => None,
        });
        let profile =
            profile.ok_or_else(|| NodeFailure::lasting("mig_profile_missing", format!("GPU {gpu} has no instances of {wanted}")))?;
        self.run(gpu, &["-cgi", &format!("{profile}:{start}"), "-C"]).await?;
        let found = self.list(gpu).await?.into_iter().find(|found| found.start == start);
        let found = found.ok_or_else(|| NodeFailure::retryable("mig_failed", format!("the instance on GPU {gpu} was not made")))?;
        Ok(format!("MIG-{gpu}/{}/0", found.id))
    }

    /// Removes whatever stands where this instance is, or is to be. Nothing there is no error.
    pub(crate) async fn remove(&self, gpu: &str, size: GpuInstance, start: u8) -> Result<(), NodeFailure> {
        let place = (start, extent(size).1);
        for found in self.list(gpu).await?.into_iter().filter(|found| on_same((found.start, found.slices), place)) {
            let id = found.id.to_string();
            // It may have no compute instance any more, when this was interrupted before.
            let emptied = self.run(gpu, &["-dci", "-gi", &id]).await;
            self.run(gpu, &["-dgi", "-gi", &id]).await.map_err(|failure| emptied.err().unwrap_or(failure))?;
        }
        Ok(())
    }

    async fn list(&self, gpu: &str) -> Result<Vec<Found>, NodeFailure> {
        let text = match self.run(gpu, &["-lgi"]).await {
            Err(failure) if failure.message.contains("No GPU instances found") => return Ok(Vec::new()),
            text => text?,
        };
        let found = rows(&text).filter_map(|row| match row.as_slice() {
            [_, "MIG", _, _, id, place] => {
                let (start, slices) = place.split_once(':')?;
                Some(Found { id: id.parse().ok()?, start: start.parse().ok()?, slices: slices.parse().ok()? })
            }
            _ => None,
        });
        Ok(found.collect())
    }

    async fn run(&self, gpu: &str, arguments: &[&str]) -> Result<String, NodeFailure> {
        let failed = |message: String| NodeFailure::retryable("mig_failed", format!("nvidia-smi mig {}: {message}", arguments.join(" ")));
        let Some((program, first)) = self.tool.split_first() else { return Err(failed("no tool".to_owned())) };
        let mut command = Command::new(program);
        command.args(first).args(["mig", "-i", gpu]).args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(TIMEOUT, command.output()).await;
        let output = output.map_err(|_| failed("does not answer".to_owned()))?.map_err(|error| failed(error.to_string()))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(text);
        }
        let said = format!("{} {}", text.trim(), String::from_utf8_lossy(&output.stderr).trim());
        if said.contains("Insufficient Permissions") {
            return Err(NodeFailure::lasting("mig_not_permitted", format!("the agent's user may not divide GPU {gpu}: {}", said.trim())));
        }
        Err(failed(said.trim().to_owned()))
    }
}

/// The words of each row of the tool's tables.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().map(|line| line.trim_matches(['|', ' ']).split_whitespace().collect())
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    /// A driver's tool that keeps its instances in a file and prints the driver's tables; it refuses while a file `refuse` is there.
    const TOOL: &str = r#"#!/bin/sh
cd "$(dirname "$0")"
echo "$@" >> log
[ -e refuse ] && { echo "Insufficient Permissions" >&2; exit 4; }
touch made
case "$4" in
-lgip) cat <<END
+-----------------------------------------------------------------------------+
| GPU instance profiles:                                                      |
| GPU   Name             ID    Instances   Memory     P2P    SM    DEC   ENC  |
|                              Free/Total   GiB              CE    JPEG  OFA  |
|=============================================================================|
|   0  MIG 1g.10gb       19     7/7        9.75       No     16     1     0   |
|                                                             1     1     0   |
|   0  MIG 1g.10gb+me    20     1/1        9.75       No     16     1     0   |
|   0  MIG 3g.40gb        9     2/2        39.50      No     60     3     0   |
|   0  MIG 4g.40gb        5     1/1        39.50      No     64     4     0   |
END
;;
-lgi) [ -s made ] || { echo "No GPU instances found: Not Found"; exit 6; }
echo "| GPU   Name             Profile  Instance   Placement  |"
cat made ;;
-cgi) start=${5#*:}; profile=${5%:*}
case $profile in 19) name=1g.10gb size=1;; 9) name=3g.40gb size=4;; 5) name=4g.40gb size=4;; esac
echo "|   0  MIG $name          $profile       $((start + 40))          $start:$size     |" >> made ;;
-dgi) grep -v " $6 " made > rest; mv rest made ;;
esac
"#;

    fn tool(dir: &Path) -> Mig {
        let program = dir.join("nvidia-smi");
        fs::write(&program, TOOL).unwrap();
        Mig { tool: vec!["sh".into(), program] }
    }

    #[tokio::test]
    async fn instances_are_made_where_they_are_wanted_and_removed_again() {
        let dir = tempfile::tempdir().unwrap();
        let mig = tool(dir.path());
        assert_eq!(mig.make("GPU-a", GpuInstance::Three, 4).await.unwrap(), "MIG-GPU-a/44/0");
        assert_eq!(mig.make("GPU-a", GpuInstance::One, 2).await.unwrap(), "MIG-GPU-a/42/0");
        assert_eq!(mig.list("GPU-a").await.unwrap().len(), 2);
        // What is left of another one on its slices goes; its neighbour stays.
        assert_eq!(mig.make("GPU-a", GpuInstance::Four, 0).await.unwrap(), "MIG-GPU-a/40/0");
        assert_eq!(mig.list("GPU-a").await.unwrap(), [(44, 4, 4), (40, 0, 4)].map(|(id, start, slices)| Found { id, start, slices }));
        mig.remove("GPU-a", GpuInstance::Four, 0).await.unwrap();
        mig.remove("GPU-a", GpuInstance::Four, 0).await.unwrap();
        assert_eq!(mig.list("GPU-a").await.unwrap().len(), 1);
        assert_eq!(mig.make("GPU-a", GpuInstance::Two, 0).await.unwrap_err().code, "mig_profile_missing");
        assert!(fs::read_to_string(dir.path().join("log")).unwrap().contains("mig -i GPU-a -cgi 9:4 -C\n"));
    }

    #[tokio::test]
    async fn who_may_not_divide_a_gpu_says_so() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("refuse"), "").unwrap();
        let failure = tool(dir.path()).make("GPU-a", GpuInstance::One, 0).await.unwrap_err();
        assert_eq!((failure.code, failure.retryable), ("mig_not_permitted", false));
        let nobody = Mig { tool: vec![dir.path().join("nothing")] };
        assert_eq!(nobody.make("GPU-a", GpuInstance::One, 0).await.unwrap_err().code, "mig_failed");
    }

    #[test]
    fn instances_overlap_on_the_slices_of_their_memory() {
        assert!(overlap((GpuInstance::Three, 4), (GpuInstance::One, 6)) && overlap((GpuInstance::Seven, 0), (GpuInstance::One, 6)));
        assert!(!overlap((GpuInstance::Three, 4), (GpuInstance::Four, 0)) && !overlap((GpuInstance::One, 0), (GpuInstance::One, 1)));
    }
}
