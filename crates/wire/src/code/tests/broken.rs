//! Files that are wrong: each mistake has its place, and nothing is changed.

use tocsin_domain::decide::rehearse;

use super::*;

/// What is said of files that cannot be read, or cannot be made true.
fn told(text: &str) -> Vec<String> {
    let mut installation = Installation::new(7);
    let before = installation.state.clone();
    let mistakes = match read(&one(text)) {
        Err(mistakes) => mistakes,
        Ok((wanted, places)) => {
            let asked = installation.asked(wanted.clone());
            let fault = rehearse(&before, &asked, NOW).unwrap_err();
            let refused = installation.apply(wanted);
            assert_eq!(refused.unwrap_err(), fault.clone().into());
            places.mistakes(&fault)
        }
    };
    assert_eq!(installation.state, before, "nothing is changed");
    mistakes.iter().map(ToString::to_string).collect()
}

fn check(text: &str, place: &str, what: &str) {
    let told = told(text);
    let first = told.first().unwrap();
    assert!(first.starts_with(place), "{told:?}");
    assert!(first.contains(what), "{told:?}");
}

#[test]
fn what_is_no_toml_and_what_is_no_key_have_their_places() {
    check("[[users]\n", "all.toml, line 1, column 9: ", "");
    check(
        "[[teams]]\nname = \"a\"\nmembres = []\n",
        "all.toml, line 3, column 1: ",
        "membres",
    );
    check("[[people]]\n", "all.toml, line 1, column 3: ", "people");
    check(
        "[[services]]\nname = \"é\"\nrules = [{ name = \"r\", then = [\"dorp\"] }]\n",
        "all.toml, line 3, column 32: ",
        "dorp",
    );
    check(
        "[[services]]\nname = \"Web\"\nwebsite = \"x\"\n",
        "all.toml, line 3, column 1: ",
        "\"website\" is not one of the fields: name, ",
    );
    check(
        "[[services]]\nname = 5\n",
        "all.toml, line 2, column 8: ",
        "expected text, found 5",
    );
}

#[test]
fn bad_lengths_instants_hours_and_zones_have_their_places() {
    check(
        "[[escalation_policies]]\nname = \"p\"\n\n[[escalation_policies.levels]]\ndelay = \"5 min\"\ntargets = []\n",
        "all.toml, line 5, column 9: ",
        "5 min",
    );
    let layer = "[[schedules]]\nname = \"s\"\ntime_zone = \"Europe/Paris\"\n[[schedules.layers]]\n";
    check(
        &format!("{layer}start = \"yesterday\"\nevery = 1\nunit = \"weeks\"\n"),
        "all.toml, line 5, column 9: ",
        "yesterday",
    );
    check(
        &format!(
            "{layer}start = 2026-11-23T00:00:00Z\nevery = 1\nunit = \"weeks\"\nrestrictions = [\n  {{ from = \"09:00\", until = \"25:00\" }},\n]\n"
        ),
        "all.toml, line 9, column 29: ",
        "25:00",
    );
    check(
        "[[schedules]]\nname = \"s\"\ntime_zone = \"Paris\"\n",
        "all.toml, line 3, column 1: ",
        "\"Paris\" is not an IANA zone",
    );
    check(
        &format!(
            "{layer}start = 2026-11-23T00:00:00Z\nevery = 1\nunit = \"weeks\"\ntime_zone = \"Mars\"\n"
        ),
        "all.toml, line 8, column 1: ",
        "Mars",
    );
}

