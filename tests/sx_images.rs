//! Images: attached to a prompt, pasted as a path, looked at by the model.

use std::fs::{self, File};
use std::io::Cursor;
use std::path::Path;
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fake_provider::{Endpoint, Fault, How, Script};
use image::{ImageFormat, Rgb, RgbImage};
use scorpiox_tests::process::terminal::Terminal;
use scorpiox_tests::process::{FetchToken, Team};
use serde_json::{Value, json};

fn conversation(machine: &FetchToken, arguments: &[&str]) -> Terminal {
    let mut terminal = Terminal::start(machine.sx_in_the_project(arguments));
    terminal.wait_for("/help for help");
    terminal
}

fn picture(path: &Path, width: u32, height: u32) {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::from_pixel(width, height, Rgb([0, 200, 0])).write_to(&mut bytes, ImageFormat::Png).unwrap();
    fs::write(path, bytes.into_inner()).unwrap();
}

/// The size of an image as the backend got it.
fn size(part: &Value) -> (u32, u32) {
    assert_eq!((&part["type"], &part["detail"]), (&json!("input_image"), &json!("high")));
    let encoded = part["image_url"].as_str().unwrap().strip_prefix("data:image/png;base64,").unwrap();
    let image = image::load_from_memory_with_format(&STANDARD.decode(encoded).unwrap(), ImageFormat::Png).unwrap();
    assert_eq!(image.to_rgb8().get_pixel(1, 1).0, [0, 200, 0]);
    (image.width(), image.height())
}

/// The parts of the last message of the person in the last request.
fn prompt(team: &Team) -> Vec<Value> {
    let body = team.questions().pop().unwrap();
    let items = body["input"].as_array().unwrap().clone();
    items.iter().rfind(|item| item["role"] == "user").unwrap()["content"].as_array().unwrap().clone()
}

fn text(part: &Value) -> &str {
    part["text"].as_str().unwrap()
}

fn view(path: &str) -> Script {
    Script::function_call("view_image", &json!({ "path": path }), "call_1")
}

/// What the model was told last.
fn told(team: &Team) -> Value {
    team.questions().pop().unwrap()["input"].as_array().unwrap().last().unwrap()["output"].clone()
}

#[test]
fn images_of_every_origin_go_in_front_of_a_prompt() {
    let (team, machine) = Team::with_a_project();
    picture(&machine.home().join("a shot.png"), 3000, 100);
    picture(&machine.home().join("b.dat"), 30, 20);
    picture(&machine.home().join("c"), 20, 30);
    fs::write(machine.home().join("d.log"), "error 28").unwrap();
    let mut command = machine.command_of("sx", &["-p", "why", "-i", "a shot.png", "d.log", "b.dat"]);
    let output = command.stdin(Stdio::from(File::open(machine.home().join("c")).unwrap())).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let parts = prompt(&team);
    assert_eq!(text(&parts[0]), "<image name=[Image #1] path=\"a shot.png\">");
    assert_eq!((size(&parts[1]), size(&parts[4]), size(&parts[7])), ((2048, 68), (30, 20), (20, 30)));
    assert_eq!((text(&parts[2]), text(&parts[6])), ("</image>", "<image name=[Image #3] path=\"standard input\">"));
    assert_eq!((text(&parts[9]), parts.len()), ("why", 11));
    assert!(text(&parts[10]).starts_with("<attached name=\"d.log\">"));
}

#[test]
fn what_cannot_be_sent_is_said_before_anything_is() {
    let (team, machine) = Team::with_a_project();
    fs::write(machine.home().join("text.png"), "a text").unwrap();
    File::create(machine.home().join("huge.png")).unwrap().set_len(100 * 1024 * 1024).unwrap();
    picture(&machine.home().join("a.png"), 30, 20);
    let refused = |arguments: &[&str], words: &str| {
        let failed = machine.run_program("sx", arguments);
        failed.assert_refused(64);
        assert!(failed.stderr.contains(words), "{failed:?}");
    };
    refused(&["-p", "x", "-i", "text.png"], "text.png is no image");
    refused(&["-p", "x", "-i", "huge.png"], "huge.png is longer than 20 MiB");
    refused(&["-p", "x", "huge.png"], "huge.png is too long");
    refused(&["-p", "x", "-i", "none.png"], "none.png does not exist");
    let model =
        |slug: &str, modalities: Value| json!({"slug": slug, "visibility": "list", "input_modalities": modalities});
    let models = [model("blind", json!(["text"])), model("seeing", json!(["text", "image"]))];
    team.provider.oracle().settings_mut().models = Some(json!({ "models": models }));
    refused(&["-p", "x", "-i", "a.png", "-m", "blind"], "blind takes no images; these do: seeing");
    assert!(team.questions().is_empty());
    assert_eq!(machine.run_program("sx", &["-p", "x", "-i", "a.png", "-m", "seeing"]).code, 0);
}

