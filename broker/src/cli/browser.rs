//! `login --browser`: a browser is sent to the provider and comes back to this command, or a person pastes the address.

use std::io::BufRead;
use std::time::Duration;

use scorpiox_wire::admin::{LoginRequest, LoginView};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use url::Url;

use super::callback::{self, Arrival};
use super::desk::Desk;
use super::failure::{Exit, Failure};
use super::login::out_of_time;
use super::screen::{Form, read_line};
use super::text::printable;

/// How often the clock is looked at while nothing comes.
const LOOK: Duration = Duration::from_secs(5);
/// What arrives is one address; more than a few wait only when somebody plays with the port.
const WAITING: usize = 16;

/// Something came: through the port, or typed.
enum Event {
    Arrived(Arrival),
    Typed(String),
}

/// Sends a person to the provider's page, and the broker what came back from there.
pub(super) async fn log_in(
    desk: &mut Desk,
    request: impl FnOnce(String) -> LoginRequest,
) -> Result<LoginView, Failure> {
    let listener = listen(desk).await;
    let port = listener.as_ref().map_or(desk.callback_ports[0], |(_, port)| *port);
    let view = desk.broker.begin_login(&request(format!("http://localhost:{port}{}", callback::PATH))).await?;
    let state = state_of(&view.url)?;
    tell_page(desk, &view, listener.is_some())?;
    let (sender, mut events) = mpsc::channel(WAITING);
    if let Some((listener, _)) = listener {
        let arrivals = sender.clone();
        let state = state.clone();
        tokio::spawn(async move {
            // When nobody listens any more, or nobody keeps up, the person has something better already.
            let pass_on = move |arrival| drop(arrivals.try_send(Event::Arrived(arrival)));
            callback::serve(listener, state.into(), pass_on).await;
        });
    }
    read_typed(desk.screen.take_input(), sender);
    wait(desk, &view, &state, &mut events).await
}

async fn listen(desk: &Desk) -> Option<(TcpListener, u16)> {
    for port in desk.callback_ports {
        // By number: `localhost` may be ::1 for a listener, and the stock client listens here too (*P 2.2*).
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)).await
            && let Ok(address) = listener.local_addr()
        {
            return Some((listener, address.port()));
        }
    }
    None
}

fn state_of(url: &str) -> Result<String, Failure> {
    let url = Url::parse(url).ok();
    let state = url.and_then(|url| url.query_pairs().find(|(key, _)| key == "state").map(|(_, value)| value.into()));
    state.ok_or_else(|| Failure::new(Exit::Failed, "the login page's address carries no state; is it another version?"))
}

fn tell_page(desk: &mut Desk, view: &LoginView, listening: bool) -> Result<(), Failure> {
    if desk.screen.form() == Form::Json {
        desk.screen.json(view)?;
    } else {
        desk.screen.say(&format!("Open this page in a browser:\n\n  {}\n", printable(&view.url)));
    }
    let [first, second] = desk.callback_ports;
    desk.screen.say(&if listening {
        "When the browser runs on another machine, it ends at a page that does not load: paste that address here."
            .to_owned()
    } else {
        format!(
            "Other programs use the ports {first} and {second}, so the browser ends at a page that is not ours: paste \
             that address here."
        )
    });
    Ok(())
}

/// Reads lines in a thread of its own: a terminal cannot be waited for in any other way. The thread ends with the
/// process.
fn read_typed(mut input: Box<dyn BufRead + Send>, sender: mpsc::Sender<Event>) {
    std::thread::spawn(move || {
        while let Some(line) = read_line(&mut input) {
            if sender.blocking_send(Event::Typed(line)).is_err() {
                return;
            }
        }
    });
}

async fn wait(
    desk: &mut Desk,
    view: &LoginView,
    state: &str,
    events: &mut mpsc::Receiver<Event>,
) -> Result<LoginView, Failure> {
    loop {
        out_of_time(desk, view)?;
        let look = desk.clock.sleep(LOOK);
        let event = tokio::select! {
            event = events.recv() => event.ok_or_else(nobody_left)?,
            () = look => continue,
        };
        let arrival = match event {
            Event::Arrived(arrival) => arrival,
            Event::Typed(line) if line.trim().is_empty() => continue,
            Event::Typed(line) => match callback::pasted(&line, state) {
                Ok(arrival) => arrival,
                Err(error) => {
                    desk.screen.say(&error.to_string());
                    continue;
                }
            },
        };
        return match arrival {
            Arrival::Code(callback) => Ok(desk.broker.finish_login(&view.id, &callback).await?),
            Arrival::Declined(error) => Err(Failure::new(Exit::Failed, error.to_string())),
            Arrival::Cancelled => Err(Failure::new(Exit::Failed, "another program asked for the port of this login")
                .next("begin a new login when that one is done")),
        };
    }
}

fn nobody_left() -> Failure {
    Failure::new(Exit::Failed, "no port is free for the browser to come back to, and there is nothing to paste into")
        .next("run this on a terminal, or log in by code: scorpiox-broker login")
}
