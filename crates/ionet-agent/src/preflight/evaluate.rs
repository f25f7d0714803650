//! Judges what was found. Pure.

use super::{EngineFact, Facts, Finding, GpuFact, HubFact, ProofsFact, PythonFact, Severity, SharingFact};

/// Memory below which nothing can be run, MiB.
const MEMORY_NEEDED_MB: u64 = 1_024;
/// Memory that a lent machine should have, MiB: 12 GB, less what a kernel takes for itself.
const MEMORY_WANTED_MB: u64 = 11_500;
/// Free space below which no environment fits, MiB.
const DISK_NEEDED_MB: u64 = 4 << 10;
/// Free space that a lent machine should have, MiB: images and data of customers are large.
const DISK_WANTED_MB: u64 = 100 << 10;
/// Oldest CUDA that customers' programs are made for: 11.8.
const CUDA_WANTED: u32 = 11_080;
/// How far a clock may be off without any harm, seconds.
const CLOCK_FINE_SECS: u64 = 5;
/// How far a clock may be off before leases and certificates go wrong, seconds.
const CLOCK_BAD_SECS: u64 = 300;
/// A connection that takes longer is a poor one, milliseconds.
const CONNECT_FINE_MS: u64 = 2_000;
/// Oldest Python.
const PYTHON_NEEDED: (u32, u32) = (3, 10);

/// Judges a machine by what was found on it: one finding for each thing, in this order, the good ones too.
pub fn evaluate(facts: &Facts) -> Vec<Finding> {
    let mut findings =
        vec![gpu(&facts.gpu), gpu_proofs(&facts.gpu_proofs), memory(facts.memory_mb), disk(facts.disk_free_mb), hub(&facts.hub)];
    findings.push(clock(&facts.hub));
    findings.push(engine(&facts.engine));
    findings.push(python(&facts.python));
    findings.push(bandwidth(&facts.hub));
    findings.push(other_agent(facts.agent_running));
    findings.extend(facts.sharing.map(sharing));
    findings
}

fn sharing(fact: SharingFact) -> Finding {
    const CHECK: &str = "sharing";
    let whole = |found: &str, remedy: &str| warning(CHECK, format!("{found}: it is given whole"), remedy);
    match fact {
        SharingFact::Possible { gpus, mig: false } => fine(CHECK, format!("customers may share {gpus} GPUs")),
        SharingFact::Possible { gpus, mig: true } => {
            fine(CHECK, format!("customers may share {gpus} GPUs by instances, which the agent makes: its user must be allowed to"))
        }
        SharingFact::NoGpus => whole("this machine has no GPU", "leave --share out"),
        SharingFact::TooManyGpus => whole("it has more than 8 GPUs", "the market tells 8 GPUs of a machine apart; leave --share out"),
        SharingFact::Nameless => whole("its GPUs have no UUIDs of their own", "see what `nvidia-smi -L` says, and update the driver"),
        SharingFact::Mixed => whole("some GPUs are in MIG mode and some are not", "set all to the same mode with `nvidia-smi -mig`"),
    }
}

fn fine(check: &str, found: impl Into<String>) -> Finding {
    Finding { check: check.to_owned(), severity: Severity::Ok, found: found.into(), remedy: None }
}

fn warning(check: &str, found: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Finding { severity: Severity::Warning, remedy: Some(remedy.into()), ..fine(check, found) }
}

fn error(check: &str, found: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Finding { severity: Severity::Error, remedy: Some(remedy.into()), ..fine(check, found) }
}

fn gpu(fact: &GpuFact) -> Finding {
    const CHECK: &str = "gpu_driver";
    match fact {
        GpuFact::NoDriver => fine(CHECK, "no NVIDIA driver: this machine lends its CPUs"),
        GpuFact::Broken { reason } => warning(
            CHECK,
            format!("the NVIDIA driver does not work: {reason}"),
            "see what `nvidia-smi` says, then reinstall the driver or restart",
        ),
        GpuFact::Driver { version, cards, .. } if cards.is_empty() => warning(
            CHECK,
            format!("driver {version} knows no card"),
            "see what `nvidia-smi` says; without a card the machine lends its CPUs",
        ),
        GpuFact::Driver { version, cuda: Some(cuda), cards } if *cuda < CUDA_WANTED => warning(
            CHECK,
            format!("driver {version} with CUDA {} for {}", cuda_name(*cuda), cards.join(", ")),
            format!("install a driver for CUDA {} or newer: most images need it", cuda_name(CUDA_WANTED)),
        ),
        GpuFact::Driver { version, cuda, cards } => {
            let cuda = cuda.map_or_else(String::new, |cuda| format!(" with CUDA {}", cuda_name(cuda)));
            fine(CHECK, format!("driver {version}{cuda} for {}", cards.join(", ")))
        }
    }
}

