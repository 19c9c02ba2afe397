//! Integrations of one service that share a name: each has a key of its own by its age, and what files say of one is done to that
//! one alone.

use tocsin_domain::code::{Kind, Manage, Part, Removable};
use tocsin_domain::decide::rehearse;

use super::*;

/// A mapping that is told from others by the field that it reads.
fn mapping(field: &str) -> String {
    format!("{{\"title\": \"{{{{ .{field} }}}}\"}}")
}

fn webhook(field: &str) -> IntegrationKind {
    IntegrationKind::Webhook {
        mapping: mapping(field),
    }
}

/// Two webhooks of one name on the first service, the older one first.
fn two_hooks(seed: u64) -> (Installation, [IntegrationId; 2]) {
    let mut installation = Installation::new(seed);
    let ids = ["one", "two"].map(|field| installation.add_hook("Hook", field));
    (installation, ids)
}

/// The same twice: with ids in the order of their age, and with ids in the other order.
fn two_hooks_in_both_orders() -> [(Installation, [IntegrationId; 2]); 2] {
    [false, true].map(|is_against_age| {
        let mut some = (0..64).map(two_hooks);
        let found = some.find(|(_, [older, newer])| (older > newer) == is_against_age);
        found.unwrap()
    })
}

impl Installation {
    fn add_hook(&mut self, name: &str, field: &str) -> IntegrationId {
        let service = self.state.installation.as_ref().unwrap().default_service;
        self.add_integration(service, name, webhook(field))
    }

    fn change_hook(&mut self, integration: IntegrationId, name: &str, field: &str) {
        let change = RosterAsk::ChangeIntegration {
            integration,
            name: name.to_owned(),
            vendor: None,
            kind: webhook(field),
        };
        self.ask(Ask::Roster(change)).unwrap();
    }

    /// The keys of all webhooks in an export, each with its mapping.
    fn hooks(&self) -> Vec<(String, String)> {
        let services = self.export().services.into_iter();
        let all = services.flat_map(|service| service.integrations);
        all.filter_map(|one| Some((one.name, one.mapping?)))
            .collect()
    }

    #[track_caller]
    fn check_hooks(&self, expected: &[(&str, &str)]) {
        let expected = expected.iter();
        let expected = expected.map(|(name, field)| ((*name).to_owned(), mapping(field)));
        assert_eq!(self.hooks(), expected.collect::<Vec<_>>());
    }

    /// Files that hold all integrations, but for these of the first service.
    fn files_without(&self, gone: &[&str]) -> Vec<File> {
        let mut wanted = self.export();
        let integrations = &mut wanted.services[0].integrations;
        integrations.retain(|one| !gone.contains(&one.name.as_str()));
        let manage = "[manage]\nremove = [\"integrations\"]\n";
        one(&format!("{manage}\n{}", canonical(&wanted)))
    }
}

/// Checks that a change of the mapping that reads `field` is shown at this path and done to the integration at this place alone.
#[track_caller]
fn check_change(field: &str, place: usize, path: &str) {
    for (mut installation, ids) in two_hooks_in_both_orders() {
        let exported = canonical(&installation.export());
        let from = format!("{{{{ .{field} }}}}");
        assert_eq!(exported.matches(&from).count(), 1, "{exported}");
        let wanted = document(&exported.replace(&from, "{{ .three }}"));
        let shown = installation.planned(&wanted).unwrap();
        let fields = shown.iter().flat_map(|change| &change.fields);
        let paths: Vec<&str> = fields.map(|field| field.path.as_str()).collect();
        assert_eq!(paths, [path]);
        let mut expected = installation.state.integrations.clone();
        expected.get_mut(&ids[place]).unwrap().kind = webhook("three");
        let events = installation.apply(wanted.clone()).unwrap();
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!(installation.state.integrations, expected);
        assert!(installation.planned(&wanted).unwrap().is_empty());
    }
}

#[test]
fn of_two_integrations_of_one_name_the_one_that_a_plan_shows_is_changed_and_nothing_else() {
    check_change("one", 0, "integrations[1].mapping");
    check_change("two", 1, "integrations[2].mapping");
}

#[test]
fn an_export_holds_every_integration_of_one_name_and_plans_to_nothing() {
    for (mut installation, _) in two_hooks_in_both_orders() {
        // What says the same as another is another one all the same.
        installation.add_hook("Hook", "one");
        installation.check_hooks(&[("Hook", "one"), ("Hook#2", "two"), ("Hook#3", "one")]);
        let exported = installation.export();
        let wanted = document(&canonical(&exported));
        assert_eq!(wanted, exported);
        assert!(installation.planned(&wanted).unwrap().is_empty());
        assert!(installation.apply(wanted).unwrap().is_empty());
    }
}

#[test]
fn an_integration_of_a_name_of_its_own_is_written_as_ever() {
    let mut installation = Installation::new(1);
    installation.add_hook("Hook", "one");
    // On another service it is another name.
    installation.add_service("Shop", "Hook");
    let files = write(&installation.export());
    let services = files.iter().find(|file| file.name == "services.toml");
    assert_eq!(
        services.unwrap().text,
        "# Tocsin: services\n\n[[services]]\nname = \"First service\"\n\n[[services.integrations]]\nname = \"Events API v2\"\n\n[[services.integrations]]\nname = \"Hook\"\nkind = \"webhook\"\nmapping = \"{\\\"title\\\": \\\"{{ .one }}\\\"}\"\n\n[[services]]\nname = \"Shop\"\n\n[[services.integrations]]\nname = \"Hook\"\n"
    );
}

