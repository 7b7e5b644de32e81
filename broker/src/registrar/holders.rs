//! Who still holds a token of a credential, and until when.

use scorpiox_wire::Problem;
use scorpiox_wire::admin::{self, Page};

use super::{Registrar, storage};
use crate::clock::Timestamp;
use crate::domain::credential::Name;
use crate::store::holders::Holder;

impl Registrar {
    /// Holders behind `after` in the order of their names, revoked clients too.
    pub async fn holders(
        &self,
        credential: &str,
        after: Option<&Name>,
        limit: u32,
    ) -> Result<Page<admin::Holder>, Problem> {
        let holding = self.holding(credential)?;
        let after = after.map_or("", Name::as_str);
        let rows = self.parts().store.holders(holding.id(), self.now(), after, limit + 1).await;
        let rows = rows.map_err(|error| storage(&error))?;
        Ok(Page::cut(rows.into_iter().map(in_contract).collect(), limit, |holder| holder.client.clone()))
    }
}

fn in_contract(holder: Holder) -> admin::Holder {
    let Holder { client, revoked_at, generation, tokens, last_at, until } = holder;
    admin::Holder {
        client,
        revoked_at: revoked_at.map(Timestamp::as_unix),
        generation,
        tokens,
        last_seen_at: last_at.as_unix(),
        until: until.as_unix(),
    }
}