/// A device that says it has a card is held to what a card does, and is not hired before it has shown it.
fn gpu_proofs(fact: &ProofsFact) -> Finding {
    const CHECK: &str = "gpu_proofs";
    let cards = |count: &u32| if *count == 1 { "the card".to_owned() } else { format!("all {count} cards") };
    match fact {
        ProofsFact::NoCard => fine(CHECK, "not needed: the processor answers challenges"),
        ProofsFact::Found { cards: count } => fine(CHECK, format!("{} can be opened; not tried, because an agent runs here", cards(count))),
        ProofsFact::Right { cards: count } => fine(CHECK, format!("small jobs came out right on {}", cards(count))),
        ProofsFact::Impossible { code, reason, remedy } => error(CHECK, format!("{reason} ({code})"), remedy.clone()),
    }
}

fn cuda_name(cuda: u32) -> String {
    format!("{}.{}", cuda / 1_000, cuda % 1_000 / 10)
}

fn gib(mb: u64) -> String {
    format!("{}.{} GiB", mb / 1_024, mb % 1_024 * 10 / 1_024)
}

fn memory(mb: u64) -> Finding {
    const CHECK: &str = "memory";
    match mb {
        0..MEMORY_NEEDED_MB => error(CHECK, gib(mb), format!("at least {} are needed to run anything", gib(MEMORY_NEEDED_MB))),
        MEMORY_NEEDED_MB..MEMORY_WANTED_MB => warning(CHECK, gib(mb), "12 GB or more are recommended: fewer customers can use less"),
        _ => fine(CHECK, gib(mb)),
    }
}

fn disk(free_mb: u64) -> Finding {
    const CHECK: &str = "disk_free";
    match free_mb {
        0..DISK_NEEDED_MB => error(
            CHECK,
            gib(free_mb),
            format!("free at least {}, or put the agent's directory elsewhere with --agent-dir", gib(DISK_NEEDED_MB)),
        ),
        DISK_NEEDED_MB..DISK_WANTED_MB => {
            warning(CHECK, gib(free_mb), format!("{} or more are recommended for customers' images and data", gib(DISK_WANTED_MB)))
        }
        _ => fine(CHECK, gib(free_mb)),
    }
}

fn hub(fact: &HubFact) -> Finding {
    const CHECK: &str = "hub";
    match fact {
        HubFact::NotNamed => error(CHECK, "no hub was named", "name it with --hub URL"),
        HubFact::Unreachable { reason } => error(
            CHECK,
            format!("it cannot be reached: {reason}"),
            "check the URL, and that outgoing TCP connections to its port are allowed; no incoming port is needed",
        ),
        HubFact::NoUpgrade { status } => error(
            CHECK,
            format!("it answers {status} where an agent connects"),
            "check that the URL is that of an ionet hub, and that no proxy on the way refuses websockets",
        ),
        HubFact::Reached { connect_ms, .. } if *connect_ms > CONNECT_FINE_MS => warning(
            CHECK,
            format!("connected in {connect_ms} ms"),
            "the way to the hub is slow: check the line, or choose a hub that is nearer",
        ),
        HubFact::Reached { connect_ms, .. } => fine(CHECK, format!("connected in {connect_ms} ms")),
    }
}

fn clock(fact: &HubFact) -> Finding {
    const CHECK: &str = "clock";
    let HubFact::Reached { clock_ahead_secs: Some(ahead), .. } = fact else {
        return warning(CHECK, "not compared: the hub did not say its time", "see to it that the clock is synchronised (NTP)");
    };
    let found = match ahead {
        0 => "as the hub's".to_owned(),
        1.. => format!("{ahead} s ahead of the hub's"),
        _ => format!("{} s behind the hub's", ahead.unsigned_abs()),
    };
    let remedy = "synchronise the clock: `timedatectl set-ntp true`, or switch on automatic time";
    let off_secs = ahead.unsigned_abs();
    if off_secs <= CLOCK_FINE_SECS {
        fine(CHECK, found)
    } else if off_secs <= CLOCK_BAD_SECS {
        warning(CHECK, found, remedy)
    } else {
        error(CHECK, found, remedy)
    }
}

