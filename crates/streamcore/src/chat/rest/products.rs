//! What the host sells, and what viewers did with it.

use std::sync::Arc;

use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::chat::products::wire::{Figure, Interest, Product, ProductId};
use crate::http::App;
use crate::http::api::{Caller, Crew, Done, Number, Problem, Query, failed};

/// What the host sells.
#[derive(Serialize, JsonSchema)]
pub(super) struct Shelf {
    /// In the host's order.
    products: Vec<Product>,
    /// Those of them that are shown.
    featured: Vec<ProductId>,
    /// Host and moderators: how much viewers want them.
    #[serde(skip_serializing_if = "Option::is_none")]
    interest: Option<Vec<Interest>>,
}

/// `GET /api/rooms/{room}/products`.
pub(super) async fn list(Caller { member, .. }: Caller) -> Result<Done<Shelf>, Problem> {
    let looked = member.look().await?;
    Ok(Done(Shelf {
        products: looked.snapshot.products,
        featured: looked.snapshot.featured,
        interest: looked.interest,
    }))
}

/// Which minutes.
#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
pub(super) struct FiguresSince {
    /// From this moment on, in milliseconds since 1970 UTC.
    #[serde(default)]
    #[schemars(with = "Number")]
    from_ms: Option<Number>,
}

/// A page of figures.
#[derive(Serialize, JsonSchema)]
pub(super) struct FiguresPage {
    /// Oldest first.
    figures: Vec<Figure>,
    /// Whether there are later ones: ask again from the last one's minute on.
    more: bool,
}

/// `GET /api/rooms/{room}/figures`.
pub(super) async fn figures(
    Crew(Caller { room, .. }): Crew,
    State(app): State<Arc<App>>,
    Query(FiguresSince { from_ms }): Query<FiguresSince>,
) -> Result<Done<FiguresPage>, Problem> {
    let figures = app
        .chat()
        .keeper
        .figures(&room, from_ms.map_or(0, |number| number.0))
        .await;
    let (figures, more) = figures.map_err(|error| failed(room.as_str(), &error))?;
    Ok(Done(FiguresPage { figures, more }))
}
