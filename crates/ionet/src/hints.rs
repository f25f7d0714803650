//! What to do about the network's refusals, by their stable code.

/// What to do about a refusal, if there is something that this client can do.
pub(crate) fn hint(code: &str) -> Option<&'static str> {
    Some(match code {
        "unauthenticated" => "sign in with the wallet that owns this (--wallet), or set a valid IONET_API_KEY",
        "scope_insufficient" => "use the wallet, or a key made with `ionet keys create --scope write`",
        "cluster_not_found" => "see yours with `ionet clusters list`",
        "device_not_found" => "see all with `ionet devices list`",
        "device_not_registered" => "its owner registers it with `ionet stakes register`; see yours with `ionet stakes list`",
        "device_registered" => "see it with `ionet stakes show`",
        "device_owner_undeclared" => "see which devices name your wallet with `ionet stakes register --all`",
        "device_not_yours" => "see yours with `ionet stakes list`, or name the right wallet with --wallet",
        "device_in_use" => "wait until its cluster has ended: see `ionet devices show`",
        "stake_needed" | "wait_not_over" | "stake_frozen" | "unstaking" | "not_unstaking" | "notice_given" => {
            "see what can be withdrawn, and when, with `ionet stakes show`"
        }
        "no_such_offer" | "co_stake_too_large" => "see what is on offer with `ionet stakes offers`",
        "case_not_found" => "see all with `ionet slashes list`",
        "appeal_too_late" | "case_not_open" => "see where it stands with `ionet slashes show`",
        "key_not_found" => "see yours with `ionet keys list`",
        "join_token_not_found" => "see yours with `ionet joins list`",
        "join_token_limit" => "revoke one with `ionet joins revoke`",
        "device_code_unknown" => "type the code as the device shows it; it holds for ten minutes",
        "device_code_decided" => "run `ionet agent join` on the device again for a new code",
        "write_rate_exceeded" | "device_code_limit" => "wait a few minutes",
        "key_limit" => "revoke one with `ionet keys revoke`",
        "transaction_not_found" => "see all with `ionet transactions list`",
        "hardware_unknown" | "capacity_insufficient" => "see what can be hired now with `ionet hardware`",
        "insufficient_funds" => "see what the wallet holds with `ionet wallet balance`; on a local network `ionet wallet fund` gives more",
        "faucet_closed" => "send coins to the address that `ionet wallet show` prints",
        "not_terminable" => "an unpaid booking lapses by itself, and what was paid goes back",
        "pending_booking_limit" => "wait a few minutes: bookings that are not signed lapse",
        "transaction_expired" => "run the command again: it gets a new transaction",
        "transaction_unconfirmed" => "look with `ionet clusters show` before you repeat it",
        "ray_not_ready" | "device_unreachable" => "wait for it with `ionet clusters watch`",
        "rate_limited" => "wait a moment",
        "chain_unavailable" | "store_unavailable" => "the network is in trouble: try again in a moment",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use ionet_rules::RuleError;
    use ionet_types::problem::Code;

    #[test]
    fn every_hint_is_for_a_code_that_exists() {
        let source = include_str!("hints.rs");
        let table = source.split("_ => return None").next().unwrap();
        for line in table.lines().filter(|line| line.contains("=>") && line.contains('"')) {
            for code in line.split("=>").next().unwrap().split('|').map(|code| code.trim().trim_matches('"')) {
                let known = Code::ALL.iter().any(|known| known.code() == code) || RuleError::ALL.iter().any(|known| known.code() == code);
                assert!(known, "{code} is not a code of the network");
            }
        }
    }
}
