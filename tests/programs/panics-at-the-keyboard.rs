//! Takes the keyboard of its terminal and panics.

use scorpiox_client::terminal::keyboard::Keyboard;

fn main() {
    let _keyboard = Keyboard::take().expect("a story gives it a terminal");
    panic!("on purpose");
}
