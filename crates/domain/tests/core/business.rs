//! Business services: made, hurt by what fails beneath them, and gone with what named them.

use tocsin_domain::business::{
    AnyService, BUSINESS_SERVICES_MAX, BusinessService, DEPENDENCIES_MAX, DEPENDENCY_DEPTH_MAX,
    Dependency, Gathering, Impacts,
};
use tocsin_domain::command::{Ask, BusinessAsk, Refusal, RespondAsk, RosterAsk, TeamAsk};
use tocsin_domain::event::{BusinessEvent, EventBody, RosterEvent};
use tocsin_domain::id::{BusinessServiceId, IncidentId, ServiceId, TeamId};
use tocsin_domain::people::Urgency;

use crate::world::World;

fn ask(world: &mut World, ask: BusinessAsk) -> Result<usize, Refusal> {
    let events = world.try_ask(Ask::Roster(RosterAsk::Business(ask)))?;
    let is_it = |body: &EventBody| matches!(body, EventBody::Roster(RosterEvent::Business(_)));
    Ok(events.iter().filter(|event| is_it(&event.body)).count())
}

fn set(name: &str, team: Option<TeamId>) -> BusinessAsk {
    BusinessAsk::Set {
        id: None,
        name: name.to_owned(),
        description: String::new(),
        point_of_contact: String::new(),
        team,
    }
}

fn business_called(world: &World, name: &str) -> BusinessServiceId {
    let mut all = world.state.business.services.values();
    all.find(|one| one.name == name).unwrap().id
}

/// A new business service.
fn business(world: &mut World, name: &str) -> BusinessServiceId {
    assert_eq!(ask(world, set(name, None)), Ok(1));
    business_called(world, name)
}

/// A new service that incidents belong to.
fn service(world: &mut World, name: &str) -> ServiceId {
    world.ask(Ask::Roster(RosterAsk::SetService {
        id: None,
        name: name.to_owned(),
        policy: None,
    }));
    let mut all = world.state.services.values();
    all.find(|one| one.name == name).unwrap().id
}

fn needs(dependent: AnyService, supporting: AnyService) -> Dependency {
    Dependency {
        dependent,
        supporting,
    }
}

fn associate(world: &mut World, all: &[Dependency]) -> Result<usize, Refusal> {
    ask(world, BusinessAsk::Associate(all.to_vec()))
}

fn declare(world: &mut World, service: ServiceId, urgency: Urgency) -> IncidentId {
    world.respond(RespondAsk::Declare {
        title: "It is down".to_owned(),
        service: Some(service),
        urgency,
        more: Box::default(),
    });
    world.incident().id
}

fn hurting(world: &World, service: BusinessServiceId) -> Vec<IncidentId> {
    let impacts = Impacts::of(&world.state);
    impacts.on(&[service]).iter().map(|one| one.id).collect()
}

/// A shop that needs the checkout, which needs the database, which needs the disks.
fn shop(world: &mut World) -> (BusinessServiceId, BusinessServiceId, ServiceId, ServiceId) {
    let (shop, checkout) = (business(world, "Shop"), business(world, "Checkout"));
    let (database, disks) = (service(world, "Database"), service(world, "Disks"));
    let all = [
        needs(AnyService::Business(shop), AnyService::Business(checkout)),
        needs(
            AnyService::Business(checkout),
            AnyService::Technical(database),
        ),
        needs(
            AnyService::Technical(database),
            AnyService::Technical(disks),
        ),
    ];
    assert_eq!(associate(world, &all), Ok(1));
    (shop, checkout, database, disks)
}

#[test]
fn an_urgent_incident_hurts_what_needs_its_service_through_others_too_until_it_is_over() {
    let mut world = World::set_up();
    let (shop, checkout, database, disks) = shop(&mut world);
    let office = business(&mut world, "Office");
    declare(&mut world, disks, Urgency::Low);
    assert!(hurting(&world, shop).is_empty(), "nobody is woken by it");
    let incident = declare(&mut world, disks, Urgency::High);
    let slow = declare(&mut world, database, Urgency::High);
    assert_eq!(hurting(&world, shop), [incident, slow]);
    assert_eq!(hurting(&world, checkout), [incident, slow]);
    assert!(hurting(&world, office).is_empty());
    let by = world.ada();
    world.respond(RespondAsk::Acknowledge { incident, by });
    assert_eq!(hurting(&world, shop), [incident, slow], "it is not over");
    for incident in [incident, slow] {
        let note = None;
        world.respond(RespondAsk::Resolve { incident, note });
    }
    assert!(hurting(&world, shop).is_empty());
}

