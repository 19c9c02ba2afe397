//! More connections than the process may have open files. Expected: alerts over a connection that is open are accepted and their
//! pages go out at once, and newcomers are answered again when the others are gone.

use std::fs;
use std::net::TcpStream;
use std::time::Duration;

use super::Ended;
use super::scene::{FIRST, Ground, PAGE_LIMIT, Scene};
use crate::failure::{Because, Failure, Outcome};
use crate::processes::wait_until;
use crate::site::sink::Manner;

/// Files that may be open.
const LEFT: u64 = 120;
const CONNECTIONS: usize = 400;
const ALERTS: usize = 5;
/// Taken over a connection that is not kept, so that each page needs one of its own.
const TAKEN: &str = "HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
const LEVEL: Duration = Duration::from_secs(600);

pub(super) fn play(ground: &mut Ground) -> Outcome<Ended> {
    let mut serve = ground.prepare()?;
    // As a service manager would, before the program begins.
    let limit = format!("ulimit -n {LEFT} && exec \"$0\" \"$@\"");
    serve.before = ["sh", "-c", &limit].map(str::to_owned).to_vec();
    let mut scene = Scene::set(serve, LEVEL, &mut ground.janitor)?;
    let service = scene.service.clone();
    let mut line = scene.site.line()?;
    scene.site.sink.behave(FIRST, Manner::Say(TAKEN.to_owned()));
    // The connection is open before the crowd comes, and the provider's is closed.
    let (_, incident) = scene.try_alert_of(&mut line, &service)?;
    scene.page(&incident.unwrap_or_default(), FIRST, PAGE_LIMIT)?;
    let address = scene.site.address;
    let crowd: Vec<TcpStream> = (0..CONNECTIONS)
        .map_while(|_| TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok())
        .collect();
    let pid = scene.site.server.pid();
    let open = fs::read_dir(format!("/proc/{pid}/fd")).because("counting its files")?;
    let open = open.count();
    for _ in 0..ALERTS {
        let (status, incident) = scene.try_alert_of(&mut line, &service)?;
        let incident = incident
            .ok_or_else(|| Failure::new(format!("an alert was answered {status} meanwhile")))?;
        scene.page(&incident, FIRST, PAGE_LIMIT)?;
    }
    let said = scene.says("connections")?;
    let connected = crowd.len();
    drop(crowd);
    wait_until(PAGE_LIMIT, || scene.site.line().is_ok());
    let after = scene.alert()?;
    scene.page(&after, FIRST, PAGE_LIMIT)?;
    scene.nothing_is_lost(1)?;
    scene.end()?;
    Ok(Ended::Held(format!(
        "{open} of {LEFT} files were open with {connected} connections waiting; {ALERTS} alerts paged at once; it said \"{said}\""
    )))
}
