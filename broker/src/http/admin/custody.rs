//! The broker's data as a whole.

use actix_web::body::SizedStream;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::{HttpResponse, web};
use futures_util::stream;
use scorpiox_wire::admin::{BackupRequest, RekeyRequest, RekeyView};
use scorpiox_wire::{Code, Problem};
use tokio::io::AsyncReadExt as _;

use super::json::Json;
use super::{Answer, Data, Operation, ok};
use crate::backup::collect::Sealed;
use crate::domain::scope::Scope;
use crate::registrar::Administrator;

/// A backup's SHA-256 in hexadecimal: what was written can be compared with what was made.
pub const SUM: &str = "X-Backup-Sha256";
/// So much is read at once.
const PIECE: usize = 64 << 10;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post(Scope::Everything, "/backup", backup)
            .says("Make a backup of everything, closed with a passphrase or to recipients (age)")
            .takes::<BackupRequest>()
            .answers_file()
            .refuses(&[Code::Busy, Code::Unavailable]),
        Operation::get(Scope::Read, "/rekey", rekeying)
            .says("How a change of the master key stands")
            .answers::<RekeyView>()
            .refuses(&[Code::Unavailable]),
        Operation::post(Scope::Everything, "/rekey", rekey)
            .says("Change the master key, or go on with a change that was cut off")
            .takes::<RekeyRequest>()
            .answers::<RekeyView>()
            .refuses(&[Code::Busy, Code::Unavailable]),
    ]
}

async fn backup(by: Administrator, registrar: Data, body: Json<BackupRequest>) -> Answer {
    let backup = registrar.backup(&by, body.into_inner()).await?;
    let (size, sum) = (backup.size, backup.sha256.clone());
    let opened = tokio::fs::File::open(backup.path()).await;
    let file =
        opened.map_err(|error| Problem::new(Code::Unavailable, format!("the backup cannot be read: {error}")))?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/octet-stream"))
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"scorpiox-broker.age\""))
        .insert_header((SUM, sum))
        .body(SizedStream::new(size, pieces(file, backup))))
}

async fn rekeying(registrar: Data) -> Answer {
    ok(registrar.rekeying()?)
}

async fn rekey(by: Administrator, registrar: Data, body: Json<RekeyRequest>) -> Answer {
    ok(registrar.rekey(&by, body.into_inner()).await?)
}

/// The file, piece by piece; the backup is let go of at its end.
fn pieces(file: tokio::fs::File, backup: Sealed) -> impl stream::Stream<Item = Result<web::Bytes, std::io::Error>> {
    stream::try_unfold((file, backup), |(mut file, backup)| async move {
        let mut piece = Vec::with_capacity(PIECE);
        (&mut file).take(PIECE as u64).read_to_end(&mut piece).await?;
        Ok((!piece.is_empty()).then(|| (web::Bytes::from(piece), (file, backup))))
    })
}
