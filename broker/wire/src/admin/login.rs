//! A person logs in at the provider.

use serde::{Deserialize, Serialize};

use crate::Secret;
use crate::admin::credential::CredentialView;
use crate::problem::Problem;
use crate::token::outward;

/// Which way a person logs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "flow", rename_all = "snake_case")]
pub enum LoginFlow {
    /// A code is typed into a page on any machine.
    Device,
    /// A browser is sent back to this redirect URI, on which the asking command listens.
    Browser {
        /// `http://localhost:1455/auth/callback` or the same with 1457.
        redirect_uri: String,
    },
}

/// Begins a login.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct LoginRequest {
    /// Name of the credential; an existing one gets the new token set.
    pub name: String,
    /// Which way.
    #[serde(flatten)]
    pub flow: LoginFlow,
    /// Allow another account on an existing name.
    pub replace_account: bool,
}

/// Begins a login.
// As it is written: an unknown member is noticed only where the flow's members lie beside the others.
#[derive(Deserialize)]
#[serde(tag = "flow", rename_all = "snake_case", deny_unknown_fields)]
enum Written {
    Device {
        name: String,
        #[serde(default)]
        replace_account: bool,
    },
    Browser {
        name: String,
        redirect_uri: String,
        #[serde(default)]
        replace_account: bool,
    },
}

impl From<Written> for LoginRequest {
    fn from(written: Written) -> Self {
        match written {
            Written::Device { name, replace_account } => Self { name, flow: LoginFlow::Device, replace_account },
            Written::Browser { name, redirect_uri, replace_account } => {
                Self { name, flow: LoginFlow::Browser { redirect_uri }, replace_account }
            }
        }
    }
}

#[cfg(feature = "openapi")]
mod schema {
    use utoipa::openapi::schema::{AdditionalProperties, Object, ObjectBuilder, OneOfBuilder, Type};
    use utoipa::openapi::{RefOr, Schema};

    use super::LoginRequest;

    /// What both flows have; written out, because no derived schema closes each of the two objects.
    fn flow(name: &str) -> ObjectBuilder {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let credential = text().min_length(Some(1)).max_length(Some(64)).examples(["main"]);
        let credential = credential.pattern(Some("^[A-Za-z0-9][A-Za-z0-9@._-]*$"));
        let credential =
            credential.description(Some("Name of the credential; an existing one gets the new token set."));
        let replace = ObjectBuilder::new().schema_type(Type::Boolean).default(Some(false.into()));
        ObjectBuilder::new()
            .property("name", credential)
            .property("flow", text().enum_values(Some([name])))
            .property("replace_account", replace.description(Some("Allow another account on an existing name.")))
            .required("name")
            .required("flow")
            .additional_properties(Some(AdditionalProperties::FreeForm(false)))
    }

    impl utoipa::PartialSchema for LoginRequest {
        fn schema() -> RefOr<Schema> {
            let device: Object =
                flow("device").description(Some("A code is typed into a page on any machine.")).build();
            let redirect = ObjectBuilder::new().schema_type(Type::String);
            let redirect = redirect
                .enum_values(Some(["http://localhost:1455/auth/callback", "http://localhost:1457/auth/callback"]));
            let browser = flow("browser").property("redirect_uri", redirect).required("redirect_uri");
            let browser =
                browser.description(Some("A browser is sent back to redirect_uri, where the asking command listens."));
            OneOfBuilder::new().item(device).item(browser.build()).description(Some("Begins a login.")).into()
        }
    }

    impl utoipa::ToSchema for LoginRequest {}
}

/// A login under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LoginView {
    /// Id of this attempt.
    pub id: String,
    /// The page that the person opens.
    pub url: String,
    /// The code to type there (device flow).
    pub user_code: Option<String>,
    /// When the attempt ends by itself.
    pub expires_at: i64,
    /// How often asking again makes sense, in seconds.
    pub interval: u64,
    /// How it stands.
    #[serde(flatten)]
    pub state: LoginState,
}

/// How a login stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum LoginState {
    /// Waiting for the person.
    Pending,
    /// Sealed and committed.
    Done {
        /// What it became.
        credential: Box<CredentialView>,
    },
    /// Ended without a login; nothing changed.
    Failed {
        /// Why.
        problem: Problem,
    },
}

/// What the browser brought back.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LoginCallback {
    /// The authorization code.
    #[serde(serialize_with = "outward")]
    pub code: Secret,
    /// The state that the authorize URL carried.
    pub state: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_request_is_this_json() {
        let request: LoginRequest = serde_json::from_str(r#"{"name":"main","flow":"device"}"#).unwrap();
        assert_eq!((request.name.as_str(), request.flow, request.replace_account), ("main", LoginFlow::Device, false));
    }

    #[test]
    fn a_login_request_with_a_member_of_the_other_flow_or_of_none_is_refused() {
        let read = |json: &str| serde_json::from_str::<LoginRequest>(json).map(|request| request.flow);
        let redirect_uri = "http://localhost:1455/auth/callback".to_owned();
        let browser = format!(r#"{{"name":"main","flow":"browser","redirect_uri":"{redirect_uri}"}}"#);
        assert_eq!(read(&browser).unwrap(), LoginFlow::Browser { redirect_uri });
        for (json, why) in [
            (browser.replace("browser", "device").as_str(), "unknown field `redirect_uri`"),
            (r#"{"name":"main","flow":"browser"}"#, "missing field `redirect_uri`"),
            (r#"{"name":"main","flow":"device","force":true}"#, "unknown field `force`"),
        ] {
            assert!(read(json).unwrap_err().to_string().starts_with(why), "{json}");
        }
    }

    #[test]
    fn a_pending_login_is_this_json() {
        let view = LoginView {
            id: "l1".into(),
            url: "https://x/codex/device".into(),
            user_code: Some("ABCD-EFGH".into()),
            expires_at: 900,
            interval: 5,
            state: LoginState::Pending,
        };
        let json = concat!(
            r#"{"id":"l1","url":"https://x/codex/device","user_code":"ABCD-EFGH","#,
            r#""expires_at":900,"interval":5,"state":"pending"}"#
        );
        assert_eq!(serde_json::to_string(&view).unwrap(), json);
    }
}