fn engine(fact: &EngineFact) -> Finding {
    const CHECK: &str = "container_engine";
    match fact {
        EngineFact::Answers { socket } => fine(CHECK, format!("answers at {socket}")),
        EngineFact::Silent { socket, reason } => warning(
            CHECK,
            format!("{socket} does not answer: {reason}"),
            "start it, or add this user to its group: `sudo usermod -aG docker $USER`",
        ),
        EngineFact::Absent => {
            warning(CHECK, "none", "install Docker Engine: without it customers' work runs as plain processes, for trusted use only")
        }
    }
}

fn python(fact: &PythonFact) -> Finding {
    const CHECK: &str = "python";
    let remedy = format!("install Python {}.{} or newer as `python3`, with venv", PYTHON_NEEDED.0, PYTHON_NEEDED.1);
    match fact {
        PythonFact::Missing { reason } => error(CHECK, reason.clone(), remedy),
        PythonFact::Version { major, minor } if (*major, *minor) < PYTHON_NEEDED => error(CHECK, format!("{major}.{minor}"), remedy),
        PythonFact::Version { major, minor } => fine(CHECK, format!("{major}.{minor}")),
    }
}

/// The hub measures it itself, by transfers that it times, so nothing that a machine says of its own line would count.
fn bandwidth(hub: &HubFact) -> Finding {
    const CHECK: &str = "bandwidth";
    match hub {
        HubFact::Reached { .. } => fine(CHECK, "not measured here: the hub times transfers once the device has joined"),
        _ => warning(CHECK, "not measured: the hub cannot be reached", "mend the way to the hub first"),
    }
}

