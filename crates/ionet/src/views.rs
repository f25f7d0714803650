//! How nouns look to a person.

use ionet_types::clusters::{Cluster, ClusterNode};
use ionet_types::devices::{Device, DeviceShare, DeviceSharing};
use ionet_types::quotes::Quote;

use crate::output::{fields, moment, name_of, short, usd};

/// A quote.
pub fn quote(quote: &Quote) -> String {
    let mut shown = vec![
        ("hardware", format!("{} x {} for {} min", quote.quantity, quote.hardware, quote.minutes)),
        ("free now", quote.free_devices.to_string()),
        ("rate", format!("{} per device-hour ({})", quote.rate.display, usd(quote.rate_micro_usd))),
        ("cost", quote.cost.display.clone()),
        ("fees", quote.fees.display.clone()),
        ("total", quote.total.display.clone()),
        ("holds until", moment(quote.valid_until_unix_secs)),
    ];
    if let Some(price) = &quote.price {
        let scarcity = format!("{}.{:03}", price.scarcity_ppm / 1_000_000, price.scarcity_ppm % 1_000_000 / 1_000);
        shown.push((
            "price",
            format!(
                "{} now ({}, {}); reference {} x scarcity {scarcity} goes to {}",
                usd(price.price_micro_usd),
                name_of(&price.tier),
                price.region,
                usd(price.reference_micro_usd),
                usd(price.target_micro_usd)
            ),
        ));
    }
    if quote.discount_bps > 0 {
        shown.push(("discount", format!("{}.{:02} % for the length of the hire", quote.discount_bps / 100, quote.discount_bps % 100)));
    }
    if quote.floor_micro_usd.0 > 0 {
        shown.push(("floor", format!("{} is the least that the suppliers ask", usd(quote.floor_micro_usd))));
    }
    fields(&shown)
}

/// A cluster.
pub fn cluster(cluster: &Cluster) -> String {
    let mut shown = vec![("cluster", cluster.id.to_string())];
    shown.extend(cluster.name.clone().map(|name| ("name", name)));
    shown.push(("status", status(cluster)));
    shown.extend(cluster.part_of.map(|whole| ("part of", whole.to_string())));
    shown.extend(cluster.parts.iter().map(|part| ("part", part.to_string())));
    shown.push(("hardware", format!("{} x {} for {} min", cluster.quantity, cluster.hardware, cluster.minutes_hired)));
    shown.push(("rate", format!("{} per device-hour", cluster.rate.display)));
    shown.push(("total", format!("{} (cost {} + fees {})", cluster.total.display, cluster.cost.display, cluster.fees.display)));
    shown.push(("paid", cluster.paid.display.clone()));
    shown.push(("due", cluster.due.display.clone()));
    shown.push(("worked", format!("{} for {} device-minutes", cluster.worked.display, cluster.device_minutes_worked)));
    shown.push(("refunded", cluster.refunded.display.clone()));
    shown.push(("in escrow", cluster.escrow.display.clone()));
    for (name, at) in [
        ("booked", cluster.booked_at_unix_secs),
        ("pay by", cluster.pay_by_unix_secs),
        ("started", cluster.started_at_unix_secs),
        ("hired until", cluster.hired_until_unix_secs),
        ("ended", cluster.ended_at_unix_secs),
    ] {
        shown.extend(at.map(|at| (name, moment(at))));
    }
    shown.extend(cluster.nodes.iter().map(|state| ("node", node(state))));
    fields(&shown)
}

/// Where a cluster stands, in words.
pub fn status(cluster: &Cluster) -> String {
    let mut status = cluster.status.name().to_owned();
    if let Some(reason) = cluster.end_reason {
        status.push_str(", ");
        status.push_str(&name_of(&reason).replace('_', " "));
    }
    if cluster.settled {
        status.push_str(", settled");
    } else if cluster.terminating {
        status.push_str(", ending");
    }
    status
}

/// A node in one line.
pub fn node(node: &ClusterNode) -> String {
    let mut line = format!("{} on {}: {}", node.node, short(&node.device.to_string()), name_of(&node.phase));
    if let Some(percent) = node.percent {
        line = format!("{line} {percent} %");
    }
    if let Some(version) = &node.ray_version {
        line = format!("{line}, Ray {version}");
    }
    if let Some(detail) = &node.detail {
        line = format!("{line}, {detail}");
    }
    line
}

