//! Pages of raw data.

use super::*;

fn ids(count: u32) -> Vec<IncidentId> {
    let letters = ('A'..='Z').take(count as usize);
    letters
        .map(|letter| format!("QAAAAAAAAAAAA{letter}").parse().unwrap())
        .collect()
}

#[test]
fn pages_of_raw_data_follow_each_other_both_ways() {
    let all = ids(5);
    let page = |after: Option<usize>, before: Option<usize>| {
        let named = |index: usize| all[index].to_string();
        let page = RawPage {
            limit: 2,
            by: RawOrder::Created,
            descends: false,
            after: after.map(named),
            before: before.map(named),
        };
        page_of(&all, &page).unwrap()
    };
    assert_eq!(page(None, None), (all[0..2].to_vec(), true));
    assert_eq!(page(Some(1), None), (all[2..4].to_vec(), true));
    assert_eq!(page(Some(3), None), (all[4..].to_vec(), false));
    assert_eq!(page(Some(4), None), (Vec::new(), false));
    assert_eq!(page(None, Some(4)), (all[2..4].to_vec(), true));
    assert_eq!(page(None, Some(2)), (all[0..2].to_vec(), false));
    assert_eq!(page(None, Some(1)), (all[0..1].to_vec(), false));
    assert_eq!(page(None, Some(0)), (Vec::new(), false));
    let unknown = RawPage {
        limit: 2,
        by: RawOrder::Created,
        descends: true,
        after: Some("QA".to_owned()),
        before: None,
    };
    assert!(page_of(&all, &unknown).is_err());
}
