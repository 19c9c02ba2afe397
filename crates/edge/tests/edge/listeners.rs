//! How soon Slack is listened to again, at a pace that the test sets, when sockets end.

mod deaf;

use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::time::Duration;

use serde_json::{Value, json};
use tocsin_edge::delivery::pace::Wait;
use tokio_tungstenite::tungstenite::{Message, WebSocket, accept};

use crate::buttons::{MEMBER, loopback, press, set_account};
use crate::pace::HandPace;
use crate::providers::{Provider, Reply};
use crate::world::World;

/// Somebody who is reached by a Slack whose sockets, which are numbered, each end after `talk`.
async fn slack(
    talk: impl Fn(usize, &mut WebSocket<TcpStream>) + Send + 'static,
) -> (World, Provider) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/link", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for (number, connection) in listener.incoming().enumerate() {
            // The test may have ended.
            let Ok(mut socket) = accept(connection.unwrap()) else {
                return;
            };
            talk(number, &mut socket);
        }
    });
    let opened = json!({"ok": true, "url": url}).to_string();
    let provider = Provider::always(Reply::json(200, &opened));
    let world = World::new();
    world.reach(world.ada, "slack", MEMBER, None).await;
    let account = json!({"base_url": provider.url(), "token": "xoxb-of-the-test", "listener_token": "xapp-of-the-test"});
    set_account(&world, "slack", account).await;
    (world, provider)
}

fn say(socket: &mut WebSocket<TcpStream>, frames: &[Value]) {
    for frame in frames {
        // The test may have ended.
        let _ = socket.send(Message::text(frame.to_string()));
    }
}

/// Waits until Slack is left alone, and has that be over; gives for how many seconds.
fn left_alone(pace: &HandPace) -> u64 {
    let wait = pace.begun(Wait::Listen("slack"));
    pace.advance(wait);
    wait.as_secs()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_ends_at_once_is_opened_ever_later() {
    let farewell = json!({"type": "disconnect", "reason": "refresh_requested"});
    for last in [None, Some(farewell)] {
        let frames: Vec<Value> = [json!({"type": "hello"})].into_iter().chain(last).collect();
        let (world, _provider) = slack(move |_, socket| say(socket, &frames)).await;
        let pace = HandPace::new();
        let delivery = world.deliver_at(loopback(), &pace);
        let waits: Vec<u64> = (0..8).map(|_| left_alone(&pace)).collect();
        delivery.stop();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_brought_a_press_is_opened_again_soon() {
    let (world, _provider) = slack(|number, socket| {
        if number == 2 {
            say(socket, &[press(MEMBER, "QAAAAAAAAAAAAA")]);
            // Word that it came.
            let _ = socket.read();
        }
    })
    .await;
    let pace = HandPace::new();
    let delivery = world.deliver_at(loopback(), &pace);
    let waits: Vec<u64> = (0..5).map(|_| left_alone(&pace)).collect();
    delivery.stop();
    assert_eq!(waits, [1, 2, 1, 2, 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_held_for_a_minute_is_opened_again_soon() {
    let (end, ended) = channel::<()>();
    let (world, _provider) = slack(move |number, _| {
        if number == 2 {
            // Ends also with a test that has failed.
            let _ = ended.recv();
        }
    })
    .await;
    let pace = HandPace::new();
    let delivery = world.deliver_at(loopback(), &pace);
    assert_eq!([left_alone(&pace), left_alone(&pace)], [1, 2]);
    // Nothing came through the first two, so each of the three was listened to once.
    for _ in 0..3 {
        pace.begun(Wait::Socket);
    }
    pace.advance(Duration::from_secs(60));
    end.send(()).unwrap();
    let waits: Vec<u64> = (0..3).map(|_| left_alone(&pace)).collect();
    delivery.stop();
    assert_eq!(waits, [1, 2, 4]);
}