/// All nodes of a starting cluster in one short line.
pub fn nodes(cluster: &Cluster) -> String {
    let states: Vec<String> = cluster
        .nodes
        .iter()
        .map(|node| {
            let percent = node.percent.map(|percent| format!(" {percent} %")).unwrap_or_default();
            let detail = node.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
            format!("node {} {}{percent}{detail}", node.node, name_of(&node.phase))
        })
        .collect();
    if states.is_empty() { cluster.status.name().to_owned() } else { states.join(", ") }
}

/// A device.
pub fn device(device: &Device) -> String {
    let mut shown = vec![
        ("device", device.id.to_string()),
        ("label", device.label.clone().unwrap_or_default()),
        ("state", format!("{}: {}", name_of(&device.status.state), device.status.detail)),
        ("since", moment(device.status.since_unix_secs)),
        ("reputation", format!("{} of 1000", device.reputation)),
        ("connection", name_of(&device.connection)),
        ("use", name_of(&device.usage)),
        ("hardware", device.hardware.as_ref().map_or_else(|| "no price in the list".to_owned(), ToString::to_string)),
        (
            "where",
            [device.location.country.map(|country| country.name().to_owned()), device.location.site.as_ref().map(ToString::to_string)]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(", "),
        ),
        ("connection tier", name_of(&device.tier)),
        ("CPUs", format!("{} of {}", device.cpus, device.cpu_model)),
        ("memory", format!("{} MiB", device.memory_mb)),
        ("isolation", device.isolation.clone()),
        ("agent", device.agent_version.clone()),
        ("registered", moment(device.registered_at_unix_secs)),
        ("last seen", moment(device.last_seen_unix_secs)),
    ];
    if let Some(attestation) = &device.attestation {
        let mut proved: Vec<_> = attestation.compliance.iter().map(name_of).collect();
        proved.extend(attestation.renewable.then(|| "renewable energy".to_owned()));
        proved.extend(attestation.supplier.as_ref().map(|name| format!("supplier {name}")));
        shown.push(("attested", proved.join(", ")));
    }
    shown.extend(device.gpus.iter().map(|gpu| ("GPU", format!("{}, {} MiB", gpu.model, gpu.memory_mb))));
    if let Some(sharing) = &device.sharing {
        shown.push(("shared", if sharing.open { "yes" } else { "not any more: who is there may finish" }.to_owned()));
        shown.push(("free", free(sharing)));
        shown.extend(sharing.hired.iter().map(|share| ("hired", hired(share))));
    }
    fields(&shown)
}

/// What of a shared device can still be hired.
pub fn free(sharing: &DeviceSharing) -> String {
    let parts: Vec<String> =
        sharing.free_gpu_milli.iter().filter(|milli| (1..1_000).contains(*milli)).map(|milli| format!("{milli}/1000")).collect();
    let gpus = match (sharing.free_gpus, parts.as_slice()) {
        (whole, []) => format!("{whole} GPUs"),
        (whole, parts) => format!("{whole} GPUs and {} of others", parts.join(", ")),
    };
    format!("{gpus}, {} CPUs, {} MiB", thousandths(sharing.free_cpu_milli), sharing.free_memory_mb)
}

/// What one node has of a shared device.
fn hired(share: &DeviceShare) -> String {
    let numbers = share.gpus.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let gpus = match (share.gpu_milli, share.gpu_instance) {
        (Some(milli), _) => format!("{milli}/1000 of GPU {numbers}"),
        (None, Some(size)) => format!("{} of GPU {numbers}", name_of(&size)),
        (None, None) if share.gpus.is_empty() => "no GPU".to_owned(),
        (None, None) => format!("GPU {numbers}"),
    };
    let releasing = if share.releasing { ", being cleared" } else { "" };
    format!("{gpus}, {} CPUs, {} MiB{releasing}", thousandths(share.cpu_milli), share.memory_mb)
}

fn thousandths(milli: u32) -> String {
    match milli % 1_000 {
        0 => (milli / 1_000).to_string(),
        rest => format!("{}.{}", milli / 1_000, format!("{rest:03}").trim_end_matches('0')),
    }
}

/// A list, with the way to its next page.
pub fn more(list: String, next_cursor: Option<&str>) -> String {
    match next_cursor {
        Some(cursor) => format!("{list}\n\nmore: --cursor {cursor}"),
        None => list,
    }
}
