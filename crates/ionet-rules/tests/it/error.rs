//! Refusals: numbers and names are promises to everyone outside.

use std::collections::BTreeSet;

use ionet_rules::RuleError;

#[test]
fn numbers_and_codes_are_unique_and_read_back() {
    let mut numbers = BTreeSet::new();
    let mut codes = BTreeSet::new();
    for error in RuleError::ALL {
        assert!(numbers.insert(*error as u32) && codes.insert(error.code()), "{error:?} is not unique");
        assert_eq!(RuleError::from_number(*error as u32), Some(*error));
        assert!(error.code().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
        assert!(!error.sentence().is_empty());
    }
    for number in (0..100).chain([104, 200, u32::MAX]) {
        assert_eq!(RuleError::from_number(number), None, "{number} names no rule");
    }
}

#[test]
fn numbers_never_change() {
    let pinned = [
        (100, "amount_out_of_range"),
        (101, "currency_mismatch"),
        (102, "param_out_of_bounds"),
        (103, "unknown_value"),
        (110, "quantity_out_of_range"),
        (111, "minutes_out_of_range"),
        (112, "rate_out_of_range"),
        (113, "zero_amount"),
        (114, "quote_expired"),
        (120, "not_payable"),
        (121, "payment_window_over"),
        (122, "overpayment"),
        (123, "wrong_sequence"),
        (124, "payment_window_open"),
        (130, "not_startable"),
        (131, "not_extendable"),
        (132, "not_running"),
        (133, "work_too_early"),
        (134, "work_too_large"),
        (140, "not_refundable"),
        (141, "nothing_due"),
        (150, "price_stale"),
        (151, "price_scattered"),
        (152, "price_out_of_range"),
        (153, "price_not_newer"),
        (154, "unknown_oracle"),
        (160, "pool_empty"),
        (161, "pool_off_oracle"),
        (170, "processors_out_of_range"),
        (171, "unknown_model"),
        (172, "unstaking"),
        (173, "not_unstaking"),
        (174, "wait_not_over"),
        (175, "nothing_staked"),
        (176, "stake_needed"),
        (177, "stake_frozen"),
        (178, "share_out_of_range"),
        (179, "co_stake_taken"),
        (180, "no_such_offer"),
        (181, "co_stake_too_large"),
        (182, "no_co_stake"),
        (183, "notice_given"),
        (184, "slash_too_large"),
        (185, "case_not_open"),
        (186, "appeal_too_late"),
        (187, "case_not_decidable"),
        (188, "epoch_not_over"),
        (189, "wrong_epoch"),
        (190, "statement_unsound"),
        (191, "not_bonded"),
        (192, "voted_already"),
        (193, "not_agreed"),
        (194, "challenge_window_open"),
        (195, "nothing_to_claim"),
        (196, "breaker_open"),
        (197, "wrong_proof"),
        (198, "no_vote"),
        (199, "books_do_not_balance"),
    ];
    let now: Vec<_> = RuleError::ALL.iter().map(|error| (*error as u32, error.code())).collect();
    assert_eq!(now, pinned);
}
