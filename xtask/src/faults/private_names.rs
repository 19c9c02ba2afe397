//! Names that one process alone knows: it sees files of its own where others see those of `/etc` that turn names into addresses. Nobody
//! is ever asked over the network; it does not know what the names are for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{Because, Outcome};
use crate::places;

/// Puts the files of the folder `$0` over those of the machine, and becomes the program that follows.
const PUT_OVER: &str = "\
for file in hosts nsswitch.conf resolv.conf; do
    [ ! -e \"/etc/$file\" ] || mount --bind \"$0/$file\" \"/etc/$file\" || exit 1
done
exec \"$@\"";
/// Names stand in `hosts` alone.
const SWITCH: &str = "hosts: files\n";
/// Where that is not looked at, the question goes to this machine, where nobody listens.
const RESOLVER: &str = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n";

/// The files.
pub(super) struct PrivateNames {
    folder: PathBuf,
}

impl PrivateNames {
    /// Makes them in a new folder, with no name but `localhost`; none where a process may not have files of its own.
    pub(super) fn make(folder: &Path) -> Outcome<Option<Self>> {
        fs::create_dir_all(folder).because(format!("making {}", folder.display()))?;
        let names = Self {
            folder: folder.to_owned(),
        };
        names.write("nsswitch.conf", SWITCH)?;
        names.write("resolv.conf", RESOLVER)?;
        names.know(None)?;
        if places::program(&["unshare"]).is_none() {
            return Ok(None);
        }
        let before = names.before();
        let tried = Command::new("unshare")
            .args(&before[1..])
            .arg("true")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .because("trying unshare")?;
        Ok(tried.success().then_some(names))
    }

    /// What stands before a command that is to know these names.
    pub(super) fn before(&self) -> Vec<String> {
        let folder = self.folder.display().to_string();
        let words = [
            "unshare",
            "--user",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            PUT_OVER,
            &folder,
        ];
        words.map(str::to_owned).to_vec()
    }

    /// From now on this name is the one that is known besides `localhost`: this machine itself.
    pub(super) fn know(&self, name: Option<&str>) -> Outcome<()> {
        let names = name.map_or_else(String::new, |name| format!(" {name}"));
        self.write("hosts", &format!("127.0.0.1 localhost{names}\n"))
    }

    /// Written in place: what was put over another file stays that very file.
    fn write(&self, file: &str, text: &str) -> Outcome<()> {
        let path = self.folder.join(file);
        fs::write(&path, text).because(format!("writing {}", path.display()))
    }
}
