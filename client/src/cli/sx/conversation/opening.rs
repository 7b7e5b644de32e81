//! What a conversation begins with: a terminal, a model, tools.

use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::{Conversation, greeting, resume, tools};
use crate::backend::stream::SILENCE;
use crate::cli::backend;
use crate::cli::sx::attach::picture::Attached;
use crate::cli::sx::beginning::as_before;
use crate::cli::sx::catalog;
use crate::cli::sx::context::Context;
use crate::cli::sx::manner::Wish;
use crate::cli::sx::person::Person;
use crate::cli::sx::screen::surface::{Cursor, Surface};
use crate::cli::sx::status::Standing;
use crate::cli::sx::typed::{Invocation, Opening};
use crate::cli::sx::workshop::Workshop;
use crate::clock::Clock;
use crate::conversation::history::History;
use crate::drive::Driver;
use crate::failure::{Class, Failure};
use crate::talk::Talk;
use crate::terminal::interruption;
use crate::terminal::keyboard::Keyboard;

/// Talks with the person at this terminal until they leave.
pub(in crate::cli::sx) fn converse(
    opening: &Opening,
    invocation: &Invocation,
    environment: &dyn Fn(&str) -> Option<OsString>,
    clock: &dyn Clock,
    talk: &mut Talk,
) -> Result<(), Failure> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        let failure = Failure::new(Class::Usage, "a conversation needs a terminal");
        return Err(failure.with_hint("ask one thing with -p PROMPT"));
    }
    let images = invocation.images.iter().map(|path| Attached::read(path)).collect::<Result<Vec<_>, _>>()?;
    // It may ask, so before the keyboard is ours.
    let found = invocation.beginning.open(environment, clock)?;
    let stop = Arc::new(AtomicBool::new(false));
    let unusable = |error| Failure::temporary(format!("the terminal cannot be used: {error}"));
    let surface = Surface::of(environment);
    // Where no line editor can work, the terminal's own reads lines, and it needs Enter and the echo as they are.
    let _keyboard = match surface.cursor {
        Cursor::Moves => Some(Keyboard::take().map_err(unusable)?),
        Cursor::Stays => None,
    };
    interruption::attend(stop.clone()).map_err(unusable)?;
    backend::with(environment, clock, talk, |scene, talk| {
        let written = scene.settings.written();
        let mut wish = Wish::written(written)?;
        if let Some(earlier) = &found.earlier {
            as_before(&mut wish, &earlier.told, &invocation.settings);
        }
        let catalog = catalog(scene, clock, talk)?;
        let standing = Standing::default();
        let Opening { mode, prompt } = opening.clone();
        let person = Person::Present { colour: surface.colour };
        let tools = Workshop::set_up(scene, written, mode, person, clock, &stop, talk)?;
        let mut manner = wish.manner(catalog.as_ref(), "", talk);
        let context = tools.as_ref().map(|_| Context::gather(scene, clock, talk));
        tools::tell(&mut manner, context.as_ref());
        manner.summary = Some("auto".to_owned());
        let mut driver = Driver::new(&scene.backend, manner, clock, &stop, SILENCE);
        driver.listen(found.ear.clone());
        let (keeper, earlier) = found.begin()?;
        let (history, verbose) = (History::default(), invocation.verbose);
        let (adopted, profile, stop) = (None, None, &*stop);
        let mut conversation = Conversation {
            scene,
            catalog,
            wish,
            driver,
            history,
            keeper,
            images,
            tools,
            notes: Vec::new(),
            context,
            mode,
            adopted,
            profile,
            clock,
            stop,
            surface,
            standing,
            verbose,
        };
        greeting::greet(&conversation, talk);
        if let Some(earlier) = earlier {
            resume::go_on(&mut conversation, earlier);
        }
        let left = conversation.go_on(prompt, talk);
        resume::say_how_to_go_on(&conversation, talk);
        conversation.tools.into_iter().for_each(Workshop::close);
        left
    })
}