#[test]
fn what_is_named_and_not_there_has_its_place() {
    check(
        "[[teams]]\nname = \"a\"\nmembers = [\n  \"ada@example.org\",\n  \"bob@example.org\",\n]\n",
        "all.toml, line 5, column 3: ",
        "there is no person \"bob@example.org\"",
    );
    check(
        "[[escalation_policies]]\nname = \"p\"\n[[escalation_policies.levels]]\ndelay = \"5m\"\ntargets = [{ user = \"ada@example.org\" }, { schedule = \"Nights\" }]\n",
        "all.toml, line 5, column 42: ",
        "there is no schedule \"Nights\"",
    );
    check(
        "[[services]]\nname = \"Web\"\nescalation_policy = \"Gone\"\n",
        "all.toml, line 3, column 1: ",
        "there is no escalation policy \"Gone\"",
    );
    check(
        "[[schedules]]\nname = \"s\"\nteam = \"Gone\"\ntime_zone = \"UTC\"\n",
        "all.toml, line 3, column 1: ",
        "there is no team \"Gone\"",
    );
    check(
        "[[escalation_policies]]\nname = \"p\"\nteam = \"Gone\"\n[[escalation_policies.levels]]\ndelay = \"5m\"\ntargets = [{ user = \"ada@example.org\" }]\n",
        "all.toml, line 3, column 1: ",
        "there is no team \"Gone\"",
    );
    check(
        "[[alert_rules]]\nname = \"r\"\nthen = [\"suppress\", { route = \"Gone\" }]\n",
        "all.toml, line 3, column 21: ",
        "there is no service \"Gone\"",
    );
    check(
        "[[monitors]]\nslug = \"apache-up\"\nenabled = true\n",
        "all.toml, line 2, column 1: ",
        "there is no monitor",
    );
    check(
        "[installation]\nfallback = [\"eve@example.org\"]\n",
        "all.toml, line 2, column 13: ",
        "eve@example.org",
    );
}

#[test]
fn what_is_wrong_with_labels_and_with_what_is_said_has_its_place() {
    let labels = |matchers: &str| {
        format!(
            "[[maintenance_windows]]\nreason = \"disks\"\nmatchers = [{{ {matchers} }}]\nfrom = 2026-12-05T22:00:00Z\nuntil = 2026-12-06T02:00:00Z\n"
        )
    };
    check(
        &labels("name = \"job\", operator = \"~\", value = \"web\""),
        "all.toml, line 3, column 40: ",
        "\"~\" is no operator",
    );
    check(
        &labels("name = \"job\", operator = \"=~\", value = \"(\""),
        "all.toml, line 3, column 1: ",
        "invalid regular expression",
    );
    check(
        &labels("name = \"job\", operator = \"=~\", value = \".*\""),
        "all.toml, line 3, column 1: ",
        "must not match the empty string",
    );
    let long = "x".repeat(1_025);
    for of in ["teams", "services"] {
        check(
            &format!("[[{of}]]\nname = \"a\"\ndescription = \"{long}\"\n"),
            "all.toml, line 3, column 1: ",
            "at most 1024 characters",
        );
    }
    check(
        "[[services]]\nname = \"a\"\nacknowledgement_timeout = \"always\"\n",
        "all.toml, line 3, column 27: ",
        "or it is never",
    );
    check(
        "[[services]]\nname = \"a\"\nacknowledgement_timeout = \"10s\"\n",
        "all.toml, line 3, column 1: ",
        "1 minute to 7 days",
    );
}

#[test]
fn what_is_wrong_with_an_integration_has_its_place() {
    let of = |more: &str| {
        format!(
            "[[services]]\nname = \"First service\"\n[[services.integrations]]\nname = \"Checks\"\n{more}\n"
        )
    };
    check(
        &of("kind = \"webhook\""),
        "all.toml, line 5, column",
        "mapping",
    );
    check(
        &of("mapping = '{\"title\": \"x\"}'"),
        "all.toml, line 5, column",
        "of their own",
    );
    check(
        &of("kind = \"webhook\"\nmapping = \"{\""),
        "all.toml, line 6, column",
        "mapping: ",
    );
    check(
        &of("vendor = \"PZQ6AUS\""),
        "all.toml, line 5, column 1: ",
        "PRO19CT (Backstage)",
    );
    check(
        &of("kind = \"grafana\"\nvendor = \"PRO19CT\""),
        "all.toml, line 6, column 1: ",
        "(Grafana webhook)",
    );
    check(
        &of("service_label = \"team\""),
        "all.toml, line 5, column",
        "labels",
    );
    check(
        "[[services]]\nname = \"First service\"\n[[services.integrations]]\nname = \"Events API v2\"\nkind = \"grafana\"\n",
        "all.toml, line 3, column 1: ",
        "stays as it was made",
    );
}

