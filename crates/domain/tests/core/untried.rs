//! Attempts that were not made for want of a place: nobody waits for them, and they say nothing about their provider.

use tocsin_domain::command::Ask;
use tocsin_domain::id::NotificationId;
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{Outcome, PROVIDER_FAILURES_MAX};
use tocsin_domain::people::ChannelKind;
use tocsin_domain::state::Provider;

use crate::world::World;

fn sent_by(world: &World, channel: ChannelKind) -> Vec<(NotificationId, u32)> {
    let sending = world.sending().into_iter();
    let theirs = sending.filter(|message| message.channel == channel);
    theirs
        .filter_map(|message| Some((message.id, message.attempts.last()?.number)))
        .collect()
}

#[test]
fn a_page_that_was_not_tried_goes_another_way_at_once_and_says_nothing_about_its_provider() {
    let mut world = World::set_up();
    let ada = world.ada();
    world.add_way(ada, ChannelKind::Ntfy);
    let mut untried = 0;
    for key in ["a", "b"] {
        world.trigger(key, Severity::Critical);
        for wait_ms in [0, 1_000, 4_000] {
            world.wait_ms(wait_ms);
            for (notification, number) in sent_by(&world, ChannelKind::Email) {
                untried += 1;
                world.ask(Ask::NotTried {
                    notification,
                    number,
                    detail: "not tried".to_owned(),
                });
            }
            for (notification, _) in sent_by(&world, ChannelKind::Ntfy) {
                assert_eq!(wait_ms, 0, "the other way is used at once");
                world.answer(notification, Outcome::Accepted);
            }
        }
        let mut all = world.state.notifications.values();
        assert!(all.any(|message| message.channel == ChannelKind::Ntfy));
    }
    assert!(untried > PROVIDER_FAILURES_MAX, "{untried}");
    let mail = Provider::Channel(ChannelKind::Email);
    assert_eq!(world.state.provider_rests(mail, None, world.now), None);
}
