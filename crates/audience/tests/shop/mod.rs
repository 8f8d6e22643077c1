//! A shop that answers by the contract (WooCommerce REST v3), and misbehaves when it is told to.
#![allow(dead_code, reason = "each test takes what it needs of it")]

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

/// Its keys; the second is looked for wherever it must not be.
pub const KEY: &str = "ck_0123456789abcdef";
pub const SECRET: &str = "cs_canary_5f3e9a7c1b";

/// What the next request gets instead of an answer.
#[derive(Clone)]
pub enum Trouble {
    Status(u16, &'static str),
    Limited { retry_after: &'static str },
    Slow(Duration),
    Cut,
    Body(&'static str),
    Moved(&'static str),
}

#[derive(Default)]
pub struct Manners {
    pub products: Vec<Value>,
    pub troubles: VecDeque<Trouble>,
    /// The host in front takes the Authorization header away.
    pub strips_header: bool,
    pub plain_permalinks: bool,
    pub no_woocommerce: bool,
    /// The keys are known and may only write.
    pub write_only: bool,
    /// Headers with totals do not come through.
    pub no_totals: bool,
    pub requests: Vec<String>,
}

#[derive(Clone)]
pub struct FakeShop {
    pub address: SocketAddr,
    manners: Arc<Mutex<Manners>>,
}

impl FakeShop {
    pub async fn open(products: Vec<Value>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let manners = Manners {
            products,
            ..Manners::default()
        };
        let shop = Self {
            address,
            manners: Arc::new(Mutex::new(manners)),
        };
        let router = Router::new().fallback(answer).with_state(shop.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        shop
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn manners(&self) -> MutexGuard<'_, Manners> {
        self.manners.lock().expect("no test panicked inside")
    }

    pub fn asked(&self) -> usize {
        self.manners().requests.len()
    }
}

pub fn product(id: u64, name: &str, price: &str, left: Option<u32>) -> Value {
    json!({
        "id": id, "name": name, "type": "simple", "permalink": format!("https://shop.example/product/{id}"),
        "sku": format!("SKU-{id}"), "price": price, "regular_price": price, "sale_price": "",
        "stock_status": if left == Some(0) { "outofstock" } else { "instock" }, "stock_quantity": left,
        "short_description": "<p>A fine <b>thing</b></p>", "images": [], "categories": [{ "id": 1, "name": "Things" }],
    })
}

async fn answer(
    State(shop): State<FakeShop>,
    uri: Uri,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let trouble = {
        let mut manners = shop.manners();
        manners.requests.push(uri.to_string());
        manners.troubles.pop_front()
    };
    match trouble {
        Some(Trouble::Status(status, code)) => return refusal(status, code, ""),
        Some(Trouble::Limited { retry_after }) => {
            return (
                [(header::RETRY_AFTER, retry_after)],
                refusal(429, "rest_rate_limit", ""),
            )
                .into_response();
        }
        Some(Trouble::Slow(time)) => tokio::time::sleep(time).await,
        Some(Trouble::Cut) => {
            let first = stream::once(async { Ok("[{\"id\":1,") });
            let end = stream::once(async {
                // So that what came before is on its way.
                tokio::time::sleep(Duration::from_millis(100)).await;
                Err(std::io::Error::other("the line is cut"))
            });
            return Body::from_stream(first.chain(end)).into_response();
        }
        Some(Trouble::Body(text)) => return text.into_response(),
        Some(Trouble::Moved(to)) => {
            return (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, to)]).into_response();
        }
        None => {}
    }
    let manners = shop.manners();
    let Some(route) = route(&manners, &uri, &query) else {
        let page = "<html>nothing here</html>";
        return match manners.no_woocommerce {
            true => refusal(404, "rest_no_route", "No route was found"),
            false => (StatusCode::NOT_FOUND, page).into_response(),
        };
    };
    match let_in(&manners, &headers, &query) {
        Seen::Known if manners.write_only => {
            let message = "The API key provided does not have read permissions.";
            return refusal(401, "woocommerce_rest_authentication_error", message);
        }
        Seen::Known => {}
        Seen::Wrong => {
            return refusal(
                401,
                "woocommerce_rest_authentication_error",
                "Consumer key is invalid.",
            );
        }
        Seen::Nobody => {
            return refusal(
                401,
                "woocommerce_rest_cannot_view",
                "Sorry, you cannot list resources.",
            );
        }
    }
    match route.as_str() {
        "settings/general/woocommerce_currency" => {
            json_of(&json!({ "id": "woocommerce_currency", "value": "EUR" }))
        }
        "products" => products(&manners, &query),
        _ => refusal(404, "rest_no_route", "No route was found"),
    }
}

fn route(manners: &Manners, uri: &Uri, query: &HashMap<String, String>) -> Option<String> {
    if manners.no_woocommerce {
        return None;
    }
    let pretty = uri
        .path()
        .strip_prefix("/wp-json/wc/v3/")
        .filter(|_| !manners.plain_permalinks);
    let plain = query
        .get("rest_route")
        .and_then(|route| route.strip_prefix("/wc/v3/"));
    pretty.or(plain).map(str::to_owned)
}

enum Seen {
    Known,
    Wrong,
    Nobody,
}

fn let_in(manners: &Manners, headers: &HeaderMap, query: &HashMap<String, String>) -> Seen {
    use base64::Engine as _;
    let expected = base64::engine::general_purpose::STANDARD.encode(format!("{KEY}:{SECRET}"));
    let said = headers
        .get(header::AUTHORIZATION)
        .filter(|_| !manners.strips_header);
    let asked = query.get("consumer_key").zip(query.get("consumer_secret"));
    match (said.and_then(|said| said.to_str().ok()), asked) {
        (Some(said), _) if said == format!("Basic {expected}") => Seen::Known,
        (None, Some((key, secret))) if key == KEY && secret == SECRET => Seen::Known,
        (None, None) => Seen::Nobody,
        _ => Seen::Wrong,
    }
}

fn products(manners: &Manners, query: &HashMap<String, String>) -> Response {
    let number = |name: &str, otherwise: usize| {
        query
            .get(name)
            .map_or(otherwise, |n| n.parse().expect("a number"))
    };
    let (page, per_page) = (number("page", 1), number("per_page", 10));
    if per_page > 100 {
        return refusal(400, "rest_invalid_param", "per_page");
    }
    let included: Option<Vec<u64>> = query
        .get("include")
        .map(|ids| ids.split(',').map(|id| id.parse().expect("an id")).collect());
    let wanted = |product: &&Value| {
        let id = product["id"].as_u64().unwrap_or(0);
        included.as_ref().is_none_or(|ids| ids.contains(&id))
    };
    let matching: Vec<&Value> = manners.products.iter().filter(wanted).collect();
    let pages = matching.len().div_ceil(per_page);
    let shown: Vec<&&Value> = matching
        .iter()
        .skip((page - 1) * per_page)
        .take(per_page)
        .collect();
    let mut response = json_of(&json!(shown));
    if !manners.no_totals {
        for (name, value) in [("x-wp-total", matching.len()), ("x-wp-totalpages", pages)] {
            response.headers_mut().insert(name, value.into());
        }
    }
    response
}

fn refusal(status: u16, code: &str, message: &str) -> Response {
    let body = json!({ "code": code, "message": message, "data": { "status": status } });
    let status = StatusCode::from_u16(status).expect("a status");
    (status, json_of(&body)).into_response()
}

fn json_of(value: &Value) -> Response {
    (
        [(header::CONTENT_TYPE, "application/json; charset=UTF-8")],
        value.to_string(),
    )
        .into_response()
}
