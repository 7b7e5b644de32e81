use super::*;

fn catalog(body: &str) -> Catalog {
    Catalog::parse(body).unwrap()
}

const NEW: &str = r#"{"models":[
    {"slug":"gpt-hidden","visibility":"hide","priority":0},
    {"slug":"gpt-6-sol","display_name":"GPT-6 Sol","visibility":"list","priority":2,"use_responses_lite":true,
     "default_reasoning_level":"low","supported_reasoning_levels":[{"effort":"low","description":"x"},{"effort":"max"}],
     "default_reasoning_summary":"none","support_verbosity":true,"default_verbosity":"low","context_window":400000,
     "effective_context_window_percent":90,"auto_compact_token_limit":250000,"input_modalities":["text"],
     "apply_patch_tool_type":"freeform","base_instructions":"Answer.","brand_new":{"a":[1]},
     "truncation_policy":{"mode":"tokens","limit":5000}},
    {"slug":"gpt-5.5","visibility":"list","priority":1,"supported_reasoning_levels":["low","high"],
     "default_reasoning_summary":"auto","support_verbosity":false,"default_verbosity":"low"}]}"#;

#[test]
fn an_entry_of_today_is_read_whole() {
    let read = catalog(NEW);
    let expected = Model {
        slug: "gpt-6-sol".into(),
        display_name: "GPT-6 Sol".into(),
        visible: true,
        priority: 2,
        shape: Shape::Lite,
        default_effort: Some("low".into()),
        efforts: vec!["low".into(), "max".into()],
        default_summary: None,
        verbosity: Some("low".into()),
        context_tokens: 360_000,
        compact_at_tokens: 250_000,
        told_of_outputs: Budget::Tokens(5_000),
        images: Images::LeftOut,
        freeform_patch: true,
        instructions: Some("Answer.".into()),
    };
    assert_eq!(read.get("gpt-6-sol"), Some(&expected));
    let slugs: Vec<&str> = read.models().iter().map(|model| model.slug.as_str()).collect();
    assert_eq!(slugs, ["gpt-hidden", "gpt-5.5", "gpt-6-sol"], "by priority");
}

#[test]
fn an_older_entry_and_a_relays_entry_are_read_too() {
    let read = catalog(NEW);
    let old = read.get("gpt-5.5").unwrap();
    assert_eq!((old.efforts.as_slice(), old.shape), (["low".to_owned(), "high".to_owned()].as_slice(), Shape::Classic));
    assert_eq!((old.default_summary.as_deref(), old.verbosity.as_deref()), (Some("auto"), None));
    assert_eq!((old.context_tokens, old.compact_at_tokens), (258_400, 244_800));
    let relay = catalog(r#"{"object":"list","data":[{"id":"gpt-x","object":"model"}]}"#);
    assert_eq!(relay.models(), [Model::unknown("gpt-x")]);
    assert!(relay.models()[0].visible && relay.models()[0].images == Images::Sent);
}

#[test]
fn what_a_model_does_with_images_is_read() {
    let read = catalog(
        r#"{"models":[{"slug":"a","input_modalities":["text"],"supports_image_detail_original":true},
            {"slug":"b","input_modalities":["text","image"],"supports_image_detail_original":true},
            {"slug":"c","input_modalities":["text","image"],"supports_image_detail_original":false}]}"#,
    );
    let images = ["a", "b", "c"].map(|slug| read.get(slug).unwrap().images);
    assert_eq!(images, [Images::LeftOut, Images::SentInFull, Images::Sent]);
}

#[test]
fn odd_members_do_not_cost_the_catalogue() {
    let odd = r#"{"models":[{"slug":7},{"no":"name"},[],null,
        {"slug":"a","priority":"high","context_window":-1,"supported_reasoning_levels":[1,{"effort":2},"low"],
         "effective_context_window_percent":4000,"visibility":1}]}"#;
    let read = catalog(odd);
    let efforts = vec!["low".to_owned()];
    assert_eq!(read.models(), [Model { efforts, ..Model::unknown("a") }]);
    for none in ["[]", "{}", r#"{"models":{}}"#, "<html>", ""] {
        assert_eq!(Catalog::parse(none), None, "{none}");
    }
}

#[test]
fn how_much_of_an_output_is_told_is_in_tokens_or_bytes() {
    let of = |policy: &str| {
        catalog(&format!(r#"{{"models":[{{"slug":"a","truncation_policy":{policy}}}]}}"#)).models()[0].told_of_outputs
    };
    assert_eq!(of(r#"{"mode":"bytes","limit":10000}"#), Budget::Bytes(10_000));
    assert_eq!(of(r#"{"mode":"tokens","limit":7}"#), Budget::Tokens(7));
    for odd in ["null", "7", r#"{"mode":"lines","limit":7}"#, r#"{"mode":"bytes","limit":0}"#, r#"{"mode":"bytes"}"#] {
        assert_eq!(of(odd), Budget::Tokens(10_000), "{odd}");
    }
}

#[test]
fn a_stale_alias_means_the_first_model_that_is_offered() {
    let today = catalog(NEW);
    assert_eq!(today.resolve("sonnet"), Resolved::Replaced("gpt-5.5"));
    assert_eq!(today.resolve("gpt-hidden"), Resolved::Named("gpt-hidden"));
    assert_eq!(today.resolve("my-codex-x"), Resolved::Named("my-codex-x"));
    let then = catalog(
        r#"{"models":[{"slug":"gpt-5.6-terra"},{"slug":"gpt-5.6-luna"},{"slug":"gpt-5.4-mini","visibility":"hide"}]}"#,
    );
    for (alias, slug) in ALIASES {
        assert_eq!(then.resolve(alias), Resolved::Alias(slug));
        assert_eq!(catalog(r#"{"models":[]}"#).resolve(alias), Resolved::Alias(slug), "nothing to put in its place");
    }
    assert_eq!(then.resolve(USUAL_MODEL).slug(), "gpt-5.6-luna");
}
