//! Templates: what they give, and what is refused.

use std::collections::BTreeMap;

use super::*;

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn facts() -> Facts {
    Facts {
        labels: labels(&[
            ("instance", "web-1:9117"),
            ("job", "apache"),
            ("evil", "{{ $value }}"),
        ]),
        external_labels: labels(&[("site", "north")]),
        external_url: "https://tocsin.example.org/t".to_owned(),
        value: 1_234.5,
        at_ms: 1_723_950_727_000,
    }
}

fn ask(query: &str) -> Result<Vec<Sample>, String> {
    match query {
        "up" => Ok(vec![
            Sample {
                labels: labels(&[("instance", "b")]),
                value: 1.0,
            },
            Sample {
                labels: labels(&[("instance", "a")]),
                value: 0.0,
            },
        ]),
        "none" => Ok(Vec::new()),
        other => Err(format!("{other} is not known")),
    }
}

fn expand(text: &str) -> Result<String, String> {
    let template = Template::parse(text).map_err(|error| error.to_string())?;
    let Some(template) = template else {
        return Ok(text.to_owned());
    };
    template
        .expand(&facts(), &mut |query| ask(query))
        .map_err(|error| error.to_string())
}

fn check(text: &str, expected: &str) {
    assert_eq!(expand(text).as_deref(), Ok(expected), "{text}");
}

fn refused(text: &str, why: &str) {
    let error = Template::parse(text).unwrap_err().to_string();
    assert!(error.contains(why), "{text}: {error}");
}

#[test]
fn labels_and_the_value_are_filled_in() {
    check("no place", "no place");
    check(
        "{{ $labels.instance }} is {{ $value }}",
        "web-1:9117 is 1234.5",
    );
    check(
        "{{.Labels.job}} {{.Value}} {{ .ExternalLabels.site }}",
        "apache 1234.5 north",
    );
    check("{{ $externalLabels.site }}{{ $labels.missing }}", "north");
    check(
        "{{ $externalURL }} {{ externalURL }}{{ pathPrefix }}",
        "https://tocsin.example.org/t https://tocsin.example.org/t/t",
    );
    check("{{ index $labels \"job\" }}", "apache");
    check("a{{- /* said to people only */ -}} b", "ab");
    check("a \n{{- $value -}}\n b", "a1234.5b");
}

#[test]
fn what_is_filled_in_is_never_read_as_a_template() {
    check("{{ $labels.evil }}", "{{ $value }}");
    check("{{ $labels.evil | toUpper }}", "{{ $VALUE }}");
    check("{{ printf $labels.evil }}", "{{ $value }}");
}

#[test]
fn numbers_are_humanized() {
    for (value, expected) in [
        ("0.0", "0"),
        ("1.0", "1"),
        ("1234567.0", "1.235M"),
        ("0.12", "120m"),
        ("-1500.0", "-1.5k"),
    ] {
        check(&format!("{{{{ {value} | humanize }}}}"), expected);
    }
    check("{{ 1048576.0 | humanize1024 }}", "1Mi");
    check("{{ humanize1024 0.5 }}", "0.5");
    check("{{ 0.2345 | humanizePercentage }}", "23.45%");
    for (value, expected) in [
        ("0.0", "0s"),
        ("0.1", "100ms"),
        ("59.5", "59.5s"),
        ("61.9", "1m 1s"),
        ("3661.0", "1h 1m 1s"),
        ("90061.0", "1d 1h 1m 1s"),
        ("-3661.0", "-1h 1m 1s"),
    ] {
        check(&format!("{{{{ humanizeDuration {value} }}}}"), expected);
    }
    check(
        "{{ humanizeTimestamp 1435065584.128 }}",
        "2015-06-23 13:19:44.128 +0000 UTC",
    );
    check("{{ \"12\" | humanize }}", "12");
}

#[test]
fn numbers_print_as_go_prints_them() {
    for (value, expected) in [
        ("1000000.0", "1e+06"),
        ("123456789.0", "1.23456789e+08"),
        ("100000.0", "100000"),
        ("0.00001", "1e-05"),
        ("0.0001", "0.0001"),
        ("1.5", "1.5"),
        ("3", "3"),
    ] {
        check(&format!("{{{{ {value} }}}}"), expected);
    }
    check(
        "{{ printf \"%.2f|%5.1f|%-6s|%06.2f|%+d|%q|%%|%v|%e|%g\" 1.005 2.25 \"ab\" 3.14159 7 \"x\" true 12345.678 0.5 }}",
        "1.00|  2.2|ab    |003.14|+7|\"x\"|%|true|1.234568e+04|0.5",
    );
    check("{{ printf \"%d\" 1.5 }}", "%!d(float64=1.5)");
    check("{{ printf \"%s\" }}", "%!s(MISSING)");
    check("{{ $value | printf \"%.0f\" }}", "1234");
}