fn other_agent(running: bool) -> Finding {
    const CHECK: &str = "other_agent";
    if running {
        warning(CHECK, "an agent runs here already", "see `ionet agent service status`; two agents need two --agent-dir")
    } else {
        fine(CHECK, "none")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn good() -> Facts {
        Facts {
            gpu: GpuFact::NoDriver,
            gpu_proofs: ProofsFact::NoCard,
            memory_mb: 64 << 10,
            disk_free_mb: 500 << 10,
            hub: HubFact::Reached { connect_ms: 40, clock_ahead_secs: Some(0) },
            engine: EngineFact::Answers { socket: "/run/docker.sock".to_owned() },
            python: PythonFact::Version { major: 3, minor: 12 },
            agent_running: false,
            sharing: None,
        }
    }

    fn impossible() -> ProofsFact {
        let text = |text: &str| text.to_owned();
        ProofsFact::Impossible { code: text("cuda_no_driver"), reason: text("no library"), remedy: text("install it") }
    }

    fn reached(connect_ms: u64, clock_ahead_secs: Option<i64>) -> HubFact {
        HubFact::Reached { connect_ms, clock_ahead_secs }
    }

    fn driver(cuda: Option<u32>, cards: &[&str]) -> GpuFact {
        GpuFact::Driver { version: "550.54".to_owned(), cuda, cards: cards.iter().map(|card| (*card).to_owned()).collect() }
    }

    #[test]
    fn every_thing_is_judged_for_itself() {
        use Severity::{Error, Ok, Warning};
        let with = |change: &dyn Fn(&mut Facts)| {
            let mut facts = good();
            change(&mut facts);
            facts
        };
        let text = |text: &str| text.to_owned();
        for (facts, check, severity) in [
            (good(), "gpu_driver", Ok),
            (with(&|f| f.gpu = GpuFact::Broken { reason: text("x") }), "gpu_driver", Warning),
            (with(&|f| f.gpu = driver(Some(12_040), &["H100"])), "gpu_driver", Ok),
            (with(&|f| f.gpu = driver(Some(11_080), &["H100"])), "gpu_driver", Ok),
            (with(&|f| f.gpu = driver(Some(11_070), &["H100"])), "gpu_driver", Warning),
            (with(&|f| f.gpu = driver(None, &["H100"])), "gpu_driver", Ok),
            (with(&|f| f.gpu = driver(Some(12_040), &[])), "gpu_driver", Warning),
            (with(&|f| f.gpu_proofs = ProofsFact::Found { cards: 2 }), "gpu_proofs", Ok),
            (with(&|f| f.gpu_proofs = ProofsFact::Right { cards: 1 }), "gpu_proofs", Ok),
            (with(&|f| f.gpu_proofs = impossible()), "gpu_proofs", Error),
            (with(&|f| f.memory_mb = 1_023), "memory", Error),
            (with(&|f| f.memory_mb = 1_024), "memory", Warning),
            (with(&|f| f.memory_mb = 11_499), "memory", Warning),
            (with(&|f| f.memory_mb = 11_500), "memory", Ok),
            (with(&|f| f.disk_free_mb = 4_095), "disk_free", Error),
            (with(&|f| f.disk_free_mb = 4_096), "disk_free", Warning),
            (with(&|f| f.disk_free_mb = 100 << 10), "disk_free", Ok),
            (with(&|f| f.hub = HubFact::NotNamed), "hub", Error),
            (with(&|f| f.hub = HubFact::Unreachable { reason: text("x") }), "hub", Error),
            (with(&|f| f.hub = HubFact::NoUpgrade { status: 404 }), "hub", Error),
            (with(&|f| f.hub = reached(2_001, Some(0))), "hub", Warning),
            (with(&|f| f.hub = HubFact::NotNamed), "clock", Warning),
            (with(&|f| f.hub = reached(1, None)), "clock", Warning),
            (with(&|f| f.hub = reached(1, Some(-5))), "clock", Ok),
            (with(&|f| f.hub = reached(1, Some(6))), "clock", Warning),
            (with(&|f| f.hub = reached(1, Some(-300))), "clock", Warning),
            (with(&|f| f.hub = reached(1, Some(301))), "clock", Error),
            (with(&|f| f.hub = reached(1, Some(i64::MIN))), "clock", Error),
            (with(&|f| f.hub = HubFact::NotNamed), "bandwidth", Warning),
            (with(&|f| f.engine = EngineFact::Absent), "container_engine", Warning),
            (with(&|f| f.engine = EngineFact::Silent { socket: text("s"), reason: text("x") }), "container_engine", Warning),
            (with(&|f| f.python = PythonFact::Missing { reason: text("x") }), "python", Error),
            (with(&|f| f.python = PythonFact::Version { major: 3, minor: 9 }), "python", Error),
            (with(&|f| f.python = PythonFact::Version { major: 2, minor: 27 }), "python", Error),
            (with(&|f| f.python = PythonFact::Version { major: 3, minor: 10 }), "python", Ok),
            (with(&|f| f.python = PythonFact::Version { major: 4, minor: 0 }), "python", Ok),
            (with(&|f| f.agent_running = true), "other_agent", Warning),
            (with(&|f| f.sharing = Some(SharingFact::Possible { gpus: 8, mig: true })), "sharing", Ok),
            (with(&|f| f.sharing = Some(SharingFact::Mixed)), "sharing", Warning),
        ] {
            let findings = evaluate(&facts);
            let finding = findings.iter().find(|finding| finding.check == check).unwrap();
            assert_eq!(finding.severity, severity, "{finding:?}");
        }
        assert!(evaluate(&good()).iter().all(|finding| finding.severity == Ok));
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let bad = Facts {
            gpu: GpuFact::Broken { reason: "no device".to_owned() },
            gpu_proofs: impossible(),
            memory_mb: 0,
            disk_free_mb: 0,
            hub: HubFact::Unreachable { reason: "refused".to_owned() },
            engine: EngineFact::Absent,
            python: PythonFact::Missing { reason: "none".to_owned() },
            agent_running: true,
            sharing: Some(SharingFact::NoGpus),
        };
        let findings = evaluate(&bad);
        assert_eq!(findings.len(), 11);
        assert!(findings.iter().all(|finding| finding.severity > Severity::Ok), "{findings:?}");
    }

    proptest! {
        #[test]
        fn whatever_is_wrong_has_a_remedy(memory_mb: u64, disk_free_mb: u64, ahead: Option<i64>, connect_ms: u64, major in 0_u32..5, minor: u32, agent_running: bool) {
            let facts = Facts {
                memory_mb, disk_free_mb, agent_running,
                hub: reached(connect_ms, ahead),
                python: PythonFact::Version { major, minor },
                ..good()
            };
            for finding in evaluate(&facts) {
                prop_assert_eq!(finding.remedy.is_some(), finding.severity > Severity::Ok, "{:?}", finding);
            }
        }
    }
}
