//! Products from a file, beside the actor.

use std::path::Path;

use audience::csv::{self, CsvError};
use protocol::{ErrorCode, Imported, Reply, UserError};
use store::Catalogue;
use tokio::sync::oneshot;

use super::super::actor::{Actor, wall_ms};
use super::super::document::store_error;
use super::super::edit::{bad_value, new_id};
use super::super::handle::Input;
use super::{News, Waiting, row};

impl Actor {
    /// Reads a file of products; the answer comes once the show knows what changed.
    pub(in crate::studio) fn import_products(
        &self,
        path: String,
        leave_out_wrong: bool,
        answer: oneshot::Sender<Result<Reply, UserError>>,
    ) {
        let inputs = self.wiring.inputs.clone();
        let catalogue = self.products.catalogue().cloned();
        tokio::spawn(async move {
            let result = match catalogue {
                Ok(catalogue) => import(&catalogue, &path, leave_out_wrong).await,
                Err(error) => Err(error),
            };
            let waiting = Waiting { result, answer };
            // A studio that stopped has nobody to tell.
            let _stopped = inputs.send(Input::Products(News::Changed(Some(waiting)))).await;
        });
    }
}

async fn import(catalogue: &Catalogue, path: &str, leave_out_wrong: bool) -> Result<Reply, UserError> {
    if path.len() > 4096 || path.contains('\0') || !Path::new(path).is_absolute() {
        return Err(bad_value("path", path));
    }
    let bytes = tokio::fs::read(path).await.map_err(|error| {
        let code = match error.kind() {
            std::io::ErrorKind::NotFound => ErrorCode::FileMissing,
            _ => ErrorCode::FileUnreadable,
        };
        UserError::new(code).with("path", path)
    })?;
    let table = tokio::task::spawn_blocking(move || csv::read(&bytes))
        .await
        .map_err(|error| UserError::new(ErrorCode::Internal).with("detail", error))?
        .map_err(|error| unreadable(error, path))?;
    let mut imported = Imported {
        added: 0,
        changed: 0,
        wrong: table.wrong,
        wrong_lines: table.wrong_lines,
    };
    if imported.wrong == 0 || leave_out_wrong {
        let rows: Vec<_> = table
            .products
            .into_iter()
            .map(|found| row(new_id(), found))
            .collect();
        let kept = catalogue.import(&rows, wall_ms()).await.map_err(store_error)?;
        (imported.added, imported.changed) = (kept.added, kept.changed);
    }
    Ok(Reply::Imported(imported))
}

fn unreadable(error: CsvError, path: &str) -> UserError {
    let limit = |most: &str| {
        UserError::new(ErrorCode::LimitReached)
            .with("what", path)
            .with("most", most)
    };
    match error {
        CsvError::NoTitles => UserError::new(ErrorCode::CsvUnreadable).with("path", path),
        CsvError::TooLarge => limit("64 MB"),
        CsvError::TooMany => limit("100 000"),
    }
}