#[test]
fn an_integration_that_gets_the_name_of_another_does_not_get_its_key() {
    for (mut installation, [older, _]) in two_hooks_in_both_orders() {
        for _ in 0..4 {
            installation.add_hook("Hook", "more");
        }
        let hooks = installation.hooks();
        assert_eq!(hooks[0], ("Hook".to_owned(), mapping("one")));
        assert_eq!(hooks[1], ("Hook#2".to_owned(), mapping("two")));
        installation.change_hook(older, "Hook", "first");
        let hooks = installation.hooks();
        assert_eq!(hooks[0], ("Hook".to_owned(), mapping("first")));
        installation.change_hook(older, "Probe", "first");
        installation.change_hook(older, "Hook", "first");
        let hooks = installation.hooks();
        assert_eq!(hooks[0], ("Hook".to_owned(), mapping("two")));
        assert_eq!(hooks[5], ("Hook#6".to_owned(), mapping("first")));
    }
}

#[test]
fn an_integration_goes_alone_that_is_in_no_file_and_shares_its_name() {
    for (mut installation, [older, newer]) in two_hooks_in_both_orders() {
        let (wanted, _) = read(&installation.files_without(&["Hook#2"])).unwrap();
        let unmanaged = Document {
            manage: Manage::default(),
            ..wanted.clone()
        };
        let (removed, kept) = removals(&installation.state, &installation.export(), &unmanaged);
        assert!(removed.is_empty(), "{removed:?}");
        assert_eq!(kept, [Part::integration("First service", "Hook#2")]);
        installation.apply(wanted.clone()).unwrap();
        installation.check_hooks(&[("Hook", "one")]);
        let left = &installation.state.integrations;
        assert!(left.contains_key(&older) && !left.contains_key(&newer));
        assert!(installation.planned(&wanted).unwrap().is_empty());
    }
}

#[test]
fn integrations_of_one_name_go_together_where_no_file_names_one() {
    for (mut installation, _) in two_hooks_in_both_orders() {
        let (wanted, _) = read(&installation.files_without(&["Hook", "Hook#2"])).unwrap();
        installation.apply(wanted).unwrap();
        installation.check_hooks(&[]);
        assert_eq!(installation.state.integrations.len(), 1);
    }
}

#[test]
fn files_that_would_give_an_integration_the_key_of_one_that_goes_are_refused_with_the_line() {
    for (mut installation, _) in two_hooks_in_both_orders() {
        let before = installation.state.clone();
        let files = installation.files_without(&["Hook"]);
        let (wanted, places) = read(&files).unwrap();
        let asked = installation.asked(wanted.clone());
        let fault = rehearse(&before, &asked, NOW).unwrap_err();
        let told = places.mistakes(&fault);
        let mut lines = files[0].text.lines();
        // Its table begins above its name.
        let line = lines.position(|line| line.contains("Hook#2"));
        let [told] = &told[..] else {
            panic!("{told:?}");
        };
        assert_eq!(Some(told.line), line);
        let what = "integration \"First service / Hook#2\": it would be \"Hook\" in files once";
        assert!(told.what.starts_with(what), "{told}");
        assert_eq!(installation.apply(wanted).unwrap_err(), fault.into());
        assert_eq!(installation.state, before, "nothing is changed");
    }
}

#[test]
fn a_service_goes_with_all_of_its_integrations_of_one_name() {
    let (mut installation, _) = two_hooks(2);
    let shop = installation.add_service("Shop", "Hook");
    installation.add_integration(shop, "Hook", webhook("shop"));
    let all = document("[manage]\nremove = [\"services\"]\n");
    installation.apply(all).unwrap();
    assert_eq!(
        installation.export().names(Kind::Services),
        ["First service"]
    );
    installation.check_hooks(&[("Hook", "one"), ("Hook#2", "two")]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_integrations_are_called_the_one_that_was_edited_is_changed_or_goes(
        seed in any::<u64>(),
        names in prop::collection::vec(called_alike(), 1..7),
        chosen in any::<prop::sample::Index>(),
    ) {
        let mut installation = Installation::new(seed);
        let fields = (0..names.len()).map(|number| format!("field{number}"));
        let fields: Vec<String> = fields.collect();
        let hooks = names.iter().zip(&fields);
        let ids: Vec<IntegrationId> = hooks
            .map(|(name, field)| installation.add_hook(name, field))
            .collect();
        let (id, field) = (ids[chosen.index(ids.len())], &fields[chosen.index(ids.len())]);

        let mut wanted = installation.export();
        for one in &mut wanted.services[0].integrations {
            if one.mapping.as_ref() == Some(&mapping(field)) {
                one.mapping = Some(mapping("edited"));
            }
        }
        let mut expected = installation.state.integrations.clone();
        expected.get_mut(&id).unwrap().kind = webhook("edited");
        installation.apply(wanted).unwrap();
        prop_assert_eq!(&installation.state.integrations, &expected);

        let mut wanted = installation.export();
        wanted.manage.remove.push(Removable::Integrations);
        let edited = Some(mapping("edited"));
        wanted.services[0].integrations.retain(|one| one.mapping != edited);
        let mut hooks = installation.hooks();
        let applied = installation.apply(wanted);
        if applied.is_ok() {
            expected.remove(&id);
            hooks.retain(|(_, mapping)| Some(mapping) != edited.as_ref());
        }
        // It is refused where another one would get its key.
        let was_refused = matches!(applied, Err(Refusal::Conflict { .. }));
        prop_assert!(applied.is_ok() || was_refused, "{:?}", applied);
        prop_assert_eq!(&installation.state.integrations, &expected);
        prop_assert_eq!(installation.hooks(), hooks);
    }
}

/// Few names, some of which read like keys of others.
fn called_alike() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["Hook", "Hook", "Hook#2", "Hook#2#2", "Probe"])
}
