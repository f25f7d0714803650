//! The hub may die between any two lines: what was begun comes to its end, and the books balance.

use std::time::Duration;

use ionet_types::Currency;
use ionet_types::clusters::ClusterStatus;
use ionet_types::page::PageRequest;

use crate::world::{Customer, World, kinds, sign_in, wait_for};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_moment_every_cluster_comes_to_its_end() {
    let mut world = World::open().await;
    let mut agents = world.agents(2).await;
    let mut customer = world.customer().await;
    let mut id = None;
    let mut advanced = false;
    let mut settled = 0;
    // Each life of the hub is short; the customer goes on where the last one stopped.
    for life in 0..150_u32 {
        // Later lives may be longer, so that on a slow machine some get far as well.
        let millis = rand::random_range(0..120 + 2 * u64::from(life));
        let hub = world.hub.clone();
        customer = Customer { caller: sign_in(&hub, &customer.wallet).await, hub, wallet: customer.wallet };
        let go_on = async {
            match id {
                None => {
                    let terms = Customer::terms(2, 120, if life % 2 == 0 { Currency::Usdc } else { Currency::Io });
                    if let Ok(booked) = customer.hub.cluster_book(&customer.caller, &terms, None).await {
                        id = Some(booked.cluster.id);
                        let _ = customer.submit(&booked.transaction).await;
                    }
                }
                Some(cluster) => match customer.hub.cluster_show(&customer.caller, cluster).await {
                    // Never signed, and forgotten.
                    Err(_) => id = None,
                    Ok(cluster) if cluster.settled => {
                        assert!(customer.receipt(cluster.id).await.balance.ok);
                        settled += 1;
                        (id, advanced) = (None, false);
                    }
                    Ok(cluster) => match cluster.status {
                        ClusterStatus::Prepared => world.jump_secs(60).await,
                        ClusterStatus::Booked | ClusterStatus::PartiallyPaid => {
                            let half = cluster.due.base_units.0.div_ceil(2);
                            let _ = customer.pay(cluster.id, Some(half)).await;
                        }
                        ClusterStatus::Running if !advanced => {
                            advanced = true;
                            world.jump_secs(30 * 60).await;
                            if life % 3 == 0 {
                                let _ = customer.hub.cluster_terminate(&customer.caller, cluster.id).await;
                            }
                        }
                        ClusterStatus::Running => world.jump_secs(30 * 60).await,
                        _ => {}
                    },
                },
            }
        };
        let _ = tokio::time::timeout(Duration::from_millis(millis), Box::pin(go_on)).await;
        tokio::time::sleep(Duration::from_millis(rand::random_range(0..60))).await;
        world.restart_hub().await;
        let hub = world.hub.clone();
        for agent in &mut agents {
            agent.connect(&hub).await;
        }
    }
    // Left alone, the last one comes to its end as well.
    let hub = world.hub.clone();
    let last = Customer { caller: sign_in(&hub, &customer.wallet).await, hub, wallet: customer.wallet };
    let page = last.hub.cluster_list(&last.caller, &PageRequest::default()).await.unwrap();
    for cluster in page.items.iter().filter(|cluster| cluster.status != ClusterStatus::Prepared) {
        let done = wait_for("the end", async || {
            world.advance_secs(20 * 60).await;
            Some(last.show(cluster.id).await).filter(|cluster| cluster.settled)
        })
        .await;
        let receipt = last.receipt(done.id).await;
        assert!(receipt.balance.ok, "{:?}", kinds(&receipt));
        let once = |kind: &str| kinds(&receipt).into_iter().filter(|found| *found == kind).count() <= 1;
        assert!(["book_product", "start", "worked", "refund", "expire"].into_iter().all(once), "{:?}", kinds(&receipt));
    }
    println!("{settled} clusters came to their end in these lives, {} in all", page.items.len());
    // And the network still works as on its first day.
    world.advance_secs(200).await;
    let booked =
        wait_for("free devices", async || last.hub.cluster_book(&last.caller, &Customer::terms(2, 60, Currency::Usdc), None).await.ok())
            .await;
    last.submit(&booked.transaction).await.unwrap();
    last.pay(booked.cluster.id, None).await.unwrap();
    last.reaches(booked.cluster.id, ClusterStatus::Running).await;
}
