//! Walks through configuration files, their inclusions and sections; the files are given by the caller.

use std::collections::BTreeMap;

use super::config::{Config, Place, StatusPage};
use super::lines::{Substituted, logical_lines, substitute, words};
use super::{BYTES_MAX, FILES_MAX, INCLUDE_DEPTH_MAX, SECTION_DEPTH_MAX, conditions, directives};

/// How to get at files. Both closures get full paths.
#[derive(Clone, Copy)]
pub struct Files<'a> {
    /// The text of a file, or why it cannot be read. Invalid UTF-8 is to be replaced.
    pub read: &'a dyn Fn(&str) -> Result<String, String>,
    /// The files that a pattern (`*`, `?`, `[...]`, in any part of the path) names, in alphabetical order; for a plain path
    /// itself if it exists, for a directory all files below it.
    pub expand: &'a dyn Fn(&str) -> Vec<String>,
}

/// What is known before the first line is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// Compiled-in or given (`-d`) server root; the files may set another.
    pub server_root: String,
    /// Variables of the server's environment (`APACHE_LOG_DIR`) and names given by `-D`, with an empty value.
    pub variables: BTreeMap<String, String>,
}

/// Reads a configuration from its main file on. It always gives what could be found; what could not be followed is in
/// [`Config::problems`].
#[must_use]
pub fn read(main_file: &str, start: &Start, files: &Files<'_>) -> Config {
    let mut reader = Reader {
        config: Config {
            server_root: start.server_root.clone(),
            ..Config::default()
        },
        variables: start.variables.clone(),
        runtime_dir: None,
        sections: Vec::new(),
        files: *files,
        files_read: 0,
        bytes_read: 0,
    };
    let nowhere = Place {
        file: main_file.to_owned(),
        line: 0,
    };
    reader.read_file(main_file, 0, &nowhere);
    reader.config
}

/// An open section.
pub(super) struct Section {
    /// Its name in lower case.
    name: String,
    /// Whether what is in it counts.
    is_active: bool,
    /// The virtual host it opened.
    pub(super) virtual_host: Option<usize>,
    /// Path of a `<Location>` or pattern of a `<LocationMatch>`.
    location: Option<(String, bool)>,
    /// Whether `SetHandler server-status` stands in it.
    pub(super) shows_status: bool,
    /// The `Require` lines in it.
    pub(super) requires: Vec<String>,
    place: Place,
}

pub(super) struct Reader<'a> {
    pub(super) config: Config,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) runtime_dir: Option<String>,
    pub(super) sections: Vec<Section>,
    files: Files<'a>,
    files_read: usize,
    bytes_read: usize,
}