#[test]
fn what_the_core_refuses_has_its_place() {
    check(
        "[[users]]\nemail = \"ADA@example.org\"\nname = \"Ada\"\nrole = \"viewer\"\n",
        "all.toml, line 1, column 1: ",
        "the last administrator",
    );
    check(
        "[[heartbeats]]\nname = \"h\"\nservice = \"First service\"\nevery = \"1s\"\ngrace = \"1m\"\nseverity = \"error\"\n",
        "all.toml, line 4, column 1: ",
        "every: 30 seconds to 400 days",
    );
    check(
        "[[services]]\nname = \"Web\"\n[[services.rules]]\nname = \"r\"\nwhen = { field = \"title\" }\nthen = [\"drop\"]\n",
        "all.toml, line 5, column 1: ",
        "a field needs an op",
    );
    check(
        "[[alert_rules]]\nname = \"a\"\nthen = [\"drop\"]\n[[alert_rules]]\nname = \"b\"\nthen = []\n",
        "all.toml, line 6, column 1: ",
        "1 to 10 actions",
    );
}

#[test]
fn what_the_core_calls_otherwise_is_told_by_its_word_in_the_file_and_at_its_line() {
    let layer = "[[schedules]]\nname = \"s\"\ntime_zone = \"UTC\"\n[[schedules.layers]]\nstart = 2026-11-23T00:00:00Z\n";
    check(
        &format!("{layer}unit = \"weeks\"\nevery = 0\n"),
        "all.toml, line 7, column 1: ",
        "layers[0].every: must be 1 to 366",
    );
    check(
        "[installation]\nfallback = [\"ada@example.org\"]\npriorities = [\"P1\", \"P1\"]\n",
        "all.toml, line 3, column 1: ",
        "priorities: \"P1\" is there twice",
    );
    check(
        "[installation]\npriorities = [\"P1\"]\nfallback = []\n",
        "all.toml, line 3, column 1: ",
        "fallback: the list of last resort holds",
    );
    let service = "[[services]]\nname = \"Web\"\n";
    check(
        &format!("{service}grouping = {{ time = {{ within = \"2d\" }} }}\n"),
        "all.toml, line 3, column 23: ",
        "grouping.time.within: 1 second to 1 day",
    );
    check(
        &format!("{service}grouping = {{ content = [] }}\n"),
        "all.toml, line 3, column 14: ",
        "grouping.content: 1 to 5",
    );
    let hours = "time_zone = \"Mars\", windows = [{ from = \"09:00\", until = \"18:00\" }], during = \"high\", outside = \"low\"";
    check(
        &format!("{service}urgency = {{ support_hours = {{ {hours} }} }}\n"),
        "all.toml, line 3, column 31: ",
        "urgency.support_hours.time_zone: \"Mars\"",
    );
    check(
        "[[maintenance_windows]]\nreason = \"disks\"\nservices = [\"First service\"]\nrepeat = { time_zone = \"UTC\", first = \"2026-12-05T22:00\", lasts = \"48h\", every = 1, unit = \"days\" }\n",
        "all.toml, line 4, column 59: ",
        "repeat.lasts: at least 1",
    );
}

#[test]
fn what_cannot_go_is_told_where_the_files_say_that_they_hold_all_of_its_kind() {
    check(
        "[manage]\nremove = [\"teams\", \"schedules\"]\n",
        "all.toml, line 2, column 20: schedule \"First schedule\": ",
        "it stands in no file",
    );
    check(
        "[manage]\nremove = [\"users\"]\n",
        "all.toml, line 2, column 11: person \"ada@example.org\": ",
        "the last administrator",
    );
}

