//! Senders that never finish a request, hundreds of them. Expected: paging does not notice, and they are shown the door.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use super::Ended;
use super::scene::{FIRST, Ground, PAGE_LIMIT};
use crate::failure::{Because, Outcome, fail};

const SENDERS: usize = 600;
/// A byte from each of them this often.
const TRICKLE_EVERY: Duration = Duration::from_secs(1);
/// How long they go on; their connections must be closed by then.
const LAST: Duration = Duration::from_secs(45);
const LEVEL: Duration = Duration::from_secs(600);

pub(super) fn play(ground: &mut Ground) -> Outcome<Ended> {
    let mut scene = ground.scene(LEVEL)?;
    let address = scene.site.address;
    let token = scene.site.token.clone();
    let mut crowd = Vec::new();
    for number in 0..SENDERS {
        let mut stream = TcpStream::connect(address).because("connecting a slow sender")?;
        stream
            .set_nonblocking(true)
            .because("preparing a slow sender")?;
        // Some never finish their headers, the others never their body.
        let begun = if number % 2 == 0 {
            "POST /api/tocsin/v1/alerts HTTP/1.1\r\nHost: x\r\nX-Slow: ".to_owned()
        } else {
            format!(
                "POST /api/tocsin/v1/alerts HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
            )
        };
        stream
            .write_all(begun.as_bytes())
            .because("writing slowly")?;
        crowd.push(stream);
    }
    let began = Instant::now();
    let (mut alerts, mut slowest) = (0_u32, Duration::ZERO);
    while !crowd.is_empty() && began.elapsed() < LAST {
        let sent = Instant::now();
        let incident = scene.alert()?;
        let page = scene.page(&incident, FIRST, PAGE_LIMIT)?;
        alerts += 1;
        slowest = slowest.max(page.at.saturating_duration_since(sent));
        crowd.retain_mut(is_open);
        thread::sleep(TRICKLE_EVERY);
    }
    let gone_after = began.elapsed().as_secs();
    if !crowd.is_empty() {
        fail!(
            "{} of {SENDERS} slow senders were still listened to after {} s",
            crowd.len(),
            LAST.as_secs()
        );
    }
    scene.nothing_is_lost(1)?;
    scene.end()?;
    Ok(Ended::Held(format!(
        "{SENDERS} were shown the door within {gone_after} s; {alerts} alerts meanwhile, slowest page {} ms",
        slowest.as_millis()
    )))
}

/// Sends one byte more, and tells whether anybody still listens.
fn is_open(stream: &mut TcpStream) -> bool {
    if stream.write_all(b" ").is_err() {
        return false;
    }
    let mut answer = [0; 256];
    match stream.read(&mut answer) {
        Ok(0) => false,
        // It is told why, and then the connection ends.
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}
