//! The model catalogue, with every member that stock clients from 0.145 to 0.169 insist on.

use serde_json::{Value, json};

/// The body of `GET /backend-api/codex/models`.
pub fn models() -> Value {
    json!({"models": [{
        "slug": "gpt-5.5",
        "display_name": "gpt-5.5",
        "description": "A stand-in that says what it was told to say.",
        "default_reasoning_level": "medium",
        "supported_reasoning_levels": [
            {"effort": "low", "description": "Fast"},
            {"effort": "medium", "description": "Balanced"},
            {"effort": "high", "description": "Thorough"},
            {"effort": "xhigh", "description": "Most thorough"},
        ],
        "shell_type": "shell_command",
        "visibility": "list",
        "minimal_client_version": "0.124.0",
        "supported_in_api": true,
        "priority": 0,
        "availability_nux": null,
        "upgrade": null,
        "base_instructions": "You answer in a terminal.",
        "supports_reasoning_summaries": true,
        "default_reasoning_summary": "none",
        "support_verbosity": true,
        "default_verbosity": "low",
        "apply_patch_tool_type": "freeform",
        "web_search_tool_type": "text",
        "truncation_policy": {"mode": "tokens", "limit": 10000},
        // 0.145 rejects an entry without this one.
        "supports_parallel_tool_calls": true,
        "supports_image_detail_original": false,
        "context_window": 272_000,
        "max_context_window": 272_000,
        "auto_compact_token_limit": null,
        "effective_context_window_percent": 95,
        "experimental_supported_tools": [],
        "input_modalities": ["text", "image"],
        "available_in_plans": ["plus", "pro", "team", "business", "enterprise"],
        "service_tiers": [],
        "use_responses_lite": false,
        "prefer_websockets": false,
    }]})
}
