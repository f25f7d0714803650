//! The audit log shows every change that somebody makes behind the hub's back, in the database file itself.

use ionet_store::{NewAudit, audit_verify};
use ionet_types::Address;
use ionet_types::audit::{Actor, AuditAction, AuditBreak, AuditHead};
use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

use crate::{TestStore, store};

async fn written(count: u64) -> (TestStore, AuditHead) {
    let test = store().await;
    for number in 0..count {
        let actor = if number % 2 == 0 { Actor::Wallet(Address([1; 32])) } else { Actor::Network };
        let entry = NewAudit {
            actor,
            action: AuditAction::DeviceBlocked,
            subject: format!("device {number}"),
            concerns: (number % 3 == 0).then_some(Address([2; 32])),
            detail: json!({ "reason": "test", "number": number }),
        };
        test.store.audit_append(&entry, 100 + i64::try_from(number).unwrap()).await.unwrap();
    }
    let head = test.store.audit_head().await.unwrap();
    (test, head)
}

/// Does to the file what somebody with the operator's rights could do.
async fn tamper(test: &TestStore, statements: &[&str]) {
    let options = SqliteConnectOptions::new().filename(test.dir.path().join("hub.db"));
    let mut connection = options.connect().await.unwrap();
    for trigger in ["audit_is_never_changed", "audit_is_never_deleted", "audit_head_stays"] {
        connection.execute(format!("DROP TRIGGER IF EXISTS {trigger}").as_str()).await.unwrap();
    }
    for statement in statements {
        assert!(connection.execute(*statement).await.unwrap().rows_affected() > 0, "{statement}");
    }
    connection.close().await.unwrap();
}

#[tokio::test]
async fn an_untouched_log_is_whole_and_read_by_whom_it_concerns() {
    let (test, head) = written(9).await;
    let path = test.dir.path().join("hub.db");
    assert_eq!(head.sequence, 9);
    assert_eq!(audit_verify(&path, None).await.unwrap(), Ok(head));
    assert_eq!(audit_verify(&path, Some(head)).await.unwrap(), Ok(head));
    let own = test.store.audit_of(Address([1; 32]), None, 3).await.unwrap();
    assert_eq!(own.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [9, 7, 5]);
    let concerned = test.store.audit_of(Address([2; 32]), Some(7), 10).await.unwrap();
    assert_eq!(concerned.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [4, 1]);
    assert_eq!(test.store.audit_of(Address([3; 32]), None, 10).await.unwrap(), []);
    let links = test.store.audit_links(0, 100).await.unwrap();
    assert_eq!(links.iter().fold(AuditHead::EMPTY, |head, link| head.after(*link)), head, "the links lead to the head");
    for entry in own {
        assert_eq!(entry.link(), links[usize::try_from(entry.sequence).unwrap() - 1]);
    }
    test.store.close().await;
    let again = ionet_store::Store::open(&path).await.unwrap();
    assert_eq!(again.audit_head().await.unwrap(), head, "a restart changes nothing");
}

#[tokio::test]
async fn the_database_itself_refuses_to_change_or_delete_entries() {
    let (test, head) = written(3).await;
    let options = SqliteConnectOptions::new().filename(test.dir.path().join("hub.db"));
    let mut connection = options.connect().await.unwrap();
    for statement in [
        "UPDATE audit SET subject = 'x' WHERE sequence = 2",
        "DELETE FROM audit WHERE sequence = 3",
        "DELETE FROM audit",
        "DELETE FROM audit_head",
    ] {
        let refused = connection.execute(statement).await.unwrap_err().to_string();
        assert!(refused.contains("the audit log"), "{refused}");
    }
    assert_eq!(audit_verify(&test.dir.path().join("hub.db"), Some(head)).await.unwrap(), Ok(head));
}

#[tokio::test]
async fn any_row_that_is_changed_deleted_moved_or_put_in_is_found() {
    let changed = |sequence| AuditBreak::Changed { sequence };
    let gap = |expected, found| AuditBreak::Gap { expected, found };
    let cases: &[(&[&str], AuditBreak)] = &[
        (&["UPDATE audit SET subject = 'device 99' WHERE sequence = 4"], changed(4)),
        (&["UPDATE audit SET detail = '{}' WHERE sequence = 1"], changed(1)),
        (&["UPDATE audit SET actor = 'network' WHERE sequence = 3"], changed(3)),
        (&["UPDATE audit SET actor = 'nobody at all' WHERE sequence = 3"], changed(3)),
        (&["UPDATE audit SET action = 'device_unblocked' WHERE sequence = 6"], changed(6)),
        (&["UPDATE audit SET at_unix_secs = 7 WHERE sequence = 5"], changed(5)),
        (&["UPDATE audit SET concerns = NULL WHERE sequence = 4"], changed(4)),
        (&["UPDATE audit SET salt = '00' WHERE sequence = 2"], changed(2)),
        (&["UPDATE audit SET hash = zeroblob(32) WHERE sequence = 2"], changed(2)),
        (&["UPDATE audit SET hash = zeroblob(31) WHERE sequence = 2"], changed(2)),
        (&["DELETE FROM audit WHERE sequence = 1"], gap(1, 2)),
        (&["DELETE FROM audit WHERE sequence = 4"], gap(4, 5)),
        (&["DELETE FROM audit WHERE sequence = 6"], AuditBreak::Short { expected: 6, found: 5 }),
        // The gap closed again by renumbering.
        (
            &[
                "DELETE FROM audit WHERE sequence = 4",
                "UPDATE audit SET sequence = 4 WHERE sequence = 5",
                "UPDATE audit SET sequence = 5 WHERE sequence = 6",
            ],
            changed(4),
        ),
        // Two that change places.
        (
            &[
                "UPDATE audit SET sequence = -2 WHERE sequence = 2",
                "UPDATE audit SET sequence = 2 WHERE sequence = 5",
                "UPDATE audit SET sequence = 5 WHERE sequence = -2",
            ],
            changed(2),
        ),
        // One more: at the end, before the beginning, twice.
        (
            &[
                "INSERT INTO audit SELECT 7, at_unix_secs, actor, action, subject, concerns, detail, salt, hash FROM audit WHERE sequence = 6",
            ],
            changed(7),
        ),
        (
            &[
                "INSERT INTO audit SELECT 0, at_unix_secs, actor, action, subject, concerns, detail, salt, hash FROM audit WHERE sequence = 1",
            ],
            gap(1, 0),
        ),
        // The last one taken away, and the head turned back to fit, by its own hash.
        (
            &[
                "DELETE FROM audit WHERE sequence = 6",
                "UPDATE audit_head SET sequence = 5, hash = (SELECT hash FROM audit WHERE sequence = 5)",
            ],
            AuditBreak::Short { expected: 6, found: 5 },
        ),
        (&["UPDATE audit_head SET sequence = 5"], AuditBreak::Long { expected: 5 }),
        (&["UPDATE audit_head SET hash = zeroblob(32)"], changed(6)),
    ];
    for (statements, broken) in cases {
        let (test, head) = written(6).await;
        test.store.close().await;
        tamper(&test, statements).await;
        let path = test.dir.path().join("hub.db");
        assert_eq!(audit_verify(&path, Some(head)).await.unwrap(), Err(*broken), "{statements:?}");
    }
}