#[test]
fn whoever_goes_and_is_named_all_the_same_is_told_with_the_place() {
    let mut installation = Installation::new(17);
    let bob = "[[users]]\nemail = \"bob@example.org\"\nname = \"Bob\"\nrole = \"responder\"\n";
    installation.apply(document(bob)).unwrap();
    let standing = installation.state.clone();
    let mut check = |named: &str, line: usize, what: &str| {
        let text = format!(
            "[manage]\nremove = [\"users\"]\n[[users]]\nemail = \"ada@example.org\"\nname = \"Ada\"\nrole = \"admin\"\n{named}\n"
        );
        let (wanted, places) = read(&one(&text)).unwrap();
        let asked = installation.asked(wanted.clone());
        let fault = rehearse(&standing, &asked, NOW).unwrap_err();
        let told = places.mistakes(&fault)[0].to_string();
        assert!(
            told.starts_with(&format!("all.toml, line {line}, ")),
            "{told}"
        );
        let why = "the person \"bob@example.org\" goes, since it stands in no file";
        assert!(told.ends_with(&format!("{what}: {why}")), "{told}");
        assert_eq!(installation.apply(wanted).unwrap_err(), fault.into());
        assert_eq!(installation.state, standing, "nothing is changed");
    };
    let both = "[\n\"ada@example.org\",\n\"Bob@example.org\",\n]";
    check(
        &format!("[[teams]]\nname = \"Web\"\nmembers = {both}"),
        11,
        "members[1]",
    );
    check(
        &format!(
            "[[schedules]]\nname = \"Primary\"\ntime_zone = \"UTC\"\n[[schedules.layers]]\nstart = 2026-11-23T00:00:00Z\nevery = 1\nunit = \"weeks\"\nmembers = {both}"
        ),
        16,
        "layers[0].members[1]",
    );
    check(
        "[[escalation_policies]]\nname = \"Web\"\n[[escalation_policies.levels]]\ndelay = \"5m\"\ntargets = [{ user = \"ada@example.org\" }, { user = \"bob@example.org\" }]",
        11,
        "levels[0].targets[1]",
    );
    check(
        &format!("[installation]\nfallback = {both}"),
        10,
        "fallback[1]",
    );
}

#[test]
fn what_is_there_twice_is_told_with_both_places() {
    check(
        "[[teams]]\nname = \"a\"\n[[teams]]\nname = \"b\"\n[[teams]]\nname = \"a\"\n",
        "all.toml, line 6, column 1: ",
        "it stands in all.toml, line 2, too",
    );
    let files = [
        ("b.toml", "[installation]\npriorities = [\"P1\"]\n"),
        ("a.toml", "[installation]\npriorities = [\"P2\"]\n"),
    ];
    let files = files.map(|(name, text)| File {
        name: name.to_owned(),
        text: text.to_owned(),
    });
    let mistakes = read(&files).unwrap_err();
    assert!(
        mistakes[0].to_string().starts_with("b.toml, line 1, "),
        "{mistakes:?}"
    );
    assert!(mistakes[0].what.contains("a.toml, line 1"), "{mistakes:?}");
}

#[test]
fn hostile_files_are_refused_within_bounds() {
    assert!(read(&[]).is_err());
    assert!(read(&one(&" ".repeat(TEXT_BYTES_MAX + 1))).is_err());
    let many = vec![File::default(); FILES_MAX + 1];
    assert!(read(&many).is_err());
    let deep = format!("x = {}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(read(&one(&deep)).is_err());
    let dotted = format!("{}x = 1", "x.".repeat(100_000));
    assert!(read(&one(&dotted)).is_err());
    let not = "{ not = ".repeat(5_000);
    let rule = format!(
        "[[alert_rules]]\nname = \"r\"\nthen = [\"drop\"]\nwhen = {not}{{}}{}",
        "}".repeat(5_000)
    );
    assert!(read(&one(&rule)).is_err());
    let things: String = (0..5_001)
        .map(|index| format!("[[teams]]\nname = \"{index}\"\n"))
        .collect();
    assert!(read(&one(&things)).is_err());
    let same = "[[teams]]\nname = \"a\"\n".repeat(1_000);
    assert!(read(&one(&same)).unwrap_err().len() <= 20);
    let wrong = "[[users]]\nemail = \"\u{202e}\"\nname = \"x\\u0007\"\nrole = \"\\u001b[2J\"";
    let told = read(&one(wrong)).unwrap_err();
    assert!(
        told.iter().all(|one| !one.what.contains('\u{1b}')),
        "{told:?}"
    );
}

#[test]
fn what_is_wrong_with_something_very_long_is_told_in_short() {
    let long = "x".repeat(100_000);
    for text in [
        format!("{long} = 1\n"),
        format!("[[schedules]]\nname = \"s\"\ntime_zone = \"{long}\"\n"),
        format!("[[teams]]\nname = \"{long}\"\n[[teams]]\nname = \"{long}\"\n"),
        format!("[[services]]\nname = \"a\"\nescalation_policy = \"{long}\"\n"),
    ] {
        let told = told(&text);
        assert!(
            told.iter().all(|one| one.chars().count() < 1_100),
            "{told:?}"
        );
        assert!(told.iter().any(|one| one.contains('…')), "{told:?}");
    }
}