#[test]
fn what_was_merged_into_an_incident_of_another_service_hurts_on() {
    let mut world = World::set_up();
    let (shop, _, database, _) = shop(&mut world);
    let mail = service(&mut world, "Mail");
    let (source, into) = (
        declare(&mut world, database, Urgency::High),
        declare(&mut world, mail, Urgency::High),
    );
    assert_eq!(hurting(&world, shop), [source]);
    let sources = vec![source];
    world.respond(RespondAsk::Merge { sources, into });
    assert_eq!(hurting(&world, shop), [into]);
}

#[test]
fn an_incident_of_two_services_counts_once_and_the_newest_comes_first() {
    let mut world = World::set_up();
    let (shop, checkout, database, disks) = shop(&mut world);
    let first = declare(&mut world, disks, Urgency::High);
    let source = declare(&mut world, database, Urgency::High);
    let into = declare(&mut world, disks, Urgency::High);
    let sources = vec![source];
    world.respond(RespondAsk::Merge { sources, into });
    let last = declare(&mut world, database, Urgency::High);
    let priority = Some("P2".to_owned());
    world.respond(RespondAsk::SetPriority {
        incident: last,
        priority,
    });
    let impacts = Impacts::of(&world.state);
    for service in [shop, checkout] {
        assert!(impacts.is_hurt(service));
        assert_eq!(impacts.count(service), 3);
        let newest = impacts.newest(service, 2);
        let newest: Vec<IncidentId> = newest.iter().map(|one| one.id).collect();
        assert_eq!(newest, [last, into]);
        assert_eq!(impacts.last_opened_at(service), Some(world.now));
        assert!(impacts.priorities(service).into_iter().eq(["P2"]));
    }
    let all = impacts.on(&[shop, checkout]);
    let all: Vec<IncidentId> = all.iter().map(|one| one.id).collect();
    assert_eq!(all, [first, into, last]);
    let mut both = vec![shop, checkout];
    both.sort();
    assert_eq!(impacts.by(into), both);
    assert!(impacts.by(source).is_empty(), "it goes on in another");
}

#[test]
fn dependencies_that_lead_back_to_where_they_began_are_followed_to_their_end() {
    let mut world = World::set_up();
    let (shop, checkout, _, disks) = shop(&mut world);
    let (above, below) = (AnyService::Business(shop), AnyService::Technical(disks));
    // No request makes such; a journal may hold it all the same.
    let supported = &mut world.state.business.supported_by;
    supported.entry(below).or_default().insert(above);
    let incident = declare(&mut world, disks, Urgency::High);
    assert_eq!(hurting(&world, shop), [incident]);
    assert_eq!(hurting(&world, checkout), [incident]);
}

#[test]
fn what_hurts_is_found_a_few_incidents_at_a_time_while_others_come_and_go() {
    let mut world = World::set_up();
    let (shop, _, database, disks) = shop(&mut world);
    for service in [database, disks, database, disks, database] {
        declare(&mut world, service, Urgency::High);
    }
    let mut gathering = Gathering::begin(&world.state);
    let mut looks = 1;
    while gathering.look(&world.state, 2) {
        looks += 1;
    }
    assert_eq!(looks, 3);
    assert!(!gathering.look(&world.state, 2), "there are no more");
    assert_eq!(gathering.impacts().count(shop), 5);
    let mut gathering = Gathering::begin(&world.state);
    assert!(gathering.look(&world.state, 3));
    for incident in world.state.open_incidents.clone().iter().copied() {
        let note = None;
        world.respond(RespondAsk::Resolve { incident, note });
    }
    assert!(!gathering.look(&world.state, 3));
    assert_eq!(gathering.impacts().count(shop), 3);
}

#[test]
fn no_service_supports_itself_and_nothing_of_what_was_asked_with_it_is_done() {
    let mut world = World::set_up();
    let (shop, checkout, database, disks) = shop(&mut world);
    let before = world.state.business.clone();
    let (shop, checkout) = (AnyService::Business(shop), AnyService::Business(checkout));
    let (database, disks) = (
        AnyService::Technical(database),
        AnyService::Technical(disks),
    );
    for (dependent, supporting) in [
        (shop, shop),
        (checkout, shop),
        (disks, shop),
        (disks, database),
    ] {
        let asked = [needs(shop, disks), needs(dependent, supporting)];
        let refusal = associate(&mut world, &asked).unwrap_err().to_string();
        assert!(refusal.contains("no service supports itself"), "{refusal}");
    }
    let mail = AnyService::Business(business(&mut world, "Mail"));
    let both = [needs(mail, shop), needs(shop, mail)];
    assert!(associate(&mut world, &both).is_err());
    assert_eq!(world.state.business.supported_by, before.supported_by);
    assert_eq!(associate(&mut world, &[needs(shop, disks)]), Ok(1));
}

