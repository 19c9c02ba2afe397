//! Who has worked on an incident is kept, whatever became of their acknowledgements.

use tocsin_domain::command::RespondAsk;

use crate::responding::crashed;

const MINUTE: u64 = 60_000;

#[test]
fn the_first_acknowledgement_is_kept_over_later_ones_and_over_being_paged_anew() {
    let (mut world, incident, [ada, bea, _]) = crashed();
    assert_eq!(world.incident().engaged, None);
    world.wait_ms(MINUTE);
    let first = world.now;
    world.respond(RespondAsk::Acknowledge { incident, by: ada });
    world.wait_ms(MINUTE);
    let second = world.now;
    world.respond(RespondAsk::Snooze {
        incident,
        by: bea,
        for_ms: 10 * MINUTE,
    });
    world.respond(RespondAsk::Escalate { incident });
    assert_eq!(world.incident().acknowledged, None);
    world.respond(RespondAsk::Acknowledge { incident, by: ada });
    let engaged = world.incident().engaged.clone().unwrap();
    assert_eq!(engaged.acknowledged_at, Some(first));
    assert_eq!(engaged.people, [(ada, first), (bea, second)]);
}