#[test]
fn an_image_waits_for_its_prompt_and_a_pasted_path_becomes_one() {
    let (team, machine) = Team::with_a_project();
    picture(&machine.project().join("first.png"), 40, 30);
    picture(&machine.project().join("my shot.png"), 50, 30);
    let mut terminal = conversation(&machine, &["-i", "first.png"]);
    terminal.wait_for("[image #1: first.png 40x30]");
    terminal.types("/image my shot.png\r");
    terminal.wait_for("[image #2: my shot.png 50x30]");
    let dropped = machine.project().join("my shot.png");
    terminal.types(&format!("compare with '{}'\r", dropped.display()));
    terminal.wait_for("[image #3: my shot.png 50x30]");
    terminal.wait_for("Hello from the fake provider.");
    terminal.wait_for("context");
    let parts = prompt(&team);
    assert_eq!([size(&parts[1]), size(&parts[4]), size(&parts[7])], [(40, 30), (50, 30), (50, 30)]);
    assert_eq!((text(&parts[9]), parts.len()), ("compare with [Image #3]", 10));
    terminal.types("and first.png?\r");
    terminal.wait_for("context");
    assert_eq!(prompt(&team), [json!({"type": "input_text", "text": "and first.png?"})]);
    terminal.types("/image first.png what is this\r");
    terminal.wait_for("[image #1: first.png 40x30]");
    terminal.wait_for("context");
    assert_eq!((text(&prompt(&team)[3]), team.questions().len()), ("what is this", 3));
    terminal.types("/image none.png\r");
    terminal.wait_for("none.png does not exist");
}

#[test]
fn a_model_without_images_is_not_asked_and_another_one_can_be() {
    let (team, machine) = Team::with_a_project();
    let model =
        |slug: &str, modalities: Value| json!({"slug": slug, "visibility": "list", "input_modalities": modalities});
    let models = [model("blind", json!(["text"])), model("seeing", json!(["text", "image"]))];
    team.provider.oracle().settings_mut().models = Some(json!({ "models": models }));
    picture(&machine.project().join("a.png"), 40, 30);
    let mut terminal = conversation(&machine, &["-m", "blind", "-i", "a.png"]);
    terminal.types("what is this\r");
    terminal.wait_for("blind takes no images; these do: seeing");
    assert!(team.questions().is_empty());
    terminal.types("/model seeing\r");
    terminal.wait_for("model seeing");
    // The prompt is in the editor's history: twice up, over the command.
    terminal.types("\u{1b}[A\u{1b}[A\r");
    terminal.wait_for("Hello from the fake provider.");
    let parts = prompt(&team);
    assert_eq!((size(&parts[1]), text(&parts[3])), ((40, 30), "what is this"));
    let tools = team.questions()[0]["tools"].as_array().unwrap().clone();
    assert!(tools.iter().any(|tool| tool["name"] == "view_image"));
}

#[test]
fn the_model_looks_at_files_of_the_project_and_asks_for_others() {
    let (team, machine) = Team::with_a_project();
    picture(&machine.project().join("a.png"), 40, 30);
    picture(&machine.home().join("private.png"), 50, 30);
    let mut terminal = conversation(&machine, &[]);
    team.provider.script(view("a.png"));
    terminal.types("Look\r");
    terminal.wait_for("a.png: 40x30");
    terminal.wait_for("context");
    assert_eq!(size(&told(&team)[0]), (40, 30));
    for (answer, sees) in [("n", false), ("y", true)] {
        team.provider.script(view("../private.png"));
        terminal.types("Look there\r");
        terminal.wait_for("private.png");
        terminal.wait_for("show it this image? (yes, no)");
        terminal.types(&format!("{answer}\r"));
        terminal.wait_for("context");
        assert_eq!(told(&team).is_array(), sees, "{}", told(&team));
    }
    let settings = machine.home().join(".config/scorpiox");
    fs::create_dir_all(&settings).unwrap();
    picture(&settings.join("a.png"), 40, 30);
    team.provider.script(view(settings.join("a.png").to_str().unwrap()));
    terminal.types("Look there\r");
    terminal.wait_for("context");
    assert!(told(&team).as_str().unwrap().contains("is closed to tools"), "{}", told(&team));
}

#[test]
fn an_image_that_the_backend_takes_for_none_does_not_stay() {
    let (team, machine) = Team::with_a_project();
    picture(&machine.project().join("a.png"), 40, 30);
    let body = json!({"error": {"message": "The image data you provided does not represent a valid image."}});
    let refusal = || Fault::on(Endpoint::Responses, How::Status { status: 400, body: body.clone() });
    let mut terminal = conversation(&machine, &[]);
    team.provider.fault(refusal());
    terminal.types("/image a.png what is this\r");
    terminal.wait_for("does not represent a valid image");
    terminal.wait_for("ask again without the image");
    terminal.types("Then tell me\r");
    terminal.wait_for("context");
    let input = team.questions()[1]["input"].to_string();
    assert!(!input.contains("input_image") && !input.contains("what is this"), "{input}");

    // What a tool brought is left out, and the model goes on.
    team.provider.fault(Fault::on(Endpoint::Responses, How::Plain));
    team.provider.fault(refusal());
    team.provider.script(view("a.png"));
    terminal.types("Look\r");
    terminal.wait_for("it was left out, and the model was told");
    assert_eq!(team.questions().len(), 5);
    assert!(told(&team)[0]["text"].as_str().unwrap().contains("an image was left out"), "{}", told(&team));
    terminal.wait_for("> ");
    terminal.types("/quit\r");
    assert_eq!(terminal.ends(), Some(0));

    // Nor does it come back with the conversation.
    let mut terminal = conversation(&machine, &["--continue"]);
    terminal.types("And now?\r");
    terminal.wait_for("context");
    let input = team.questions().pop().unwrap()["input"].to_string();
    assert!(!input.contains("input_image") && input.contains("an image was left out"), "{input}");
    assert_eq!(team.questions().len(), 6);
}