#[test]
fn services_support_one_another_only_so_far() {
    let mut world = World::set_up();
    let all: Vec<AnyService> = (0..=DEPENDENCY_DEPTH_MAX + 1)
        .map(|n| AnyService::Business(business(&mut world, &format!("Service {n}"))))
        .collect();
    let row: Vec<Dependency> = all.windows(2).map(|two| needs(two[0], two[1])).collect();
    let refusal = associate(&mut world, &row).unwrap_err().to_string();
    assert!(refusal.contains("in a row"), "{refusal}");
    assert_eq!(associate(&mut world, &row[1..]), Ok(1));
    assert!(associate(&mut world, &row[..1]).is_err());
}

#[test]
fn what_is_so_already_is_no_event_and_what_is_not_so_cannot_be_taken_back() {
    let mut world = World::set_up();
    let (shop, checkout, _, disks) = shop(&mut world);
    let known = needs(AnyService::Business(shop), AnyService::Business(checkout));
    assert_eq!(associate(&mut world, &[known]), Ok(0));
    let unknown = needs(AnyService::Business(shop), AnyService::Technical(disks));
    let asked = BusinessAsk::Disassociate(vec![known, unknown]);
    assert!(ask(&mut world, asked).is_err());
    assert!(world.state.business.has(known), "all of it or nothing");
    let asked = BusinessAsk::Disassociate(vec![known, known]);
    assert_eq!(ask(&mut world, asked), Ok(1));
    assert!(!world.state.business.has(known));
    let nowhere = ServiceId::random(&mut world.entropy);
    let unknown = needs(AnyService::Business(shop), AnyService::Technical(nowhere));
    assert!(associate(&mut world, &[unknown]).is_err());
}

#[test]
fn a_business_service_that_is_gone_leaves_no_dependency_behind() {
    let mut world = World::set_up();
    let (shop, checkout, database, disks) = shop(&mut world);
    assert_eq!(world.state.business.top_level(), [shop]);
    declare(&mut world, disks, Urgency::High);
    assert_eq!(ask(&mut world, BusinessAsk::Remove(checkout)), Ok(1));
    assert!(hurting(&world, shop).is_empty());
    let left: Vec<Dependency> = world.state.business.dependencies().collect();
    let expected = needs(
        AnyService::Technical(database),
        AnyService::Technical(disks),
    );
    assert_eq!(left, [expected]);
    assert!(ask(&mut world, BusinessAsk::Remove(checkout)).is_err());
}

#[test]
fn a_team_that_is_gone_answers_for_no_business_service() {
    let mut world = World::set_up();
    let team = TeamAsk::Set {
        id: None,
        name: "Sales".to_owned(),
        members: Vec::new(),
    };
    world.ask(Ask::Team(team));
    let mut teams = world.state.teams.values();
    let team = teams.find(|team| team.name == "Sales").unwrap().id;
    assert_eq!(ask(&mut world, set("Shop", Some(team))), Ok(1));
    let shop = business_called(&world, "Shop");
    world.ask(Ask::Team(TeamAsk::Remove(team)));
    assert_eq!(world.state.business.services[&shop].team, None);
    assert!(ask(&mut world, set("Office", Some(team))).is_err());
}

#[test]
fn there_are_only_so_many_business_services_and_dependencies() {
    let mut world = World::set_up();
    let all: Vec<BusinessServiceId> = (0..BUSINESS_SERVICES_MAX)
        .map(|n| business(&mut world, &format!("Service {n}")))
        .collect();
    assert!(ask(&mut world, set("One more", None)).is_err());
    let (upper, lower) = all.split_at(BUSINESS_SERVICES_MAX / 2);
    let pairs = upper.iter().flat_map(|one| {
        lower
            .iter()
            .map(move |other| needs(AnyService::Business(*one), AnyService::Business(*other)))
    });
    let many: Vec<Dependency> = pairs.take(DEPENDENCIES_MAX + 1).collect();
    assert_eq!(associate(&mut world, &many[..DEPENDENCIES_MAX]), Ok(1));
    assert!(associate(&mut world, &many[DEPENDENCIES_MAX..]).is_err());
}

#[test]
fn an_event_about_business_services_is_read_as_it_was_written() {
    let mut world = World::set_up();
    let id = BusinessServiceId::random(&mut world.entropy);
    let service = BusinessService {
        id,
        name: "Shop".to_owned(),
        description: String::new(),
        point_of_contact: "Ada".to_owned(),
        team: None,
    };
    let technical = ServiceId::random(&mut world.entropy);
    let dependencies = vec![needs(
        AnyService::Business(id),
        AnyService::Technical(technical),
    )];
    for event in [
        BusinessEvent::ServiceSet { service },
        BusinessEvent::ServiceRemoved { service: id },
        BusinessEvent::Associated {
            dependencies: dependencies.clone(),
        },
        BusinessEvent::Disassociated { dependencies },
    ] {
        let event = EventBody::Roster(RosterEvent::Business(event));
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<EventBody>(&text).unwrap(), event);
    }
}