impl Reader<'_> {
    fn read_file(&mut self, path: &str, depth: usize, from: &Place) {
        if depth > INCLUDE_DEPTH_MAX {
            self.stop(from, format!("files include each other more than {INCLUDE_DEPTH_MAX} deep; {path} was not read"));
            return;
        }
        if self.files_read >= FILES_MAX {
            self.stop(
                from,
                format!("more than {FILES_MAX} files are included; {path} was not read"),
            );
            return;
        }
        self.files_read += 1;
        let text = match (self.files.read)(path) {
            Ok(text) => text,
            Err(reason) => {
                self.config
                    .note(from, format!("{path} could not be read: {reason}"));
                return;
            }
        };
        self.bytes_read += text.len();
        if self.bytes_read > BYTES_MAX {
            self.stop(
                from,
                format!("the files have more than {BYTES_MAX} bytes; {path} was not read"),
            );
            return;
        }
        if !self.config.files.iter().any(|known| known == path) {
            self.config.files.push(path.to_owned());
        }
        self.read_text(path, &text, depth);
    }

    fn read_text(&mut self, path: &str, text: &str, depth: usize) {
        let open_before = self.sections.len();
        for (line, text) in logical_lines(text) {
            if self.config.is_incomplete {
                break;
            }
            let place = Place {
                file: path.to_owned(),
                line,
            };
            let text = self.substituted(&place, &text);
            self.read_line(&place, &text, depth, open_before);
        }
        while self.sections.len() > open_before {
            self.close_section();
            self.config.note(
                &Place {
                    file: path.to_owned(),
                    line: 0,
                },
                "a section is still open at the end of the file; it was closed there".to_owned(),
            );
        }
    }

    fn read_line(&mut self, place: &Place, text: &str, depth: usize, open_before: usize) {
        if text.starts_with("</") {
            if self.sections.len() > open_before {
                self.close_section();
            } else {
                self.config.note(
                    place,
                    "a section ends here that was not opened in this file".to_owned(),
                );
            }
        } else if let Some(opening) = text.strip_prefix('<') {
            self.open_section(place, opening.strip_suffix('>').unwrap_or(opening));
        } else if self.is_active() {
            let words = words(text);
            let Some((name, arguments)) = words.split_first() else {
                return;
            };
            let name = name.to_ascii_lowercase();
            match name.as_str() {
                "include" | "includeoptional" => self.include(place, &name, arguments, depth),
                _ => directives::apply(self, place, &name, arguments),
            }
        }
    }

    fn substituted(&mut self, place: &Place, text: &str) -> String {
        let Substituted {
            line,
            unknown,
            is_cut,
        } = substitute(text, &self.variables);
        if is_cut {
            self.config.note(
                place,
                "variables make this line too long; some were left out".to_owned(),
            );
        }
        if self.is_active() {
            for name in unknown {
                self.config.note(
                    place,
                    format!("the variable ${{{name}}} is not defined; it was left as it is"),
                );
            }
        }
        line
    }

    fn include(&mut self, place: &Place, name: &str, arguments: &[String], depth: usize) {
        let Some(argument) = arguments.first() else {
            return;
        };
        let pattern = self.full_path(argument);
        let paths = (self.files.expand)(&pattern);
        if paths.is_empty() && name == "include" {
            self.config
                .note(place, format!("{pattern} is included but no file is there"));
        }
        if !self.config.include_patterns.contains(&pattern) {
            self.config.include_patterns.push(pattern);
        }
        for path in paths {
            self.read_file(&path, depth + 1, place);
        }
    }

    fn open_section(&mut self, place: &Place, opening: &str) {
        if self.sections.len() >= SECTION_DEPTH_MAX {
            self.stop(
                place,
                format!("sections are nested more than {SECTION_DEPTH_MAX} deep"),
            );
            return;
        }
        let arguments = words(opening);
        let name = arguments
            .first()
            .map(|name| name.to_ascii_lowercase())
            .unwrap_or_default();
        let argument = arguments.get(1..).unwrap_or_default().join(" ");
        let outer_active = self.is_active();
        let is_active = outer_active
            && conditions::is_active(
                &name,
                &argument,
                &self.config.modules,
                &self.variables,
                |path| !(self.files.expand)(&full_path(&self.config.server_root, path)).is_empty(),
            );
        if is_active && name == "macro" {
            self.config.note(
                place,
                "a macro is defined here; its uses are not expanded".to_owned(),
            );
        }
        let virtual_host = (is_active && name == "virtualhost")
            .then(|| directives::open_virtual_host(&mut self.config, &arguments))
            .flatten();
        self.sections.push(Section {
            // What is in a macro counts only where it is used.
            is_active: is_active && name != "macro",
            virtual_host,
            location: location(&name, &arguments),
            shows_status: false,
            requires: Vec::new(),
            place: place.clone(),
            name,
        });
    }

    fn close_section(&mut self) {
        let virtual_host = self.virtual_host();
        let Some(section) = self.sections.pop() else {
            return;
        };
        if let Some((path, is_pattern)) = section.location
            && section.shows_status
        {
            self.config.status_pages.push(StatusPage {
                path,
                is_pattern,
                requires: section.requires,
                virtual_host,
                place: section.place,
            });
        } else if !section.name.starts_with("location")
            && let Some(outer) = self.sections.last_mut()
        {
            // `<Location>` with `<RequireAny>` or `<IfModule>` inside: what they say is said of the location.
            outer.requires.extend(section.requires);
            outer.shows_status |= section.shows_status;
        }
    }

    /// The virtual host that the current line is in.
    pub(super) fn virtual_host(&self) -> Option<usize> {
        self.sections
            .iter()
            .rev()
            .find_map(|section| section.virtual_host)
    }

    /// Whether the current line counts.
    fn is_active(&self) -> bool {
        self.sections.last().is_none_or(|section| section.is_active)
    }

    /// A path as Apache understands it: relative ones start at the server root.
    pub(super) fn full_path(&self, path: &str) -> String {
        full_path(&self.config.server_root, path)
    }

    fn stop(&mut self, place: &Place, what: String) {
        if !self.config.is_incomplete {
            self.config.is_incomplete = true;
            self.config
                .note(place, format!("{what}; nothing after it was read"));
        }
    }
}

pub(super) fn full_path(base: &str, path: &str) -> String {
    if path.starts_with('/') || base.is_empty() {
        path.to_owned()
    } else {
        format!("{}/{path}", base.trim_end_matches('/'))
    }
}

/// Path and whether it is a pattern, for `<Location /x>`, `<Location ~ "x">` and `<LocationMatch "x">`.
fn location(name: &str, arguments: &[String]) -> Option<(String, bool)> {
    match name {
        "location" if arguments.get(1).is_some_and(|word| word == "~") => {
            Some((arguments.get(2)?.clone(), true))
        }
        "location" => Some((arguments.get(1)?.clone(), false)),
        "locationmatch" => Some((arguments.get(1)?.clone(), true)),
        _ => None,
    }
}