#[test]
fn texts_are_changed_by_functions() {
    check("{{ $labels.job | title }}", "Apache");
    check("{{ toUpper \"ab\" }}{{ toLower \"CD\" }}", "ABcd");
    check(
        "{{ reReplaceAll \"(.*):.*\" \"$1\" $labels.instance }}",
        "web-1",
    );
    check(
        "{{ if match \"^web\" $labels.instance }}yes{{ end }}",
        "yes",
    );
    check(
        "{{ stripPort \"web-1:80\" }} {{ stripPort \"[::1]:80\" }} {{ stripDomain \"a.b.c:80\" }}",
        "web-1 ::1 a:80",
    );
    check(
        "{{ graphLink \"up == 0\" }}",
        "/graph?g0.expr=up+%3D%3D+0&g0.tab=0",
    );
    check("{{ parseDuration \"1h30m\" }}", "5400");
}

#[test]
fn conditions_and_comparisons() {
    check(
        "{{ if gt $value 1000.0 }}much{{ else }}little{{ end }}",
        "much",
    );
    check(
        "{{ if gt $value 2000 }}much{{ else if ge $value 1000 }}some{{ else }}little{{ end }}",
        "some",
    );
    check(
        "{{ if and (eq $labels.job \"apache\") (ne $labels.job \"x\") }}a{{ end }}",
        "a",
    );
    check(
        "{{ if or (lt $value 0.0) $labels.missing }}a{{ else }}b{{ end }}",
        "b",
    );
    check("{{ if not $labels.missing }}a{{ end }}", "a");
    check(
        "{{ eq $labels.job \"x\" \"apache\" }} {{ len $labels }}",
        "true 3",
    );
}

#[test]
fn queries_are_walked_over() {
    check(
        "{{ range query \"up\" }}{{ .Labels.instance }}={{ .Value }} {{ end }}",
        "b=1 a=0 ",
    );
    check(
        "{{ range $i, $s := query \"up\" | sortByLabel \"instance\" }}{{ $i }}{{ $s | label \"instance\" }}{{ end }}",
        "0a1b",
    );
    check("{{ query \"up\" | first | value }}", "1");
    check(
        "{{ with query \"none\" }}some{{ else }}none{{ end }}",
        "none",
    );
    check(
        "{{ range query \"none\" }}x{{ else }}empty{{ end }}",
        "empty",
    );
    check(
        "{{ with (query \"up\" | first).Labels.instance }}{{ . }}{{ end }}",
        "b",
    );
    check(
        "{{ $x := 1 }}{{ range query \"up\" }}{{ $x = 2 }}{{ end }}{{ $x }}",
        "2",
    );
    check("{{ (args 1 \"b\").arg1 }}", "b");
    assert!(
        expand("{{ query \"none\" | first }}")
            .unwrap_err()
            .contains("empty")
    );
    assert!(
        expand("{{ query \"broken\" }}")
            .unwrap_err()
            .contains("not known")
    );
}

#[test]
fn what_is_no_template_or_not_supported_is_refused_when_it_is_read() {
    refused("{{ $value", "not closed");
    refused("{{ nonsense }}", "no function nonsense");
    refused("{{ $nobody }}", "no variable $nobody");
    refused("{{ .Nothing }}", "no .Nothing");
    refused("{{ if $value }}", "{{end}} is missing");
    refused("{{ end }}", "closes nothing");
    refused("{{ else }}", "belongs to nothing");
    refused("{{ template \"x\" }}", "not supported");
    refused("{{ define \"x\" }}{{ end }}", "not supported");
    refused("{{ humanize }}", "takes 1 arguments");
    refused("{{ }}", "empty");
    refused("{{ (1 }}", "not closed");
    refused("{{ 1 ) }}", "parenthesis");
    refused("{{ $value 1 }}", "arguments");
    refused("{{ \"abc }}", "not closed");
    refused("{{ ? }}", "no meaning");
    refused(&"{{ (".repeat(2), "meaning");
    refused(
        &format!("{{{{ {}1{} }}}}", "(".repeat(60), ")".repeat(60)),
        "too many",
    );
}

#[test]
fn a_template_cannot_run_away() {
    let nested = "{{ range query \"up\" }}".repeat(20) + "xxxxxxxx" + &"{{ end }}".repeat(20);
    assert!(expand(&nested).is_err());
    assert!(
        expand("{{ printf \"%999s%999s\" \"a\" \"b\" }}")
            .unwrap()
            .len()
            < 2_000
    );
    refused(&"x{{ 1 }}".repeat(20_000), "bytes");
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in "(\\{\\{|\\}\\}|[a-z$. |()\"`%:=0-9-]|if |end|range ){0,40}") {
        let _ = expand(&text);
    }
}
